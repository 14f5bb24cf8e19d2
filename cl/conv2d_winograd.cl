/* Winograd convolution F(4x4, 3x3) for CPUs: 3x3 taps, stride 1. Forward and, on dy with turned weights, backward-data.
 *
 *     y[n,p,q,k] = sum_{r,s,c} x[n, p+r-pad, q+s-pad, c] * w[r,s,c,k],   p < P, q < Q
 *
 * Tile t covers output points p = 4*(t / tiles_w % tiles_h) + 0..3, q = 4*(t % tiles_w) + 0..3 of image t / (tiles_h*tiles_w).
 * A work-item takes `block` tiles at a time: it transforms their input into its scratch memory (sized for a core's cache),
 *     V[36][block][pitch],    zero[pitch]: what lies outside an image,    tail[36][16]: scratch,
 * multiplies, one panel of KB output channels at a time, each of the 36 points with that point's weights,
 *     M[36][block][KB] = V[36][block][C] * u[panel][36][C][KB],
 * and transforms the products back into y. Weights come transformed in panels, zeros beyond K (conv2d_winograd_pack.cl).
 * Work-item (i, j): blocks i, i + size, ... of tiles, panels j*panels_each ...; local size 1. block is a multiple of LAST_ROWS; rows beyond
 * the last tile hold anything and are not stored. */
#ifndef ROWS
#define ROWS 12              /* tiles of a register tile: ROWS*VECTORS accumulators + VECTORS weights must fit the registers */
#endif
#define LAST_ROWS 4          /* of the register tiles that finish a block */
#ifndef VECTORS
#define VECTORS 2            /* float16 vectors of output channels of a panel */
#endif
#define KB (16 * VECTORS)

#include "conv2d_affine.clh"
#include "conv2d_winograd.clh"

/* V[...][row] of one tile, whose 36 input points are at from[...]; next_point: numbers from one point to the next. tail[36][16] holds the
 * last channels while they are filled up to a vector. */
static inline void transform_input(__global float *V, __global const float **from, const int C, const int next_point,
    __global float *tail)
{
    for (int c = 0; c < C; c += 16) {
        if (c + 16 > C) {
            for (int i = 0; i < WINOGRAD_POINTS; i++) {
                for (int l = 0; l < 16; l++) tail[16 * i + l] = c + l < C ? from[i][c + l] : 0.0f;
                from[i] = tail + 16 * i - c;
            }
        }
        float16 d[WINOGRAD_POINTS];
#pragma unroll
        for (int i = 0; i < WINOGRAD_POINTS; i++) d[i] = winograd_load(from[i] + c);
        winograd_input(d);
#pragma unroll
        for (int i = 0; i < WINOGRAD_POINTS; i++) winograd_store(d[i], V + i * next_point + c);
    }
}

/* M[rows][KB] = V[rows][C] * u[C][KB]; rows of V are `pitch` apart. `rows` is a constant wherever this is called. */
static inline __attribute__((always_inline)) void multiply_rows(const int rows, __global float *M, __global const float *V, const int pitch,
    __global const float *u, const int C)
{
    float16 sum[ROWS][VECTORS];
#pragma unroll
    for (int i = 0; i < rows; i++)
#pragma unroll
        for (int v = 0; v < VECTORS; v++) sum[i][v] = (float16)0.0f;
    for (int c = 0; c < C; c++) {
        float16 factor[VECTORS];
#pragma unroll
        for (int v = 0; v < VECTORS; v++) factor[v] = winograd_load(u + c * KB + 16 * v);
#pragma unroll
        for (int i = 0; i < rows; i++) {
            const float16 value = (float16)V[i * pitch + c];
#pragma unroll
            for (int v = 0; v < VECTORS; v++) sum[i][v] = fma(value, factor[v], sum[i][v]);
        }
    }
#pragma unroll
    for (int i = 0; i < rows; i++)
#pragma unroll
        for (int v = 0; v < VECTORS; v++) winograd_store(sum[i][v], M + i * KB + 16 * v);
}

/* Output points 0 <= p < p_count, 0 <= q < q_count of one tile, as far as they exist, from its row of M; y: its first point, at the panel's
 * first channel, of which `channels` exist. edge[16][16] holds a tile that is not stored whole. `affine`: conv2d_affine.clh, scale, shift
 * at the panel's first channel, residual at y's place. */
