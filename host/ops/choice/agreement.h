/* Whether variants of one problem, or sets of CLBlast's parameters, compute the same on a device: a compiler may get one of them wrong. */
#ifndef CC_OPS_CHOICE_AGREEMENT_H
#define CC_OPS_CHOICE_AGREEMENT_H

#include "device/device.h"

/* Results of `count` numbers, beside the first one that was taken. Zero at first. */
typedef struct cc_agreement {
    size_t count;
    double bound;          /* of the difference of two numbers */
    float *expected, *got; /* expected: NULL before the first result */
} cc_agreement;

/* bound: 0 for a hundredth of the root of the first result's mean square, which suits every variant: rounding stays below a thousandth, and
 * what a wrong kernel computes is about as far off as the numbers are large. */
camcl_status cc_agreement_begin(cc_agreement *a, size_t count, double bound, camcl_error *err);
void cc_agreement_end(cc_agreement *a);
/* Fills the result's place with NaN, so that what a kernel leaves out shows. */
camcl_status cc_agreement_poison(cc_agreement *a, cc_buffer *result, camcl_error *err);
/* The first result that is finite becomes the expected one. *agrees: this one is finite, and no number of it is further from the expected
 * one than the bound. */
camcl_status cc_agreement_compare(cc_agreement *a, const cc_buffer *result, bool *agrees, camcl_error *err);

#endif
