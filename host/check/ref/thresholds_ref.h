/* Which rows count, and how much, by what was seen before, in double. logits [n,classes]; truth [n], below 0 where it is not known, or
 * NULL: nowhere. State is updated in place. */
#ifndef CC_CHECK_REF_THRESHOLDS_REF_H
#define CC_CHECK_REF_THRESHOLDS_REF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ref_weights {
    int32_t *pseudo; /* [n], the caller's */
    double *weight;  /* [n], the caller's */
    double sums[4], own[4];
    double margin; /* the least distance of a confidence from the threshold that it is held against */
} ref_weights;

typedef struct ref_class_state {
    int32_t *last, *counts; /* [images], [classes + 1] */
} ref_class_state;
/* images [n]: the image of each row */
void ref_class_thresholds(size_t n, size_t classes, bool softmax, double threshold, const double *logits, const int32_t *truth,
                          const int32_t *images, ref_class_state *state, ref_weights *out);

typedef struct ref_average_state {
    double *threshold, *probability, *histogram; /* of adaptive thresholds: [1], [classes], [classes] */
    double *mean, *variance;                     /* of weights by confidence, with probability: [1], [1] */
} ref_average_state;
void ref_adaptive_thresholds(size_t n, size_t classes, double decay, const double *logits, const int32_t *truth, ref_average_state *state,
                             ref_weights *out);
void ref_confidence_weights(size_t n, size_t classes, double decay, const double *logits, const int32_t *truth, ref_average_state *state,
                            ref_weights *out);

#endif
