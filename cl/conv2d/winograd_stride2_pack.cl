/* Weights in panels of KB channels for conv2d/winograd_stride2.cl and conv2d/winograd_stride2_data.cl. Master layout w [3,3,C,K].
 *
 * Forward:       packed[panel][points][c][KB] of w[.,.,c, panel*KB ...], zeros beyond K.
 * Backward-data: taps turned by half a turn, input and output channels change places:
 *                packed[panel][points][k][KB] of w[2-.,2-., panel*KB ..., k], zeros beyond C.
 * points: the 36 of the transform, or, when `plain`, the 9 taps. */
#include "conv2d/winograd_stride2.clh"

/* to[points][step] from the taps g[9] of WIDTH channels */
static inline void store_points(const floatv *g, __global float *to, const int step, const int plain)
{
    if (plain) {
#pragma unroll
        for (int i = 0; i < 9; i++) store_any(g[i], to + (size_t)i * step);
        return;
    }
#pragma unroll
    for (int i = 0; i < SIDE; i++) {
        floatv u[SIDE];
        weight_transform_row(g, i, u);
#pragma unroll
        for (int j = 0; j < SIDE; j++) store_any(u[j], to + (size_t)(SIDE * i + j) * step);
    }
}

/* from[0..WIDTH-1], of which `count` exist; the others are 0 */
static inline floatv load_some(__global const float *from, const int count)
{
    if (count >= WIDTH) return LOAD_ANY(from);
    float lane[WIDTH];
    for (int l = 0; l < WIDTH; l++) lane[l] = l < count ? from[l] : 0.0f;
    return LOAD_ANY(lane);
}

/* Work-items: (c, WIDTH of the padded K channels). */
__kernel void conv2d_winograd_stride2_pack_forward(__global const float *w, __global float *packed, const int C, const int K, const int KB,
    const int plain)
{
    const int c = get_global_id(0), k = WIDTH * get_global_id(1);
    if (c >= C || k >= (K + KB - 1) / KB * KB) return;
    floatv g[9];
#pragma unroll
    for (int i = 0; i < 9; i++) g[i] = load_some(w + ((size_t)i * C + c) * K + k, K - k);
    store_points(g, packed + ((size_t)(k / KB) * (plain ? 9 : WEIGHT_POINTS) * C + c) * KB + k % KB, C * KB, plain);
}

/* Work-items: (WIDTH of K, WIDTH of the padded C channels), so that each cache line is read once. */
__kernel void conv2d_winograd_stride2_pack_backward_data(__global const float *w, __global float *packed, const int C, const int K,
    const int KB, const int plain)
{
    const int k0 = WIDTH * get_global_id(0), c = WIDTH * get_global_id(1);
    if (k0 >= K || c >= (C + KB - 1) / KB * KB) return;
    float block[9][WIDTH][WIDTH];                                   /* [tap][c][k] */
    for (int i = 0; i < 9; i++)
        for (int l = 0; l < WIDTH; l++)
            STORE_ANY(load_some(w + ((size_t)(8 - i) * C + c + l) * K + k0, c + l < C ? K - k0 : 0), block[i][l]);
    for (int k = 0; k < min(WIDTH, K - k0); k++) {
        floatv g[9];
#pragma unroll
        for (int i = 0; i < 9; i++) {
            float lane[WIDTH];
#pragma unroll
            for (int l = 0; l < WIDTH; l++) lane[l] = block[i][l][k];
            g[i] = LOAD_ANY(lane);
        }
        store_points(g, packed + ((size_t)(c / KB) * (plain ? 9 : WEIGHT_POINTS) * K + k0 + k) * KB + c % KB, K * KB, plain);
    }
}
