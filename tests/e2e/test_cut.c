/* Runs that are killed, or find the disk full, before any one file of a save or of the end appears: what is resumed then has all files of a
 * run that was left alone. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/devices.h"
#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"

/* Without validation images the last weights are the best, so that a best.safetensors of an earlier save is a wrong one. */
#define KEYS "data.validation=0 train.epoch_steps=2 optim.schedule=constant"

typedef struct moments {
    size_t count;
    char name[1024][32]; /* the file that is about to appear, or to go */
} moments;

/* ---- one command, cut short */

/* at = 0: not cut, but listed. The exit status, or 128 + the signal. */
static int train_cut(const char *folder, const char *run, const char *keys, size_t at, const char *how)
{
    char program[4096], number[32];
    snprintf(program, sizeof program, "%s", getenv("CAMCL_PROGRAM"));
    snprintf(number, sizeof number, "%zu", at);
    setenv("CAMCL_PROGRAM", getenv("CAMCL_CUT_PROGRAM"), 1);
    setenv("CUT_FOLDER", run, 1);
    setenv("CUT_AT", number, 1);
    setenv("CUT_HOW", how, 1);
    setenv("CUT_LIST", at == 0 ? scratch_path(folder, "moments") : "", 1);
    pid_t process = program_start(folder, "cut", "train '%s/small.ini' 'output.dir=%s' %s --resume --quiet", folder, run, keys);
    setenv("CAMCL_PROGRAM", program, 1);
    return program_wait(process);
}

static void train(const char *folder, const char *run, const char *keys)
{
    free(program_prints(folder, "train '%s/small.ini' 'output.dir=%s' %s --resume --quiet", folder, run, keys));
}

static moments *list_moments(const char *folder, const char *run, const char *keys)
{
    size_t size;
    moments *m = calloc(1, sizeof *m);
    assert_non_null(m);
    unlink(scratch_path(folder, "moments"));
    assert_int_equal(train_cut(folder, run, keys, 0, "kill"), 0);
    char *text = scratch_read(scratch_path(folder, "moments"), &size);
    assert_non_null(text);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        const char *name = line + strlen(run) + 1;
        assert_true(m->count < sizeof m->name / sizeof m->name[0] && strlen(name) < sizeof m->name[0]);
        strcpy(m->name[m->count++], name);
    }
    free(text);
    return m;
}

/* One picture is like another: the first two and the last are enough. */
static bool is_picture_between(const moments *m, size_t i)
{
    return strncmp(m->name[i], "cams/", 5) == 0 && i >= 2 && strncmp(m->name[i - 2], "cams/", 5) == 0 && i + 1 < m->count &&
           strncmp(m->name[i + 1], "cams/", 5) == 0;
}

/* ---- comparing */

/* result.json without its time. */
static char *read_result(const char *run)
{
    size_t size;
    char *text = scratch_read(scratch_path(run, "result.json"), &size);
    if (text == NULL) fail_msg("%s has no result.json", run);
    char *seconds = strstr(text, "\"seconds\"");
    assert_non_null(seconds);
    const char *rest = strchr(seconds, '\n');
    memmove(seconds, rest, strlen(rest) + 1);
    return text;
}

/* Every file, but for times. report.html shows times, so it is compared with what `camcl report` makes of the directory. */
static void assert_whole(const char *folder, const char *whole, const char *run)
{
    assert_same_run(whole, run);
    assert_int_equal(scratch_entries(whole), scratch_entries(run)); /* no temporary file, no lock */
    char *a = read_result(whole), *b = read_result(run);
    assert_string_equal(a, b);
    free(a);
    free(b);
    assert_int_equal(access(scratch_path(run, "report.html"), F_OK), 0);
    size_t size_a, size_b;
    a = scratch_read(scratch_path(run, "report.html"), &size_a);
    free(program_prints(folder, "report '%s'", run));
    b = scratch_read(scratch_path(run, "report.html"), &size_b);
    assert_true(size_a == size_b && memcmp(a, b, size_a) == 0);
    free(a);
    free(b);
}

/* Cuts the command at moment i, goes on, and compares. `before` prepares the run's folder. */
static void check_moment(const char *folder, const moments *m, size_t i, const char *how, const char *keys, const char *whole,
                         void (*before)(const char *folder, const char *run))
{
    char run[640];
    snprintf(run, sizeof run, "%s-%s-%zu", whole, how, i);
    before(folder, run);
    const int status = train_cut(folder, run, keys, i + 1, how);
    printf("%s before %s (%zu of %zu)\n", how, m->name[i], i + 1, m->count);
    fflush(stdout);
    assert_int_equal(status, strcmp(how, "kill") == 0 ? 128 + SIGKILL : 1);
    train(folder, run, keys);
    assert_whole(folder, whole, run);
    char command[700];
    snprintf(command, sizeof command, "rm -r '%s'", run);
    assert_int_equal(system(command), 0);
}

/* ---- the tests */

/* Of neighbouring moments each second one, which of both by CAMCL_TEST_SEED, unless all are wanted: each takes a second or two, and
 * tests/faults/run.sh kills at every call. */
static bool is_taken(size_t moment) { return getenv("CAMCL_TEST_ALL") != NULL || moment % 2 == test_seed() % 2; }

static void nothing(const char *folder, const char *run) { (void)folder, (void)run; }

static void test_killed_before_each_file(void **state)
{
    const char *folder = *state, *keys = KEYS " train.epochs=2";
    char whole[512];
    snprintf(whole, sizeof whole, "%s/whole", folder);
    moments *m = list_moments(folder, whole, keys);
    for (size_t i = 0; i < m->count; i++)
        if (!is_picture_between(m, i) && is_taken(i)) check_moment(folder, m, i, "kill", keys, whole, nothing);
    free(m);
}

