/* Bilinear resize, corners aligned: x [N,H,W,C] -> y [N,P,Q,C].
 *
 *     y[n,p,q,c] = sum over the two rows i and two columns j that p and q read of wy(p,i) wx(q,j) x[n,i,j,c]
 *
 * Work-items: dim 2 = image, dim 1 = a row of the result, dim 0 strides over the row's columns x channels (any global size along
 * dim 0 is right). Backward runs axis by axis, so that a small map spread over a large one costs two short sums per element. */
#include "bilinear.clh"

__kernel void resize_forward(__global const float *x, __global float *y, int n, int h, int w, int c, int p, int q)
{
    const int image = (int)get_global_id(2), row = (int)get_global_id(1);
    if (image >= n || row >= p) return;
    const tap ty = aligned_tap(row, h, p);
    __global const float *top = x + ((size_t)image * h + ty.i0) * w * c;
    __global const float *bottom = x + ((size_t)image * h + ty.i1) * w * c;
    __global float *out = y + ((size_t)image * p + row) * q * c;
    for (int e = (int)get_global_id(0); e < q * c; e += (int)get_global_size(0)) {
        const int column = e / c, channel = e - column * c;
        const tap tx = aligned_tap(column, w, q);
        const int left = tx.i0 * c + channel, right = tx.i1 * c + channel;
        out[e] = ty.w0 * (tx.w0 * top[left] + tx.w1 * top[right]) + ty.w1 * (tx.w0 * bottom[left] + tx.w1 * bottom[right]);
    }
}

/* dy [N,P,Q,C] -> t [N,P,W,C]: t[n,p,j,c] = sum_q wx(q,j) dy[n,p,q,c] */
__kernel void resize_backward_columns(__global const float *dy, __global float *t, int n, int w, int c, int p, int q)
{
    const int image = (int)get_global_id(2), row = (int)get_global_id(1);
    if (image >= n || row >= p) return;
    __global const float *in = dy + ((size_t)image * p + row) * q * c;
    __global float *out = t + ((size_t)image * p + row) * w * c;
    for (int e = (int)get_global_id(0); e < w * c; e += (int)get_global_size(0)) {
        const int column = e / c, channel = e - column * c;
        const int last = aligned_last(column, w, q);
        float sum = 0.0f;
        for (int o = aligned_first(column, w, q); o <= last; o++)
            sum += tap_weight(aligned_tap(o, w, q), column) * in[o * c + channel];
        out[e] = sum;
    }
}

/* t [N,P,W,C] -> dx [N,H,W,C]: dx[n,i,j,c] (+)= sum_p wy(p,i) t[n,p,j,c] */
__kernel void resize_backward_rows(__global const float *t, __global float *dx, int n, int h, int w, int c, int p, int add)
{
    const int image = (int)get_global_id(2), row = (int)get_global_id(1);
    if (image >= n || row >= h) return;
    const int first = aligned_first(row, h, p), last = aligned_last(row, h, p);
    __global const float *in = t + (size_t)image * p * w * c;
    __global float *out = dx + ((size_t)image * h + row) * w * c;
    for (int e = (int)get_global_id(0); e < w * c; e += (int)get_global_size(0)) {
        float sum = 0.0f;
        for (int o = first; o <= last; o++)
            sum += tap_weight(aligned_tap(o, h, p), row) * in[(size_t)o * w * c + e];
        out[e] = add ? out[e] + sum : sum;
    }
}
