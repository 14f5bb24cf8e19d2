/* Pooling of x [N,H,W,C] to y [N,P,Q,C] with square windows: y(p,q) covers x(p*stride-pad+r, q*stride-pad+s), 0 <= r,s < window.
 *
 * Work-item (range, group) of dimension 0, groups fastest: pixels range*each .. of the output (of the input in backward passes, which
 * gather), and of each of them `span` floats of the C channels: all of them on CPUs, one vector on GPUs. */
#include "vector.clh"

#define FIND_RANGE(total)                                                              \
    const int groups = (c + span - 1) / span, group = (int)get_global_id(0) % groups;  \
    const int first = (int)get_global_id(0) / groups * each, last = min((total), first + each); \
    const int left = group * span, right = min(c, left + span)

/* Windows that cover coordinate v: first_window(v) .. min(outputs, v_plus_pad/stride + 1) - 1. */
static inline int first_window(int v_plus_pad, int window, int stride)
{
    return v_plus_pad < window ? 0 : (v_plus_pad - window) / stride + 1;
}

/* The greatest; a NaN wins over everything. Padding takes no part. */
__kernel void max_pool_forward(__global const float *restrict x, __global float *restrict y, int n, int h, int w, int c, int p, int q,
    int window, int stride, int pad, int each, int span)
{
    FIND_RANGE(n * p * q);
    for (int pixel = first; pixel < last; pixel++) {
        const int image = pixel / (p * q), top = pixel / q % p * stride - pad, side = pixel % q * stride - pad;
        __global const float *from = x + (size_t)image * h * w * c;
        for (int at = left; at < right; at += WIDTH) {
            floatv best = SPLAT(-INFINITY);
            for (int i = max(0, top); i < min(h, top + window); i++)
                for (int j = max(0, side); j < min(w, side + window); j++) {
                    const floatv v = load(from + ((size_t)i * w + j) * c + at);
                    best = pick(v > best, v, best);
                    best = pick(v != v, v, best);
                }
            store(y + (size_t)pixel * c + at, best);
        }
    }
}

/* x(i,j) takes dy of every window in which it is the first, in row-major order, that equals the maximum (or the first NaN of a window that
 * has one). */
__kernel void max_pool_backward(__global const float *restrict x, __global const float *restrict y, __global const float *restrict dy,
    __global float *restrict dx, int n, int h, int w, int c, int p, int q, int window, int stride, int pad, int each, int span, int add)
{
    FIND_RANGE(n * h * w);
    for (int pixel = first; pixel < last; pixel++) {
        const int image = pixel / (h * w), row = pixel / w % h, column = pixel % w;
        const int p0 = first_window(row + pad, window, stride), p1 = min(p, (row + pad) / stride + 1);
        const int q0 = first_window(column + pad, window, stride), q1 = min(q, (column + pad) / stride + 1);
        __global const float *from = x + (size_t)image * h * w * c;
        for (int at = left; at < right; at += WIDTH) {
            const floatv own = load(x + (size_t)pixel * c + at);
            floatv sum = SPLAT(0.0f);
            for (int a = p0; a < p1; a++)
                for (int b = q0; b < q1; b++) {
                    const size_t out = (((size_t)image * p + a) * q + b) * c + at;
                    const floatv top = load(y + out), g = load(dy + out);
                    floatv taken = pick(own == top, g, SPLAT(0.0f));
                    taken = pick(own != own, g, taken);
                    for (int i = max(0, a * stride - pad); i <= row; i++) {
                        const int end = i < row ? min(w, b * stride - pad + window) : column;
                        for (int j = max(0, b * stride - pad); j < end; j++) {
                            const floatv earlier = load(from + ((size_t)i * w + j) * c + at);
                            taken = pick(earlier == top, SPLAT(0.0f), taken);
                            taken = pick(earlier != earlier, SPLAT(0.0f), taken);
                        }
                    }
                    sum += taken;
                }
            ADD_OR_STORE(add, dx + (size_t)pixel * c + at, sum);
        }
    }
}

/* The sum over the window, padding counted as 0, over window^2. */
__kernel void average_pool_forward(__global const float *restrict x, __global float *restrict y, int n, int h, int w, int c, int p, int q,
    int window, int stride, int pad, int each, int span)
{
    FIND_RANGE(n * p * q);
    const float share = 1.0f / (float)(window * window);
    for (int pixel = first; pixel < last; pixel++) {
        const int image = pixel / (p * q), top = pixel / q % p * stride - pad, side = pixel % q * stride - pad;
        __global const float *from = x + (size_t)image * h * w * c;
        for (int at = left; at < right; at += WIDTH) {
            floatv sum = SPLAT(0.0f);
            for (int i = max(0, top); i < min(h, top + window); i++)
                for (int j = max(0, side); j < min(w, side + window); j++) sum += load(from + ((size_t)i * w + j) * c + at);
            store(y + (size_t)pixel * c + at, sum * share);
        }
    }
}

__kernel void average_pool_backward(__global const float *restrict dy, __global float *restrict dx, int n, int h, int w, int c, int p,
                                    int q, int window, int stride, int pad, int each, int span, int add)
{
    FIND_RANGE(n * h * w);
    const float share = 1.0f / (float)(window * window);
    for (int pixel = first; pixel < last; pixel++) {
        const int image = pixel / (h * w), row = pixel / w % h, column = pixel % w;
        const int p0 = first_window(row + pad, window, stride), p1 = min(p, (row + pad) / stride + 1);
        const int q0 = first_window(column + pad, window, stride), q1 = min(q, (column + pad) / stride + 1);
        for (int at = left; at < right; at += WIDTH) {
            floatv sum = SPLAT(0.0f);
            for (int a = p0; a < p1; a++)
                for (int b = q0; b < q1; b++) sum += load(dy + (((size_t)image * p + a) * q + b) * c + at);
            ADD_OR_STORE(add, dx + (size_t)pixel * c + at, sum * share);
        }
    }
}

/* y [N,C] = mean over the `pixels` of an image; here a "pixel" of the range is an image. */
__kernel void global_average_pool_forward(__global const float *restrict x, __global float *restrict y, int n, int pixels, int c, int each,
    int span)
{
    FIND_RANGE(n);
    const float share = 1.0f / (float)pixels;
    for (int image = first; image < last; image++)
        for (int at = left; at < right; at += WIDTH) {
            __global const float *from = x + (size_t)image * pixels * c + at;
            floatv sum = SPLAT(0.0f);
            for (int i = 0; i < pixels; i++) sum += load(from + (size_t)i * c);
            store(y + (size_t)image * c + at, sum * share);
        }
}

__kernel void global_average_pool_backward(__global const float *restrict dy, __global float *restrict dx, int n, int pixels, int c,
                                           int each, int span, int add)
{
    FIND_RANGE(n * pixels);
    const float share = 1.0f / (float)pixels;
    for (int pixel = first; pixel < last; pixel++)
        for (int at = left; at < right; at += WIDTH)
            ADD_OR_STORE(add, dx + (size_t)pixel * c + at, load(dy + (size_t)(pixel / pixels) * c + at) * share);
}
