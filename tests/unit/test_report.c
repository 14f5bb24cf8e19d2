/* The report: the document that it draws, complete where the runs are; no text from outside can leave its place in the page; what is
 * there already stays, unless camcl made it. */
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
#include "report/embedded.h"
#include "report/html.h"
#include "report/statistics.h"
#include "run/metrics.h"
#include "run/result.h"
#include "support/report_page.h"
#include "support/scratch.h"

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
    assert_int_equal(cc_result_write(scratch_path(dir, "result.json"), &result, NULL, NULL, NULL), CAMCL_OK);
}

static void write_config_with(const char *dir, const char *mode, const char *seed)
{
    camcl_config *config = NULL;
    char *text = NULL;
    assert_int_equal(camcl_config_create(&config, NULL), CAMCL_OK);
    assert_int_equal(camcl_config_set(config, "ssl.mode", mode, NULL, NULL), CAMCL_OK);
    assert_int_equal(camcl_config_set(config, "train.seed", seed, NULL, NULL), CAMCL_OK);
    assert_int_equal(camcl_config_write(config, &text, NULL), CAMCL_OK);
    scratch_write(scratch_path(dir, "config.ini"), text, strlen(text));
    free(text);
    camcl_config_destroy(&config);
}

static void write_config(const char *dir, const char *mode) { write_config_with(dir, mode, "77"); }

static const char tiny_png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x20\0\0\0\x10rest of the file";

/* Begins as a PNG file of 32x16 pixels; `what` tells pictures apart. */
static void write_picture(const char *cams, const char *name, double what)
{
    char bytes[sizeof tiny_png + sizeof what];
    memcpy(bytes, tiny_png, sizeof tiny_png);
    memcpy(bytes + sizeof tiny_png, &what, sizeof what);
    scratch_write(scratch_path(cams, name), bytes, sizeof bytes);
}

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
    write_picture(cams, "00001_image.png", 1);
    write_picture(cams, "00001_mask.png", 2);
    write_picture(cams, "00001_overlay.png", top1);
    write_picture(cams, "00002_overlay.png", top1);
    const char *index = "{\"images\": [{\"file\": \"00001\", \"index\": 1, \"class\": \"cat\", \"predicted\": \"dog\", "
                        "\"confidence\": 0.75}]}";
    scratch_write(scratch_path(cams, "index.json"), index, strlen(index));
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

/* The page's own elements and no others, nothing that is fetched, and in the document no character that could end it. */
static void check_page(const char *path)
{
    char *page = read_page(path);
    static const char *const banned[] = { "https:", "=\"//", "<link", "<iframe", "@import", "url(", " onclick", " onload", "<base" };
    for (size_t i = 0; i < sizeof banned / sizeof *banned; i++)
        if (strstr(page, banned[i])) fail_msg("the page has: %.80s", strstr(page, banned[i]));
    assert_int_equal(strncmp(page, "<!DOCTYPE html>\n<!-- camcl report", 33), 0);
    assert_int_equal(occurrences(page, "http:"), 1); /* the name of SVG's elements, which is no address */
    assert_int_equal(occurrences(page, "<script"), 2);
    assert_int_equal(occurrences(page, "</script"), 2);
    assert_int_equal(occurrences(page, "<style"), 1);
    assert_int_equal(occurrences(page, "</style"), 1);
    assert_int_equal(occurrences(page, "<!--"), 1);
    assert_non_null(strstr(page, "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'\""));
    const char *data = strstr(page, "id=\"data\">") + 10, *end = strstr(data, "</script>");
    for (const char *at = data; at < end; at++)
        if ((unsigned char)*at < 0x20 || strchr("<>&\x7f", *at)) fail_msg("in the document: %.40s", at);
    free(page);
}

/* The document of a page about these runs. The caller frees. */
static cc_json *report(const char *const *dirs, size_t count, const char *output)
{
    camcl_error err = { 0 };
    if (camcl_report_write(dirs, count, output, &err) != CAMCL_OK) fail_msg("%s", err.message);
    const char *path = output != NULL ? output : scratch_path(dirs[0], "report.html");
    check_page(path);
    return report_document(path);
}

