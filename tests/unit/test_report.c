/* The report page: well-formed, self-contained, complete where the runs are, and a sentence where they are not. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/evaluation.h"
#include "base/file.h"
#include "camcl/config.h"
#include "camcl/report.h"
#include "support/scratch.h"
#include "run/metrics.h"
#include "report/html.h"

/* ---- runs to report on ---- */

static void write_metrics(const char *dir, size_t rows, bool semi)
{
    cc_metrics metrics;
    const char *path = scratch_path(dir, "metrics.csv");
    assert_int_equal(cc_metrics_read(path, NULL, &metrics, NULL), CAMCL_OK);
    metrics.count = 0;
    for (size_t i = 1; i <= rows; i++) {
        cc_metrics_row row = cc_metrics_row_at(40 * i, i);
        cc_metrics_set(&metrics, &row, "lr", 0.03);
        cc_metrics_set(&metrics, &row, "loss", 2.0 / (double)i);
        cc_metrics_set(&metrics, &row, "loss_s", 2.0 / (double)i);
        cc_metrics_set(&metrics, &row, "val_loss", 2.2);
        cc_metrics_set(&metrics, &row, "val_top1", 10 + 50 * (1 - exp(-0.2 * (double)i)));
        cc_metrics_set(&metrics, &row, "train_top1", 99);
        if (semi && i > 2) cc_metrics_set(&metrics, &row, "loss_u", 0.5);
        if (semi && i > 2) cc_metrics_set(&metrics, &row, "pseudo_acc", 88);
        if (semi) cc_metrics_set(&metrics, &row, "mask_rate", 3 * (double)i);
        assert_int_equal(cc_metrics_append(&metrics, path, &row, NULL), CAMCL_OK);
    }
    cc_metrics_free(&metrics);
}

static void write_result(const char *dir, const char *mode, double top1, const char *device)
{
    cc_result result = cc_result_nothing();
    result.best_epoch = 12;
    result.best_val_top1 = 61.5;
    *cc_evaluation_at(&result.test, "loss") = 3 - top1 / 50;
    *cc_evaluation_at(&result.test, "top1") = top1;
    *cc_evaluation_at(&result.test, "top3") = 80;
    result.seconds = 3725;
    result.labeled = 500;
    result.unlabeled = 12345;
    result.width = 16;
    snprintf(result.device, sizeof result.device, "%s", device);
    snprintf(result.mode, sizeof result.mode, "%s", mode);
    snprintf(result.arch, sizeof result.arch, "resnet18");
    assert_int_equal(cc_result_write(scratch_path(dir, "result.json"), &result, NULL), CAMCL_OK);
}

static void write_config(const char *dir, const char *mode)
{
    camcl_config *config = NULL;
    char *text = NULL;
    assert_int_equal(camcl_config_create(&config, NULL), CAMCL_OK);
    assert_int_equal(camcl_config_set(config, "ssl.mode", mode, NULL, NULL), CAMCL_OK);
    assert_int_equal(camcl_config_set(config, "train.seed", "77", NULL, NULL), CAMCL_OK);
    assert_int_equal(camcl_config_write(config, &text, NULL), CAMCL_OK);
    scratch_write(scratch_path(dir, "config.ini"), text, strlen(text));
    free(text);
    camcl_config_destroy(&config);
}

static const char tiny_png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x20\0\0\0\x10rest of the file";

static void write_run(const char *dir, const char *mode, double top1)
{
    const char *const names[3] = { "cat", "dog", "<b>bird</b>" };
    const uint64_t counts[9] = { 30, 3, 7, 1, 39, 0, 12, 8, 0 };
    const char *cams = scratch_path(dir, "cams");
    assert_int_equal(cc_make_folders(cams, NULL), CAMCL_OK);
    write_metrics(dir, 20, strcmp(mode, "supervised") != 0);
    write_result(dir, mode, top1, "A <device> & \"more\"");
    write_config(dir, mode);
    assert_int_equal(cc_confusion_write(scratch_path(dir, "confusion.csv"), 3, names, counts, NULL), CAMCL_OK);
    scratch_write(scratch_path(cams, "00001_overlay.png"), tiny_png, sizeof tiny_png);
    scratch_write(scratch_path(cams, "00001_cam.png"), tiny_png, sizeof tiny_png);
    scratch_write(scratch_path(cams, "00002_overlay.png"), tiny_png, sizeof tiny_png);
    scratch_write(scratch_path(cams, ".hidden.png"), "x", 1);
    scratch_write(scratch_path(cams, "notes.txt"), "x", 1);
}

