/* What eval prints. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eval_print.h"
#include "output.h"

enum { LINE_WIDTH = 80, MOST_NAME_WIDTH = 32, MOST_ROWS = 20, SHORT_ROWS = 10 };

/* ---- JSON */

static void json_interval(double percent, size_t n)
{
    const camcl_interval interval = camcl_wilson_interval(percent, (double)n);
    printf("[");
    cli_json_number(interval.low);
    printf(", ");
    cli_json_number(interval.high);
    printf("]");
}

static void json_share(const char *name, double percent, size_t n)
{
    printf(", \"%s\": ", name);
    cli_json_number(percent);
    printf(", \"%s_interval\": ", name);
    json_interval(percent, n);
}

static void json_class(const char *name, const camcl_class_figures *f)
{
    printf("{\"class\": ");
    cli_json_string(name);
    printf(", \"n\": %zu, \"predicted\": %zu, \"right\": %zu", f->images, f->predicted, f->right);
    json_share("precision", f->precision, f->predicted);
    json_share("recall", f->recall, f->images);
    printf("}");
}

static void json_bin(size_t b, const camcl_reliability_bin *bin)
{
    printf("{\"from\": ");
    cli_json_number(100.0 * (double)b / CAMCL_RELIABILITY_BINS);
    printf(", \"to\": ");
    cli_json_number(100.0 * (double)(b + 1) / CAMCL_RELIABILITY_BINS);
    printf(", \"n\": %zu, \"confidence\": ", bin->n);
    cli_json_number(bin->confidence);
    printf(", \"accuracy\": ");
    cli_json_number(bin->accuracy);
    printf("}");
}

static void json_cam(const cli_localisation *cam)
{
    printf("{\"layer\": %zu, \"pointing\": ", cam->layer);
    cli_json_number(cam->pointing);
    printf(", \"mass\": ");
    cli_json_number(cam->mass);
    printf("}");
}

void cli_eval_json(const char *split, const camcl_evaluation *e, const camcl_breakdown *b, const char *const *names,
                   const cli_localisation *cams, size_t stages)
{
    size_t count, intervals = 0;
    const camcl_metric *metrics = camcl_metric_list(&count);
    printf("{\"split\": \"%s\", \"n\": %zu", split, e->n);
    for (size_t i = 0; i < count; i++) {
        printf(", \"%s\": ", metrics[i].name);
        cli_json_number(e->values[i]);
    }
    printf(",\n \"interval\": {");
    for (size_t i = 0; i < count; i++) {
        if (metrics[i].unit != CAMCL_PERCENT) continue;
        printf("%s\"%s\": ", intervals++ ? ", " : "", metrics[i].name);
        json_interval(e->values[i], e->n);
    }
    printf("},\n \"classes\": [");
    for (size_t c = 0; c < b->classes; c++) {
        const camcl_class_figures f = camcl_class_figures_of(b->confusion, b->classes, c);
        printf(c ? ",\n  " : "\n  ");
        json_class(names[c], &f);
    }
    printf("],\n \"reliability\": [");
    for (size_t i = 0; i < CAMCL_RELIABILITY_BINS; i++) {
        printf(i ? ",\n  " : "\n  ");
        json_bin(i, &b->reliability[i]);
    }
    printf("]");
    if (stages) printf(",\n \"cam\": [");
    for (size_t i = 0; i < stages; i++) {
        printf(i ? ",\n  " : "\n  ");
        json_cam(&cams[i]);
    }
    printf(stages ? "]}\n" : "}\n");
}

/* ---- text */

static void print_share(const char *before, double percent)
{
    if (isnan(percent))
        printf("%s       -", before);
    else
        printf("%s%6.1f %%", before, percent);
}

/* "  top-1 81.75 % (80.0-83.4)" */
static void format_metric(const camcl_metric *metric, double value, size_t n, char *text, size_t size)
{
    const camcl_interval interval = camcl_wilson_interval(value, (double)n);
    const int length = snprintf(text, size, metric->unit == CAMCL_NATS ? "  %s %.4f" : "  %s %.2f %%", metric->label, value);
    if (metric->unit == CAMCL_PERCENT && length > 0 && (size_t)length < size)
        snprintf(text + length, size - (size_t)length, " (%.1f-%.1f)", interval.low, interval.high);
}

/* Metrics that are not available are left out. Lines break before they are too wide for most terminals. */
static void print_metrics(const char *split, const camcl_evaluation *e)
{
    size_t count;
    const camcl_metric *metrics = camcl_metric_list(&count);
    size_t column = (size_t)printf("%s: %zu images", split, e->n);
    for (size_t i = 0; i < count; i++) {
        char text[160];
        if (e->n == 0 || (isnan(e->values[i]) && metrics[i].trivial_classes > 0)) continue;
        format_metric(&metrics[i], e->values[i], e->n, text, sizeof text);
        if (column + strlen(text) > LINE_WIDTH) {
            printf("\n");
            column = 0;
        }
        column += (size_t)printf("%s", text);
    }
    printf(e->n ? "\nin brackets: 95 %% intervals\n" : ", none of them with a label\n");
}

typedef struct row {
    size_t at;
    camcl_class_figures f;
} row;

/* The lowest recall first; classes without images last. */
static int by_recall(const void *a, const void *b)
{
    const row *x = a, *y = b;
    const double p = isnan(x->f.recall) ? 101 : x->f.recall, q = isnan(y->f.recall) ? 101 : y->f.recall;
    if (p < q || p > q) return p < q ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

static void print_classes(const camcl_breakdown *b, const char *const *names, row *rows)
{
    const bool all = b->classes <= MOST_ROWS;
    const size_t shown = all ? b->classes : SHORT_ROWS;
    size_t width = sizeof "class" - 1;
    for (size_t c = 0; c < b->classes; c++)
        rows[c] = (row){ c, camcl_class_figures_of(b->confusion, b->classes, c) };
    if (!all) qsort(rows, b->classes, sizeof *rows, by_recall);
    for (size_t i = 0; i < shown; i++) {
        const size_t own = cli_text_width(names[rows[i].at]);
        if (own > width && own <= MOST_NAME_WIDTH) width = own;
    }
    printf("\n");
    cli_cell(stdout, "class", width);
    printf("  images  precision    recall\n");
    for (size_t i = 0; i < shown; i++) {
        cli_cell(stdout, names[rows[i].at], width);
        printf("  %6zu", rows[i].f.images);
        print_share("   ", rows[i].f.precision);
        print_share("  ", rows[i].f.recall);
        printf("\n");
    }
    if (!all) printf("the %zu classes of lowest recall, of %zu (--json has all)\n", shown, b->classes);
}

camcl_status cli_eval_text(const char *split, const camcl_evaluation *e, const camcl_breakdown *b, const char *const *names,
                           camcl_error *err)
{
    row *rows = malloc(b->classes * sizeof *rows);
    if (rows == NULL) return cli_error(err, CAMCL_NO_MEMORY, "eval: no memory for %zu classes (close other programs)", b->classes);
    print_metrics(split, e);
    print_classes(b, names, rows);
    free(rows);
    return CAMCL_OK;
}

void cli_localisation_text(const cli_localisation *cams, size_t stages)
{
    printf("\nGrad-CAM of the predicted class\nstage  pointing      mass\n");
    for (size_t i = 0; i < stages; i++) {
        printf("%5zu", cams[i].layer);
        print_share("  ", cams[i].pointing);
        print_share("  ", cams[i].mass);
        printf("\n");
    }
}
