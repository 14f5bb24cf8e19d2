#include "check/ref/pointwise_ref.h"

void ref_add_forward(size_t count, ref_activation act, const double *a, const double *b, double *y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = ref_activate(act, b ? a[i] + b[i] : a[i]);
}

void ref_add_backward(size_t count, ref_activation act, const double *kept, const double *dy, double *g)
{
    for (size_t i = 0; i < count; i++)
        g[i] = dy[i] * ref_activation_derivative(act, kept[i]);
}
