/* T = crop, resize back to S x S, rotate by quarter turns counter-clockwise; src, dst [*,S,S,C].
 *
 * transforms [n,8] i32: source, flip_h, flip_v, y0, x0, y1, x1, turns; the crop is rows [y0,y1) x columns [x0,x1). With R the crop
 * resized (half-pixel centres, clamped at the crop's edge):
 *
 *     out[a,b] = R[a',b'],   (a',b') = (a,b), (b,S-1-a), (S-1-a,S-1-b), (S-1-b,a)   for turns 0, 1, 2, 3
 *
 * Work-items: dim 2 = image, dim 1 = a row of the result, dim 0 strides over its columns (any global size along dim 0 is right).
 * src and dst may be one buffer, with different rows: no restrict here. */
#include "bilinear.clh"

#define TRANSFORM_INTS 8

typedef struct geometry {
    int y0, x0, height, width, turns;
} geometry;

static geometry load_geometry(__global const int *transforms, int image)
{
    __global const int *t = transforms + TRANSFORM_INTS * image;
    geometry g = { t[3], t[4], t[5] - t[3], t[6] - t[4], t[7] & 3 };
    return g;
}

__kernel void warp_forward(__global const float *src, __global const int *transforms, __global float *dst, int n, int size, int c,
                           int src_row0, int dst_row0)
{
    const int image = (int)get_global_id(2), a = (int)get_global_id(1);
    if (image >= n || a >= size) return;
    const geometry g = load_geometry(transforms, image);
    const size_t image_floats = (size_t)size * size * c;
    __global const float *in = src + (size_t)(src_row0 + image) * image_floats;
    __global float *out = dst + (size_t)(dst_row0 + image) * image_floats + (size_t)a * size * c;
    for (int b = (int)get_global_id(0); b < size; b += (int)get_global_size(0)) {
        const int row = g.turns == 0 ? a : g.turns == 1 ? b : g.turns == 2 ? size - 1 - a : size - 1 - b;
        const int column = g.turns == 0 ? b : g.turns == 1 ? size - 1 - a : g.turns == 2 ? size - 1 - b : a;
        const tap ty = centred_tap(row, g.height, size), tx = centred_tap(column, g.width, size);
        __global const float *top = in + (g.y0 + ty.i0) * size * c, *bottom = in + (g.y0 + ty.i1) * size * c;
        const int left = (g.x0 + tx.i0) * c, right = (g.x0 + tx.i1) * c;
        for (int k = 0; k < c; k++)
            out[b * c + k] = ty.w0 * (tx.w0 * top[left + k] + tx.w1 * top[right + k])
                             + ty.w1 * (tx.w0 * bottom[left + k] + tx.w1 * bottom[right + k]);
    }
}

/* dsrc[i,j] (+)= sum over the pixels (a',b') of R that read (i,j) of wy(a',i) wx(b',j) ddst[where the rotation put (a',b')]; pixels outside
 * the crop get 0. */
__kernel void warp_backward(__global const float *ddst, __global const int *transforms, __global float *dsrc, int n, int size, int c,
                            int src_row0, int dst_row0, int add)
{
    const int image = (int)get_global_id(2), i = (int)get_global_id(1);
    if (image >= n || i >= size) return;
    const geometry g = load_geometry(transforms, image);
    const size_t image_floats = (size_t)size * size * c;
    __global const float *in = ddst + (size_t)(dst_row0 + image) * image_floats;
    __global float *out = dsrc + (size_t)(src_row0 + image) * image_floats + (size_t)i * size * c;
    const int y = i - g.y0;
    const bool row_inside = y >= 0 && y < g.height;
    const int row_first = row_inside ? centred_first(y, g.height, size) : 0;
    const int row_last = row_inside ? centred_last(y, g.height, size) : -1;
    for (int j = (int)get_global_id(0); j < size; j += (int)get_global_size(0)) {
        const int x = j - g.x0;
        const bool column_inside = x >= 0 && x < g.width;
        const int column_first = column_inside ? centred_first(x, g.width, size) : 0;
        const int column_last = column_inside ? centred_last(x, g.width, size) : -1;
        for (int k = 0; k < c; k++) {
            float sum = 0.0f;
            for (int row = row_first; row <= row_last; row++) {
                const float wy = tap_weight(centred_tap(row, g.height, size), y);
                float row_sum = 0.0f;
                for (int column = column_first; column <= column_last; column++) {
                    const int a = g.turns == 0 ? row : g.turns == 1 ? size - 1 - column : g.turns == 2 ? size - 1 - row : column;
                    const int b = g.turns == 0 ? column : g.turns == 1 ? row : g.turns == 2 ? size - 1 - column : size - 1 - row;
                    row_sum += tap_weight(centred_tap(column, g.width, size), x) * in[(a * size + b) * c + k];
                }
                sum += wy * row_sum;
            }
            out[j * c + k] = add ? out[j * c + k] + sum : sum;
        }
    }
}
