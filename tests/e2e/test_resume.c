/* Going on with runs that were stopped, killed, damaged or finished. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"

static void run_path(char path[512], const char *folder, const char *name) { snprintf(path, 512, "%s/%s", folder, name); }

/* Trains small.ini into folder/name, with more keys and options. */
static void train(const char *folder, const char *name, const char *more)
{
    free(program_prints(folder, "train '%s/small.ini' 'output.dir=%s/%s' %s", folder, folder, name, more));
}

static bool exists(const char *folder, const char *name) { return access(scratch_path(folder, name), F_OK) == 0; }

/* ---- killed at any moment */

/* Which state file this is: every save makes a new one. */
static struct timespec saved_at(const char *run)
{
    struct stat info;
    return stat(scratch_path(run, "state.safetensors"), &info) == 0 ? info.st_mtim : (struct timespec){ 0, 0 };
}

/* Starts or continues the run, and kills it `milliseconds` after its first save, or, with -milliseconds, after its start (the next save may
 * be far away then); false: it finished before. */
static bool run_and_kill(const char *folder, const char *name, const char *keys, long milliseconds)
{
    char run[512];
    int status;
    run_path(run, folder, name);
    const struct timespec before = saved_at(run);
    pid_t process = program_start(folder, name, "train '%s/small.ini' 'output.dir=%s' %s --resume", folder, run, keys);
    while (milliseconds >= 0) {
        const struct timespec now = saved_at(run);
        if (now.tv_sec != before.tv_sec || now.tv_nsec != before.tv_nsec) break;
        if (waitpid(process, &status, WNOHANG) == process) { /* killed after its last save, it had only the end left to do */
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
            return false;
        }
        sleep_milliseconds(1);
    }
    sleep_milliseconds(labs(milliseconds));
    kill(process, SIGKILL);
    status = program_wait(process);
    if (status != 0) assert_int_equal(status, 128 + SIGKILL);
    return status != 0;
}

static void check_killed(const char *folder, const char *name, const char *keys, const long *delays, size_t count)
{
    char whole[512], killed[512];
    char name_whole[64];
    size_t kills = 0;
    snprintf(name_whole, sizeof name_whole, "%s-whole", name);
    run_path(whole, folder, name_whole);
    run_path(killed, folder, name);
    train(folder, name_whole, keys);
    for (size_t i = 0; i < count && run_and_kill(folder, name, keys, delays[i]); i++)
        kills++;
    assert_true(kills > 0);
    char more[512];
    snprintf(more, sizeof more, "%s --resume", keys);
    train(folder, name, more);
    printf("%s: killed %zu times\n", name, kills);
    assert_same_run(whole, killed);
    assert_int_equal(scratch_entries(killed), scratch_entries(whole)); /* no temporary file, no lock */
}

/* From "before anything" to "while files are written" to "some saves later"; what exactly they hit depends on the machine, and must not
 * matter. */
static void test_killed(void **state)
{
    static const long delays[] = { -1, -900, 0, 3, 40, -1300, 7, 1 };
    check_killed(*state, "killed", "train.epochs=60 train.epoch_steps=1 optim.ema=0.9", delays, sizeof delays / sizeof delays[0]);
}

/* Saved more often than evaluated: the sums since the last row of metrics.csv come back with the state. */
static void test_killed_between_rows(void **state)
{
    static const long delays[] = { 0, 30, -1200, 5 };
    check_killed(*state, "rows",
                 "train.epochs=40 train.epoch_steps=1 train.eval_every=7 ssl.preset=paper-code ssl.threshold=0.5 ssl.threshold_end=0.5",
                 delays, sizeof delays / sizeof delays[0]);
}

/* Evaluated more often than saved: rows behind the restored step are dropped and written again. */
static void test_killed_between_saves(void **state)
{
    static const long delays[] = { 10, -1100, 2 };
    check_killed(*state, "saves", "train.epochs=40 train.epoch_steps=1 output.save_every=9 output.cams_every=10 ssl.mode=pseudo-label",
                 delays, sizeof delays / sizeof delays[0]);
}

/* A signal stops in the middle of an epoch, and the run goes on from there. */
static void test_interrupted(void **state)
{
    const char *folder = *state, *keys = "train.epochs=2 train.epoch_steps=300";
    char run[512], whole[512];
    run_path(run, folder, "interrupted");
    run_path(whole, folder, "uninterrupted");
    train(folder, "uninterrupted", keys);
    pid_t process = program_start(folder, "interrupted", "train '%s/small.ini' 'output.dir=%s' %s", folder, run, keys);
    wait_for_file(scratch_path(run, "splits.json"), process);
    sleep_milliseconds(300);
    kill(process, SIGTERM);
    assert_int_equal(program_wait(process), 128 + SIGTERM);
    assert_true(exists(run, "state.safetensors"));
    train(folder, "interrupted", "train.epochs=2 train.epoch_steps=300 --resume");
    assert_same_run(whole, run);
}

/* ---- what may change, and what not */

static void test_changed_keys(void **state)
{
    char run[512];
    run_path(run, *state, "changed");
    train(*state, "changed", "train.epochs=2");
    const uint64_t before = folder_fingerprint(run);
    static const char *const refused[] = { "optim.lr=0.1",  "train.epochs=1",        "data.seed=5",       "ssl.mode=supervised",
                                           "model.width=8", "train.batch_labeled=4", "train.eval_every=2" };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        char parts[128];
        snprintf(parts, sizeof parts, "resume: |%.*s: the run has", (int)strcspn(refused[i], "="), refused[i]);
        program_fails(*state, 2, parts, "train '%s/small.ini' 'output.dir=%s' --resume --quiet train.epochs=2 %s", (char *)*state, run,
                      refused[i]);
        if (folder_fingerprint(run) != before) fail_msg("refusing %s changed the run", refused[i]);
    }
    /* [output] may change, and the same value may be written in another way. */
    train(*state, "changed", "--resume train.epochs=2 output.save_every=2 output.cams_every=1 optim.lr=3e-2");
}

