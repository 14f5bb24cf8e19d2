/* Convolution, the general kernels: any shape, any device, master weight layout. The yardstick for every other variant.
 *
 *   x [N,H,W,C], w [R,S,C,K], y [N,P,Q,K]:  y[n,p,q,k] = sum_{r,s,c} x[n, p*stride+r-pad, q*stride+s-pad, c] * w[r,s,c,k]
 *
 * In groups, w is [R,S,C/groups,K], and c counts the C/groups input channels of the group that k is in.
 *
 * One work-item computes one output element; dimension 0 runs over its channels, so that neighbours read neighbouring weights and write
 * neighbouring outputs. Every sum runs in one fixed order. A launch covers the N images from
 * `first` on. */
#include "multiply_add.clh"

/* Work-items: (k, p*Q+q, n-first). */
__kernel void conv2d_forward_general(__global const float *x, __global const float *w, __global float *y,
    const int first, const int N, const int H, const int W, const int C, const int K, const int R, const int S,
    const int stride, const int pad, const int groups, const int P, const int Q, const int add)
{
    const int k = get_global_id(0), pixel = get_global_id(1), image = get_global_id(2);
    if (k >= K || pixel >= P * Q || image >= N) return;
    const int n = first + image;
    const int top = pixel / Q * stride - pad, left = pixel % Q * stride - pad;
    const int inputs = C / groups, from_c = k / (K / groups) * inputs;
    float sum = 0.0f;
    for (int r = max(0, -top); r < min(R, H - top); r++) {
        for (int s = max(0, -left); s < min(S, W - left); s++) {
            __global const float *from = x + (((size_t)n * H + top + r) * W + left + s) * C + from_c;
            __global const float *weight = w + (size_t)(r * S + s) * inputs * K + k;
            for (int c = 0; c < inputs; c++) sum = MULTIPLY_ADD(from[c], weight[(size_t)c * K], sum);
        }
    }
    __global float *out = y + ((size_t)n * P * Q + pixel) * K + k;
    *out = add ? *out + sum : sum;
}

/* dx[n,h,w,c] = sum over the (r,s) that lead from an output pixel to (h,w), and over k.  Work-items: (c, h*W+w, n-first). */
__kernel void conv2d_backward_data_general(__global const float *dy, __global const float *w, __global float *dx,
    const int first, const int N, const int H, const int W, const int C, const int K, const int R, const int S,
    const int stride, const int pad, const int groups, const int P, const int Q, const int add)
{
    const int c = get_global_id(0), pixel = get_global_id(1), image = get_global_id(2);
    if (c >= C || pixel >= H * W || image >= N) return;
    const int n = first + image;
    const int down = pixel / W + pad, right = pixel % W + pad;
    const int inputs = C / groups, outputs = K / groups, from_k = c / inputs * outputs;
    float sum = 0.0f;
    for (int r = down % stride; r < R && r <= down; r += stride) {
        const int p = (down - r) / stride;
        if (p >= P) continue;
        for (int s = right % stride; s < S && s <= right; s += stride) {
            const int q = (right - s) / stride;
            if (q >= Q) continue;
            __global const float *from = dy + (((size_t)n * P + p) * Q + q) * K + from_k;
            __global const float *weight = w + ((size_t)(r * S + s) * inputs + c % inputs) * K + from_k;
            for (int k = 0; k < outputs; k++) sum = MULTIPLY_ADD(from[k], weight[k], sum);
        }
    }
    __global float *out = dx + ((size_t)n * H * W + pixel) * C + c;
    *out = add ? *out + sum : sum;
}

/* dw[r,s,c,k] = sum over n, then p, then q; each image's sum is added to the whole, which keeps the rounding error of long sums down.
 * Work-items: (k, c of C/groups, r*S+s). */
__kernel void conv2d_backward_weight_general(__global const float *x, __global const float *dy, __global float *dw,
    const int first, const int N, const int H, const int W, const int C, const int K, const int R, const int S,
    const int stride, const int pad, const int groups, const int P, const int Q, const int add)
{
    const int k = get_global_id(0), c = get_global_id(1), tap = get_global_id(2);
    const int inputs = C / groups, from_c = k / (K / groups) * inputs + c;
    if (k >= K || c >= inputs || tap >= R * S) return;
    const int r = tap / S - pad, s = tap % S - pad;
    float sum = 0.0f;
    for (int n = first; n < first + N; n++) {
        float image = 0.0f;
        for (int p = 0; p < P; p++) {
            const int h = p * stride + r;
            if (h < 0 || h >= H) continue;
            for (int q = 0; q < Q; q++) {
                const int v = q * stride + s;
                if (v < 0 || v >= W) continue;
                image = MULTIPLY_ADD(x[(((size_t)n * H + h) * W + v) * C + from_c], dy[(((size_t)n * P + p) * Q + q) * K + k], image);
            }
        }
        sum += image;
    }
    __global float *out = dw + ((size_t)tap * inputs + c) * K + k;
    *out = add ? *out + sum : sum;
}
