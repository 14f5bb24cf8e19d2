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

#include "camcl/trainer.h"
#include "run/safetensors.h"
#include "support/ok.h"
#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"
#include "support/stopper.h"

static camcl_error err;

static void run_path(char path[512], const char *folder, const char *name) { snprintf(path, 512, "%s/%s", folder, name); }

/* Trains small.ini into folder/name, with more keys and options. */
static void train(const char *folder, const char *name, const char *more)
{
    free(program_prints(folder, "train '%s/small.ini' 'output.dir=%s/%s' %s", folder, folder, name, more));
}

static bool exists(const char *folder, const char *name) { return access(scratch_path(folder, name), F_OK) == 0; }

static char *read_text(const char *path)
{
    size_t size;
    char *text = scratch_read(path, &size);
    if (text == NULL) fail_msg("no file %s", path);
    return text;
}

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

/* A signal comes some time after the file has appeared, and the run goes on from there. */
static void check_interrupted(const char *folder, const char *name, const char *keys, const char *file, long milliseconds)
{
    char run[512], whole[512], name_whole[64], more[256];
    snprintf(name_whole, sizeof name_whole, "%s-whole", name);
    snprintf(more, sizeof more, "%s --resume", keys);
    run_path(run, folder, name);
    run_path(whole, folder, name_whole);
    train(folder, name_whole, keys);
    pid_t process = program_start(folder, name, "train '%s/small.ini' 'output.dir=%s' %s", folder, run, keys);
    wait_for_file(scratch_path(run, file), process);
    sleep_milliseconds(milliseconds);
    kill(process, SIGTERM);
    assert_int_equal(program_wait(process), 128 + SIGTERM);
    assert_true(exists(run, "state.safetensors"));
    assert_false(exists(run, "result.json"));
    train(folder, name, more);
    assert_same_run(whole, run);
}

static void test_interrupted(void **state)
{
    check_interrupted(*state, "interrupted", "train.epochs=2 train.epoch_steps=300", "splits.json", 300);
}

/* The test images need not be waited for, either: there are 2,000 of them, many enough for the signal to come before their end. */
static void test_stopped_in_the_test(void **state)
{
    check_interrupted(*state, "untested", "model.width=32 train.epochs=1 train.epoch_steps=1 ssl.mode=supervised", "best.safetensors", 0);
}

/* Trains small.ini into folder/name, with more keys, until the message comes. */
static void train_until(const char *folder, const char *name, const char *keys, const char *message, const char *says)
{
    stopper s = stopper_at(message);
    camcl_config *config = NULL;
    camcl_train_result result;
    char run[512], list[256];
    run_path(run, folder, name);
    snprintf(list, sizeof list, "%s", keys);
    OK(camcl_config_create(&config, &err));
    OK(camcl_config_load(config, scratch_path(folder, "small.ini"), &err));
    OK(camcl_config_set(config, "output.dir", run, "test", &err));
    for (char *key = strtok(list, " "); key; key = strtok(NULL, " "))
        OK(camcl_config_override(config, key, &err));
    const camcl_train_options options = { .resume = true, .stop = s.stop, .context = &s, .message = stop_at_message };
    FAILS(camcl_train(config, &options, &result, &err), CAMCL_STOPPED, says);
    camcl_config_destroy(&config);
    camcl_stop_destroy(&s.stop);
}

static size_t count_rows(const char *run)
{
    metrics_table *m = metrics_load(run);
    const size_t rows = m->rows;
    free(m);
    return rows;
}

/* What is requested while the validation images are run does not wait for them: the row comes when the run goes on, also if that is killed
 * between the row and the save. A message that comes just before the evaluation says when. */
