#include "report/chart.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "report/html.h"

/* All lengths are in units of the view box, which are about one pixel each on a desktop page. */
#define WIDTH 400.0
#define HEIGHT 236.0
#define LEFT 46.0
#define TOP 12.0
#define BOTTOM (HEIGHT - 30.0)
#define LETTER 6.3       /* mean width of a character */
#define LABEL_GAP 13.5   /* least distance of two labels' base lines */
#define LABEL_MOST 15    /* characters */
#define TIP_MOST 24      /* characters of a name in the tip */
#define HOVER_COLUMNS 48 /* at most, so that the page stays small */
#define POINTS_MOST 800  /* of one curve; more cannot be told apart */

typedef struct frame {
    double x_low, x_high, x_step, y_low, y_high, y_step, right;
} frame;

typedef struct label {
    const cc_chart_series *series;
    double x, y, at; /* the curve's end; the base line of the text */
} label;

static double value_at(const cc_chart_series *series, size_t row) { return series->metrics->rows[row].values[series->column]; }

static bool has_value(const cc_chart_series *series)
{
    for (size_t i = 0; i < series->metrics->count; i++)
        if (isfinite(value_at(series, i))) return true;
    return false;
}

bool cc_chart_has_data(const cc_chart *chart)
{
    for (size_t i = 0; i < chart->count; i++)
        if (has_value(&chart->series[i])) return true;
    return false;
}

static double map_x(const frame *f, double x) { return LEFT + (x - f->x_low) / (f->x_high - f->x_low) * (f->right - LEFT); }

static double map_y(const frame *f, double y) { return BOTTOM - (y - f->y_low) / (f->y_high - f->y_low) * (BOTTOM - TOP); }

/* The step 1, 2, 5 or 10 times a power of ten that cuts span into about `parts` parts. */
static double nice_step(double span, double parts)
{
    double raw = span / parts, power = pow(10, floor(log10(raw))), lead = raw / power;
    return power * (lead <= 1.0001 ? 1 : lead <= 2.0001 ? 2 : lead <= 5.0001 ? 5 : 10);
}

static void put(cc_text *out, const char *before, double value)
{
    cc_text_add(out, "%s", before);
    cc_html_number(out, value, 1);
}

static void put_value(cc_text *out, const cc_chart *chart, double value)
{
    if (chart->percent) {
        cc_html_number(out, value, 1);
        cc_text_add(out, " %%");
    } else {
        cc_html_short(out, value);
    }
}

/* ---- the frame: ranges, ticks, labels' room ---- */

static void y_range(const cc_chart *chart, frame *f)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t s = 0; s < chart->count; s++)
        for (size_t i = 0; i < chart->series[s].metrics->count; i++) {
            double value = value_at(&chart->series[s], i);
            if (!isfinite(value)) continue;
            low = fmin(low, value);
            high = fmax(high, value);
        }
    if (chart->from_zero) low = fmin(low, 0);
    if (high - low < 1e-9 * fmax(fabs(high), 1e-9)) { /* a constant curve still needs a range */
        double pad = high != 0 ? 0.1 * fabs(high) : 1;
        high += pad;
        if (!(chart->from_zero && low >= 0)) low -= pad;
    }
    f->y_step = nice_step(high - low, 4.5);
    f->y_low = floor(low / f->y_step + 1e-9) * f->y_step;
    f->y_high = ceil(high / f->y_step - 1e-9) * f->y_step;
    if (chart->percent && low >= 0) f->y_low = fmax(f->y_low, 0);
    if (chart->percent && high <= 100) f->y_high = fmin(f->y_high, 100);
}

static frame make_frame(const cc_chart *chart)
{
    frame f = { .x_high = 0 };
    double longest = 0;
    for (size_t s = 0; s < chart->count; s++) {
        const cc_metrics *metrics = chart->series[s].metrics;
        if (metrics->count > 0) f.x_high = fmax(f.x_high, (double)metrics->rows[metrics->count - 1].step);
        if (has_value(&chart->series[s])) longest = fmax(longest, (double)cc_html_length(chart->series[s].name));
    }
    if (f.x_high <= 0) f.x_high = 1;
    f.x_step = fmax(nice_step(f.x_high, 4), 1);
    f.right = WIDTH - 14 - LETTER * fmax(fmin(longest, LABEL_MOST), 6); /* 6: the word "step" also needs this room */
    y_range(chart, &f);
    return f;
}