/* ---- looking at pages ---- */

static char *read_page(const char *path)
{
    size_t size = 0;
    char *page = scratch_read(path, &size);
    assert_non_null(page);
    assert_int_equal(strlen(page), size);
    return page;
}

static size_t occurrences(const char *page, const char *what)
{
    size_t count = 0;
    for (const char *at = page; (at = strstr(at, what)) != NULL; at += strlen(what))
        count++;
    return count;
}

static void assert_has(const char *page, const char *what)
{
    if (strstr(page, what) == NULL) fail_msg("the page lacks: %s", what);
}

static void assert_lacks(const char *page, const char *what)
{
    const char *at = strstr(page, what);
    if (at != NULL) fail_msg("the page has: %.80s", at);
}

/* Every element is closed in order, every attribute quoted, and no '<' or stray '&' is left in text. */
static void assert_well_formed(const char *page)
{
    char stack[64][16];
    size_t depth = 0;
    assert_int_equal(strncmp(page, "<!DOCTYPE html>\n", 16), 0);
    for (const char *at = page + 16; *at != '\0'; at++) {
        if (*at == '&' && strspn(at + 1, "#0123456789abcdefghijklmnopqrstuvwxyz") + 1 != strcspn(at, ";")) fail_msg("stray &: %.40s", at);
        if (*at != '<') continue;
        bool closing = at[1] == '/';
        const char *name = at + 1 + closing;
        size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz123");
        if (length == 0 || length > 15) fail_msg("no element: %.40s", at);
        const char *end = name + length;
        for (bool quoted = false; *end != '\0' && (quoted || *end != '>'); end++) {
            if (*end == '"')
                quoted = !quoted;
            else if (*end == '<')
                fail_msg("'<' inside an element: %.60s", at);
            else if (*end == '=' && !quoted && end[1] != '"')
                fail_msg("unquoted attribute: %.60s", at);
        }
        assert_int_equal(*end, '>');
        bool empty = end[-1] == '/' || (length == 4 && strncmp(name, "meta", 4) == 0) || (length == 3 && strncmp(name, "img", 3) == 0) ||
                     (length == 2 && strncmp(name, "br", 2) == 0);
        if (closing) {
            if (depth == 0 || strncmp(stack[depth - 1], name, length) != 0 || stack[depth - 1][length] != '\0')
                fail_msg("closed out of order: %.40s (open: %s)", at, depth > 0 ? stack[depth - 1] : "nothing");
            depth--;
        } else if (!empty) {
            assert_true(depth < 64);
            snprintf(stack[depth++], sizeof stack[0], "%.*s", (int)length, name);
        }
        at = end;
    }
    assert_int_equal(depth, 0);
}

/* Opens from a disk without a network: nothing is fetched, nothing is run. */
static void assert_self_contained(const char *page)
{
    static const char *const banned[] = { "http:",   "https:", "=\"//",    "<script", "<link", "<iframe",
                                          "@import", "url(",   " onclick", " onload", " href" };
    for (size_t i = 0; i < sizeof banned / sizeof *banned; i++)
        assert_lacks(page, banned[i]);
    assert_int_equal(occurrences(page, " src=\""), occurrences(page, " src=\"data:image/png;base64,"));
    assert_lacks(page, "nan");
    assert_lacks(page, "inf\"");
}

static char *report(const char *const *dirs, size_t count, const char *output)
{
    camcl_error err = { 0 };
    if (camcl_report_write(dirs, count, output, &err) != CAMCL_OK) fail_msg("%s", err.message);
    char *page = read_page(output != NULL ? output : scratch_path(dirs[0], "report.html"));
    assert_well_formed(page);
    assert_self_contained(page);
    return page;
}

/* ---- tests ---- */

