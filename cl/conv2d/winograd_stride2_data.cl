/* Winograd gradient of the input of a convolution of 3x3 taps and stride 2, for CPUs (conv2d/winograd_stride2.clh has the transforms).
 *
 *     dx[n,h,w,c] = sum_{p,q,r,s,k: 2p+r-pad = h, 2q+s-pad = w} dy[n,p,q,k] * w[r,s,c,k],   h < H, w < W
 *
 * Tile t covers input points h = 8*(t / tiles_w % tiles_h) + 0..7, w = 8*(t % tiles_w) + 0..7 of image t / (tiles_h*tiles_w). In one
 * dimension four of the eight take two taps, the others one; from d, five points of dy that begin with number 4*t, or 4*t - 1 when pad = 0:
 *     dx[2j + 1-plain] = d[j] g[2] + d[j+1] g[0],   dx[2j + plain] = d[j + plain] g[1],   j < 4,     plain = 0 when pad = 1, else 1
 * A work-item takes `block` tiles at a time and does with dy, weights turned and panels of input channels what
 * conv2d_forward_winograd_stride2 does with x: the points of V are those of d, of M those of dx, of which "even" ones take two taps.
 * Work-item (i, j): blocks i, i + size, ... of tiles, panels j*panels_each ...; local size 1. K is the number of channels of dy, C that of
 * dx; the rest as there. */
#include "conv2d/winograd_stride2_panel.clh"

/* V[...][row] of one tile, whose 5x5 points of dy are image + pixel[...]; tail[25][WIDTH] holds the last channels while they are filled up
 * to a vector. */
static OUTLINE void transform_gradient(__global float *V, __global const float *image, long *pixel, const int K, const int v_step,
    const int plain, __global float *tail)
{
    for (int k = 0; k < K; k += WIDTH) {
        if (k + WIDTH > K) {
            for (int i = 0; i < 25; i++) {
                for (int l = 0; l < WIDTH; l++) tail[WIDTH * i + l] = k + l < K ? image[pixel[i] + k + l] : 0.0f;
                pixel[i] = tail + WIDTH * i - k - image;
            }
        }
        __global float *to = V + k;
#if REGISTERS < 32
        __global const float *from = image + k;
#pragma nounroll
        for (int j = 0; j < 5; j++) input_line_at(from, pixel + j, 5, to + j * v_step, 5 * v_step);
#pragma nounroll
        for (int j = 0; j < 4; j++) {
#pragma unroll
            for (int i = 0; i < 5; i++)
                store_any(LOAD_ANY(to + (5 * i + j + plain) * v_step), to + (ODD_COLUMNS + 4 * i + j) * v_step);
            input_line_at(from, pixel + 5 * (j + plain), 1, to + (ODD_ROWS + j) * v_step, 4 * v_step);
#pragma unroll
            for (int i = 0; i < 4; i++) store_any(LOAD_ANY(from + pixel[5 * (j + plain) + i + plain]), to + (ODD + 4 * j + i) * v_step);
        }
        input_rows(to, v_step);
#else
        floatv d[25];
#pragma unroll
        for (int i = 0; i < 25; i++) d[i] = LOAD_ANY(image + pixel[i] + k);
#pragma unroll
        for (int j = 0; j < 5; j++) {
            input_line(d + j, 5, d + j, 5);
            if (j - plain < 0 || j - plain >= 4) continue;
#pragma unroll
            for (int i = 0; i < 5; i++) store_any(d[5 * i + j], to + (ODD_COLUMNS + 4 * i + j - plain) * v_step);
        }
#pragma unroll
        for (int i = 0; i < 5; i++) input_line(d + 5 * i, 1, d + 5 * i, 1);
#pragma unroll
        for (int i = 0; i < 25; i++) store_any(d[i], to + i * v_step);
#pragma unroll
        for (int i = 0; i < 4; i++) {
#pragma unroll
            for (int j = 0; j < 5; j++) d[j] = LOAD_ANY(image + pixel[5 * (i + plain) + j] + k);
            input_line(d, 1, d, 1);
#pragma unroll
            for (int j = 0; j < 5; j++) store_any(d[j], to + (ODD_ROWS + 4 * j + i) * v_step);
#pragma unroll
            for (int j = 0; j < 4; j++)
                store_any(LOAD_ANY(image + pixel[5 * (i + plain) + j + plain] + k), to + (ODD + 4 * i + j) * v_step);
        }
#endif
    }
}

