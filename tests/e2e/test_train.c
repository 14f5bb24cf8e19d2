/* Training from outside: that it learns, what it leaves, that it repeats itself to the bit, and how it stops. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "run/safetensors.h"
#include "support/program.h"
#include "support/report_page.h"
#include "support/runs.h"
#include "support/scratch.h"

/* Trains small.ini into folder/name; returns the run's path, good until 64 more are made. */
static const char *train(const char *folder, const char *name, const char *more)
{
    free(program_prints(folder, "train '%s/small.ini' 'output.dir=%s/%s' %s", folder, folder, name, more));
    return scratch_path(folder, name);
}

static double test_top1(const char *run)
{
    cc_json *result = json_load(run, "result.json");
    double top1 = json_number_at(cc_json_get(result, "test"), "top1");
    cc_json_free(&result);
    return top1;
}

static void assert_close(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance)) fail_msg("%.9g, should be %.9g", got, want);
}

/* ---- learning */

/* Enough labels and steps for a small network to tell shapes apart, with pseudo-labels that take part (ten classes: chance is 10 %).
 * Averaged weights, because those of single steps of so short a training are worth anything from 20 to 40 %: other rounding, another
 * result. */
#define LEARNING                                                                                                                           \
    "data.labeled=2000 data.unlabeled=1000 data.validation=500 data.image_size=24 train.batch_labeled=48 train.batch_unlabeled=12 "        \
    "train.epoch_steps=80 train.epochs=5 optim.lr=0.04 optim.ema=0.95 ssl.threshold=0.7 ssl.threshold_end=0.7 ssl.reduction=batch "        \
    "output.save_every=5 "

static void check_learning(const char *folder, const char *name, const char *more, double least_top1)
{
    char keys[1024];
    snprintf(keys, sizeof keys, LEARNING "%s", more);
    const char *run = train(folder, name, keys);
    metrics_table *m = metrics_load(run);
    assert_int_equal(m->rows, 5);
    const double first = metrics_number(m, 0, "loss_s"), last = metrics_number(m, 4, "loss_s"), top1 = test_top1(run);
    printf("%s: loss %.3f -> %.3f, test %.1f %%\n", name, first, last, top1);
    if (!(last < 0.85 * first)) fail_msg("%s: the loss fell only from %g to %g", name, first, last);
    if (!(metrics_number(m, 4, "train_top1") > metrics_number(m, 0, "train_top1") + 8))
        fail_msg("%s: training accuracy does not rise", name);
    if (!(metrics_number(m, 4, "val_loss") < 2.2)) fail_msg("%s: validation loss stays at chance", name);
    if (!(top1 > least_top1)) fail_msg("%s: %g %% of the test images are right", name, top1);
    if (!strstr(more, "supervised") && !(metrics_number(m, 4, "mask_rate") > 1)) fail_msg("%s: no pseudo-label took part", name);
    free(m);
}

static void test_learns(void **state)
{
    if (default_device_is_slow()) {
        check_learning(*state, "learn", "ssl.mode=gradcam train.epoch_steps=40", 17);
        return;
    }
    check_learning(*state, "learn-supervised", "ssl.mode=supervised", 30);
    check_learning(*state, "learn-pseudo-label", "ssl.mode=pseudo-label", 30);
    check_learning(*state, "learn-gradcam", "ssl.mode=gradcam", 30);
    check_learning(*state, "learn-paper-code", "ssl.mode=gradcam ssl.preset=paper-code ssl.threshold=4 ssl.threshold_end=4", 30);
}