static void assert_text_at(const cc_json *json, const char *path, const char *expected)
{
    assert_string_equal(json_string_of(json, path), expected);
}

static void assert_number_at(const cc_json *json, const char *path, double expected)
{
    const double value = json_number_of(json, path);
    if (!(fabs(value - expected) < 5e-3)) fail_msg("%s: %g instead of %g", path, value, expected);
}

static void assert_null_at(const cc_json *json, const char *path) { assert_int_equal(json_at(json, path)->kind, CC_JSON_NULL); }

/* ---- tests ---- */

static void one_run(void **state)
{
    const char *dir = scratch_path(*state, "nice & <script>run");
    assert_int_equal(cc_make_folders(dir, NULL), CAMCL_OK);
    write_run(dir, "gradcam", 69);
    cc_json *document = report(&dir, 1, NULL);
    assert_text_at(document, "format", "camcl-report");
    assert_number_at(document, "version", 1);
    assert_text_at(document, "headline", "top1");
    assert_text_at(document, "metrics/1/label", "top-1");
    assert_text_at(document, "metrics/1/unit", "percent");
    assert_true(json_at(document, "metrics/0/higher_is_better")->number == 0 &&
                json_at(document, "metrics/1/higher_is_better")->number == 1);
    assert_int_equal(json_at(document, "colormap")->count, 17);
    const cc_json *run = report_run(document, 0);
    assert_text_at(run, "name", "nice & <script>run");
    assert_text_at(run, "directory", dir);
    assert_text_at(run, "mode", "gradcam");
    assert_text_at(run, "arch", "resnet18");
    assert_text_at(run, "device", "A <device> & \"more\"");
    assert_text_at(run, "seed", "77");
    assert_number_at(run, "labeled", 500);
    assert_number_at(run, "unlabeled", 12345);
    assert_number_at(run, "seconds", 3725);
    assert_number_at(run, "best/epoch", 12);
    assert_number_at(run, "best/val_top1", 61.5);
    assert_number_at(run, "test/images", 100);
    assert_number_at(run, "test/top1", 69);
    assert_number_at(run, "test/loss", 1.62);
    assert_null_at(run, "test/top3"); /* three classes: always right */
    assert_null_at(run, "test/top5");
    assert_number_at(run, "interval/0", 59.37);
    assert_number_at(run, "interval/1", 77.22);
    assert_int_equal(json_at(run, "problems")->count, 0);
    assert_number_at(run, "curves/step/19", 800);
    assert_number_at(run, "curves/epoch/19", 20);
    assert_number_at(run, "curves/val_top1/0", 19.06);
    assert_null_at(run, "curves/pseudo_acc/1");
    assert_number_at(run, "curves/pseudo_acc/2", 88);
    assert_null(cc_json_get(json_at(run, "curves"), "loss_c")); /* no value in any row */
    assert_text_at(run, "confusion/classes/2", "<b>bird</b>");
    assert_number_at(run, "confusion/counts/2/1", 8);
    assert_number_at(run, "confusion/recall/0", 75);
    assert_number_at(run, "confusion/precision/0", 100.0 * 30 / 43);
    assert_number_at(run, "confusion/precision/2", 0);
    assert_text_at(run, "config/ssl.mode", "gradcam");
    assert_text_at(run, "config/data.dataset", "cifar10");
    const cc_json *changed = json_at(run, "changed");
    assert_int_equal(changed->count, 1); /* gradcam is the default */
    assert_text_at(changed, "train.seed", "1");
    char command[4096];
    snprintf(command, sizeof command, "camcl train '%s/config.ini' 'output.dir=%s-again'", dir, dir);
    assert_text_at(run, "command", command);
    cc_json_free(&document);

    /* The same bytes again, over the page that is there. */
    char *first = read_page(scratch_path(dir, "report.html")), *again;
    assert_int_equal(camcl_report_write(&dir, 1, NULL, NULL), CAMCL_OK);
    again = read_page(scratch_path(dir, "report.html"));
    assert_string_equal(first, again);
    assert_null(strstr(first, "{{")); /* every place of page.html was filled */
    free(first);
    free(again);
}

