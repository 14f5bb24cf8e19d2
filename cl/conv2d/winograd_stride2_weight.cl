/* Winograd weight gradient of convolutions of 3x3 taps and stride 2, for CPUs (conv2d/winograd_stride2.clh has the transforms).
 *
 * The output is cut into tiles of 4x4 pixels, which are sums over 9x9 pixels of x. With V[81] the points of those, as in the forward pass,
 * and M[81] those of dy, the transpose of the forward pass's last step, the gradient is
 *     dU[f][c][k] = sum over tiles and the points i with weights f of V[i][tile][c] * M[i][tile][k],   f < 36
 *     dw[.,.,c,k] = the transpose of the transform of the weights, of dU[.][c][k]
 * (pixels outside of x and dy are zeros): 81 products instead of the direct form's 144.
 *
 * A task (i, j, l) is part i of the tiles, block j of `inputs` input channels, block l of `outputs` output channels. Work-item t does
 * tasks t, t + size, ... with its own scratch, which so stays in cache: it goes through its tiles, `block` at a time, transforms them into
 * V and M and adds their products, one register tile of ROWS x KB elements of dU after another, to dU; at last it writes dw's part to
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

#define WEIGHT_GRADIENT weight_gradient_from
#define INPUT_SIDE 9
#define INPUT_STEP 8

#include "conv2d/winograd_stride2.clh"
#include "conv2d/winograd_weight.clh"

/* to[f*step] = the points of the 4x4 pixels of dy, WIDTH channels from `at`. */
static OUTLINE void gradient_transform(__global const float *image, const long *pixel, const int at, __global float *to, const int step)
{
#if REGISTERS < 32
    __global const float *from = image + at;
    floatv y[4], m[5];
#pragma nounroll
    for (int i = 0; i < 4; i++) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
            y[j] = LOAD_ANY(from + pixel[4 * i + j]);
            store_any(y[j], to + (ODD + 4 * i + j) * step);
        }
        gradient_line(y, 1, m, 1);
#pragma unroll
        for (int j = 0; j < 5; j++) store_any(m[j], to + (ODD_ROWS + 4 * j + i) * step);
#pragma unroll
        for (int j = 0; j < 4; j++) y[j] = LOAD_ANY(from + pixel[4 * j + i]);
        gradient_line(y, 1, m, 1);
#pragma unroll
        for (int j = 0; j < 5; j++) store_any(m[j], to + (ODD_COLUMNS + 4 * j + i) * step);
    }
#pragma nounroll
    for (int i = 0; i < 5; i++) {
#pragma unroll
        for (int j = 0; j < 4; j++) y[j] = LOAD_ANY(to + (ODD_COLUMNS + 4 * i + j) * step);
        gradient_line(y, 1, m, 1);
#pragma unroll
        for (int j = 0; j < 5; j++) store_any(m[j], to + (5 * i + j) * step);
    }
#else
    floatv y[16], half_way[20], m[5];
#pragma unroll
    for (int i = 0; i < 16; i++) y[i] = LOAD_ANY(image + pixel[i] + at);
#pragma unroll
    for (int i = 0; i < 16; i++) store_any(y[i], to + (ODD + i) * step);
#pragma unroll
    for (int i = 0; i < 4; i++) {
        gradient_line(y + 4 * i, 1, m, 1);
#pragma unroll
        for (int j = 0; j < 5; j++) store_any(m[j], to + (ODD_ROWS + 4 * j + i) * step);
    }
#pragma unroll
    for (int j = 0; j < 4; j++) {
        gradient_line(y + j, 4, half_way + j, 4);
#pragma unroll
        for (int i = 0; i < 5; i++) store_any(half_way[4 * i + j], to + (ODD_COLUMNS + 4 * i + j) * step);
    }
#pragma unroll
    for (int i = 0; i < 5; i++) {
        gradient_line(half_way + 4 * i, 1, m, 1);
#pragma unroll
        for (int j = 0; j < 5; j++) store_any(m[j], to + (5 * i + j) * step);
    }
#endif
}

__kernel void conv2d_backward_weight_winograd_stride2(__global const float *x, __global const float *dy, __global float *dw,
    __global float *scratch, const int H, const int W, const int C, const int K, const int P, const int Q, const int pad,
    const int tiles_h, const int tiles_w, const int tiles, const int tiles_each, const int block, const int inputs, const int outputs,
    const int scratch_each, const int parts, const int fetch, const int out_part, const int out_panel, const int out_row, const int add)
{
    /* + LINE: what lies the same way in V, M or dU of two points must not fall into the same set of a cache */
    const int v_step = block * inputs + LINE, m_step = block * outputs + LINE, u_step = row_pitch(inputs) * outputs + LINE;
    __global float *v = scratch + (size_t)get_global_id(0) * scratch_each;
    __global float *m = v + POINTS * v_step, *u = m + POINTS * m_step, *copies = u + WEIGHT_POINTS * u_step, *zeros = copies + 81 * WIDTH;
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
                long pixel[FOUND(9)];
                find_pixels(pixel, input, zeros, 9, 2 * at.p - pad, 2 * at.q - pad, H, W, C);
                for (int c = 0; c < rows; c += WIDTH) {
                    const int tail = channels - c;
                    if (tail < WIDTH) copy_tail(pixel, input, copies, 81, c, tail);
                    input_transform(input, pixel, tail < WIDTH ? 0 : c, v + i * inputs + c, v_step);
                }
                find_pixels(pixel, gradient, zeros, 4, at.p, at.q, P, Q, K);
                for (int k = 0; k < columns; k += WIDTH) {
                    const int tail = gradients - k;
                    if (tail < WIDTH) copy_tail(pixel, gradient, copies, 16, k, tail);
                    gradient_transform(gradient, pixel, tail < WIDTH ? 0 : k, m + i * outputs + k, m_step);
                }
                at = next;
            }
            /* With each product, a part of the next tiles or of the result's lines is fetched from memory. Each tile is fetched again right
             * before its transform, from wherever it is then. */
            const int next_tiles = fetch == FETCH_TILES ? clamp(tiles - begin - count, 0, block) : 0;
            tile_place ahead = at;
            int fetched = 0;
            for (int f = 0; f < WEIGHT_POINTS; f++) {
                if (fetch == FETCH_RESULT && begin + count == last) fetch_block(out, f, channels, columns, C, out_panel, out_row);
                for (; fetched < next_tiles * (f + 1) / WEIGHT_POINTS; fetched++, ahead = next_place(ahead, P, Q))
                    fetch_tile(x, dy, ahead, H, W, C, pad, c0, channels, P, Q, K, k0, gradients);
                const int point = first_point(f / SIDE, f % SIDE);
                multiply(v + point * v_step, v_step, m + point * m_step, m_step, count_points(f / SIDE, f % SIDE), u + f * u_step, count,
                    rows, columns, inputs, outputs, begin > first);
            }
        }
        write_block(u, out, rows, channels, columns, C, u_step, out_panel, out_row, add);
    }
}