static void test_full_before_each_file(void **state)
{
    const char *folder = *state, *keys = KEYS " train.epochs=2";
    char whole[512];
    snprintf(whole, sizeof whole, "%s/whole-full", folder);
    moments *m = list_moments(folder, whole, keys);
    /* From the last save to the end; a full disk stops earlier saves in the same way. */
    size_t first = m->count;
    while (first > 0 && strcmp(m->name[first - 1], "last.safetensors") != 0)
        first--;
    assert_true(first > 0);
    for (size_t i = first - 1; i < m->count; i++)
        if (strncmp(m->name[i], "cams/", 5) != 0 && is_taken(i)) check_moment(folder, m, i, "full", keys, whole, nothing);
    free(m);
}

/* A finished run of one epoch, trained once and copied. */
static void one_epoch(const char *folder, const char *run)
{
    char command[2048], finished[512];
    snprintf(finished, sizeof finished, "%s/one-epoch", folder);
    if (access(finished, F_OK) != 0) train(folder, finished, KEYS " train.epochs=1");
    snprintf(command, sizeof command, "cp -r '%s' '%s'", finished, run);
    assert_int_equal(system(command), 0);
}

/* A finished run that goes on: its old results must not pass for the new ones. */
static void test_killed_with_more_epochs(void **state)
{
    const char *folder = *state, *keys = KEYS " train.epochs=2";
    char whole[512];
    snprintf(whole, sizeof whole, "%s/longer", folder);
    one_epoch(folder, whole);
    moments *m = list_moments(folder, whole, keys);
    assert_string_equal(m->name[0], "result.json"); /* it goes before anything else is changed */
    for (size_t i = 0; i < m->count; i++)
        if (is_taken(i) && (strncmp(m->name[i], "cams/", 5) != 0 ||
                            strcmp(m->name[i], "cams/index.json") == 0)) /* pictures of old mistakes are gone by then */
            check_moment(folder, m, i, "kill", keys, whole, one_epoch);
    free(m);
}

/* What a finished run has lost comes back, and what is of another step is replaced. */
static void test_missing_files_come_back(void **state)
{
    static const char *const files[] = { "best.safetensors", "last.safetensors", "report.html",         "result.json",
                                         "confusion.csv",    "config.ini",       "cams/00003_mask.png", "splits.json" };
    const char *folder = *state, *keys = KEYS " train.epochs=2";
    char whole[512], run[512];
    size_t size;
    snprintf(whole, sizeof whole, "%s/complete", folder);
    snprintf(run, sizeof run, "%s/incomplete", folder);
    train(folder, whole, keys);
    one_epoch(folder, run);
    char *stale = scratch_read(scratch_path(run, "best.safetensors"), &size);
    train(folder, run, keys);
    assert_whole(folder, whole, run);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        assert_int_equal(unlink(scratch_path(run, files[i])), 0);
        train(folder, run, keys);
        assert_whole(folder, whole, run);
    }
    assert_non_null(stale);
    scratch_write(scratch_path(run, "best.safetensors"), stale, size);
    assert_false(same_file(whole, run, "best.safetensors"));
    train(folder, run, keys);
    assert_whole(folder, whole, run);
    free(stale);
    /* And then there is nothing more to do. */
    const uint64_t fingerprint = folder_fingerprint(run);
    train(folder, run, keys);
    assert_true(folder_fingerprint(run) == fingerprint);
}

/* One epoch that takes long, as it seems to a program whose clock is 90,000 times as fast: half an hour is 20 ms. What was saved on the way
 * is the state, so that a run that was killed behind it goes on from there, and saving changes no bit of the training. */
static void test_saves_within_an_epoch(void **state)
{
    const char *folder = *state, *keys = "train.epochs=1 train.epoch_steps=400";
    char whole[512], run[512];
    snprintf(whole, sizeof whole, "%s/one-long", folder);
    snprintf(run, sizeof run, "%s/one-long-killed", folder);
    train(folder, whole, keys);
    setenv("CUT_CLOCK", "90000", 1);
    moments *m = list_moments(folder, run, keys);
    size_t saves = 0, first = m->count;
    for (size_t i = m->count; i-- > 0;) {
        if (strcmp(m->name[i], "state.safetensors") != 0) continue;
        saves++;
        first = i;
    }
    printf("%zu saves in one epoch\n", saves);
    assert_true(saves > 2);
    assert_same_run(whole, run);
    snprintf(run, sizeof run, "%s/one-long-killed-again", folder);
    assert_int_equal(train_cut(folder, run, keys, first + 3, "kill"), 128 + SIGKILL);
    unsetenv("CUT_CLOCK");
    free(m);
    char *out = program_prints(folder, "train '%s/small.ini' 'output.dir=%s' %s --resume", folder, run, keys);
    const char *after = strstr(out, "resuming after step ");
    assert_non_null(after);
    const long step = strtol(after + strlen("resuming after step "), NULL, 10);
    assert_true(step > 0 && step < 400);
    free(out);
    assert_whole(folder, whole, run);
}

int main(void)
{
    if (!program_is_named()) return 1;
    if (getenv("CAMCL_CUT_PROGRAM") == NULL) {
        fprintf(stderr, "CAMCL_CUT_PROGRAM is not set: it names camcl_cut\n");
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_before_each_file), cmocka_unit_test(test_full_before_each_file),
        cmocka_unit_test(test_killed_with_more_epochs), cmocka_unit_test(test_missing_files_come_back),
        cmocka_unit_test(test_saves_within_an_epoch),
    };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
