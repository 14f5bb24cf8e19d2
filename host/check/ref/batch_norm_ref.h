/* Batch normalisation over m rows of c channels, in double. */
#ifndef CC_CHECK_REF_BATCH_NORM_REF_H
#define CC_CHECK_REF_BATCH_NORM_REF_H

#include <stdbool.h>
#include <stddef.h>

#include "check/ref/activation_ref.h"

typedef struct ref_batch_norm {
    size_t m, c;
    double eps;
    ref_activation act;
} ref_batch_norm;

/* Mean, biased variance and unbiased variance of each channel (any may be NULL). */
void ref_batch_norm_statistics(const ref_batch_norm *d, const double *x, double *mean, double *biased, double *unbiased);
/* y = act(gamma * (x - mean) / sqrt(var + eps) + beta + residual); residual may be NULL */
void ref_batch_norm_forward(const ref_batch_norm *d, const double *x, const double *residual, const double *gamma, const double *beta,
                            const double *mean, const double *var, double *y);
/* Gradients of sum dy * y, the activation's from `kept`: what it was applied to, or y where ref_activation_derivative takes that. train:
 * mean and var are functions of x. */
void ref_batch_norm_backward(const ref_batch_norm *d, bool train, const double *x, const double *kept, const double *dy,
                             const double *gamma, const double *mean, const double *var, double *dx, double *dresidual, double *dgamma,
                             double *dbeta);

#endif
