#include "check/ref/batch_norm_ref.h"

#include <math.h>

void ref_batch_norm_statistics(const ref_batch_norm *d, const double *x, double *mean, double *biased, double *unbiased)
{
    for (size_t k = 0; k < d->c; k++) {
        double sum = 0.0, squares = 0.0;
        for (size_t i = 0; i < d->m; i++)
            sum += x[i * d->c + k];
        const double centre = sum / (double)d->m;
        for (size_t i = 0; i < d->m; i++)
            squares += (x[i * d->c + k] - centre) * (x[i * d->c + k] - centre);
        if (mean) mean[k] = centre;
        if (biased) biased[k] = squares / (double)d->m;
        if (unbiased) unbiased[k] = squares / (double)(d->m - 1);
    }
}

void ref_batch_norm_forward(const ref_batch_norm *d, const double *x, const double *residual, const double *gamma, const double *beta,
                            const double *mean, const double *var, double *y)
{
    for (size_t i = 0; i < d->m; i++)
        for (size_t k = 0; k < d->c; k++) {
            const size_t at = i * d->c + k;
            const double v = gamma[k] * (x[at] - mean[k]) / sqrt(var[k] + d->eps) + beta[k] + (residual ? residual[at] : 0.0);
            y[at] = ref_activate(d->act, v);
        }
}

void ref_batch_norm_backward(const ref_batch_norm *d, bool train, const double *x, const double *kept, const double *dy,
                             const double *gamma, const double *mean, const double *var, double *dx, double *dresidual, double *dgamma,
                             double *dbeta)
{
    for (size_t k = 0; k < d->c; k++) {
        const double invstd = 1.0 / sqrt(var[k] + d->eps);
        dgamma[k] = dbeta[k] = 0.0;
        for (size_t i = 0; i < d->m; i++) {
            const size_t at = i * d->c + k;
            const double g = dy[at] * ref_activation_derivative(d->act, kept[at]);
            dresidual[at] = g;
            dbeta[k] += g;
            dgamma[k] += g * (x[at] - mean[k]) * invstd;
        }
        for (size_t i = 0; i < d->m; i++) {
            const size_t at = i * d->c + k;
            dx[at] = dresidual[at];
            if (train) dx[at] -= (dbeta[k] + (x[at] - mean[k]) * invstd * dgamma[k]) / (double)d->m;
            dx[at] *= gamma[k] * invstd;
        }
    }
}
