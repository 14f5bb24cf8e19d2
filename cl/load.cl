/* Bytes -> normalised floats, and labels by index.
 *
 * pixels [*,H,W,C] u8 holds the images first_image .. first_image+images-1 of the data set; the image of row i is transforms[i].source.
 * transforms [n,8] i32: source, flip_h, flip_v, ...; normalise [2C] = mean, 1/std.
 *
 *     dst[dst_row0+i,a,b,k] = (v/255 - mean[k]) / std[k],  v = the resized image (bilinear, corners aligned) at the mirrored (a,b)
 *
 * Work-items: dim 2 = row i, dim 1 = pixel row a, dim 0 strides over columns (any global size along dim 0 is right). */
#include "bilinear.clh"

#define TRANSFORM_INTS 8

static float normalised(float byte_value, __global const float *normalise, int channel, int c)
{
    return (byte_value * (1.0f / 255.0f) - normalise[channel]) * normalise[c + channel];
}

/* size = H = W: no taps. */
__kernel void load_images_native(__global const uchar *pixels, __global const int *transforms, __global const float *normalise,
                                 __global float *dst, int n, int c, int size, int dst_row0, int first_image, int images)
{
    const int i = (int)get_global_id(2), a = (int)get_global_id(1);
    if (i >= n || a >= size) return;
    __global const int *t = transforms + TRANSFORM_INTS * i;
    if (t[0] < first_image || t[0] - first_image >= images) return;
    const int row = t[2] ? size - 1 - a : a;
    __global const uchar *in = pixels + ((size_t)(t[0] - first_image) * size + row) * size * c;
    __global float *out = dst + ((size_t)(dst_row0 + i) * size + a) * size * c;
    for (int b = (int)get_global_id(0); b < size; b += (int)get_global_size(0)) {
        const int from = (t[1] ? size - 1 - b : b) * c, to = b * c;
        for (int k = 0; k < c; k++) out[to + k] = normalised(in[from + k], normalise, k, c);
    }
}

__kernel void load_images_resize(__global const uchar *pixels, __global const int *transforms, __global const float *normalise,
                                 __global float *dst, int n, int h, int w, int c, int size, int dst_row0, int first_image, int images)
{
    const int i = (int)get_global_id(2), a = (int)get_global_id(1);
    if (i >= n || a >= size) return;
    __global const int *t = transforms + TRANSFORM_INTS * i;
    if (t[0] < first_image || t[0] - first_image >= images) return;
    const tap ty = aligned_tap(t[2] ? size - 1 - a : a, h, size);
    __global const uchar *image = pixels + (size_t)(t[0] - first_image) * h * w * c;
    __global const uchar *top = image + ty.i0 * w * c, *bottom = image + ty.i1 * w * c;
    __global float *out = dst + ((size_t)(dst_row0 + i) * size + a) * size * c;
    for (int b = (int)get_global_id(0); b < size; b += (int)get_global_size(0)) {
        const tap tx = aligned_tap(t[1] ? size - 1 - b : b, w, size);
        const int left = tx.i0 * c, right = tx.i1 * c;
        for (int k = 0; k < c; k++) {
            const float v = ty.w0 * (tx.w0 * top[left + k] + tx.w1 * top[right + k])
                            + ty.w1 * (tx.w0 * bottom[left + k] + tx.w1 * bottom[right + k]);
            out[b * c + k] = normalised(v, normalise, k, c);
        }
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
