/* result.json: what a run reached. It is written at the end, whole, and marks a finished run.
 *
 *     {"best": {"epoch", "val_top1"},
 *      "test": {"n", METRIC...},
 *      "interval": {METRIC: [low, high]},                                  95 %, of the metrics that are shares of the test images
 *      "seconds", "device", "mode", "arch", "width", "labeled", "unlabeled", "preset",
 *      "classes": [{"class", "n", "predicted", "right", "precision", "recall"}],
 *      "reliability": [{"from", "to", "n", "confidence", "accuracy"}]}     bins of the confidence; all in percent
 */
#ifndef CC_RUN_RESULT_H
#define CC_RUN_RESULT_H

#include <stdbool.h>

#include "camcl/breakdown.h"
#include "camcl/evaluation.h"

/* NaN or "": not available; members marked optional are then left out of the file. */
typedef struct cc_result {
    double best_epoch, best_val_top1;
    camcl_evaluation test; /* n 0: not known */
    double seconds;
    char device[256];
    char mode[32], arch[64], preset[32]; /* optional */
    double width, labeled, unlabeled;    /* optional: channels, images, images */
    bool has_reliability;                /* optional, as earlier versions did not write it */
    camcl_reliability_bin reliability[CAMCL_RELIABILITY_BINS];
} cc_result;

cc_result cc_result_nothing(void);

/* breakdown of the test set, with the names of its classes; NULL: without "classes". */
camcl_status cc_result_write(const char *path, const cc_result *result, const camcl_breakdown *breakdown, const char *const *names,
                             camcl_error *err);
/* Unknown members are skipped, and missing members become not available. A file that is not a JSON object is CAMCL_BAD_DATA. */
camcl_status cc_result_read(const char *path, cc_result *result, camcl_error *err);

#endif