static void assert_parts(const cc_json *entry, size_t count, const char *first)
{
    const cc_json *parts = json_at(entry, "parts");
    assert_int_equal(parts->count, count);
    if (count > 0) assert_string_equal(json_string_of(&parts->items[0], "part"), first);
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
    write_picture(scratch_path(c, "cams"), "00001_image.png", 9); /* another data set: its image 1 shows something else */
    cc_json *document = report(dirs, 3, output);
    assert_text_at(document, "runs/0/name", "exp/supervised");
    assert_text_at(document, "runs/1/name", "exp/gradcam");
    assert_text_at(document, "runs/2/name", "other/gradcam");
    assert_text_at(document, "runs/1/directory", scratch_path(*state, "exp/gradcam"));
    assert_int_equal(json_at(document, "columns")->count, 15); /* each once */
    /* The same configuration and the same seed: no group, although the results differ. */
    assert_int_equal(json_at(document, "groups")->count, 3);

    /* Image and mask of runs 0 and 1 are the same files: one entry; run 2 is another. 00002 has no image: all runs in one entry. */
    const cc_json *gallery = json_at(document, "gallery");
    assert_int_equal(gallery->count, 3);
    assert_parts(&gallery->items[0], 2, "image");
    assert_text_at(&gallery->items[0], "file", "00001");
    assert_text_at(&gallery->items[0], "class", "cat");
    assert_number_at(&gallery->items[0], "index", 1);
    assert_int_equal(json_at(&gallery->items[0], "runs")->count, 2);
    assert_number_at(&gallery->items[0], "runs/1/run", 1);
    assert_text_at(&gallery->items[0], "runs/1/predicted", "dog");
    assert_number_at(&gallery->items[0], "runs/1/confidence", 0.75);
    assert_parts(json_at(&gallery->items[0], "runs/1"), 1, "overlay");
    assert_int_equal(json_at(&gallery->items[1], "runs")->count, 1);
    assert_number_at(&gallery->items[1], "runs/0/run", 2);
    assert_int_equal(json_at(&gallery->items[2], "runs")->count, 3);
    assert_null_at(&gallery->items[2], "class");
    assert_null_at(&gallery->items[2], "runs/0/confidence");
    /* Each once: of 00001 two images, a mask and three overlays, of 00002 three overlays. */
    const cc_json *pictures = json_at(document, "pictures");
    assert_int_equal(pictures->count, 9);
    for (size_t i = 0; i < pictures->count; i++) {
        assert_int_equal(strncmp(json_string_of(&pictures->items[i], "png"), "iVBORw0KGgoAAAANSUhEUgAAACAAAAAQ", 32), 0);
        assert_number_at(&pictures->items[i], "width", 32);
        assert_number_at(&pictures->items[i], "height", 16);
    }
    const size_t mask = (size_t)json_number_of(&gallery->items[0], "parts/1/picture");
    assert_number_at(&gallery->items[1], "parts/1/picture", (double)mask);
    cc_json_free(&document);
}

