/* Metrics of an evaluation: how each is computed. A metric is a ratio of sums over the labelled images; sums of batches are added up and
 * divided last, so that the result does not depend on how images fall into batches. */
#ifndef CC_INFER_METRIC_H
#define CC_INFER_METRIC_H

#include <stdint.h>

#include "base/catalogue.h"
#include "base/diag.h"
#include "base/evaluation.h"

/* The sums that the device makes of each batch: see cc_evaluate_rows. */
typedef enum cc_device_sum {
    CC_DEVICE_CROSS_ENTROPY,
    CC_DEVICE_TOP1,
    CC_DEVICE_TOP3,
    CC_DEVICE_TOP5,
    CC_DEVICE_IMAGES, /* with a label */
    CC_DEVICE_SUMS = 8
} cc_device_sum;

/* Row of the catalogue. Name, label and unit are columns there. */
typedef struct cc_metric {
    /* How many sums the metric forms on the host from logits and labels; NULL: it uses those of the device. */
    size_t (*sum_count)(size_t classes);
    /* Adds an image with 0 <= label < classes to the metric's own sums; NULL with sum_count. */
    void (*add)(const float *logits, int32_t label, size_t classes, double *sums);
    /* The value: sums are the device's [CC_DEVICE_SUMS] or the metric's own, over `images` images, at least one. */
    double (*value)(const double *sums, double images, size_t classes);
} cc_metric;

#define CC_METRIC_DECLARE(symbol, ...) extern const cc_metric cc_metric_##symbol;
CC_METRICS(CC_METRIC_DECLARE)

/* The sums of an evaluation in progress. */
typedef struct cc_tally cc_tally;

/* All sums are zero. The caller owns *out. */
camcl_status cc_tally_create(size_t classes, cc_tally **out, camcl_error *err);
void cc_tally_destroy(cc_tally **tally);
void cc_tally_reset(cc_tally *tally);
/* Whether a metric wants cc_tally_add_rows. */
bool cc_tally_wants_rows(const cc_tally *tally);
void cc_tally_add_sums(cc_tally *tally, const float sums[CC_DEVICE_SUMS]);
/* logits [n,classes], labels [n]; images whose label is below 0 do not count. */
void cc_tally_add_rows(cc_tally *tally, const float *logits, const int32_t *labels, size_t n);
/* Values of what was added; not available where no image had a label, or the classes are too few. */
void cc_tally_evaluate(const cc_tally *tally, camcl_evaluation *out);

#endif
