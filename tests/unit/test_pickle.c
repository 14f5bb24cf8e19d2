/* The reader of pickles: on files that Python 2 and 3, numpy 1 and 2 write, and on everything that a hostile or damaged file may say. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"
#include "dataset/pickle.h"
#include "support/scratch.h"

#define FIXTURES "tests/fixtures/pickle/"

static const char *const files[] = { "python2",          "numpy2-protocol2", "numpy2-protocol3", "numpy2-protocol4",
                                     "numpy2-protocol5", "numpy1-protocol2", "numpy1-protocol4", "numpy1-protocol5",
                                     "bytes-keys",       "labels-array",     "labels-big-endian" };

static char *read_fixture(const char *name, size_t *size)
{
    char file[64];
    snprintf(file, sizeof file, "%s.pickle", name);
    char *data = scratch_read(scratch_path(FIXTURES, file), size);
    assert_non_null(data);
    return data;
}

static uint8_t expected_byte(size_t image, size_t k) { return (uint8_t)(image * 101 + k * 7 + k / 1024 * 13); }

static void check_content(const char *name, const char *labels_key, size_t dimensions)
{
    size_t size = 0, count = 0, length = 0;
    char *data = read_fixture(name, &size);
    cc_pickle *pickle = NULL;
    camcl_error err = { 0 };
    const char *text = NULL;
    if (cc_pickle_read(name, data, size, &pickle, &err) != CAMCL_OK) fail_msg("%s", err.message);
    const cc_pickle_value *root = cc_pickle_root(pickle), *labels = cc_pickle_find(pickle, root, labels_key);
    const cc_pickle_array *array = cc_pickle_get_array(cc_pickle_find(pickle, root, "data"));
    assert_non_null(array);
    assert_int_equal(array->dimensions, dimensions);
    assert_int_equal(array->shape[0], 2);
    assert_int_equal(array->item_size, 1);
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < 3072; k++)
            assert_int_equal(array->bytes[array->fortran ? k * 2 + i : i * 3072 + k], expected_byte(i, k));
    assert_true(cc_pickle_get_length(labels, &count));
    assert_int_equal(count, 2);
    for (size_t i = 0; i < 2; i++) {
        int64_t label = -1;
        assert_true(cc_pickle_integer_at(pickle, labels, i, &label));
        assert_int_equal(label, i ? 9 : 3);
    }
    assert_true(cc_pickle_text_at(pickle, cc_pickle_find(pickle, root, "filenames"), 1, &text, &length));
    assert_int_equal(length, strlen("second_s_000002.png"));
    assert_memory_equal(text, "second_s_000002.png", length);
    assert_null(cc_pickle_find(pickle, root, "no such key"));
    assert_null(cc_pickle_find(pickle, labels, "data"));
    cc_pickle_free(&pickle);
    assert_null(pickle);
    free(data);
}

static void every_writer_is_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < CC_COUNT(files); i++)
        check_content(files[i], "labels", 2);
    check_content("fine", "fine_labels", 2);
    check_content("planes", "labels", 4);
    check_content("fortran4", "labels", 2);
    check_content("fortran5", "labels", 2);
}

/* Reads a copy that is exactly as large as the data, so that a checking tool sees a byte read beyond. */
static camcl_status read_copy(const void *data, size_t size, camcl_error *err)
{
    cc_pickle *pickle = NULL;
    char *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, data, size);
    camcl_status status = cc_pickle_read("FILE", copy, size, &pickle, err);
    assert_true((status == CAMCL_OK) == (pickle != NULL));
    cc_pickle_free(&pickle);
    free(copy);
    return status;
}

static void truncation_at_every_length_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < CC_COUNT(files); i++) {
        size_t size = 0;
        char *data = read_fixture(files[i], &size);
        for (size_t n = 0; n < size; n++) {
            camcl_error err = { 0 };
            assert_int_equal(read_copy(data, n, &err), CAMCL_BAD_DATA);
            assert_non_null(strstr(err.message, "FILE: "));
        }
        assert_int_equal(read_copy(data, size, NULL), CAMCL_OK);
        free(data);
    }
}

#define ASSERT_REFUSED(bytes, part) assert_refused(bytes, sizeof(bytes) - 1, part)
static void assert_refused(const char *bytes, size_t size, const char *part)
{
    camcl_error err = { 0 };
    assert_int_equal(read_copy(bytes, size, &err), CAMCL_BAD_DATA);
    if (!strstr(err.message, part)) fail_msg("no '%s' in: %s", part, err.message);
}

