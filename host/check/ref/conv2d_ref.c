#include "check/ref/conv2d_ref.h"

#include <math.h>
#include <string.h>

size_t ref_conv2d_out_h(const ref_conv2d *d) { return (d->h + 2 * d->pad - d->r) / d->stride + 1; }
size_t ref_conv2d_out_w(const ref_conv2d *d) { return (d->w + 2 * d->pad - d->s) / d->stride + 1; }

/* Runs body for every product of the definition, with the indices of its x, w and y. */
#define FOR_EACH_PRODUCT(d, xi, wi, yi, body)                                                                                              \
    for (size_t n = 0; n < (d)->n; n++)                                                                                                    \
        for (size_t p = 0; p < ref_conv2d_out_h(d); p++)                                                                                   \
            for (size_t q = 0; q < ref_conv2d_out_w(d); q++)                                                                               \
                for (size_t r = 0; r < (d)->r; r++)                                                                                        \
                    for (size_t s = 0; s < (d)->s; s++) {                                                                                  \
                        const size_t h = p * (d)->stride + r, v = q * (d)->stride + s;                                                     \
                        if (h < (d)->pad || h >= (d)->h + (d)->pad || v < (d)->pad || v >= (d)->w + (d)->pad) continue;                    \
                        for (size_t c = 0; c < (d)->c; c++) {                                                                              \
                            const size_t xi = ((n * (d)->h + h - (d)->pad) * (d)->w + v - (d)->pad) * (d)->c + c;                          \
                            for (size_t k = 0; k < (d)->k; k++) {                                                                          \
                                if (c / ((d)->c / (d)->groups) != k / ((d)->k / (d)->groups)) continue;                                    \
                                const size_t wi = ((r * (d)->s + s) * ((d)->c / (d)->groups) + c % ((d)->c / (d)->groups)) * (d)->k + k;   \
                                const size_t yi = ((n * ref_conv2d_out_h(d) + p) * ref_conv2d_out_w(d) + q) * (d)->k + k;                  \
                                body                                                                                                       \
                            }                                                                                                              \
                        }                                                                                                                  \
                    }

static void clear(double *a, double *b, size_t count)
{
    memset(a, 0, count * sizeof *a);
    memset(b, 0, count * sizeof *b);
}

void ref_conv2d_forward(const ref_conv2d *d, const float *x, const float *w, double *y, double *magnitude)
{
    clear(y, magnitude, d->n * ref_conv2d_out_h(d) * ref_conv2d_out_w(d) * d->k);
    FOR_EACH_PRODUCT(d, xi, wi, yi, {
        const double product = (double)x[xi] * (double)w[wi];
        y[yi] += product;
        magnitude[yi] += fabs(product);
    })
}

void ref_conv2d_backward_data(const ref_conv2d *d, const float *dy, const float *w, double *dx, double *magnitude)
{
    clear(dx, magnitude, d->n * d->h * d->w * d->c);
    FOR_EACH_PRODUCT(d, xi, wi, yi, {
        const double product = (double)dy[yi] * (double)w[wi];
        dx[xi] += product;
        magnitude[xi] += fabs(product);
    })
}

void ref_conv2d_backward_weight(const ref_conv2d *d, const float *x, const float *dy, double *dw, double *magnitude)
{
    clear(dw, magnitude, d->r * d->s * (d->c / d->groups) * d->k);
    FOR_EACH_PRODUCT(d, xi, wi, yi, {
        const double product = (double)x[xi] * (double)dy[yi];
        dw[wi] += product;
        magnitude[wi] += fabs(product);
    })
}
