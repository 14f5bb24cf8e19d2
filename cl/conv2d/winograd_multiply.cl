/* The products of matrices in the Winograd domain for GPUs, one for each of the 36 points f of a tile (conv2d/winograd_local.cl):
 *
 *     M[f][t][k] = sum_c V[f][t][c] * u[f][c][k]                           conv2d_winograd_multiply
 *     dU[z][f][c][k] (+)= sum over tiles t of part z of V[f][t][c] * M[f][t][k]   conv2d_winograd_weight_multiply
 *
 * by work-groups of ITEMS work-items along dimension 0 with ROWS x COLUMNS of the sums. Where VECTOR is 4, C and K are multiples of 4. */
#include "conv2d/local_tile.clh"

/* Work-groups: (k / COLUMNS, t / ROWS, f). */
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) SUB_GROUP
void conv2d_winograd_multiply(__global const float *V, __global const float *u, __global float *M,
    const int tiles, const int C, const int K)
{
    LOCAL_TILES(memory);
    const int item = get_local_id(0), first_k = get_group_id(0) * COLUMNS, first_t = group_place(1) * ROWS, point = group_place(2);
    const int steps = (C + DEPTH - 1) / DEPTH;
    int v_c = turned_term(item), u_c = straight_term(item);
    V += point * tiles * C;
    u += (size_t)point * C * K;
    M += point * tiles * K;

    const int busy = block_row(item) < tiles - first_t && block_column(item) < K - first_k;
    float4 sum[BLOCK_ROWS][COLUMN_PIECES];
    sums_begin(sum);
    for (int step = 0; step <= steps; step++) {
        numbers v_next[ROW_LOADS], u_next[COLUMN_LOADS];
        if (step < steps) {
#pragma unroll
            for (int i = 0; i < ROW_LOADS; i++) {
                const int t = first_t + turned_line(item, i);
                v_next[i] = t < tiles && v_c < C ? load_numbers(V + t * C + v_c) : NO_NUMBERS;
            }
#pragma unroll
            for (int i = 0; i < COLUMN_LOADS; i++) {
                const int k = first_k + straight_line(item, i);
                u_next[i] = u_c < C && k < K ? load_numbers(u + u_c * K + k) : NO_NUMBERS;
            }
            v_c += DEPTH;
            u_c += DEPTH;
        }
        if (step > 0 && busy)
            tile_multiply(tile_rows(memory, step - 1), tile_columns(memory, step - 1), block_row(item), block_column(item), sum);
        if (step < steps) {
            rows_put_turned(tile_rows(memory, step), item, v_next);
            columns_put_straight(tile_columns(memory, step), item, u_next);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }

    const int k = first_k + block_column(item);
#pragma unroll
    for (int i = 0; i < BLOCK_ROWS; i++) {
        const int t = first_t + sums_row(block_row(item), i);
        if (t < tiles) sums_store(M + t * K + k, sum[i], K - k, 0);
    }
}

/* Work-groups: (k / COLUMNS, c / ROWS, z*36 + f). Part z sums steps_each*DEPTH tiles, in order. */
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) SUB_GROUP
void conv2d_winograd_weight_multiply(__global const float *V, __global const float *M, __global float *dU,
    const int tiles, const int C, const int K, const int steps_each, const int add)
{
    LOCAL_TILES(memory);
    const int item = get_local_id(0), first_k = get_group_id(0) * COLUMNS, first_c = group_place(1) * ROWS;
    const int point = group_place(2) % 36, begin = group_place(2) / 36 * steps_each * DEPTH;
    const int steps = min(steps_each, (tiles - begin + DEPTH - 1) / DEPTH);
    int t = begin + straight_term(item);
    V += point * tiles * C;
    M += point * tiles * K;
    dU += (size_t)group_place(2) * C * K;

    const int busy = block_row(item) < C - first_c && block_column(item) < K - first_k;
    float4 sum[BLOCK_ROWS][COLUMN_PIECES];
    sums_begin(sum);
    for (int step = 0; step <= steps; step++) {
        numbers v_next[ROW_LOADS], m_next[COLUMN_LOADS];
        if (step < steps) {
#pragma unroll
            for (int i = 0; i < ROW_LOADS; i++) {
                const int c = first_c + straight_line(item, i);
                v_next[i] = t < tiles && c < C ? load_numbers(V + t * C + c) : NO_NUMBERS;
            }
#pragma unroll
            for (int i = 0; i < COLUMN_LOADS; i++) {
                const int k = first_k + straight_line(item, i);
                m_next[i] = t < tiles && k < K ? load_numbers(M + t * K + k) : NO_NUMBERS;
            }
            t += DEPTH;
        }
        if (step > 0 && busy)
            tile_multiply(tile_rows(memory, step - 1), tile_columns(memory, step - 1), block_row(item), block_column(item), sum);
        if (step < steps) {
            rows_put_straight(tile_rows(memory, step), item, v_next);
            columns_put_straight(tile_columns(memory, step), item, m_next);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }

    const int k = first_k + block_column(item);
#pragma unroll
    for (int i = 0; i < BLOCK_ROWS; i++) {
        const int c = first_c + sums_row(block_row(item), i);
        if (c < C) sums_store(dU + c * K + k, sum[i], K - k, add);
    }
}
