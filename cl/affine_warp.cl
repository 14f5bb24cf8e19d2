/* T as an affine map: src, dst [n,S,S].
 *
 * maps [n,12]: map[6], low (y, x), high (y, x), counted, -. Pixel (a,b) of dst samples src, bilinearly, at
 *
 *     y = map[0] a + map[1] b + map[2],   x = map[3] a + map[4] b + map[5],   clamped to low .. high
 *
 * and is 0 where that point lies more than REACH pixels outside low .. high. So a pixel of src is sampled only by points that are less than a
 * pixel away, and the transpose finds them near its own place under the inverse map. Pixels that count lie at most half a pixel outside.
 *
 * Work-items: dim 2 = image, dim 1 = a row of the result, dim 0 strides over its columns (any global size along dim 0 is right). */
#include "bilinear.clh"

#define MAP_FLOATS 12
#define REACH 0.75f

/* Inputs and weights at `v`; both weights are 0 out of reach. */
static tap reached_tap(float v, float low, float high)
{
    const bool reached = v >= low - REACH && v <= high + REACH;
    v = fmin(fmax(v, low), high);
    tap t;
    t.i0 = (int)v;
    t.i1 = min(t.i0 + 1, (int)high);
    t.w1 = reached ? v - (float)t.i0 : 0.0f;
    t.w0 = reached ? 1.0f - t.w1 : 0.0f;
    return t;
}

static tap row_tap(__global const float *m, int a, int b)
{
    return reached_tap(m[0] * (float)a + m[1] * (float)b + m[2], m[6], m[8]);
}

static tap column_tap(__global const float *m, int a, int b)
{
    return reached_tap(m[3] * (float)a + m[4] * (float)b + m[5], m[7], m[9]);
}

__kernel void affine_warp_forward(__global const float *src, __global const float *maps, __global float *dst, int n, int size)
{
    const int image = (int)get_global_id(2), a = (int)get_global_id(1);
    if (image >= n || a >= size) return;
    __global const float *m = maps + MAP_FLOATS * image;
    __global const float *in = src + (size_t)image * size * size;
    __global float *out = dst + ((size_t)image * size + a) * size;
    for (int b = (int)get_global_id(0); b < size; b += (int)get_global_size(0)) {
        const tap ty = row_tap(m, a, b), tx = column_tap(m, a, b);
        __global const float *top = in + ty.i0 * size, *bottom = in + ty.i1 * size;
        out[b] = ty.w0 * (tx.w0 * top[tx.i0] + tx.w1 * top[tx.i1]) + ty.w1 * (tx.w0 * bottom[tx.i0] + tx.w1 * bottom[tx.i1]);
    }
}

/* The pixels of dst whose points may lie within a pixel of one of src, along one axis of dst: first..last. */
typedef struct range {
    int first, last;
} range;

/* `middle` shows the pixel itself, `extent` belongs to one pixel around it. The map is not invertible where `singular`. */
static range range_of(float middle, float extent, bool singular, int size)
{
    const float end = (float)(size - 1), slack = 0.25f + 0.001f * extent;
    range r = { 0, size - 1 };
    if (singular) return r;
    r.first = (int)fmin(fmax(floor(middle - extent - slack), 0.0f), end);
    r.last = (int)fmin(fmax(ceil(middle + extent + slack), 0.0f), end);
    return r;
}

/* Both taps read one pixel where i1 = i0; its weights add up then. */
static float weight_of(tap t, int i) { return (i == t.i0 ? t.w0 : 0.0f) + (i == t.i1 ? t.w1 : 0.0f); }

/* dsrc[i,j] (+)= sum over pixels (a,b) of dst of the weight with which they sample (i,j), times ddst[a,b] */
__kernel void affine_warp_backward(__global const float *ddst, __global const float *maps, __global float *dsrc, int n, int size, int add)
{
    const int image = (int)get_global_id(2), i = (int)get_global_id(1);
    if (image >= n || i >= size) return;
    __global const float *m = maps + MAP_FLOATS * image;
    __global const float *in = ddst + (size_t)image * size * size;
    __global float *out = dsrc + ((size_t)image * size + i) * size;
    const float determinant = m[0] * m[4] - m[1] * m[3];
    const bool singular = !(fabs(determinant) > 1e-12f);
    const float aa = m[4] / determinant, ab = -m[1] / determinant, ba = -m[3] / determinant, bb = m[0] / determinant;
    for (int j = (int)get_global_id(0); j < size; j += (int)get_global_size(0)) {
        const float y = (float)i - m[2], x = (float)j - m[5];
        const range rows = range_of(aa * y + ab * x, fabs(aa) + fabs(ab), singular, size);
        const range columns = range_of(ba * y + bb * x, fabs(ba) + fabs(bb), singular, size);
        float sum = 0.0f;
        for (int a = rows.first; a <= rows.last; a++)
            for (int b = columns.first; b <= columns.last; b++)
                sum += weight_of(row_tap(m, a, b), i) * weight_of(column_tap(m, a, b), j) * in[a * size + b];
        out[j] = add ? out[j] + sum : sum;
    }
}