static void one_run(void **state)
{
    const char *dir = scratch_path(*state, "nice & <script>run");
    assert_int_equal(cc_make_folders(dir, NULL), CAMCL_OK);
    write_run(dir, "gradcam", 69);
    char *page = report(&dir, 1, NULL);
    assert_has(page, "<h1>nice &amp; &lt;script&gt;run</h1>");
    assert_has(page, "resnet18, width 16");
    assert_has(page, "mode gradcam");
    assert_has(page, "500 labelled and 12,345 unlabelled images");
    assert_has(page, "A &lt;device&gt; &amp; &quot;more&quot;");
    assert_has(page, "69.0<small> %</small>");
    assert_has(page, "\xc2\xb1 4.6 of 100 images"); /* sqrt(0.69 * 0.31 / 100) */
    assert_has(page, "61.5<small> %</small></b><i>epoch 12</i>");
    assert_has(page, "1 h 02 min");
    static const char *const charts[] = { "Accuracy", "Loss", "Pseudo-labels", "Learning rate" };
    for (size_t i = 0; i < 4; i++) {
        char heading[64];
        snprintf(heading, sizeof heading, "<h3>%s</h3>", charts[i]);
        assert_has(page, heading);
    }
    assert_lacks(page, "<h3>CAM consistency</h3>"); /* no value in any row */
    assert_has(page, "epoch 20, step 800");
    assert_has(page, "&lt;b&gt;bird&lt;/b&gt;");
    assert_has(page, "<td class=\"rate\">75 %</td>");
    assert_has(page, "&lt;b&gt;bird&lt;/b&gt; taken for cat: 60 % (12)");
    assert_int_equal(occurrences(page, "<img "), 3);
    assert_has(page, "width=\"172\" height=\"86\" src=\"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAQ");
    assert_has(page, "<h3>Not the default</h3>");
    assert_has(page, "train.seed</th><td>77</td>");
    assert_lacks(page, "class=\"missing\"");

    char *again = report(&dir, 1, NULL);
    assert_string_equal(page, again);
    free(again);
    free(page);
}

static void several_runs(void **state)
{
    const char *a = scratch_path(*state, "exp/supervised"), *b = scratch_path(*state, "exp/gradcam/");
    const char *c = scratch_path(*state, "other/gradcam");
    const char *dirs[3] = { a, b, c }, *output = scratch_path(*state, "page.html");
    for (int i = 0; i < 3; i++)
        assert_int_equal(cc_make_folders(dirs[i], NULL), CAMCL_OK);
    write_run(a, "supervised", 55);
    write_run(b, "gradcam", 69.5);
    write_run(c, "gradcam", 60);
    write_result(c, "gradcam", 60, "another device");
    char *page = report(dirs, 3, output);
    assert_has(page, "<h1>exp/supervised, exp/gradcam and other/gradcam</h1>");
    assert_has(page, "<strong>exp/gradcam</strong> has the highest test top-1, 69.5 %, 14.5 points above exp/supervised");
    assert_has(page, "<h3>Validation top-1</h3>");
    assert_has(page, "<th class=\"t\">device</th>");
    assert_has(page, "another device");
    assert_int_equal(occurrences(page, "<td class=\"best\">69.5"), 1);
    /* Metrics in the order of their table; the least loss is the best one. */
    assert_has(page, "<th>test<br>loss</th><th>test<br>top-1 %</th><th>test<br>top-3 %</th><th>test<br>top-5 %</th><th>time</th>");
    assert_int_equal(occurrences(page, "<td class=\"best\">1.610"), 1);
    assert_has(page, "<td>1.900");
    assert_has(page, "<h3>Where the runs differ</h3>");
    assert_has(page, "ssl.mode</th><td>supervised</td><td>gradcam</td><td>gradcam</td>");
    assert_int_equal(occurrences(page, "<img "), 9);
    assert_int_equal(occurrences(page, "<table class=\"matrix\">"), 3);
    assert_lacks(page, "within two standard errors");
    free(page);

    /* Two runs that a hundred test images cannot tell apart. */
    write_result(b, "gradcam", 56, "A device");
    page = report(dirs, 2, output);
    assert_has(page, "within two standard errors");
    free(page);
}

static void missing_parts(void **state)
{
    const char *dir = scratch_path(*state, "started");
    assert_int_equal(cc_make_folders(dir, NULL), CAMCL_OK);
    write_config(dir, "fixmatch");
    char *page = report(&dir, 1, NULL);
    assert_has(page, "mode fixmatch");
    assert_has(page, "started has no results yet: nothing has been evaluated.");
    assert_has(page, "No curves: metrics.csv is missing or has no rows.");
    assert_has(page, "No confusion matrix");
    assert_has(page, "No CAM pictures");
    free(page);

    write_metrics(dir, 1, true); /* a single row draws too */
    page = report(&dir, 1, NULL);
    assert_has(page, "Last evaluation: epoch 1, step 40, validation top-1 19.1 %.");
    assert_has(page, "<svg");
    free(page);

    const char *bare = scratch_path(*state, "bare");
    assert_int_equal(cc_make_folders(bare, NULL), CAMCL_OK);
    write_metrics(bare, 3, false);
    page = report(&bare, 1, NULL);
    assert_has(page, "No config.ini.");
    free(page);
}

