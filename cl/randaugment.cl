/* Operations on the bytes of pictures, one work-group of LANES work-items per picture (dim 0), then normalised floats.
 *
 * CHANNELS is 1 or 3. bytes, spare [n,S,S,CHANNELS] u8: the picture is in `bytes` at first; an operation that reads other places than it writes moves it from
 * the one to the other. operations [n,count,8]: kind, factor (a float's bits), value[6], see cc_picture_operation in host/ops/ops.h.
 * Everything is integer arithmetic but the blends, which are as Pillow has them: float, each product and sum rounded, then cut. */
#include "normalise.clh"
#include "vector.clh"

#pragma OPENCL FP_CONTRACT OFF

#ifndef CHANNELS
#define CHANNELS 3
#endif
#define OPERATION_WORDS 8
#define LEVELS 256

enum { IDENTITY, AUTOCONTRAST, EQUALIZE, BRIGHTNESS, COLOUR, CONTRAST, SHARPNESS, POSTERIZE, SOLARIZE, AFFINE, CUTOUT };

#if LANES > 1
#define MEET() barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)
#define COUNT_ONE(place) atomic_inc(place) /* whole numbers: the order does not matter */
#else
#define MEET() (void)0
#define COUNT_ONE(place) (*(place) += 1)
#endif

/* ITU-R 601-2 in 16 bits of fraction. A grey picture is its own luma. */
static int luma(__global const uchar *pixel)
{
    return CHANNELS == 1 ? pixel[0] : (pixel[0] * 19595 + pixel[1] * 38470 + pixel[2] * 7471 + 0x8000) >> 16;
}

/* From `other` towards `byte`. */
static uchar blend(int other, int byte, float factor)
{
    const float way = factor * (float)(byte - other);
    return (uchar)((float)other + way);
}

/* ---- histograms, and what they are made into */

/* Counts the levels of each channel, or those of the luma in the first histogram. */
static void count_levels(__global const uchar *from, __local int *levels, int pixels, bool of_luma, int lane)
{
    for (int p = lane; p < pixels; p += LANES) {
        if (of_luma) {
            COUNT_ONE(levels + luma(from + p * CHANNELS));
        } else {
            for (int k = 0; k < CHANNELS; k++) COUNT_ONE(levels + k * LEVELS + from[p * CHANNELS + k]);
        }
    }
}

/* The levels of one channel are replaced by what each becomes. autocontrast: the least one 0, the greatest one 255. equalize: so that they are
 * as frequent. A picture of one level remains as it is. */
static void make_table(__local int *levels, int kind, int pixels)
{
    int least = 0, greatest = LEVELS - 1;
    while (least < greatest && levels[least] == 0) least++;
    while (greatest > least && levels[greatest] == 0) greatest--;
    const int step = (pixels - levels[greatest]) / 255, divisor = kind == EQUALIZE ? step : greatest - least;
    int sum = step / 2;
    for (int i = 0; i < LEVELS; i++) {
        const int dividend = kind == EQUALIZE ? sum : (i - least) * 255;
        sum += levels[i];
        levels[i] = divisor == 0 ? i : clamp(dividend / divisor, 0, 255);
    }
}

/* The mean luma to the nearest whole number, into the place of level 0. */
static void mean_of_levels(__local int *levels, int pixels)
{
    uint sum = 0;
    for (int i = 0; i < LEVELS; i++) sum += (uint)i * (uint)levels[i];
    const uint whole = sum / (uint)pixels, rest = sum - whole * (uint)pixels;
    levels[0] = (int)(whole + (2 * rest >= (uint)pixels ? 1 : 0));
}

/* ---- operations; those that move the picture say so */

static void look_up(__global uchar *picture, __local const int *table, int values, int lane)
{
    for (int e = lane; e < values; e += LANES) picture[e] = (uchar)table[e % CHANNELS * LEVELS + picture[e]];
}

/* Towards black, the pixel's luma, or the mean luma. */
static void blend_pixels(__global uchar *picture, int kind, float factor, int mean, int pixels, int lane)
{
    for (int p = lane; p < pixels; p += LANES) {
        __global uchar *pixel = picture + p * CHANNELS;
        const int other = kind == BRIGHTNESS ? 0 : kind == COLOUR ? luma(pixel) : mean;
        for (int k = 0; k < CHANNELS; k++) pixel[k] = blend(other, pixel[k], factor);
    }
}

static void posterize_or_solarize(__global uchar *picture, int kind, int value, int values, int lane)
{
    for (int e = lane; e < values; e += LANES) {
        const int byte = picture[e];
        picture[e] = (uchar)(kind == POSTERIZE ? byte & value : byte < value ? byte : 255 - byte);
    }
}

