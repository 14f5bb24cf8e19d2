#include "check/ref/warp_ref.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Half-pixel centres, clamped at the crop [low,high). */
static void position(size_t o, size_t size, size_t low, size_t high, size_t *i, size_t *next, double *f)
{
    double v = (double)low + ((double)o + 0.5) * (double)(high - low) / (double)size - 0.5;
    if (v < (double)low) v = (double)low;
    if (v > (double)(high - 1)) v = (double)(high - 1);
    *i = (size_t)floor(v);
    *next = *i + 1 < high ? *i + 1 : *i;
    *f = v - floor(v);
}

/* One quarter turn counter-clockwise: what was the last column becomes the first row. Backward turns it back. */
static void turn(size_t size, size_t c, const double *in, double *out, int backward)
{
    for (size_t a = 0; a < size; a++)
        for (size_t b = 0; b < size; b++) {
            const size_t turned = (a * size + b) * c, straight = (b * size + size - 1 - a) * c;
            memcpy(out + (backward ? straight : turned), in + (backward ? turned : straight), c * sizeof *out);
        }
}

static double *copy(const ref_warp *t, const double *in)
{
    const size_t bytes = t->size * t->size * t->c * sizeof *in;
    double *out = malloc(bytes);
    if (out == NULL) abort();
    memcpy(out, in, bytes);
    return out;
}

void ref_warp_forward(const ref_warp *t, const double *in, double *out)
{
    const size_t s = t->size, c = t->c;
    for (size_t a = 0; a < s; a++)
        for (size_t b = 0; b < s; b++) {
            size_t i0, i1, j0, j1;
            double fy, fx;
            position(a, s, t->y0, t->y1, &i0, &i1, &fy);
            position(b, s, t->x0, t->x1, &j0, &j1, &fx);
            for (size_t k = 0; k < c; k++)
                out[(a * s + b) * c + k] = (1 - fy) * ((1 - fx) * in[(i0 * s + j0) * c + k] + fx * in[(i0 * s + j1) * c + k]) +
                                           fy * ((1 - fx) * in[(i1 * s + j0) * c + k] + fx * in[(i1 * s + j1) * c + k]);
        }
    for (int i = 0; i < t->turns; i++) {
        double *before = copy(t, out);
        turn(s, c, before, out, 0);
        free(before);
    }
}

void ref_warp_backward(const ref_warp *t, const double *dout, double *din)
{
    const size_t s = t->size, c = t->c;
    double *straight = copy(t, dout);
    for (int i = 0; i < t->turns; i++) {
        double *before = copy(t, straight);
        turn(s, c, before, straight, 1);
        free(before);
    }
    memset(din, 0, s * s * c * sizeof *din);
    for (size_t a = 0; a < s; a++)
        for (size_t b = 0; b < s; b++) {
            size_t i0, i1, j0, j1;
            double fy, fx;
            position(a, s, t->y0, t->y1, &i0, &i1, &fy);
            position(b, s, t->x0, t->x1, &j0, &j1, &fx);
            for (size_t k = 0; k < c; k++) {
                const double d = straight[(a * s + b) * c + k];
                din[(i0 * s + j0) * c + k] += (1 - fy) * (1 - fx) * d;
                din[(i0 * s + j1) * c + k] += (1 - fy) * fx * d;
                din[(i1 * s + j0) * c + k] += fy * (1 - fx) * d;
                din[(i1 * s + j1) * c + k] += fy * fx * d;
            }
        }
    free(straight);
}
