#include "check/ref/masked_mse_ref.h"

void ref_masked_mse_forward(size_t n, size_t size, const double *a, const double *b, const double *mask, double *sums)
{
    sums[0] = sums[1] = sums[3] = 0.0;
    sums[2] = (double)n;
    for (size_t i = 0; i < n; i++) {
        double squares = 0.0;
        for (size_t j = i * size; j < (i + 1) * size; j++)
            squares += (a[j] - b[j]) * (a[j] - b[j]);
        sums[0] += mask[i] * squares / (double)size;
        sums[1] += mask[i];
    }
}

void ref_masked_mse_backward(size_t n, size_t size, const double *a, const double *b, const double *mask, double scale, double denominator,
                             double *da)
{
    const double factor = scale / (denominator > 1.0 ? denominator : 1.0);
    for (size_t j = 0; j < n * size; j++)
        da[j] = factor * mask[j / size] * 2.0 * (a[j] - b[j]) / (double)size;
}
