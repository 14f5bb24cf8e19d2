/* Batch normalisation of x [M,C] over its M rows, with residual and activation fused:
 *
 *     y = act(gamma * (x - mean) * invstd + beta + residual)
 *
 * Passes over M*C numbers cut the rows into `chunks` of `rows` each (the last may be shorter) and a row into groups of `span` floats;
 * work-item (chunk, group) of dimension 0, groups fastest. CPUs take whole rows (span = C), so that a work-item reads memory in order,
 * GPUs one vector (span = WIDTH), so that neighbours read together. Sums walk a chunk in tiles of `tile` rows: a tile stays in the
 * cache (CPUs), or is the whole chunk (GPUs), and one column of it is added up in registers before it is joined with what
 * `partial` has. Per-channel passes have one work-group of LANES work-items per vector of channels; they join the chunks in a fixed tree.
 *
 * Statistics: the mean and the sum of squared deviations M2 of BLOCK rows at a time, two passes in registers, joined by
 * Chan, Golub and LeVeque's formula. Means are kept relative to a typical row of x until the end, so that neither they nor M2
 * lose digits when x has a large common offset. */
#include "batch_norm.clh"
#include "fetch.clh"
#include "sub_group.clh"

/* Rows and vectors of a row that a work-item adds up in registers: several vectors, so that CPUs read longer runs. The host names the
 * REGISTERS of CPUs only. */
#if defined(REGISTERS) && REGISTERS >= 32 && WIDTH == 16
#define BLOCK 4
#define STRIP 4
#elif defined(REGISTERS)
#define BLOCK (WIDTH == 4 && REGISTERS < 32 ? 2 : 4) /* without fma, products take registers */
#define STRIP (WIDTH == 8 ? 4 : 2)
#else
#define BLOCK 8
#define STRIP 1
#endif
#ifdef REGISTERS
#define SUMS_STRIP 4 /* the same for the backward pass, which keeps no rows */
#else
#define SUMS_STRIP 1
#endif
#define AHEAD 16 /* rows from the one that is added up to the one that is fetched */

/* The part of x that this work-item has: rows first..last-1, floats left..right-1 of each. A pass that follows a pass of sums over the
 * same tensors begins at their end, which is still in a cache. */
#define FIND_CHUNK(index)                                                                  \
    const int groups = (c + span - 1) / span;                                              \
    const int chunk = (index) / groups, group = (index) % groups;                          \
    if ((index) < 0 || chunk >= chunks) return;                                            \
    const int first = chunk * rows, last = min(m, first + rows);                           \
    const int left = group * span, right = min(c, left + span)
#define LAST_FIRST (chunks * ((c + span - 1) / span) - 1 - (int)get_global_id(0))

/* Joins rows top..bottom-1 of `columns` vectors with the means (relative to typical) and M2s of rows first..top-1. x, means and m2s point
 * at the first of the columns. */
static inline void add_statistics(__global const float *restrict x, __global float *restrict means, __global float *restrict m2s,
    const int m, const int c, const int first, const int top, const int bottom, const int columns)
{
    floatv shift[STRIP], mean[STRIP], m2[STRIP];
    float n = (float)(top - first);
    for (int j = 0; j < columns; j++) {
        shift[j] = typical(x + j * WIDTH, m, c);
        mean[j] = top > first ? load(means + j * WIDTH) : SPLAT(0.0f);
        m2[j] = top > first ? load(m2s + j * WIDTH) : SPLAT(0.0f);
    }
    int row = top;
    for (; row + BLOCK <= bottom; row += BLOCK) {
        __global const float *from = x + (size_t)row * c;
        floatv v[BLOCK][STRIP];
        for (int i = 0; i < BLOCK; i++)
            for (int j = 0; j < columns; j++) {
                FETCH(from + (size_t)(i + AHEAD) * c + j * WIDTH);
                v[i][j] = load(from + (size_t)i * c + j * WIDTH) - shift[j];
            }
        for (int j = 0; j < columns; j++) {
            floatv sum = SPLAT(0.0f), squares = SPLAT(0.0f);
            for (int i = 0; i < BLOCK; i++) sum += v[i][j];
            sum *= 1.0f / BLOCK;
            for (int i = 0; i < BLOCK; i++) squares += (v[i][j] - sum) * (v[i][j] - sum);
            JOIN(n, mean[j], m2[j], (float)BLOCK, sum, squares);
        }
        n += BLOCK;
    }
    for (; row < bottom; row++, n += 1.0f)
        for (int j = 0; j < columns; j++) JOIN(n, mean[j], m2[j], 1.0f, load(x + (size_t)row * c + j * WIDTH) - shift[j], SPLAT(0.0f));
    for (int j = 0; j < columns; j++) {
        store(means + j * WIDTH, mean[j]);
        store(m2s + j * WIDTH, m2[j]);
    }
}