static void code_is_named_and_refused(void **state)
{
    (void)state;
    ASSERT_REFUSED("\x80\2cos\nsystem\nU\4true\x85R.", "calls 'os.system', which is refused");
    ASSERT_REFUSED("\x80\4\x8c\x08"
                   "builtins\x8c\4eval\x93\x8c\1"
                   "1\x85R.",
                   "calls 'builtins.eval'");
    ASSERT_REFUSED("\x80\4\x8c\5numpy\x8c\4load\x93.", "calls 'numpy.load'");
    ASSERT_REFUSED("\x80\2c\x1b[2J\nx\n.", "calls '\\x1b[2J.x'");
    ASSERT_REFUSED("\x80\4\x8c\2a\0\x8c\1b\x93.", "calls 'a?.b'");
    ASSERT_REFUSED("\x80\2cnumpy\nndarray\n)R.", "a call of ndarray");
    ASSERT_REFUSED("\x80\2cnumpy\nndarray\n)\x81.", "opcode 0x81"); /* makes an instance */
    ASSERT_REFUSED("\x80\2U\1aQ.", "opcode 0x51");                  /* a persistent object, which a program resolves */
    ASSERT_REFUSED("\x80\2\x82\1.", "opcode 0x82");                 /* a registered function */
    ASSERT_REFUSED("\x80\2(ios\nsystem\n.", "opcode 0x69");         /* an instance of a named class */
    ASSERT_REFUSED("\x80\5\x97.", "opcode 0x97");                   /* a buffer beside the pickle */
}

static void other_files_are_named(void **state)
{
    (void)state;
    ASSERT_REFUSED("", "no pickle of protocol 2 to 5");
    ASSERT_REFUSED("x\n", "no pickle of protocol 2 to 5: 2 bytes");
    ASSERT_REFUSED("(dp0\nS'data'\np1\n.", "no pickle of protocol 2 to 5"); /* protocol 0 */
    ASSERT_REFUSED("\x80\6N.", "no pickle of protocol 2 to 5");
    ASSERT_REFUSED("\x80\2N.N.", "bytes after the end");
    ASSERT_REFUSED("\x80\2NN.", "values left over");
    ASSERT_REFUSED("\x80\2.", "an opcode without its operand");
    ASSERT_REFUSED("\x80\2(.", "an opcode without its operand");
}

static void malformed_pickles_are_refused(void **state)
{
    (void)state;
    ASSERT_REFUSED("\x80\2NNu.", "an opcode without its operands");
    ASSERT_REFUSED("\x80\2N\x86.", "an opcode without its operands");
    ASSERT_REFUSED("\x80\2(N\x86.", "an opcode without its operands"); /* a mark is no value */
    ASSERT_REFUSED("\x80\2NNa.", "elements for something that takes none");
    ASSERT_REFUSED("\x80\2}(Nu.", "elements for something that takes none"); /* a key without a value */
    ASSERT_REFUSED("\x80\2h\0.", "a remembered value that there is not");
    ASSERT_REFUSED("\x80\2Nr\xff\xff\xff\xff.", "too large a number");
    ASSERT_REFUSED("\x80\2Nr\x10\0\0\0h\x0f.", "a remembered value that there is not");
    ASSERT_REFUSED("\x80\4\x95\xff\xff\xff\xff\xff\xff\xff\xffN.", "a frame beyond");
    ASSERT_REFUSED("\x80\4\x8e\xff\xff\xff\xff\xff\xff\xff\xff.", "ends too early");
    ASSERT_REFUSED("\x80\2T\xff\xff\xff\xff.", "ends too early");
    ASSERT_REFUSED("\x80\2\x8a\x09"
                   "123456789.",
                   "more than 64 bits");
    ASSERT_REFUSED("\x80\2cnumpy\n", "a line without its end");
    ASSERT_REFUSED("\x80\4NN\x93.", "a name that is no text");
    ASSERT_REFUSED("\x80\2NNR.", "something that is no function");
    ASSERT_REFUSED("\x80\2]Nb.", "a state for something that has none");
}

#define RECONSTRUCT "cnumpy.core.multiarray\n_reconstruct\n)R"
#define U1 "cnumpy\ndtype\nU\2u1\x85R"

static void arrays_must_fit_their_bytes(void **state)
{
    (void)state;
    static const char good[] = "\x80\2" RECONSTRUCT "(K\1K\3\x85" U1 "\x89U\3abctb.";
    assert_int_equal(read_copy(good, sizeof good - 1, NULL), CAMCL_OK);
    ASSERT_REFUSED("\x80\2" RECONSTRUCT "(K\1K\4\x85" U1 "\x89U\3abctb.", "3 bytes where its shape asks for 4");
    ASSERT_REFUSED("\x80\2" RECONSTRUCT "(K\1J\xff\xff\xff\xff\x85" U1 "\x89U\3abctb.", "no list of sizes"); /* -1 */
    ASSERT_REFUSED("\x80\2" RECONSTRUCT "(K\1\x8a\x08\0\0\0\0\0\0\0\x7f\x8a\x08\0\0\0\0\0\0\0\x7f\x86" U1 "\x89U\3abctb.",
                   "larger than the memory");
    ASSERT_REFUSED("\x80\2" RECONSTRUCT "(K\1(K\1K\1K\1K\1K\1t" U1 "\x89U\1atb.", "more than four dimensions");
    ASSERT_REFUSED("\x80\2" RECONSTRUCT "(K\1K\3\x85" U1 "\x89]tb.", "without content");
    ASSERT_REFUSED("\x80\2" RECONSTRUCT "(K\1K\3\x85N\x89U\3abctb.", "without a type");
    ASSERT_REFUSED("\x80\2" RECONSTRUCT "(K\1K\3\x85tb.", "without an order");
    ASSERT_REFUSED("\x80\2" RECONSTRUCT "Nb.", "without an order");
    ASSERT_REFUSED("\x80\2cnumpy\ndtype\nU\2f4\x85R.", "an array of type 'f4'");
    ASSERT_REFUSED("\x80\2cnumpy\ndtype\nU\2O8\x85R.", "an array of type 'O8'"); /* of Python objects */
    ASSERT_REFUSED("\x80\2" U1 "(K\3U\1?tb.", "without a byte order");
    /* A NUL byte is none of the letters that may be there. */
    ASSERT_REFUSED("\x80\2cnumpy\ndtype\nU\2u\0\x85R.", "an array of type 'u'");
    ASSERT_REFUSED("\x80\2" U1 "(K\3U\1\0tb.", "without a byte order");
    ASSERT_REFUSED("\x80\2cnumpy.core.numeric\n_frombuffer\n(U\3abc" U1 "K\3\x85U\1\0tR.", "without an order");
}

