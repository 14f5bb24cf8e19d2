/* Weight gradient of 3x3 convolutions of stride 1 for CPUs, in the Winograd domain of F(4x4, 3x3).
 *
 * The output is cut into tiles of 4x4 pixels. With the transforms of the forward pass, Y = A^T [(G g G^T) . (B^T d B)] A, the gradient is
 *     dU[f][c][k] = sum over tiles of V[f][tile][c] * M[f][tile][k],   V = B^T d B,   M = A dY A^T,   f < 36
 *     dw[r,s,c,k] = (G^T dU G)[r,s]
 * (d: the 6x6 input pixels of a tile; pixels outside of x and dy are zeros): 36 products of matrices with a quarter of the direct form's
 * multiplications.
 *
 * A task (i, j, l) is part i of the tiles, block j of `inputs` input channels, block l of `outputs` output channels. Work-item t does
 * tasks t, t + size, ... with its own scratch, which so stays in cache: it goes through its tiles, `block` at a time, transforms them into
 * V and M and adds their products, one register tile of ROWS x KB elements of dU after another, to dU; at last it writes G^T dU G to
 *     out + i*out_part + (k/KB)*out_panel + row*out_row + k%KB,     row = (r*3+s)*C+c.
 * That is dw itself when there is one part, else this part's partial sums, which conv2d_reduce adds up in fixed order. Local size is 1.
 * `inputs` is a multiple of LINE, `outputs` of KB. */
#ifndef ROWS
#define ROWS 8               /* input channels of a register tile: ROWS*VECTORS accumulators + VECTORS of M must fit the registers */
#endif
#ifndef VECTORS
#define VECTORS 2            /* vectors of output channels of a register tile */
#endif
#define KB (WIDTH * VECTORS)

#define WEIGHT_GRADIENT winograd_weight_gradient_from
#define INPUT_SIDE 6
#define INPUT_STEP 4

#include "conv2d/winograd_memory.clh"
#include "conv2d/winograd_weight.clh"

__kernel void conv2d_backward_weight_winograd(__global const float *x, __global const float *dy, __global float *dw,
    __global float *scratch, const int H, const int W, const int C, const int K, const int P, const int Q, const int pad,
    const int tiles_h, const int tiles_w, const int tiles, const int tiles_each, const int block, const int inputs, const int outputs,
    const int scratch_each, const int parts, const int fetch, const int out_part, const int out_panel, const int out_row, const int add)
{
    /* + LINE: the same element of V, M or dU for two points f must not fall into the same set of a cache */
    const int v_step = block * inputs + LINE, m_step = block * outputs + LINE, u_step = row_pitch(inputs) * outputs + LINE;
    __global float *v = scratch + (size_t)get_global_id(0) * scratch_each;
    __global float *m = v + 36 * v_step, *u = m + 36 * m_step, *copies = u + 36 * u_step, *zeros = copies + 36 * WIDTH;
    for (int i = 0; i < max(inputs, outputs); i += WIDTH) store_any((floatv)0.0f, zeros + i);

    const int input_blocks = (C + inputs - 1) / inputs, output_blocks = (K + outputs - 1) / outputs;
    for (int task = get_global_id(0); task < parts * input_blocks * output_blocks; task += get_global_size(0)) {
        const int part = task % parts, c0 = task / parts % input_blocks * inputs, k0 = task / (parts * input_blocks) * outputs;
        const int channels = min(inputs, C - c0), gradients = min(outputs, K - k0);
        const int rows = (channels + LINE - 1) / LINE * LINE, columns = (gradients + KB - 1) / KB * KB;
        const int first = part * tiles_each, last = min(tiles, first + tiles_each);
        __global float *out = dw + (size_t)part * out_part + (size_t)(k0 / KB) * out_panel + (size_t)c0 * out_row;
        tile_place at = place_of(first, tiles_h, tiles_w);
        for (int begin = first; begin < last; begin += block) {
            const int count = min(block, last - begin);
            for (int i = 0; i < count; i++) {
                const tile_place next = next_place(at, P, Q);
                if (begin + i + 1 < tiles) fetch_tile(x, dy, next, H, W, C, pad, c0, channels, P, Q, K, k0, gradients);
                __global const float *input = x + (size_t)at.n * H * W * C + c0, *gradient = dy + (size_t)at.n * P * Q * K + k0;
                long pixel[FOUND(6)];
                find_pixels(pixel, input, zeros, 6, at.p - pad, at.q - pad, H, W, C);
                for (int c = 0; c < rows; c += WIDTH) {
                    const int tail = channels - c;
                    if (tail < WIDTH) copy_tail(pixel, input, copies, 36, c, tail);
                    winograd_input_at(tail < WIDTH ? input : input + c, pixel, v + i * inputs + c, v_step);
                }
                find_pixels(pixel, gradient, zeros, 4, at.p, at.q, P, Q, K);
                for (int k = 0; k < columns; k += WIDTH) {
                    const int tail = gradients - k;
                    if (tail < WIDTH) copy_tail(pixel, gradient, copies, 16, k, tail);
                    winograd_gradient_at(tail < WIDTH ? gradient : gradient + k, pixel, m + i * outputs + k, m_step);
                }
                at = next;
            }
            /* With each product, a part of the next tiles or of the result's lines is fetched from memory. Each tile is fetched again right
             * before its transform. */
            const int next_tiles = fetch == FETCH_TILES ? clamp(tiles - begin - count, 0, block) : 0;
            tile_place ahead = at;
            int fetched = 0;
            for (int f = 0; f < 36; f++) {
                if (fetch == FETCH_RESULT && begin + count == last) fetch_block(out, f, channels, columns, C, out_panel, out_row);
                for (; fetched < next_tiles * (f + 1) / 36; fetched++, ahead = next_place(ahead, P, Q))
                    fetch_tile(x, dy, ahead, H, W, C, pad, c0, channels, P, Q, K, k0, gradients);
                multiply(v + f * v_step, v_step, m + f * m_step, m_step, 1, u + f * u_step, count, rows, columns, inputs, outputs,
                    begin > first);
            }
        }
        write_block(u, out, rows, channels, columns, C, u_step, out_panel, out_row, add);
    }
}