static void add_axes(cc_text *out, const cc_chart *chart, const frame *f)
{
    int decimals = f->y_step >= 1 ? 0 : (int)ceil(-log10(f->y_step) - 1e-9);
    for (double k = 0; f->y_low + k * f->y_step <= f->y_high + 1e-6 * f->y_step; k++) {
        double value = f->y_low + k * f->y_step, y = map_y(f, value);
        put(out, "<line class=\"grid\" x1=\"", LEFT);
        put(out, "\" x2=\"", f->right);
        put(out, "\" y1=\"", y);
        put(out, "\" y2=\"", y);
        put(out, "\"/><text text-anchor=\"end\" x=\"", LEFT - 7);
        put(out, "\" y=\"", y + 4);
        cc_text_add(out, "\">");
        if (f->y_high >= 10000 || decimals > 5)
            cc_html_short(out, value);
        else
            cc_html_number(out, value, decimals);
        cc_text_add(out, "%s</text>", chart->percent ? "%" : "");
    }
    put(out, "<line class=\"axis\" x1=\"", LEFT);
    put(out, "\" x2=\"", f->right);
    put(out, "\" y1=\"", BOTTOM);
    put(out, "\" y2=\"", BOTTOM);
    cc_text_add(out, "\"/>");
    for (double k = 0; k * f->x_step <= f->x_high * 1.0001; k++) {
        double x = map_x(f, k * f->x_step);
        put(out, "<text text-anchor=\"middle\" x=\"", x);
        put(out, "\" y=\"", BOTTOM + 17);
        cc_text_add(out, "\">");
        if (f->x_high >= 10000 && k > 0) {
            cc_html_number(out, k * f->x_step / 1000, f->x_step < 1000 ? 1 : 0);
            cc_text_add(out, "k");
        } else {
            cc_html_number(out, k * f->x_step, 0);
        }
        cc_text_add(out, "</text>");
    }
    put(out, "<text text-anchor=\"end\" x=\"", WIDTH);
    put(out, "\" y=\"", BOTTOM + 17);
    cc_text_add(out, "\">step</text>");
}

/* ---- curves ---- */

static void add_point(cc_text *out, double x, double y, double radius)
{
    put(out, "<circle class=\"point\" cx=\"", x);
    put(out, "\" cy=\"", y);
    put(out, "\" r=\"", radius);
    cc_text_add(out, "\"/>");
}

/* Draws a curve as one path, interrupted where values are missing; a single value between missing ones becomes a dot. Very long curves
 * keep the lowest and highest value of each stretch, so that every spike stays visible. */
static void add_curve(cc_text *out, const cc_chart_series *series, const frame *f)
{
    size_t count = series->metrics->count, stretch = cc_max_size(1, 2 * count / POINTS_MOST);
    cc_text path = CC_TEXT_INIT;
    bool open = false;
    for (size_t i = 0; i < count; i += stretch) {
        size_t end = cc_min_size(count, i + stretch), low = i, high = i;
        for (size_t j = i; j < end; j++) {
            double value = value_at(series, j);
            if (!isfinite(value)) continue;
            if (!(value_at(series, low) <= value)) low = j; /* also moves on from a missing value */
            if (!(value_at(series, high) >= value)) high = j;
        }
        size_t pair[2] = { cc_min_size(low, high), cc_max_size(low, high) };
        for (int p = 0; p < (low == high ? 1 : 2); p++) {
            double value = value_at(series, pair[p]);
            if (!isfinite(value)) {
                open = false;
                continue;
            }
            double x = map_x(f, (double)series->metrics->rows[pair[p]].step), y = map_y(f, value);
            bool alone = !open && stretch == 1 && (i + 1 == count || !isfinite(value_at(series, i + 1)));
            put(&path, open ? "L" : "M", x);
            put(&path, " ", y);
            if (alone) add_point(out, x, y, 3);
            open = true;
        }
    }
    cc_text_add(out, "<path class=\"curve%s\" d=\"", series->color >= CC_CHART_COLORS ? " dash" : "");
    if (path.length > 0) cc_text_add_bytes(out, path.data, path.length);
    cc_text_add(out, "\"/>");
    if (path.failed) out->failed = true;
    cc_text_free(&path);
}

