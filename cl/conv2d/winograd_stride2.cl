/* Winograd convolution of 3x3 taps and stride 2 for CPUs, forward (conv2d/winograd_stride2.clh has the transforms).
 *
 *     y[n,p,q,k] = sum_{r,s,c} x[n, 2p+r-pad, 2q+s-pad, c] * w[r,s,c,k],   p < P, q < Q
 *
 * Tile t covers output points p = 4*(t / tiles_w % tiles_h) + 0..3, q = 4*(t % tiles_w) + 0..3 of image t / (tiles_h*tiles_w), which are
 * sums over 9x9 input points. A work-item takes `block` tiles at a time: it transforms their input into its scratch memory (sized for a
 * core's cache),
 *     V[81][block][pitch],    zero[pitch]: what lies outside an image,    tail[81][WIDTH]: scratch,
 * multiplies, one panel of KB output channels at a time, each of the 81 points with that point's weights,
 *     M[81][block][KB] = V[81][block][C] * u[one of 36][C][KB],
 * and transforms the products back into y. Weights come in panels, zeros beyond K (conv2d/winograd_stride2_pack.cl), transformed or, with
 * plain_weights, as they are: then each panel is transformed here, into U[6][C][KB] by the row.
 * Work-item (i, j): blocks i, i + size, ... of tiles, panels j*panels_each ...; local size 1. block is a multiple of 4; rows beyond the
 * last tile hold anything and are not stored. v_step, m_step: numbers from one point of V, M to the next. */
#include "conv2d/affine.clh"
#include "conv2d/winograd_stride2_panel.clh"

/* V[...][row] of one tile, whose 9x9 input points are image + pixel[...]; tail[81][WIDTH] holds the last channels while they are filled up to
 * a vector. */
static OUTLINE void transform_input(__global float *V, __global const float *image, long *pixel, const int C, const int v_step,
    __global float *tail)
{
    for (int c = 0; c < C; c += WIDTH) {
        if (c + WIDTH > C) {
            for (int i = 0; i < 81; i++) {
                for (int l = 0; l < WIDTH; l++) tail[WIDTH * i + l] = c + l < C ? image[pixel[i] + c + l] : 0.0f;
                pixel[i] = tail + WIDTH * i - c - image;
            }
        }
        input_transform(image, pixel, c, V + c, v_step);
    }
}

/* Points `row` .. row+ROWS_AT_ONCE-1, 0 .. 3 of one tile from its row of M, which may change. Rows are asked for in their order. */
#if REGISTERS < 32
static inline void transform_products(__global float *M, const int m_step, const int row, floatv *out)
{
    floatv m[5], plain[4];
    if (row == 0) {
        for (int j = 0; j < 9; j++) {
            /* column j of those of two taps, or of a single one */
            __global float *at = M + (j < 5 ? j : ODD_COLUMNS + j - 5) * m_step;
            __global const float *add = M + (j < 5 ? ODD_ROWS + 4 * j : ODD + j - 5) * m_step;
            const int next = (j < 5 ? 5 : 4) * m_step, next_add = (j < 5 ? 1 : 4) * m_step;
#pragma unroll
            for (int i = 0; i < 5; i++) m[i] = LOAD_ANY(at + i * next);
#pragma unroll
            for (int i = 0; i < 4; i++) plain[i] = LOAD_ANY(add + i * next_add);
            output_line(m, 1, plain, m, 1);
#pragma unroll
            for (int i = 0; i < 4; i++) store_any(m[i], at + i * next);
        }
    }
#pragma unroll
    for (int j = 0; j < 5; j++) m[j] = LOAD_ANY(M + (5 * row + j) * m_step);
#pragma unroll
    for (int j = 0; j < 4; j++) plain[j] = LOAD_ANY(M + (ODD_COLUMNS + 4 * row + j) * m_step);
    output_line(m, 1, plain, out, 1);
}
#else
static inline void transform_products(__global float *M, const int m_step, const int row, floatv *out)
{
    floatv half_way[20];                                     /* [4][5]: the rows are done */
#pragma unroll
    for (int j = 0; j < 5; j++) {
        floatv m[5], plain[4];
#pragma unroll
        for (int i = 0; i < 5; i++) m[i] = LOAD_ANY(M + (5 * i + j) * m_step);
#pragma unroll
        for (int i = 0; i < 4; i++) plain[i] = LOAD_ANY(M + (ODD_ROWS + 4 * j + i) * m_step);
        output_line(m, 1, plain, m, 1);
#pragma unroll
        for (int i = 0; i < 4; i++) half_way[5 * i + j] = m[i];
    }
#pragma unroll
    for (int j = 0; j < 4; j++) {
        floatv m[5], plain[4];
#pragma unroll
        for (int i = 0; i < 5; i++) m[i] = LOAD_ANY(M + (ODD_COLUMNS + 4 * i + j) * m_step);
#pragma unroll
        for (int i = 0; i < 4; i++) plain[i] = LOAD_ANY(M + (ODD + 4 * i + j) * m_step);
        output_line(m, 1, plain, m, 1);
#pragma unroll
        for (int i = 0; i < 4; i++) out[4 * i + j] = m[i];
    }
#pragma unroll
    for (int i = 0; i < 4; i++) output_line(half_way + 5 * i, 1, out + 4 * i, out + 4 * i, 1);
}
#endif

/* Output points 0 <= p < p_count, 0 <= q < q_count of one tile, as far as they exist, from its row of M; y: its first point, at the panel's
 * first channel, of which `channels` exist. `affine`: conv2d/affine.clh, scale, shift at the panel's first channel, residual at y's
 * place. */
