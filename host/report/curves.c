/* Curves of metrics.csv: related columns share a chart where one run is shown; runs are compared in one chart per column. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/sections.h"

/* ---- which columns are drawn, and where */

typedef struct curve {
    const char *column, *name; /* name: within the chart of one run */
    bool from_zero;            /* in a chart of its own */
    const char *about;         /* there; NULL: what the column's own table says */
    cc_chart_best best;        /* there */
} curve;

/* A chart of one run. The order of curves is that of the charts in which runs are compared, too. */
typedef struct plot {
    const char *title, *about;
    bool percent, from_zero;
    cc_chart_best best;
    size_t count;
    curve curves[3];
} plot;

static const plot plots[] = {
    { "Accuracy",
      "share of images classified right",
      true,
      false,
      CC_CHART_BEST_VALUE_OF_FIRST,
      2,
      { { "val_top1", "validation", false, "share of validation images classified right; dots: best", CC_CHART_BEST_DOTS },
        { "train_top1", "training", false, NULL, CC_CHART_NO_BEST } } },
    { "Loss",
      "cross-entropy",
      false,
      true,
      CC_CHART_NO_BEST,
      3,
      { { "val_loss", "validation", true, "cross-entropy", CC_CHART_NO_BEST },
        { "loss_s", "labelled", true, NULL, CC_CHART_NO_BEST },
        { "loss_u", "pseudo-label", true, NULL, CC_CHART_NO_BEST } } },
    { "CAM consistency",
      "mean squared difference of the two views\xe2\x80\x99 maps",
      false,
      true,
      CC_CHART_NO_BEST,
      1,
      { { "loss_c", "CAM loss", true, NULL, CC_CHART_NO_BEST } } },
    { "Pseudo-labels",
      "share of unlabelled images confident; of these, right",
      true,
      true,
      CC_CHART_NO_BEST,
      2,
      { { "mask_rate", "confident", true, NULL, CC_CHART_NO_BEST }, { "pseudo_acc", "right", false, NULL, CC_CHART_NO_BEST } } },
    { "Learning rate", "of the optimizer", false, true, CC_CHART_NO_BEST, 1, { { "lr", "rate", true, NULL, CC_CHART_NO_BEST } } },
    { "Speed",
      "training images per second",
      false,
      true,
      CC_CHART_NO_BEST,
      1,
      { { "images_per_s", "images/s", true, NULL, CC_CHART_NO_BEST } } },
};

/* Columns that are no curve: the weighted sum of losses that are drawn, what follows from the configuration or from the steps, and
 * accuracies that run along with top-1 (their values at the end stand among the results). */
static const char *const undrawn[] = { "loss", "threshold", "seconds", "val_top3", "val_top5" };

static bool is_listed(const char *column)
{
    for (size_t i = 0; i < CC_COUNT(plots); i++)
        for (size_t c = 0; c < plots[i].count; c++)
            if (strcmp(plots[i].curves[c].column, column) == 0) return true;
    for (size_t i = 0; i < CC_COUNT(undrawn); i++)
        if (strcmp(undrawn[i], column) == 0) return true;
    return false;
}

/* ---- drawing */

typedef struct canvas {
    cc_text *out;
    const cc_report_run *runs;
    size_t count, drawn;
    cc_chart_series *series; /* room for one of each run, and for all of a plot */
} canvas;

/* Adds the run's column to the chart if it has a value there. */
static void add_series(canvas *v, cc_chart *chart, size_t run, const char *column, const char *name, size_t color)
{
    const cc_metrics *metrics = &v->runs[run].metrics;
    const size_t at = cc_columns_find(&metrics->columns, column);
    if (at == metrics->columns.count) return;
    const cc_chart_series one = { name, (unsigned)color, metrics, at };
    if (cc_chart_has_data(&(cc_chart){ .series = &one, .count = 1 })) v->series[chart->count++] = one;
}

static void draw(canvas *v, const cc_chart *chart)
{
    if (chart->count == 0) return;
    cc_chart_add(v->out, chart);
    v->drawn++;
}

static void draw_plot(canvas *v, const plot *p)
{
    cc_chart chart = { p->title, p->about, p->percent, p->from_zero, p->best, v->series, 0 };
    for (size_t c = 0; c < p->count; c++)
        add_series(v, &chart, 0, p->curves[c].column, p->curves[c].name, c);
    draw(v, &chart);
}

/* A chart of one column, for all runs. */
static void draw_column(canvas *v, const curve *c)
{
    const cc_column_text text = cc_column_describe(c->column, NULL);
    cc_chart chart = { text.label, c->about ? c->about : text.about, text.percent, c->from_zero, c->best, v->series, 0 };
    for (size_t r = 0; r < v->count; r++)
        add_series(v, &chart, r, c->column, v->count > 1 ? v->runs[r].name : text.label, r);
    draw(v, &chart);
}

/* Whether an earlier run has the column, so that it is drawn already. */
static bool is_earlier(const canvas *v, size_t run, const char *column)
{
    for (size_t r = 0; r < run; r++)
        if (cc_columns_find(&v->runs[r].metrics.columns, column) < v->runs[r].metrics.columns.count) return true;
    return false;
}

static void draw_all(canvas *v)
{
    for (size_t i = 0; i < CC_COUNT(plots); i++) {
        if (v->count == 1) draw_plot(v, &plots[i]);
        for (size_t c = 0; v->count > 1 && c < plots[i].count; c++)
            draw_column(v, &plots[i].curves[c]);
    }
    for (size_t r = 0; r < v->count; r++) {
        const cc_columns *columns = &v->runs[r].metrics.columns;
        for (size_t c = 0; c < columns->count; c++)
            if (!is_listed(columns->names[c]) && !is_earlier(v, r, columns->names[c]))
                draw_column(v, &(curve){ .column = columns->names[c], .from_zero = true });
    }
}

static void add_legend(cc_text *out, const cc_report_run *runs, size_t count)
{
    cc_text_add(out, "<ul class=\"legend\">");
    for (size_t r = 0; r < count; r++) {
        cc_text_add(out, "<li class=\"c%zu\"><span class=\"dot\"></span>", r % CC_CHART_COLORS);
        cc_html_escape(out, runs[r].name);
        cc_text_add(out, "</li>");
    }
    cc_text_add(out, "</ul>\n");
}

void cc_report_add_curves(cc_text *out, const cc_report_run *runs, size_t count)
{
    cc_text figures = CC_TEXT_INIT;
    canvas v = { .out = &figures, .runs = runs, .count = count };
    if (CC_NEW(count + CC_COUNT(plots[0].curves), &v.series, NULL) != CAMCL_OK) {
        out->failed = true;
        return;
    }
    draw_all(&v);
    cc_text_add(out, "<section><h2>Curves</h2>\n");
    if (v.drawn == 0) {
        cc_text_add(out, "<p class=\"missing\">No curves: metrics.csv is missing or has no rows.</p>\n");
    } else {
        if (count > 1) add_legend(out, runs, count);
        cc_text_add(out, "<div class=\"charts\">\n");
        if (figures.length > 0) cc_text_add_bytes(out, figures.data, figures.length);
        cc_text_add(out, "</div>\n");
    }
    cc_text_add(out, "</section>\n");
    if (figures.failed) out->failed = true;
    cc_text_free(&figures);
    free(v.series);
}