static void add_best(cc_text *out, const cc_chart *chart, const cc_chart_series *series, const frame *f)
{
    size_t best = 0, count = series->metrics->count;
    for (size_t i = 1; i < count; i++)
        if (isfinite(value_at(series, i)) && !(value_at(series, best) >= value_at(series, i))) best = i;
    double value = value_at(series, best);
    if (!isfinite(value)) return;
    double x = map_x(f, (double)series->metrics->rows[best].step), y = map_y(f, value);
    add_point(out, x, y, 4.5);
    if (chart->best != CC_CHART_BEST_VALUE_OF_FIRST) return; /* values of several curves would cover each other */
    put(out, "<text class=\"value\" text-anchor=\"middle\" x=\"", fmin(fmax(x, LEFT + 20), f->right - 14));
    put(out, "\" y=\"", y < TOP + 12 ? y + 19 : y - 9);
    cc_text_add(out, "\">");
    put_value(out, chart, value);
    cc_text_add(out, "</text>");
}

/* ---- labels at the curves' ends ---- */

static int by_height(const void *a, const void *b)
{
    const label *x = a, *y = b;
    return x->y < y->y ? -1 : x->y > y->y;
}

/* Moves overlapping labels down, and then up again if the lowest left the frame. */
static void spread_labels(label *labels, size_t count)
{
    for (size_t i = 0; i < count; i++)
        labels[i].at = i == 0 ? fmax(labels[i].y, TOP) : fmax(labels[i].y, labels[i - 1].at + LABEL_GAP);
    double limit = BOTTOM;
    for (size_t i = count; i-- > 0; limit = labels[i].at - LABEL_GAP)
        labels[i].at = fmin(labels[i].at, limit);
}

static void add_labels(cc_text *out, const cc_chart *chart, const frame *f)
{
    label *labels = NULL;
    size_t count = 0;
    if (CC_NEW(chart->count, &labels, NULL) != CAMCL_OK) {
        out->failed = true;
        return;
    }
    for (size_t s = 0; s < chart->count; s++) {
        const cc_chart_series *series = &chart->series[s];
        for (size_t i = series->metrics->count; i-- > 0;) {
            if (!isfinite(value_at(series, i))) continue;
            labels[count++] = (label){ series, map_x(f, (double)series->metrics->rows[i].step), map_y(f, value_at(series, i)), 0 };
            break;
        }
    }
    qsort(labels, count, sizeof *labels, by_height);
    spread_labels(labels, count);
    for (size_t i = 0; i < count; i++) {
        cc_text_add(out, "<g class=\"c%u\">", labels[i].series->color % CC_CHART_COLORS);
        if (fabs(labels[i].at - labels[i].y) > 3 || f->right - labels[i].x > 6) {
            /* The label of a run that ended early is joined to its curve by a dotted line, which cannot be mistaken for the curve. */
            put(out, f->right - labels[i].x > 6 ? "<path class=\"lead-line far\" d=\"M" : "<path class=\"lead-line\" d=\"M", labels[i].x);
            put(out, " ", labels[i].y);
            put(out, "L", f->right + 6);
            put(out, " ", labels[i].at);
            cc_text_add(out, "\"/>");
        }
        add_point(out, labels[i].x, labels[i].y, 3.2);
        put(out, "<text class=\"name\" x=\"", f->right + 9);
        put(out, "\" y=\"", labels[i].at + 4);
        cc_text_add(out, "\">");
        cc_html_escape_cut(out, labels[i].series->name, LABEL_MOST);
        cc_text_add(out, "</text></g>");
    }
    free(labels);
}

/* ---- what the pointer shows ---- */

/* Finds the value at `step`. Returns false if the run has no such row or no value there. */
static bool find_value(const cc_chart_series *series, uint64_t step, double *value, uint64_t *epoch)
{
    size_t low = 0, high = series->metrics->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (series->metrics->rows[middle].step < step)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == series->metrics->count || series->metrics->rows[low].step != step) return false;
    *value = value_at(series, low);
    *epoch = series->metrics->rows[low].epoch;
    return isfinite(*value);
}

