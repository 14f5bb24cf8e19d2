/* The runs of a report as one JSON document, which the page draws.
 *
 *     {"format": "camcl-report", "version": 1, "camcl": "0.1.0",
 *      "metrics": [{"name", "label", "unit", "higher_is_better"}],                         of the test set, in the order of pages;
 *                                                                                          unit: "percent", "points" or "nats"
 *      "headline": METRIC,                                                                 by which runs are compared
 *      "columns": [{"name", "label", "about", "percent"}],                                 of metrics.csv, without step and epoch
 *      "keys": [{"name", "section", "help"}],                                              of configurations; name is "section.key"
 *      "colormap": ["#rrggbb"],                                                            of maps, from low to high
 *      "runs": [{
 *          "name", "directory", "command", "finished", "problems": [text],
 *          "mode", "arch", "preset", "width", "labeled", "unlabeled", "seed", "device", "seconds",
 *          "best": {"epoch", "val_top1"},
 *          "test": {"images", METRIC...}, "interval": [low, high] of the headline metric, 95 %,
 *          "curves": {"step": [], "epoch": [], COLUMN: [] ...},                            columns that have a value
 *          "confusion": {"classes": [], "counts": [[]], "precision": [], "recall": []},    counts by true class, then predicted
 *          "reliability": [{"n", "confidence", "accuracy"}],                               bins of the confidence, of equal width
 *          "pseudo_labels": {"classes": [], "step": [], "epoch": [], "seen": [],           per evaluation, since the one before
 *                            "confident": [[]], "known": [[]], "right": [[]]},             per class, then evaluation
 *          "config": {KEY: text}, "changed": {KEY: its default}, "config_text"}],
 *      "groups": [{"name", "runs": [place], "seeds": [text], "spread": {METRIC and "val_top1": {"n", "mean", "sd"}}}],
 *      "pictures": [{"png": base64, "width", "height"}],                                   each once, however many runs have it
 *      "gallery": [{"file", "index", "class", "parts": [{"part", "picture"}],
 *                   "runs": [{"run", "why", "predicted", "confidence", "explained", "distance",
 *                            "parts": []}]}],                                               parts of the image; parts of a run;
 *                                                                                          why: "spread" or "mistake"
 *      "pictures_left_out": count}
 *
 * Percentages are 0..100; null: not available. Readers skip members that they do not know, so that a later version may add some. */
#ifndef CC_REPORT_DOCUMENT_H
#define CC_REPORT_DOCUMENT_H

#include "base/text.h"
#include "report/groups.h"

/* A failed allocation shows in out->failed. */
void cc_report_add_document(cc_text *out, const cc_report_run *runs, size_t count, const cc_report_groups *groups);

/* Members of it. */
void cc_report_add_settings(cc_text *out, const cc_report_run *run);               /* config, changed, config_text, command */
void cc_report_add_test_details(cc_text *out, const cc_report_run *run);           /* confusion, reliability */
void cc_report_add_pseudo_labels(cc_text *out, const cc_pseudo_labels *labels);    /* pseudo_labels */
void cc_report_add_gallery(cc_text *out, const cc_report_run *runs, size_t count); /* pictures, gallery, pictures_left_out */

#endif
