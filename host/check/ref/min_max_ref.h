/* Reference of the min-max normalisation, in double: n images of `size` values. */
#ifndef CC_CHECK_REF_MIN_MAX_REF_H
#define CC_CHECK_REF_MIN_MAX_REF_H

#include <stddef.h>

/* range [n,4] = min, max, how many equal min, how many equal max */
void ref_min_max_forward(size_t n, size_t size, const double *x, double *y, double *range);
void ref_min_max_backward(size_t n, size_t size, const double *x, const double *dy, double *dx);

#endif
