/* What is said of data that are not those that a run began with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "run/data_identity.h"

static camcl_error err;

/* The text of 60 pictures of three classes, with one part put in place of another. */
static const char *text(const char *part, const char *instead)
{
    static char out[2][1024];
    static int which;
    static const char plain[] = "{\"names\": \"00000000000000a1\", \"sizes\": \"00000000000000b1\", \"labels\": \"00000000000000c1\", "
                                "\"images\": \"pictures\", \"train\": 60, \"unlabeled\": 5, \"validation\": 0, \"held_out\": 0, "
                                "\"test\": 18, \"classes\": [\"bird\", \"cat\", \"dog\"]}";
    const char *at = part ? strstr(plain, part) : plain;
    assert_non_null(at);
    which = !which;
    snprintf(out[which], sizeof out[which], "%.*s%s%s", (int)(at - plain), plain, part ? instead : "", at + (part ? strlen(part) : 0));
    return out[which];
}

static void refused(const char *now, const char *message, const char *detail)
{
    char expected[512];
    snprintf(
        expected, sizeof expected,
        "a/state.safetensors: the data are not those of the run%s (restore the data that the run began with, or choose another output.dir)",
        message);
    assert_int_equal(cc_data_identity_check("a/state.safetensors", text(NULL, NULL), now, &err), CAMCL_BAD_DATA);
    assert_string_equal(err.message, expected);
    assert_string_equal(err.detail, detail);
}

static void test_same(void **state)
{
    (void)state;
    assert_int_equal(cc_data_identity_check("x", text(NULL, NULL), text(NULL, NULL), &err), CAMCL_OK);
}

static void test_counts(void **state)
{
    (void)state;
    refused(text("\"train\": 60", "\"train\": 61"), ": 60 training pictures before, 61 now", "");
    refused(text("\"unlabeled\": 5", "\"unlabeled\": 4"), ": 5 unlabelled pictures before, 4 now", "");
    refused(text("\"validation\": 0", "\"validation\": 7"), ": 0 validation pictures before, 7 now", "");
    refused(text("\"held_out\": 0", "\"held_out\": 9"), ": 0 held-out test pictures before, 9 now", "");
    refused(text("60, \"unlabeled\": 5", "61, \"unlabeled\": 6"), ": 60 training pictures before, 61 now, and more",
            "60 training pictures before, 61 now\n5 unlabelled pictures before, 6 now\n");
    refused(text("\"pictures\", \"train\": 60", "\"images\", \"train\": 61"), ": 60 training images before, 61 now", "");
}

static void test_hashes(void **state)
{
    (void)state;
    refused(text("a1", "a2"), ": files have other names", "");
    refused(text("b1", "b2"), ": files have other sizes", "");
    refused(text("c1", "c2"), ": labels differ", "");
    refused(text("b1\", \"labels\": \"00000000000000c1", "b2\", \"labels\": \"00000000000000c2"), ": files have other sizes, and more",
            "files have other sizes\nlabels differ\n");
    /* Other names change the order, and with it everything else. */
    refused(text("a1\", \"sizes\": \"00000000000000b1", "a2\", \"sizes\": \"00000000000000b2"), ": files have other names", "");
    /* So does another number of pictures. */
    refused(text("c1\", \"images\": \"pictures\", \"train\": 60", "c2\", \"images\": \"pictures\", \"train\": 61"),
            ": 60 training pictures before, 61 now", "");
    refused(text("b1\", \"labels\": \"00000000000000c1\", \"images\": \"pictures",
                 "b2\", \"labels\": \"00000000000000c1\", \"images\": \"images"),
            ": the images differ", "");
}

static void test_classes(void **state)
{
    (void)state;
    refused(text("\"cat\", ", ""), ": class that the run had and the data lack: cat", "");
    refused(text("\"cat\"", "\"cat\", \"ape\", \"yak\""), ": classes that the data have and the run had not: ape, yak", "");
    refused(text("\"dog\"", "\"\\u001b[2J\""), ": class that the run had and the data lack: dog, and more",
            "class that the run had and the data lack: dog\nclass that the data have and the run had not: \\x1b[2J\n");
    refused(text("\"dog\"]", "\"dog\", \"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\", \"i\", \"j\", \"k\", \"l\"]"),
            ": classes that the data have and the run had not: a, b, c, d, e, f, g, h, i, j and 2 more", "");
    /* The same names in another order are other labels. */
    refused(text("\"bird\", \"cat\"", "\"cat\", \"bird\""), "", "");
}

static void test_damaged(void **state)
{
    (void)state;
    static const char *const texts[] = { "", "nonsense", "[]", "{}", "{\"names\": 3}", "{\"classes\": [1, null, {}]}" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(cc_data_identity_check("x", texts[i], text(NULL, NULL), &err), CAMCL_BAD_DATA);
}

/* Of the drawn data set: with the seed, or one image more, everything is told apart. */
static void describe(uint32_t train, uint64_t seed, char **out)
{
    const camcl_dataset_spec spec = { .dataset = "shapes", .shapes_train = train, .shapes_test = 10, .shapes_seed = seed };
    camcl_dataset *dataset;
    assert_int_equal(camcl_dataset_open(&spec, &dataset, &err), CAMCL_OK);
    assert_int_equal(cc_data_identity(dataset, out, &err), CAMCL_OK);
    camcl_dataset_close(&dataset);
}

static void test_of_a_data_set(void **state)
{
    (void)state;
    char *first, *again, *larger, *other;
    describe(20, 0, &first);
    describe(20, 0, &again);
    describe(30, 0, &larger);
    describe(20, 7, &other);
    assert_string_equal(first, again);
    cc_json *json;
    assert_int_equal(cc_json_parse(first, strlen(first), &json, &err), CAMCL_OK);
    size_t count;
    assert_true(cc_json_size(cc_json_get(json, "train"), &count) && count == 20);
    assert_true(cc_json_size(cc_json_get(json, "test"), &count) && count == 10);
    assert_int_equal(cc_json_get(json, "classes")->count, 10);
    cc_json_free(&json);
    assert_int_equal(cc_data_identity_check("x", first, larger, &err), CAMCL_BAD_DATA);
    assert_non_null(strstr(err.message, ": 20 training images before, 30 now ("));
    assert_int_equal(cc_data_identity_check("x", first, other, &err), CAMCL_BAD_DATA);
    assert_non_null(strstr(err.message, "the images differ"));
    free(first);
    free(again);
    free(larger);
    free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),    cmocka_unit_test(test_counts),  cmocka_unit_test(test_hashes),
        cmocka_unit_test(test_classes), cmocka_unit_test(test_damaged), cmocka_unit_test(test_of_a_data_set)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
