/* Bytes -> normalised floats, and labels by index.
 *
 * pixels [*,H,W,C] u8 holds the images first_image .. first_image+images-1 of the data set; the image of row i is transforms[i].source.
 * transforms [n,8] i32: source, flip_h, flip_v, y0, x0, y1, x1, -; normalise [2C] = mean, 1/std. With u = the image resized to size x size
 * (bilinear, corners aligned) and then flipped,
 *
 *     dst[dst_row0+i,a,b,k] = (v/255 - mean[k]) / std[k],  v = u[a,b], or u[y0+a,x0+b] reflected at the edges of u where `shifted`
 *
 * Work-items: dim 2 = row i, dim 1 = pixel row a, dim 0 strides over columns (any global size along dim 0 is right). */
#include "bilinear.clh"
#include "normalise.clh"

#define TRANSFORM_INTS 8

/* The place in the unflipped image of place i of the window that begins at `first`. The pixel at the edge is not repeated. */
static int window_place(int i, int first, int shifted, int flip, int size)
{
    int place = shifted ? first + i : i;
    place = place < 0 ? -place : place >= size ? 2 * (size - 1) - place : place;
    return flip ? size - 1 - place : place;
}

/* size = H = W: no taps. */
__kernel void load_images_native(__global const uchar *pixels, __global const int *transforms, __global const float *normalise,
                                 __global float *dst, int n, int c, int size, int dst_row0, int first_image, int images,
                                 int shifted)
{
    const int i = (int)get_global_id(2), a = (int)get_global_id(1);
    if (i >= n || a >= size) return;
    __global const int *t = transforms + TRANSFORM_INTS * i;
    if (t[0] < first_image || t[0] - first_image >= images) return;
    const int row = window_place(a, t[3], shifted, t[2], size);
    __global const uchar *in = pixels + ((size_t)(t[0] - first_image) * size + row) * size * c;
    __global float *out = dst + ((size_t)(dst_row0 + i) * size + a) * size * c;
    for (int b = (int)get_global_id(0); b < size; b += (int)get_global_size(0)) {
        const int from = window_place(b, t[4], shifted, t[1], size) * c, to = b * c;
        for (int k = 0; k < c; k++) out[to + k] = normalised(in[from + k], normalise, k, c);
    }
}

__kernel void load_images_resize(__global const uchar *pixels, __global const int *transforms, __global const float *normalise,
                                 __global float *dst, int n, int h, int w, int c, int size, int dst_row0, int first_image, int images,
                                 int shifted)
{
    const int i = (int)get_global_id(2), a = (int)get_global_id(1);
    if (i >= n || a >= size) return;
    __global const int *t = transforms + TRANSFORM_INTS * i;
    if (t[0] < first_image || t[0] - first_image >= images) return;
    const tap ty = aligned_tap(window_place(a, t[3], shifted, t[2], size), h, size);
    __global const uchar *image = pixels + (size_t)(t[0] - first_image) * h * w * c;
    __global const uchar *top = image + ty.i0 * w * c, *bottom = image + ty.i1 * w * c;
    __global float *out = dst + ((size_t)(dst_row0 + i) * size + a) * size * c;
    for (int b = (int)get_global_id(0); b < size; b += (int)get_global_size(0)) {
        const tap tx = aligned_tap(window_place(b, t[4], shifted, t[1], size), w, size);
        const int left = tx.i0 * c, right = tx.i1 * c;
        for (int k = 0; k < c; k++) {
            const float v = ty.w0 * (tx.w0 * top[left + k] + tx.w1 * top[right + k])
                            + ty.w1 * (tx.w0 * bottom[left + k] + tx.w1 * bottom[right + k]);
            out[b * c + k] = normalised(v, normalise, k, c);
        }
    }
}

