/* Antialiased bilinear scaling.
 *
 * A pixel i of an axis that shrinks by the factor s has its centre at (i + 1/2) s of the original axis, and is the mean of the pixels
 * around it with weights max(0, 1 - d / max(s, 1)), d their distance from the centre. Both axes are weighted one after the other: rows
 * first, because a sum of whole rows is what vector units do best, and because then only as many rows as are wanted pass the other axis.
 * Sums stay in float between the axes, so that the result is the exact one, rounded once. */
#include "image/scale.h"

#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/memory.h"

/* Floats that the sums over pixels may read beyond the last one; they count with weight 0 or are dropped. */
#define SLACK 4

/* The weights of an axis' wanted pixels: `most` floats for each, 0 beyond its own count; most is a multiple of 4. */
typedef struct taps {
    uint32_t *first, *count;
    float *weights;
    size_t most;
    uint32_t low, high; /* all of them lie in low..high - 1 of the original axis */
} taps;

static void taps_free(taps *t)
{
    free(t->first);
    free(t->count);
    free(t->weights);
}

/* The weights around one centre, normalised; returns how many there are. */
static uint32_t weigh(double center, double support, uint32_t from, float *weights, uint32_t *first)
{
    double low = center - support + 0.5, high = center + support + 0.5, sum = 0;
    uint32_t begin = low > 0 ? (uint32_t)low : 0, end = high < from ? (uint32_t)high : from, count = end - begin;
    for (int pass = 0; pass < 2; pass++) {
        double scale = pass == 0 ? 1 : 1 / sum;
        for (uint32_t k = 0; k < count; k++) {
            double distance = (begin + k + 0.5 - center) / support;
            double weight = distance < 0 ? 1 + distance : 1 - distance;
            if (weight < 0) weight = 0;
            if (pass == 0)
                sum += weight;
            else
                weights[k] = (float)(weight * scale);
        }
    }
    while (count > 1 && weights[count - 1] == 0)
        count--;
    *first = begin;
    return count;
}

static camcl_status taps_make(const cc_axis *axis, uint32_t from, taps *out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    taps t = { .low = from };
    double scale = axis->extent / (double)axis->to, support = scale > 1 ? scale : 1;
    t.most = cc_round_up((size_t)cc_min_size((size_t)(2 * support) + 2, from), 4);
    CC_TRY(CC_NEW(axis->count, &t.first, err));
    CC_TRY(CC_NEW(axis->count, &t.count, err));
    CC_TRY(CC_NEW(axis->count * t.most, &t.weights, err));
    for (uint32_t i = 0; i < axis->count; i++) {
        double center = axis->origin + ((double)axis->first + i + 0.5) * scale;
        t.count[i] = weigh(center, support, from, t.weights + i * t.most, &t.first[i]);
        if (t.first[i] < t.low) t.low = t.first[i];
        if (t.first[i] + t.count[i] > t.high) t.high = t.first[i] + t.count[i];
    }
    *out = t;
    return CAMCL_OK;
cleanup:
    taps_free(&t);
    return status;
}

/* Two rows at a time: half as many passes over the sums. */
static void add_rows(const uint8_t *restrict a, const uint8_t *restrict b, float weight_a, float weight_b, size_t count,
                     float *restrict sums)
{
    for (size_t i = 0; i < count; i++)
        sums[i] += weight_a * (float)a[i] + weight_b * (float)b[i];
}

/* The weighted sum of `count` rows that are `stride` bytes apart. */
static void sum_rows(const uint8_t *rows, size_t stride, const float *weights, uint32_t count, size_t size, float *sums)
{
    memset(sums, 0, size * sizeof *sums);
    for (uint32_t k = 0; k < count; k += 2) {
        const uint8_t *row = rows + k * stride;
        add_rows(row, k + 1 < count ? row + stride : row, weights[k], weights[k + 1], size, sums);
    }
}

static uint8_t to_byte(float value) { return (uint8_t)(value + 0.5f); }

/* Sums over the pixels of a row of sums that begins at pixel t->low. Four floats are added at a time, of which the fourth belongs to the
 * next pixel and is dropped. */