/* The same few labelled images over and over: the loss has to fall on every device. */
static void test_learns_on_other_devices(void **state)
{
    char selectors[16][16];
    size_t count = other_devices(selectors);
    if (count == 0) {
        print_message("no other device\n");
        skip();
    }
    for (size_t i = 0; i < count; i++) {
        char keys[256], name[32];
        snprintf(name, sizeof name, "other-%zu", i);
        snprintf(keys, sizeof keys,
                 "device.select=%s data.labeled=10 data.validation=10 ssl.threshold=0.5 optim.lr=0.05 train.batch_unlabeled=4 "
                 "output.save_every=3",
                 selectors[i]);
        const char *run = train(*state, name, keys);
        metrics_table *m = metrics_load(run);
        const double first = metrics_number(m, 0, "loss_s"), last = metrics_number(m, 2, "loss_s");
        printf("%s: loss %.3f -> %.3f\n", selectors[i], first, last);
        if (!(last < 0.9 * first)) fail_msg("%s: the loss fell only from %g to %g", selectors[i], first, last);
        free(m);
    }
}

/* ---- what a run leaves */

static void check_result(const char *run)
{
    cc_json *result = json_load(run, "result.json");
    static const char *const best[] = { "epoch", "val_top1", NULL }, *const test[] = { "n", "loss", "top1", "top3", "top5", "ece", NULL };
    assert_members(cc_json_get(result, "best"), best);
    assert_members(cc_json_get(result, "test"), test);
    assert_true(json_number_at(result, "seconds") > 0);
    assert_non_null(cc_json_string(cc_json_get(result, "device")));
    const cc_json *t = cc_json_get(result, "test");
    const double top1 = json_number_at(t, "top1"), top3 = json_number_at(t, "top3"), top5 = json_number_at(t, "top5");
    assert_true(0 <= top1 && top1 <= top3 && top3 <= top5 && top5 <= 100);
    /* The best row of metrics.csv, the first one among equals. */
    metrics_table *m = metrics_load(run);
    size_t row = 0;
    for (size_t i = 1; i < m->rows; i++)
        if (metrics_number(m, i, "val_top1") > metrics_number(m, row, "val_top1")) row = i;
    assert_close(json_number_at(cc_json_get(result, "best"), "epoch"), metrics_number(m, row, "epoch"), 0);
    assert_close(json_number_at(cc_json_get(result, "best"), "val_top1"), metrics_number(m, row, "val_top1"), 1e-6);
    free(m);
    cc_json_free(&result);
}

static size_t check_pool(const cc_json *splits, const char *name, unsigned char *seen)
{
    const cc_json *pool = cc_json_get(splits, name);
    assert_non_null(pool);
    assert_int_equal(pool->kind, CC_JSON_ARRAY);
    size_t before = 0;
    for (size_t i = 0; i < pool->count; i++) {
        size_t index;
        assert_true(cc_json_size(&pool->items[i], &index));
        if (index >= 10000) fail_msg("%s: there is no training image %zu", name, index);
        if (i > 0 && index <= before) fail_msg("%s is not sorted: %zu behind %zu", name, index, before);
        if (seen[index]++) fail_msg("%s: image %zu is in another pool, too", name, index);
        before = index;
    }
    return pool->count;
}

static void check_splits(const char *run)
{
    cc_json *splits = json_load(run, "splits.json");
    static const char *const names[] = { "labeled", "unlabeled", "validation", NULL };
    unsigned char *seen = calloc(10000, 1);
    assert_non_null(seen);
    assert_members(splits, names);
    assert_int_equal(check_pool(splits, "labeled", seen), 40);
    assert_int_equal(check_pool(splits, "unlabeled", seen), 60);
    assert_int_equal(check_pool(splits, "validation", seen), 50);
    free(seen);
    cc_json_free(&splits);
}