/* partial [2][chunks][C] = mean relative to typical, M2 of each chunk */
__kernel SUB_GROUP void batch_norm_statistics(__global const float *restrict x, __global float *restrict partial, int m, int c, int rows,
    int chunks, int span, int tile)
{
    FIND_CHUNK((int)get_global_id(0));
    __global float *means = partial + (size_t)chunk * c, *m2s = means + (size_t)chunks * c;
    for (int top = first; top < last; top += tile) {
        const int bottom = min(last, top + tile);
        int at = left;
        for (; at + STRIP * WIDTH <= right; at += STRIP * WIDTH)
            add_statistics(x + at, means + at, m2s + at, m, c, first, top, bottom, STRIP);
        for (; at < right; at += WIDTH) add_statistics(x + at, means + at, m2s + at, m, c, first, top, bottom, 1);
    }
}

/* The chunks of a lane, joined. partial: of the first chunk, at the lane's vector. */
static inline moments join_chunks(__global const float *partial, const int lane, const int m, const int c, const int rows, const int chunks)
{
    moments all = { SPLAT(0.0f), SPLAT(0.0f), SPLAT(0.0f) };
    for (int chunk = lane; chunk < chunks; chunk += LANES) {
        const float size = (float)min(rows, m - chunk * rows);
        JOIN(ROWS_OF(all), all.mean, all.m2, size, load(partial + (size_t)chunk * c), load(partial + (size_t)(chunks + chunk) * c));
        all.n += size;
    }
    return all;
}

/* Joins the chunks: mean, invstd, and the running statistics. */
__kernel void batch_norm_finalize(__global const float *x, __global const float *partial, __global float *mean,
                                  __global float *invstd, __global float *running_mean, __global float *running_var, int m, int c,
                                  int rows, int chunks, float eps, float momentum)
{
    LANE_SCRATCH(moments, scratch);
    const int lane = (int)get_local_id(0), at = (int)get_group_id(0) * WIDTH;
    moments all = join_chunks(partial + at, lane, m, c, rows, chunks);
    JOIN_LANES(all, scratch, join_moments);
    if (lane > 0) return;
    const floatv m2 = all.m2, average = all.mean + typical(x + at, m, c);
    store(mean + at, average);
    store(invstd + at, SPLAT(1.0f) / sqrt(m2 / (float)m + eps));
    store(running_mean + at, load(running_mean + at) * (1.0f - momentum) + average * momentum);
    store(running_var + at, load(running_var + at) * (1.0f - momentum) + m2 / (float)(m - 1) * momentum);
}

/* Joins the chunks where other devices have more rows: found [2][C] = mean and M2 of this device's. */
__kernel void batch_norm_moments(__global const float *x, __global const float *partial, __global float *found, int m, int c, int rows,
                                 int chunks)
{
    LANE_SCRATCH(moments, scratch);
    const int lane = (int)get_local_id(0), at = (int)get_group_id(0) * WIDTH;
    moments all = join_chunks(partial + at, lane, m, c, rows, chunks);
    JOIN_LANES(all, scratch, join_moments);
    if (lane > 0) return;
    store(found + at, all.mean + typical(x + at, m, c));
    store(found + c + at, all.m2);
}

/* What batch_norm_finalize leaves, from the mean and M2 of the rows of all devices; biased, unbiased: 1/M, 1/(M-1). One work-item per
 * vector. Each product and sum of the running statistics is rounded by itself, so that unlike devices keep the same bits. */
