/* What a run says of single classes, and how far its confidence can be trusted. */
#include "report/document.h"
#include "report/json_text.h"

static void add_names(cc_text *out, char *const *names, size_t count)
{
    cc_json_begin(out, "classes", '[');
    for (size_t c = 0; c < count; c++)
        cc_json_add_string(out, NULL, names[c]);
    cc_json_end(out, ']');
}

static void add_confusion(cc_text *out, const cc_confusion *confusion)
{
    const size_t classes = confusion->classes;
    cc_json_begin(out, "confusion", '{');
    add_names(out, confusion->names, classes);
    cc_json_begin(out, "counts", '[');
    for (size_t t = 0; t < classes; t++) {
        cc_json_begin(out, NULL, '[');
        for (size_t p = 0; p < classes; p++)
            cc_json_add_count(out, NULL, (size_t)confusion->counts[t * classes + p]);
        cc_json_end(out, ']');
    }
    cc_json_end(out, ']');
    cc_json_begin(out, "precision", '[');
    for (size_t c = 0; c < classes; c++)
        cc_json_add_number(out, NULL, camcl_class_figures_of(confusion->counts, classes, c).precision);
    cc_json_end(out, ']');
    cc_json_begin(out, "recall", '[');
    for (size_t c = 0; c < classes; c++)
        cc_json_add_number(out, NULL, camcl_class_figures_of(confusion->counts, classes, c).recall);
    cc_json_end(out, ']');
    cc_json_end(out, '}');
}

static void add_reliability(cc_text *out, const camcl_reliability_bin *bins)
{
    cc_json_begin(out, "reliability", '[');
    for (size_t b = 0; b < CAMCL_RELIABILITY_BINS; b++) {
        cc_json_begin(out, NULL, '{');
        cc_json_add_count(out, "n", bins[b].n);
        cc_json_add_number(out, "confidence", bins[b].confidence);
        cc_json_add_number(out, "accuracy", bins[b].accuracy);
        cc_json_end(out, '}');
    }
    cc_json_end(out, ']');
}

void cc_report_add_test_details(cc_text *out, const cc_report_run *run)
{
    if (run->confusion.classes > 0) add_confusion(out, &run->confusion);
    if (run->result.has_reliability) add_reliability(out, run->result.reliability);
}

/* ---- pseudo-labels */

static void add_counts(cc_text *out, const char *name, const cc_pseudo_labels *l, size_t which)
{
    cc_json_begin(out, name, '[');
    for (size_t c = 0; c < l->classes; c++) {
        cc_json_begin(out, NULL, '[');
        for (size_t i = 0; i < l->count; i++)
            cc_json_add_number(out, NULL, l->counts[(i * l->classes + c) * CC_PSEUDO_SUMS + which]);
        cc_json_end(out, ']');
    }
    cc_json_end(out, ']');
}

void cc_report_add_pseudo_labels(cc_text *out, const cc_pseudo_labels *l)
{
    if (l->count == 0) return;
    cc_json_begin(out, "pseudo_labels", '{');
    add_names(out, l->names, l->classes);
    cc_json_begin(out, "step", '[');
    for (size_t i = 0; i < l->count; i++)
        cc_json_add_count(out, NULL, (size_t)l->evaluations[i].step);
    cc_json_end(out, ']');
    cc_json_begin(out, "epoch", '[');
    for (size_t i = 0; i < l->count; i++)
        cc_json_add_count(out, NULL, (size_t)l->evaluations[i].epoch);
    cc_json_end(out, ']');
    cc_json_begin(out, "seen", '[');
    for (size_t i = 0; i < l->count; i++)
        cc_json_add_number(out, NULL, l->evaluations[i].seen);
    cc_json_end(out, ']');
    add_counts(out, "confident", l, CC_PSEUDO_CONFIDENT);
    add_counts(out, "known", l, CC_PSEUDO_KNOWN);
    add_counts(out, "right", l, CC_PSEUDO_RIGHT);
    cc_json_end(out, '}');
}