/* ROWS_AT_ONCE x 4 points of dx, `next_h` and `next_w` apart, of which h_count and w_count exist, with `channels` channels. */
static inline void store_points(const floatv *value, __global float *dx, const int next_h, const int next_w, const int h_count,
    const int w_count, const int channels, const int add)
{
    if (h_count >= ROWS_AT_ONCE && w_count >= 4 && channels >= WIDTH) {
        store_whole(value, dx, next_h, next_w, add);
        return;
    }
    floatv edge[4 * ROWS_AT_ONCE];
#pragma unroll
    for (int i = 0; i < 4 * ROWS_AT_ONCE; i++) edge[i] = value[i];
    for (int i = 0; i < min(ROWS_AT_ONCE, h_count); i++)
        for (int j = 0; j < min(4, w_count); j++) store_channels(dx + i * next_h + j * next_w, edge[4 * i + j], channels, add);
}

/* The points of one tile, of which h_count and w_count exist, from its row of M; dx: its first point, at the panel's first channel, of
 * which `channels` exist. M may change. */
static OUTLINE void store_products(__global float *dx, __global float *M, const int m_step, const int next_h, const int next_w,
    const int h_count, const int w_count, const int channels, const int plain, const int add)
{
    const int two = 1 - plain;
    const int h_plain = (h_count - plain + 1) / 2, h_two = (h_count - two + 1) / 2;
    const int w_plain = (w_count - plain + 1) / 2, w_two = (w_count - two + 1) / 2;
    floatv zero[4], out[4 * ROWS_AT_ONCE];
#pragma unroll
    for (int i = 0; i < 4; i++) zero[i] = (floatv)0.0f;
#pragma nounroll
    for (int v = 0; v < VECTORS; v++) {
        __global float *from = M + WIDTH * v;
        __global float *to = dx + WIDTH * v;
        if (channels <= WIDTH * v) continue;
#if REGISTERS < 32
        output_columns(from, 5, m_step, zero);
        output_columns(from + ODD_COLUMNS * m_step, 4, m_step, zero);
#pragma nounroll
        for (int i = 0; i < 4; i++) {
            __global float *row = to + 2 * i * next_h;
            floatv m[5];
#pragma unroll
            for (int j = 0; j < 5; j++) m[j] = LOAD_ANY(from + (5 * i + j) * m_step);
            output_line(m, 1, zero, out, 1);
            store_points(out, row + two * (next_h + next_w), 0, 2 * next_w, h_two - i, w_two, channels - WIDTH * v, add);
#pragma unroll
            for (int j = 0; j < 4; j++) out[j] = LOAD_ANY(from + (ODD_COLUMNS + 4 * i + j) * m_step);
            store_points(out, row + two * next_h + plain * next_w, 0, 2 * next_w, h_two - i, w_plain, channels - WIDTH * v, add);
#pragma unroll
            for (int j = 0; j < 5; j++) m[j] = LOAD_ANY(from + (ODD_ROWS + 4 * j + i) * m_step);
            output_line(m, 1, zero, out, 1);
            store_points(out, row + plain * next_h + two * next_w, 0, 2 * next_w, h_plain - i, w_two, channels - WIDTH * v, add);
#pragma unroll
            for (int j = 0; j < 4; j++) out[j] = LOAD_ANY(from + (ODD + 4 * i + j) * m_step);
            store_points(out, row + plain * (next_h + next_w), 0, 2 * next_w, h_plain - i, w_plain, channels - WIDTH * v, add);
        }
#else
        floatv half_way[20];                                 /* [4][5]: the rows are done */
#pragma unroll
        for (int j = 0; j < 5; j++) {
            floatv m[5];
#pragma unroll
            for (int i = 0; i < 5; i++) m[i] = LOAD_ANY(from + (5 * i + j) * m_step);
            output_line(m, 1, zero, m, 1);
#pragma unroll
            for (int i = 0; i < 4; i++) half_way[5 * i + j] = m[i];
        }
#pragma unroll
        for (int i = 0; i < 4; i++) output_line(half_way + 5 * i, 1, zero, out + 4 * i, 1);
        store_points(out, to + two * (next_h + next_w), 2 * next_h, 2 * next_w, h_two, w_two, channels - WIDTH * v, add);
#pragma unroll
        for (int j = 0; j < 4; j++) {
            floatv m[5];
#pragma unroll
            for (int i = 0; i < 5; i++) m[i] = LOAD_ANY(from + (ODD_COLUMNS + 4 * i + j) * m_step);
            output_line(m, 1, zero, m, 1);
#pragma unroll
            for (int i = 0; i < 4; i++) out[4 * i + j] = m[i];
        }
        store_points(out, to + two * next_h + plain * next_w, 2 * next_h, 2 * next_w, h_two, w_plain, channels - WIDTH * v, add);
#pragma unroll
        for (int i = 0; i < 4; i++) {
            floatv m[5];
#pragma unroll
            for (int j = 0; j < 5; j++) m[j] = LOAD_ANY(from + (ODD_ROWS + 4 * j + i) * m_step);
            output_line(m, 1, zero, out + 4 * i, 1);
        }
        store_points(out, to + plain * next_h + two * next_w, 2 * next_h, 2 * next_w, h_plain, w_two, channels - WIDTH * v, add);
#pragma unroll
        for (int i = 0; i < 16; i++) out[i] = LOAD_ANY(from + (ODD + i) * m_step);
        store_points(out, to + plain * (next_h + next_w), 2 * next_h, 2 * next_w, h_plain, w_plain, channels - WIDTH * v, add);
#endif
    }
}

