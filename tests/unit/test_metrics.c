/* metrics.csv, result.json and confusion.csv: exact text, reading back, resuming, damage. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/evaluation.h"
#include "base/json.h"
#include "base/rng.h"
#include "support/scratch.h"
#include "run/interval.h"
#include "run/metrics.h"
#include "run/pseudo_labels.h"
#include "run/result.h"

#define FIRST_HEADER                                                                                                                       \
    "step,epoch,lr,threshold,loss,loss_s,loss_u,loss_c,mask_rate,pseudo_acc,train_top1,"                                                   \
    "val_loss,val_top1,val_top3,val_top5,images_per_s,seconds"

#define HEADER FIRST_HEADER ",val_ece\n"

/* A file with a column that this program does not know. */
#define LONGER                                                                                                                             \
    "step,epoch,lr,threshold,loss,loss_s,loss_u,loss_c,mask_rate,pseudo_acc,train_top1,"                                                   \
    "val_loss,val_top1,val_top3,val_top5,images_per_s,seconds,new"

static void assert_content(const char *path, const char *expected)
{
    size_t size = 0;
    char *data = scratch_read(path, &size);
    assert_non_null(data);
    assert_string_equal(data, expected);
    free(data);
}

/* The columns of a run whose objective has no figures. */
static cc_columns common(void) { return cc_columns_of(&cc_objective_supervised); }

static camcl_status read_common(const char *path, cc_metrics *metrics, camcl_error *err)
{
    const cc_columns columns = common();
    return cc_metrics_read(path, &columns, metrics, err);
}

static cc_metrics_row sample(const cc_metrics *metrics, uint64_t step)
{
    cc_metrics_row row = cc_metrics_row_at(step, step / 10);
    cc_metrics_set(metrics, &row, "lr", 0.03);
    cc_metrics_set(metrics, &row, "loss", 2.5);
    cc_metrics_set(metrics, &row, "val_top1", 100.0 / 3);
    return row;
}

static double cell(const cc_metrics *metrics, size_t row, const char *column)
{
    return cc_metrics_get(metrics, &metrics->rows[row], column);
}

static void exact_text(void **state)
{
    const char *path = scratch_path(*state, "metrics.csv");
    cc_metrics metrics;
    camcl_error err = { 0 };
    static const double values[] = { 1e-7, 0.95, 1, 2, 0, -0.0, 12.5, 99, 50, 1.25, 33.25, 60, 70, 1234.5678, 1e6 };
    assert_int_equal(read_common(path, &metrics, &err), CAMCL_OK); /* no file: no rows */
    cc_metrics_row full = cc_metrics_row_at(3000000000u, 20), one = sample(&metrics, 10);
    memcpy(full.values, values, sizeof values);
    cc_metrics_set(&metrics, &one, "threshold", (double)INFINITY); /* not a number that anyone could use */
    cc_metrics_set(&metrics, &one, "no_such_column", 7);
    assert_int_equal(metrics.count, 0);
    assert_int_equal(cc_metrics_append(&metrics, path, &one, &err), CAMCL_OK);
    assert_content(path, HEADER "10,1,0.03,,2.5,,,,,,,,33.3333333,,,,,\n");
    assert_int_equal(cc_metrics_append(&metrics, path, &full, &err), CAMCL_OK);
    assert_content(path, HEADER "10,1,0.03,,2.5,,,,,,,,33.3333333,,,,,\n"
                                "3000000000,20,1e-07,0.95,1,2,0,-0,12.5,99,50,1.25,33.25,60,70,1234.5678,1000000,\n");
    assert_int_equal(scratch_entries(*state), 1);
    cc_metrics_free(&metrics);
    assert_int_equal(cc_metrics_read(path, NULL, &metrics, &err), CAMCL_OK);
    assert_int_equal(metrics.count, 2);
    assert_true(metrics.rows[1].step == 3000000000u && metrics.rows[1].epoch == 20 && cell(&metrics, 1, "lr") == 1e-7);
    assert_true(cell(&metrics, 1, "seconds") == 1e6 && cell(&metrics, 1, "loss_c") == 0);
    assert_true(isnan(cell(&metrics, 0, "threshold")) && isnan(cell(&metrics, 0, "seconds")) && isnan(cell(&metrics, 1, "no_such_column")));
    assert_true(cell(&metrics, 0, "val_top1") == 33.3333333);
    cc_metrics_free(&metrics);
}

