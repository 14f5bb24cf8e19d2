#include "camcl/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "report/chart.h"
#include "report/data.h"
#include "report/html.h"
#include "report/sections.h"
#include "run/run_dir.h"

/* ---- head ---- */

static void add_head(cc_text *out, const cc_report_run *runs, size_t count)
{
    cc_text_add(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                     "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>");
    if (count == 1)
        cc_html_escape(out, runs[0].name);
    else
        cc_text_add(out, "%zu runs", count);
    cc_text_add(out, " \xc2\xb7 camcl report</title><style>\n");
    cc_html_style(out);
    cc_text_add(out, "</style></head><body>\n<header><p class=\"eyebrow\">camcl report</p><h1>");
    for (size_t r = 0; r < count && count <= 4; r++) {
        if (r > 0) cc_text_add(out, r + 1 == count ? " and " : ", ");
        cc_html_escape(out, runs[r].name);
    }
    if (count > 4) cc_text_add(out, "%zu runs compared", count);
    cc_text_add(out, "</h1>\n");
}

/* "resnet18, 16 channels wide" */
static void add_network(cc_text *out, const cc_report_run *run)
{
    cc_html_escape(out, cc_report_arch(run));
    if (!(run->result.width > 0)) return;
    cc_text_add(out, ", width ");
    cc_html_count(out, run->result.width);
}

static void add_single_lead(cc_text *out, const cc_report_run *run)
{
    const char *between = "";
    cc_text_add(out, "<p class=\"lead\">");
    if (cc_report_arch(run)[0] != '\0') {
        add_network(out, run);
        between = " \xc2\xb7 ";
    }
    if (cc_report_mode(run)[0] != '\0') {
        cc_text_add(out, "%smode ", between);
        cc_html_escape(out, cc_report_mode(run));
        if (run->result.preset[0] != '\0') cc_text_add(out, " (");
        cc_html_escape(out, run->result.preset);
        if (run->result.preset[0] != '\0') cc_text_add(out, ")");
        between = " \xc2\xb7 ";
    }
    if (isfinite(run->result.labeled)) {
        cc_text_add(out, "%s", between);
        cc_html_count(out, run->result.labeled);
        cc_text_add(out, " labelled");
        if (run->result.unlabeled > 0) cc_text_add(out, " and ");
        if (run->result.unlabeled > 0) cc_html_count(out, run->result.unlabeled);
        cc_text_add(out, "%s images", run->result.unlabeled > 0 ? " unlabelled" : "");
        between = " \xc2\xb7 ";
    }
    if (run->result.device[0] != '\0') cc_text_add(out, "%s", between);
    cc_html_escape(out, run->result.device);
    cc_text_add(out, "</p>\n");
}

static const cc_report_run *best_run(const cc_report_run *runs, size_t count, const char *mode)
{
    const cc_report_run *best = NULL;
    for (size_t r = 0; r < count; r++) {
        if (!isfinite(cc_report_test_top1(&runs[r])) || (mode != NULL && strcmp(cc_report_mode(&runs[r]), mode) != 0)) continue;
        if (best == NULL || cc_report_test_top1(&runs[r]) > cc_report_test_top1(best)) best = &runs[r];
    }
    return best;
}

static bool same_or_unknown(double a, double b) { return a == b || isnan(a) || isnan(b); }

/* Says in words what the comparison shows, and no more than the number of test images supports. */
static void add_verdict(cc_text *out, const cc_report_run *runs, size_t count)
{
    const cc_report_run *best = best_run(runs, count, NULL), *base = best_run(runs, count, "supervised");
    if (best == NULL) return;
    cc_text_add(out, "<p class=\"lead\"><strong>");
    cc_html_escape(out, best->name);
    cc_text_add(out, "</strong> has the highest test top-1, ");
    cc_html_number(out, cc_report_test_top1(best), 1);
    cc_text_add(out, " %%");
    if (base != NULL && base != best && same_or_unknown(base->result.labeled, best->result.labeled)) {
        double gain = cc_report_test_top1(best) - cc_report_test_top1(base), noise = hypot(cc_report_error(best), cc_report_error(base));
        cc_text_add(out, ", ");
        cc_html_number(out, gain, 1);
        cc_text_add(out, " points above ");
        cc_html_escape(out, base->name);
        cc_text_add(out, ", which learns from the labels alone");
        if (gain < 2 * noise) cc_text_add(out, ". With this many test images that is within two standard errors");
    }
    cc_text_add(out, ".</p>\n");
}

