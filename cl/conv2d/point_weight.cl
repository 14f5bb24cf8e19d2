/* Weight gradient of a 1x1 convolution for CPUs: one work-item computes register tiles of ROWS x VECTORS*WIDTH elements of dw.
 *
 *     dw[c,k] = sum_{n,p,q} x[n, p*stride, q*stride, c] * dy[n,p,q,k]
 *
 * A task (i, j, l) is part i of the N*P*Q pixels (`each` of them), slice j of `slice` input channels, block l of `outputs` output channels.
 * Work-item t does tasks t, t + size, ... with its own scratch, which a second-level cache holds. A task takes BLOCK pixels at a time. It copies
 * their x and dy into panels, in the order in which register tiles read them,
 *     x_panels[ceil(slice / ROWS)][BLOCK][ROWS], dy_panels[outputs/KB][BLOCK][KB],      KB = WIDTH*VECTORS
 * (LINE numbers between panels keep them from sharing the same sets of a cache), and every register tile's sum over them is added to
 *     sums[outputs/KB][pitch][KB],      pitch = slice rounded up to ROWS.
 * The last tile of a slice ends with its last channel, so that some of its rows may be those of the tile before. At last each channel is
 * written once to out + (k/KB)*out_panel + c*out_row + k%KB: dw itself when there is one part, else this part's partial sums, which
 * conv2d_reduce adds up in fixed order.
 *
 * Each slice has at least ROWS channels; K and outputs are multiples of KB. Without a stride the host passes all pixels as one row
 * (Q = N*P*Q). With `fetch`, the next block is fetched meanwhile. Local size is 1. */
#ifndef ROWS
#define ROWS 8               /* input channels of a tile: ROWS*VECTORS accumulators + VECTORS of dy must fit the registers */
#endif
#ifndef VECTORS
#define VECTORS 2            /* vectors of output channels of a tile */
#endif
#ifndef BLOCK
#define BLOCK 48             /* pixels */
#endif
#define KB (WIDTH * VECTORS)
#define TILE_ROWS ROWS

#include "conv2d/point.clh"
#include "conv2d/register_tile.clh"

/* to[0..ROWS-1] = from: loads first, so that the compiler may join them though it does not know that the places differ. */
static inline void copy_rows(__global float *to, __global const float *from)
{
    float row[ROWS];
#pragma unroll
    for (int i = 0; i < ROWS; i++) row[i] = from[i];
#pragma unroll
    for (int i = 0; i < ROWS; i++) to[i] = row[i];
}

/* sums[ROWS][KB] (+)= sum over the pixels of x[pixel][ROWS] * dy[pixel][KB] */
static inline void accumulate(__global const float *x, __global const float *dy, const int pixels,
    __global float *sums, const int keep)
{
    floatv sum[ROWS][VECTORS];
    clear_sums(sum);
#pragma unroll
    for (int i = 0; i < ROWS * KB; i += LINE) FETCH_NEAR(sums + i);
    for (int pixel = 0; pixel < pixels; pixel++) {
        add_pixel(x, dy, sum);
        x += ROWS;
        dy += KB;
    }
    keep_sums(sum, sums, keep);
}

__kernel void conv2d_backward_weight_point(__global const float *x, __global const float *dy, __global float *dw, __global float *scratch,
    const int C, const int K, const int pixels, const int P, const int Q, const int H, const int W, const int stride,
    const int parts, const int each, const int slice, const int pitch, const int outputs, const int fetch,
    const int out_part, const int out_panel, const int out_row, const int add)
{
    const int slices = (C + slice - 1) / slice, blocks = (K + outputs - 1) / outputs;
    const int x_pitch = BLOCK * ROWS + LINE, dy_pitch = BLOCK * KB + LINE;
    __global float *sums = scratch + (size_t)get_global_id(0) * (pitch * outputs + pitch / ROWS * x_pitch + outputs / KB * dy_pitch);
    __global float *x_panels = sums + pitch * outputs, *dy_panels = x_panels + pitch / ROWS * x_pitch;
    int offset[BLOCK];

    for (int task = get_global_id(0); task < parts * slices * blocks; task += get_global_size(0)) {
        const int part = task % parts, c0 = task / parts % slices * slice, k0 = task / (parts * slices) * outputs;
        const int channels = min(slice, C - c0), out_channels = min(outputs, K - k0), x_lines = fetch ? (channels + LINE - 1) / LINE : 0;
        const int lines = fetch ? x_lines + out_channels / LINE : 0, start = part * each, end = min(pixels, start + each);
        const int tiles = (channels + ROWS - 1) / ROWS * (out_channels / KB);
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
            __global const float *next_source = source + (point(at, H, W, stride) - origin) * C, *next_gradient = gradient + (size_t)count * K;
            for (int i = 0; i < count; i++) {
                __global float *to = x_panels + i * ROWS, *to_dy = dy_panels + i * KB;
                __global const float *from = source + offset[i], *from_dy = gradient + i * K;
                int c = 0;
                for (; c + ROWS <= channels; c += ROWS, to += x_pitch) copy_rows(to, from + c);
                if (c < channels) copy_rows(to, from + channels - ROWS);
                for (int k = 0; k < out_channels; k += KB, to_dy += dy_pitch) band_copy(to_dy, from_dy + k, KB);
            }
            /* The next block's lines are fetched a few with each tile: many at once would keep the products waiting. */
            const int share = (lines * BLOCK + tiles - 1) / tiles;
            int line = 0, pixel = 0;
            for (int k = 0; k < out_channels / KB; k++) {
                for (int c = 0; c * ROWS < channels; c++) {
                    for (int i = 0; i < share && pixel < count; i++) {
                        FETCH(line < x_lines ? next_source + offset[pixel] + LINE * line : next_gradient + pixel * K + LINE * (line - x_lines));
                        if (++line == lines) line = 0, pixel++;
                    }
                    accumulate(x_panels + c * x_pitch, dy_panels + k * dy_pitch, count, sums + (k * pitch + c * ROWS) * KB, first > start);
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
