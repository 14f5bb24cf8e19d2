/* Confusion matrices: a table of counts for few classes, a picture for many. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/html.h"
#include "report/sections.h"

#define TABLE_CLASSES 20 /* a table of more classes does not fit the page */
#define PAIRS 5          /* most confused pairs named in words */

typedef struct pair {
    size_t row, column;
    uint64_t count;
} pair;

static uint64_t count_at(const cc_confusion *c, size_t row, size_t column) { return c->counts[row * c->classes + column]; }

static uint64_t row_sum(const cc_confusion *c, size_t row)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < c->classes; i++)
        sum += count_at(c, row, i);
    return sum;
}

static uint64_t column_sum(const cc_confusion *c, size_t column)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < c->classes; i++)
        sum += count_at(c, i, column);
    return sum;
}

static double share(uint64_t part, uint64_t all) { return all > 0 ? (double)part / (double)all : NAN; }

/* The shade 0..1 for a share of a row. The square root makes a confusion of a few per cent visible. */
static double shade(double part) { return part > 0 ? 0.06 + 0.94 * sqrt(part) : 0; }

static void add_percent(cc_text *out, double part)
{
    cc_html_number(out, 100 * part, 0);
    if (isfinite(part)) cc_text_add(out, " %%");
}

static void add_cell(cc_text *out, const cc_confusion *c, size_t row, size_t column, uint64_t sum)
{
    uint64_t count = count_at(c, row, column);
    double part = share(count, sum), v = isfinite(part) ? shade(part) : 0;
    cc_text_add(out, "<td class=\"%s%s%s\" style=\"--v:", row == column ? "hit1" : "miss1", v > 0.62 ? " inv" : "",
                count == 0 ? " zero" : "");
    cc_html_number(out, v, 2);
    cc_text_add(out, "\" title=\"");
    cc_html_escape(out, c->names[row]);
    cc_text_add(out, " \xe2\x86\x92 ");
    cc_html_escape(out, c->names[column]);
    cc_text_add(out, ": %llu (", (unsigned long long)count);
    add_percent(out, part);
    cc_text_add(out, ")\">%llu</td>", (unsigned long long)count);
}

static void add_table(cc_text *out, const cc_confusion *c)
{
    cc_text_add(out, "<div class=\"scroll\"><table class=\"matrix\"><thead><tr><th>true \xe2\x86\x93&ensp;predicted \xe2\x86\x92</th>");
    for (size_t p = 0; p < c->classes; p++) {
        cc_text_add(out, "<th scope=\"col\">");
        cc_html_escape_cut(out, c->names[p], 14);
        cc_text_add(out, "</th>");
    }
    cc_text_add(out, "<th class=\"rate\" scope=\"col\" title=\"share of the class's images that were recognised\">recall</th></tr></thead>"
                     "<tbody>\n");
    for (size_t t = 0; t < c->classes; t++) {
        uint64_t sum = row_sum(c, t);
        cc_text_add(out, "<tr><th scope=\"row\">");
        cc_html_escape_cut(out, c->names[t], 24);
        cc_text_add(out, "</th>");
        for (size_t p = 0; p < c->classes; p++)
            add_cell(out, c, t, p, sum);
        cc_text_add(out, "<td class=\"rate\">");
        add_percent(out, share(count_at(c, t, t), sum));
        cc_text_add(out, "</td></tr>\n");
    }
    cc_text_add(out, "<tr class=\"sum\"><th scope=\"row\" title=\"share of the predictions of a class that were right\">precision</th>");
    for (size_t p = 0; p < c->classes; p++) {
        cc_text_add(out, "<td>");
        add_percent(out, share(count_at(c, p, p), column_sum(c, p)));
        cc_text_add(out, "</td>");
    }
    cc_text_add(out, "<td></td></tr></tbody></table></div>\n");
}

