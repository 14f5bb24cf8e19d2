/* Every mode that learns from unlabelled images trains from the command line, with the CAM term and with more unlabelled than labelled
 * images in a batch; stopped and resumed, it gives the same bits. */
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
    "data.unlabeled=30"

static cc_metrics read_metrics(const char *run)
{
    cc_metrics metrics;
    camcl_error err = { 0 };
    if (cc_metrics_read(scratch_path(run, "metrics.csv"), NULL, &metrics, &err) != CAMCL_OK) fail_msg("%s", err.message);
    return metrics;
}

static void check_metrics(const mode *m, const char *run)
{
    cc_metrics all = read_metrics(run);
    assert_int_equal(all.count, 5);
    for (size_t r = 0; r < all.count; r++) {
        assert_true(isfinite(cc_metrics_get(&all, &all.rows[r], "loss")));
        assert_true(cc_metrics_get(&all, &all.rows[r], "loss_c") > 0);
        assert_int_equal(isnan(cc_metrics_get(&all, &all.rows[r], "threshold")), !m->threshold);
        for (size_t i = 0; m->columns[i]; i++)
            if (!isfinite(cc_metrics_get(&all, &all.rows[r], m->columns[i]))) fail_msg("%s: no %s", m->name, m->columns[i]);
    }
    cc_metrics_free(&all);
}

static bool is_of_time(const char *column) { return strcmp(column, "images_per_s") == 0 || strcmp(column, "seconds") == 0; }

static void assert_same_rows(const char *run_a, const char *run_b)
{
    cc_metrics a = read_metrics(run_a), b = read_metrics(run_b);
    assert_int_equal(a.count, b.count);
    assert_int_equal(a.columns.count, b.columns.count);
    for (size_t r = 0; r < a.count; r++)
        for (size_t c = 0; c < a.columns.count; c++) {
            const char *name = a.columns.names[c];
            const double x = cc_metrics_get(&a, &a.rows[r], name), y = cc_metrics_get(&b, &b.rows[r], name);
            if (!is_of_time(name) && !(x >= y && x <= y) && !(isnan(x) && isnan(y)))
                fail_msg("%s, row %zu: %.9g without a stop, %.9g with one", name, r, x, y);
        }
    cc_metrics_free(&a);
    cc_metrics_free(&b);
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
    assert_same_rows(whole, stopped);
}

static void every_mode_resumes_to_the_same_bits(void **state)
{
    const size_t count = default_device_is_slow() ? 1 : sizeof modes / sizeof modes[0];
    for (size_t i = 0; i < count; i++)
        check_mode(*state, &modes[i]);
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
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_mode_resumes_to_the_same_bits), cmocka_unit_test(bench_times_the_mode) };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
