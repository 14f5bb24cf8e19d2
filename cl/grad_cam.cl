/* Grad-CAM: a, gradient [N,h,w,C] -> weights m [N,C] -> cam [N,h,w], and the first-order gradient back to a.
 *
 *     m[n,k] = mean over pixels of gradient[n,.,k];   cam[n,p] = sum_k m[n,k] a[n,p,k] (then ReLU);   da[n,p,k] = m[n,k] u[n,p]
 *
 * Pixels are numbered 0..pixels-1 within an image. dim 1 = image throughout. */
#include "vector.clh"

/* Weights: a work-group of CHANNELS x ROWS work-items; dim 0 walks vectors of channels, dim 2 (one group) shares out the pixels. CPUs take
 * CHANNELS = ROWS = 1; ROWS > 1 (a power of two) needs WIDTH = 1. */
#ifndef CHANNELS
#define CHANNELS 1
#endif
#ifndef ROWS
#define ROWS 1
#endif

#if ROWS > 1
/* Of the values of a column's work-items, for each of them, in a fixed tree. */
static inline float sum_of_rows(const float value, __local float sums[ROWS][CHANNELS])
{
    const int column = (int)get_local_id(0), row = (int)get_local_id(2);
    sums[row][column] = value;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int half_rows = ROWS / 2; half_rows > 0; half_rows /= 2) {
        if (row < half_rows) sums[row][column] += sums[row + half_rows][column];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    return sums[0][column];
}
#endif

__kernel __attribute__((reqd_work_group_size(CHANNELS, 1, ROWS))) void grad_cam_forward_weights(__global const float *gradient,
                                                                                                __global float *m, int pixels, int c)
{
    const int image = (int)get_global_id(1), k0 = (int)get_global_id(0) * WIDTH;
    gradient += (size_t)image * pixels * c;
    m += (size_t)image * c;
#if ROWS == 1
    if (k0 + WIDTH <= c) {
        floatv sum = SPLAT(0.0f);
        for (int p = 0; p < pixels; p++) sum += LOAD_ANY(gradient + (size_t)p * c + k0);
        STORE_ANY(sum / (float)pixels, m + k0);
        return;
    }
    for (int k = k0; k < c; k++) {
        float sum = 0.0f;
        for (int p = 0; p < pixels; p++) sum += gradient[(size_t)p * c + k];
        m[k] = sum / (float)pixels;
    }
#else
    __local float sums[ROWS][CHANNELS];
    const int row = (int)get_local_id(2);
    float sum = 0.0f;
    if (k0 < c)
        for (int p = row; p < pixels; p += ROWS) sum += gradient[(size_t)p * c + k0];
    sum = sum_of_rows(sum, sums);
    if (row == 0 && k0 < c) m[k0] = sum / (float)pixels;
#endif
}

/* LANES work-items share a pixel's channels; groups along dim 0 stride over the pixels (any number of groups is right). */
__kernel __attribute__((reqd_work_group_size(LANES, 1, 1))) void grad_cam_forward_map(__global const float *a, __global const float *m,
                                                                                      __global float *cam, int pixels, int c, int relu)
{
    LANE_SCRATCH(float, scratch);
    const int image = (int)get_global_id(1), lane = (int)get_local_id(0);
    const int whole = c / WIDTH * WIDTH;
    a += (size_t)image * pixels * c;
    m += (size_t)image * c;
    cam += (size_t)image * pixels;
    for (int p = (int)get_group_id(0); p < pixels; p += (int)get_num_groups(0)) {
        __global const float *row = a + (size_t)p * c;
        floatv sums = SPLAT(0.0f);
        for (int k = lane * WIDTH; k < whole; k += LANES * WIDTH) sums += LOAD_ANY(m + k) * LOAD_ANY(row + k);
        float sum = SUM(sums);
        for (int k = whole + lane; k < c; k += LANES) sum += m[k] * row[k];
        JOIN_LANES_FOR_ALL(sum, scratch, PLUS);
        if (lane == 0) cam[p] = relu && sum < 0.0f ? 0.0f : sum;
    }
}

