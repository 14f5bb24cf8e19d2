/* An evaluation in detail: what it says of each class, how far confidence can be trusted, and how exact a share of images is. Functions of
 * their arguments alone: any thread may call them. */
#ifndef CAMCL_BREAKDOWN_H
#define CAMCL_BREAKDOWN_H

#include <stddef.h>
#include <stdint.h>

#include "camcl/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The 95 % Wilson score interval of a share of images, `percent` of n, in percent: where the share of an endless set of such images may
 * lie. NaN, NaN where there are no images or no share. */
typedef struct camcl_interval {
    double low, high;
} camcl_interval;
/* percent: 0..100, or NaN; n: images, 0 or more. */
camcl_interval camcl_wilson_interval(double percent, double n);

/* Bins of equal width of the confidence, which is the probability of the predicted class: bin b holds the images with a confidence above
 * b/15 and up to (b+1)/15. Calibrated predictions with a confidence of 80 % are right in 80 % of the cases. The mean distance of the two,
 * weighted by the bins' images, is the expected calibration error (Guo et al., On Calibration of Modern Neural Networks, 2017, arXiv
 * 1706.04599), the metric "ece". */
enum { CAMCL_RELIABILITY_BINS = 15 };
typedef struct camcl_reliability_bin {
    size_t n;
    double confidence, accuracy; /* means, percent; NaN where n is 0 */
} camcl_reliability_bin;

/* What an evaluation is made of. */
typedef struct camcl_breakdown {
    size_t classes, n;   /* n: images with a label, which are all that count */
    uint64_t *confusion; /* [classes true, classes predicted] images */
    camcl_reliability_bin reliability[CAMCL_RELIABILITY_BINS];
} camcl_breakdown;

/* From logits [n,classes] of the images indices[0..n) (NULL: 0..n-1), whose labels are labels[indices[i]]; below 0: not known. A label
 * beyond the classes is CAMCL_BAD_DATA. An image whose logits are not finite counts as predicted by the first greatest logit, with a
 * confidence that makes its bin NaN. Release with camcl_breakdown_free, also after a failure. */
camcl_status camcl_breakdown_make(const float *logits, const int32_t *labels, const uint32_t *indices, size_t n, size_t classes,
                                  camcl_breakdown *out, camcl_error *err);
/* Frees what it holds, not the struct itself, and empties it. NULL is fine. */
void camcl_breakdown_free(camcl_breakdown *breakdown);

/* A class: of its images, the share that is predicted as it (recall), and of the images predicted as it, the share that is of it
 * (precision); percent, NaN where there are no such images. */
typedef struct camcl_class_figures {
    size_t images, predicted, right;
    double precision, recall;
} camcl_class_figures;
/* confusion [classes,classes] as above; at < classes. */
camcl_class_figures camcl_class_figures_of(const uint64_t *confusion, size_t classes, size_t at);

#ifdef __cplusplus
}
#endif
#endif