static void damaged_parts(void **state)
{
    const char *dir = scratch_path(*state, "run"), *cams = scratch_path(dir, "cams");
    assert_int_equal(cc_make_folders(dir, NULL), CAMCL_OK);
    write_run(dir, "gradcam", 69);
    scratch_write(scratch_path(dir, "result.json"), "{\"best\"", 7);
    scratch_write(scratch_path(dir, "confusion.csv"), "t,a\nb,1\n", 8);
    scratch_write(scratch_path(dir, "config.ini"), "[ssl]\nmode = <gradcam>\n", 23);
    scratch_write(scratch_path(cams, "<fake>.png"), "no picture", 10);
    size_t size = 0;
    char *metrics = scratch_read(scratch_path(dir, "metrics.csv"), &size);
    scratch_write(scratch_path(dir, "metrics.csv"), metrics, size - 5);
    free(metrics);
    char *page = report(&dir, 1, NULL);
    assert_has(page, "result.json&#39;: bad JSON at byte 7");
    assert_has(page, "confusion.csv&#39;: not a confusion matrix");
    assert_has(page, "metrics.csv&#39; line 21: not a row");
    assert_has(page, "&lt;fake&gt;.png&#39;: not a PNG picture");
    assert_has(page, "mode = &lt;gradcam&gt;");    /* shown as it stands */
    assert_has(page, "Last evaluation: epoch 19"); /* rows before the damage are used */
    assert_int_equal(occurrences(page, "<img "), 3);
    free(page);
}

static void many_rows_and_classes(void **state)
{
    enum { ROWS = 5000, CLASSES = 30 };
    const char *dir = scratch_path(*state, "long");
    assert_int_equal(cc_make_folders(dir, NULL), CAMCL_OK);
    cc_metrics metrics = { .columns = cc_columns_first() };
    assert_non_null(metrics.rows = calloc(ROWS, sizeof *metrics.rows));
    for (size_t i = 0; i < ROWS; i++) {
        cc_metrics_row *row = &metrics.rows[i];
        *row = cc_metrics_row_at(1000 * (i + 1), 0);
        if (i % 7 != 3) cc_metrics_set(&metrics, row, "val_top1", i == 2500 ? 99 : 50); /* one spike, many holes */
        cc_metrics_set(&metrics, row, "loss_c", 1e-9);
        cc_metrics_set(&metrics, row, "loss_s", -2);
        cc_metrics_set(&metrics, row, "images_per_s", 1e7);
    }
    metrics.count = metrics.capacity = ROWS - 1;
    cc_metrics_row last = metrics.rows[ROWS - 1];
    assert_int_equal(cc_metrics_append(&metrics, scratch_path(dir, "metrics.csv"), &last, NULL), CAMCL_OK);
    cc_metrics_free(&metrics);
    const char *names[CLASSES];
    uint64_t counts[CLASSES * CLASSES] = { 0 };
    for (size_t i = 0; i < CLASSES; i++)
        names[i] = "a \"class\" with a rather long name";
    for (size_t i = 0; i < CLASSES; i++)
        counts[i * CLASSES + i / 2] = 5;
    assert_int_equal(cc_confusion_write(scratch_path(dir, "confusion.csv"), CLASSES, names, counts, NULL), CAMCL_OK);
    char *page = report(&dir, 1, NULL);
    assert_true(strlen(page) < 400000);
    assert_has(page, "99.0 %");
    assert_has(page, "<svg class=\"many\"");
    free(page);
}

/* A column that has no place in the report's own charts gets a chart, called by its name where nobody has a better one. */
static void further_columns(void **state)
{
    const char *dirs[2] = { scratch_path(*state, "a"), scratch_path(*state, "b") };
    const char *text = "step,epoch,lr,threshold,loss,loss_s,loss_u,loss_c,mask_rate,pseudo_acc,train_top1,val_loss,val_top1,val_top3,"
                       "val_top5,images_per_s,seconds,spread,empty\n40,1,0.1,0.9,2,2,,,,,50,1,20,40,60,100,5,0.25,\n"
                       "80,2,0.1,0.9,2,2,,,,,50,1,30,50,70,100,9,0.125,\n";
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cc_make_folders(dirs[i], NULL), CAMCL_OK);
        scratch_write(scratch_path(dirs[i], "metrics.csv"), text, strlen(text));
    }
    char *page = report(dirs, 1, NULL);
    assert_has(page, "<h3>spread</h3>");
    assert_lacks(page, "<h3>empty</h3>");
    assert_lacks(page, "<h3>Threshold</h3>");
    assert_has(page, "<h3>Accuracy</h3>");
    free(page);
    page = report(dirs, 2, scratch_path(*state, "page.html"));
    assert_int_equal(occurrences(page, "<h3>spread</h3>"), 1);
    assert_has(page, "<h3>Validation top-1</h3>");
    assert_has(page, "<h3>Labelled loss</h3>");
    free(page);
}