static void test_finished(void **state)
{
    char run[512];
    run_path(run, *state, "finished");
    train(*state, "finished", "");
    const uint64_t before = folder_fingerprint(run);
    for (int i = 0; i < 2; i++) {
        char *out = program_prints(*state, "train '%s/small.ini' 'output.dir=%s' --resume", (char *)*state, run);
        assert_non_null(strstr(out, "finished"));
        free(out);
        assert_true(folder_fingerprint(run) == before);
    }
}

/* More epochs for a finished run, killed on the way: the old result must not make it look finished. */
static void test_more_epochs(void **state)
{
    const char *folder = *state;
    char run[512], straight[512];
    run_path(run, folder, "longer");
    run_path(straight, folder, "longer-straight");
    train(folder, "longer", "optim.schedule=constant");
    assert_true(exists(run, "result.json"));
    train(folder, "longer-straight", "optim.schedule=constant");
    assert_true(exists(run, "result.json"));
    train(folder, "longer-straight", "optim.schedule=constant train.epochs=40 --resume");
    assert_true(run_and_kill(folder, "longer", "optim.schedule=constant train.epochs=40", 10));
    assert_false(exists(run, "result.json"));
    train(folder, "longer", "optim.schedule=constant train.epochs=40 --resume");
    assert_same_run(straight, run);
    metrics_table *m = metrics_load(run);
    assert_int_equal(m->rows, 40);
    free(m);
    assert_true(exists(run, "result.json"));
}

static void test_nothing_saved(void **state)
{
    const char *folder = *state;
    char run[512], fresh[512];
    run_path(run, folder, "unsaved");
    run_path(fresh, folder, "fresh");
    train(folder, "fresh", "");
    /* Neither does a folder have to be there, nor does a run that wrote rows but never saved count. */
    train(folder, "unsaved", "--resume");
    assert_same_run(fresh, run);
    assert_int_equal(unlink(scratch_path(run, "state.safetensors")), 0);
    assert_int_equal(unlink(scratch_path(run, "result.json")), 0);
    train(folder, "unsaved", "--resume");
    assert_same_run(fresh, run);
}

/* ---- damage */

static void test_damaged_state(void **state)
{
    const char *folder = *state;
    char run[512], whole[512], path[600];
    size_t size;
    run_path(run, folder, "damaged");
    run_path(whole, folder, "undamaged");
    train(folder, "undamaged", "");
    train(folder, "damaged", "");
    snprintf(path, sizeof path, "%s/state.safetensors", run);
    assert_int_equal(unlink(scratch_path(run, "result.json")), 0);
    char *good = scratch_read(path, &size);
    assert_non_null(good);
    char *bad = malloc(size);
    assert_non_null(bad);
    const size_t lengths[] = { size / 2, 100, 3, 0 };
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        scratch_write(path, good, lengths[i]);
        program_fails(folder, 1, "state.safetensors", "train '%s/small.ini' 'output.dir=%s' --resume --quiet", folder, run);
        assert_true(exists(run, "best.safetensors") && exists(run, "last.safetensors"));
    }
    memcpy(bad, good, size);
    memset(bad + 8, 'x', 40); /* the header's beginning */
    scratch_write(path, bad, size);
    program_fails(folder, 1, "state.safetensors", "train '%s/small.ini' 'output.dir=%s' --resume --quiet", folder, run);
    assert_same_file(whole, run, "best.safetensors");
    assert_same_file(whole, run, "last.safetensors");
    assert_same_metrics(whole, run);
    /* With the state back, all is well again. */
    scratch_write(path, good, size);
    train(folder, "damaged", "--resume");
    assert_same_run(whole, run);
    free(good);
    free(bad);
}

/* ---- two at once */

static void test_two_processes(void **state)
{
    const char *folder = *state;
    char run[512];
    run_path(run, folder, "shared");
    pid_t process = program_start(folder, "shared", "train '%s/small.ini' 'output.dir=%s' train.epochs=100000", folder, run);
    wait_for_file(scratch_path(run, "state.safetensors"), process);
    char parts[64];
    snprintf(parts, sizeof parts, "held by process %ld", (long)process);
    program_fails(folder, 1, parts, "train '%s/small.ini' 'output.dir=%s' train.epochs=100000 --resume --quiet", folder, run);
    program_fails(folder, 1, parts, "train '%s/small.ini' 'output.dir=%s' train.epochs=100000 --quiet", folder, run);
    kill(process, SIGINT);
    assert_int_equal(program_wait(process), 128 + SIGINT);
    /* Free again, and still good. */
    process = program_start(folder, "shared", "train '%s/small.ini' 'output.dir=%s' train.epochs=100000 --resume", folder, run);
    wait_for_file(scratch_path(run, ".lock"), process);
    sleep_milliseconds(200);
    kill(process, SIGINT);
    const int status = program_wait(process);
    assert_int_equal(status, 128 + SIGINT);
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed),        cmocka_unit_test(test_killed_between_rows), cmocka_unit_test(test_killed_between_saves),
        cmocka_unit_test(test_interrupted),   cmocka_unit_test(test_changed_keys),        cmocka_unit_test(test_finished),
        cmocka_unit_test(test_more_epochs),   cmocka_unit_test(test_nothing_saved),       cmocka_unit_test(test_damaged_state),
        cmocka_unit_test(test_two_processes),
    };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
