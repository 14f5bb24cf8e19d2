/* Weight gradient for CPUs: one work-item computes register tiles of ROWS x VECTORS*WIDTH elements of dw, ROWS neighbours in c, or in (s,c).
 *
 *     dw[r,s,c,k] = sum_{n,p,q} x[n, p*stride+r-pad, q*stride+s-pad, c] * dy[n,p,q,k]
 *
 * A task (i, j, l) is part i of the images and rows, slice j of `slice` input channels, block l of `outputs` output channels. Work-item t
 * does tasks t, t + size, ... with its own scratch, which so stays in cache. A task goes through its groups of output rows; for each it
 * loads the band of x and the panels of dy,
 *     panel[outputs/KB][pixels][KB],     offset[pixels]: where the band has a pixel's first input point,
 * and adds every register tile's sum over the group to
 *     sums[outputs/KB][R*segments][run_pitch][KB].
 * At last it writes them to
 *     out + (k/KB)*out_panel + row*out_row + k%KB,     row = (r*S+s)*C+c.
 * That is dw itself when there is one part, else this part's partial sums, which conv2d_reduce adds up in fixed order.
 *
 * With few channels, dy itself serves as panels (use_panels = 0) and, if 1x1, x as the band (use_band = 0).
 *
 * segments = S and run = slice, or, for few channels, segments = 1 and run = S*C. A 1x1 convolution's band has no points but those that it
 * uses, one after another. run_pitch: run rounded up to ROWS; `outputs` is a multiple of KB. Local size is 1. */
#ifndef ROWS
#define ROWS 8               /* elements of c or (s,c) of a tile: ROWS*VECTORS accumulators + VECTORS of dy must fit the registers */
#endif
#ifndef VECTORS
#define VECTORS 2            /* vectors of output channels of a tile */
#endif
#define KB (WIDTH * VECTORS)
#define TILE_ROWS ROWS

#include "conv2d/register_tile.clh"

/* panel[...][pixel][KB] = dy[pixel][...], `channels` of them, zeros beyond. */
static OUTLINE void panels_load(__global float *panel, __global const float *dy, const int pixels, const int K, const int channels)
{
    for (int i = 0; i < pixels; i++) {
        for (int k = 0; k < channels; k += KB) {
            __global float *to = panel + k * pixels + i * KB;
            const int count = min(KB, channels - k);
            band_copy(to, dy + (size_t)i * K + k, count);
            if (count < KB) band_zero(to + count, KB - count);
        }
    }
}

/* band[pixel][band_pixel] = the input points of a 1x1 convolution's output rows p0 ... */
static OUTLINE void points_load(__global float *band, __global const float *x, const int images, const int rows, const int Q, const int H,
    const int W, const int C, const int channels, const int p0, const int stride, const int pad, const int band_pixel)
{
    for (int i = 0; i < images; i++) {
        for (int p = 0; p < rows; p++) {
            const int h = (p0 + p) * stride - pad;
            for (int q = 0; q < Q; q++) {
                const int w = q * stride - pad;
                if (h >= 0 && h < H && w >= 0 && w < W) band_copy(band, x + ((size_t)(i * H + h) * W + w) * C, channels);
                else band_zero(band, channels);
                band += band_pixel;
            }
        }
    }
}

/* sums[ROWS][KB] (+)= sum over the pixels of from[offset[pixel] + row] * panel[pixel][k] */
static OUTLINE void accumulate(__global const float *from, __global const int *offset, __global const float *panel, const int panel_pitch,
    const int pixels, __global float *sums, const int keep)
{
    floatv sum[ROWS][VECTORS];
    clear_sums(sum);
    for (int pixel = 0; pixel < pixels; pixel++) {
        add_pixel(from + offset[pixel], panel, sum);
        panel += panel_pitch;
    }
    keep_sums(sum, sums, keep);
}