static void check_cells(const metrics_table *m, bool has_unlabeled, bool has_cams, double alpha, double beta)
{
    static const char *const always[] = { "lr",       "loss",     "loss_s",   "train_top1",   "val_loss",
                                          "val_top1", "val_top3", "val_top5", "images_per_s", "seconds" };
    for (size_t r = 0; r < m->rows; r++) {
        for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
            assert_true(isfinite(metrics_number(m, r, always[i])));
        assert_int_equal(metrics_empty(m, r, "threshold"), !has_unlabeled);
        assert_int_equal(metrics_empty(m, r, "loss_u"), !has_unlabeled);
        assert_int_equal(metrics_empty(m, r, "mask_rate"), !has_unlabeled);
        assert_int_equal(metrics_empty(m, r, "loss_c"), !has_cams);
        double loss = metrics_number(m, r, "loss_s");
        if (has_unlabeled) loss += alpha * metrics_number(m, r, "loss_u");
        if (has_cams) loss += beta * metrics_number(m, r, "loss_c");
        assert_true(fabs(loss - metrics_number(m, r, "loss")) < 1e-6 * loss);
        assert_true(metrics_number(m, r, "val_top1") <= metrics_number(m, r, "val_top3"));
        assert_true(metrics_number(m, r, "val_top3") <= metrics_number(m, r, "val_top5") && metrics_number(m, r, "val_top5") <= 100);
        if (r > 0) assert_true(metrics_number(m, r, "seconds") > metrics_number(m, r - 1, "seconds"));
    }
}

static void test_leaves(void **state)
{
    static const char *const files[] = { "config.ini",       "splits.json",      "metrics.csv",       "train.log", "result.json",
                                         "best.safetensors", "last.safetensors", "state.safetensors", "cams",      "report.html",
                                         "confusion.csv",    "metrics.jsonl",    "pseudo_labels.csv" };
    const char *run = train(*state, "leaves", "ssl.alpha=2 ssl.beta=3");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (access(scratch_path(run, files[i]), F_OK) != 0) fail_msg("%s is missing", files[i]);
    assert_int_equal(scratch_entries(run), sizeof files / sizeof files[0]); /* no lock, no temporary file */
    check_result(run);
    check_splits(run);
    metrics_table *m = metrics_load(run);
    assert_int_equal(m->rows, 3);
    for (size_t r = 0; r < 3; r++) {
        assert_int_equal(metrics_number(m, r, "step"), 4 * (r + 1));
        assert_int_equal(metrics_number(m, r, "epoch"), r + 1);
        /* tau runs from 0.2 to 0.3 over the epochs; the cosine falls to the last of 12 steps. */
        assert_close(metrics_number(m, r, "threshold"), (0.2 + 0.1 * (double)r / 3), 1e-6);
        const double k = 4 * (double)r + 3, lr = 0.03 * 0.5 * (1 + cos(3.14159265358979 * k / 12));
        assert_close(metrics_number(m, r, "lr"), lr, 1e-6);
    }
    check_cells(m, true, true, 2, 3);
    free(m);

    run = train(*state, "leaves-supervised", "ssl.mode=supervised");
    m = metrics_load(run);
    check_cells(m, false, false, 1, 1);
    for (size_t r = 0; r < m->rows; r++)
        assert_true(metrics_empty(m, r, "pseudo_acc"));
    free(m);
    run = train(*state, "leaves-pseudo-label",
                "ssl.mode=pseudo-label ssl.alpha=2 optim.schedule=step optim.lr_step=1 optim.lr_gamma=0.5 optim.warmup=2");
    m = metrics_load(run);
    check_cells(m, true, false, 2, 1);
    for (size_t r = 0; r < 3; r++)
        assert_close(metrics_number(m, r, "lr"), 0.03 * pow(0.5, (double)r), 1e-6);
    free(m);
}

/* Each step of the warm-up and the constant schedule, seen at evaluations after every step. */
static void test_schedule(void **state)
{
    const char *run =
        train(*state, "schedule",
              "ssl.mode=supervised optim.schedule=constant optim.warmup=4 train.epoch_steps=1 train.epochs=6 output.save_every=6");
    metrics_table *m = metrics_load(run);
    assert_int_equal(m->rows, 6);
    for (size_t r = 0; r < 6; r++)
        assert_close(metrics_number(m, r, "lr"), 0.03 * (r < 4 ? (double)(r + 1) / 4 : 1), 1e-6);
    free(m);
}

