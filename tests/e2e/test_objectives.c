/* Every mode that learns from unlabelled images trains from the command line, with the CAM term and with more unlabelled than labelled
 * images in a batch; stopped and resumed, it gives the same bits. What its columns say is what the step did. */
#include <math.h>
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

#include "run/metrics.h"
#include "run/safetensors.h"
#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"

/* The columns of their own, and whether ssl.threshold means something to them. */
typedef struct mode {
    const char *name, *columns[4];
    bool threshold;
} mode;
static const mode modes[] = {
    { "pi-model", { NULL }, false },
    { "mean-teacher", { NULL }, false },
    { "uda", { NULL }, true },
    { "fixmatch", { NULL }, true },
    { "flexmatch", { "class_threshold", "learnt" }, true },
    { "freematch", { "global_threshold", "class_threshold", "fairness" }, false },
    { "softmatch", { "confidence_mean", "confidence_variance" }, false },
};

#define KEYS                                                                                                                               \
    "ssl.beta=0.5 ssl.cam_layer=2 train.epochs=20 train.epoch_steps=2 train.eval_every=4 train.batch_labeled=5 train.batch_unlabeled=9 "   \
    "data.unlabeled=30 optim.lr=0.03"
enum { STEPS = 40 };

static cc_metrics read_metrics(const char *run)
{
    cc_metrics metrics;
    camcl_error err = { 0 };
    if (cc_metrics_read(scratch_path(run, "metrics.csv"), NULL, &metrics, &err) != CAMCL_OK) fail_msg("%s", err.message);
    return metrics;
}

static double column(const cc_metrics *m, size_t row, const char *name) { return cc_metrics_get(m, &m->rows[row], name); }

/* The learning rate of the row's step, by the schedule that all of these modes have. */
static void check_lr(const cc_metrics *m, size_t row)
{
    const double pi = acos(-1), k = (double)m->rows[row].step - 1, expected = 0.03 * cos(7 * pi * k / (16 * STEPS)),
                 lr = column(m, row, "lr");
    if (!(fabs(lr - expected) <= 1e-6 * expected)) fail_msg("step %g: lr is %.9g, not %.9g", k, lr, expected);
}

static void check_metrics(const mode *m, const char *run)
{
    cc_metrics all = read_metrics(run);
    assert_int_equal(all.count, 5);
    for (size_t r = 0; r < all.count; r++) {
        check_lr(&all, r);
        assert_true(isfinite(column(&all, r, "loss")));
        assert_true(column(&all, r, "loss_c") > 0);
        assert_int_equal(isnan(column(&all, r, "threshold")), !m->threshold);
        for (size_t i = 0; m->columns[i]; i++)
            if (!isfinite(column(&all, r, m->columns[i]))) fail_msg("%s: no %s", m->name, m->columns[i]);
    }
    cc_metrics_free(&all);
}

static void check_mode(const char *folder, const mode *m)
{
    char whole[512], stopped[512], ini[512];
    snprintf(ini, sizeof ini, "%s/small.ini", folder);
    snprintf(whole, sizeof whole, "%s/%s", folder, m->name);
    snprintf(stopped, sizeof stopped, "%s/%s-stopped", folder, m->name);
    free(program_prints(folder, "train '%s' output.dir='%s' ssl.mode=%s " KEYS, ini, whole, m->name));
    check_metrics(m, whole);
    const pid_t process = program_start(folder, "first", "train '%s' output.dir='%s' ssl.mode=%s " KEYS, ini, stopped, m->name);
    wait_for_file(scratch_path(stopped, "state.safetensors"), process);
    kill(process, SIGTERM);
    assert_int_equal(program_wait(process), 128 + SIGTERM);
    free(program_prints(folder, "train '%s' output.dir='%s' ssl.mode=%s " KEYS " --resume", ini, stopped, m->name));
    assert_same_file(whole, stopped, "last.safetensors");
    assert_same_file(whole, stopped, "best.safetensors");
    assert_same_metrics(whole, stopped);
}