__kernel void conv2d_backward_weight_tile(__global const float *x, __global const float *dy, __global float *dw, __global float *scratch,
    const int N, const int H, const int W, const int C, const int K,
    const int P, const int Q, const int R, const int segments, const int joined, const int stride, const int pad,
    const int images, const int rows, const int groups_per_image, const int groups, const int groups_each,
    const int band_columns, const int band_image, const int band_row, const int band_pixel, const int band_size,
    const int use_band, const int use_panels, const int scratch_each,
    const int parts, const int slice, const int run, const int run_pitch, const int outputs,
    const int out_part, const int out_panel, const int out_row, const int add)
{
    const int most = images * rows * Q, slices = (C + slice - 1) / slice, blocks = (K + outputs - 1) / outputs;
    const int single = R * band_columns == Q;            /* 1x1: band_columns is Q there */
    __global float *panels = scratch + (size_t)get_global_id(0) * scratch_each, *band = panels + (use_panels ? most * outputs : 0);
    __global float *sums = band + (use_band ? band_size : 0);
    __global int *offset = (__global int *)(sums + R * segments * run_pitch * outputs);

    for (int task = get_global_id(0); task < parts * slices * blocks; task += get_global_size(0)) {
        const int part = task % parts, c0 = task / parts % slices * slice, k0 = task / (parts * slices) * outputs;
        const int channels = min(slice, C - c0), row_end = joined ? run : channels, out_channels = min(outputs, K - k0);
        const int first = part * groups_each, last = min(groups, first + groups_each);
        for (int group = first; group < last; group++) {
            const int n0 = groups_per_image > 1 ? group / groups_per_image : group * images;
            const int p0 = groups_per_image > 1 ? group % groups_per_image * rows : 0;
            const int group_images = min(images, N - n0), group_rows = min(rows, P - p0), pixels = group_images * group_rows * Q;
            __global const float *source = x + (size_t)n0 * H * W * C + c0;
            __global const float *from = use_band ? band : source + (size_t)p0 * stride * W * C;
            __global const float *gradient = dy + ((size_t)n0 * P + p0) * Q * K + k0;
            if (use_band && single)
                points_load(band, source, group_images, group_rows, Q, H, W, C, channels, p0, stride, pad, band_pixel);
            else if (use_band)
                band_load(band, source, group_images, H, W, C, channels, p0 * stride - pad, -pad, (group_rows - 1) * stride + R,
                    band_columns, band_image, band_row, band_pixel);
            if (use_panels) panels_load(panels, gradient, pixels, K, out_channels);
            for (int i = 0, at = 0; i < group_images; i++)
                for (int p = 0; p < group_rows; p++)
                    for (int q = 0; q < Q; q++, at++)
                        offset[at] = use_band && single ? at * band_pixel : i * band_image + (p * band_row + q * band_pixel) * stride;

            /* taps inside, so that the lines of the band stay in a first-level cache */
            const int tiles = (out_channels + KB - 1) / KB * ((row_end + ROWS - 1) / ROWS) * R * segments;
            const int pace = (pixels + tiles - 1) / tiles;
            __global const float *next_x = source + (size_t)(p0 + group_images * group_rows) * stride * W * C;
            __global const float *next_dy = gradient + (size_t)pixels * K;
            int fetched = 0;
            for (int k = 0; k < out_channels; k += KB) {
                for (int c = 0; c < row_end; c += ROWS) {
                    for (int tap = 0; tap < R * segments; tap++) {
                        const int fetch = min(pixels, fetched + pace);
                        fetch_input(next_x, fetched, fetch, Q, W, C, channels, stride, single ? 1 : stride);
                        for (int i = fetched; i < fetch; i++) fetch_row(next_dy + (size_t)i * K, out_channels);
                        fetched = fetch;
                        accumulate(from + tap / segments * band_row + tap % segments * band_pixel + c, offset,
                            use_panels ? panels + k * pixels : gradient + k, use_panels ? KB : K, pixels,
                            sums + (k / KB * R * segments + tap) * run_pitch * KB + c * KB, group > first);
                    }
                }
            }
        }

        __global const float *sum_row = sums;
        for (int k = k0; k < k0 + out_channels; k += KB)
            for (int tap = 0; tap < R * segments; tap++) {
                __global float *to = dw + (size_t)part * out_part + (size_t)(k / KB) * out_panel;
                to += ((size_t)tap * (joined ? run : C) + c0) * out_row;
                for (int c = 0; c < row_end; c++)
#pragma unroll
                    for (int v = 0; v < VECTORS; v++) {
                        const floatv sum = LOAD_ANY(sum_row + c * KB + WIDTH * v);
                        __global float *at = to + (size_t)c * out_row + WIDTH * v;
                        store_any(add ? LOAD_ANY(at) + sum : sum, at);
                    }
                sum_row += run_pitch * KB;
            }
    }
}
