/* 1x1 convolution for CPUs: one work-item computes register tiles of PIXELS pixels x VECTORS*WIDTH output channels. Forward and, on dy with
 * turned weights, backward-data.
 *
 *     y[n, p*out_step, q*out_step, k] = sum_c x[n, p*stride, q*stride, c] * w[c,k],    p < P, q < Q
 * in x [N,H,W,C] and y [N,out_H,out_W,K]; what follows the sum is as in conv2d/tile.cl, and so are the panels of weights
 * [ceil(K / KB)][C][KB], KB = WIDTH*VECTORS.
 *
 * With `clear`, each pixel's cell of out_step x out_step outputs, of which only the first is a sum, gets zeros elsewhere.
 *
 * Work-item (i, j): pixels i*each .. of the N*P*Q, panels j*panels_each .. It takes `block` pixels at a time through its panels. Without
 * steps the host passes all pixels as one row (Q = N*P*Q). With `fetch`, the next block's input is fetched meanwhile. Local size is 1. */
#ifndef PIXELS
#define PIXELS 8             /* pixels of a tile: PIXELS*VECTORS accumulators + VECTORS weights must fit the registers */
#endif
#ifndef VECTORS
#define VECTORS 2            /* vectors of output channels of a tile */
#endif
#define KB (WIDTH * VECTORS)
#define TILE_ROWS PIXELS

#include "conv2d/affine.clh"
#include "conv2d/point.clh"
#include "conv2d/register_tile.clh"

/* Zeros in `channels` channels, at most KB, of rows x columns points, the first of which is at y, but for every step-th of the first
 * row. */
static OUTLINE void clear_cells(__global float *y, const int rows, const int columns, const int step, const int W, const int K,
    const int channels)
{
    if (channels < KB || K % WIDTH != 0) {
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++)
                if (row > 0 || column % step > 0) band_zero(y + (size_t)(row * W + column) * K, channels);
        return;
    }
    for (int first = 0; first < columns; first += step)
        for (int column = first + 1; column < min(columns, first + step); column++)
#pragma unroll
            for (int v = 0; v < VECTORS; v++) store_past_cache((floatv)0.0f, y + column * K + WIDTH * v);
    for (int row = 1; row < rows; row++)
        for (int column = 0; column < columns; column++)
#pragma unroll
            for (int v = 0; v < VECTORS; v++) store_past_cache((floatv)0.0f, y + (size_t)(row * W + column) * K + WIDTH * v);
}

/* `tiles` whole tiles of pixels in_step and out_step numbers apart. For each, `part` channels of pixels `ahead` numbers further on are
 * fetched, and its place in y. What follows the sum as below; scale and shift: of the panel, residual: of the first pixel. */
static OUTLINE void whole_tiles(__global const float *from, __global const float *weight, __global float *out, const int tiles, const int C,
    const int in_step, const int out_step, const int ahead, const int part, const int add,
    __global const float *scale, __global const float *shift, __global const float *residual, const int affine, const int has_residual,
    const float slope)
{
    for (int tile = 0; tile < tiles; tile++) {
        __global const float *segment[PIXELS];
        floatv sum[PIXELS][VECTORS];
#pragma unroll
        for (int i = 0; i < PIXELS; i++) segment[i] = from + i * in_step;
        if (part > 0) {
            for (int c = 0; c < part; c += LINE)
#pragma unroll
                for (int i = 0; i < PIXELS; i++) FETCH(segment[i] + ahead + c);
#pragma unroll
            for (int i = 0; i < PIXELS; i++)
#pragma unroll
                for (int v = 0; v < VECTORS; v++) FETCH_TO_STORE(out + i * out_step + WIDTH * v);
        }
        clear_sums(sum);
        multiply(segment, weight, C, sum);
        if (affine) {
#pragma unroll
            for (int i = 0; i < PIXELS; i++)
#pragma unroll
                for (int v = 0; v < VECTORS; v++)
                    sum[i][v] = apply_affine(sum[i][v], scale + WIDTH * v, shift + WIDTH * v, residual + i * out_step + WIDTH * v, has_residual, WIDTH,
                        slope);
            residual += PIXELS * out_step;
        }
        if (add) {
#pragma unroll
            for (int i = 0; i < PIXELS; i++)
#pragma unroll
                for (int v = 0; v < VECTORS; v++) sum[i][v] += LOAD_ANY(out + i * out_step + WIDTH * v);
        }
#pragma unroll
        for (int i = 0; i < PIXELS; i++)
#pragma unroll
            for (int v = 0; v < VECTORS; v++) store_any(sum[i][v], out + i * out_step + WIDTH * v);
        from += PIXELS * in_step;
        out += PIXELS * out_step;
    }
}

