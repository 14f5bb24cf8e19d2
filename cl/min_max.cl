/* Min-max normalisation of images of `size` values: y = (x - min) / (max - min), or 0 everywhere where max = min.
 *
 * One work-group of LANES work-items per image (dim 0), WIDTH values per step. range [n,4] = min, max, how many equal min, how many
 * equal max. A range below the smallest normal float counts as none: devices differ in whether they keep smaller differences, and none
 * of them can divide by one. A NaN in x stays one in y. */
#include "vector.clh"

#define SMALLEST_NORMAL 1.17549435e-38f

__kernel __attribute__((reqd_work_group_size(LANES, 1, 1))) void min_max_forward(__global const float *x, __global float *y,
                                                                                 __global float *range, int size)
{
    __local float scratch[LANES];
    const int image = (int)get_group_id(0), lane = (int)get_local_id(0);
    const int whole = size / WIDTH * WIDTH;
    x += (size_t)image * size;
    y += (size_t)image * size;
    float least = x[0], greatest = x[0];
    vec low = (vec)(least), high = low;
    for (int i = lane * WIDTH; i < whole; i += LANES * WIDTH) {
        const vec v = VLOAD(x + i);
        low = SELECT(low, v, v < low);
        high = SELECT(high, v, v > high);
    }
    float values[WIDTH];
    VSTORE(low, values);
    for (int i = 0; i < WIDTH; i++) least = lesser(least, values[i]);
    VSTORE(high, values);
    for (int i = 0; i < WIDTH; i++) greatest = greater(greatest, values[i]);
    for (int i = whole + lane; i < size; i += LANES) {
        least = lesser(least, x[i]);
        greatest = greater(greatest, x[i]);
    }
    least = group_min(least, scratch);
    greatest = group_max(greatest, scratch);

    const float span = greatest - least;
    const bool flat = span < SMALLEST_NORMAL;
    const vec one = (vec)(1.0f), zero = (vec)(0.0f);
    vec at_least = zero, at_greatest = zero;
    for (int i = lane * WIDTH; i < whole; i += LANES * WIDTH) {
        const vec v = VLOAD(x + i);
        at_least += SELECT(zero, one, v == least);
        at_greatest += SELECT(zero, one, v == greatest);
        VSTORE(flat ? SELECT(zero, v, v != v) : (v - least) / span, y + i);
    }
    float count_least = vec_sum(at_least), count_greatest = vec_sum(at_greatest);
    for (int i = whole + lane; i < size; i += LANES) {
        count_least += x[i] == least ? 1.0f : 0.0f;
        count_greatest += x[i] == greatest ? 1.0f : 0.0f;
        y[i] = flat ? (x[i] != x[i] ? x[i] : 0.0f) : (x[i] - least) / span;
    }
    count_least = group_sum(count_least, scratch);
    count_greatest = group_sum(count_greatest, scratch);
    if (lane == 0) {
        range[4 * image] = least;
        range[4 * image + 1] = greatest;
        range[4 * image + 2] = count_least;
        range[4 * image + 3] = count_greatest;
    }
}

/* With d = max - min:  dx_i = (dy_i + [x_i = min] dmin / #min + [x_i = max] dmax / #max) / d,
 *     dmin = sum_j dy_j (y_j - 1),  dmax = -sum_j dy_j y_j */
__kernel __attribute__((reqd_work_group_size(LANES, 1, 1))) void min_max_backward(__global const float *x, __global const float *y,
                                                                                  __global const float *range, __global const float *dy,
                                                                                  __global float *dx, int size)
{
    __local float scratch[LANES];
    const int image = (int)get_group_id(0), lane = (int)get_local_id(0);
    const int whole = size / WIDTH * WIDTH;
    x += (size_t)image * size;
    y += (size_t)image * size;
    dy += (size_t)image * size;
    dx += (size_t)image * size;
    const float least = range[4 * image], greatest = range[4 * image + 1], span = greatest - least;
    const bool flat = span < SMALLEST_NORMAL;
    vec low = (vec)(0.0f), high = (vec)(0.0f);
    for (int i = lane * WIDTH; i < whole; i += LANES * WIDTH) {
        const vec u = VLOAD(dy + i), v = VLOAD(y + i);
        low += u * (v - 1.0f);
        high -= u * v;
    }
    float to_least = vec_sum(low), to_greatest = vec_sum(high);
    for (int i = whole + lane; i < size; i += LANES) {
        to_least += dy[i] * (y[i] - 1.0f);
        to_greatest -= dy[i] * y[i];
    }
    to_least = group_sum(to_least, scratch) / range[4 * image + 2];
    to_greatest = group_sum(to_greatest, scratch) / range[4 * image + 3];

    const vec zero = (vec)(0.0f), share_least = (vec)(to_least), share_greatest = (vec)(to_greatest);
    for (int i = lane * WIDTH; i < whole; i += LANES * WIDTH) {
        const vec v = VLOAD(x + i);
        const vec gradient = VLOAD(dy + i) + SELECT(zero, share_least, v == least) + SELECT(zero, share_greatest, v == greatest);
        VSTORE(flat ? zero : gradient / span, dx + i);
    }
    for (int i = whole + lane; i < size; i += LANES) {
        const float gradient = dy[i] + (x[i] == least ? to_least : 0.0f) + (x[i] == greatest ? to_greatest : 0.0f);
        dx[i] = flat ? 0.0f : gradient / span;
    }
}
