#include "report/document.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "camcl/evaluation.h"
#include "camcl/image.h"
#include "report/json_text.h"
#include "report/statistics.h"

#define COLORMAP_STOPS 17

/* ---- what is alike for all runs */

static void add_metrics(cc_text *out)
{
    static const char *const units[] = { [CAMCL_PERCENT] = "percent", [CAMCL_NATS] = "nats", [CAMCL_POINTS] = "points" };
    size_t count;
    const camcl_metric *metrics = camcl_metric_list(&count);
    cc_json_begin(out, "metrics", '[');
    for (size_t i = 0; i < count; i++) {
        cc_json_begin(out, NULL, '{');
        cc_json_add_string(out, "name", metrics[i].name);
        cc_json_add_string(out, "label", metrics[i].label);
        cc_json_add_string(out, "unit", units[metrics[i].unit]);
        cc_json_add_bool(out, "higher_is_better", metrics[i].higher_is_better);
        cc_json_end(out, '}');
    }
    cc_json_end(out, ']');
}

static bool has_column(const cc_report_run *run, const char *name)
{
    return cc_columns_find(&run->metrics.columns, name) < run->metrics.columns.count;
}

/* Columns of all runs, each once, in the order in which they are found. */
static void add_columns(cc_text *out, const cc_report_run *runs, size_t count)
{
    cc_json_begin(out, "columns", '[');
    for (size_t r = 0; r < count; r++)
        for (size_t c = 0; c < runs[r].metrics.columns.count; c++) {
            const char *name = runs[r].metrics.columns.names[c];
            bool earlier = false;
            for (size_t i = 0; i < r && !earlier; i++)
                earlier = has_column(&runs[i], name);
            if (earlier) continue;
            const cc_column_text text = cc_column_describe(name, NULL);
            cc_json_begin(out, NULL, '{');
            cc_json_add_string(out, "name", name);
            cc_json_add_string(out, "label", text.label);
            cc_json_add_string(out, "about", text.about);
            cc_json_add_bool(out, "percent", text.percent);
            cc_json_end(out, '}');
        }
    cc_json_end(out, ']');
}

static void add_keys(cc_text *out)
{
    size_t rows;
    const camcl_config_key *schema = camcl_config_schema(&rows);
    cc_json_begin(out, "keys", '[');
    for (size_t i = 0; i < rows; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s.%s", schema[i].section, schema[i].name);
        cc_json_begin(out, NULL, '{');
        cc_json_add_string(out, "name", name);
        cc_json_add_string(out, "section", schema[i].section);
        cc_json_add_string(out, "help", schema[i].help);
        cc_json_end(out, '}');
    }
    cc_json_end(out, ']');
}

static void add_colormap(cc_text *out)
{
    uint8_t colors[256][3];
    camcl_colormap(colors);
    cc_json_begin(out, "colormap", '[');
    for (size_t i = 0; i < COLORMAP_STOPS; i++) {
        const uint8_t *c = colors[i * 255 / (COLORMAP_STOPS - 1)];
        char text[8];
        snprintf(text, sizeof text, "#%02x%02x%02x", c[0], c[1], c[2]);
        cc_json_add_string(out, NULL, text);
    }
    cc_json_end(out, ']');
}

/* ---- a run */

static void add_test(cc_text *out, const cc_report_run *run)
{
    size_t count;
    const camcl_metric *metrics = camcl_metric_list(&count);
    const double images = cc_report_test_images(run);
    const camcl_interval interval = camcl_wilson_interval(cc_report_test(run, cc_report_headline()), images);
    cc_json_begin(out, "best", '{');
    cc_json_add_number(out, "epoch", run->result.best_epoch);
    cc_json_add_number(out, "val_top1", run->result.best_val_top1);
    cc_json_end(out, '}');
    cc_json_begin(out, "test", '{');
    cc_json_add_number(out, "images", images > 0 ? images : NAN);
    for (size_t i = 0; i < count; i++)
        cc_json_add_number(out, metrics[i].name, cc_report_test(run, i));
    cc_json_end(out, '}');
    cc_json_begin(out, "interval", '[');
    cc_json_add_number(out, NULL, interval.low);
    cc_json_add_number(out, NULL, interval.high);
    cc_json_end(out, ']');
}

static bool has_value(const cc_metrics *metrics, size_t column)
{
    for (size_t i = 0; i < metrics->count; i++)
        if (isfinite(metrics->rows[i].values[column])) return true;
    return false;
}

static void add_curves(cc_text *out, const cc_metrics *metrics)
{
    cc_json_begin(out, "curves", '{');
    cc_json_begin(out, "step", '[');
    for (size_t i = 0; i < metrics->count; i++)
        cc_json_add_count(out, NULL, (size_t)metrics->rows[i].step);
    cc_json_end(out, ']');
    cc_json_begin(out, "epoch", '[');
    for (size_t i = 0; i < metrics->count; i++)
        cc_json_add_count(out, NULL, (size_t)metrics->rows[i].epoch);
    cc_json_end(out, ']');
    for (size_t c = 0; c < metrics->columns.count; c++) {
        if (!has_value(metrics, c)) continue;
        cc_json_begin(out, metrics->columns.names[c], '[');
        for (size_t i = 0; i < metrics->count; i++)
            cc_json_add_number(out, NULL, metrics->rows[i].values[c]);
        cc_json_end(out, ']');
    }
    cc_json_end(out, '}');
}