/* u counts as 0 where the ReLU cut the map. */
__kernel __attribute__((reqd_work_group_size(LANES, 1, 1))) void grad_cam_backward(__global const float *m, __global const float *cam,
                                                                                   __global const float *u, __global float *da,
                                                                                   int pixels, int c, int relu, int add)
{
    const int image = (int)get_global_id(1), lane = (int)get_local_id(0);
    const int whole = c / WIDTH * WIDTH;
    m += (size_t)image * c;
    cam += (size_t)image * pixels;
    u += (size_t)image * pixels;
    da += (size_t)image * pixels * c;
    for (int p = (int)get_group_id(0); p < pixels; p += (int)get_num_groups(0)) {
        __global float *row = da + (size_t)p * c;
        const float slope = relu && cam[p] <= 0.0f ? 0.0f : u[p];
        for (int k = lane * WIDTH; k < whole; k += LANES * WIDTH) {
            const floatv v = LOAD_ANY(m + k) * slope;
            STORE_ANY(add ? LOAD_ANY(row + k) + v : v, row + k);
        }
        for (int k = whole + lane; k < c; k += LANES) row[k] = add ? row[k] + m[k] * slope : m[k] * slope;
    }
}

/* The direction in which the exact gradient differentiates the logits: v[n,p,k] = mean over pixels q of u[n,q] a[n,q,k], the same at every
 * pixel p. Work-groups as those of the weights. */
__kernel __attribute__((reqd_work_group_size(CHANNELS, 1, ROWS))) void grad_cam_tangent(__global const float *a, __global const float *cam,
                                                                                        __global const float *u, __global float *v,
                                                                                        int pixels, int c, int relu)
{
    const int image = (int)get_global_id(1), k0 = (int)get_global_id(0) * WIDTH;
    const size_t first = (size_t)image * pixels;
    a += first * c;
    v += first * c;
#if ROWS == 1
    if (k0 + WIDTH <= c) {
        floatv sum = SPLAT(0.0f);
        for (int p = 0; p < pixels; p++)
            if (!relu || cam[first + p] > 0.0f) sum += u[first + p] * LOAD_ANY(a + (size_t)p * c + k0);
        sum /= (float)pixels;
        for (int p = 0; p < pixels; p++) STORE_ANY(sum, v + (size_t)p * c + k0);
        return;
    }
    for (int k = k0; k < c; k++) {
        float sum = 0.0f;
        for (int p = 0; p < pixels; p++)
            if (!relu || cam[first + p] > 0.0f) sum += u[first + p] * a[(size_t)p * c + k];
        for (int p = 0; p < pixels; p++) v[(size_t)p * c + k] = sum / (float)pixels;
    }
#else
    __local float sums[ROWS][CHANNELS];
    const int row = (int)get_local_id(2);
    float sum = 0.0f;
    if (k0 < c)
        for (int p = row; p < pixels; p += ROWS)
            if (!relu || cam[first + p] > 0.0f) sum += u[first + p] * a[(size_t)p * c + k0];
    sum = sum_of_rows(sum, sums) / (float)pixels;
    if (k0 < c)
        for (int p = row; p < pixels; p += ROWS) v[(size_t)p * c + k0] = sum;
#endif
}

/* Row row0 + i of dlogits [*,classes] = onehot(explained[i]); a class outside 0..classes-1 gives a row of zeros. */
__kernel void grad_cam_seed(__global const int *explained, __global float *dlogits, int row0, int n, int classes)
{
    const int i = (int)get_global_id(1);
    if (i >= n) return;
    __global float *row = dlogits + (size_t)(row0 + i) * classes;
    for (int j = (int)get_global_id(0); j < classes; j += (int)get_global_size(0)) row[j] = j == explained[i] ? 1.0f : 0.0f;
}

/* out[i] = the first greatest of row row0 + i of logits [*,classes]; always a valid class, also when there are NaNs. */
__kernel void argmax_rows(__global const float *logits, __global int *out, int row0, int n, int classes)
{
    const int i = (int)get_global_id(0);
    if (i >= n) return;
    __global const float *row = logits + (size_t)(row0 + i) * classes;
    int best = 0;
    for (int j = 1; j < classes; j++)
        if (row[j] > row[best]) best = j;
    out[i] = best;
}