static void test_config_reproduces(void **state)
{
    const char *run = train(*state, "first", "data.root=some/where");
    size_t size;
    char *config = scratch_read(scratch_path(run, "config.ini"), &size), here[4096], line[8192];
    assert_non_null(config);
    assert_non_null(getcwd(here, sizeof here));
    snprintf(line, sizeof line, "\nroot = %s/some/where\n", here);
    if (strstr(config, line) == NULL) fail_msg("config.ini has no%s: %s", line, config);
    snprintf(line, sizeof line, "\ndir = %s\n", run);
    if (strstr(config, line) == NULL) fail_msg("config.ini has no%s: %s", line, config);
    free(config);
    /* From its configuration alone, in another working directory. */
    const char *again = scratch_path(*state, "again");
    free(program_prints(*state, "train '%s/config.ini' 'output.dir=%s'", run, again));
    assert_same_run(run, again);
}

/* ---- the same and other bits */

/* State files of two runs hold the same, but for seconds and the run directory's name. */
static void assert_same_state(const char *run_a, const char *run_b)
{
    cc_safetensors *a = NULL, *b = NULL;
    camcl_error err = { 0 };
    assert_int_equal(cc_safetensors_read(scratch_path(run_a, "state.safetensors"), &a, &err), CAMCL_OK);
    assert_int_equal(cc_safetensors_read(scratch_path(run_b, "state.safetensors"), &b, &err), CAMCL_OK);
    assert_int_equal(cc_safetensors_count(a), cc_safetensors_count(b));
    for (size_t i = 0; i < cc_safetensors_count(a); i++) {
        const cc_st_tensor *x = cc_safetensors_at(a, i), *y = cc_safetensors_at(b, i);
        size_t bytes = cc_st_elements(x) * cc_st_dtype_size(x->dtype);
        assert_string_equal(x->name, y->name);
        assert_int_equal(cc_st_elements(x), cc_st_elements(y));
        if (strcmp(x->name, "numbers") == 0) bytes = sizeof(double); /* best score, seconds */
        if (memcmp(x->data, y->data, bytes) != 0) fail_msg("state.safetensors: %s differs", x->name);
    }
    assert_string_equal(cc_safetensors_metadata(a, "plan"), cc_safetensors_metadata(b, "plan"));
    cc_safetensors_free(&a);
    cc_safetensors_free(&b);
}

static void test_deterministic(void **state)
{
    const char *a = train(*state, "seed-a", "optim.ema=0.9 ssl.preset=paper-code ssl.threshold=0.5");
    const char *b = train(*state, "seed-b", "optim.ema=0.9 ssl.preset=paper-code ssl.threshold=0.5");
    assert_same_run(a, b);
    assert_same_state(a, b);
    const char *c = train(*state, "seed-c", "optim.ema=0.9 ssl.preset=paper-code ssl.threshold=0.5 train.seed=2");
    assert_same_file(a, c, "splits.json");
    assert_false(same_file(a, c, "last.safetensors"));
    const char *d = train(*state, "seed-d", "optim.ema=0.9 ssl.preset=paper-code ssl.threshold=0.5 data.seed=2");
    assert_false(same_file(a, d, "splits.json"));
    assert_false(same_file(a, d, "last.safetensors"));
}

static void read_weights(const char *run, const char *file, const char *name, float *out, size_t count)
{
    cc_safetensors *tensors = NULL;
    camcl_error err = { 0 };
    if (cc_safetensors_read(scratch_path(run, file), &tensors, &err) != CAMCL_OK) fail_msg("%s", err.message);
    const cc_st_tensor *tensor = cc_safetensors_find(tensors, name);
    if (tensor == NULL || cc_st_elements(tensor) != count) fail_msg("%s: no %s of %zu numbers", file, name, count);
    memcpy(out, tensor->data, count * sizeof *out);
    cc_safetensors_free(&tensors);
}

/* last.safetensors holds the averages of the weights and of the running statistics, which lag behind them, and these are what they are
 * without an average. */