static OUTLINE void transform_output(__global float *y, __global float *M, const int m_step, const int next_p, const int next_q,
    const int p_count, const int q_count, const int channels, const int add,
    __global const float *scale, __global const float *shift, __global const float *residual, const int affine, const int has_residual,
    const float slope)
{
#pragma nounroll
    for (int v = 0; v < VECTORS; v++) {
        const int k = WIDTH * v;
#pragma nounroll
        for (int row = 0; row < 4; row += ROWS_AT_ONCE) {
            __global float *to = y + row * next_p + k;
            __global const float *beside = residual + row * next_p + k;
            floatv out[4 * ROWS_AT_ONCE];
            transform_products(M + k, m_step, row, out);
            if (p_count >= 4 && q_count >= 4 && channels - k >= WIDTH) {
                if (affine) {
#pragma unroll
                    for (int i = 0; i < 4 * ROWS_AT_ONCE; i++)
                        out[i] = apply_affine(out[i], scale + k, shift + k, beside + i / 4 * next_p + i % 4 * next_q, has_residual, WIDTH, slope);
                }
                store_whole(out, to, next_p, next_q, add);
            } else if (channels > k) {
                floatv edge[4 * ROWS_AT_ONCE];
#pragma unroll
                for (int i = 0; i < 4 * ROWS_AT_ONCE; i++) edge[i] = out[i];
                for (int p = 0; p < min(ROWS_AT_ONCE, p_count - row); p++)
                    for (int q = 0; q < min(4, q_count); q++) {
                        const int at = p * next_p + q * next_q;
                        floatv value = edge[4 * p + q];
                        if (affine) value = apply_affine(value, scale + k, shift + k, beside + at, has_residual, channels - k, slope);
                        store_channels(to + at, value, channels - k, add);
                    }
            }
        }
    }
}

__kernel HINT_OF_VECTORS
void conv2d_forward_winograd_stride2(__global const float *x, __global const float *weights, __global float *y,
    __global float *scratch,
    const int H, const int W, const int C, const int K, const int P, const int Q, const int pad,
    const int tiles_h, const int tiles_w, const int tiles, const int block, const int pitch, const int v_step, const int m_step,
    const int panels, const int panels_each, const int plain_weights, const int scratch_each, const int add,
    __global const float *scale, __global const float *shift, __global const float *residual, const int affine, const int has_residual,
    const float slope)
{
    const int item = get_global_id(0), items = get_global_size(0);
    const int first_panel = get_global_id(1) * panels_each, last_panel = min(panels, first_panel + panels_each);
    const int share = (block + panels_each - 1) / panels_each;   /* of a block's tiles for each panel */
    __global float *V = scratch + (size_t)(get_global_id(1) * items + item) * scratch_each;
    __global float *zero = V + POINTS * v_step, *tail = zero + pitch, *M = tail + 81 * WIDTH, *U = M + POINTS * m_step;
    for (int c = 0; c < C; c += WIDTH) store_any((floatv)0.0f, zero + c);

    for (int first = item * block; first < tiles; first += items * block) {
        const int count = min(block, tiles - first);
        for (int t = 0; t < count; t++) {
            const int row = (first + t) / tiles_w, n = row / tiles_h;
            const int h0 = (row - n * tiles_h) * 8 - pad, w0 = (first + t - row * tiles_w) * 8 - pad;
            __global const float *image = x + (size_t)n * H * W * C;
            long pixel[FOUND(9)];
            find_pixels(pixel, image, zero, 9, h0, w0, H, W, C);
            transform_input(V + t * pitch, image, pixel, C, v_step, tail);
        }
        for (int panel = first_panel; panel < last_panel; panel++) {
            __global const float *panel_weights = weights + (size_t)panel * (plain_weights ? 9 : WEIGHT_POINTS) * C * KB;
            /* with each point, a part of the next block's input and of where this one's output goes is fetched */
            const int next = first + items * block, next_first = next + (panel - first_panel) * share;
            const int next_last = min(min(tiles, next + block), next_first + share);
            for (int i = 0; i < SIDE; i++) {
                if (plain_weights) transform_weights(U, panel_weights, i, C);
                for (int j = 0; j < SIDE; j++) {
                    __global const float *u = plain_weights ? U + j * C * KB : panel_weights + (size_t)(SIDE * i + j) * C * KB;
                    const int last_point = first_point(i, j) + count_points(i, j);
                    for (int point = first_point(i, j); point < last_point; point++) {
                        fetch_input_point(x, next_first, next_last, point / 9, point % 9, 8, -pad, tiles_h, tiles_w, H, W, C);
                        if (point < 80)
                            fetch_output_point(y + panel * KB, first + point % 5, first + count, 5, point / 20, point / 5 % 4, 4, tiles_h,
                                tiles_w, P, Q, K);
                        multiply_point(M + point * m_step, V + point * v_step, pitch, u, count, C, 0, v_step, C * KB);
                    }
                }
            }
            for (int t = 0; t < count; t++) {
                const int row = (first + t) / tiles_w, n = row / tiles_h;
                const int p0 = (row - n * tiles_h) * 4, q0 = (first + t - row * tiles_w) * 4;
                const size_t to = ((size_t)n * P * Q + p0 * Q + q0) * K + panel * KB;
                transform_output(y + to, M + t * KB, m_step, Q * K, K, P - p0, Q - q0, K - panel * KB, add, scale + panel * KB,
                    shift + panel * KB, residual + to, affine, has_residual, slope);
            }
        }
    }
}