static void seeds(void **state)
{
    static const struct {
        const char *name, *mode, *seed;
        double top1;
    } runs[] = { { "gradcam-seed1", "gradcam", "1", 60 },
                 { "base", "supervised", "1", 50 },
                 { "gradcam-seed2", "gradcam", "2", 64 },
                 { "gradcam-seed3", "gradcam", "3", 65 },
                 { "copy", "gradcam", "3", 65 } };
    char paths[5][512]; /* more paths are made below than scratch_path remembers */
    const char *dirs[5];
    for (size_t i = 0; i < 5; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%s", (const char *)*state, runs[i].name);
        dirs[i] = paths[i];
        assert_int_equal(cc_make_folders(dirs[i], NULL), CAMCL_OK);
        write_run(dirs[i], runs[i].mode, runs[i].top1);
        write_config_with(dirs[i], runs[i].mode, runs[i].seed);
    }
    cc_json *document = report(dirs, 5, scratch_path(*state, "page.html"));
    const cc_json *groups = json_at(document, "groups");
    assert_int_equal(groups->count, 3);
    assert_text_at(groups, "0/name", "gradcam");
    assert_int_equal(json_at(groups, "0/runs")->count, 3);
    assert_number_at(groups, "0/runs/0", 0);
    assert_number_at(groups, "0/runs/1", 2);
    assert_number_at(groups, "0/runs/2", 3);
    assert_text_at(groups, "0/seeds/2", "3");
    assert_number_at(groups, "0/spread/top1/n", 3);
    assert_number_at(groups, "0/spread/top1/mean", 63);
    assert_number_at(groups, "0/spread/top1/sd", sqrt(7)); /* (9 + 1 + 4) / 2 */
    assert_number_at(groups, "0/spread/val_top1/sd", 0);
    assert_null_at(groups, "0/spread/top3/mean");
    assert_text_at(groups, "1/name", "base");
    assert_number_at(groups, "1/spread/top1/mean", 50);
    assert_null_at(groups, "1/spread/top1/sd");
    assert_text_at(groups, "2/name", "copy"); /* a seed counts once */
    cc_json_free(&document);

    /* What differs besides the seed keeps runs apart; the device and where they are written do not. */
    const char *pair[2] = { dirs[0], dirs[2] };
    char *text;
    size_t size;
    assert_non_null(text = scratch_read(scratch_path(dirs[2], "config.ini"), &size));
    char *more = malloc(size + 64);
    assert_non_null(more);
    char *old = strstr(text, "select ="), *end = old ? strchr(old, '\n') : NULL;
    assert_non_null(end);
    snprintf(more, size + 64, "%.*sselect = gpu%s", (int)(old - text), text, end);
    scratch_write(scratch_path(dirs[2], "config.ini"), more, strlen(more));
    document = report(pair, 2, scratch_path(*state, "page.html"));
    assert_int_equal(json_at(document, "groups")->count, 1);
    cc_json_free(&document);
    old = strstr(text, "momentum ="), end = strchr(old, '\n');
    snprintf(more, size + 64, "%.*smomentum = 0.5%s", (int)(old - text), text, end);
    scratch_write(scratch_path(dirs[2], "config.ini"), more, strlen(more));
    document = report(pair, 2, scratch_path(*state, "page.html"));
    assert_int_equal(json_at(document, "groups")->count, 2);
    cc_json_free(&document);
    free(more);
    free(text);
}

/* Names that would end the script, open a comment, or break a line of it. */
static void hostile_texts(void **state)
{
    static const char *const names[4] = { "</script><script>alert(1)</script>", "<!--<script>",
                                          "line\xe2\x80\xa8"
                                          "paragraph\xe2\x80\xa9&amp;",
                                          "control \x01\x1f\x7f\xc2\x85 {{data}} \\u003c\"" };
    const uint64_t counts[16] = { 1 };
    const char *dir = scratch_path(*state, "</title><script>alert(2)<"); /* a folder and a folder in it */
    assert_int_equal(cc_make_folders(dir, NULL), CAMCL_OK);
    write_result(dir, "</style><b>", 50, "bytes \xff\xc3 of no UTF-8");
    assert_int_equal(cc_confusion_write(scratch_path(dir, "confusion.csv"), 4, names, counts, NULL), CAMCL_OK);
    cc_json *document = report(&dir, 1, NULL);
    const cc_json *run = report_run(document, 0);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(cc_json_string(&json_at(run, "confusion/classes")->items[i]), names[i]);
    assert_text_at(run, "name", "title><script>alert(2)<");
    assert_text_at(run, "mode", "</style><b>");
    assert_text_at(run, "device", "bytes \xef\xbf\xbd\xef\xbf\xbd of no UTF-8");
    cc_json_free(&document);
    char *page = read_page(scratch_path(dir, "report.html"));
    assert_non_null(strstr(page, "<title>title&gt;&lt;script&gt;alert(2)&lt; "));
    free(page);
}

