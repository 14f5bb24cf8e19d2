/* The transforms of Winograd convolutions F(4x4, 3x3) for GPUs: 3x3 taps, stride 1. Forward and, on dy with turned weights, backward-data
 * in three launches, the second of which is one of conv2d/winograd_multiply.cl:
 *
 *     y[n,p,q,k] = sum_{r,s,c} x[n, p+r-pad, q+s-pad, c] * w[r,s,c,k],   p < P, q < Q
 *     V[36][tiles][C] = B^T d B,    M[36][tiles][K] = V * u,    y = A^T M A,    u[36][C][K] = G g G^T (conv2d/winograd_pack.cl)
 *
 * and the weight gradient in four, the third of which is the other one:
 *     V = B^T d B,    M = A dy A^T,    dU[parts][36][C][K] = V^T * M,    dw = G^T (sum over parts of dU) G
 *
 * Tile t covers output points p = 4*(t / tiles_w % tiles_h) + 0..3, q = 4*(t % tiles_w) + 0..3 of image t / (tiles_h*tiles_w); a launch
 * works on tiles first .. first+tiles-1, to bound the memory of V and M. A work-item transforms one channel of a tile, so that neighbours
 * read and write neighbouring numbers. */
#define WINOGRAD_TYPE float
#include "conv2d/winograd.clh"

/* Work-items: (c, tile). */
__kernel void conv2d_winograd_input(__global const float *x, __global float *V, const int first, const int tiles,
    const int H, const int W, const int C, const int pad, const int tiles_h, const int tiles_w)
{
    const int c = get_global_id(0), t = get_global_id(1);
    if (c >= C || t >= tiles) return;
    const int row = (first + t) / tiles_w, n = row / tiles_h;
    const int h0 = (row - n * tiles_h) * WINOGRAD_OUT - pad, w0 = (first + t - row * tiles_w) * WINOGRAD_OUT - pad;
    __global const float *image = x + (size_t)n * H * W * C + c;
    float d[WINOGRAD_POINTS];
#pragma unroll
    for (int i = 0; i < WINOGRAD_POINTS; i++) {
        const int h = h0 + i / WINOGRAD_IN, w = w0 + i % WINOGRAD_IN;
        d[i] = h >= 0 && h < H && w >= 0 && w < W ? image[(h * W + w) * C] : 0.0f;
    }
    winograd_input(d);
#pragma unroll
    for (int i = 0; i < WINOGRAD_POINTS; i++) V[(i * tiles + t) * C + c] = d[i];
}

/* Work-items: (k, tile). */
__kernel void conv2d_winograd_output(__global const float *M, __global float *y, const int first, const int tiles, const int K,
    const int P, const int Q, const int tiles_h, const int tiles_w, const int add)
{
    const int k = get_global_id(0), t = get_global_id(1);
    if (k >= K || t >= tiles) return;
    const int row = (first + t) / tiles_w, n = row / tiles_h;
    const int p0 = (row - n * tiles_h) * WINOGRAD_OUT, q0 = (first + t - row * tiles_w) * WINOGRAD_OUT;
    float m[WINOGRAD_POINTS], out[16];
#pragma unroll
    for (int i = 0; i < WINOGRAD_POINTS; i++) m[i] = M[(i * tiles + t) * K + k];
    winograd_output(m, out);
    __global float *image = y + (size_t)n * P * Q * K + k;
#pragma unroll
    for (int i = 0; i < 16; i++) {
        const int p = p0 + i / WINOGRAD_OUT, q = q0 + i % WINOGRAD_OUT;
        if (p >= P || q >= Q) continue;
        __global float *to = image + (p * Q + q) * K;
        *to = add ? *to + out[i] : out[i];
    }
}

/* M = A dy A^T, zeros where dy does not exist.  Work-items: (k, tile). */
__kernel void conv2d_winograd_gradient(__global const float *dy, __global float *M, const int first, const int tiles, const int K,
    const int P, const int Q, const int tiles_h, const int tiles_w)
{
    const int k = get_global_id(0), t = get_global_id(1);
    if (k >= K || t >= tiles) return;
    const int row = (first + t) / tiles_w, n = row / tiles_h;
    const int p0 = (row - n * tiles_h) * WINOGRAD_OUT, q0 = (first + t - row * tiles_w) * WINOGRAD_OUT;
    __global const float *image = dy + (size_t)n * P * Q * K + k;
    float y[16], m[WINOGRAD_POINTS];
#pragma unroll
    for (int i = 0; i < 16; i++) {
        const int p = p0 + i / WINOGRAD_OUT, q = q0 + i % WINOGRAD_OUT;
        y[i] = p < P && q < Q ? image[(p * Q + q) * K] : 0.0f;
    }
    winograd_gradient(y, m);
#pragma unroll
    for (int i = 0; i < WINOGRAD_POINTS; i++) M[(i * tiles + t) * K + k] = m[i];
}

/* dw (+)= G^T dU G, parts added up in order.  Work-items: c*K + k. */
__kernel void conv2d_winograd_weight_output(__global const float *dU, __global float *dw, const int CK, const int parts, const int add)
{
    const int i = get_global_id(0);
    if (i >= CK) return;
    float u[WINOGRAD_POINTS], g[9];
#pragma unroll
    for (int f = 0; f < WINOGRAD_POINTS; f++) u[f] = dU[(size_t)f * CK + i];
    for (int z = 1; z < parts; z++) {
#pragma unroll
        for (int f = 0; f < WINOGRAD_POINTS; f++) u[f] += dU[((size_t)z * WINOGRAD_POINTS + f) * CK + i];
    }
    winograd_weight_gradient(u, g);
#pragma unroll
    for (int f = 0; f < 9; f++) dw[f * CK + i] = add ? dw[f * CK + i] + g[f] : g[f];
}