static void append_many(cc_text *text, const char *bytes, size_t size, size_t times)
{
    for (size_t i = 0; i < times; i++)
        cc_text_add_bytes(text, bytes, size);
}

/* What would exhaust stack, memory or time of a careless reader. */
static void resources_are_bounded(void **state)
{
    cc_text text = CC_TEXT_INIT;
    (void)state;
    cc_text_add_bytes(&text, "\x80\2", 2); /* 500,000 lists in each other are plain data, however deep */
    append_many(&text, "]", 1, 500000);
    append_many(&text, "a", 1, 499999);
    cc_text_add_bytes(&text, ".", 1);
    assert_false(text.failed);
    assert_int_equal(read_copy(text.data, text.length, NULL), CAMCL_OK);
    cc_text_free(&text);
    cc_text_add_bytes(&text, "\x80\2", 2); /* no end of opcodes */
    append_many(&text, "N", 1, 3000000);
    assert_refused(text.data, text.length, "more opcodes than a data set has");
    cc_text_free(&text);
    static const char start[] = "\x80\2(c_codecs\nencode\nq\0X\xf4\1\0\0"; /* one text of 500 bytes, copied again and again */
    cc_text_add_bytes(&text, start, sizeof start - 1);
    append_many(&text, "x", 1, 500);
    cc_text_add_bytes(&text, "q\1U\6latin1q\2", 12);
    append_many(&text, "h\0h\1h\2\x86R", 8, 100);
    assert_refused(text.data, text.length, "encoded again and again");
    cc_text_free(&text);
    static const char cycle[] = "\x80\2]q\0h\0a."; /* a list in itself */
    assert_int_equal(read_copy(cycle, sizeof cycle - 1, NULL), CAMCL_OK);
    ASSERT_REFUSED("\x80\2c_codecs\nencode\nX\3\0\0\0\xe2\x82\xacU\6latin1\x86R.", "not in latin1");
    ASSERT_REFUSED("\x80\2c_codecs\nencode\nX\1\0\0\0\xc3U\6latin1\x86R.", "not in latin1");
    ASSERT_REFUSED("\x80\2c_codecs\nencode\nX\1\0\0\0aU\5utf-8\x86R.", "no latin1 text");
}

/* A few bytes at random places become others. Whatever comes of it, nothing is read outside of the file. */
static void random_changes_do_no_harm(void **state)
{
    const uint64_t seed = 20261127;
    cc_rng rng = cc_rng_at(seed, CC_RNG_BENCH, 0);
    size_t refused = 0;
    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (size_t i = 0; i < CC_COUNT(files); i++) {
        size_t size = 0;
        char *data = read_fixture(files[i], &size), *changed = malloc(size);
        assert_non_null(changed);
        for (int round = 0; round < 400; round++) {
            memcpy(changed, data, size);
            for (uint32_t k = 1 + cc_rng_below(&rng, 4); k > 0; k--) {
                /* Pixels are most of the file, and their values mean nothing: half of the changes are among the first 300 bytes. */
                uint32_t span = round % 2 ? 300 : (uint32_t)size;
                changed[cc_rng_below(&rng, span)] = (char)cc_rng_below(&rng, 256);
            }
            camcl_status status = read_copy(changed, size, NULL);
            assert_true(status == CAMCL_OK || status == CAMCL_BAD_DATA);
            refused += status != CAMCL_OK;
        }
        free(changed);
        free(data);
    }
    assert_true(refused > 400 * CC_COUNT(files) / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_writer_is_understood),    cmocka_unit_test(truncation_at_every_length_is_refused),
        cmocka_unit_test(code_is_named_and_refused),     cmocka_unit_test(other_files_are_named),
        cmocka_unit_test(malformed_pickles_are_refused), cmocka_unit_test(arrays_must_fit_their_bytes),
        cmocka_unit_test(resources_are_bounded),         cmocka_unit_test(random_changes_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
