/* Addition with activation, in double. */
#ifndef CC_CHECK_REF_POINTWISE_REF_H
#define CC_CHECK_REF_POINTWISE_REF_H

#include <stddef.h>

#include "check/ref/activation_ref.h"

/* y = act(a + b), b may be NULL */
void ref_add_forward(size_t count, ref_activation act, const double *a, const double *b, double *y);
/* g = dy * act', the gradient of both; kept: a + b, or y where ref_activation_derivative takes that */
void ref_add_backward(size_t count, ref_activation act, const double *kept, const double *dy, double *g);

#endif