/* ---- results ---- */

/* One decimal of a percentage, three of nats: what the usual numbers of images can tell apart. */
static int decimals_of(camcl_unit unit) { return unit == CAMCL_PERCENT ? 1 : 3; }

static void add_tile(cc_text *out, const char *extra, const char *what, const char *label, camcl_unit unit, double value, const char *below)
{
    cc_text_add(out, "<div class=\"card tile%s\"><span>%s %s</span><b>", extra, what, label);
    cc_html_number(out, value, decimals_of(unit));
    cc_text_add(out, "%s</b>", isfinite(value) && unit == CAMCL_PERCENT ? "<small> %</small>" : "");
    cc_text_add(out, "<i>%s</i></div>\n", below);
}

static void add_time_tile(cc_text *out, double seconds)
{
    cc_text_add(out, "<div class=\"card tile time\"><span>Time</span><b>");
    cc_html_duration(out, seconds);
    cc_text_add(out, "</b></div>\n");
}

/* The small text under a tile: "epoch 12" or "± 1.0, n = 2,000". */
static void add_best_tile(cc_text *out, const cc_report_run *run)
{
    cc_text below = CC_TEXT_INIT;
    if (isfinite(run->result.best_epoch)) cc_text_add(&below, "epoch ");
    if (isfinite(run->result.best_epoch)) cc_html_count(&below, run->result.best_epoch);
    add_tile(out, "", "Best validation", "top-1", CAMCL_PERCENT, run->result.best_val_top1, below.data != NULL ? below.data : "");
    cc_text_free(&below);
}

static void add_test_tile(cc_text *out, const cc_report_run *run)
{
    cc_text below = CC_TEXT_INIT;
    if (isfinite(cc_report_error(run))) {
        cc_text_add(&below, "\xc2\xb1 ");
        cc_html_number(&below, cc_report_error(run), 1);
        cc_text_add(&below, " of ");
        cc_html_count(&below, cc_report_test_images(run));
        cc_text_add(&below, " images");
    }
    add_tile(out, " first", "Test", "top-1", CAMCL_PERCENT, cc_report_test_top1(run), below.data != NULL ? below.data : "");
    cc_text_free(&below);
}

static void add_unfinished(cc_text *out, const cc_report_run *run)
{
    cc_text_add(out, "<p class=\"missing\">");
    cc_html_escape(out, run->name);
    if (run->metrics.count == 0) {
        cc_text_add(out, " has no results yet: nothing has been evaluated.</p>\n");
        return;
    }
    const cc_metrics_row *last = &run->metrics.rows[run->metrics.count - 1];
    cc_text_add(out, " has no final result. Last evaluation: epoch %llu, step %llu", (unsigned long long)last->epoch,
                (unsigned long long)last->step);
    const double score = cc_metrics_get(&run->metrics, last, "val_top1");
    if (isfinite(score)) {
        cc_text_add(out, ", validation top-1 ");
        cc_html_number(out, score, 1);
        cc_text_add(out, " %%");
    }
    cc_text_add(out, ".</p>\n");
}

/* The metric with a place of its own: the score by which runs are compared. */
static bool is_headline(const camcl_metric *metric) { return strcmp(metric->name, "top1") == 0; }

/* A column of the table of results: a metric on the test images, or the score on the validation images. */
typedef struct column {
    const camcl_metric *metric;
    size_t at;
    bool validation;
} column;

static double value_in(const cc_report_run *run, const column *c)
{
    return c->validation ? run->result.best_val_top1 : run->result.test.values[c->at];
}

static double best_in(const cc_report_run *runs, size_t count, const column *c)
{
    double best = NAN;
    for (size_t r = 0; r < count; r++) { /* fmax and fmin skip NaN */
        const double value = value_in(&runs[r], c);
        best = c->metric->higher_is_better ? fmax(best, value) : fmin(best, value);
    }
    return best;
}

