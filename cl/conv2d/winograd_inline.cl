/* Winograd convolution F(4x4, 3x3) for CPUs that transforms the weights while it uses them. It is made for layers of many channels and few
 * tiles: there, transformed weights would take four times the memory of the weights, and each would be used only a few times. Forward and,
 * on dy with turned weights, backward-data.
 *
 *     y[n,p,q,k] = sum_{r,s,c} x[n, p+r-pad, q+s-pad, c] * g[r,s,c,k],   p < P, q < Q
 *
 * with weights as they lie: g[r,s,c,k] = w[r,s,c,k] of w [3,3,C,K], or turned, g[r,s,c,k] = w[2-r,2-s,k,c] of w [3,3,K,C].
 *
 * Tile t covers output points p = 4*(t / tiles_w % tiles_h) + 0..3, q = 4*(t % tiles_w) + 0..3 of image t / (tiles_h*tiles_w).
 * A work-item takes `block` tiles at a time. It transforms their input, CHUNK channels after CHUNK channels,
 *     V[C / CHUNK][36][block][CHUNK] (v_point numbers from point to point),
 * then, for one panel of KB output channels after the other, and in it for one chunk of input channels after the other, that part of the
 * weights,
 *     u[36][CHUNK][KB] (u_point),
 * and adds the products of each of the 36 points to
 *     M[36][block][KB] (m_point),
 * which it transforms back into y. u and M share a core's second-level cache; the next chunk's weights are fetched meanwhile.
 * Work-item (i, j): blocks i, i + size, ... of tiles, panels j*panels_each ...; local size 1. block is a multiple of 4; rows beyond
 * the last tile hold anything and are not stored. */
#define CHUNK 64             /* input channels at a time: a multiple of WIDTH; the host knows it, too */
#ifndef VECTORS
#define VECTORS 2            /* vectors of output channels of a panel */
#endif
#define KB (WIDTH * VECTORS)

#include "conv2d/winograd_tile.clh"