static void add_run(cc_text *out, const cc_report_run *run)
{
    cc_json_begin(out, NULL, '{');
    cc_json_add_string(out, "name", run->name);
    cc_json_add_string(out, "directory", run->dir);
    cc_json_add_bool(out, "finished", run->finished);
    cc_json_begin(out, "problems", '[');
    for (size_t i = 0; i < run->problem_count; i++)
        cc_json_add_string(out, NULL, run->problems[i]);
    cc_json_end(out, ']');
    cc_json_add_string(out, "mode", cc_report_mode(run));
    cc_json_add_string(out, "arch", cc_report_arch(run));
    cc_json_add_string(out, "preset", run->result.preset);
    cc_json_add_number(out, "width", run->result.width);
    cc_json_add_number(out, "labeled", run->result.labeled);
    cc_json_add_number(out, "unlabeled", run->result.unlabeled);
    cc_json_add_string(out, "seed", run->config ? camcl_config_string(run->config, "train.seed") : NULL);
    cc_json_add_string(out, "device", run->result.device);
    cc_json_add_number(out, "seconds", run->result.seconds);
    add_test(out, run);
    add_curves(out, &run->metrics);
    cc_report_add_test_details(out, run);
    cc_report_add_pseudo_labels(out, &run->pseudo_labels);
    cc_report_add_settings(out, run);
    cc_json_end(out, '}');
}

/* ---- runs that differ in the seed alone */

static void add_spread(cc_text *out, const char *name, const double *values, size_t count)
{
    const cc_spread spread = cc_spread_of(values, count);
    cc_json_begin(out, name, '{');
    cc_json_add_count(out, "n", spread.n);
    cc_json_add_number(out, "mean", spread.mean);
    cc_json_add_number(out, "sd", spread.sd);
    cc_json_end(out, '}');
}

/* values [group->count]: room. */
static void add_group(cc_text *out, const cc_report_run *runs, const cc_report_group *group, double *values)
{
    size_t metric_count;
    const camcl_metric *metrics = camcl_metric_list(&metric_count);
    cc_json_begin(out, NULL, '{');
    cc_json_add_string(out, "name", group->name);
    cc_json_begin(out, "runs", '[');
    for (size_t i = 0; i < group->count; i++)
        cc_json_add_count(out, NULL, group->runs[i]);
    cc_json_end(out, ']');
    cc_json_begin(out, "seeds", '[');
    for (size_t i = 0; i < group->count; i++) {
        const camcl_config *config = runs[group->runs[i]].config;
        cc_json_add_string(out, NULL, config ? camcl_config_string(config, "train.seed") : NULL);
    }
    cc_json_end(out, ']');
    cc_json_begin(out, "spread", '{');
    for (size_t m = 0; m < metric_count; m++) {
        for (size_t i = 0; i < group->count; i++)
            values[i] = cc_report_test(&runs[group->runs[i]], m);
        add_spread(out, metrics[m].name, values, group->count);
    }
    for (size_t i = 0; i < group->count; i++)
        values[i] = runs[group->runs[i]].result.best_val_top1;
    add_spread(out, "val_top1", values, group->count);
    cc_json_end(out, '}');
    cc_json_end(out, '}');
}

static void add_groups(cc_text *out, const cc_report_run *runs, size_t count, const cc_report_groups *groups)
{
    double *values = NULL;
    if (CC_NEW(count, &values, NULL) != CAMCL_OK) {
        out->failed = true;
        return;
    }
    cc_json_begin(out, "groups", '[');
    for (size_t i = 0; i < groups->count; i++)
        add_group(out, runs, &groups->items[i], values);
    cc_json_end(out, ']');
    free(values);
}

void cc_report_add_document(cc_text *out, const cc_report_run *runs, size_t count, const cc_report_groups *groups)
{
    cc_json_begin(out, NULL, '{');
    cc_json_add_string(out, "format", "camcl-report");
    cc_json_add_count(out, "version", 1);
    cc_json_add_string(out, "camcl", CAMCL_VERSION);
    add_metrics(out);
    cc_json_add_string(out, "headline", camcl_metric_list(&(size_t){ 0 })[cc_report_headline()].name);
    add_columns(out, runs, count);
    add_keys(out);
    add_colormap(out);
    cc_json_begin(out, "runs", '[');
    for (size_t r = 0; r < count; r++)
        add_run(out, &runs[r]);
    cc_json_end(out, ']');
    add_groups(out, runs, count, groups);
    cc_report_add_gallery(out, runs, count);
    cc_json_end(out, '}');
}
