/* Convolution for CPUs: one work-item computes register tiles of PIXELS output pixels x VECTORS*WIDTH output channels. Forward and, on dy
 * with turned weights, backward-data.
 *
 * The convolution here is
 *     y[n, out_top + out_step*p, out_left + out_step*q, k] =
 *         sum_{r,s,c} x[n, p*stride+r+top, q*stride+s+left, c] * w[r,s,c,k],   p < P, q < Q
 * in a tensor y [N, out_H, out_W, K] (out_step > 1: one phase of a strided backward-data).
 *
 * Weights are packed in panels [ceil(K / KB)][R*S*C][KB], KB = WIDTH*VECTORS, zeros beyond K (conv2d/pack.cl).
 * With `affine`, what is stored is act(sum * scale[k] + shift[k] + residual[n,p,q,k]) instead (out_step = 1, add = 0), act(v) = v > 0 ? v :
 * slope * v: the batch norm of evaluation that follows a convolution, without another pass over y.
 *
 * With `clear`, all of y that is not computed here is set to 0.
 *
 * Work-item (i, j): groups i, i + size, ... of output rows, panels j*panels_each ... Dimension 0 has as many items as scratch has bands.
 * The reduction of one tile runs over R * `segments` rows of `run` numbers that are contiguous in the band: segments = 1, run = S*C when
 * pixels follow one another without a gap, else segments = S, run = C. Local size is 1. */
#ifndef PIXELS
#define PIXELS 8             /* output pixels of a tile: PIXELS*VECTORS accumulators + VECTORS weights must fit the registers */
#endif
#ifndef VECTORS
#define VECTORS 2            /* vectors of output channels of a tile */
#endif
#define KB (WIDTH * VECTORS)
#define TILE_ROWS PIXELS

#include "conv2d/affine.clh"
#include "conv2d/register_tile.clh"

/* Channels first..last-1 of rows top..bottom-1 of each image = 0. */
static inline void clear_rows(__global float *y, const int images, const int top, const int bottom, const int H, const int W, const int K,
    const int first, const int last)
{
    for (int i = 0; i < images; i++) {
        __global float *rows = y + (size_t)(i * H + top) * W * K;
        if (first == 0 && last >= K) band_zero(rows, (bottom - top) * W * K);
        else for (int j = 0; j < (bottom - top) * W; j++) band_zero(rows + (size_t)j * K + first, min(last, K) - first);
    }
}