static void add_picture(cc_text *out, const cc_confusion *c)
{
    size_t n = c->classes;
    cc_text_add(out,
                "<div style=\"flex:1 1 420px;max-width:620px\"><svg class=\"many\" viewBox=\"0 0 %zu %zu\" role=\"img\" "
                "aria-label=\"Confusion matrix\"><rect class=\"back\" width=\"%zu\" height=\"%zu\"/>",
                n, n, n, n);
    for (size_t t = 0; t < n; t++) {
        uint64_t sum = row_sum(c, t);
        for (size_t p = 0; p < n; p++) {
            uint64_t count = count_at(c, t, p);
            if (count == 0) continue;
            cc_text_add(out, "<rect class=\"%s\" x=\"%zu\" y=\"%zu\" width=\"1\" height=\"1\" style=\"--v:", t == p ? "hit1" : "miss1", p,
                        t);
            cc_html_number(out, shade(share(count, sum)), 2);
            cc_text_add(out, "\"><title>");
            cc_html_escape(out, c->names[t]);
            cc_text_add(out, " \xe2\x86\x92 ");
            cc_html_escape(out, c->names[p]);
            cc_text_add(out, ": %llu</title></rect>", (unsigned long long)count);
        }
    }
    cc_text_add(out, "</svg><p class=\"note\">True classes from top to bottom, predicted from left to right.</p></div>\n");
}

/* The largest entries off the diagonal, in words. */
static void add_pairs(cc_text *out, const cc_confusion *c)
{
    pair top[PAIRS] = { { 0 } };
    for (size_t t = 0; t < c->classes; t++)
        for (size_t p = 0; p < c->classes; p++) {
            pair one = { t, p, t == p ? 0 : count_at(c, t, p) };
            for (size_t i = 0; i < PAIRS; i++) {
                if (one.count <= top[i].count) continue;
                pair next = top[i];
                top[i] = one;
                one = next;
            }
        }
    if (top[0].count == 0) return;
    cc_text_add(out, "<ul class=\"pairs\"><li>Most confused</li>");
    for (size_t i = 0; i < PAIRS && top[i].count > 0; i++) {
        cc_text_add(out, "<li>");
        cc_html_escape(out, c->names[top[i].row]);
        cc_text_add(out, " taken for ");
        cc_html_escape(out, c->names[top[i].column]);
        cc_text_add(out, ": ");
        add_percent(out, share(top[i].count, row_sum(c, top[i].row)));
        cc_text_add(out, " (%llu)</li>", (unsigned long long)top[i].count);
    }
    cc_text_add(out, "</ul>");
}

static void add_matrix(cc_text *out, const cc_confusion *c)
{
    cc_text_add(out, "<div class=\"sides\">");
    if (c->classes <= TABLE_CLASSES)
        add_table(out, c);
    else
        add_picture(out, c);
    add_pairs(out, c);
    cc_text_add(out, "</div>");
}

void cc_report_add_confusion(cc_text *out, const cc_report_run *runs, size_t count)
{
    bool first = true;
    cc_text_add(out, "<section><h2>Confusion matrix</h2>\n");
    for (size_t r = 0; r < count; r++) {
        if (runs[r].confusion.classes == 0) continue;
        if (first) {
            cc_text_add(out, "<p class=\"note\">Test images by true class (rows) and predicted class (columns). Blue: right, orange: "
                             "wrong; the stronger, the larger the share of the row.</p><div class=\"panels\">\n");
        }
        if (count == 1) {
            cc_text_add(out, "<div class=\"card panel\">");
            add_matrix(out, &runs[r].confusion);
            cc_text_add(out, "</div>");
        } else {
            cc_text_add(out, "<details class=\"card c%zu\"%s><summary><span class=\"dot\"></span>", r % 8, first ? " open" : "");
            cc_html_escape(out, runs[r].name);
            cc_text_add(out, "</summary><div class=\"inner\">");
            add_matrix(out, &runs[r].confusion);
            cc_text_add(out, "</div></details>\n");
        }
        first = false;
    }
    cc_text_add(out, first ? "<p class=\"missing\">No confusion matrix: it is written at the end of a run, with the test results.</p>"
                             "</section>\n"
                           : "</div></section>\n");
}