static void missing_parts(void **state)
{
    const char *dir = scratch_path(*state, "started");
    assert_int_equal(cc_make_folders(dir, NULL), CAMCL_OK);
    write_config(dir, "pseudo-label");
    cc_json *document = report(&dir, 1, NULL);
    const cc_json *run = report_run(document, 0);
    assert_text_at(run, "mode", "pseudo-label");
    assert_true(json_at(run, "finished")->number == 0);
    assert_null_at(run, "test/top1");
    assert_null_at(run, "test/images");
    assert_null_at(run, "interval/0");
    assert_int_equal(json_at(run, "curves/step")->count, 0);
    assert_null(cc_json_get(run, "confusion"));
    assert_int_equal(json_at(document, "gallery")->count, 0);
    cc_json_free(&document);

    const char *bare = scratch_path(*state, "bare");
    assert_int_equal(cc_make_folders(bare, NULL), CAMCL_OK);
    write_metrics(bare, 3, false);
    document = report(&bare, 1, NULL);
    run = report_run(document, 0);
    assert_null(cc_json_get(run, "config"));
    assert_null(cc_json_get(run, "command"));
    assert_int_equal(json_at(run, "curves/step")->count, 3);
    assert_null_at(document, "groups/0/seeds/0");
    cc_json_free(&document);
}

static void write_index(const char *cams, const char *images)
{
    char text[4096];
    snprintf(text, sizeof text, "{\"images\": [%s]}", images);
    scratch_write(scratch_path(cams, "index.json"), text, strlen(text));
}

/* What the first versions did not write: pseudo-labels by class, bins of the confidence, why an image is shown and which pictures it has.
 */
