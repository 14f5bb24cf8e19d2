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
 * Work-item (i, j): blocks i, i + size, ... of tiles, panels j*panels_each ...; local size 1. block is a multiple of 4; rows beyond
 * the last tile hold anything and are not stored. */
#ifndef VECTORS
#define VECTORS 2            /* float16 vectors of output channels of a panel */
#endif
#define KB (16 * VECTORS)

#include "conv2d_winograd_tile.clh"

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
            __global const float *from[WINOGRAD_POINTS];
            find_input(from, x, zero, first + t, tiles_h, tiles_w, H, W, C, pad);
            transform_input(V + t * pitch, from, 0, C, C, block * pitch, tail);
        }
        const int next = first + items * block, next_rows = WINOGRAD_IN * clamp(tiles - next, 0, block);
        const int turns = (last_panel - first_panel) * WINOGRAD_POINTS;
        int fetched = 0, fetched_out, turn = 0;
        for (int panel = first_panel; panel < last_panel; panel++) {
            fetched_out = 0;
            for (int i = 0; i < WINOGRAD_POINTS; i++) {
                /* meanwhile, the next block's input and this panel's output are fetched */
                for (turn++; fetched < next_rows * turn / turns; fetched++)
                    fetch_tile_input(x, next + fetched / WINOGRAD_IN, fetched % WINOGRAD_IN, tiles_h, tiles_w, H, W, C, pad);
                for (; fetched_out < 4 * count * (i + 1) / WINOGRAD_POINTS; fetched_out++)
                    fetch_tile_output(y + panel * KB, residual + panel * KB, has_residual, first + fetched_out / 4, fetched_out % 4,
                        tiles_h, tiles_w, P, Q, K, min(KB, K - panel * KB));
                multiply_point(M + i * block * KB, V + i * block * pitch, pitch, u + ((size_t)panel * WINOGRAD_POINTS + i) * C * KB, count,
                    C, 0);
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
