#include "check/ref/counted_mse_ref.h"

static size_t number(size_t size, const unsigned char *counts)
{
    size_t n = 0;
    for (size_t j = 0; j < size; j++)
        n += counts[j] != 0;
    return n;
}

void ref_counted_mse_forward(size_t n, size_t size, const double *a, const double *b, const double *mask, const unsigned char *counts,
                             double *sums)
{
    sums[0] = sums[1] = sums[3] = 0.0;
    sums[2] = (double)n;
    for (size_t i = 0; i < n; i++) {
        const size_t pixels = number(size, counts + i * size);
        double squares = 0.0;
        for (size_t j = i * size; j < (i + 1) * size; j++)
            if (counts[j]) squares += (a[j] - b[j]) * (a[j] - b[j]);
        if (pixels) sums[0] += mask[i] * squares / (double)pixels;
        sums[1] += mask[i];
    }
}

void ref_counted_mse_backward(size_t n, size_t size, const double *a, const double *b, const double *mask, const unsigned char *counts,
                              double scale, double denominator, double *da)
{
    const double factor = scale / (denominator > 1.0 ? denominator : 1.0);
    for (size_t j = 0; j < n * size; j++)
        da[j] = counts[j] ? factor * mask[j / size] * 2.0 * (a[j] - b[j]) / (double)number(size, counts + j / size * size) : 0.0;
}
