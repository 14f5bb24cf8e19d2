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
#include "run/metrics.h"

#define HEADER                                                                                                                             \
    "step,epoch,lr,threshold,loss,loss_s,loss_u,loss_c,mask_rate,pseudo_acc,train_top1,"                                                   \
    "val_loss,val_top1,val_top3,val_top5,images_per_s,seconds\n"

static void assert_content(const char *path, const char *expected)
{
    size_t size = 0;
    char *data = scratch_read(path, &size);
    assert_non_null(data);
    assert_string_equal(data, expected);
    free(data);
}

static cc_metrics_row sample(uint64_t step)
{
    cc_metrics_row row = cc_metrics_nothing;
    row.step = step;
    row.epoch = step / 10;
    row.lr = 0.03;
    row.loss = 2.5;
    row.val_top1 = 100.0 / 3;
    return row;
}

static void exact_text(void **state)
{
    const char *path = scratch_path(*state, "metrics.csv");
    cc_metrics metrics;
    camcl_error err = { 0 };
    cc_metrics_row full = { 3000000000u, 20, 1e-7, 0.95, 1, 2, 0, -0.0, 12.5, 99, 50, 1.25, 33.25, 60, 70, 1234.5678, 1e6 };
    cc_metrics_row one = sample(10);
    one.threshold = INFINITY;                                          /* not a number that anyone could use */
    assert_int_equal(cc_metrics_read(path, &metrics, &err), CAMCL_OK); /* no file: no rows */
    assert_int_equal(metrics.count, 0);
    assert_int_equal(cc_metrics_append(&metrics, path, &one, &err), CAMCL_OK);
    assert_content(path, HEADER "10,1,0.03,,2.5,,,,,,,,33.3333333,,,,\n");
    assert_int_equal(cc_metrics_append(&metrics, path, &full, &err), CAMCL_OK);
    assert_content(path, HEADER "10,1,0.03,,2.5,,,,,,,,33.3333333,,,,\n"
                                "3000000000,20,1e-07,0.95,1,2,0,-0,12.5,99,50,1.25,33.25,60,70,1234.5678,1000000\n");
    assert_int_equal(scratch_entries(*state), 1);
    cc_metrics_free(&metrics);
    assert_int_equal(cc_metrics_read(path, &metrics, &err), CAMCL_OK);
    assert_int_equal(metrics.count, 2);
    assert_true(metrics.rows[1].step == 3000000000u && metrics.rows[1].epoch == 20 && metrics.rows[1].lr == 1e-7);
    assert_true(metrics.rows[1].seconds == 1e6 && metrics.rows[1].loss_c == 0);
    assert_true(isnan(metrics.rows[0].threshold) && isnan(metrics.rows[0].seconds));
    assert_true(metrics.rows[0].val_top1 == 33.3333333);
    cc_metrics_free(&metrics);
}

/* Reading and writing back must not change a character, or a resumed run would differ from one that never stopped. */
static void rewriting_is_exact(void **state)
{
    const char *path = scratch_path(*state, "metrics.csv");
    cc_metrics metrics = { 0 };
    cc_rng rng = cc_rng_at(1, CC_RNG_BENCH, 0);
    size_t size = 0;
    for (uint64_t i = 0; i < 60; i++) {
        cc_metrics_row row = sample(i);
        row.loss = cc_rng_normal(&rng) * pow(10, (double)cc_rng_below(&rng, 60) - 30);
        row.val_top1 = 100 * cc_rng_unit(&rng);
        row.seconds = 1e5 * cc_rng_unit(&rng);
        row.loss_c = (double)(float)cc_rng_unit(&rng);
        assert_int_equal(cc_metrics_append(&metrics, path, &row, NULL), CAMCL_OK);
    }
    char *before = scratch_read(path, &size);
    cc_metrics_free(&metrics);
    cc_metrics_row extra = sample(1000);
    assert_int_equal(cc_metrics_read(path, &metrics, NULL), CAMCL_OK);
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
    cc_metrics metrics = { 0 };
    camcl_error err = { 0 };
    for (uint64_t step = 10; step <= 40; step += 10) {
        cc_metrics_row row = sample(step);
        assert_int_equal(cc_metrics_append(&metrics, path, &row, &err), CAMCL_OK);
    }
    assert_int_equal(cc_metrics_drop_after(&metrics, path, 40, &err), CAMCL_OK);
    assert_int_equal(metrics.count, 4);
    assert_int_equal(cc_metrics_drop_after(&metrics, path, 25, &err), CAMCL_OK);
    assert_int_equal(metrics.count, 2);
    cc_metrics_free(&metrics);
    assert_int_equal(cc_metrics_read(path, &metrics, &err), CAMCL_OK);
    assert_int_equal(metrics.count, 2);
    assert_int_equal(metrics.rows[1].step, 20);
    assert_int_equal(cc_metrics_drop_after(&metrics, path, 0, &err), CAMCL_OK);
    assert_content(path, HEADER);
    cc_metrics_free(&metrics);
}