static void further_files(void **state)
{
    const char *dir = scratch_path(*state, "run"), *cams = scratch_path(dir, "cams");
    assert_int_equal(cc_make_folders(dir, NULL), CAMCL_OK);
    write_run(dir, "gradcam", 69);
    cc_json *document = report(&dir, 1, NULL);
    assert_null(cc_json_get(report_run(document, 0), "pseudo_labels"));
    assert_null(cc_json_get(report_run(document, 0), "reliability"));
    assert_text_at(document, "gallery/0/runs/0/why/0", "spread");
    assert_int_equal(json_at(document, "gallery/0/runs/0/why")->count, 1);
    assert_null_at(document, "gallery/0/runs/0/distance");
    cc_json_free(&document);

    const char *labels = "step,epoch,class,seen,confident,known,right\n10,1,cat,64,3,2,1\n10,1,</script>,64,5,0,0\n"
                         "20,2,cat,64,6,6,6\n20,2,</script>,64,7.5,7.5,7\n";
    scratch_write(scratch_path(dir, "pseudo_labels.csv"), labels, strlen(labels));
    cc_result result = cc_result_nothing();
    *cc_evaluation_at(&result.test, "top1") = 50;
    result.test.n = 1000;
    result.has_reliability = true;
    for (size_t b = 0; b < CAMCL_RELIABILITY_BINS; b++)
        result.reliability[b] = (camcl_reliability_bin){ 0, NAN, NAN };
    result.reliability[7] = (camcl_reliability_bin){ 1000, 51.5, 50 };
    assert_int_equal(cc_result_write(scratch_path(dir, "result.json"), &result, NULL, NULL, NULL), CAMCL_OK);
    write_picture(cams, "00001_before.png", 5);
    write_picture(cams, "00007_image.png", 6);
    write_picture(cams, "00007_overlay.png", 7);
    write_index(cams, "{\"file\": \"00001\", \"why\": \"spread\", \"class\": \"cat\", \"predicted\": \"dog\", \"confidence\": 0.75, "
                      "\"explained\": \"dog\", \"distance\": 0.25, \"pictures\": [\"image\", \"overlay\"]}, "
                      "{\"file\": \"00001\", \"why\": \"mistake\", \"class\": \"cat\", \"predicted\": \"dog\", \"pictures\": [\"mask\"]}, "
                      "{\"file\": \"00007\", \"why\": \"mistake\", \"pictures\": [\"image\", \"overlay\", \"nonsense\", 3]}");
    document = report(&dir, 1, NULL);
    const cc_json *run = report_run(document, 0);
    assert_number_at(run, "test/images", 1000); /* of result.json, before the confusion matrix */
    assert_number_at(run, "interval/0", 46.91);
    assert_number_at(run, "reliability/7/confidence", 51.5);
    assert_null_at(run, "reliability/0/accuracy");
    assert_text_at(run, "pseudo_labels/classes/1", "</script>");
    assert_number_at(run, "pseudo_labels/step/1", 20);
    assert_number_at(run, "pseudo_labels/seen/0", 64);
    assert_number_at(run, "pseudo_labels/confident/1/1", 7.5);
    assert_number_at(run, "pseudo_labels/known/0/0", 2);
    assert_number_at(run, "pseudo_labels/right/0/1", 6);
    /* before.png of 00001 is of an earlier state of the run: no list has it. 00002 is in no list, as pictures of others are. */
    const cc_json *gallery = json_at(document, "gallery");
    assert_int_equal(gallery->count, 3);
    assert_parts(&gallery->items[0], 2, "image");
    assert_parts(json_at(&gallery->items[0], "runs/0"), 1, "overlay");
    assert_text_at(&gallery->items[0], "runs/0/why/1", "mistake");
    assert_number_at(&gallery->items[0], "runs/0/distance", 0.25);
    assert_text_at(&gallery->items[0], "runs/0/explained", "dog");
    assert_text_at(&gallery->items[1], "runs/0/why/0", "spread");
    assert_text_at(&gallery->items[2], "runs/0/why/0", "mistake");
    assert_int_equal(json_at(&gallery->items[2], "runs/0/why")->count, 1);
    assert_int_equal(json_at(document, "pictures")->count, 6);
    cc_json_free(&document);

    /* A damaged file: what stands before the damage is shown, and the page says so. */
    scratch_write(scratch_path(dir, "pseudo_labels.csv"), labels, strlen(labels) - 2);
    document = report(&dir, 1, NULL);
    run = report_run(document, 0);
    bool said = false;
    for (size_t i = 0; i < json_at(run, "problems")->count; i++)
        said |= strstr(cc_json_string(&json_at(run, "problems")->items[i]), "pseudo_labels.csv' line 5") != NULL;
    assert_true(said);
    assert_int_equal(json_at(run, "pseudo_labels/step")->count, 1);
    cc_json_free(&document);
}

