/* Weight gradient for CPUs: one work-item computes register tiles of ROWS x VECTORS*16 elements of dw, ROWS neighbours in (s,c).
 *
 *     dw[r,s,c,k] = sum_{n,p,q} x[n, p*stride+r-pad, q*stride+s-pad, c] * dy[n,p,q,k]
 *
 * A task (i, j, l) is part i of the images and rows, panel j of KB = 16*VECTORS output channels, slice l of `slice` input channels.
 * Work-item t does tasks t, t + size, ... of parts * panels * slices, with its own scratch, which so stays in cache. A task goes
 * through its groups of output rows; for each it loads the band of x and the panel of dy [pixels][KB] and adds every tile's sum over
 * the group to
 *     out + i*out_part + j*out_panel + row*out_row + k,     row = (r*S+s)*C+c
 * (slices keep the bands small, so that groups have many pixels and sums are seldom added to memory). That is dw itself when there is
 * one part, else this part's partial sums, which conv2d_reduce adds up in fixed order. Local size is 1. */
#ifndef ROWS
#define ROWS 12              /* elements of (s,c) of a tile: ROWS*VECTORS accumulators + VECTORS of dy must fit the registers */
#endif
#ifndef VECTORS
#define VECTORS 2            /* float16 vectors of output channels of a tile */
#endif
#define KB (16 * VECTORS)

#include "conv2d_tile.clh"

/* panel[pixel][KB] = dy[pixel][k0 ...], zeros beyond K. */
static inline void panel_load(__global float *panel, __global const float *dy, const int pixels, const int K, const int k0)
{
    const int count = min(KB, K - k0);
    for (int i = 0; i < pixels; i++) {
        __global const float *from = dy + (size_t)i * K + k0;
        if (count == KB) {
#pragma unroll
            for (int v = 0; v < VECTORS; v++) vstore16(vload16(v, from), v, panel + i * KB);
        } else {
            band_copy(panel + i * KB, from, count);
            band_zero(panel + i * KB + count, KB - count);
        }
    }
}

__kernel void conv2d_backward_weight_tile(__global const float *x, __global const float *dy, __global float *dw, __global float *scratch,
    const int N, const int H, const int W, const int C, const int K,
    const int P, const int Q, const int R, const int S2, const int run, const int stride, const int pad,
    const int images, const int rows, const int groups_per_image, const int groups, const int groups_each,
    const int band_columns, const int band_image, const int band_row, const int band_pixel, const int use_band, const int scratch_each,
    const int parts, const int panels, const int slice, const int out_part, const int out_panel, const int out_row, const int add)
{
    __global float *panel = scratch + (size_t)get_global_id(0) * scratch_each;
    __global float *band = panel + images * rows * Q * KB;
    const int slices = (C + slice - 1) / slice, row_step = slices > 1 ? C : run;

    for (int task = get_global_id(0); task < parts * panels * slices; task += get_global_size(0)) {
        const int part = task % parts, k_panel = task / parts % panels, first_channel = task / (parts * panels) * slice;
        const int channels = min(slice, C - first_channel), row_end = slices > 1 ? channels : run;
        __global float *out = dw + (size_t)part * out_part + (size_t)k_panel * out_panel + (size_t)first_channel * out_row;

        const int first = part * groups_each, last = min(groups, first + groups_each);
        for (int group = first; group < last; group++) {
            const int n0 = groups_per_image > 1 ? group / groups_per_image : group * images;
            const int p0 = groups_per_image > 1 ? group % groups_per_image * rows : 0;
            const int group_images = min(images, N - n0), group_rows = min(rows, P - p0);
            const int keep = add || group > first;
            __global const float *source = x + (size_t)n0 * H * W * C + first_channel;
            if (use_band) {
                band_load(band, source, group_images, H, W, C, channels, p0 * stride - pad, -pad, (group_rows - 1) * stride + R,
                    band_columns, band_image, band_row, band_pixel);
                source = band;
            } else {
                source += (size_t)p0 * stride * W * C;
            }
            panel_load(panel, dy + ((size_t)n0 * P + p0) * Q * K, group_images * group_rows * Q, K, k_panel * KB);

            for (int r = 0; r < R; r++) {
                /* output rows whose input row lies in the padding add nothing */
                const int first_row = max(0, (pad - r + stride - 1) / stride - p0);
                const int last_row = min(group_rows, (H - 1 + pad - r >= 0 ? (H - 1 + pad - r) / stride + 1 : 0) - p0);
                for (int s = 0; s < S2; s++) {
                    for (int c = 0; c < row_end; c += ROWS) {
                        float16 sum[ROWS][VECTORS];
#pragma unroll
                        for (int i = 0; i < ROWS; i++)
#pragma unroll
                            for (int v = 0; v < VECTORS; v++) sum[i][v] = (float16)0.0f;
                        for (int image = 0; image < group_images; image++) {
                            for (int p = first_row; p < last_row; p++) {
                                __global const float *from = source + image * band_image + (p * stride + r) * band_row + s * band_pixel + c;
                                __global const float *gradient = panel + (image * group_rows + p) * Q * KB;
                                for (int q = 0; q < Q; q++) {
                                    float16 factor[VECTORS];
#pragma unroll
                                    for (int v = 0; v < VECTORS; v++) factor[v] = vload16(v, gradient);
#pragma unroll
                                    for (int i = 0; i < ROWS; i++) {
                                        const float16 value = (float16)from[i];
#pragma unroll
                                        for (int v = 0; v < VECTORS; v++) sum[i][v] = fma(value, factor[v], sum[i][v]);
                                    }
                                    from += stride * band_pixel;
                                    gradient += KB;
                                }
                            }
                        }
                        __global float *to = out + (size_t)((r * S2 + s) * row_step + c) * out_row;
#pragma unroll
                        for (int i = 0; i < ROWS; i++)
#pragma unroll
                            for (int v = 0; v < VECTORS; v++) {
                                if (c + i >= row_end) continue;
                                __global float *at = to + (size_t)i * out_row + 16 * v;
                                vstore16(keep ? vload16(0, at) + sum[i][v] : sum[i][v], 0, at);
                            }
                    }
                }
            }
        }
    }
}