static void test_ema(void **state)
{
    static const struct {
        const char *name;
        size_t count;
    } tensors[] = { { "fc.bias", 10 }, { "bn1.running_mean", 4 }, { "bn1.running_var", 4 } };
    enum { MOST = 10 };
    char name[64];
    float plain[MOST], averaged[MOST], weights[MOST], average[MOST];
    const char *without = train(*state, "ema-0", ""), *with = train(*state, "ema-9", "optim.ema=0.9");
    for (size_t i = 0; i < CC_COUNT(tensors); i++) {
        const size_t count = tensors[i].count, bytes = count * sizeof(float);
        read_weights(without, "last.safetensors", tensors[i].name, plain, count);
        read_weights(with, "last.safetensors", tensors[i].name, averaged, count);
        snprintf(name, sizeof name, "model.%s", tensors[i].name);
        read_weights(with, "state.safetensors", name, weights, count);
        snprintf(name, sizeof name, "ema.%s", tensors[i].name);
        read_weights(with, "state.safetensors", name, average, count);
        assert_memory_equal(weights, plain, bytes);
        assert_memory_equal(averaged, average, bytes);
        assert_memory_not_equal(averaged, plain, bytes);
    }
    metrics_table *a = metrics_load(without), *b = metrics_load(with);
    assert_close(metrics_number(a, 2, "loss"), metrics_number(b, 2, "loss"), 0);
    assert_true(fabs(metrics_number(a, 0, "val_loss") - metrics_number(b, 0, "val_loss")) > 1e-4); /* the average is what is evaluated */
    free(a);
    free(b);
}

/* The exact gradient of the CAM loss is another one than the first-order one. */
static void test_exact_gradient(void **state)
{
    const char *first_order = train(*state, "first-order", ""), *exact = train(*state, "exact", "ssl.cam_gradient=exact");
    assert_same_file(first_order, exact, "splits.json");
    assert_false(same_file(first_order, exact, "last.safetensors"));
    metrics_table *m = metrics_load(exact);
    check_cells(m, true, true, 1, 1);
    free(m);
}

/* ---- what it says */

static void test_nothing_confident(void **state)
{
    char *out = program_prints(*state, "train '%s/small.ini' 'output.dir=%s/mask' ssl.threshold=1.1 ssl.threshold_end=1.1 2>&1",
                               (char *)*state, (char *)*state);
    assert_non_null(strstr(out, "no unlabelled image was confident"));
    assert_non_null(strstr(out, "ssl.threshold"));
    free(out);
    const char *run = scratch_path(*state, "mask");
    metrics_table *m = metrics_load(run);
    for (size_t r = 0; r < m->rows; r++) {
        assert_close(metrics_number(m, r, "mask_rate"), 0, 0);
        assert_close(metrics_number(m, r, "loss_u"), 0, 0);
        assert_close(metrics_number(m, r, "loss_c"), 0, 0);
        assert_true(metrics_empty(m, r, "pseudo_acc"));
    }
    free(m);
    size_t size;
    char *log = scratch_read(scratch_path(run, "train.log"), &size);
    assert_non_null(log);
    assert_non_null(strstr(log, "no unlabelled image was confident"));
    free(log);
    /* four steps an epoch: after the first the learning rate still rises */
    out = program_prints(*state, "train '%s/small.ini' 'output.dir=%s/warm' ssl.threshold=1.1 ssl.threshold_end=1.1 optim.warmup=5 2>&1",
                         (char *)*state, (char *)*state);
    assert_null(strstr(out, "epoch 1: no unlabelled image was confident"));
    assert_non_null(strstr(out, "epoch 2: no unlabelled image was confident"));
    free(out);
}

static void test_output(void **state)
{
    outcome result = program_run(*state, "train --quiet '%s/small.ini' 'output.dir=%s/quiet'", (char *)*state, (char *)*state);
    assert_int_equal(result.status, 0);
    assert_string_equal(result.out, "");
    assert_string_equal(result.err, "");
    outcome_free(&result);
    char *out = program_prints(*state, "train '%s/small.ini' 'output.dir=%s/loud' ssl.mode=supervised", (char *)*state, (char *)*state);
    assert_non_null(strstr(out, "labelled 40 (4 per class)"));
    assert_non_null(strstr(out, "epoch 3/3"));
    assert_non_null(strstr(out, "test: top-1"));
    assert_non_null(strstr(out, "/loud"));
    assert_null(strstr(out, "nan"));
    free(out);
}

