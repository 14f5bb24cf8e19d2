/* Winograd convolution F(4x4, 3x3) for CPUs: 3x3 taps, stride 1. Forward and, on dy with turned weights, backward-data.
 *
 *     y[n,p,q,k] = sum_{r,s,c} x[n, p+r-pad, q+s-pad, c] * w[r,s,c,k],   p < P, q < Q
 *
 * Tile t covers output points p = 4*(t / tiles_w % tiles_h) + 0..3, q = 4*(t % tiles_w) + 0..3 of image t / (tiles_h*tiles_w).
 * A work-item takes `block` tiles at a time: it transforms their input into its scratch memory (sized for a core's cache),
 *     V[36][block][pitch],    zero[pitch]: what lies outside an image,    tail[36][WIDTH]: scratch,
 * multiplies, one panel of KB output channels at a time, each of the 36 points with that point's weights,
 *     M[36][block][KB] = V[36][block][C] * u[panel][36][C][KB],
 * and transforms the products back into y. Weights come transformed in panels, zeros beyond K (conv2d/winograd_pack.cl).
 * With `stream`, y goes past the caches: all tiles are whole, K is a multiple of KB, and nothing is added to.
 * Work-item (i, j): blocks i, i + size, ... of tiles, panels j*panels_each ...; local size 1. block is a multiple of 4; rows beyond
 * the last tile hold anything and are not stored. */
#ifndef VECTORS
#define VECTORS 2            /* vectors of output channels of a panel */
#endif
#define KB (WIDTH * VECTORS)

#include "conv2d/winograd_tile.clh"

__kernel HINT_OF_VECTORS
void conv2d_winograd(__global const float *x, __global const float *u, __global float *y, __global float *scratch,
    const int H, const int W, const int C, const int K, const int P, const int Q, const int pad,
    const int tiles_h, const int tiles_w, const int tiles, const int block, const int pitch,
    const int panels, const int panels_each, const int scratch_each, const int add, const int stream,
    __global const float *scale, __global const float *shift, __global const float *residual, const int affine, const int has_residual,
    const float slope)
{
    /* + LINE: the same element of two points must not fall into the same set of a cache */
    const int v_point = block * pitch + LINE, m_point = block * KB + LINE;
    const int item = get_global_id(0), items = get_global_size(0);
    const int first_panel = get_global_id(1) * panels_each, last_panel = min(panels, first_panel + panels_each);
    __global float *V = scratch + (size_t)(get_global_id(1) * items + item) * scratch_each;
    __global float *zero = V + WINOGRAD_POINTS * v_point, *tail = zero + pitch, *M = tail + WIDTH * WINOGRAD_POINTS;
    for (int c = 0; c < C; c += WIDTH) winograd_store((floatv)0.0f, zero + c);

    for (int first = item * block; first < tiles; first += items * block) {
        const int count = min(block, tiles - first);
        const tile_place start = place_of(first, tiles_h, tiles_w);
        tile_place at = start;
        for (int t = 0; t < count; t++, at = next_place(at, P, Q)) {
            long pixel[FOUND(WINOGRAD_IN)];
            __global const float *image = find_input(pixel, x, zero, at, H, W, C, pad);
            transform_input(V + t * pitch, image, pixel, 0, C, C, v_point, tail);
        }
        /* With each product, a part of this panel's output is fetched, and with the last ones the next block's input: weights that pass
         * through the cache would displace what is fetched earlier. */
        const int next = first + items * block, next_rows = WINOGRAD_IN * clamp(tiles - next, 0, block);
        const int turns = (last_panel - first_panel) * WINOGRAD_POINTS, rows_a_turn = (next_rows + turns - 1) / turns;
        tile_place next_at = place_of(next, tiles_h, tiles_w);
        const int wait = next_rows ? turns - (next_rows + rows_a_turn - 1) / rows_a_turn : turns;
        int turn = 0, fetched = 0, row = 0;
        for (int panel = first_panel; panel < last_panel; panel++) {
            tile_place out_at = start;
            int fetched_out = 0;
            for (int i = 0; i < WINOGRAD_POINTS; i++, turn++) {
                for (int k = 0; turn >= wait && k < rows_a_turn && fetched < next_rows; k++, fetched++) {
                    fetch_tile_input(x, next_at, row, H, W, C, pad);
                    if (++row == WINOGRAD_IN) row = 0, next_at = next_place(next_at, P, Q);
                }
                for (; fetched_out < WINOGRAD_OUT * count * (i + 1) / WINOGRAD_POINTS; fetched_out++) {
                    fetch_tile_output(y + panel * KB, stream, residual + panel * KB, has_residual, out_at, fetched_out % WINOGRAD_OUT, P, Q,
                        K, min(KB, K - panel * KB));
                    if (fetched_out % WINOGRAD_OUT == WINOGRAD_OUT - 1) out_at = next_place(out_at, P, Q);
                }
                multiply_point(M + i * m_point, V + i * v_point, pitch, u + ((size_t)panel * WINOGRAD_POINTS + i) * C * KB, count, C, 0,
                    v_point, C * KB);
            }
            at = start;
            for (int t = 0; t < count; t++, at = next_place(at, P, Q)) {
                const size_t to = (((size_t)at.n * P + at.p) * Q + at.q) * K + panel * KB;
                transform_output(y + to, M + t * KB, m_point, Q * K, K, P - at.p, Q - at.q, K - panel * KB, add, stream, tail,
                    scale + panel * KB, shift + panel * KB, residual + to, affine, has_residual, slope);
            }
        }
    }
}