/* `count` pixels, at most PIXELS, from `at` on, wherever they are, and as many of the panel's channels k0 ... as exist. Fetches as
 * whole_tiles does. */
static OUTLINE void single_pixels(__global const float *x, __global const float *weight, __global float *y, const place at,
    const int count, const int C, const int K, const int k0, const int P, const int Q, const int H, const int W, const int stride,
    const int out_H, const int out_W, const int out_step, const int clear, const int ahead, const int part, const int add,
    __global const float *scale, __global const float *shift, __global const float *residual, const int affine, const int has_residual,
    const float slope)
{
    __global const float *segment[PIXELS];
    floatv sum[PIXELS][VECTORS];
    place to[PIXELS];
#pragma unroll
    for (int i = 0; i < PIXELS; i++) {
        to[i] = i < count ? walk(at, i, P, Q) : at;
        segment[i] = x + (size_t)point(to[i], H, W, stride) * C;
        for (int c = 0; c < part; c += LINE) FETCH(segment[i] + ahead + c);
        for (int v = 0; v < VECTORS && part > 0; v++) FETCH_TO_STORE(y + (size_t)point(to[i], out_H, out_W, out_step) * K + k0 + WIDTH * v);
    }
    clear_sums(sum);
    multiply(segment, weight, C, sum);
    floatv value[PIXELS][VECTORS]; /* so that the sums themselves are not indexed by what the compiler does not know */
#pragma unroll
    for (int i = 0; i < PIXELS; i++)
#pragma unroll
        for (int v = 0; v < VECTORS; v++) value[i][v] = sum[i][v];
#pragma nounroll
    for (int i = 0; i < count; i++) {
        const size_t channels_at = (size_t)point(to[i], out_H, out_W, out_step) * K;
        for (int v = 0; v < VECTORS; v++) {
            const int k = k0 + WIDTH * v;
            if (k >= K) continue;
            if (affine)
                value[i][v] = apply_affine(value[i][v], scale + k, shift + k, residual + channels_at + k, has_residual, K - k, slope);
            store_channels(y + channels_at + k, value[i][v], K - k, add);
        }
        if (clear) clear_cells(y + channels_at + k0, min(out_step, out_H - to[i].p * out_step),
                min(out_step, out_W - to[i].q * out_step), out_step, out_W, K, min(KB, K - k0));
    }
}

__kernel void conv2d_point(__global const float *x, __global const float *w, __global float *y,
    const int C, const int K, const int pixels, const int P, const int Q, const int H, const int W, const int stride,
    const int out_H, const int out_W, const int out_step, const int each, const int block, const int panels, const int panels_each,
    const int clear, const int add, const int fetch,
    __global const float *scale, __global const float *shift, __global const float *residual, const int affine, const int has_residual,
    const float slope)
{
    const int first_panel = get_global_id(1) * panels_each, last_panel = min(panels, first_panel + panels_each);
    const int start = get_global_id(0) * each, end = min(pixels, start + each);
    place block_at = { start / Q / P, start / Q % P, start % Q };

    for (int first = start; first < end; first += block) {
        const int last = min(end, first + block);
        const place next_block = walk(block_at, block, P, Q);
        const int ahead = (point(next_block, H, W, stride) - point(block_at, H, W, stride)) * C;
        const int part = fetch ? C / (last_panel - first_panel) : 0;
        for (int panel = first_panel; panel < last_panel; panel++) {
            const int k0 = panel * KB;
            __global const float *weight = w + (size_t)panel * C * KB;
            place at = block_at;
            int pixel = first;
            while (pixel < last) {
                const int tiles = k0 + KB <= K ? min(Q - at.q, last - pixel) / PIXELS : 0;
                if (tiles > 0) {
                    const size_t channels_at = (size_t)point(at, out_H, out_W, out_step) * K + k0;
                    whole_tiles(x + (size_t)point(at, H, W, stride) * C, weight, y + channels_at, tiles, C, stride * C, out_step * K,
                        ahead + (panel - first_panel) * part, part, add, scale + k0, shift + k0, residual + channels_at,
                        affine, has_residual, slope);
                    if (clear) clear_cells(y + channels_at, min(out_step, out_H - at.p * out_step),
                            min(tiles * PIXELS * out_step, out_W - at.q * out_step), out_step, out_W, K, KB);
                    at = walk(at, tiles * PIXELS, P, Q);
                    pixel += tiles * PIXELS;
                    continue;
                }
                single_pixels(x, weight, y, at, min(PIXELS, last - pixel), C, K, k0, P, Q, H, W, stride, out_H, out_W, out_step, clear,
                    ahead + (panel - first_panel) * part, part, add, scale, shift, residual, affine, has_residual, slope);
                at = walk(at, PIXELS, P, Q);
                pixel += PIXELS;
            }
        }
        block_at = next_block;
    }
}