static void assert_problem(const cc_json *run, const char *part)
{
    const cc_json *problems = json_at(run, "problems");
    for (size_t i = 0; i < problems->count; i++)
        if (strstr(cc_json_string(&problems->items[i]), part)) return;
    fail_msg("no problem says: %s", part);
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
    scratch_write(scratch_path(cams, "index.json"), "{\"images\": 7}", 13);
    size_t size = 0;
    char *metrics = scratch_read(scratch_path(dir, "metrics.csv"), &size);
    scratch_write(scratch_path(dir, "metrics.csv"), metrics, size - 5);
    free(metrics);
    cc_json *document = report(&dir, 1, NULL);
    const cc_json *run = report_run(document, 0);
    assert_int_equal(json_at(run, "problems")->count, 6);
    assert_problem(run, "result.json': bad JSON at byte 7");
    assert_problem(run, "confusion.csv': not a confusion matrix");
    assert_problem(run, "metrics.csv' line 21: not a row");
    assert_problem(run, "config.ini");
    assert_problem(run, "<fake>.png': not a PNG picture");
    assert_problem(run, "index.json': no list of images");
    assert_text_at(run, "config_text", "[ssl]\nmode = <gradcam>\n"); /* shown as it stands */
    assert_int_equal(json_at(run, "curves/step")->count, 19);        /* rows before the damage are used */
    assert_int_equal(json_at(document, "gallery")->count, 2);
    assert_null_at(document, "gallery/0/class");
    cc_json_free(&document);

    /* Captions whose members are of other kinds are not known; the others are used. */
    const char *index =
        "{\"images\": [7, {\"file\": 3}, {\"file\": \"00001\", \"class\": 1, \"predicted\": \"dog\", \"confidence\": null}]}";
    scratch_write(scratch_path(cams, "index.json"), index, strlen(index));
    document = report(&dir, 1, NULL);
    assert_null_at(document, "gallery/0/class");
    assert_text_at(document, "gallery/0/runs/0/predicted", "dog");
    assert_null_at(document, "gallery/0/runs/0/confidence");
    cc_json_free(&document);
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
    cc_json *document = report(&dir, 1, NULL);
    const cc_json *run = report_run(document, 0);
    assert_int_equal(json_at(run, "curves/val_top1")->count, ROWS);
    assert_number_at(run, "curves/val_top1/2500", 99);
    assert_null_at(run, "curves/val_top1/3");
    assert_number_at(run, "curves/step/4999", 5e6);
    assert_int_equal(json_at(run, "confusion/counts")->count, CLASSES);
    assert_number_at(run, "confusion/recall/0", 100);
    assert_number_at(run, "confusion/precision/0", 50);
    assert_null_at(run, "confusion/precision/29"); /* nothing was predicted as it */
    cc_json_free(&document);
}

/* Columns of later versions, called by their names where nobody has a better one. */
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
    cc_json *document = report(dirs, 2, scratch_path(*state, "page.html"));
    const cc_json *columns = json_at(document, "columns");
    assert_int_equal(columns->count, 17);
    assert_text_at(columns, "15/name", "spread");
    assert_text_at(columns, "15/label", "spread");
    assert_text_at(columns, "10/label", "Validation top-1");
    assert_true(json_at(columns, "10/percent")->number == 1);
    assert_text_at(columns, "3/label", "Labelled loss");
    assert_number_at(report_run(document, 1), "curves/spread/1", 0.125);
    assert_null(cc_json_get(json_at(report_run(document, 1), "curves"), "empty"));
    cc_json_free(&document);
}

/* ---- where pages are written */

static void assert_kept(const char *dir, const char *output, const char *content)
{
    camcl_error err = { 0 };
    size_t size = 0;
    scratch_write(output, content, strlen(content));
    assert_int_equal(camcl_report_write(&dir, 1, output, &err), CAMCL_EXISTS);
    assert_non_null(strstr(err.message, output));
    char *kept = scratch_read(output, &size);
    assert_string_equal(kept, content);
    free(kept);
}

static void assert_replaced(const char *dir, const char *output, const char *content)
{
    scratch_write(output, content, strlen(content));
    cc_json *document = report(&dir, 1, output);
    cc_json_free(&document);
}

