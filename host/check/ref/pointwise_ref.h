/* Addition with activation, in double. */
#ifndef CC_CHECK_REF_POINTWISE_REF_H
#define CC_CHECK_REF_POINTWISE_REF_H

#include <stddef.h>

/* y = act(a + b), b may be NULL; act(v) = v > 0 ? v : slope * v */
void ref_add_forward(size_t count, double slope, const double *a, const double *b, double *y);
/* g = dy * act'(y), the gradient of both */
void ref_add_backward(size_t count, double slope, const double *y, const double *dy, double *g);

#endif