__kernel void conv2d_tile(__global const float *x, __global const float *w, __global float *y, __global float *scratch,
    const int N, const int H, const int W, const int C, const int K,
    const int P, const int Q, const int R, const int segments, const int run, const int stride, const int top, const int left,
    const int out_H, const int out_W, const int out_step, const int out_top, const int out_left,
    const int images, const int rows, const int groups_per_image, const int groups,
    const int band_columns, const int band_image, const int band_row, const int band_pixel, const int use_band,
    const int scratch_each, const int w_offset, const int panels, const int panels_each, const int clear, const int add,
    __global const float *scale, __global const float *shift, __global const float *residual, const int affine, const int has_residual,
    const float slope)
{
    const int item = get_global_id(0), items = get_global_size(0);
    const int first_panel = get_global_id(1) * panels_each, last_panel = min(panels, first_panel + panels_each);
    __global float *band = scratch + (size_t)(get_global_id(1) * items + item) * scratch_each;
    /* for each pixel of the group: from = offset of the first input point in the band, out = offset of the output in y_group; both
     * repeat the last pixel PIXELS times */
    __global int *from = (__global int *)(band + (use_band ? images * band_image : 0)), *out = from + images * rows * Q + PIXELS;

    for (int group = item; group < groups; group += items) {
        /* a group is either several whole images, or a part of the rows of one image */
        const int n0 = groups_per_image > 1 ? group / groups_per_image : group * images;
        const int p0 = groups_per_image > 1 ? group % groups_per_image * rows : 0;
        const int group_images = min(images, N - n0), group_rows = min(rows, P - p0);
        const int pixels = group_images * group_rows * Q;
        __global const float *source = x + (size_t)n0 * H * W * C;
        if (use_band) {
            band_load(band, source, group_images, H, W, C, C, p0 * stride + top, left, (group_rows - 1) * stride + R, band_columns,
                band_image, band_row, band_pixel);
            source = band;
        } else {
            source += ((size_t)(p0 * stride + top) * W + left) * C;
        }
        const size_t y_first = (((size_t)n0 * out_H + out_top + p0 * out_step) * out_W + out_left) * K;
        __global float *y_group = y + y_first;
        if (clear) clear_rows(y + (size_t)n0 * out_H * out_W * K, group_images, p0 ? out_top + p0 * out_step : 0,
                p0 + group_rows < P ? out_top + (p0 + group_rows) * out_step : out_H, out_H, out_W, K, first_panel * KB, last_panel * KB);
        int count = 0;
        for (int i = 0; i < group_images; i++)
            for (int p = 0; p < group_rows; p++)
                for (int q = 0; q < Q; q++, count++) {
                    from[count] = i * band_image + (p * band_row + q * band_pixel) * stride;
                    out[count] = ((i * out_H + p * out_step) * out_W + q * out_step) * K;
                }
        for (int i = 0; i < PIXELS; i++) from[pixels + i] = from[pixels - 1], out[pixels + i] = out[pixels - 1];

        /* meanwhile, the next group's input is fetched, `pace` pixels with each tile */
        const int next = group + items, pace = (PIXELS + last_panel - first_panel - 1) / (last_panel - first_panel);
        const size_t next_row_at = groups_per_image > 1 ? (size_t)(next / groups_per_image) * H + next % groups_per_image * rows * stride
                                                        : (size_t)next * images * H;
        int fetched = next < groups ? 0 : pixels;

        for (int panel = first_panel; panel < last_panel; panel++) {
            const int k0 = panel * KB;
            for (int pixel = 0; pixel < pixels; pixel += PIXELS) {
                const int fetch = min(pixels, fetched + pace);
                fetch_input(x + next_row_at * W * C, fetched, fetch, Q, W, C, C, stride, use_band ? stride : 1);
                fetched = fetch;
#pragma unroll
                for (int i = 0; i < PIXELS; i++)
#pragma unroll
                    for (int v = 0; v < VECTORS; v++) FETCH_TO_STORE(y_group + out[pixel + i] + k0 + WIDTH * v);
                floatv sum[PIXELS][VECTORS];
                clear_sums(sum);
                __global const float *weight = w + w_offset + (size_t)panel * (R * segments * run) * KB;
                for (int r = 0; r < R; r++) {
                    for (int s = 0; s < segments; s++) {
                        __global const float *segment[PIXELS];
#pragma unroll
                        for (int i = 0; i < PIXELS; i++) segment[i] = source + r * band_row + s * band_pixel + from[pixel + i];
                        multiply(segment, weight, run, sum);
                        weight += run * KB;
                    }
                }
                if (pixel + PIXELS <= pixels && k0 + KB <= K && !affine && !add) {
#pragma unroll
                    for (int i = 0; i < PIXELS; i++)
#pragma unroll
                        for (int v = 0; v < VECTORS; v++) store_any(sum[i][v], y_group + out[pixel + i] + k0 + WIDTH * v);
                    continue;
                }
#pragma unroll
                for (int i = 0; i < PIXELS; i++)
#pragma unroll
                    for (int v = 0; v < VECTORS; v++) {
                        const int k = k0 + WIDTH * v, at = out[pixel + i] + k;
                        if (pixel + i >= pixels || k >= K) continue;
                        if (affine)
                            sum[i][v] = apply_affine(sum[i][v], scale + k, shift + k, residual + y_first + at, has_residual, K - k, slope);
                        store_channels(y_group + at, sum[i][v], K - k, add);
                    }
            }
        }
    }
}
