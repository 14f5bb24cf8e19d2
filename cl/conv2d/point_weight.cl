/* Weight gradient of a 1x1 convolution for CPUs: one work-item computes register tiles of ROWS x VECTORS*WIDTH elements of dw, straight from
 * x and dy.
 *
 *     dw[c,k] = sum_{n,p,q} x[n, p*stride, q*stride, c] * dy[n,p,q,k]
 *
 * A task (i, j, l) is part i of the N*P*Q pixels (`each` of them), slice j of `slice` input channels, block l of `outputs` output channels.
 * Work-item t does tasks t, t + size, ... with its own scratch. A task takes BLOCK pixels at a time, which stay in cache while every
 * register tile's sum over them is added to
 *     sums[outputs/KB][pitch][KB],      KB = WIDTH*VECTORS, pitch = slice rounded up to ROWS.
 * With copy it copies their x and dy first, to [BLOCK][slice + LINE] and [BLOCK][outputs + LINE]: pixels a multiple of 4 KiB apart share so
 * few sets of a first-level cache that a block would not stay there.
 * The last tile of a slice ends with its last channel, so that some of its rows may be those of the tile before, or of the slice before. At
 * last each channel is written once to out + (k/KB)*out_panel + c*out_row + k%KB: dw itself when there is one part, else this part's partial sums,
 * which conv2d_reduce adds up in fixed order.
 *
 * C is at least ROWS; K and outputs are multiples of KB. Without a stride the host passes all pixels as one row (Q = N*P*Q). With `fetch`,
 * the next block is fetched meanwhile. Local size is 1. */
#ifndef ROWS
#define ROWS 8               /* input channels of a tile: ROWS*VECTORS accumulators + VECTORS of dy must fit the registers */
#endif
#ifndef VECTORS
#define VECTORS 2            /* vectors of output channels of a tile */
#endif
#ifndef BLOCK
#define BLOCK 64             /* pixels: a panel of their dy takes a quarter of a first-level cache */
#endif
#define KB (WIDTH * VECTORS)
#define TILE_ROWS ROWS

#include "conv2d/point.clh"
#include "conv2d/register_tile.clh"

/* sums[ROWS][KB] (+)= sum over the pixels of from[offset[pixel] + row] * dy[pixel*dy_pitch + k]; with each, ahead[ahead_offset[pixel]] is
 * fetched. */
static inline void accumulate(__global const float *from, const int *offset, __global const float *dy, const int dy_pitch, const int pixels,
    __global const float *ahead, const int *ahead_offset, __global float *sums, const int keep)
{
    floatv sum[ROWS][VECTORS];
    clear_sums(sum);
    for (int pixel = 0; pixel < pixels; pixel++) {
        FETCH(ahead + ahead_offset[pixel]);
        add_pixel(from + offset[pixel], dy, sum);
        dy += dy_pitch;
    }
    keep_sums(sum, sums, keep);
}

__kernel void conv2d_backward_weight_point(__global const float *x, __global const float *dy, __global float *dw, __global float *scratch,
    const int C, const int K, const int pixels, const int P, const int Q, const int H, const int W, const int stride,
    const int parts, const int each, const int slice, const int pitch, const int outputs, const int fetch, const int copy,
    const int out_part, const int out_panel, const int out_row, const int add)
{
    const int slices = (C + slice - 1) / slice, blocks = (K + outputs - 1) / outputs;
    const int x_pitch = slice + LINE, dy_pitch = outputs + LINE;
    __global float *sums = scratch + (size_t)get_global_id(0) * (pitch * outputs + (copy ? BLOCK * (x_pitch + dy_pitch) : 0));
    __global float *x_copy = sums + pitch * outputs, *dy_copy = x_copy + BLOCK * x_pitch;
    int offset[BLOCK], dy_offset[BLOCK], copy_offset[BLOCK];
    for (int i = 0; i < BLOCK; i++) dy_offset[i] = i * K, copy_offset[i] = i * x_pitch;

    for (int task = get_global_id(0); task < parts * slices * blocks; task += get_global_size(0)) {
        const int part = task % parts, c0 = task / parts % slices * slice, k0 = task / (parts * slices) * outputs;
        const int channels = min(slice, C - c0), out_channels = min(outputs, K - k0), x_lines = fetch ? (channels + LINE - 1) / LINE : 0;
        const int lines = fetch ? x_lines + out_channels / LINE : 0, start = part * each, end = min(pixels, start + each);
        place at = { start / Q / P, start / Q % P, start % Q };

        for (int first = start; first < end; first += BLOCK) {
            const int count = min(BLOCK, end - first), origin = point(at, H, W, stride);
            __global const float *source = x + (size_t)origin * C + c0, *gradient = dy + (size_t)first * K + k0;
            place next = at;
            for (int i = 0; i < count && (first == start || stride > 1); i++) {
                offset[i] = (point(next, H, W, stride) - origin) * C;
                next = walk(next, 1, P, Q);
            }
            at = walk(at, count, P, Q);
            __global const float *next_source = source + (point(at, H, W, stride) - origin) * C;
            for (int i = 0; i < count && copy; i++) {
                band_copy(x_copy + copy_offset[i], source + offset[i], channels);
                band_copy(dy_copy + i * dy_pitch, gradient + dy_offset[i], out_channels);
            }
            int line = 0;
            for (int k = 0; k < out_channels; k += KB) {
                for (int c = 0; c < channels; c += ROWS) {
                    const int of_x = line < x_lines;
                    __global const float *ahead = of_x ? next_source + LINE * line : gradient + (size_t)count * K + LINE * (line - x_lines);
                    if (line >= lines) ahead = gradient + k;
                    line++;
                    accumulate((copy ? x_copy : source) + min(c, channels - ROWS), copy ? copy_offset : offset,
                        (copy ? dy_copy : gradient) + k, copy ? dy_pitch : K, count, ahead, of_x ? offset : dy_offset,
                        sums + (k / KB * pitch + c) * KB, first > start);
                }
            }
        }

        for (int k = 0; k < out_channels; k += KB) {
            __global float *to = dw + (size_t)part * out_part + (size_t)((k0 + k) / KB) * out_panel + (size_t)c0 * out_row;
            for (int c = 0; c < channels; c++) {
                __global const float *sum_row = sums + k * pitch + row_in_tiles(c, channels, ROWS) * KB;
#pragma unroll
                for (int v = 0; v < VECTORS; v++) {
                    const floatv sum = LOAD_ANY(sum_row + WIDTH * v);
                    __global float *result = to + (size_t)c * out_row + WIDTH * v;
                    store_any(add ? LOAD_ANY(result) + sum : sum, result);
                }
            }
        }
    }
}
