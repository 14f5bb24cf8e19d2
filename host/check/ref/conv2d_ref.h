/* Convolution in plain C with double sums: the truth that the kernels are compared with. NHWC, weights [R,S,C/groups,K]. */
#ifndef CC_CHECK_REF_CONV2D_REF_H
#define CC_CHECK_REF_CONV2D_REF_H

#include <stddef.h>

typedef struct ref_conv2d {
    size_t n, h, w, c, k, r, s, stride, pad, groups;
} ref_conv2d;

size_t ref_conv2d_out_h(const ref_conv2d *d);
size_t ref_conv2d_out_w(const ref_conv2d *d);

/* Each fills out, and in magnitude the sum of the absolute values of the same products, to which rounding errors are proportional. */
void ref_conv2d_forward(const ref_conv2d *d, const float *x, const float *w, double *y, double *magnitude);
void ref_conv2d_backward_data(const ref_conv2d *d, const float *dy, const float *w, double *dx, double *magnitude);
void ref_conv2d_backward_weight(const ref_conv2d *d, const float *x, const float *dy, double *dw, double *magnitude);

#endif