static void test_stopped_in_an_evaluation(void **state)
{
    const char *folder = *state, *keys = "train.epochs=3 train.epoch_steps=2 train.eval_every=2 ssl.threshold=1 ssl.threshold_end=1";
    char run[512], whole[512], more[160];
    size_t size;
    snprintf(more, sizeof more, "%s --resume", keys);
    run_path(run, folder, "broken-off");
    run_path(whole, folder, "not-broken-off");
    train(folder, "not-broken-off", keys);
    train_until(folder, "broken-off", keys, "epoch 2: no unlabelled", "stopped after step 4 of 6");
    char *state_of_4 = scratch_read(scratch_path(run, "state.safetensors"), &size);
    assert_non_null(state_of_4);
    assert_false(exists(run, "metrics.csv"));
    /* At the next stop the row of step 4 is there, and that of the last epoch is not. */
    train_until(folder, "broken-off", keys, "epoch 3: no unlabelled", "stopped after step 6 of 6");
    assert_int_equal(count_rows(run), 1);
    assert_false(exists(run, "result.json"));
    /* With the state from before it, the row is what a kill before the save leaves. */
    scratch_write(scratch_path(run, "state.safetensors"), state_of_4, size);
    free(state_of_4);
    train_until(folder, "broken-off", keys, "epoch 3/3", "stopped after step 6 of 6");
    assert_int_equal(count_rows(run), 2);
    assert_false(exists(run, "result.json"));
    train(folder, "broken-off", more);
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
    /* What the run has is what its state says, whether config.ini was edited or is gone. */
    char *config = read_text(scratch_path(run, "config.ini")), *rate = strstr(config, "\nlr = 0.03\n");
    assert_non_null(rate);
    rate[strlen("\nlr = 0.0")] = '4';
    scratch_write(scratch_path(run, "config.ini"), config, strlen(config));
    free(config);
    program_fails(*state, 2, "optim.lr: the run has 0.03, now 0.04", "train '%s/config.ini' --resume --quiet", run);
    assert_int_equal(unlink(scratch_path(run, "config.ini")), 0);
    program_fails(*state, 2, "optim.lr: the run has 0.03, now 0.1",
                  "train '%s/small.ini' 'output.dir=%s' --resume --quiet train.epochs=2 optim.lr=0.1", (char *)*state, run);
    assert_false(exists(run, "config.ini"));
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

/* The cosine and the line of the threshold are stretched over the longer training, so that both jump; a constant one does not. */
static void test_jumps(void **state)
{
    const char *folder = *state;
    train(folder, "jumps", "");
    char *out = program_prints(folder, "train '%s/small.ini' 'output.dir=%s/jumps' train.epochs=6 --resume", folder, folder);
    /* Step 11 of 12: 0.015 (1 + cos(11 pi/12)); step 12 of 24: the half of 0.03. Epoch 2 of 3, then 3 of 6. */
    if (!strstr(out, "6 epochs instead of 3: the learning rate jumps from 0.000511 to 0.015, the threshold jumps from 0.267 to 0.25\n"))
        fail_msg("not told of the jump:\n%s", out);
    free(out);
    train(folder, "steady", "optim.schedule=constant ssl.mode=supervised");
    out = program_prints(folder,
                         "train '%s/small.ini' 'output.dir=%s/steady' optim.schedule=constant ssl.mode=supervised train.epochs=4 --resume",
                         folder, folder);
    assert_null(strstr(out, "jumps"));
    assert_non_null(strstr(out, "resuming after step 12 of 16"));
    free(out);
    /* A ramp takes the first 0.4 of all steps: 4.8 of 12, but 14.4 of 36, and step 12 comes before their end. */
    train(folder, "ramp", "optim.schedule=constant ssl.mode=pi-model");
    out = program_prints(folder,
                         "train '%s/small.ini' 'output.dir=%s/ramp' optim.schedule=constant ssl.mode=pi-model train.epochs=9 --resume",
                         folder, folder);
    assert_non_null(strstr(out, "9 epochs instead of 3: the weight of the unlabelled loss jumps from 10 to "));
    free(out);
}

/* Neither does a folder have to be there, nor does a run that wrote rows but never saved count; either way the user is told. */
static void test_nothing_saved(void **state)
{
    static const char *const saved[] = { "state.safetensors", "best.safetensors", "last.safetensors", "result.json", "confusion.csv" };
    const char *folder = *state;
    char run[512], fresh[512];
    run_path(run, folder, "unsaved");
    run_path(fresh, folder, "fresh");
    train(folder, "fresh", "");
    for (int i = 0; i < 2; i++) {
        char *out = program_prints(folder, "train '%s/small.ini' 'output.dir=%s' --resume", folder, run);
        if (!strstr(out, "no run was saved in") || !strstr(out, "starting from the beginning")) fail_msg("not said: %s", out);
        free(out);
        assert_same_run(fresh, run);
        for (size_t k = 0; k < sizeof saved / sizeof saved[0]; k++)
            assert_int_equal(unlink(scratch_path(run, saved[k])), 0);
    }
}

/* The state is the largest file of a run, and so the first that people delete. */
static void test_state_deleted(void **state)
{
    const char *folder = *state;
    char run[512], theirs[512];
    run_path(run, folder, "stateless");
    train(folder, "stateless", "");
    assert_int_equal(unlink(scratch_path(run, "state.safetensors")), 0);
    const uint64_t before = folder_fingerprint(run);
    program_fails(folder, 1, "best.safetensors, last.safetensors, result.json|no state.safetensors to go on from|choose another output.dir",
                  "train '%s/small.ini' 'output.dir=%s' --resume --quiet", folder, run);
    assert_true(folder_fingerprint(run) == before);
    /* A folder that was never a run's. */
    run_path(theirs, folder, "theirs");
    assert_int_equal(mkdir(theirs, 0777), 0);
    scratch_write(scratch_path(theirs, "config.ini"), "[server]\n", 9);
    const uint64_t of_theirs = folder_fingerprint(theirs);
    program_fails(folder, 1, "it has config.ini, but no run", "train '%s/small.ini' 'output.dir=%s' --resume --quiet", folder, theirs);
    assert_true(folder_fingerprint(theirs) == of_theirs);
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
        program_fails(folder, 1, "state.safetensors|restore an older copy of it|output.dir",
                      "train '%s/small.ini' 'output.dir=%s' --resume --quiet", folder, run);
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

/* The state file once more, with one of its tensors or its kernel plan replaced. */
static void change_state(const char *run, const char *name, const void *data, const char *plan)
{
    static const char *const keys[] = { "format", "version", "plan", "device", "config" };
    enum { KEYS = sizeof keys / sizeof keys[0] };
    const char *path = scratch_path(run, "state.safetensors");
    cc_safetensors *file = NULL;
    cc_st_pair pairs[KEYS];
    assert_int_equal(cc_safetensors_read(path, &file, NULL), CAMCL_OK);
    const size_t count = cc_safetensors_count(file);
    cc_st_tensor *tensors = calloc(count, sizeof *tensors);
    assert_non_null(tensors);
    for (size_t i = 0; i < count; i++) {
        tensors[i] = *cc_safetensors_at(file, i);
        if (name && strcmp(tensors[i].name, name) == 0) tensors[i].data = data;
    }
    for (size_t i = 0; i < KEYS; i++)
        pairs[i] = (cc_st_pair){ keys[i], plan && strcmp(keys[i], "plan") == 0 ? plan : cc_safetensors_metadata(file, keys[i]) };
    assert_int_equal(cc_safetensors_write(path, tensors, count, pairs, KEYS, NULL), CAMCL_OK);
    free(tensors);
    cc_safetensors_free(&file);
}

/* Whole files with numbers that no run saves. Nothing is evaluated, nothing is written. */
static void test_impossible_state(void **state)
{
    const char *folder = *state;
    char run[512];
    size_t size;
    static const int64_t before[] = { -1, 1, 1, 4 }, behind[] = { (int64_t)1 << 62, 1, 1, 4 }, no_best[] = { 12, 0, 0, 0 };
    run_path(run, folder, "impossible");
    train(folder, "impossible", "");
    assert_int_equal(unlink(scratch_path(run, "result.json")), 0);
    char *good = scratch_read(scratch_path(run, "state.safetensors"), &size);
    /* The labelled images of the run, with one of them twice, and with one that is held out for validation. */
    cc_safetensors *file = NULL;
    uint32_t twice[40], held_out[40], validation[50];
    assert_int_equal(cc_safetensors_read(scratch_path(run, "state.safetensors"), &file, NULL), CAMCL_OK);
    assert_int_equal(cc_safetensors_get(file, "split.labeled", CC_ST_U32, 1, &(size_t){ 40 }, twice, NULL), CAMCL_OK);
    assert_int_equal(cc_safetensors_get(file, "split.validation", CC_ST_U32, 1, &(size_t){ 50 }, validation, NULL), CAMCL_OK);
    cc_safetensors_free(&file);
    memcpy(held_out, twice, sizeof twice);
    twice[1] = twice[0];
    held_out[1] = validation[7];
    const struct {
        const char *tensor;
        const void *data;
        const char *parts;
    } wrong[] = { { "steps", before, "state.safetensors|the step is -1" },
                  { "steps", behind, "state.safetensors|step 4611686018427387904 of a training of 12 steps" },
                  { "steps", no_best, "state.safetensors|no best weights" },
                  { "split.labeled", twice, "state.safetensors|is twice among its labelled images" },
                  { "split.labeled", held_out, "state.safetensors|both among its labelled and its validation images" } };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        change_state(run, wrong[i].tensor, wrong[i].data, NULL);
        const uint64_t fingerprint = folder_fingerprint(run);
        program_fails(folder, 1, wrong[i].parts, "train '%s/small.ini' 'output.dir=%s' --resume --quiet", folder, run);
        if (folder_fingerprint(run) != fingerprint) fail_msg("refusing \"%s\" changed the run", wrong[i].parts);
        scratch_write(scratch_path(run, "state.safetensors"), good, size);
    }
    train(folder, "impossible", "--resume");
    assert_true(exists(run, "result.json"));
    free(good);
}

/* Everything but train.log, which says that it failed. */
static uint64_t fingerprint_without_log(const char *run)
{
    assert_int_equal(rename(scratch_path(run, "train.log"), scratch_path(run, "../aside.log")), 0);
    const uint64_t sum = folder_fingerprint(run);
    assert_int_equal(rename(scratch_path(run, "../aside.log"), scratch_path(run, "train.log")), 0);
    return sum;
}

/* More epochs for a finished run that cannot begin: the run stays finished. */
static void test_failing_resume_keeps_results(void **state)
{
    const char *folder = *state;
    char run[512];
    size_t size, state_size;
    run_path(run, folder, "kept");
    train(folder, "kept", "");
    char *rows = scratch_read(scratch_path(run, "metrics.csv"), &size);
    scratch_write(scratch_path(run, "metrics.csv"), rows, size - 5);
    uint64_t before = folder_fingerprint(run);
    program_fails(folder, 1, "metrics.csv", "train '%s/small.ini' 'output.dir=%s' train.epochs=5 --resume --quiet", folder, run);
    assert_true(folder_fingerprint(run) == before);
    scratch_write(scratch_path(run, "metrics.csv"), rows, size);
    free(rows);
    /* Kernels that do not exist: it fails as late as a lack of device memory does. */
    char *good = scratch_read(scratch_path(run, "state.safetensors"), &state_size), plan[256] = "";
    cc_safetensors *file = NULL;
    assert_int_equal(cc_safetensors_read(scratch_path(run, "state.safetensors"), &file, NULL), CAMCL_OK);
    const char *line = strstr(cc_safetensors_metadata(file, "plan"), "conv");
    assert_non_null(line);
    snprintf(plan, sizeof plan, "%.*s = nonsense\n", (int)(strstr(line, " = ") - line), line);
    cc_safetensors_free(&file);
    change_state(run, NULL, NULL, plan);
    before = fingerprint_without_log(run);
    outcome result = program_run(folder, "train '%s/small.ini' 'output.dir=%s' train.epochs=5 --resume --quiet", folder, run);
    assert_int_not_equal(result.status, 0);
    if (!strstr(result.err, "nonsense")) fail_msg("not about the plan: %s", result.err);
    outcome_free(&result);
    assert_true(fingerprint_without_log(run) == before);
    scratch_write(scratch_path(run, "state.safetensors"), good, state_size);
    free(good);
    char *out = program_prints(folder, "train '%s/small.ini' 'output.dir=%s' --resume", folder, run);
    assert_non_null(strstr(out, "finished"));
    free(out);
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
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_killed_between_rows),
        cmocka_unit_test(test_killed_between_saves),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_stopped_in_an_evaluation),
        cmocka_unit_test(test_stopped_in_the_test),
        cmocka_unit_test(test_changed_keys),
        cmocka_unit_test(test_finished),
        cmocka_unit_test(test_more_epochs),
        cmocka_unit_test(test_jumps),
        cmocka_unit_test(test_nothing_saved),
        cmocka_unit_test(test_damaged_state),
        cmocka_unit_test(test_two_processes),
        cmocka_unit_test(test_state_deleted),
        cmocka_unit_test(test_impossible_state),
        cmocka_unit_test(test_failing_resume_keeps_results),
    };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
