/* Reference of the bilinear resize with aligned corners, in double. x, dx [n,h,w,c]; y, dy [n,p,q,c]. */
#ifndef CC_CHECK_REF_RESIZE_REF_H
#define CC_CHECK_REF_RESIZE_REF_H

#include <stddef.h>

void ref_resize_forward(size_t n, size_t h, size_t w, size_t c, size_t p, size_t q, const double *x, double *y);
/* Scatters: the transpose of forward, output by output. */
void ref_resize_backward(size_t n, size_t h, size_t w, size_t c, size_t p, size_t q, const double *dy, double *dx);

#endif
