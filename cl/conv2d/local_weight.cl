/* Weight gradient of a convolution for GPUs: a work-group computes ROWS filter places x COLUMNS output channels through local memory.
 *
 *     dw[m][k] = sum over pixels (n,p,q) of x[n, p*stride+r-pad, q*stride+s-pad, c] * dy[(n,p,q)][k],   m = (r*S+s)*C+c
 *
 * Work-groups: (channels k / COLUMNS, places m / ROWS, part), of ITEMS work-items along dimension 0. The sum runs over the pixels in steps
 * of DEPTH; part z sums `steps_each` of them from z*steps_each on, in that order, to dw + z*part_size, which conv2d/parts.cl adds up. Both
 * operands have their lines, c and k, as neighbours in memory. A work-item loads one pixel of a step, which it counts up by DEPTH =
 * (step_n, step_p, step_q) from step to step, at places that it finds once. Where VECTOR is 4, C and K are multiples of 4. */
#include "conv2d/local_tile.clh"

#define NOWHERE (-0x40000000) /* a row outside every image, whatever pixel is added */

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) SUB_GROUP
void conv2d_local_weight(__global const float *x, __global const float *dy, __global float *dw,
    const int N, const int H, const int W, const int C, const int K, const int P, const int Q, const int R, const int S,
    const int stride, const int pad, const int step_n, const int step_p, const int step_q, const int steps_each, const int part_size,
    const int add)
{
    LOCAL_TILES(memory);
    const int item = get_local_id(0), first_k = get_group_id(0) * COLUMNS, first_m = group_place(1) * ROWS;
    const int places = R * S * C, pixels = N * P * Q, begin = group_place(2) * steps_each * DEPTH;
    const int steps = min(steps_each, (pixels - begin + DEPTH - 1) / DEPTH);

    int pixel = begin + straight_term(item), n = pixel / (P * Q), p = pixel / Q % P, q = pixel % Q;
    int x_h[ROW_LOADS], x_v[ROW_LOADS], x_place[ROW_LOADS];
#pragma unroll
    for (int i = 0; i < ROW_LOADS; i++) {
        const int m = first_m + straight_line(item, i), r = m / C / S - pad;
        x_h[i] = m < places ? r : NOWHERE;
        x_v[i] = m / C % S - pad;
        x_place[i] = (r * W + x_v[i]) * C + m % C;
    }

    const int busy = block_row(item) < places - first_m && block_column(item) < K - first_k;
    float4 sum[BLOCK_ROWS][COLUMN_PIECES];
    sums_begin(sum);
    for (int step = 0; step <= steps; step++) {
        numbers x_next[ROW_LOADS], dy_next[COLUMN_LOADS];
        if (step < steps) {
            __global const float *image = x + (size_t)n * H * W * C, *gradient = dy + (size_t)pixel * K;
            const int x_pixel = (p * W + q) * stride * C;
#pragma unroll
            for (int i = 0; i < ROW_LOADS; i++) {
                const int h = p * stride + x_h[i], v = q * stride + x_v[i];
                const int exists = pixel < pixels && h >= 0 && h < H && v >= 0 && v < W;
                x_next[i] = exists ? load_numbers(image + x_pixel + x_place[i]) : NO_NUMBERS;
            }
#pragma unroll
            for (int i = 0; i < COLUMN_LOADS; i++) {
                const int k = first_k + straight_line(item, i);
                dy_next[i] = pixel < pixels && k < K ? load_numbers(gradient + k) : NO_NUMBERS;
            }
            pixel += DEPTH;
            q += step_q;
            const int carry_q = q >= Q;
            q -= carry_q ? Q : 0;
            p += step_p + carry_q;
            const int carry_p = p >= P;
            p -= carry_p ? P : 0;
            n += step_n + carry_p;
        }
        if (step > 0 && busy)
            tile_multiply(tile_rows(memory, step - 1), tile_columns(memory, step - 1), block_row(item), block_column(item), sum);
        if (step < steps) {
            rows_put_straight(tile_rows(memory, step), item, x_next);
            columns_put_straight(tile_columns(memory, step), item, dy_next);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }

    const int k = first_k + block_column(item);
    dw += (size_t)group_place(2) * part_size;
#pragma unroll
    for (int i = 0; i < BLOCK_ROWS; i++) {
        const int m = first_m + sums_row(block_row(item), i);
        if (m < places) sums_store(dw + m * K + k, sum[i], K - k, add);
    }
}