/* Reading and writing back must not change a character, or a resumed run would differ from one that never stopped. */
static void rewriting_is_exact(void **state)
{
    const char *path = scratch_path(*state, "metrics.csv");
    cc_metrics metrics;
    assert_int_equal(read_common(path, &metrics, NULL), CAMCL_OK);
    cc_rng rng = cc_rng_at(1, CC_RNG_BENCH, 0);
    size_t size = 0;
    for (uint64_t i = 0; i < 60; i++) {
        cc_metrics_row row = sample(&metrics, i);
        cc_metrics_set(&metrics, &row, "loss", cc_rng_normal(&rng) * pow(10, (double)cc_rng_below(&rng, 60) - 30));
        cc_metrics_set(&metrics, &row, "val_top1", 100 * cc_rng_unit(&rng));
        cc_metrics_set(&metrics, &row, "seconds", 1e5 * cc_rng_unit(&rng));
        cc_metrics_set(&metrics, &row, "loss_c", (double)(float)cc_rng_unit(&rng));
        assert_int_equal(cc_metrics_append(&metrics, path, &row, NULL), CAMCL_OK);
    }
    char *before = scratch_read(path, &size);
    cc_metrics_free(&metrics);
    assert_int_equal(read_common(path, &metrics, NULL), CAMCL_OK);
    cc_metrics_row extra = sample(&metrics, 1000);
    assert_int_equal(metrics.count, 60);
    assert_int_equal(cc_metrics_append(&metrics, path, &extra, NULL), CAMCL_OK);
    assert_int_equal(cc_metrics_drop_after(&metrics, path, 999, NULL), CAMCL_OK);
    assert_content(path, before);
    free(before);
    cc_metrics_free(&metrics);
}

static void resuming_drops_later_rows(void **state)
{
    const char *path = scratch_path(*state, "metrics.csv");
    cc_metrics metrics;
    camcl_error err = { 0 };
    assert_int_equal(read_common(path, &metrics, &err), CAMCL_OK);
    for (uint64_t step = 10; step <= 40; step += 10) {
        cc_metrics_row row = sample(&metrics, step);
        assert_int_equal(cc_metrics_append(&metrics, path, &row, &err), CAMCL_OK);
    }
    assert_int_equal(cc_metrics_drop_after(&metrics, path, 40, &err), CAMCL_OK);
    assert_int_equal(metrics.count, 4);
    assert_int_equal(cc_metrics_drop_after(&metrics, path, 25, &err), CAMCL_OK);
    assert_int_equal(metrics.count, 2);
    cc_metrics_free(&metrics);
    assert_int_equal(read_common(path, &metrics, &err), CAMCL_OK);
    assert_int_equal(metrics.count, 2);
    assert_int_equal(metrics.rows[1].step, 20);
    assert_int_equal(cc_metrics_drop_after(&metrics, path, 0, &err), CAMCL_OK);
    assert_content(path, HEADER);
    cc_metrics_free(&metrics);
}

/* ---- columns */

static const cc_objective_figure toy_figures[] = { { "fairness", "fairness loss", 0, 0, 1, 1 },
                                                   { "tau", "threshold of its own", 0, 2, 3, 100 } };
static const cc_objective_kind toy = {
    .name = "toy", .traits = CC_OBJECTIVE_UNLABELED, .sum_count = 1, .figures = toy_figures, .figure_count = 2
};

