#include "check/ref/affine_warp_ref.h"

#include <math.h>
#include <string.h>

/* The four pixels that (a,b) samples, and how much of each. */
typedef struct corners {
    size_t at[4];
    double share[4];
} corners;

static int outside(double v, double low, double high) { return v < low - 0.75 || v > high + 0.75; }

static corners corners_of(size_t size, const ref_affine *t, size_t a, size_t b)
{
    corners c = { { 0 }, { 0 } };
    double p[2];
    for (int axis = 0; axis < 2; axis++) {
        const double *m = t->map + 3 * axis;
        p[axis] = m[0] * (double)a + m[1] * (double)b + m[2];
    }
    if (outside(p[0], t->low[0], t->high[0]) || outside(p[1], t->low[1], t->high[1])) return c;
    for (int axis = 0; axis < 2; axis++)
        p[axis] = p[axis] < t->low[axis] ? t->low[axis] : p[axis] > t->high[axis] ? t->high[axis] : p[axis];
    for (int corner = 0; corner < 4; corner++) {
        double share = 1;
        size_t place[2];
        for (int axis = 0; axis < 2; axis++) {
            const double whole = floor(p[axis]), rest = p[axis] - whole;
            const int next = axis == 0 ? corner / 2 : corner % 2;
            share *= next ? rest : 1 - rest;
            place[axis] = (size_t)(next && rest > 0 ? whole + 1 : whole);
        }
        c.at[corner] = place[0] * size + place[1];
        c.share[corner] = share;
    }
    return c;
}

void ref_affine_forward(size_t size, const ref_affine *t, const double *in, double *out)
{
    for (size_t i = 0; i < size * size; i++) {
        const corners c = corners_of(size, t, i / size, i % size);
        out[i] = 0;
        for (int k = 0; k < 4; k++)
            out[i] += c.share[k] * in[c.at[k]];
    }
}

void ref_affine_backward(size_t size, const ref_affine *t, const double *dout, double *din)
{
    memset(din, 0, size * size * sizeof *din);
    for (size_t i = 0; i < size * size; i++) {
        const corners c = corners_of(size, t, i / size, i % size);
        for (int k = 0; k < 4; k++)
            din[c.at[k]] += c.share[k] * dout[i];
    }
}
