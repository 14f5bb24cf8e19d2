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
    LANE_SCRATCH(float, scratch);
    const int image = (int)get_group_id(0), lane = (int)get_local_id(0);
    const int whole = size / WIDTH * WIDTH;
    x += (size_t)image * size;
    y += (size_t)image * size;
    float least = x[0], greatest = x[0];
    floatv low = SPLAT(least), high = low;
    for (int i = lane * WIDTH; i < whole; i += LANES * WIDTH) {
        const floatv v = LOAD_ANY(x + i);
        low = pick(v < low, v, low);
        high = pick(v > high, v, high);
    }
    float values[WIDTH];
    STORE_ANY(low, values);
    for (int i = 0; i < WIDTH; i++) least = LESSER(least, values[i]);
    STORE_ANY(high, values);
    for (int i = 0; i < WIDTH; i++) greatest = GREATER(greatest, values[i]);
    for (int i = whole + lane; i < size; i += LANES) {
        least = LESSER(least, x[i]);
        greatest = GREATER(greatest, x[i]);
    }
    JOIN_LANES_FOR_ALL(least, scratch, LESSER);
    JOIN_LANES_FOR_ALL(greatest, scratch, GREATER);

    const float span = greatest - least;
    const bool flat = span < SMALLEST_NORMAL;
    const floatv one = SPLAT(1.0f), zero = SPLAT(0.0f);
    floatv at_least = zero, at_greatest = zero;
    for (int i = lane * WIDTH; i < whole; i += LANES * WIDTH) {
        const floatv v = LOAD_ANY(x + i);
        at_least += pick(v == least, one, zero);
        at_greatest += pick(v == greatest, one, zero);
        STORE_ANY(flat ? pick(v != v, v, zero) : (v - least) / span, y + i);
    }
    float count_least = SUM(at_least), count_greatest = SUM(at_greatest);
    for (int i = whole + lane; i < size; i += LANES) {
        count_least += x[i] == least ? 1.0f : 0.0f;
        count_greatest += x[i] == greatest ? 1.0f : 0.0f;
        y[i] = flat ? (x[i] != x[i] ? x[i] : 0.0f) : (x[i] - least) / span;
    }
    JOIN_LANES_FOR_ALL(count_least, scratch, PLUS);
    JOIN_LANES_FOR_ALL(count_greatest, scratch, PLUS);
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
    LANE_SCRATCH(float, scratch);
    const int image = (int)get_group_id(0), lane = (int)get_local_id(0);
    const int whole = size / WIDTH * WIDTH;
    x += (size_t)image * size;
    y += (size_t)image * size;
    dy += (size_t)image * size;
    dx += (size_t)image * size;
    const float least = range[4 * image], greatest = range[4 * image + 1], span = greatest - least;
    const bool flat = span < SMALLEST_NORMAL;
    floatv low = SPLAT(0.0f), high = SPLAT(0.0f);
    for (int i = lane * WIDTH; i < whole; i += LANES * WIDTH) {
        const floatv u = LOAD_ANY(dy + i), v = LOAD_ANY(y + i);
        low += u * (v - 1.0f);
        high -= u * v;
    }
    float to_least = SUM(low), to_greatest = SUM(high);
    for (int i = whole + lane; i < size; i += LANES) {
        to_least += dy[i] * (y[i] - 1.0f);
        to_greatest -= dy[i] * y[i];
    }
    JOIN_LANES_FOR_ALL(to_least, scratch, PLUS);
    to_least /= range[4 * image + 2];
    JOIN_LANES_FOR_ALL(to_greatest, scratch, PLUS);
    to_greatest /= range[4 * image + 3];

    const floatv zero = SPLAT(0.0f), share_least = SPLAT(to_least), share_greatest = SPLAT(to_greatest);
    for (int i = lane * WIDTH; i < whole; i += LANES * WIDTH) {
        const floatv v = LOAD_ANY(x + i);
        const floatv gradient = LOAD_ANY(dy + i) + pick(v == least, share_least, zero) + pick(v == greatest, share_greatest, zero);
        STORE_ANY(flat ? zero : gradient / span, dx + i);
    }
    for (int i = whole + lane; i < size; i += LANES) {
        const float gradient = dy[i] + (x[i] == least ? to_least : 0.0f) + (x[i] == greatest ? to_greatest : 0.0f);
        dx[i] = flat ? 0.0f : gradient / span;
    }
}
