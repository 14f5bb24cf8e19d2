/* Pooling of x [n,h,w,c] to y [n,p,q,c], in double, scattering where the library gathers. */
#ifndef CC_CHECK_REF_POOL_REF_H
#define CC_CHECK_REF_POOL_REF_H

#include <stddef.h>

typedef struct ref_pool {
    size_t n, h, w, c, window, stride, pad;
} ref_pool;
size_t ref_pool_out(size_t size, const ref_pool *d);

void ref_max_pool_forward(const ref_pool *d, const double *x, double *y);
/* The first maximum of a window takes its gradient. */
void ref_max_pool_backward(const ref_pool *d, const double *x, const double *dy, double *dx);
/* Padding counts as 0 and is counted. */
void ref_average_pool_forward(const ref_pool *d, const double *x, double *y);
void ref_average_pool_backward(const ref_pool *d, const double *dy, double *dx);
/* y [n,c] */
void ref_global_average_pool_forward(const ref_pool *d, const double *x, double *y);
void ref_global_average_pool_backward(const ref_pool *d, const double *dy, double *dx);

#endif