static void refusals(void **state)
{
    const char *dir = scratch_path(*state, "run"), *empty = scratch_path(*state, "empty"), *two[2] = { dir, dir };
    const char *none = scratch_path(*state, "none"), *page = scratch_path(dir, "report.html");
    camcl_error err = { 0 };
    size_t size = 0, files;
    assert_int_equal(cc_make_folders(dir, NULL), CAMCL_OK);
    assert_int_equal(cc_make_folders(empty, NULL), CAMCL_OK);
    write_run(dir, "gradcam", 50);
    assert_int_equal(camcl_report_write(two, 0, NULL, &err), CAMCL_BAD_CONFIG);
    assert_int_equal(camcl_report_write(two, 2, NULL, &err), CAMCL_BAD_CONFIG);
    assert_int_equal(camcl_report_write(&empty, 1, NULL, &err), CAMCL_BAD_DATA);
    assert_non_null(strstr(err.message, empty));
    assert_int_equal(scratch_entries(empty), 0);
    assert_int_equal(camcl_report_write(&none, 1, NULL, &err), CAMCL_BAD_DATA);
    assert_non_null(strstr(err.message, none));
    assert_int_equal(camcl_report_write(&dir, 1, scratch_path(none, "x.html"), &err), CAMCL_IO);
    assert_non_null(strstr(err.message, "x.html"));

    scratch_write(page, "old", 3);
    files = scratch_entries(dir);
    scratch_limit_files(4096);
    camcl_status status = camcl_report_write(&dir, 1, NULL, &err);
    scratch_unlimit_files();
    assert_int_equal(status, CAMCL_IO);
    assert_int_equal(scratch_entries(dir), files);
    char *old = scratch_read(page, &size);
    assert_string_equal(old, "old");
    free(old);
}

static void assert_text(cc_text *text, const char *expected)
{
    assert_false(text->failed);
    assert_string_equal(text->data, expected);
    cc_text_free(text);
}

static void pieces_of_text(void **state)
{
    (void)state;
    cc_text text = CC_TEXT_INIT;
    cc_html_escape(&text, "<a href='x'>&\"\xc3\xa9\xff\x01\n");
    assert_text(&text, "&lt;a href=&#39;x&#39;&gt;&amp;&quot;\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\n");
    assert_int_equal(cc_html_length("\xc3\xa9\xff<b"), 4);
    cc_html_escape_cut(&text, "\xc3\xa9\xc3\xa9<\xc3\xa9\xc3\xa9", 4);
    assert_text(&text, "\xc3\xa9\xc3\xa9&lt;\xe2\x80\xa6");
    cc_html_escape_cut(&text, "four", 4);
    assert_text(&text, "four");

    static const struct {
        double value;
        const char *expected;
    } shorts[] = {
        { 0, "0" },         { 0.000123456, "0.000123" }, { 0.5, "0.5" },    { 12.345, "12.35" },
        { 1234.5, "1234" }, { 12345, "12.3k" },          { 2.5e8, "250M" }, { NAN, "\xe2\x80\x93" },
    };
    for (size_t i = 0; i < sizeof shorts / sizeof *shorts; i++) {
        cc_html_short(&text, shorts[i].value);
        assert_text(&text, shorts[i].expected);
    }
    static const struct {
        double value;
        const char *expected;
    } durations[] = {
        { 3.25, "3.2 s" },        { 59.4, "59 s" },         { 59.6, "1 min 00 s" },  { 154, "2 min 34 s" },
        { 3599.9, "1 h 00 min" }, { 90061, "25 h 01 min" }, { NAN, "\xe2\x80\x93" },
    };
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
        cc_html_duration(&text, durations[i].value);
        assert_text(&text, durations[i].expected);
    }
    cc_html_count(&text, 1234567);
    assert_text(&text, "1,234,567");
    cc_html_count(&text, 999);
    assert_text(&text, "999");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
        TEST(one_run),
        TEST(several_runs),
        TEST(missing_parts),
        TEST(damaged_parts),
        TEST(many_rows_and_classes),
        TEST(further_columns),
        TEST(refusals),
        cmocka_unit_test(pieces_of_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