static void failures_change_nothing(void **state)
{
    const char *path = scratch_path(*state, "metrics.csv");
    cc_metrics metrics = { 0 };
    camcl_error err = { 0 };
    cc_metrics_row first = sample(10), second = sample(20);
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
        { HEADER "\n", 2 },
        { HEADER "1,1,,,,,,,,,,,,,,\n", 2 },
        { HEADER "1,1,,,,,,,,,,,,,,,,\n", 2 },
        { HEADER ",1,,,,,,,,,,,,,,,\n", 2 },
        { HEADER "1,-1,,,,,,,,,,,,,,,\n", 2 },
        { HEADER "1,1,x,,,,,,,,,,,,,,\n", 2 },
        { HEADER "1,1,,,,,,,,,,,,,,,\n1,1,1e,,,,,,,,,,,,,,\n", 3 },
        { HEADER "1,1,,,,,,,,,,,,,,,5", 2 },
        { HEADER "1,1,nan,,,,,,,,,,,,,,\n", 2 },
        { HEADER "99999999999999999999,1,,,,,,,,,,,,,,,\n", 2 },
        { HEADER "1,1,[1],,,,,,,,,,,,,,\n", 2 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cc_metrics metrics;
        camcl_error err = { 0 };
        char where[32];
        snprintf(where, sizeof where, "line %u:", cases[i].line);
        scratch_write(path, cases[i].text, strlen(cases[i].text));
        if (cc_metrics_read(path, &metrics, &err) != CAMCL_BAD_DATA) fail_msg("accepted: %s", cases[i].text);
        assert_non_null(strstr(err.message, path));
        if (strstr(err.message, where) == NULL) fail_msg("%s: %s", cases[i].text, err.message);
        cc_metrics_free(&metrics);
    }
    cc_metrics metrics;
    assert_int_equal(cc_metrics_read(*state, &metrics, NULL), CAMCL_IO);
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
    assert_int_equal(cc_result_write(path, &result, &err), CAMCL_OK);
    assert_content(path, "{\n  \"best\": {\"epoch\": 18, \"val_top1\": 71.24},\n"
                         "  \"test\": {\"loss\": 0.9, \"top1\": 70.5, \"top3\": null, "
                         "\"top5\": null},\n  \"seconds\": 151.25,\n  \"device\": \"A \\\"quoted\\\" \\\\ device\"\n}\n");
    strcpy(result.mode, "gradcam");
    strcpy(result.arch, "resnet18");
    strcpy(result.preset, "corrected");
    result.width = 16;
    result.labeled = 500;
    result.unlabeled = 1000;
    assert_int_equal(cc_result_write(path, &result, &err), CAMCL_OK);
    assert_int_equal(cc_result_read(path, &back, &err), CAMCL_OK);
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
        TEST(exact_text),        TEST(rewriting_is_exact), TEST(resuming_drops_later_rows), TEST(failures_change_nothing),
        TEST(damaged_metrics),   TEST(result_round_trip),  TEST(result_of_others),          TEST(confusion_round_trip),
        TEST(damaged_confusion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