static inline void transform_output(__global float *y, __global const float *M, const int next_point, const int next_p, const int next_q,
    const int p_count, const int q_count, const int channels, const int add, __global float *edge,
    __global const float *scale, __global const float *shift, __global const float *residual, const int affine, const int has_residual,
    const float slope)
{
#pragma unroll
    for (int v = 0; v < VECTORS; v++) {
        float16 m[WINOGRAD_POINTS], out[16];
#pragma unroll
        for (int i = 0; i < WINOGRAD_POINTS; i++) m[i] = winograd_load(M + i * next_point + 16 * v);
        winograd_output(m, out);
        const int whole = p_count >= 4 && q_count >= 4 && channels - 16 * v >= 16;
        const int step_p = whole ? next_p : 64, step_q = whole ? next_q : 16;
        __global float *to = whole ? y + 16 * v : edge;
        if (affine && whole) {
#pragma unroll
            for (int i = 0; i < 16; i++)
                out[i] = apply_affine(out[i], scale + 16 * v, shift + 16 * v, residual + i / 4 * next_p + i % 4 * next_q + 16 * v,
                    has_residual, 16, slope);
        }
#pragma unroll
        for (int i = 0; i < 16; i++) {
            __global float *point = to + i / 4 * step_p + i % 4 * step_q;
            winograd_store(whole && add ? winograd_load(point) + out[i] : out[i], point);
        }
        if (!whole) {
            for (int p = 0; p < min(4, p_count); p++)
                for (int q = 0; q < min(4, q_count); q++) {
                    const int at = p * next_p + q * next_q + 16 * v;
                    __global float *point = y + at;
                    if (affine && channels > 16 * v) {
                        __global float *value = edge + 64 * p + 16 * q;
                        winograd_store(apply_affine(winograd_load(value), scale + 16 * v, shift + 16 * v, residual + at, has_residual,
                            channels - 16 * v, slope), value);
                    }
                    for (int l = 0; l < min(16, channels - 16 * v); l++)
                        point[l] = add ? point[l] + edge[64 * p + 16 * q + l] : edge[64 * p + 16 * q + l];
                }
        }
    }
}

__kernel void conv2d_winograd(__global const float *x, __global const float *u, __global float *y, __global float *scratch,
    const int H, const int W, const int C, const int K, const int P, const int Q, const int pad,
    const int tiles_h, const int tiles_w, const int tiles, const int block, const int pitch,
    const int panels, const int panels_each, const int scratch_each, const int add,
    __global const float *scale, __global const float *shift, __global const float *residual, const int affine, const int has_residual,
    const float slope)
{
    const int item = get_global_id(0), items = get_global_size(0);
    const int first_panel = get_global_id(1) * panels_each, last_panel = min(panels, first_panel + panels_each);
    __global float *V = scratch + (size_t)(get_global_id(1) * items + item) * scratch_each;
    __global float *zero = V + WINOGRAD_POINTS * block * pitch, *tail = zero + pitch, *M = tail + 16 * WINOGRAD_POINTS;
    for (int c = 0; c < C; c += 16) winograd_store((float16)0.0f, zero + c);

    for (int first = item * block; first < tiles; first += items * block) {
        const int count = min(block, tiles - first);
        for (int t = 0; t < count; t++) {
            const int row = (first + t) / tiles_w, n = row / tiles_h;
            const int h0 = (row - n * tiles_h) * WINOGRAD_OUT - pad, w0 = (first + t - row * tiles_w) * WINOGRAD_OUT - pad;
            __global const float *image = x + (size_t)n * H * W * C;
            __global const float *from[WINOGRAD_POINTS];
#pragma unroll
            for (int i = 0; i < WINOGRAD_IN; i++)
#pragma unroll
                for (int j = 0; j < WINOGRAD_IN; j++) {
                    const int h = h0 + i, w = w0 + j, inside = h >= 0 && h < H && w >= 0 && w < W;
                    from[WINOGRAD_IN * i + j] = inside ? image + (h * W + w) * C : zero;
                }
            transform_input(V + t * pitch, from, C, block * pitch, tail);
        }
        for (int panel = first_panel; panel < last_panel; panel++) {
            for (int i = 0; i < WINOGRAD_POINTS; i++) {
                __global const float *weight = u + ((size_t)panel * WINOGRAD_POINTS + i) * C * KB, *from = V + i * block * pitch;
                __global float *to = M + i * block * KB;
                int t = 0;
                for (; t + ROWS - LAST_ROWS < count; t += ROWS) multiply_rows(ROWS, to + t * KB, from + t * pitch, pitch, weight, C);
                for (; t < count; t += LAST_ROWS) multiply_rows(LAST_ROWS, to + t * KB, from + t * pitch, pitch, weight, C);
            }
            for (int t = 0; t < count; t++) {
                const int row = (first + t) / tiles_w, n = row / tiles_h;
                const int p0 = (row - n * tiles_h) * WINOGRAD_OUT, q0 = (first + t - row * tiles_w) * WINOGRAD_OUT;
                const size_t to = ((size_t)n * P * Q + p0 * Q + q0) * K + panel * KB;
                transform_output(y + to, M + t * KB, block * KB, Q * K, K, P - p0, Q - q0, K - panel * KB, add, tail, scale + panel * KB,
                    shift + panel * KB, residual + to, affine, has_residual, slope);
            }
        }
    }
}
