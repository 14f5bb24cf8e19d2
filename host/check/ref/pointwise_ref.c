#include "check/ref/pointwise_ref.h"

void ref_add_forward(size_t count, double slope, const double *a, const double *b, double *y)
{
    for (size_t i = 0; i < count; i++) {
        const double v = b ? a[i] + b[i] : a[i];
        y[i] = v > 0.0 ? v : slope * v;
    }
}

void ref_add_backward(size_t count, double slope, const double *y, const double *dy, double *g)
{
    for (size_t i = 0; i < count; i++)
        g[i] = y[i] > 0.0 ? dy[i] : slope * dy[i];
}
