/* Weight gradient for CPUs where the input has few channels (a network's first layer): one work-item sums TAPS filter rows x RUN numbers,
 * RUN = S*C neighbours in (s,c), for WIDTH output channels at once, so that dy is read once for all of them.
 *
 *     dw[r,s,c,k] = sum_{n,p,q} x[n, p*stride+r-pad, q*stride+s-pad, c] * dy[n,p,q,k]
 *
 * Work-item i is part i of the groups, groups_each of them; a group is `rows` output rows of an image, whose input it copies into its band
 * (conv2d/tile.clh, a pixel's channels one after another). For `block` rows at a time, dy being in cache then, every register tile's sum
 * is added to
 *     sums[K/WIDTH][R*RUN][WIDTH].
 * At last they go to out + (k/KB)*out_panel + row*out_row + k%KB, row = (r*S+s)*C+c: dw itself when there is one part, else this part's
 * partial sums, which conv2d_reduce adds up in fixed order.
 *
 * R is a multiple of TAPS, K of WIDTH, KB is WIDTH or twice that. Local size is 1. */
#ifndef RUN
#define RUN 9
#endif
#ifndef TAPS
#define TAPS 3               /* TAPS*RUN accumulators and one vector of dy must fit the registers */
#endif

#include "conv2d/tile.clh"

/* sums[TAPS*RUN][WIDTH] (+)= sum over rows x Q pixels of band[pixel's point + tap*band_row + i] * dy[pixel*K + 0..WIDTH-1]; dy that is `ahead`
 * numbers further on is fetched. */
static OUTLINE void accumulate(__global const float *band, const int band_row, __global const float *dy, const int K, const int rows,
    const int Q, const int row_step, const int pixel_step, const int ahead, __global float *sums, const int keep)
{
    floatv sum[TAPS][RUN];
#pragma unroll
    for (int t = 0; t < TAPS; t++)
#pragma unroll
        for (int i = 0; i < RUN; i++) sum[t][i] = (floatv)0.0f;
    for (int p = 0; p < rows; p++) {
        __global const float *point = band + p * row_step;
        for (int q = 0; q < Q; q++) {
            const floatv factor = LOAD_ANY(dy);
            FETCH(dy + ahead);
            dy += K;
#pragma unroll
            for (int t = 0; t < TAPS; t++)
#pragma unroll
                for (int i = 0; i < RUN; i++) sum[t][i] = MULTIPLY_ADD((floatv)point[t * band_row + i], factor, sum[t][i]);
            point += pixel_step;
        }
    }
#pragma unroll
    for (int t = 0; t < TAPS; t++)
#pragma unroll
        for (int i = 0; i < RUN; i++) {
            __global float *to = sums + (t * RUN + i) * WIDTH;
            store_any(keep ? sum[t][i] + LOAD_ANY(to) : sum[t][i], to);
        }
}

__kernel void conv2d_backward_weight_narrow(__global const float *x, __global const float *dy, __global float *dw,
    __global float *scratch, const int H, const int W, const int C, const int K, const int P, const int Q, const int R, const int stride,
    const int pad, const int rows, const int groups_per_image, const int groups, const int groups_each, const int block,
    const int band_columns, const int band_size, const int scratch_each,
    const int KB, const int out_part, const int out_panel, const int out_row, const int add)
{
    const int part = get_global_id(0), first = part * groups_each, last = min(groups, first + groups_each);
    const int band_row = band_columns * C;
    __global float *band = scratch + (size_t)part * scratch_each, *sums = band + band_size;

    for (int group = first; group < last; group++) {
        const int n = group / groups_per_image, p0 = group % groups_per_image * rows, group_rows = min(rows, P - p0);
        band_load(band, x + (size_t)n * H * W * C, 1, H, W, C, C, p0 * stride - pad, -pad, (group_rows - 1) * stride + R, band_columns,
            band_size, band_row, C);
        for (int p = 0; p < group_rows; p += block) {
            const int count = min(block, group_rows - p);
            __global const float *gradient = dy + ((size_t)n * P + p0 + p) * Q * K;
            for (int k = 0; k < K; k += WIDTH)
                for (int r = 0; r < R; r += TAPS)
                    accumulate(band + (p * stride + r) * band_row, band_row, gradient + k, K, count, Q, stride * band_row, stride * C,
                        count * Q * K, sums + (k * R + r * WIDTH) * RUN, group > first || p > 0);
        }
    }

    for (int k = 0; k < K; k += WIDTH) {
        __global float *to = dw + (size_t)part * out_part + (size_t)(k / KB) * out_panel + k % KB;
        for (int row = 0; row < R * RUN; row++) {
            const floatv sum = LOAD_ANY(sums + (k * R * RUN + row * WIDTH));
            __global float *result = to + (size_t)row * out_row;
            store_any(add ? LOAD_ANY(result) + sum : sum, result);
        }
    }
}