/* From the smoothed picture; pixels at the edge are not smoothed. */
static void sharpen(__global const uchar *from, __global uchar *to, float factor, int size, int lane)
{
    const int row = size * CHANNELS;
    for (int e = lane; e < size * row; e += LANES) {
        const int y = e / row, x = (e - y * row) / CHANNELS, byte = from[e];
        if (y == 0 || x == 0 || y == size - 1 || x == size - 1) {
            to[e] = (uchar)byte;
            continue;
        }
        __global const uchar *above = from + (e - row), *here = from + e, *below = from + (e + row);
        int sum = 4 * byte;
        for (int k = -CHANNELS; k <= CHANNELS; k += CHANNELS) sum += above[k] + here[k] + below[k];
        to[e] = blend((2 * sum + 13) / 26, byte, factor);
    }
}

static void move_pixels(__global const uchar *from, __global uchar *to, __global const int *value, int size, int lane)
{
    for (int p = lane; p < size * size; p += LANES) {
        const int y = p / size, x = p - y * size;
        const int column = (value[0] * x + value[1] * y + value[2]) >> 16, row = (value[3] * x + value[4] * y + value[5]) >> 16;
        const bool inside = column >= 0 && column < size && row >= 0 && row < size;
        const int shown = (row * size + column) * CHANNELS;
        for (int k = 0; k < CHANNELS; k++) to[p * CHANNELS + k] = inside ? from[shown + k] : (uchar)0;
    }
}

static void cut_out(__global uchar *picture, __global const int *value, int size, int lane)
{
    const int rows = value[2] - value[0], columns = value[3] - value[1];
    for (int p = lane; p < rows * columns; p += LANES) {
        const int y = p / columns, x = p - y * columns;
        __global uchar *pixel = picture + ((value[0] + y) * size + value[1] + x) * CHANNELS;
        for (int k = 0; k < CHANNELS; k++) pixel[k] = (uchar)(CHANNELS == 1 ? 123 : k == 0 ? 125 : k == 1 ? 123 : 114);
    }
}

__kernel __attribute__((reqd_work_group_size(LANES, 1, 1))) void randaugment(__global uchar *bytes, __global uchar *spare,
                                                                             __global const int *operations,
                                                                             __global const float *normalise, __global float *dst,
                                                                             int size, int count, int dst_row0)
{
    __local int levels[3 * LEVELS];
    const int image = (int)get_group_id(0), lane = (int)get_local_id(0);
    const int pixels = size * size, values = pixels * CHANNELS;
    __global uchar *picture = bytes + (size_t)image * values, *other = spare + (size_t)image * values;
    operations += (size_t)image * count * OPERATION_WORDS;
    for (int i = 0; i < count; i++, operations += OPERATION_WORDS) {
        const int kind = operations[0];
        const float factor = as_float(operations[1]);
        const bool moves = kind == SHARPNESS || kind == AFFINE;
        for (int e = lane; e < 3 * LEVELS; e += LANES) levels[e] = 0;
        MEET();
        if (kind == AUTOCONTRAST || kind == EQUALIZE || kind == CONTRAST)
            count_levels(picture, levels, pixels, kind == CONTRAST, lane);
        MEET();
        /* By one lane, even the tables of three channels: where three lanes part, compilers run out of scalar registers (gfx90a). */
        if (kind == CONTRAST && lane == 0) mean_of_levels(levels, pixels);
        for (int k = 0; k < CHANNELS && lane == 0 && (kind == AUTOCONTRAST || kind == EQUALIZE); k++)
            make_table(levels + k * LEVELS, kind, pixels);
        MEET();
        switch (kind) {
        case AUTOCONTRAST:
        case EQUALIZE: look_up(picture, levels, values, lane); break;
        case BRIGHTNESS:
        case COLOUR:
        case CONTRAST: blend_pixels(picture, kind, factor, levels[0], pixels, lane); break;
        case POSTERIZE:
        case SOLARIZE: posterize_or_solarize(picture, kind, operations[2], values, lane); break;
        case SHARPNESS: sharpen(picture, other, factor, size, lane); break;
        case AFFINE: move_pixels(picture, other, operations + 2, size, lane); break;
        case CUTOUT: cut_out(picture, operations + 2, size, lane); break;
        }
        MEET();
        if (moves) {
            __global uchar *const moved = other;
            other = picture;
            picture = moved;
        }
    }
    dst += (size_t)(dst_row0 + image) * values;
    for (int e = lane; e < values; e += LANES) dst[e] = normalised((float)picture[e], normalise, e % CHANNELS, CHANNELS);
}