/* One step of transposing WIDTH x WIDTH numbers: pairs of rows `half` apart swap their blocks of `half` columns. */
#define SWAP_ROWS(half, a, b)                                                                  \
    do {                                                                                       \
        const floatv a_ = (a), b_ = (b);                                                       \
        (a) = shuffle2(a_, b_, first_##half), (b) = shuffle2(a_, b_, second_##half);           \
    } while (0)
#define SWAP_ALL(half)                                                                         \
    _Pragma("unroll")                                                                          \
    for (int i = 0; i < WIDTH / 2; i++) {                                                      \
        const int at = i + i / (half) * (half);                                                \
        SWAP_ROWS(half, row[at], row[at + (half)]);                                            \
    }

/* row[i][j] = row[j][i] */
static inline void transpose(floatv row[WIDTH])
{
#if WIDTH == 16
    const uint16 first_8 = (uint16)(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    const uint16 second_8 = (uint16)(8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    const uint16 first_4 = (uint16)(0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27);
    const uint16 second_4 = (uint16)(4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
    const uint16 first_2 = (uint16)(0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
    const uint16 second_2 = (uint16)(2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
    const uint16 first_1 = (uint16)(0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30);
    const uint16 second_1 = (uint16)(1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
    SWAP_ALL(8)
    SWAP_ALL(4)
#elif WIDTH == 8
    const uint8 first_4 = (uint8)(0, 1, 2, 3, 8, 9, 10, 11), second_4 = (uint8)(4, 5, 6, 7, 12, 13, 14, 15);
    const uint8 first_2 = (uint8)(0, 1, 8, 9, 4, 5, 12, 13), second_2 = (uint8)(2, 3, 10, 11, 6, 7, 14, 15);
    const uint8 first_1 = (uint8)(0, 8, 2, 10, 4, 12, 6, 14), second_1 = (uint8)(1, 9, 3, 11, 5, 13, 7, 15);
    SWAP_ALL(4)
#else
    const uint4 first_2 = (uint4)(0, 1, 4, 5), second_2 = (uint4)(2, 3, 6, 7);
    const uint4 first_1 = (uint4)(0, 4, 2, 6), second_1 = (uint4)(1, 5, 3, 7);
#endif
    SWAP_ALL(2)
    SWAP_ALL(1)
}

/* taps[9][WIDTH][WIDTH] = g[tap][c .. c+WIDTH-1][k .. k+WIDTH-1], of which `rows` x `columns` exist; the others are 0. */
static OUTLINE void load_taps(__global float *taps, __global const float *w, const int C, const int K, const int c, const int k,
    const int rows, const int columns, const int turn)
{
    for (int tap = 0; tap < 9; tap++) {
        __global const float *from = w + (size_t)(turn ? 8 - tap : tap) * C * K + (turn ? (size_t)k * C + c : (size_t)c * K + k);
        __global float *to = taps + WIDTH * WIDTH * tap;
        if (rows < WIDTH || columns < WIDTH) {
            for (int i = 0; i < WIDTH; i++)
                for (int j = 0; j < WIDTH; j++)
                    to[WIDTH * i + j] = i < rows && j < columns ? from[turn ? (size_t)j * C + i : (size_t)i * K + j] : 0.0f;
            continue;
        }
        floatv row[WIDTH];
#pragma unroll
        for (int i = 0; i < WIDTH; i++) row[i] = winograd_load(from + (size_t)i * (turn ? C : K));
        if (turn) transpose(row);
#pragma unroll
        for (int i = 0; i < WIDTH; i++) winograd_store(row[i], to + WIDTH * i);
    }
}

/* u[36][CHUNK][KB] = G g G^T of input channels c .. c+count-1 and the panel's output channels k ... */
static OUTLINE void transform_weights(__global float *u, const int u_point, __global float *taps, __global const float *w, const int C,
    const int K, const int c, const int k, const int count, const int turn)
{
    for (int v = 0; v < VECTORS; v++) {
        for (int first = 0; first < count; first += WIDTH) {
            const int rows = min(WIDTH, count - first), columns = K - k - WIDTH * v;
            const int as_they_lie = !turn && columns >= WIDTH, next_tap = as_they_lie ? C * K : WIDTH * WIDTH, next_row = as_they_lie ? K : WIDTH;
            __global const float *from = as_they_lie ? w + (size_t)(c + first) * K + k + WIDTH * v : taps;
            if (!as_they_lie) load_taps(taps, w, C, K, c + first, k + WIDTH * v, rows, columns, turn);
            for (int i = 0; i < rows; i++) {
                floatv g[9];
#pragma unroll
                for (int tap = 0; tap < 9; tap++) g[tap] = winograd_load(from + (size_t)tap * next_tap + i * next_row);
#pragma unroll
                for (int f = 0; f < WINOGRAD_IN; f++) {
                    floatv row[WINOGRAD_IN];
                    winograd_weight_row(g, f, row);
                    winograd_store_line(row, u + WINOGRAD_IN * f * u_point + (first + i) * KB + WIDTH * v, u_point);
                }
            }
        }
    }
}

/* Fetches part `part` of 36 of the weights of input channels c .. c+CHUNK-1, output channels k .. k+KB-1, as far as they exist: a quarter
 * of one tap's. */
static OUTLINE void fetch_weights(__global const float *w, const int C, const int K, const int c, const int k, const int part,
    const int turn)
{
    const int lines = (turn ? KB : CHUNK) / 4, first = part % 4 * lines, last = min(first + lines, turn ? K - k : C - c);
    const int count = turn ? min(CHUNK, C - c) : min(KB, K - k), step = turn ? C : K;
    __global const float *from = w + (size_t)(part / 4) * C * K + (turn ? (size_t)k * C + c : (size_t)c * K + k);
    for (int i = first; i < last; i++) fetch_row(from + (size_t)i * step, count);
}

__kernel HINT_OF_VECTORS
void conv2d_winograd_inline(__global const float *x, __global const float *w, __global float *y, __global float *scratch,
    const int H, const int W, const int C, const int K, const int P, const int Q, const int pad,
    const int tiles_h, const int tiles_w, const int tiles, const int block, const int panels, const int panels_each,
    const int scratch_each, const int turn, const int add,
    __global const float *scale, __global const float *shift, __global const float *residual, const int affine, const int has_residual,
    const float slope)
{
    /* + LINE: the same element of two points must not fall into the same set of a cache */
    const int v_point = block * CHUNK + LINE, m_point = block * KB + LINE, u_point = CHUNK * KB + LINE;
    const int item = get_global_id(0), items = get_global_size(0), chunks = (C + CHUNK - 1) / CHUNK;
    const int first_panel = get_global_id(1) * panels_each, last_panel = min(panels, first_panel + panels_each);
    __global float *M = scratch + (size_t)(get_global_id(1) * items + item) * scratch_each, *u = M + WINOGRAD_POINTS * m_point;
    __global float *taps = u + WINOGRAD_POINTS * u_point, *zero = taps + 9 * WIDTH * WIDTH, *V = zero + chunks * CHUNK;
    for (int c = 0; c < C; c += WIDTH) winograd_store((floatv)0.0f, zero + c);

    for (int first = item * block; first < tiles; first += items * block) {
        const int count = min(block, tiles - first);
        const tile_place start = place_of(first, tiles_h, tiles_w);
        tile_place at = start;
        for (int t = 0; t < count; t++, at = next_place(at, P, Q)) {
            long pixel[FOUND(WINOGRAD_IN)];
            __global const float *image = find_input(pixel, x, zero, at, H, W, C, pad);
            for (int c = 0; c < C; c += CHUNK)
                transform_input(V + (size_t)(c / CHUNK) * WINOGRAD_POINTS * v_point + t * CHUNK, image, pixel, c, min(C, c + CHUNK), C,
                    v_point, taps);
        }
        for (int panel = first_panel; panel < last_panel; panel++) {
            for (int c = 0; c < C; c += CHUNK) {
                const int channels = min(CHUNK, C - c), next = c + CHUNK < C ? panel : panel + 1;
                tile_place out_at = start;
                int fetched = 0;
                __global const float *from = V + (size_t)(c / CHUNK) * WINOGRAD_POINTS * v_point;
                transform_weights(u, u_point, taps, w, C, K, c, panel * KB, channels, turn);
                for (int i = 0; i < WINOGRAD_POINTS; i++) {
                    if (next < last_panel) fetch_weights(w, C, K, next == panel ? c + CHUNK : 0, next * KB, i, turn);
                    for (; next > panel && fetched < WINOGRAD_OUT * count * (i + 1) / WINOGRAD_POINTS; fetched++) {
                        fetch_tile_output(y + panel * KB, 0, residual + panel * KB, has_residual, out_at, fetched % WINOGRAD_OUT, P, Q, K,
                            min(KB, K - panel * KB));
                        if (fetched % WINOGRAD_OUT == WINOGRAD_OUT - 1) out_at = next_place(out_at, P, Q);
                    }
                    multiply_point(M + i * m_point, from + i * v_point, CHUNK, u + i * u_point, count, channels, c > 0, v_point, 0);
                }
            }
            at = start;
            for (int t = 0; t < count; t++, at = next_place(at, P, Q)) {
                const size_t to = (((size_t)at.n * P + at.p) * Q + at.q) * K + panel * KB;
                transform_output(y + to, M + t * KB, m_point, Q * K, K, P - at.p, Q - at.q, K - panel * KB, add, 0, taps,
                    scale + panel * KB, shift + panel * KB, residual + to, affine, has_residual, slope);
            }
        }
    }
}
