#include "check/ref/resize_ref.h"

#include <math.h>
#include <string.h>

/* Where output o of `out` reads: input *i with weight 1-f, the next one with weight f. */
static void position(size_t o, size_t in, size_t out, size_t *i, size_t *next, double *f)
{
    const double v = out > 1 ? (double)o * (double)(in - 1) / (double)(out - 1) : 0.0;
    *i = (size_t)floor(v);
    *next = *i + 1 < in ? *i + 1 : *i;
    *f = v - floor(v);
}

void ref_resize_forward(size_t n, size_t h, size_t w, size_t c, size_t p, size_t q, const double *x, double *y)
{
    for (size_t e = 0; e < n * p * q * c; e++) {
        const size_t k = e % c, b = e / c % q, a = e / c / q % p, image = e / c / q / p;
        size_t i0, i1, j0, j1;
        double fy, fx;
        position(a, h, p, &i0, &i1, &fy);
        position(b, w, q, &j0, &j1, &fx);
        const double *in = x + image * h * w * c + k;
        y[e] = (1 - fy) * ((1 - fx) * in[(i0 * w + j0) * c] + fx * in[(i0 * w + j1) * c]) +
               fy * ((1 - fx) * in[(i1 * w + j0) * c] + fx * in[(i1 * w + j1) * c]);
    }
}

void ref_resize_backward(size_t n, size_t h, size_t w, size_t c, size_t p, size_t q, const double *dy, double *dx)
{
    memset(dx, 0, n * h * w * c * sizeof *dx);
    for (size_t e = 0; e < n * p * q * c; e++) {
        const size_t k = e % c, b = e / c % q, a = e / c / q % p, image = e / c / q / p;
        size_t i0, i1, j0, j1;
        double fy, fx;
        position(a, h, p, &i0, &i1, &fy);
        position(b, w, q, &j0, &j1, &fx);
        double *out = dx + image * h * w * c + k;
        out[(i0 * w + j0) * c] += (1 - fy) * (1 - fx) * dy[e];
        out[(i0 * w + j1) * c] += (1 - fy) * fx * dy[e];
        out[(i1 * w + j0) * c] += fy * (1 - fx) * dy[e];
        out[(i1 * w + j1) * c] += fy * fx * dy[e];
    }
}
