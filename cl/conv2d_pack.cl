/* Weights into the panels of conv2d_tile.cl, and partial weight gradients out of those of conv2d_tile_weight.cl.
 * Master layout w [R,S,C,K]. */

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

/* dw[row][k] (+)= sum over parts, in order, of partial[part][k / KB][row][k % KB].  Work-items: (k, row). */
__kernel void conv2d_reduce(__global const float *partial, __global float *dw, const int rsc, const int K, const int KB, const int parts,
    const int part_size, const int add)
{
    const int k = get_global_id(0), row = get_global_id(1);
    if (k >= K || row >= rsc) return;
    __global const float *from = partial + ((size_t)(k / KB) * rsc + row) * KB + k % KB;
    float sum = 0.0f;
    for (int i = 0; i < parts; i++) sum += from[(size_t)i * part_size];
    __global float *out = dw + (size_t)row * K + k;
    *out = add ? *out + sum : sum;
}
