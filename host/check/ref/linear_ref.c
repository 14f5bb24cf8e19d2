#include "check/ref/linear_ref.h"

void ref_linear_forward(size_t n, size_t in, size_t out, const double *x, const double *w, const double *b, double *y)
{
    for (size_t r = 0; r < n; r++)
        for (size_t o = 0; o < out; o++) {
            double sum = b ? b[o] : 0.0;
            for (size_t i = 0; i < in; i++)
                sum += x[r * in + i] * w[o * in + i];
            y[r * out + o] = sum;
        }
}

void ref_linear_backward(size_t n, size_t in, size_t out, const double *x, const double *w, const double *dy, double *dx, double *dw,
                         double *db)
{
    for (size_t i = 0; i < n * in; i++)
        dx[i] = 0.0;
    for (size_t i = 0; i < out * in; i++)
        dw[i] = 0.0;
    for (size_t o = 0; o < out; o++)
        db[o] = 0.0;
    for (size_t r = 0; r < n; r++)
        for (size_t o = 0; o < out; o++) {
            const double g = dy[r * out + o];
            db[o] += g;
            for (size_t i = 0; i < in; i++) {
                dx[r * in + i] += g * w[o * in + i];
                dw[o * in + i] += g * x[r * in + i];
            }
        }
}
