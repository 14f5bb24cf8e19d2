/* Convolution for GPUs: a work-group computes ROWS output pixels x COLUMNS output channels through local memory. Forward and backward-data,
 * master weight layout.
 *
 *     y[n, out_top + out_step*p, out_left + out_step*q, o] = sum_{i,j,c} x[n, p*stride+i+top, q*stride+j+left, c] * w'[i,j,c,o]
 *     w'[i,j,c,o] = w[w_first + i*w_row + j*w_column + c*w_c + o*w_o],     p < P, q < Q, i < R, j < S, c < C, o < K
 *     forward: w_c = K, w_o = 1;     backward-data (TURNED): w_c = 1
 *
 * Work-groups: (channels o / COLUMNS, pixels (n*P+p)*Q+q / ROWS, part), of ITEMS work-items along dimension 0. The sum runs over
 * t = (i*S+j)*C+c in steps of DEPTH; part z sums `steps_each` of them from z*steps_each on, in that order, to y + z*part_size, which
 * conv2d/parts.cl adds up. A work-item's t goes up by DEPTH from step to step: i, j and c are counted up in their own steps, and what does
 * not depend on t is found once. Where VECTOR is 4, C and K are multiples of 4. */
#include "conv2d/local_tile.clh"

#ifndef TURNED
#define TURNED 0             /* 1: of w, the terms c are neighbours in memory, not the columns o */
#endif

#define NOWHERE (-0x40000000) /* a row outside every image, whatever tap is added */

/* t as (i, j, c). `step` is DEPTH, so that each digit carries once at most. */
typedef struct term { int i, j, c; } term;
static inline term term_at(const int t, const int S, const int C) { return (term){ t / C / S, t / C % S, t % C }; }
static inline term term_add(term t, const term step, const int S, const int C)
{
    t.c += step.c;
    const int carry_c = t.c >= C;
    t.c -= carry_c ? C : 0;
    t.j += step.j + carry_c;
    const int carry_j = t.j >= S;
    t.j -= carry_j ? S : 0;
    t.i += step.i + carry_j;
    return t;
}

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) SUB_GROUP
void conv2d_local(__global const float *x, __global const float *w, __global float *y,
    const int N, const int H, const int W, const int C, const int K, const int P, const int Q, const int R, const int S,
    const int stride, const int top, const int left, const int w_first, const int w_row, const int w_column, const int w_o,
    const int out_H, const int out_W, const int out_step, const int out_top, const int out_left,
    const int step_i, const int step_j, const int step_c, const int steps_each, const int part_size, const int add)
{
    LOCAL_TILES(memory);
    const int item = get_local_id(0), first_o = get_group_id(0) * COLUMNS, first_pixel = group_place(1) * ROWS, pixels = N * P * Q;
    const int depth = R * S * C, begin = group_place(2) * steps_each * DEPTH;
    const int steps = min(steps_each, (depth - begin + DEPTH - 1) / DEPTH);
    const term term_step = { step_i, step_j, step_c };

    /* x: indices count from the first image of the group's pixels */
    const int first_n = first_pixel / (P * Q);
    x += (size_t)first_n * H * W * C;
    term t = term_at(begin + turned_term(item), S, C);
    int x_h[ROW_LOADS], x_v[ROW_LOADS], x_place[ROW_LOADS];
#pragma unroll
    for (int i = 0; i < ROW_LOADS; i++) {
        const int pixel = first_pixel + turned_line(item, i), p = pixel / Q % P, q = pixel % Q;
        x_h[i] = pixel < pixels ? p * stride + top : NOWHERE;
        x_v[i] = q * stride + left;
        x_place[i] = ((pixel / (P * Q) - first_n) * H * W + (p * stride + top) * W + x_v[i]) * C;
    }
#if !TURNED
    int w_t = begin + straight_term(item);
#endif

    const int busy = block_row(item) < pixels - first_pixel && block_column(item) < K - first_o;
    float4 sum[BLOCK_ROWS][COLUMN_PIECES];
    sums_begin(sum);
    for (int step = 0; step <= steps; step++) {
        numbers x_next[ROW_LOADS], w_next[COLUMN_LOADS];
        if (step < steps) {
            const int x_tap = (t.i * W + t.j) * C + t.c;
#pragma unroll
            for (int i = 0; i < ROW_LOADS; i++) {
                const int h = x_h[i] + t.i, v = x_v[i] + t.j;
                const int exists = t.i < R && h >= 0 && h < H && v >= 0 && v < W;
                x_next[i] = exists ? load_numbers(x + x_place[i] + x_tap) : NO_NUMBERS;
            }
#if TURNED
            const int w_tap = w_first + t.i * w_row + t.j * w_column + t.c;
#pragma unroll
            for (int i = 0; i < COLUMN_LOADS; i++) {
                const int o = first_o + turned_line(item, i);
                w_next[i] = t.i < R && o < K ? load_numbers(w + w_tap + o * w_o) : NO_NUMBERS;
            }
#else
#pragma unroll
            for (int i = 0; i < COLUMN_LOADS; i++) {
                const int o = first_o + straight_line(item, i);
                w_next[i] = w_t < depth && o < K ? load_numbers(w + w_t * K + o) : NO_NUMBERS;
            }
            w_t += DEPTH;
#endif
            t = term_add(t, term_step, S, C);
        }
        if (step > 0 && busy)
            tile_multiply(tile_rows(memory, step - 1), tile_columns(memory, step - 1), block_row(item), block_column(item), sum);
        if (step < steps) {
            rows_put_turned(tile_rows(memory, step), item, x_next);
#if TURNED
            columns_put_turned(tile_columns(memory, step), item, w_next);
#else
            columns_put_straight(tile_columns(memory, step), item, w_next);
#endif
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }

    const int o = first_o + block_column(item), in_order = out_step == 1 && out_H == P && out_W == Q;
    y += (size_t)group_place(2) * part_size;
#pragma unroll
    for (int i = 0; i < BLOCK_ROWS; i++) {
        const int pixel = first_pixel + sums_row(block_row(item), i);
        if (pixel >= pixels) continue;
        size_t place = pixel;
        if (!in_order) {
            const int h = pixel / Q % P * out_step + out_top, v = pixel % Q * out_step + out_left;
            place = ((size_t)(pixel / (P * Q)) * out_H + h) * out_W + v;
        }
        sums_store(y + place * K + o, sum[i], K - o, add);
    }
}