__kernel HINT_OF_VECTORS
void conv2d_backward_data_winograd_stride2(__global const float *dy, __global const float *weights, __global float *dx,
    __global float *scratch, const int P, const int Q, const int K, const int C, const int H, const int W, const int pad,
    const int tiles_h, const int tiles_w, const int tiles, const int block, const int pitch, const int v_step, const int m_step,
    const int panels, const int panels_each, const int plain_weights, const int scratch_each, const int add)
{
    const int item = get_global_id(0), items = get_global_size(0), plain = pad != 1;
    const int first_panel = get_global_id(1) * panels_each, last_panel = min(panels, first_panel + panels_each);
    const int share = (block + panels_each - 1) / panels_each;   /* of a block's tiles for each panel */
    __global float *V = scratch + (size_t)(get_global_id(1) * items + item) * scratch_each;
    __global float *zero = V + POINTS * v_step, *tail = zero + pitch, *M = tail + 81 * WIDTH, *U = M + POINTS * m_step;
    for (int k = 0; k < K; k += WIDTH) store_any((floatv)0.0f, zero + k);

    for (int first = item * block; first < tiles; first += items * block) {
        const int count = min(block, tiles - first);
        for (int t = 0; t < count; t++) {
            const int row = (first + t) / tiles_w, n = row / tiles_h;
            const int p0 = (row - n * tiles_h) * 4 - (pad == 0), q0 = (first + t - row * tiles_w) * 4 - (pad == 0);
            __global const float *image = dy + (size_t)n * P * Q * K;
            long pixel[FOUND(5)];
            find_pixels(pixel, image, zero, 5, p0, q0, P, Q, K);
            transform_gradient(V + t * pitch, image, pixel, K, v_step, plain, tail);
        }
        for (int panel = first_panel; panel < last_panel; panel++) {
            __global const float *panel_weights = weights + (size_t)panel * (plain_weights ? 9 : WEIGHT_POINTS) * K * KB;
            /* with each point, a part of the next block's input and of where this one's output goes is fetched */
            const int next = first + items * block, next_first = next + (panel - first_panel) * share;
            const int next_last = min(min(tiles, next + block), next_first + share);
            for (int i = 0; i < SIDE; i++) {
                if (plain_weights) transform_weights(U, panel_weights, i, K);
                for (int j = 0; j < SIDE; j++) {
                    __global const float *u = plain_weights ? U + j * K * KB : panel_weights + (size_t)(SIDE * i + j) * K * KB;
                    const int last_point = first_point(i, j) + count_points(i, j);
                    for (int point = first_point(i, j); point < last_point; point++) {
                        if (point < 25)
                            fetch_input_point(dy, next_first, next_last, point / 5, point % 5, 4, -(pad == 0), tiles_h, tiles_w, P, Q, K);
                        if (point < 64)
                            fetch_output_point(dx + panel * KB, first, first + count, 1, point / 8, point % 8, 8, tiles_h, tiles_w, H, W,
                                C);
                        multiply_point(M + point * m_step, V + point * v_step, pitch, u, count, K, 0, v_step, K * KB);
                    }
                }
            }
            for (int t = 0; t < count; t++) {
                const int row = (first + t) / tiles_w, n = row / tiles_h;
                const int h0 = (row - n * tiles_h) * 8, w0 = (first + t - row * tiles_w) * 8;
                store_products(dx + ((size_t)n * H * W + h0 * W + w0) * C + panel * KB, M + t * KB, m_step, W * C, C, H - h0, W - w0,
                    C - panel * KB, plain, add);
            }
        }
    }
}
