/* Reference of the masked mean squared error, in double: n images of `size` pixels. */
#ifndef CC_CHECK_REF_MASKED_MSE_REF_H
#define CC_CHECK_REF_MASKED_MSE_REF_H

#include <stddef.h>

/* sums [4] = {sum_i mask_i mean_pixels (a-b)^2, sum mask, n, 0} */
void ref_masked_mse_forward(size_t n, size_t size, const double *a, const double *b, const double *mask, double *sums);
/* The gradient by a of scale / max(denominator,1) * sums[0]; by b it is the negative. */
void ref_masked_mse_backward(size_t n, size_t size, const double *a, const double *b, const double *mask, double scale, double denominator,
                             double *da);

#endif