static void sum_pixels_rgb(const float *line, const taps *t, uint32_t count, uint8_t *to)
{
    for (uint32_t i = 0; i < count; i++, to += 3) {
        const float *from = line + (size_t)(t->first[i] - t->low) * 3, *weights = t->weights + i * t->most;
        float sums[4] = { 0, 0, 0, 0 };
        for (uint32_t k = 0; k < t->count[i]; k++, from += 3)
            for (int c = 0; c < 4; c++)
                sums[c] += weights[k] * from[c];
        to[0] = to_byte(sums[0]);
        to[1] = to_byte(sums[1]);
        to[2] = to_byte(sums[2]);
    }
}

static void sum_pixels_grey(const float *line, const taps *t, uint32_t count, uint8_t *to)
{
    for (uint32_t i = 0; i < count; i++) {
        const float *from = line + (t->first[i] - t->low), *weights = t->weights + i * t->most;
        float sums[4] = { 0, 0, 0, 0 };
        for (uint32_t k = 0; k < t->count[i]; k += 4)
            for (int c = 0; c < 4; c++)
                sums[c] += weights[k + c] * from[k + c];
        to[i] = to_byte(sums[0] + sums[1] + (sums[2] + sums[3]));
    }
}

static camcl_status scale_both(const camcl_image *image, const cc_axis *x, const cc_axis *y, uint8_t *to, size_t stride, camcl_error *err)
{
    const size_t row = (size_t)image->width * image->channels;
    camcl_status status = CAMCL_OK;
    taps across = { 0 }, down = { 0 };
    float *line = NULL;
    CC_TRY(taps_make(x, image->width, &across, err));
    CC_TRY(taps_make(y, image->height, &down, err));
    size_t size = (size_t)(across.high - across.low) * image->channels;
    CC_TRY(CC_NEW(size + SLACK, &line, err));
    for (uint32_t i = 0; i < y->count; i++) {
        const uint8_t *rows = image->pixels + down.first[i] * row + (size_t)across.low * image->channels;
        sum_rows(rows, row, down.weights + i * down.most, down.count[i], size, line);
        if (image->channels == 3)
            sum_pixels_rgb(line, &across, x->count, to + i * stride);
        else
            sum_pixels_grey(line, &across, x->count, to + i * stride);
    }
cleanup:
    free(line);
    taps_free(&across);
    taps_free(&down);
    return status;
}

cc_axis cc_whole_axis(uint32_t from, uint32_t to) { return (cc_axis){ .extent = from, .to = to, .count = to }; }

camcl_status cc_scale(const camcl_image *image, const cc_axis *x, const cc_axis *y, uint8_t *to, size_t stride, camcl_error *err)
{
    /* Where rows become many and columns few, columns come first, and are rounded: or each of them would be carried through all those rows.
     */
    if (y->to <= image->height || x->to >= image->width) return scale_both(image, x, y, to, stride, err);
    const cc_axis rows = cc_whole_axis(image->height, image->height), columns = cc_whole_axis(x->count, x->count);
    camcl_image narrow;
    CC_RETURN_IF_FAILED(camcl_image_create(x->count, image->height, image->channels, &narrow, err));
    camcl_status status = scale_both(image, x, &rows, narrow.pixels, (size_t)x->count * image->channels, err);
    if (status == CAMCL_OK) status = scale_both(&narrow, &columns, y, to, stride, err);
    camcl_image_free(&narrow);
    return status;
}

camcl_status camcl_image_scale(const camcl_image *image, uint32_t width, uint32_t height, camcl_image *out, camcl_error *err)
{
    CC_CHECK_GIVEN(image, err);
    CC_CHECK_GIVEN(out, err);
    CC_RETURN_IF_FAILED(camcl_image_create(width, height, image->channels, out, err));
    const cc_axis x = cc_whole_axis(image->width, width), y = cc_whole_axis(image->height, height);
    camcl_status status = cc_scale(image, &x, &y, out->pixels, (size_t)width * image->channels, err);
    if (status != CAMCL_OK) camcl_image_free(out);
    return status;
}