static bool has_text(const char *run, const char *file, const char *text)
{
    size_t size;
    char *content = scratch_read(scratch_path(run, file), &size);
    if (content == NULL) fail_msg("no %s", file);
    const bool has = strstr(content, text) != NULL;
    free(content);
    return has;
}

/* Without validation images nothing speaks of a score. */
static void test_no_validation(void **state)
{
    char *out = program_prints(*state, "train '%s/small.ini' 'output.dir=%s/blind' data.validation=0 2>&1", (char *)*state, (char *)*state);
    assert_null(strstr(out, "nan"));
    assert_non_null(strstr(out, "no validation images)"));
    free(out);
    const char *run = scratch_path(*state, "blind");
    assert_true(has_text(run, "result.json", "\"val_top1\": null"));
    assert_false(has_text(run, "train.log", "nan"));
    cc_json *report = report_document(scratch_path(run, "report.html"));
    assert_int_equal(json_at(report_run(report, 0), "best/val_top1")->kind, CC_JSON_NULL);
    assert_true(json_number_of(report_run(report, 0), "test/top1") > 0);
    cc_json_free(&report);
    metrics_table *m = metrics_load(run);
    assert_true(m->rows == 3 && metrics_empty(m, 0, "val_top1") && metrics_empty(m, 2, "val_loss"));
    free(m);
}

static void test_existing_directory(void **state)
{
    const char *run = train(*state, "taken", "");
    const uint64_t before = folder_fingerprint(run);
    program_fails(*state, 1, "exists|--resume|output.dir", "train '%s/small.ini' 'output.dir=%s'", (char *)*state, run);
    assert_true(folder_fingerprint(run) == before);
    /* Any folder with something in it, too. */
    const char *other = scratch_path(*state, "taken/cams");
    program_fails(*state, 1, "exists", "train '%s/small.ini' 'output.dir=%s'", (char *)*state, other);
    assert_true(folder_fingerprint(run) == before);
}

/* ---- signals */

static void check_signal(void **state, int number, const char *name)
{
    const char *folder = *state, *run = scratch_path(folder, name);
    pid_t process = program_start(folder, name, "train '%s/small.ini' 'output.dir=%s' train.epochs=100000", folder, run);
    wait_for_file(scratch_path(run, "metrics.csv"), process);
    kill(process, number);
    assert_int_equal(program_wait(process), 128 + number);
    char file[64];
    size_t size;
    snprintf(file, sizeof file, "%s.err", name);
    char *text = scratch_read(scratch_path(folder, file), &size);
    assert_non_null(text);
    unsigned step = 0;
    const char *at = strstr(text, "after step ");
    if (at == NULL || sscanf(at, "after step %u", &step) != 1 || !strstr(text, "--resume")) fail_msg("what was it that stopped? %s", text);
    free(text);
    /* Saved at that very step, which need not end an epoch. */
    int64_t steps[4];
    cc_safetensors *tensors = NULL;
    camcl_error err = { 0 };
    assert_int_equal(cc_safetensors_read(scratch_path(run, "state.safetensors"), &tensors, &err), CAMCL_OK);
    assert_int_equal(cc_safetensors_get(tensors, "steps", CC_ST_I64, 1, &(size_t){ 4 }, steps, &err), CAMCL_OK);
    assert_int_equal(steps[0], step);
    cc_safetensors_free(&tensors);
    assert_int_not_equal(access(scratch_path(run, "result.json"), F_OK), 0);
}

static void test_signals(void **state)
{
    check_signal(state, SIGINT, "interrupted");
    check_signal(state, SIGTERM, "terminated");
    check_signal(state, SIGHUP, "hung-up");
}

