/* Whether variants of one problem compute the same on a device: a compiler may get one of them wrong. */
#ifndef CC_OPS_CHOICE_AGREEMENT_H
#define CC_OPS_CHOICE_AGREEMENT_H

#include "device/device.h"

/* Results of `count` numbers, beside the first one that was taken. Zero at first. */
typedef struct cc_agreement {
    size_t count;
    float *expected, *got; /* expected: NULL before the first result */
} cc_agreement;

camcl_status cc_agreement_begin(cc_agreement *a, size_t count, camcl_error *err);
void cc_agreement_end(cc_agreement *a);
/* Fills the result's place with NaN, so that what a kernel leaves out shows. */
camcl_status cc_agreement_poison(cc_agreement *a, cc_buffer *result, camcl_error *err);
/* The first result becomes the expected one. *agrees: no number of this one is NaN, or differs from what is expected by more than a
 * hundredth of the root of the expected numbers' mean square. Rounding stays below a thousandth of that in every variant; what a wrong
 * kernel computes is about as far off as the numbers are large. */
camcl_status cc_agreement_compare(cc_agreement *a, const cc_buffer *result, bool *agrees, camcl_error *err);

#endif
