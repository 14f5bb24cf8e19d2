/* The table of published data sets, without a network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "camcl/dataset.h"
#include "dataset/published.h"
#include "support/scratch.h"

static void rows_are_well_formed(void **state)
{
    (void)state;
    assert_int_equal(cc_published_count, 4);
    for (size_t i = 0; i < cc_published_count; i++) {
        const cc_published *set = &cc_published_sets[i];
        assert_non_null(set->addresses[0]);
        for (size_t k = 0; set->addresses[k]; k++) {
            assert_memory_equal(set->addresses[k], "http", 4);
            assert_int_not_equal(set->addresses[k][strlen(set->addresses[k]) - 1], '/');
        }
        assert_memory_equal(set->addresses[0], "https://", 8);
        assert_non_null(set->files[0].name);
        for (const cc_published_file *file = set->files; file->name; file++) {
            assert_true(file->size > 4000);
            assert_int_equal(strspn(file->sha256, "0123456789abcdef"), 64);
            assert_int_equal(strlen(file->sha256), 64);
        }
    }
}

/* What lies there under the name is junk, which the reader of the data set only sees if it looks there. */
static void readers_find_the_files(void **state)
{
    for (size_t i = 0; i < cc_published_count; i++) {
        const cc_published *set = &cc_published_sets[i];
        char root[512], folder[1024], path[2048];
        snprintf(root, sizeof root, "%s/%s", (char *)*state, set->dataset);
        snprintf(folder, sizeof folder, "%s/%s", root, set->folder);
        assert_int_equal(mkdir(root, 0777), 0);
        if (*set->folder) assert_int_equal(mkdir(folder, 0777), 0);
        for (const cc_published_file *file = set->files; file->name; file++) {
            snprintf(path, sizeof path, "%s/%s", folder, file->name);
            scratch_write(path, "\x1f\x8b junk", 7);
        }
        const camcl_dataset_spec spec = { .dataset = set->dataset, .root = root };
        camcl_dataset *dataset = NULL;
        camcl_error err = { .message = "" };
        assert_int_not_equal(camcl_dataset_open(&spec, &dataset, &err), CAMCL_OK);
        if (strstr(err.message, "holds no") || strstr(err.message, "lacks") || !strstr(err.message, set->files[0].name))
            fail_msg("%s was not found: %s", set->files[0].name, err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(rows_are_well_formed), cmocka_unit_test(readers_find_the_files) };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
