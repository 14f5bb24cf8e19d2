/* Forward convolution for CPUs where the input has few channels (a network's first layer): one work-item computes register tiles of PIXELS
 * neighbours in a row x VECTORS*WIDTH output channels. Their inputs are STEP = stride*C numbers apart, which the build knows, so that one
 * pointer serves them all.
 *
 *     y[n,p,q,k] = sum_{r,s,c} x[n, p*stride+r-pad, q*stride+s-pad, c] * w[r,s,c,k]
 *
 * Weights are packed in panels [ceil(K / KB)][R*run][KB] (conv2d/pack.cl), run = S*C, KB is WIDTH or twice that. Work-item i takes groups i, i + size,
 * ...; a group is `rows` output rows of an image, whose input it copies into its band (conv2d/tile.clh, a pixel's channels one after
 * another). `block` rows at a time are computed for all output channels. The last PIXELS of a row are computed together, some of them
 * again. K is a multiple of VECTORS*WIDTH, Q at least PIXELS. Local size is 1. add: y += the sum, once for each pixel. */
#ifndef STEP
#define STEP 3
#endif
#ifndef PIXELS
#define PIXELS 8             /* PIXELS*VECTORS accumulators: enough to hide the latency of an fma */
#endif
#ifndef VECTORS
#define VECTORS 1            /* vectors of output channels of a tile */
#endif

#include "conv2d/tile.clh"

/* y[pixel*K + 0..VECTORS*WIDTH-1] = sum over R rows, i < run of point[pixel*STEP + row*band_row + i] *
 * weight[(row*run + i)*KB + 0..VECTORS*WIDTH-1]; add: for pixels from `first` on, += */
static inline void tile(__global const float *point, const int band_row, __global const float *weight, const int KB, const int R,
    const int run, __global float *y, const int K, const int add, const int first)
{
    floatv sum[PIXELS][VECTORS];
#pragma unroll
    for (int pixel = 0; pixel < PIXELS; pixel++)
#pragma unroll
        for (int v = 0; v < VECTORS; v++) sum[pixel][v] = (floatv)0.0f;
    for (int row = 0; row < R; row++) {
#pragma nounroll
        for (int i = 0; i < run; i++) {
            floatv factor[VECTORS];
#pragma unroll
            for (int v = 0; v < VECTORS; v++) factor[v] = LOAD_ANY(weight + WIDTH * v);
            weight += KB;
#pragma unroll
            for (int pixel = 0; pixel < PIXELS; pixel++) {
                const floatv value = (floatv)point[pixel * STEP + i];
#pragma unroll
                for (int v = 0; v < VECTORS; v++) sum[pixel][v] = MULTIPLY_ADD(value, factor[v], sum[pixel][v]);
            }
        }
        point += band_row;
    }
#pragma unroll
    for (int pixel = 0; pixel < PIXELS; pixel++)
#pragma unroll
        for (int v = 0; v < VECTORS; v++) {
            __global float *to = y + pixel * K + WIDTH * v;
            if (!add) store_any(sum[pixel][v], to);
            else if (pixel >= first) store_any(LOAD_ANY(to) + sum[pixel][v], to);
        }
}

__kernel void conv2d_narrow(__global const float *x, __global const float *w, __global float *y, __global float *scratch,
    const int H, const int W, const int C, const int K, const int P, const int Q, const int R, const int run, const int stride,
    const int pad, const int rows, const int groups_per_image, const int groups, const int block, const int band_columns,
    const int band_size, const int KB, const int add)
{
    const int band_row = band_columns * C;
    __global float *band = scratch + (size_t)get_global_id(0) * band_size;

    for (int group = get_global_id(0); group < groups; group += get_global_size(0)) {
        const int n = group / groups_per_image, p0 = group % groups_per_image * rows, group_rows = min(rows, P - p0);
        band_load(band, x + (size_t)n * H * W * C, 1, H, W, C, C, p0 * stride - pad, -pad, (group_rows - 1) * stride + R, band_columns,
            band_size, band_row, C);
        for (int first = 0; first < group_rows; first += block) {
            const int last = min(group_rows, first + block);
            for (int k = 0; k < K; k += VECTORS * WIDTH) {
                __global const float *weight = w + (size_t)(k / KB) * R * run * KB + k % KB;
                for (int p = first; p < last; p++) {
                    __global const float *point = band + p * stride * band_row;
                    __global float *to = y + ((size_t)n * P + p0 + p) * Q * K + k;
                    for (int first_q = 0; first_q < Q; first_q += PIXELS) {
                        const int q = min(first_q, Q - PIXELS);
                        __global const float *ahead = to + (size_t)(block * Q + q) * K;
#pragma unroll
                        for (int pixel = 0; pixel < PIXELS; pixel++) FETCH_TO_STORE(ahead + pixel * K);
                        tile(point + q * STEP, band_row, weight, KB, R, run, to + (size_t)q * K, K, add, first_q - q);
                    }
                }
            }
        }
    }
}