/* A value, bold where it is the column's best. */
static void add_value_cell(cc_text *out, const cc_report_run *runs, size_t count, size_t r, const column *c)
{
    const double value = value_in(&runs[r], c);
    const bool best = count > 1 && value == best_in(runs, count, c), bar = !c->validation && is_headline(c->metric);
    cc_text_add(out, best ? "<td class=\"best\">" : "<td>");
    cc_html_number(out, value, decimals_of(c->metric->unit));
    if (bar && isfinite(value)) {
        if (isfinite(cc_report_error(&runs[r]))) {
            cc_text_add(out, " <small>\xc2\xb1 ");
            cc_html_number(out, cc_report_error(&runs[r]), 1);
            cc_text_add(out, "</small>");
        }
        cc_text_add(out, "<span class=\"bar c%zu\"><i style=\"width:", r % CC_CHART_COLORS);
        cc_html_number(out, fmin(fmax(value, 0), 100), 1);
        cc_text_add(out, "%%\"></i></span>");
    }
    cc_text_add(out, "</td>");
}

/* Whether all runs used the same device. The device is then named once below the table instead of in a column. */
static bool one_device(const cc_report_run *runs, size_t count)
{
    for (size_t r = 1; r < count; r++)
        if (strcmp(runs[r].result.device, runs[0].result.device) != 0) return false;
    return true;
}

static void add_result_row(cc_text *out, const cc_report_run *runs, size_t count, size_t r)
{
    size_t metric_count;
    const camcl_metric *metrics = camcl_metric_list(&metric_count);
    const cc_report_run *run = &runs[r];
    cc_text_add(out, "<tr><td class=\"t run c%zu\">", r % CC_CHART_COLORS);
    cc_text_add(out, "<span class=\"dot\"></span>");
    cc_html_escape_cut(out, run->name, 40);
    cc_text_add(out, "</td><td class=\"t\">");
    cc_html_escape(out, cc_report_mode(run));
    cc_text_add(out, "</td><td>");
    cc_html_count(out, run->result.labeled);
    cc_text_add(out, "</td><td>");
    cc_html_count(out, run->result.unlabeled);
    cc_text_add(out, "</td><td class=\"t\">");
    add_network(out, run);
    cc_text_add(out, "</td>");
    for (size_t i = 0; i < metric_count; i++)
        if (is_headline(&metrics[i])) add_value_cell(out, runs, count, r, &(column){ &metrics[i], i, true });
    cc_text_add(out, "<td>");
    cc_html_count(out, run->result.best_epoch);
    cc_text_add(out, "</td>");
    for (size_t i = 0; i < metric_count; i++)
        add_value_cell(out, runs, count, r, &(column){ &metrics[i], i, false });
    cc_text_add(out, "<td>");
    cc_html_duration(out, run->result.seconds);
    if (!one_device(runs, count)) {
        cc_text_add(out, "</td><td class=\"t w\">");
        cc_html_escape(out, run->result.device);
    }
    cc_text_add(out, "</td></tr>\n");
}

static void add_tiles(cc_text *out, const cc_report_run *run)
{
    size_t count;
    const camcl_metric *metrics = camcl_metric_list(&count);
    cc_text_add(out, "<div class=\"tiles\">\n");
    add_test_tile(out, run);
    if (isfinite(run->result.best_val_top1)) add_best_tile(out, run);
    for (size_t i = 0; i < count; i++)
        if (!is_headline(&metrics[i])) add_tile(out, "", "Test", metrics[i].label, metrics[i].unit, run->result.test.values[i], "");
    add_time_tile(out, run->result.seconds);
    cc_text_add(out, "</div>\n");
}

static void add_table(cc_text *out, const cc_report_run *runs, size_t count)
{
    size_t metric_count;
    const camcl_metric *metrics = camcl_metric_list(&metric_count);
    cc_text_add(out, "<div class=\"card scroll\"><table class=\"results\"><thead><tr><th class=\"t\">run</th><th class=\"t\">mode</th>"
                     "<th>labels</th><th>unlabelled</th><th class=\"t\">network</th><th>validation<br>top-1 %%</th><th>at epoch</th>");
    for (size_t i = 0; i < metric_count; i++)
        cc_text_add(out, "<th>test<br>%s%s</th>", metrics[i].label, metrics[i].unit == CAMCL_PERCENT ? " %" : "");
    cc_text_add(out, "<th>time</th>%s</tr></thead><tbody>\n", one_device(runs, count) ? "" : "<th class=\"t\">device</th>");
    for (size_t r = 0; r < count; r++)
        add_result_row(out, runs, count, r);
    cc_text_add(out, "</tbody></table></div>\n");
}