static void every_mode_resumes_to_the_same_bits(void **state)
{
    const size_t count = default_device_is_slow() ? 1 : sizeof modes / sizeof modes[0];
    for (size_t i = 0; i < count; i++)
        check_mode(*state, &modes[i]);
}

/* ---- what columns say
 *
 * Epochs of one step, so that a row is a step. */

/* Trains and returns the run's folder, in one of scratch_path's buffers. */
static const char *train(const char *folder, const char *name, const char *keys)
{
    const char *run = scratch_path(folder, name);
    free(program_prints(folder, "train '%s/small.ini' output.dir='%s' train.epoch_steps=1 %s", folder, run, keys));
    return run;
}

/* At the first step the ramp is 0, so that L_u counts for nothing; at the second one it is not. */
static void the_ramp_reaches_the_step(void **state)
{
#define RAMPED "ssl.mode=pi-model ssl.beta=0 train.epochs="
    if (default_device_is_slow()) skip();
    const char *slow = train(*state, "slow-ramp", RAMPED "1 ssl.ramp=1"), *none = train(*state, "no-ramp", RAMPED "1 ssl.ramp=0"),
               *alone = train(*state, "no-alpha", RAMPED "1 ssl.alpha=0");
    assert_same_file(slow, alone, "last.safetensors");
    assert_false(same_file(none, alone, "last.safetensors"));
    slow = train(*state, "slow-ramp-2", RAMPED "2 ssl.ramp=1");
    alone = train(*state, "no-alpha-2", RAMPED "2 ssl.alpha=0");
    assert_false(same_file(slow, alone, "last.safetensors"));
}

/* loss is L_s + alpha r L_u + beta L_c with the ramp r, which reaches 1 at the fifth of these ten steps; loss_u is L_u itself. */
static void the_loss_has_the_ramp(void **state)
{
    if (default_device_is_slow()) skip();
    cc_metrics m = read_metrics(
        train(*state, "ramped-loss", "ssl.mode=pi-model ssl.beta=0.5 ssl.cam_layer=2 ssl.alpha=10 ssl.ramp=0.4 train.epochs=10"));
    assert_int_equal(m.count, 10);
    for (size_t r = 0; r < m.count; r++) {
        const double ramp = r < 4 ? (double)r / 4 : 1, loss = column(&m, r, "loss"), unlabeled = 10 * column(&m, r, "loss_u"),
                     expected = column(&m, r, "loss_s") + ramp * unlabeled + 0.5 * column(&m, r, "loss_c");
        assert_true(unlabeled > 1e-3 * loss);
        if (!(fabs(loss - expected) <= 1e-5 * expected)) fail_msg("step %zu: loss is %.9g, not %.9g", r, loss, expected);
    }
    cc_metrics_free(&m);
}

/* What the loss has beside the three terms is ssl.fairness times the fairness. */
static void the_loss_has_the_fairness(void **state)
{
    if (default_device_is_slow()) skip();
    cc_metrics m = read_metrics(
        train(*state, "fair-loss", "ssl.mode=freematch ssl.beta=0.5 ssl.cam_layer=2 ssl.alpha=2 ssl.fairness=0.5 train.epochs=4"));
    for (size_t r = 0; r < m.count; r++) {
        const double fairness = 0.5 * column(&m, r, "fairness"),
                     rest = column(&m, r, "loss") - column(&m, r, "loss_s") - 2 * column(&m, r, "loss_u") - 0.5 * column(&m, r, "loss_c");
        assert_true(fabs(fairness) > 0.1);
        if (!(fabs(rest - fairness) <= 1e-5 * fabs(fairness)))
            fail_msg("step %zu: %.9g, not %.9g, beside the three terms", r, rest, fairness);
    }
    cc_metrics_free(&m);
}

