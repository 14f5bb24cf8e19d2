/* Weights into the panels of conv2d/tile.cl, and partial weight gradients out of those of conv2d/tile_weight.cl.
 * Master layout w [R,S,C,K]. */

#include "conv2d/tile.clh"

/* Forward: packed[panel][r*S*C + s*C + c][KB] = w[r,s,c, panel*KB ...], zeros beyond K.  Work-items: (rsc, panel). */
__kernel void conv2d_pack_forward(__global const float *w, __global float *packed, const int rsc, const int K, const int KB)
{
    const int row = get_global_id(0), panel = get_global_id(1);
    if (row >= rsc || panel * KB >= K) return;
    __global float *to = packed + ((size_t)panel * rsc + row) * KB;
    __global const float *from = w + (size_t)row * K + panel * KB;
    const int count = min(KB, K - panel * KB);
    for (int i = 0; i < KB; i++) to[i] = i < count ? from[i] : 0.0f;
}

/* Backward-data, one phase: of the taps r = r0 + stride*i, i < taps_r (and s likewise) the last comes first, and input and output channels
 * change places: packed[offset + panel][i*taps_s + j][k][CB] = w[r0 + stride*(taps_r-1-i), s0 + stride*(taps_s-1-j), panel*CB ..., k].
 * Work-items: (i*taps_s + j, panel). */
__kernel void conv2d_pack_backward_data(__global const float *w, __global float *packed, const int S, const int C, const int K,
    const int r0, const int s0, const int stride, const int taps_r, const int taps_s, const int offset, const int CB)
{
    const int tap = get_global_id(0), panel = get_global_id(1);
    if (tap >= taps_r * taps_s || panel * CB >= C) return;
    const int r = r0 + stride * (taps_r - 1 - tap / taps_s), s = s0 + stride * (taps_s - 1 - tap % taps_s);
    const int count = min(CB, C - panel * CB);
    __global float *to = packed + offset + ((size_t)panel * taps_r * taps_s + tap) * K * CB;
    __global const float *from = w + ((size_t)(r * S + s) * C + panel * CB) * K;
    for (int k = 0; k < K; k++)
        for (int i = 0; i < CB; i++) to[k * CB + i] = i < count ? from[(size_t)i * K + k] : 0.0f;
}

/* dw[row][k] (+)= sum over parts, in order, of partial[part][k / KB][row][k % KB]; rows rows_each * i ... of work-item i. KB is a
 * multiple of WIDTH. */
__kernel void conv2d_reduce(__global const float *partial, __global float *dw, const int rsc, const int K, const int KB, const int parts,
    const int part_size, const int rows_each, const int add)
{
    const int first = get_global_id(0) * rows_each, last = min(rsc, first + rows_each);
    for (int row = first; row < last; row++) {
        for (int k = 0; k < K; k += WIDTH) {
            __global const float *from = partial + ((size_t)(k / KB) * rsc + row) * KB + k % KB;
            __global float *to = dw + (size_t)row * K + k;
            floatv sum = (floatv)0.0f;
            for (int i = 0; i < parts; i++) sum += LOAD_ANY(from + (size_t)i * part_size);
            if (k + WIDTH <= K) {
                store_any(add ? LOAD_ANY(to) + sum : sum, to);
            } else {
                float lane[WIDTH];
                STORE_ANY(sum, lane);
                for (int i = 0; i < K - k; i++) to[i] = add ? to[i] + lane[i] : lane[i];
            }
        }
    }
}
