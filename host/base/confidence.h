/* How sure a prediction is, and the bins of reliability diagrams (camcl/breakdown.h). */
#ifndef CC_BASE_CONFIDENCE_H
#define CC_BASE_CONFIDENCE_H

#include <stddef.h>
#include <stdint.h>

/* The predicted class of a row of logits, the first of the greatest, and in *confidence its probability; NaN where a logit is not
 * finite. */
size_t cc_predicted(const float *logits, size_t classes, double *confidence);

/* Sums of a bin, of which reliability diagrams and the calibration error are made. */
enum { CC_BIN_IMAGES, CC_BIN_CONFIDENCE, CC_BIN_RIGHT, CC_BIN_SUMS };

/* Adds an image to sums [CAMCL_RELIABILITY_BINS, CC_BIN_SUMS]; returns the predicted class. A confidence that is not a number is put into
 * the first bin. */
size_t cc_reliability_add(const float *logits, int32_t label, size_t classes, double *sums);

#endif
