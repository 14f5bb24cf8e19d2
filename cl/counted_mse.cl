/* Mean squared error over n images of size x size pixels, of which some count. maps [n,12] (cl/affine_warp.cl): [10] = how many; rows
 * [n,S,4] i32: begin, hole_begin, hole_end, end of each row's pixels that count. masked_mse_forward_sum adds up the images.
 *
 * Pixels that do not count, and images whose mask is 0, are not read: whatever they hold, they add nothing and get no gradient. */
#include "vector.clh"

#define MAP_FLOATS 12
#define COUNTED 10

static bool counts(__global const int *row, int b) { return b >= row[0] && b < row[3] && (b < row[1] || b >= row[2]); }

/* One work-group of LANES work-items per image (dim 0): errors[i] = mask_i * the mean of (a-b)^2 over its pixels that count. */
__kernel __attribute__((reqd_work_group_size(LANES, 1, 1))) void counted_mse_forward_images(__global const float *a,
                                                                                            __global const float *b,
                                                                                            __global const float *mask,
                                                                                            __global const float *maps,
                                                                                            __global const int *rows,
                                                                                            __global float *errors, int size)
{
    LANE_SCRATCH(float, scratch);
    const int image = (int)get_group_id(0), lane = (int)get_local_id(0);
    const float counted = maps[MAP_FLOATS * image + COUNTED];
    const int pixels = mask[image] != 0.0f && counted > 0.0f ? size * size : 0;
    a += (size_t)image * size * size;
    b += (size_t)image * size * size;
    rows += (size_t)image * size * 4;
    float sum = 0.0f;
    for (int i = lane; i < pixels; i += LANES)
        if (counts(rows + i / size * 4, i % size)) sum += (a[i] - b[i]) * (a[i] - b[i]);
    JOIN_LANES_FOR_ALL(sum, scratch, PLUS);
    if (lane == 0) errors[image] = pixels != 0 ? mask[image] * (sum / counted) : 0.0f;
}

/* da = scale / max(denominator, 1) * mask * 2 (a - b) / counted, or 0; db = -da when both. dim 1 = image, dim 0 strides over the pixels (any
 * global size along dim 0 is right). */
__kernel void counted_mse_backward(__global const float *a, __global const float *b, __global const float *mask,
                                   __global const float *maps, __global const int *rows, __global const float *denominators,
                                   __global float *da, __global float *db, int n, int size, int index, float scale, int both)
{
    const int image = (int)get_global_id(1);
    if (image >= n) return;
    const float counted = maps[MAP_FLOATS * image + COUNTED];
    const bool counted_image = mask[image] != 0.0f && counted > 0.0f;
    const float factor = scale / fmax(denominators[index], 1.0f) * mask[image] * 2.0f / counted;
    const size_t start = (size_t)image * size * size;
    rows += (size_t)image * size * 4;
    for (int i = (int)get_global_id(0); i < size * size; i += (int)get_global_size(0)) {
        const bool reads = counted_image && counts(rows + i / size * 4, i % size);
        const float gradient = reads ? factor * (a[start + i] - b[start + i]) : 0.0f;
        da[start + i] = gradient;
        if (both) db[start + i] = -gradient;
    }
}
