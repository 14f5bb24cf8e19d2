/* What a new user meets first: which build it is, a configuration to begin with, training without one, several seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "camcl/version.h"
#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"

static void version_names_the_libraries(void **state)
{
    char *text = program_prints(*state, "version"), *same = program_prints(*state, "--version"), line[128];
    size_t count;
    const camcl_library *libraries = camcl_libraries(&count);
    snprintf(line, sizeof line, "camcl %s", camcl_version());
    assert_memory_equal(text, line, strlen(line));
    const char *end = strchr(text, '\n'), *without = strstr(text, "without ");
    if (without == NULL || without > end) without = end;
    for (size_t i = 0; i < count; i++) {
        const char *at = strstr(text, libraries[i].name);
        assert_true(at && at < end);
        assert_int_equal(at < without, libraries[i].present);
        snprintf(line, sizeof line, "\n  %-10s  %-3s  ", libraries[i].name, libraries[i].present ? "yes" : "no");
        assert_non_null(strstr(end, line));
    }
    assert_string_equal(text, same);
    free(text);
    free(same);
    program_fails(*state, 2, "unexpected argument now", "version now");
}

/* ---- training */

/* small.ini as overrides, with few steps. */
#define SMALL                                                                                                                              \
    "data.dataset=shapes data.labeled=40 data.unlabeled=60 data.validation=50 data.image_size=16 model.width=4 train.epochs=1 "            \
    "train.epoch_steps=2 train.batch_labeled=8 train.batch_unlabeled=8"

static void here(char *folder, size_t size) { assert_non_null(getcwd(folder, size)); }

static void training_needs_no_configuration(void **state)
{
    char before[4096];
    here(before, sizeof before);
    assert_int_equal(chdir(*state), 0);
    char *out = program_prints(*state, "train " SMALL " 'device.cache_dir=%s/cache'", (char *)*state);
    assert_non_null(strstr(out, "run: runs/camcl "));
    assert_int_equal(access("runs/camcl/best.safetensors", F_OK), 0);
    assert_int_equal(chdir(before), 0);
    free(out);
}

/* A run that was moved goes on where it lies, not where it was. */
static void a_run_folder_goes_on(void **state)
{
    const char *old = scratch_path(*state, "old"), *moved = scratch_path(*state, "moved");
    free(program_prints(*state, "train '%s/small.ini' 'output.dir=%s' train.epochs=1", (char *)*state, old));
    program_fails(*state, 1, "exists|--resume", "train '%s'", old);
    assert_int_equal(rename(old, moved), 0);
    char *out = program_prints(*state, "train '%s/' --resume train.epochs=2", moved);
    assert_non_null(strstr(out, "resuming after step 4 of 8"));
    assert_int_not_equal(access(old, F_OK), 0);
    metrics_table *metrics = metrics_load(moved);
    assert_int_equal(metrics_number(metrics, metrics->rows - 1, "epoch"), 2);
    free(metrics);
    free(out);
    assert_int_equal(mkdir(scratch_path(*state, "bare"), 0777), 0);
    program_fails(*state, 2, "a folder without a config.ini", "train '%s/bare'", (char *)*state);
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_names_the_libraries),
        cmocka_unit_test(training_needs_no_configuration),
        cmocka_unit_test(a_run_folder_goes_on),
    };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
