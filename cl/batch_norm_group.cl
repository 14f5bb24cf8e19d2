/* The sums of cl/batch_norm.cl by work-groups, for GPUs: ACROSS work-items have neighbouring vectors of a row, DOWN such rows are added up
 * side by side and joined in local memory, so that a small tensor still keeps many work-items busy and few chunks are left to be joined.
 *
 * Work-groups: (column c / (ACROSS*WIDTH), chunk) of a range that counts columns fastest, of ACROSS*DOWN work-items along dimension 0.
 * Work-item (across, down) adds rows down, down+DOWN, ... of its chunk in that order; then `down` halves from DOWN/2 to 1. */
#include "batch_norm.clh"
#include "sub_group.clh"

#ifndef ACROSS
#define ACROSS 16
#endif
#ifndef DOWN
#define DOWN 16
#endif
#define BLOCK 4 /* rows that a work-item has in registers */

/* Where the work-item is. Work-items beyond the last column keep out of memory but meet the others at barriers. */
#define FIND_PLACE                                                                                     \
    const int columns = (c / WIDTH + ACROSS - 1) / ACROSS, item = (int)get_local_id(0);               \
    const int group = (int)get_group_id(0), chunk = group / columns;                                   \
    const int down = item / ACROSS, at = (group % columns * ACROSS + item % ACROSS) * WIDTH;           \
    const int first = chunk * rows, last = at < c ? min(m, first + rows) : 0

/* Leaves in down = 0 what all of a column have. */
#define JOIN_DOWN(value, scratch, join)                                                               \
    do {                                                                                              \
        (scratch)[item] = (value);                                                                    \
        for (int half_down = DOWN / 2; half_down > 0; half_down /= 2) {                               \
            barrier(CLK_LOCAL_MEM_FENCE);                                                             \
            if (down < half_down) (scratch)[item] = (value) = join(value, (scratch)[item + half_down * ACROSS]); \
        }                                                                                             \
    } while (0)

/* partial [2][chunks][C] as batch_norm_statistics leaves it */
__kernel __attribute__((reqd_work_group_size(ACROSS * DOWN, 1, 1))) SUB_GROUP
void batch_norm_statistics_group(__global const float *restrict x, __global float *restrict partial, int m, int c, int rows, int chunks)
{
    __local floatv means[ACROSS * DOWN], m2s[ACROSS * DOWN];
    __local float counts[ACROSS * DOWN];
    FIND_PLACE;
    const floatv shift = at < c ? typical(x + at, m, c) : SPLAT(0.0f);
    floatv mean = SPLAT(0.0f), m2 = SPLAT(0.0f);
    float n = 0.0f;
    int row = first + down;
    for (; row + (BLOCK - 1) * DOWN < last; row += BLOCK * DOWN) {
        floatv v[BLOCK], sum = SPLAT(0.0f), squares = SPLAT(0.0f);
#pragma unroll
        for (int i = 0; i < BLOCK; i++) v[i] = load(x + (size_t)(row + i * DOWN) * c + at) - shift;
#pragma unroll
        for (int i = 0; i < BLOCK; i++) sum += v[i];
        sum *= 1.0f / BLOCK;
#pragma unroll
        for (int i = 0; i < BLOCK; i++) squares += (v[i] - sum) * (v[i] - sum);
        JOIN(n, mean, m2, (float)BLOCK, sum, squares);
        n += BLOCK;
    }
    for (; row < last; row += DOWN) {
        JOIN(n, mean, m2, 1.0f, load(x + (size_t)row * c + at) - shift, SPLAT(0.0f));
        n += 1.0f;
    }
    means[item] = mean;
    m2s[item] = m2;
    counts[item] = n;
    for (int half_down = DOWN / 2; half_down > 0; half_down /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        const int other = item + half_down * ACROSS;
        if (down >= half_down || counts[other] == 0.0f) continue;
        JOIN(n, mean, m2, counts[other], means[other], m2s[other]);
        n += counts[other];
        means[item] = mean;
        m2s[item] = m2;
        counts[item] = n;
    }
    if (down > 0 || at >= c) return;
    store(partial + (size_t)chunk * c + at, mean);
    store(partial + (size_t)(chunks + chunk) * c + at, m2);
}

