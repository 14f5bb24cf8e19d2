/* Reference of the mean squared error over pixels that count, in double: n images of `size` pixels; counts [n,size] says which do. */
#ifndef CC_CHECK_REF_COUNTED_MSE_REF_H
#define CC_CHECK_REF_COUNTED_MSE_REF_H

#include <stddef.h>

/* sums [4] = {sum_i mask_i * the mean of (a-b)^2 over its pixels that count, sum mask, n, 0}; without such pixels an image adds 0. */
void ref_counted_mse_forward(size_t n, size_t size, const double *a, const double *b, const double *mask, const unsigned char *counts,
                             double *sums);
/* The gradient by a of scale / max(denominator,1) * sums[0]; by b it is the negative. */
void ref_counted_mse_backward(size_t n, size_t size, const double *a, const double *b, const double *mask, const unsigned char *counts,
                              double scale, double denominator, double *da);

#endif