static void add_results(cc_text *out, const cc_report_run *runs, size_t count)
{
    bool finished = false, errors = false;
    cc_text_add(out, "<section><h2>Results</h2>\n");
    for (size_t r = 0; r < count; r++) {
        if (runs[r].problems.length > 0) cc_text_add_bytes(out, runs[r].problems.data, runs[r].problems.length);
        if (!runs[r].finished) add_unfinished(out, &runs[r]);
        finished |= runs[r].finished;
        errors |= isfinite(cc_report_error(&runs[r]));
        if (runs[r].problems.failed) out->failed = true;
    }
    if (finished && count == 1) add_tiles(out, &runs[0]);
    if (finished && count > 1) add_table(out, runs, count);
    cc_text_add(out, "<p class=\"note\" style=\"margin-top:12px\">");
    if (finished && count > 1 && one_device(runs, count) && runs[0].result.device[0] != '\0') {
        cc_text_add(out, "All on ");
        cc_html_escape(out, runs[0].result.device);
        cc_text_add(out, ". ");
    }
    if (errors)
        cc_text_add(out, "\xc2\xb1 is one standard error from the number of test images; it says nothing about the spread between "
                         "seeds, which only more runs can show.");
    cc_text_add(out, "</p></section>\n");
}

/* ---- page ---- */

static camcl_status write_page(const cc_report_run *runs, size_t count, const char *output, camcl_error *err)
{
    cc_text page = CC_TEXT_INIT;
    add_head(&page, runs, count);
    if (count == 1)
        add_single_lead(&page, &runs[0]);
    else
        add_verdict(&page, runs, count);
    cc_text_add(&page, "</header>\n<main>\n");
    add_results(&page, runs, count);
    cc_report_add_curves(&page, runs, count);
    cc_report_add_confusion(&page, runs, count);
    cc_report_add_gallery(&page, runs, count);
    cc_report_add_config(&page, runs, count);
    cc_text_add(&page, "</main>\n<footer>Made by camcl " CAMCL_VERSION ". Curves show values under the pointer.</footer>\n"
                       "</body></html>\n");
    camcl_status status;
    if (page.failed) {
        status = cc_fail(err, CAMCL_NO_MEMORY, "report '%s': no memory for the page (report fewer runs at once)", output);
    } else {
        cc_piece piece = { page.data, page.length };
        status = cc_file_write(output, &piece, 1, err);
    }
    cc_text_free(&page);
    return status;
}

/* `result`: of the one run, where its directory does not have it yet; else NULL. */
static camcl_status write_runs(const char *const *run_dirs, size_t count, const cc_result *result, const char *output, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_report_run *runs = NULL;
    char *beside = NULL;
    CC_TRY(CC_NEW(count, &runs, err));
    for (size_t i = 0; i < count; i++)
        CC_TRY(cc_report_run_read_with(run_dirs[i], result, &runs[i], err));
    CC_TRY(cc_report_name_runs(runs, count, err));
    if (output == NULL) CC_TRY(cc_path_join(run_dirs[0], cc_run_file_name(CC_RUN_REPORT), &beside, err));
    CC_TRY(write_page(runs, count, output != NULL ? output : beside, err));
cleanup:
    for (size_t i = 0; runs != NULL && i < count; i++)
        cc_report_run_free(&runs[i]);
    free(runs);
    free(beside);
    return status;
}

camcl_status cc_report_write_with(const char *dir, const cc_result *result, camcl_error *err)
{
    return write_runs(&dir, 1, result, NULL, err);
}

camcl_status camcl_report_write(const char *const *run_dirs, size_t count, const char *output, camcl_error *err)
{
    if (count == 0) return cc_fail(err, CAMCL_BAD_CONFIG, "report: no run directory (name one or more)");
    if (output == NULL && count > 1)
        return cc_fail(err, CAMCL_BAD_CONFIG, "report: several runs, but nowhere to write (name the output file)");
    return write_runs(run_dirs, count, NULL, output, err);
}