/* The fixed columns come first; an objective's own figures come last, and nothing comes twice. */
static void columns_of_a_run(void **state)
{
    (void)state;
    const cc_columns first = cc_columns_first(), plain = common(), own = cc_columns_of(&toy);
    assert_int_equal(first.count, 15);
    for (size_t i = 0; i < first.count; i++)
        assert_string_equal(plain.names[i], first.names[i]);
    assert_int_equal(own.count, plain.count + 2);
    assert_string_equal(own.names[plain.count], "fairness");
    assert_string_equal(own.names[plain.count + 1], "tau");
    size_t count;
    const camcl_metric *metrics = camcl_metric_list(&count);
    for (size_t i = 0; i < count; i++) {
        char name[CC_COLUMN_NAME];
        cc_columns_evaluated(metrics[i].name, name);
        assert_true(cc_columns_find(&plain, name) < plain.count);
    }
    const cc_training_figure *figures = cc_training_figures(&count);
    for (size_t i = 0; i < count; i++)
        assert_true(cc_columns_find(&plain, figures[i].column) < plain.count);
    for (size_t i = 0; i < own.count; i++)
        assert_int_equal(cc_columns_find(&own, own.names[i]), i);
    cc_columns full = first;
    for (char c = 'a'; full.count < CC_MOST_COLUMNS; c++)
        for (char d = 'a'; d <= 'z' && full.count < CC_MOST_COLUMNS; d++)
            assert_true(cc_columns_add(&full, (char[]){ c, d }, 2));
    assert_false(cc_columns_add(&full, "more", 4));
}

static void words_for_columns(void **state)
{
    (void)state;
    const struct {
        const char *column, *label;
        bool percent;
    } cases[] = { { "lr", "Learning rate", false },         { "mask_rate", "Mask rate", true },
                  { "loss_u", "Unlabelled loss", false },   { "val_top1", "Validation top-1", true },
                  { "val_loss", "Validation loss", false }, { "fairness", "fairness loss", false },
                  { "tau", "threshold of its own", true },  { "val_unknown", "val_unknown", false },
                  { "images_per_s", "Speed", false },       { "val_ece", "Validation calibration error", true } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const cc_column_text text = cc_column_describe(cases[i].column, &toy);
        assert_string_equal(text.label, cases[i].label);
        assert_int_equal(text.percent, cases[i].percent);
    }
    assert_string_equal(cc_column_describe("tau", NULL).label, "tau");
    assert_string_equal(cc_column_describe("global_threshold", NULL).label, "global threshold"); /* freematch's */
}

/* A file of the first version goes on with further columns, and one of a later version keeps what this one does not know. */
static void files_of_other_versions(void **state)
{
    const char *path = scratch_path(*state, "metrics.csv");
    const cc_columns columns = cc_columns_of(&toy);
    cc_metrics metrics;
    camcl_error err = { 0 };
    const char *old = FIRST_HEADER "\n10,1,0.03,,2.5,,,,,,,,,,,,7\n";
    scratch_write(path, old, strlen(old));
    assert_int_equal(cc_metrics_read(path, &columns, &metrics, &err), CAMCL_OK);
    cc_metrics_row row = cc_metrics_row_at(20, 2);
    cc_metrics_set(&metrics, &row, "fairness", 0.5);
    assert_int_equal(cc_metrics_append(&metrics, path, &row, &err), CAMCL_OK);
    assert_content(path, "step,epoch,lr,threshold,loss,loss_s,loss_u,loss_c,mask_rate,pseudo_acc,train_top1,"
                         "val_loss,val_top1,val_top3,val_top5,images_per_s,seconds,val_ece,fairness,tau\n"
                         "10,1,0.03,,2.5,,,,,,,,,,,,7,,,\n20,2,,,,,,,,,,,,,,,,,0.5,\n");
    cc_metrics_free(&metrics);

    const char *later = LONGER ",fairness\n10,1,0.03,,,,,,,,,,,,,,7,8,9\n";
    scratch_write(path, later, strlen(later));
    assert_int_equal(cc_metrics_read(path, NULL, &metrics, &err), CAMCL_OK);
    assert_int_equal(metrics.columns.count, 17);
    assert_true(cell(&metrics, 0, "new") == 8 && cell(&metrics, 0, "fairness") == 9);
    cc_metrics_free(&metrics);
    assert_int_equal(cc_metrics_read(path, &columns, &metrics, &err), CAMCL_OK);
    row = cc_metrics_row_at(20, 2);
    cc_metrics_set(&metrics, &row, "tau", 50);
    assert_int_equal(cc_metrics_append(&metrics, path, &row, &err), CAMCL_OK);
    assert_content(path, "step,epoch,lr,threshold,loss,loss_s,loss_u,loss_c,mask_rate,pseudo_acc,train_top1,"
                         "val_loss,val_top1,val_top3,val_top5,images_per_s,seconds,val_ece,fairness,tau,new\n"
                         "10,1,0.03,,,,,,,,,,,,,,7,,9,,8\n20,2,,,,,,,,,,,,,,,,,,50,\n");
    cc_metrics_free(&metrics);
}