/* partial, y, has_y and keep as in batch_norm_backward_sums */
__kernel __attribute__((reqd_work_group_size(ACROSS * DOWN, 1, 1))) SUB_GROUP
void batch_norm_backward_sums_group(__global const float *restrict x, __global const float *y, __global float *dy,
    __global const float *restrict gamma, __global const float *restrict beta, __global const float *restrict mean,
    __global const float *restrict invstd, __global float *restrict partial, int m, int c, int rows, int chunks, float slope, int has_y,
    int keep)
{
    __local floatv scratch_sum[ACROSS * DOWN], scratch_product[ACROSS * DOWN];
    FIND_PLACE;
    const floatv shift = at < c ? load(mean + at) : SPLAT(0.0f);
    floatv sum = SPLAT(0.0f), product = SPLAT(0.0f);
#pragma unroll 4
    for (int row = first + down; row < last; row += DOWN) {
        const size_t i = (size_t)row * c + at;
        const floatv value = load(x + i);
        const floatv kept = has_y ? load(y + i) : normalise(value, gamma + at, beta + at, mean + at, invstd + at);
        const floatv g = load(dy + i) * activation_factor(kept, slope);
        sum += g;
        product += g * (value - shift);
        if (keep) store(dy + i, g);
    }
    JOIN_DOWN(sum, scratch_sum, PLUS);
    JOIN_DOWN(product, scratch_product, PLUS);
    if (down > 0 || at >= c) return;
    store(partial + (size_t)chunk * c + at, sum);
    store(partial + (size_t)(chunks + chunk) * c + at, product);
}

#define BATCH 4 /* rows that a work-item reads before it writes: an output may be an input, so that compilers cannot put reads first */

/* Work-item (vector of channels, rows first ... first+rows-1) of dimension 0, vectors fastest. `rows` is a multiple of BATCH. */
#define FIND_VECTOR                                                              \
    const int vectors = c / WIDTH, index = (int)get_global_id(0);                \
    const int at = index % vectors * WIDTH, first = index / vectors * rows;      \
    if (first >= m) return

/* y as batch_norm_forward */
__kernel SUB_GROUP void batch_norm_forward_group(__global const float *restrict x, __global const float *restrict residual,
    __global const float *restrict gamma, __global const float *restrict beta, __global const float *restrict mean,
    __global const float *restrict invstd, __global float *restrict y, int m, int c, int rows, float slope, int has_residual)
{
    FIND_VECTOR;
    const floatv shift = load(mean + at), scale = load(gamma + at) * load(invstd + at), offset = load(beta + at);
    for (int top = first; top < min(m, first + rows); top += BATCH) {
        floatv v[BATCH];
#pragma unroll
        for (int i = 0; i < BATCH; i++) {
            const size_t place = (size_t)min(top + i, m - 1) * c + at;
            v[i] = scale_and_shift(load(x + place) - shift, scale, offset);
            if (has_residual) v[i] += load(residual + place);
        }
#pragma unroll
        for (int i = 0; i < BATCH; i++)
            if (top + i < m) store(y + (size_t)(top + i) * c + at, activate(v[i], slope));
    }
}

/* dx and dresidual as batch_norm_backward */
__kernel SUB_GROUP void batch_norm_backward_group(__global const float *restrict x, __global const float *y, __global const float *dy,
    __global const float *restrict gamma, __global const float *restrict beta, __global const float *restrict mean,
    __global const float *restrict invstd, __global const float *restrict sums, __global float *dx, __global float *dresidual, int m,
    int c, int rows, int all, float slope, int has_y, int train, int dx_mode, int dresidual_mode)
{
    FIND_VECTOR;
    const float share = 1.0f / (float)all;
    const floatv shift = load(mean + at), inverse = load(invstd + at), scale = load(gamma + at) * inverse, offset = load(beta + at);
    const floatv sum = train ? load(sums + at) : SPLAT(0.0f), tilt = train ? load(sums + c + at) * inverse : SPLAT(0.0f);
    for (int top = first; top < min(m, first + rows); top += BATCH) {
        floatv g[BATCH], d[BATCH];
#pragma unroll
        for (int i = 0; i < BATCH; i++) {
            const size_t place = (size_t)min(top + i, m - 1) * c + at;
            const floatv value = train || !has_y ? load(x + place) - shift : SPLAT(0.0f);
            const floatv kept = has_y ? load(y + place) : scale_and_shift(value, scale, offset);
            g[i] = load(dy + place) * activation_factor(kept, slope);
            d[i] = train ? g[i] - (sum + value * tilt) * share : g[i];
        }
#pragma unroll
        for (int i = 0; i < BATCH; i++) {
            if (top + i >= m) break;
            const size_t place = (size_t)(top + i) * c + at;
            if (dx_mode) ADD_OR_STORE(dx_mode > 1, dx + place, d[i] * scale);
            if (dresidual_mode) ADD_OR_STORE(dresidual_mode > 1, dresidual + place, g[i]);
        }
    }
}
