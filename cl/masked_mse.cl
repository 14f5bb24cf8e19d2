/* Masked mean squared error over n images of `size` pixels: sums = {sum_i mask_i mean_pixels (a-b)^2, sum_i mask_i, n, 0}.
 *
 * An image whose mask is 0 is not read: whatever it holds, it adds nothing and gets no gradient. */
#include "vector.clh"

/* One work-group of LANES work-items per image (dim 0). */
__kernel __attribute__((reqd_work_group_size(LANES, 1, 1))) void masked_mse_forward_images(__global const float *a,
                                                                                           __global const float *b,
                                                                                           __global const float *mask,
                                                                                           __global float *errors, int size)
{
    LANE_SCRATCH(float, scratch);
    const int image = (int)get_group_id(0), lane = (int)get_local_id(0);
    const int whole = size / WIDTH * WIDTH;
    const int counted = mask[image] != 0.0f ? size : 0;
    a += (size_t)image * size;
    b += (size_t)image * size;
    floatv squares = SPLAT(0.0f);
    for (int i = lane * WIDTH; i < min(whole, counted); i += LANES * WIDTH) {
        const floatv difference = LOAD_ANY(a + i) - LOAD_ANY(b + i);
        squares += difference * difference;
    }
    float sum = SUM(squares);
    for (int i = whole + lane; i < counted; i += LANES) sum += (a[i] - b[i]) * (a[i] - b[i]);
    JOIN_LANES_FOR_ALL(sum, scratch, PLUS);
    if (lane == 0) errors[image] = counted != 0 ? mask[image] * (sum / (float)size) : 0.0f;
}

/* One work-group adds up the images. */
__kernel __attribute__((reqd_work_group_size(LANES, 1, 1))) void masked_mse_forward_sum(__global const float *errors,
                                                                                        __global const float *mask, __global float *sums,
                                                                                        int n)
{
    LANE_SCRATCH(float, scratch);
    const int lane = (int)get_local_id(0);
    float error = 0.0f, count = 0.0f;
    for (int i = lane; i < n; i += LANES) {
        error += errors[i];
        count += mask[i];
    }
    JOIN_LANES_FOR_ALL(error, scratch, PLUS);
    JOIN_LANES_FOR_ALL(count, scratch, PLUS);
    if (lane == 0) {
        sums[0] = error;
        sums[1] = count;
        sums[2] = (float)n;
        sums[3] = 0.0f;
    }
}

/* da = scale / max(denominator, 1) * mask * 2 (a - b) / size; db = -da when both. dim 1 = image, dim 0 strides over the pixels (any global
 * size along dim 0 is right). */
__kernel void masked_mse_backward(__global const float *a, __global const float *b, __global const float *mask,
                                  __global const float *denominators, __global float *da, __global float *db, int n, int size, int index,
                                  float scale, int both)
{
    const int image = (int)get_global_id(1);
    if (image >= n) return;
    const bool counted = mask[image] != 0.0f;
    const float factor = scale / fmax(denominators[index], 1.0f) * mask[image] * 2.0f / (float)size;
    const size_t start = (size_t)image * size;
    const int whole = size / WIDTH * WIDTH, item = (int)get_global_id(0), items = (int)get_global_size(0);
    for (int i = item * WIDTH; i < whole; i += items * WIDTH) {
        const floatv gradient = counted ? factor * (LOAD_ANY(a + start + i) - LOAD_ANY(b + start + i)) : SPLAT(0.0f);
        STORE_ANY(gradient, da + start + i);
        if (both) STORE_ANY(-gradient, db + start + i);
    }
    for (int i = whole + item; i < size; i += items) {
        const float gradient = counted ? factor * (a[start + i] - b[start + i]) : 0.0f;
        da[start + i] = gradient;
        if (both) db[start + i] = -gradient;
    }
}