static void failures_change_nothing(void **state)
{
    const char *path = scratch_path(*state, "metrics.csv");
    cc_metrics metrics;
    camcl_error err = { 0 };
    assert_int_equal(read_common(path, &metrics, &err), CAMCL_OK);
    cc_metrics_row first = sample(&metrics, 10), second = sample(&metrics, 20);
    size_t size = 0;
    assert_int_equal(cc_metrics_append(&metrics, path, &first, &err), CAMCL_OK);
    char *before = scratch_read(path, &size);
    scratch_limit_files(20);
    camcl_status append = cc_metrics_append(&metrics, path, &second, &err), drop = cc_metrics_drop_after(&metrics, path, 5, &err);
    scratch_unlimit_files();
    assert_int_equal(append, CAMCL_IO);
    assert_int_equal(drop, CAMCL_IO);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(metrics.count, 1);
    assert_content(path, before);
    assert_int_equal(scratch_entries(*state), 1);
    free(before);
    cc_metrics_free(&metrics);
}

static void damaged_metrics(void **state)
{
    const char *path = scratch_path(*state, "metrics.csv");
    static const struct {
        const char *text;
        unsigned line;
    } cases[] = {
        { "step,epoch\n", 1 },
        { "x", 1 },
        { "\n", 1 },
        { FIRST_HEADER "\n\n", 2 },
        { FIRST_HEADER "\n1,1,,,,,,,,,,,,,,\n", 2 },
        { FIRST_HEADER "\n1,1,,,,,,,,,,,,,,,,\n", 2 },
        { FIRST_HEADER "\n,1,,,,,,,,,,,,,,,\n", 2 },
        { FIRST_HEADER "\n1,-1,,,,,,,,,,,,,,,\n", 2 },
        { FIRST_HEADER "\n1,1,x,,,,,,,,,,,,,,\n", 2 },
        { FIRST_HEADER "\n1,1,,,,,,,,,,,,,,,\n1,1,1e,,,,,,,,,,,,,,\n", 3 },
        { FIRST_HEADER "\n1,1,,,,,,,,,,,,,,,5", 2 },
        { FIRST_HEADER "\n1,1,nan,,,,,,,,,,,,,,\n", 2 },
        { FIRST_HEADER "\n99999999999999999999,1,,,,,,,,,,,,,,,\n", 2 },
        { FIRST_HEADER "\n1,1,[1],,,,,,,,,,,,,,\n", 2 },
        { LONGER ",\n", 1 },
        { LONGER ",new\n", 1 },
        { LONGER ",Loss\n", 1 },
        { LONGER ",a column with a name that is none\n", 1 },
        { LONGER ",a_column_with_a_name_that_is_too_long\n", 1 },
        { LONGER "\n1,1,,,,,,,,,,,,,,,\n", 2 },
        { LONGER "\n1,1,,,,,,,,,,,,,,,,x\n", 2 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cc_metrics metrics;
        camcl_error err = { 0 };
        char where[32];
        snprintf(where, sizeof where, "line %u:", cases[i].line);
        scratch_write(path, cases[i].text, strlen(cases[i].text));
        if (read_common(path, &metrics, &err) != CAMCL_BAD_DATA) fail_msg("accepted: %s", cases[i].text);
        assert_non_null(strstr(err.message, path));
        if (strstr(err.message, where) == NULL) fail_msg("%s: %s", cases[i].text, err.message);
        cc_metrics_free(&metrics);
    }
    cc_metrics metrics;
    assert_int_equal(read_common(*state, &metrics, NULL), CAMCL_IO);
    cc_metrics_free(&metrics);
}

static void result_round_trip(void **state)
{
    const char *path = scratch_path(*state, "result.json");
    cc_result result = cc_result_nothing(), back;
    camcl_error err = { 0 };
    result.best_epoch = 18;
    result.best_val_top1 = 71.24;
    *cc_evaluation_at(&result.test, "loss") = 0.9;
    *cc_evaluation_at(&result.test, "top1") = 70.5;
    result.seconds = 151.25;
    strcpy(result.device, "A \"quoted\" \\ device");
    result.test.n = 200;
    assert_int_equal(cc_result_write(path, &result, NULL, NULL, &err), CAMCL_OK);
    assert_content(path, "{\n  \"best\": {\"epoch\": 18, \"val_top1\": 71.24},\n"
                         "  \"test\": {\"n\": 200, \"loss\": 0.9, \"top1\": 70.5, \"top3\": null, \"top5\": null, \"ece\": null},\n"
                         "  \"interval\": {\"top1\": [63.8412855, 76.3860561], \"top3\": [null, null], \"top5\": [null, null]},\n"
                         "  \"seconds\": 151.25,\n  \"device\": \"A \\\"quoted\\\" \\\\ device\"\n}\n");
    strcpy(result.mode, "gradcam");
    strcpy(result.arch, "resnet18");
    strcpy(result.preset, "corrected");
    result.width = 16;
    result.labeled = 500;
    result.unlabeled = 1000;
    assert_int_equal(cc_result_write(path, &result, NULL, NULL, &err), CAMCL_OK);
    assert_int_equal(cc_result_read(path, &back, &err), CAMCL_OK);
    assert_true(back.test.n == 200 && !back.has_reliability);
    assert_true(back.best_epoch == 18 && back.best_val_top1 == 71.24 && camcl_evaluation_get(&back.test, "loss") == 0.9 &&
                camcl_evaluation_get(&back.test, "top1") == 70.5);
    assert_true(isnan(camcl_evaluation_get(&back.test, "top3")) && isnan(camcl_evaluation_get(&back.test, "top5")) &&
                back.seconds == 151.25);
    assert_true(back.width == 16 && back.labeled == 500 && back.unlabeled == 1000);
    assert_string_equal(back.device, result.device);
    assert_string_equal(back.mode, "gradcam");
    assert_string_equal(back.arch, "resnet18");
    assert_string_equal(back.preset, "corrected");
}

/* Three classes, of which the last has no image and is never predicted. */
static void result_in_detail(void **state)
{
    const char *path = scratch_path(*state, "result.json");
    const char *const names[] = { "cat", "a \"dog\"", "fish" };
    uint64_t confusion[] = { 3, 1, 0, 2, 4, 0, 0, 0, 0 };
    const camcl_breakdown breakdown = { 3, 10, confusion, { { 0 } } };
    cc_result result = cc_result_nothing(), back;
    camcl_error err = { 0 };
    result.has_reliability = true;
    for (size_t b = 0; b < CAMCL_RELIABILITY_BINS; b++)
        result.reliability[b] = (camcl_reliability_bin){ 0, NAN, NAN };
    result.reliability[14] = (camcl_reliability_bin){ 10, 98.5, 70 };
    assert_int_equal(cc_result_write(path, &result, &breakdown, names, &err), CAMCL_OK);
    size_t size;
    char *text = scratch_read(path, &size);
    const char *const parts[] = {
        "{\"class\": \"cat\", \"n\": 4, \"predicted\": 5, \"right\": 3, \"precision\": 60, \"recall\": 75}",
        "{\"class\": \"a \\\"dog\\\"\", \"n\": 6, \"predicted\": 5, \"right\": 4, \"precision\": 80, \"recall\": 66.6666667}",
        "{\"class\": \"fish\", \"n\": 0, \"predicted\": 0, \"right\": 0, \"precision\": null, \"recall\": null}",
        "{\"from\": 0, \"to\": 6.66666667, \"n\": 0, \"confidence\": null, \"accuracy\": null}",
        "{\"from\": 93.3333333, \"to\": 100, \"n\": 10, \"confidence\": 98.5, \"accuracy\": 70}",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(text, parts[i]) == NULL) fail_msg("%s is missing in %s", parts[i], text);
    free(text);
    assert_int_equal(cc_result_read(path, &back, &err), CAMCL_OK);
    assert_true(back.has_reliability && back.reliability[14].n == 10 && back.reliability[14].accuracy == 70);
    assert_true(back.reliability[3].n == 0 && isnan(back.reliability[3].confidence));
    /* Bins of another version are not shown as if they were these. */
    const char *fewer = "{\"reliability\": [{\"n\": 1, \"confidence\": 2, \"accuracy\": 3}]}";
    scratch_write(path, fewer, strlen(fewer));
    assert_int_equal(cc_result_read(path, &back, &err), CAMCL_OK);
    assert_false(back.has_reliability);
}

/* ---- pseudo_labels.csv */

#define PSEUDO_HEAD "step,epoch,class,seen,confident,known,right\n"
static const char *const pseudo_names[] = { "cat", "dog, large" };

static void pseudo_labels_round_trip(void **state)
{
    const char *path = scratch_path(*state, "pseudo_labels.csv");
    cc_pseudo_labels labels;
    camcl_error err = { 0 };
    const double first[] = { 3, 2, 1, 0, 0, 0 }, second[] = { 4.25, 4.25, 4, 1.0 / 3, 0, 0 }, unknown[] = { 1, 1, 1, NAN, 1, 1 };
    assert_int_equal(cc_pseudo_labels_read(path, 2, pseudo_names, &labels, &err), CAMCL_OK); /* no file: no evaluations */
    assert_int_equal(labels.count, 0);
    assert_int_equal(cc_pseudo_labels_append(&labels, path, &(cc_pseudo_evaluation){ 10, 1, 64 }, first, &err), CAMCL_OK);
    assert_int_equal(cc_pseudo_labels_append(&labels, path, &(cc_pseudo_evaluation){ 20, 2, 64 }, unknown, &err), CAMCL_OK);
    assert_int_equal(labels.count, 1); /* what is not known is no row */
    assert_int_equal(cc_pseudo_labels_append(&labels, path, &(cc_pseudo_evaluation){ 30, 3, 65 }, second, &err), CAMCL_OK);
    const char *whole = PSEUDO_HEAD "10,1,cat,64,3,2,1\n10,1,\"dog, large\",64,0,0,0\n"
                                    "30,3,cat,65,4.25,4.25,4\n30,3,\"dog, large\",65,0.333333333,0,0\n";
    assert_content(path, whole);
    assert_int_equal(scratch_entries(*state), 1);
    cc_pseudo_labels_free(&labels);

    /* Reading without knowing the classes; then writing back the same text. */
    assert_int_equal(cc_pseudo_labels_read(path, 0, NULL, &labels, &err), CAMCL_OK);
    assert_int_equal(labels.classes, 2);
    assert_string_equal(labels.names[1], "dog, large");
    assert_int_equal(labels.count, 2);
    assert_true(labels.evaluations[1].step == 30 && labels.evaluations[1].epoch == 3 && labels.evaluations[1].seen == 65);
    assert_true(labels.counts[2 * CC_PSEUDO_SUMS + CC_PSEUDO_RIGHT] == 4 && labels.counts[CC_PSEUDO_KNOWN] == 2);
    assert_int_equal(cc_pseudo_labels_append(&labels, path, &(cc_pseudo_evaluation){ 40, 4, 1 }, first, &err), CAMCL_OK);
    assert_int_equal(cc_pseudo_labels_drop_after(&labels, path, 39, &err), CAMCL_OK);
    assert_content(path, whole);
    assert_int_equal(cc_pseudo_labels_drop_after(&labels, path, 0, &err), CAMCL_OK);
    assert_content(path, PSEUDO_HEAD);
    cc_pseudo_labels_free(&labels);
    assert_int_equal(cc_pseudo_labels_read(path, 2, pseudo_names, &labels, &err), CAMCL_OK);
    assert_int_equal(labels.count, 0);
    cc_pseudo_labels_free(&labels);
}

static void damaged_pseudo_labels(void **state)
{
    const char *path = scratch_path(*state, "pseudo_labels.csv");
    static const struct {
        const char *text;
        unsigned line;
    } cases[] = {
        { "", 1 },
        { "step,epoch\n", 1 },
        { PSEUDO_HEAD "10,1,cat,64,3,2,1\n", 3 },                               /* a class is missing */
        { PSEUDO_HEAD "10,1,cat,64,3,2,1\n10,1,fish,64,0,0,0\n", 3 },           /* another class */
        { PSEUDO_HEAD "10,1,cat,64,3,2,1\n20,1,\"dog, large\",64,0,0,0\n", 3 }, /* of another step */
        { PSEUDO_HEAD "10,1,cat,64,3,2\n10,1,\"dog, large\",64,0,0,0\n", 2 },   /* a cell is missing */
        { PSEUDO_HEAD "10,1,cat,64,3,2,x\n10,1,\"dog, large\",64,0,0,0\n", 2 },
        { PSEUDO_HEAD "10,1,cat,64,-3,2,1\n10,1,\"dog, large\",64,0,0,0\n", 2 },
        { PSEUDO_HEAD "1.5,1,cat,64,3,2,1\n1.5,1,\"dog, large\",64,0,0,0\n", 2 },
        { PSEUDO_HEAD "10,1,cat,64,3,2,1\n10,1,\"dog, large\",64,0,0,0\n10,1,cat,64,3,2,1\n", 4 }, /* the same step again */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cc_pseudo_labels labels;
        camcl_error err = { 0 };
        char where[32];
        snprintf(where, sizeof where, "line %u:", cases[i].line);
        scratch_write(path, cases[i].text, strlen(cases[i].text));
        if (cc_pseudo_labels_read(path, 2, pseudo_names, &labels, &err) != CAMCL_BAD_DATA) fail_msg("accepted: %s", cases[i].text);
        if (strstr(err.message, path) == NULL || strstr(err.message, where) == NULL) fail_msg("%s: %s", cases[i].text, err.message);
        cc_pseudo_labels_free(&labels);
        (void)cc_pseudo_labels_read(path, 0, NULL, &labels, &err); /* the report shows what comes before; nothing may crash */
        cc_pseudo_labels_free(&labels);
    }
}

static void result_of_others(void **state)
{
    const char *path = scratch_path(*state, "result.json");
    cc_result result;
    camcl_error err = { 0 };
    const char *sparse = "{\"best\": 3, \"test\": {\"top1\": \"x\"}, \"new\": [], \"device\": 7, "
                         "\"mode\": \"0123456789012345678901234567890\xc3\xa9 too long\"}";
    scratch_write(path, sparse, strlen(sparse));
    assert_int_equal(cc_result_read(path, &result, &err), CAMCL_OK);
    assert_true(isnan(result.best_epoch) && isnan(camcl_evaluation_get(&result.test, "top1")) && isnan(result.seconds));
    assert_string_equal(result.device, "");
    assert_string_equal(result.mode, "0123456789012345678901234567890"); /* cut before the character that does not fit */
    static const char *const bad[] = { "", "[1]", "{\"best\": }", "{} x" };
    for (size_t i = 0; i < 4; i++) {
        scratch_write(path, bad[i], strlen(bad[i]));
        assert_int_equal(cc_result_read(path, &result, &err), CAMCL_BAD_DATA);
        assert_non_null(strstr(err.message, path));
    }
    assert_int_equal(cc_result_read(scratch_path(*state, "none"), &result, &err), CAMCL_IO);
}

static void confusion_round_trip(void **state)
{
    const char *path = scratch_path(*state, "confusion.csv");
    const char *const names[3] = { "cat", "say \"hi\", dog\nand more", "" };
    const uint64_t counts[9] = { 5, 1, 0, 2, UINT64_C(12345678901), 3, 0, 0, 7 };
    cc_confusion confusion;
    camcl_error err = { 0 };
    assert_int_equal(cc_confusion_write(path, 3, names, counts, &err), CAMCL_OK);
    assert_content(path, "true\\predicted,cat,\"say \"\"hi\"\", dog\nand more\",\"\"\ncat,5,1,0\n"
                         "\"say \"\"hi\"\", dog\nand more\",2,12345678901,3\n\"\",0,0,7\n");
    if (cc_confusion_read(path, &confusion, &err) != CAMCL_OK) fail_msg("%s", err.message);
    assert_int_equal(confusion.classes, 3);
    for (int i = 0; i < 3; i++)
        assert_string_equal(confusion.names[i], names[i]);
    assert_memory_equal(confusion.counts, counts, sizeof counts);
    cc_confusion_free(&confusion);

    const char *crlf = "t,a,b\r\na,1,2\r\nb,3,4"; /* as a spreadsheet may save it */
    scratch_write(path, crlf, strlen(crlf));
    if (cc_confusion_read(path, &confusion, &err) != CAMCL_OK) fail_msg("%s", err.message);
    assert_string_equal(confusion.names[1], "b");
    assert_true(confusion.counts[3] == 4);
    cc_confusion_free(&confusion);
}

static void damaged_confusion(void **state)
{
    const char *path = scratch_path(*state, "confusion.csv");
    static const char *const bad[] = {
        "",
        "\n",
        "t\n",
        "t,a",
        "t,a\n",
        "t,a\nb,1\n",
        "t,a\na,x\n",
        "t,a\na,\n",
        "t,a\na,1,2\n",
        "t,a\na,1\nb,2\n",
        "t,a,b\na,1,2\n",
        "t,a,b\na,1\nb,1,2\n",
        "t,\"a\na,1\n",
        "t,a\na,-1\n",
        "t,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n",
        "t,a\na,99999999999999999999\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cc_confusion confusion;
        camcl_error err = { 0 };
        scratch_write(path, bad[i], strlen(bad[i]));
        if (cc_confusion_read(path, &confusion, &err) != CAMCL_BAD_DATA) fail_msg("accepted: %s", bad[i]);
        assert_non_null(strstr(err.message, path));
        cc_confusion_free(&confusion);
    }
    cc_confusion confusion;
    scratch_write(path, "t,a\na,1\n\0\0", 10);
    assert_int_equal(cc_confusion_read(path, &confusion, NULL), CAMCL_BAD_DATA);
    cc_confusion_free(&confusion);
    assert_int_equal(cc_confusion_read(scratch_path(*state, "none"), &confusion, NULL), CAMCL_IO);
    cc_confusion_free(&confusion);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
        TEST(exact_text),        TEST(rewriting_is_exact),       TEST(resuming_drops_later_rows), TEST(failures_change_nothing),
        TEST(damaged_metrics),   TEST(result_round_trip),        TEST(result_of_others),          TEST(confusion_round_trip),
        TEST(damaged_confusion), TEST(columns_of_a_run),         TEST(words_for_columns),         TEST(files_of_other_versions),
        TEST(result_in_detail),  TEST(pseudo_labels_round_trip), TEST(damaged_pseudo_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