static void files_of_others(void **state)
{
    const char *dir = scratch_path(*state, "run"), *output = scratch_path(*state, "page.html");
    assert_int_equal(cc_make_folders(dir, NULL), CAMCL_OK);
    write_run(dir, "gradcam", 50);
    assert_kept(dir, output, "old");
    assert_kept(dir, output, "<!DOCTYPE html>\n<html lang=\"en\"><head><title>camcl report</title></head></html>\n");
    assert_kept(dir, output, "<!DOCTYPE html>\n<!-- camcl repor");
    assert_kept(dir, output, " <!DOCTYPE html>\n<!-- camcl report -->");
    assert_replaced(dir, output, "");
    assert_replaced(dir, output, "<!DOCTYPE html>\n<!-- camcl report of a later version -->");
    /* The head of the first version's pages. */
#define FIRST                                                                                                                              \
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "                                            \
    "content=\"width=device-width,initial-scale=1\"><title>"
    assert_replaced(dir, output, FIRST "name &amp; name \xc2\xb7 camcl report</title><style>\n");
    assert_kept(dir, output, FIRST "name</title><style>\n</style> \xc2\xb7 camcl report</title><style>");
    /* The run's own page, too. */
    scratch_write(scratch_path(dir, "report.html"), "notes", 5);
    assert_int_equal(camcl_report_write(&dir, 1, NULL, NULL), CAMCL_EXISTS);
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

    const char *before = "<!DOCTYPE html>\n<!-- camcl report -->";
    scratch_write(page, before, strlen(before));
    files = scratch_entries(dir);
    scratch_limit_files(4096);
    camcl_status status = camcl_report_write(&dir, 1, NULL, &err);
    scratch_unlimit_files();
    assert_int_equal(status, CAMCL_IO);
    assert_int_equal(scratch_entries(dir), files);
    char *old = scratch_read(page, &size);
    assert_string_equal(old, before);
    free(old);
}

/* ---- pieces */

static void assert_interval(double percent, double n, double low, double high)
{
    const camcl_interval interval = camcl_wilson_interval(percent, n);
    if (!(fabs(interval.low - low) < 0.01 && fabs(interval.high - high) < 0.01))
        fail_msg("%g %% of %g: %g to %g", percent, n, interval.low, interval.high);
}

/* Against values computed by hand from the formula, and its limits. */
static void statistics(void **state)
{
    (void)state;
    assert_interval(50, 10, 23.66, 76.34);
    assert_interval(80, 10, 49.02, 94.33);
    assert_interval(0, 10, 0, 27.75);
    assert_interval(100, 10, 72.25, 100);
    assert_true(isnan(camcl_wilson_interval(50, 0).low) && isnan(camcl_wilson_interval(NAN, 10).high));
    const double values[] = { 2, NAN, 4, 4, 4, 5, 5, 7, 9 };
    const cc_spread spread = cc_spread_of(values, 9);
    assert_int_equal(spread.n, 8);
    assert_true(spread.mean == 5 && fabs(spread.sd - sqrt(32.0 / 7)) < 1e-12);
    assert_true(isnan(cc_spread_of(values, 1).sd) && isnan(cc_spread_of(values, 0).mean));
}

/* What is put into <style> and <script> must not end them. */
static void files_of_page(void **state)
{
    size_t files = 0;
    (void)state;
    for (const cc_embedded_file *file = cc_report_page_files; file->name; file++, files++) {
        if (strcmp(file->name, "page.html") == 0) continue;
        assert_null(strstr(file->text, "</"));
        assert_null(strstr(file->text, "<!--"));
    }
    assert_true(files > 2);
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
    cc_html_escape(&text, "<a href='x'>&\"\xc3\xa9\xff\x01\xc2\x85\n");
    assert_text(&text, "&lt;a href=&#39;x&#39;&gt;&amp;&quot;\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\n");
    const char *json = "[\"<\xc3\xa9>&\xe2\x80\xa7\xe2\x80\xa8\x7f\xc2\x9f\xc2\xa0\"]";
    cc_html_add_json(&text, json, strlen(json));
    assert_text(&text, "[\"\\u003c\xc3\xa9\\u003e\\u0026\xe2\x80\xa7\\u2028\\u007f\\u009f\xc2\xa0\"]");
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
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
        TEST(one_run),
        TEST(several_runs),
        TEST(seeds),
        TEST(hostile_texts),
        TEST(missing_parts),
        TEST(further_files),
        TEST(damaged_parts),
        TEST(many_rows_and_classes),
        TEST(further_columns),
        TEST(files_of_others),
        TEST(refusals),
        cmocka_unit_test(statistics),
        cmocka_unit_test(files_of_page),
        cmocka_unit_test(pieces_of_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