/* A terminal that closes sends two, which are one; under nohup there is none. */
static void test_hangups(void **state)
{
    const char *folder = *state, *run = scratch_path(folder, "hung-up-twice"), *other = scratch_path(folder, "nohup");
    pid_t process = program_start(folder, "hung-up-twice", "train '%s/small.ini' 'output.dir=%s' train.epochs=100000", folder, run);
    wait_for_file(scratch_path(run, "metrics.csv"), process);
    kill(process, SIGHUP);
    kill(process, SIGHUP);
    assert_int_equal(program_wait(process), 128 + SIGHUP);
    assert_int_equal(access(scratch_path(run, "state.safetensors"), F_OK), 0);
    signal(SIGHUP, SIG_IGN);
    process = program_start(folder, "nohup", "train '%s/small.ini' 'output.dir=%s' train.epochs=100000", folder, other);
    signal(SIGHUP, SIG_DFL);
    wait_for_file(scratch_path(other, "metrics.csv"), process);
    kill(process, SIGHUP);
    sleep_milliseconds(300);
    kill(process, SIGTERM);
    assert_int_equal(program_wait(process), 128 + SIGTERM);
}

/* A launcher sends a second one behind the first, and whoever reads the lines may end by the first, too: one event, and the first signal is
 * the status. */
static void test_signals_of_one_event(void **state)
{
    const char *folder = *state, *run = scratch_path(folder, "several");
    pid_t process = program_start(folder, "several", "train '%s/small.ini' 'output.dir=%s' train.epochs=100000", folder, run);
    wait_for_file(scratch_path(run, "metrics.csv"), process);
    kill(process, SIGINT);
    kill(process, SIGTERM);
    kill(process, SIGPIPE);
    assert_int_equal(program_wait(process), 128 + SIGINT);
    assert_int_equal(access(scratch_path(run, "state.safetensors"), F_OK), 0);
}

/* Whoever read the lines has gone: what was trained is saved all the same. */
static void test_broken_pipe(void **state)
{
    const char *folder = *state;
    char command[600];
    assert_int_equal(mkfifo(scratch_path(folder, "lines"), 0666), 0);
    snprintf(command, sizeof command, "head -n 4 '%s/lines' >'%s/head' &", folder, folder);
    assert_int_equal(system(command), 0);
    outcome result =
        program_run(folder, "train '%s/small.ini' 'output.dir=%s/piped' train.epochs=100000 >'%s/lines'", folder, folder, folder);
    assert_int_equal(result.status, 128 + SIGPIPE);
    if (!strstr(result.err, "after step ") || !strstr(result.err, "--resume")) fail_msg("what was it that stopped? %s", result.err);
    assert_int_equal(access(scratch_path(folder, "piped/state.safetensors"), F_OK), 0);
    outcome_free(&result);
}

/* A second signal does not wait for anything. */
static void test_second_signal(void **state)
{
    const char *folder = *state, *run = scratch_path(folder, "twice");
    /* One step of this takes long enough for both signals to fall into it, or the first has already stopped it. */
    pid_t process =
        program_start(folder, "twice",
                      "train '%s/small.ini' 'output.dir=%s' train.epochs=1000 train.epoch_steps=1000 model.width=32 data.image_size=32 "
                      "train.batch_labeled=64 train.batch_unlabeled=64",
                      folder, run);
    wait_for_file(scratch_path(run, "splits.json"), process);
    kill(process, SIGINT);
    sleep_milliseconds(50);
    kill(process, SIGINT);
    assert_int_equal(program_wait(process), 128 + SIGINT);
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learns),
        cmocka_unit_test(test_learns_on_other_devices),
        cmocka_unit_test(test_leaves),
        cmocka_unit_test(test_schedule),
        cmocka_unit_test(test_config_reproduces),
        cmocka_unit_test(test_deterministic),
        cmocka_unit_test(test_ema),
        cmocka_unit_test(test_exact_gradient),
        cmocka_unit_test(test_nothing_confident),
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_no_validation),
        cmocka_unit_test(test_existing_directory),
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_second_signal),
        cmocka_unit_test(test_hangups),
        cmocka_unit_test(test_signals_of_one_event),
        cmocka_unit_test(test_broken_pipe),
    };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
