/* The report without a script: tables of the runs' results and of their classes. */
#include <math.h>

#include "camcl/evaluation.h"
#include "report/html.h"
#include "report/page.h"

static int decimals_of(camcl_unit unit) { return unit == CAMCL_NATS ? 3 : 1; }

static void begin_cell(cc_text *out) { cc_text_add(out, "</td><td class=\"n\">"); }

static void add_run(cc_text *out, const cc_report_run *run)
{
    size_t count;
    const camcl_metric *metrics = camcl_metric_list(&count);
    const size_t headline = cc_report_headline();
    const camcl_interval interval = camcl_wilson_interval(cc_report_test(run, headline), cc_report_test_images(run));
    cc_text_add(out, "<tr><th scope=\"row\">");
    cc_html_escape(out, run->name);
    cc_text_add(out, "</th><td>");
    cc_html_escape(out, cc_report_mode(run));
    begin_cell(out);
    cc_html_number(out, cc_report_test(run, headline), decimals_of(metrics[headline].unit));
    begin_cell(out);
    cc_html_number(out, interval.low, 1);
    if (isfinite(interval.low)) cc_text_add(out, " to ");
    if (isfinite(interval.low)) cc_html_number(out, interval.high, 1);
    begin_cell(out);
    cc_html_number(out, run->result.best_val_top1, 1);
    for (size_t i = 0; i < count; i++) {
        if (i == headline) continue;
        begin_cell(out);
        cc_html_number(out, cc_report_test(run, i), decimals_of(metrics[i].unit));
    }
    begin_cell(out);
    cc_html_duration(out, run->result.seconds);
    cc_text_add(out, "</td></tr>\n");
}

static void add_head(cc_text *out, const char *before, const char *label, camcl_unit unit)
{
    cc_text_add(out, "<th scope=\"col\" class=\"n\">%s%s%s</th>", before, label, unit == CAMCL_NATS ? "" : ", %");
}

static void add_results(cc_text *out, const cc_report_run *runs, size_t count)
{
    size_t metric_count;
    const camcl_metric *metrics = camcl_metric_list(&metric_count);
    const size_t headline = cc_report_headline();
    cc_text_add(out,
                "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Results\"><table><thead><tr><th scope=\"col\">Run</th>"
                "<th scope=\"col\">Mode</th>");
    add_head(out, "Test ", metrics[headline].label, metrics[headline].unit);
    add_head(out, "", "95 % interval", CAMCL_PERCENT);
    add_head(out, "Validation ", metrics[headline].label, metrics[headline].unit);
    for (size_t i = 0; i < metric_count; i++)
        if (i != headline) add_head(out, "Test ", metrics[i].label, metrics[i].unit);
    cc_text_add(out, "<th scope=\"col\" class=\"n\">Time</th></tr></thead><tbody>\n");
    for (size_t r = 0; r < count; r++)
        add_run(out, &runs[r]);
    cc_text_add(out, "</tbody></table></div>\n");
}

static void add_classes(cc_text *out, const cc_report_run *run)
{
    const cc_confusion *confusion = &run->confusion;
    if (confusion->classes == 0) return;
    cc_text_add(out, "<h3>Classes: ");
    cc_html_escape(out, run->name);
    cc_text_add(out, "</h3>\n<table><thead><tr><th scope=\"col\">Class</th><th scope=\"col\" class=\"n\">Precision, %%</th>"
                     "<th scope=\"col\" class=\"n\">Recall, %%</th></tr></thead><tbody>\n");
    for (size_t c = 0; c < confusion->classes; c++) {
        const camcl_class_figures figures = camcl_class_figures_of(confusion->counts, confusion->classes, c);
        cc_text_add(out, "<tr><th scope=\"row\">");
        cc_html_escape(out, confusion->names[c]);
        cc_text_add(out, "</th><td class=\"n\">");
        cc_html_number(out, figures.precision, 1);
        cc_text_add(out, "</td><td class=\"n\">");
        cc_html_number(out, figures.recall, 1);
        cc_text_add(out, "</td></tr>\n");
    }
    cc_text_add(out, "</tbody></table>\n");
}

void cc_report_add_summary(cc_text *out, const cc_report_run *runs, size_t count)
{
    cc_text_add(out, "<h2>Results</h2>\n");
    add_results(out, runs, count);
    for (size_t r = 0; r < count; r++) {
        for (size_t i = 0; i < runs[r].problem_count; i++) {
            cc_text_add(out, "<p>");
            cc_html_escape(out, runs[r].problems[i]);
            cc_text_add(out, "</p>\n");
        }
        add_classes(out, &runs[r]);
    }
}
