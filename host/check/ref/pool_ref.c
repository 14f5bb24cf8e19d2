#include "check/ref/pool_ref.h"

size_t ref_pool_out(size_t size, const ref_pool *d) { return (size + 2 * d->pad - d->window) / d->stride + 1; }

/* The offset of window element (r,s) of output (p,q) in x, or -1 in the padding. */
static long element(const ref_pool *d, size_t n, size_t p, size_t q, size_t r, size_t s, size_t k)
{
    const long i = (long)(p * d->stride + r) - (long)d->pad, j = (long)(q * d->stride + s) - (long)d->pad;
    if (i < 0 || j < 0 || i >= (long)d->h || j >= (long)d->w) return -1;
    return (((long)n * (long)d->h + i) * (long)d->w + j) * (long)d->c + (long)k;
}

typedef void (*window_visitor)(const ref_pool *d, size_t n, size_t p, size_t q, size_t k, size_t out, const double *in, double *result);

static void visit(const ref_pool *d, window_visitor visitor, const double *in, double *result)
{
    const size_t height = ref_pool_out(d->h, d), width = ref_pool_out(d->w, d);
    for (size_t n = 0; n < d->n; n++)
        for (size_t p = 0; p < height; p++)
            for (size_t q = 0; q < width; q++)
                for (size_t k = 0; k < d->c; k++)
                    visitor(d, n, p, q, k, ((n * height + p) * width + q) * d->c + k, in, result);
}

static long first_maximum(const ref_pool *d, size_t n, size_t p, size_t q, size_t k, const double *x)
{
    long best = -1;
    for (size_t r = 0; r < d->window; r++)
        for (size_t s = 0; s < d->window; s++) {
            const long at = element(d, n, p, q, r, s, k);
            if (at >= 0 && (best < 0 || x[at] > x[best])) best = at;
        }
    return best;
}

static void maximum(const ref_pool *d, size_t n, size_t p, size_t q, size_t k, size_t out, const double *x, double *y)
{
    y[out] = x[first_maximum(d, n, p, q, k, x)];
}

static void average(const ref_pool *d, size_t n, size_t p, size_t q, size_t k, size_t out, const double *x, double *y)
{
    y[out] = 0.0;
    for (size_t r = 0; r < d->window; r++)
        for (size_t s = 0; s < d->window; s++) {
            const long at = element(d, n, p, q, r, s, k);
            if (at >= 0) y[out] += x[at] / (double)(d->window * d->window);
        }
}

static void spread(const ref_pool *d, size_t n, size_t p, size_t q, size_t k, size_t out, const double *dy, double *dx)
{
    for (size_t r = 0; r < d->window; r++)
        for (size_t s = 0; s < d->window; s++) {
            const long at = element(d, n, p, q, r, s, k);
            if (at >= 0) dx[at] += dy[out] / (double)(d->window * d->window);
        }
}

static void clear(const ref_pool *d, double *dx)
{
    for (size_t i = 0; i < d->n * d->h * d->w * d->c; i++)
        dx[i] = 0.0;
}

void ref_max_pool_forward(const ref_pool *d, const double *x, double *y) { visit(d, maximum, x, y); }
void ref_average_pool_forward(const ref_pool *d, const double *x, double *y) { visit(d, average, x, y); }

void ref_average_pool_backward(const ref_pool *d, const double *dy, double *dx)
{
    clear(d, dx);
    visit(d, spread, dy, dx);
}

void ref_max_pool_backward(const ref_pool *d, const double *x, const double *dy, double *dx)
{
    const size_t height = ref_pool_out(d->h, d), width = ref_pool_out(d->w, d);
    clear(d, dx);
    for (size_t n = 0; n < d->n; n++)
        for (size_t p = 0; p < height; p++)
            for (size_t q = 0; q < width; q++)
                for (size_t k = 0; k < d->c; k++)
                    dx[first_maximum(d, n, p, q, k, x)] += dy[((n * height + p) * width + q) * d->c + k];
}

void ref_global_average_pool_forward(const ref_pool *d, const double *x, double *y)
{
    const size_t pixels = d->h * d->w;
    for (size_t n = 0; n < d->n; n++)
        for (size_t k = 0; k < d->c; k++) {
            double sum = 0.0;
            for (size_t i = 0; i < pixels; i++)
                sum += x[(n * pixels + i) * d->c + k];
            y[n * d->c + k] = sum / (double)pixels;
        }
}

void ref_global_average_pool_backward(const ref_pool *d, const double *dy, double *dx)
{
    const size_t pixels = d->h * d->w;
    for (size_t n = 0; n < d->n; n++)
        for (size_t i = 0; i < pixels; i++)
            for (size_t k = 0; k < d->c; k++)
                dx[(n * pixels + i) * d->c + k] = dy[n * d->c + k] / (double)pixels;
}
