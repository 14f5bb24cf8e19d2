/* y [n,out] = x [n,in] w^T + b and its gradients, in double. */
#ifndef CC_CHECK_REF_LINEAR_REF_H
#define CC_CHECK_REF_LINEAR_REF_H

#include <stddef.h>

/* b may be NULL */
void ref_linear_forward(size_t n, size_t in, size_t out, const double *x, const double *w, const double *b, double *y);
void ref_linear_backward(size_t n, size_t in, size_t out, const double *x, const double *w, const double *dy, double *dx, double *dw,
                         double *db);

#endif