static void add_tip(cc_text *out, const cc_chart *chart, const frame *f, uint64_t step)
{
    double x = map_x(f, (double)step), value = NAN, longest = 0;
    uint64_t epoch = 0;
    size_t lines = 0;
    cc_text head = CC_TEXT_INIT;
    for (size_t s = 0; s < chart->count; s++) {
        if (!find_value(&chart->series[s], step, &value, &epoch)) continue;
        lines++;
        longest = fmax(longest, fmin((double)cc_html_length(chart->series[s].name), TIP_MOST));
    }
    cc_text_add(&head, "epoch %llu, step %llu", (unsigned long long)epoch, (unsigned long long)step);
    double width = fmax(31 + LETTER * (longest + 9), 18 + LETTER * (double)head.length);
    double left = x + 10 + width < WIDTH ? x + 10 : x - 10 - width;
    put(out, "<g class=\"tip\"><line class=\"hair\" x1=\"", x);
    put(out, "\" x2=\"", x);
    put(out, "\" y1=\"", TOP);
    put(out, "\" y2=\"", BOTTOM);
    put(out, "\"/><rect class=\"box\" rx=\"5\" x=\"", left);
    put(out, "\" y=\"", TOP);
    put(out, "\" width=\"", width);
    put(out, "\" height=\"", 24 + 16.0 * (double)lines);
    put(out, "\"/><text x=\"", left + 9);
    put(out, "\" y=\"", TOP + 17);
    cc_text_add(out, "\">%s</text>", head.failed ? "" : head.data);
    cc_text_free(&head);
    double y = TOP + 17;
    for (size_t s = 0; s < chart->count; s++) {
        if (!find_value(&chart->series[s], step, &value, &epoch)) continue;
        y += 16;
        cc_text_add(out, "<g class=\"c%u\">", chart->series[s].color % CC_CHART_COLORS);
        add_point(out, left + 13, y - 4, 3.5);
        put(out, "<circle class=\"point\" r=\"4\" cx=\"", x);
        put(out, "\" cy=\"", map_y(f, value));
        put(out, "\"/></g><text class=\"name\" x=\"", left + 22);
        put(out, "\" y=\"", y);
        cc_text_add(out, "\">");
        cc_html_escape_cut(out, chart->series[s].name, TIP_MOST);
        put(out, "</text><text class=\"value\" text-anchor=\"end\" x=\"", left + width - 9);
        put(out, "\" y=\"", y);
        cc_text_add(out, "\">");
        put_value(out, chart, value);
        cc_text_add(out, "</text>");
    }
    cc_text_add(out, "</g>");
}

/* Adds vertical strips, one per step of the series with the most rows (thinned out). Each strip has a hidden tip that CSS shows under
 * the pointer, without a script. */
static void add_hover(cc_text *out, const cc_chart *chart, const frame *f)
{
    const cc_metrics *longest = chart->series[0].metrics;
    for (size_t s = 1; s < chart->count; s++)
        if (chart->series[s].metrics->count > longest->count) longest = chart->series[s].metrics;
    size_t stride = cc_max_size(1, cc_ceil_div(longest->count, HOVER_COLUMNS));
    double before = LEFT;
    for (size_t i = (longest->count - 1) % stride; i < longest->count; i += stride) {
        double x = map_x(f, (double)longest->rows[i].step);
        double after = i + stride < longest->count ? (x + map_x(f, (double)longest->rows[i + stride].step)) / 2 : f->right;
        put(out, "<g class=\"hit\"><rect class=\"area\" x=\"", before);
        put(out, "\" y=\"", TOP);
        put(out, "\" width=\"", fmax(after - before, 0));
        put(out, "\" height=\"", BOTTOM - TOP);
        cc_text_add(out, "\"/>");
        add_tip(out, chart, f, longest->rows[i].step);
        cc_text_add(out, "</g>");
        before = after;
    }
}

void cc_chart_add(cc_text *out, const cc_chart *chart)
{
    frame f = make_frame(chart);
    cc_text_add(out, "<figure class=\"card chart\"><h3>");
    cc_html_escape(out, chart->title);
    cc_text_add(out, "</h3><p>");
    cc_html_escape(out, chart->about);
    put(out, "</p><svg viewBox=\"0 0 ", WIDTH);
    put(out, " ", HEIGHT);
    cc_text_add(out, "\" role=\"img\" aria-label=\"");
    cc_html_escape(out, chart->title);
    cc_text_add(out, "\">");
    add_axes(out, chart, &f);
    for (size_t s = 0; s < chart->count; s++) {
        if (!has_value(&chart->series[s])) continue;
        cc_text_add(out, "<g class=\"c%u\">", chart->series[s].color % CC_CHART_COLORS);
        add_curve(out, &chart->series[s], &f);
        if (chart->best == CC_CHART_BEST_DOTS || (chart->best == CC_CHART_BEST_VALUE_OF_FIRST && s == 0))
            add_best(out, chart, &chart->series[s], &f);
        cc_text_add(out, "</g>");
    }
    add_labels(out, chart, &f);
    add_hover(out, chart, &f);
    cc_text_add(out, "</svg></figure>\n");
}