/* Of the images of objective.last in the state of a run, percent of `pool` with a class. */
static double percent_learnt(const char *run, double pool)
{
    cc_safetensors *file = NULL;
    size_t learnt = 0;
    if (cc_safetensors_read(scratch_path(run, "state.safetensors"), &file, NULL) != CAMCL_OK) fail_msg("%s: no state", run);
    const cc_st_tensor *last = cc_safetensors_find(file, "objective.last");
    assert_non_null(last);
    assert_int_equal(last->dtype, CC_ST_I32);
    for (size_t i = 0; i < cc_st_elements(last); i++) {
        int32_t class;
        memcpy(&class, (const char *)last->data + i * sizeof class, sizeof class);
        learnt += class >= 0;
    }
    cc_safetensors_free(&file);
    return 100 * (double)learnt / pool;
}

/* A step's figures are of what was known before it: its row has what the state of a run that ends one step earlier has. */
static void flexmatch_tells_what_its_state_has(void **state)
{
#define EVEN "ssl.mode=flexmatch ssl.threshold=0.15 ssl.threshold_end=0.15 optim.schedule=constant data.unlabeled=60 train.epochs="
    if (default_device_is_slow()) skip();
    const char *shorter = train(*state, "flex-3", EVEN "3");
    cc_metrics m = read_metrics(train(*state, "flex-4", EVEN "4"));
    const double learnt = column(&m, 3, "learnt"), expected = percent_learnt(shorter, 60), threshold = column(&m, 3, "class_threshold");
    assert_true(expected > 0 && expected < 100);
    if (!(fabs(learnt - expected) <= 1e-6 * expected)) fail_msg("learnt: %.9g, not %.9g", learnt, expected);
    assert_true(column(&m, 0, "learnt") <= 0 && column(&m, 0, "class_threshold") <= 0);
    if (!(threshold > 0 && threshold <= 0.15)) fail_msg("class_threshold: %.9g", threshold);
    cc_metrics_free(&m);
}

/* Averages that follow slowly (0.999) are near where they began after one step: thresholds and confidence at one over ten classes, the
 * variance at 1. */
static void averages_begin_where_they_should(void **state)
{
    if (default_device_is_slow()) skip();
    cc_metrics m = read_metrics(train(*state, "free-1", "ssl.mode=freematch train.epochs=1"));
    const double all = column(&m, 0, "global_threshold"), each = column(&m, 0, "class_threshold");
    if (!(each < all && fabs(all - 0.1) < 1e-3 && fabs(each - 0.1) < 1e-3)) fail_msg("thresholds: %.9g and %.9g", all, each);
    cc_metrics_free(&m);
    m = read_metrics(train(*state, "soft-1", "ssl.mode=softmatch train.epochs=1"));
    const double mean = column(&m, 0, "confidence_mean"), variance = column(&m, 0, "confidence_variance");
    if (!(mean > 0.1 && mean < 0.11 && variance >= 0.99 && variance <= 1)) fail_msg("mean %.9g, variance %.9g", mean, variance);
    cc_metrics_free(&m);
}

/* bench step times the configured mode beside the first three, each with its own settings. */
static void bench_times_the_mode(void **state)
{
    if (default_device_is_slow()) skip();
    char *out = program_prints(*state, "bench step --json ssl.mode=mean-teacher ssl.beta=1 model.width=4 data.image_size=8 "
                                       "train.batch_labeled=4 train.batch_unlabeled=6");
    cc_json *json = json_parse_text(out);
    const char *const members[] = { "device", "supervised", "pseudo-label", "gradcam", "mean-teacher", "infer", NULL };
    assert_members(json, members);
    cc_json_free(&json);
    free(out);
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mode_resumes_to_the_same_bits),
        cmocka_unit_test(the_ramp_reaches_the_step),
        cmocka_unit_test(the_loss_has_the_ramp),
        cmocka_unit_test(the_loss_has_the_fairness),
        cmocka_unit_test(flexmatch_tells_what_its_state_has),
        cmocka_unit_test(averages_begin_where_they_should),
        cmocka_unit_test(bench_times_the_mode),
    };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