__kernel void batch_norm_joined(__global const float *found, __global float *mean, __global float *invstd, __global float *running_mean,
                                __global float *running_var, int c, float biased, float unbiased, float eps, float momentum)
{
#pragma OPENCL FP_CONTRACT OFF
    const int at = (int)get_global_id(0) * WIDTH;
    if (at >= c) return;
    const floatv average = load(found + at), m2 = load(found + c + at);
    store(mean + at, average);
    store(invstd + at, SPLAT(1.0f) / sqrt(m2 * biased + eps));
    store(running_mean + at, load(running_mean + at) * (1.0f - momentum) + average * momentum);
    store(running_var + at, load(running_var + at) * (1.0f - momentum) + m2 * unbiased * momentum);
}

/* Evaluation: the statistics that forward and backward use are the running ones. One work-item per vector. */
__kernel void batch_norm_running(__global const float *running_mean, __global const float *running_var, __global float *mean,
    __global float *invstd, int c, float eps)
{
    const int at = (int)get_global_id(0) * WIDTH;
    if (at >= c) return;
    store(mean + at, load(running_mean + at));
    store(invstd + at, SPLAT(1.0f) / sqrt(load(running_var + at) + eps));
}

/* The same statistics as scale and shift, for kernels that apply the batch norm together with other work. */
__kernel void batch_norm_fold(__global const float *gamma, __global const float *beta, __global const float *running_mean,
    __global const float *running_var, __global float *mean, __global float *invstd, __global float *scale, __global float *shift, int c,
    float eps)
{
    const int at = (int)get_global_id(0) * WIDTH;
    if (at >= c) return;
    const floatv m = load(running_mean + at), r = SPLAT(1.0f) / sqrt(load(running_var + at) + eps), factor = load(gamma + at) * r;
    store(mean + at, m);
    store(invstd + at, r);
    store(scale + at, factor);
    store(shift + at, load(beta + at) - m * factor);
}

__kernel void batch_norm_forward(__global const float *restrict x, __global const float *restrict residual,
                                 __global const float *restrict gamma, __global const float *restrict beta,
                                 __global const float *restrict mean, __global const float *restrict invstd, __global float *restrict y,
                                 int m, int c, int rows, int chunks, int span, float slope, int has_residual)
{
    FIND_CHUNK(LAST_FIRST);
    for (int row = first; row < last; row++)
        for (int at = left; at < right; at += WIDTH) {
            const size_t i = (size_t)row * c + at;
            floatv v = normalise(load(x + i), gamma + at, beta + at, mean + at, invstd + at);
            if (has_residual) v += load(residual + i);
            store(y + i, activate(v, slope));
        }
}

/* Adds rows top..bottom-1 of `columns` vectors to what rows first..top-1 gave. Pointers to the first of the columns. */
static inline void add_sums(__global const float *restrict x, __global const float *y, __global float *dy,
    __global const float *restrict gamma, __global const float *restrict beta, __global const float *restrict mean,
    __global const float *restrict invstd, __global float *restrict sums, __global float *restrict products,
    const int c, const int first, const int top, const int bottom, const float slope, const int has_y, const int keep, const int columns)
{
    floatv shift[SUMS_STRIP], sum[SUMS_STRIP], product[SUMS_STRIP];
    for (int j = 0; j < columns; j++) {
        shift[j] = load(mean + j * WIDTH);
        sum[j] = product[j] = SPLAT(0.0f);
    }
    for (int row = top; row < bottom; row++)
        for (int j = 0; j < columns; j++) {
            const size_t i = (size_t)row * c + j * WIDTH;
            const floatv value = load(x + i), kept = has_y ? load(y + i) : normalise(value, gamma + j * WIDTH, beta + j * WIDTH,
                mean + j * WIDTH, invstd + j * WIDTH);
            const floatv g = load(dy + i) * activation_factor(kept, slope);
            sum[j] += g;
            product[j] += g * (value - shift[j]);
            if (keep) store(dy + i, g);
        }
    for (int j = 0; j < columns; j++) {
        ADD_OR_STORE(top > first, sums + j * WIDTH, sum[j]);
        ADD_OR_STORE(top > first, products + j * WIDTH, product[j]);
    }
}