/* Channel k of u before it is flipped, at (row, column). */
static float resized_byte(__global const uchar *image, int row, int column, int h, int w, int c, int size, int k)
{
    if (h == size && w == size) return image[(row * size + column) * c + k];
    const tap ty = aligned_tap(row, h, size), tx = aligned_tap(column, w, size);
    __global const uchar *top = image + ty.i0 * w * c + k, *bottom = image + ty.i1 * w * c + k;
    return ty.w0 * (tx.w0 * top[tx.i0 * c] + tx.w1 * top[tx.i1 * c]) + ty.w1 * (tx.w0 * bottom[tx.i0 * c] + tx.w1 * bottom[tx.i1 * c]);
}

/* v = the window u[y0..y1,x0..x1] resized to size x size (bilinear, half-pixel centres, clamped at its edge), at (a,b). */
__kernel void load_images_scaled(__global const uchar *pixels, __global const int *transforms, __global const float *normalise,
                                 __global float *dst, int n, int h, int w, int c, int size, int dst_row0, int first_image, int images)
{
    const int i = (int)get_global_id(2), a = (int)get_global_id(1);
    if (i >= n || a >= size) return;
    __global const int *t = transforms + TRANSFORM_INTS * i;
    if (t[0] < first_image || t[0] - first_image >= images) return;
    const tap ty = centred_tap(a, t[5] - t[3], size);
    const int top = window_place(ty.i0, t[3], 1, t[2], size), bottom = window_place(ty.i1, t[3], 1, t[2], size);
    __global const uchar *image = pixels + (size_t)(t[0] - first_image) * h * w * c;
    __global float *out = dst + ((size_t)(dst_row0 + i) * size + a) * size * c;
    for (int b = (int)get_global_id(0); b < size; b += (int)get_global_size(0)) {
        const tap tx = centred_tap(b, t[6] - t[4], size);
        const int left = window_place(tx.i0, t[4], 1, t[1], size), right = window_place(tx.i1, t[4], 1, t[1], size);
        for (int k = 0; k < c; k++) {
            const float v = ty.w0 * (tx.w0 * resized_byte(image, top, left, h, w, c, size, k)
                                     + tx.w1 * resized_byte(image, top, right, h, w, c, size, k))
                            + ty.w1 * (tx.w0 * resized_byte(image, bottom, left, h, w, c, size, k)
                                       + tx.w1 * resized_byte(image, bottom, right, h, w, c, size, k));
            out[b * c + k] = normalised(v, normalise, k, c);
        }
    }
}

/* dst[dst_row0+i,a,b,k] u8 = v as above, to the nearest whole number. */
__kernel void load_bytes(__global const uchar *pixels, __global const int *transforms, __global uchar *dst, int n, int h, int w, int c,
                         int size, int dst_row0, int first_image, int images, int shifted)
{
    const int i = (int)get_global_id(2), a = (int)get_global_id(1);
    if (i >= n || a >= size) return;
    __global const int *t = transforms + TRANSFORM_INTS * i;
    if (t[0] < first_image || t[0] - first_image >= images) return;
    const int row = window_place(a, t[3], shifted, t[2], size);
    __global const uchar *image = pixels + (size_t)(t[0] - first_image) * h * w * c;
    __global uchar *out = dst + ((size_t)(dst_row0 + i) * size + a) * size * c;
    for (int b = (int)get_global_id(0); b < size; b += (int)get_global_size(0)) {
        const int column = window_place(b, t[4], shifted, t[1], size);
        for (int k = 0; k < c; k++) out[b * c + k] = (uchar)(resized_byte(image, row, column, h, w, c, size, k) + 0.5f);
    }
}

/* out[i] = labels[transforms[i].source], or -1 where source < 0 */
__kernel void load_labels(__global const int *labels, __global const int *transforms, __global int *out, int n)
{
    const int i = (int)get_global_id(0);
    if (i >= n) return;
    const int source = transforms[TRANSFORM_INTS * i];
    out[i] = source < 0 ? -1 : labels[source];
}
