/* Classes of a model and a data set, matched by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "infer/classes.h"

static camcl_error err;

static camcl_status match(const char *const *data, size_t data_count, const char *const *model, size_t model_count, int32_t *map)
{
    const cc_classes theirs = { data, data_count }, ours = { model, model_count };
    memset(&err, 0, sizeof err);
    return cc_classes_match(&theirs, &ours, "pets", map, &err);
}

static void order_does_not_matter(void **state)
{
    (void)state;
    static const char *const model[] = { "bird", "cat", "dog", "zebra" }, *const data[] = { "zebra", "cat", "bird", "dog" };
    static const int32_t crossed[] = { 3, 1, 0, 2 }, straight[] = { 0, 1, 2, 3 };
    int32_t map[4];
    assert_int_equal(match(data, 4, model, 4, map), CAMCL_OK);
    assert_memory_equal(map, crossed, sizeof map);
    assert_int_equal(match(model, 4, model, 4, map), CAMCL_OK);
    assert_memory_equal(map, straight, sizeof map);
}

static void refused(const char *const *data, size_t data_count, const char *const *model, size_t model_count, const char *why)
{
    int32_t map[16];
    assert_int_equal(match(data, data_count, model, model_count, map), CAMCL_BAD_DATA);
    if (strstr(err.message, why) == NULL || strncmp(err.message, "pets: ", 6) != 0) fail_msg("\"%s\" does not say %s", err.message, why);
}

static void other_classes_are_refused_with_both_lists(void **state)
{
    (void)state;
    static const char *const model[] = { "bird", "cat", "dog" }, *const data[] = { "cat", "dog", "zebra" },
                             *const twice[] = { "cat", "cat", "dog" }, *const capital[] = { "Bird", "cat", "dog" };
    refused(data, 3, model, 3, "'zebra'");
    assert_string_equal(err.detail, "data set: cat, dog, zebra\nmodel: bird, cat, dog\n");
    refused(twice, 3, model, 3, "'cat'");
    refused(capital, 3, model, 3, "'Bird'");
    refused(data, 2, model, 3, "it has 2 classes, the model 3");
    assert_string_equal(err.detail, "data set: cat, dog\nmodel: bird, cat, dog\n");
}

static void long_lists_stop_after_ten(void **state)
{
    (void)state;
    static const char *const names[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11" };
    refused(names, 12, names, 10, "12 classes");
    assert_string_equal(err.detail, "data set: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more\nmodel: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9\n");
}

/* Neither may names steer a terminal, nor may a long one push the second list out of the detail. */
static void names_are_tamed(void **state)
{
    (void)state;
    char endless[20000];
    memset(endless, 'x', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    const char *const data[] = { "\x1b[2J", endless }, *const model[] = { "a", "b" };
    refused(data, 2, model, 2, "'\\x1b[2J'");
    assert_null(strchr(err.detail, '\x1b'));
    assert_non_null(strstr(err.detail, "data set: \\x1b[2J, xxx"));
    assert_non_null(strstr(err.detail, "xxx...\nmodel: a, b\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(other_classes_are_refused_with_both_lists),
        cmocka_unit_test(long_lists_stop_after_ten),
        cmocka_unit_test(names_are_tamed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
