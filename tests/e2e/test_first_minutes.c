/* What a new user meets first: which build it is, a configuration to begin with, training without one, several seeds. */
#include <math.h>
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

/* ---- a configuration to begin with */

static void here(char *folder, size_t size) { assert_non_null(getcwd(folder, size)); }

/* What is written is what comes along, is a good configuration, and leaves alone what is there. Tests run in the source folder. */
static void init_writes_what_comes_along(void **state)
{
    static const char *const tasks[][2] = {
        { "cifar10", "cifar10-gradcam" }, { "own-pictures", "own-pictures" }, { "paper", "cifar10-paper" }, { "quickstart", "quickstart" }
    };
    char before[4096], *texts[4], next[4096];
    size_t sizes[4], size;
    here(before, sizeof before);
    for (size_t i = 0; i < 4; i++) {
        char shipped[64];
        snprintf(shipped, sizeof shipped, "configs/%s.ini", tasks[i][1]);
        texts[i] = scratch_read(shipped, &sizes[i]);
        assert_non_null(texts[i]);
    }
    assert_int_equal(chdir(*state), 0);
    for (size_t i = 0; i < 4; i++) {
        char file[32];
        snprintf(file, sizeof file, "%s.ini", tasks[i][0]);
        char *out = program_prints(*state, "init %s", tasks[i][0]), *written = scratch_read(file, &size);
        assert_non_null(written);
        assert_int_equal(size, sizes[i]);
        assert_memory_equal(written, texts[i], size);
        snprintf(next, sizeof next, "\nnext:  %s train %s\n", getenv("CAMCL_PROGRAM"), file);
        assert_non_null(strstr(out, next));
        free(program_prints(*state, "config %s", file));
        free(written);
        free(out);
        free(texts[i]);
    }
    assert_int_equal(chdir(before), 0);
}

static void init_overwrites_nothing(void **state)
{
    const char *mine = scratch_path(*state, "mine.ini");
    size_t size;
    scratch_write(mine, "mine", 4);
    program_fails(*state, 1, "exists, and is not overwritten|-o", "init quickstart -o '%s'", mine);
    char *text = scratch_read(mine, &size);
    assert_int_equal(size, 4);
    assert_memory_equal(text, "mine", 4);
    free(text);
    program_fails(*state, 1, "No such file or directory", "init quickstart -o '%s/none/x.ini'", (char *)*state);
    program_fails(*state, 2, "unknown task|did you mean cifar10?|cifar10 | own-pictures", "init cifar");
    program_fails(*state, 2, "TASK is missing", "init -o x.ini");
    char *tasks = program_prints(*state, "init");
    assert_non_null(strstr(tasks, "  own-pictures  "));
    free(tasks);
}

/* ---- training */

/* small.ini as overrides, with few steps. */
#define SMALL                                                                                                                              \
    "data.dataset=shapes data.labeled=40 data.unlabeled=60 data.validation=50 data.image_size=16 model.width=4 train.epochs=1 "            \
    "train.epoch_steps=2 train.batch_labeled=8 train.batch_unlabeled=8"

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

/* ---- seeds */

static double test_accuracy(const char *run)
{
    cc_json *result = json_load(run, "result.json");
    const double accuracy = json_number_at(cc_json_get(result, "test"), "top1");
    cc_json_free(&result);
    return accuracy;
}

/* The last line, computed from the runs' own files. */
static void assert_spread(const char *out, const char *runs)
{
    double a[2], mean, sd;
    char line[128], name[512];
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%s-seed%d", runs, i + 4);
        a[i] = test_accuracy(name);
    }
    mean = (a[0] + a[1]) / 2;
    sd = fabs(a[0] - a[1]) / sqrt(2);
    snprintf(line, sizeof line, "\ntest top-1: %.2f ± %.2f %% over 2 seeds (%.2f, %.2f)\n", mean, sd, a[0], a[1]);
    if (strlen(out) < strlen(line) || strcmp(out + strlen(out) - strlen(line), line) != 0) fail_msg("not at the end: %s%s", line, out);
}

static void seeds_are_runs_of_their_own(void **state)
{
    const char *folder = *state, *runs = scratch_path(folder, "many"), *first = scratch_path(folder, "many-seed4"),
               *second = scratch_path(folder, "many-seed5"), *single = scratch_path(folder, "single");
    char *out = program_prints(folder, "train '%s/small.ini' 'output.dir=%s/' train.epochs=1 --seeds 4,5", folder, runs);
    assert_spread(out, runs);
    free(out);
    /* Each is what the seed gives by itself. */
    free(program_prints(folder, "train '%s/small.ini' 'output.dir=%s' train.epochs=1 train.seed=5", folder, single));
    assert_same_run(second, single);
    /* What is there is not begun again, and what is finished not trained again. */
    program_fails(folder, 1, "many-seed5|exists|--resume", "train '%s/small.ini' 'output.dir=%s' train.epochs=1 --seeds 6,5", folder, runs);
    assert_int_not_equal(access(scratch_path(folder, "many-seed6"), F_OK), 0);
    const uint64_t before = folder_fingerprint(second);
    assert_int_equal(remove(scratch_path(first, "result.json")), 0);
    out = program_prints(folder, "train '%s/small.ini' 'output.dir=%s' train.epochs=1 --seeds 4,5 --resume", folder, runs);
    assert_spread(out, runs);
    assert_non_null(strstr(out, "this run is finished already"));
    assert_true(folder_fingerprint(second) == before);
    free(out);
}

static void bad_seeds_are_refused(void **state)
{
    static const char *const wrong[][2] = { { "1,,2", "not a list of seeds" },     { "1,2,", "not a list of seeds" },
                                            { "1;2", "not a list of seeds" },      { "-1", "not a list of seeds" },
                                            { "3,1,03", "a seed is given twice" }, { "99999999999999999999", "train.seed" } };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        program_fails(*state, 2, wrong[i][1], "train '%s/small.ini' '--seeds=%s'", (char *)*state, wrong[i][0]);
    program_fails(*state, 2, "--seeds sets it", "train '%s/small.ini' train.seed=3 --seeds 1,2", (char *)*state);
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_names_the_libraries), cmocka_unit_test(init_writes_what_comes_along),
        cmocka_unit_test(init_overwrites_nothing),     cmocka_unit_test(training_needs_no_configuration),
        cmocka_unit_test(a_run_folder_goes_on),        cmocka_unit_test(seeds_are_runs_of_their_own),
        cmocka_unit_test(bad_seeds_are_refused),
    };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