/* With g = dy * act': partial [2][chunks][C] = sum g, sum g * (x - mean) of each chunk. Without an activation the host passes dy for y;
 * without y (has_y = 0) there was no residual, and the operand of the activation is computed again from x. With `keep`, g overwrites dy. */
__kernel void batch_norm_backward_sums(__global const float *restrict x, __global const float *y,
                                       __global float *dy, __global const float *restrict gamma,
                                       __global const float *restrict beta, __global const float *restrict mean,
                                       __global const float *restrict invstd, __global float *restrict partial, int m, int c, int rows,
                                       int chunks, int span, int tile, float slope, int has_y, int keep)
{
    FIND_CHUNK((int)get_global_id(0));
    __global float *sums = partial + (size_t)chunk * c, *products = sums + (size_t)chunks * c;
    for (int top = first; top < last; top += tile) {
        const int bottom = min(last, top + tile);
        int at = left;
        for (; at + SUMS_STRIP * WIDTH <= right; at += SUMS_STRIP * WIDTH)
            add_sums(x + at, y + at, dy + at, gamma + at, beta + at, mean + at, invstd + at, sums + at, products + at, c, first, top,
                bottom, slope, has_y, keep, SUMS_STRIP);
        for (; at < right; at += WIDTH)
            add_sums(x + at, y + at, dy + at, gamma + at, beta + at, mean + at, invstd + at, sums + at, products + at, c, first, top,
                bottom, slope, has_y, keep, 1);
    }
}

/* Joins the chunks: sums [2][C] = dbeta, dgamma of this pass; dgamma and dbeta take them or add them. */
__kernel void batch_norm_backward_finalize(__global const float *partial, __global const float *invstd, __global float *sums,
    __global float *dgamma, __global float *dbeta, int c, int chunks, int add)
{
    LANE_SCRATCH(floatv, scratch_sum);
    LANE_SCRATCH(floatv, scratch_product);
    const int lane = (int)get_local_id(0), at = (int)get_group_id(0) * WIDTH;
    floatv sum = SPLAT(0.0f), product = SPLAT(0.0f);
    for (int chunk = lane; chunk < chunks; chunk += LANES) {
        sum += load(partial + (size_t)chunk * c + at);
        product += load(partial + (size_t)(chunks + chunk) * c + at);
    }
    JOIN_LANES(sum, scratch_sum, PLUS);
    JOIN_LANES(product, scratch_product, PLUS);
    if (lane > 0) return;
    product *= load(invstd + at);
    store(sums + at, sum);
    store(sums + c + at, product);
    ADD_OR_STORE(add, dbeta + at, sum);
    ADD_OR_STORE(add, dgamma + at, product);
}

/* train: dx = gamma * invstd * (g - dbeta/M - xhat * dgamma/M), M = `all` rows; else dx = gamma * invstd * g (sums and x are not read).
 * dresidual = g. Modes: 0 no such output, 1 overwrite, 2 add. dx may be dy. */
__kernel void batch_norm_backward(__global const float *restrict x, __global const float *y, __global const float *dy,
    __global const float *restrict gamma, __global const float *restrict beta, __global const float *restrict mean,
    __global const float *restrict invstd, __global const float *restrict sums, __global float *dx, __global float *dresidual,
    int m, int c, int rows, int chunks, int span, int all, float slope, int has_y, int train, int dx_mode, int dresidual_mode)
{
    FIND_CHUNK(LAST_FIRST);
    const float share = 1.0f / (float)all;
    for (int row = first; row < last; row++)
        for (int at = left; at < right; at += WIDTH) {
            const size_t i = (size_t)row * c + at;
            const floatv kept = has_y ? load(y + i) : normalise(load(x + i), gamma + at, beta + at, mean + at, invstd + at);
            const floatv g = load(dy + i) * activation_factor(kept, slope), scale = load(gamma + at) * load(invstd + at);
            if (dx_mode) {
                floatv d = g;
                if (train) {
                    const floatv tilt = load(sums + c + at) * load(invstd + at);
                    d -= (load(sums + at) + (load(x + i) - load(mean + at)) * tilt) * share;
                }
                ADD_OR_STORE(dx_mode > 1, dx + i, d * scale);
            }
            if (dresidual_mode) ADD_OR_STORE(dresidual_mode > 1, dresidual + i, g);
        }
}
