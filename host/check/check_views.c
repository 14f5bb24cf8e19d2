/* Checks of strong views: T as an affine map, the error over the pixels that count, operations on bytes. */
#include <math.h>

#include "base/memory.h"
#include "check/check.h"
#include "check/ref/affine_warp_ref.h"
#include "check/ref/counted_mse_ref.h"
#include "check/ref/randaugment_ref.h"
#include "ops/variants.h"

/* ---- T */

enum { MAPS = 8 };

/* Identity, mirrored, shifted out and turned, turned by 30 degrees, sheared, enlarged from a crop, shrunk, all to one point. */
static void maps_of(float s, cc_affine *out)
{
    const float last = s - 1, crop = floorf(s / 3);
    const cc_affine maps[MAPS] = {
        { .map = { 1, 0, 0, 0, 1, 0 }, .high = { last, last } },
        { .map = { 1, 0, 2, 0, -1, last - 1 }, .high = { last, last } },
        { .map = { 0, 1, -s / 2, -1, 0, s }, .high = { last, last } },
        { .map = { 0.8660254f, -0.5f, 0.31f * s, 0.5f, 0.8660254f, -0.12f * s }, .high = { last, last } },
        { .map = { 1, 0, 0, 0.29f, 1, -0.3071f }, .high = { last, last } },
        { .map = { 0.35f, 0, crop + 0.2f, 0, 0.41f, crop - 0.3f }, .low = { crop, crop }, .high = { last, last } },
        { .map = { 2.7f, 0.1f, -s / 3, 0.2f, 3.1f, -s }, .high = { last, last } },
        { .map = { 0, 0, last / 2, 0, 0, last / 3 }, .high = { last, last } },
    };
    for (int i = 0; i < MAPS; i++)
        out[i] = maps[i];
}

static void check_affine_shape(cc_check *c, size_t size, bool add)
{
    /* The last map, which cannot be inverted, has the transpose look at all pixels for each. */
    const cc_affine_warp_desc d = { size > 17 ? MAPS - 1 : MAPS, size };
    const size_t image = size * size, count = d.n * image;
    const bool forward = c->variant->direction == CC_FORWARD;
    cc_affine maps[MAPS];
    maps_of((float)size, maps);
    if (!cc_check_begin(c, &d)) return;
    float *x = cc_check_random(c, count, 1), *dy = cc_check_random(c, count, 2);
    double *x64 = cc_check_doubles(c, x, count), *dy64 = cc_check_doubles(c, dy, count), *y = cc_check_doubles(c, NULL, count),
           *dx = cc_check_doubles(c, NULL, count);
    for (size_t i = 0; cc_check_ready(c) && i < d.n; i++) {
        ref_affine t;
        for (int k = 0; k < 6; k++)
            t.map[k] = maps[i].map[k];
        for (int k = 0; k < 2; k++) {
            t.low[k] = maps[i].low[k];
            t.high[k] = maps[i].high[k];
        }
        ref_affine_forward(size, &t, x64 + i * image, y + i * image);
        ref_affine_backward(size, &t, dy64 + i * image, dx + i * image);
    }
    if (cc_check_ready(c)) {
        cc_check_add(add, dx, x, count);
        cc_tensor io[] = { cc_check_input(c, CC_F32, forward ? x : dy, count), cc_check_input(c, CC_F32, maps, CC_AFFINE_FLOATS * d.n),
                           forward ? cc_check_output(c, CC_F32, count) : cc_check_sum(c, add, x, count) };
        cc_check_run(c, &d, io, 3, add);
        /* Places are sums of products with whole numbers up to the side, and one pixel may take the gradient of all others. */
        if (forward)
            cc_check_compare(c, io[2], y, 5e-7 * (double)(1 + size), 0, "maps");
        else
            cc_check_compare(c, io[2], dx, 2.5e-7 * (double)(1 + size), 5e-7, "gradient");
    }
    cc_check_end(c);
}

void cc_check_affine_warp(cc_check *c)
{
    static const size_t sizes[] = { 1, 3, 17, 33 };
    for (size_t i = 0; i < 2 * CC_COUNT(sizes); i++)
        if (c->variant->direction == CC_BACKWARD || i % 2 == 0) check_affine_shape(c, sizes[i / 2], i % 2);
}

/* ---- the error over the pixels that count */

/* All of image 0 counts, of image 1 nothing; the others have rows without a pixel, with a hole, with a hole at an end. */
static void count_pixels(size_t n, size_t size, cc_affine *maps, cc_counted_row *rows, unsigned char *counts)
{
    const int32_t s = (int32_t)size;
    for (size_t i = 0; i < n; i++) {
        for (int32_t a = 0; a < s; a++) {
            const int32_t begin = i == 0 || a % 5 == 0 ? 0 : (a + (int32_t)i) % s, end = i == 1 ? begin : a % 7 == 3 ? begin : s;
            const int32_t hole = i == 0 || a % 3 ? begin : begin + (end - begin) / 3;
            const cc_counted_row row = { begin, hole, hole + (i == 0 || a % 3 ? 0 : (end - hole) / (1 + a % 2)), end };
            rows[i * size + (size_t)a] = row;
            for (int32_t b = 0; b < s; b++) {
                const bool counted = b >= row.begin && b < row.end && !(b >= row.hole_begin && b < row.hole_end);
                counts[(i * size + (size_t)a) * size + (size_t)b] = counted;
                maps[i].counted += counted ? 1.0f : 0.0f;
            }
        }
    }
}

void cc_check_counted_mse(cc_check *c)
{
    static const cc_affine_warp_desc sizes[] = { { 1, 1 }, { 4, 5 }, { 33, 8 }, { 3, 33 }, { 5, 64 } };
    const float denominators[4] = { 1e9f, 3.0f, 0.0f, 0.5f };
    for (size_t i = 0; i < 3 * CC_COUNT(sizes); i++) {
        const cc_affine_warp_desc d = sizes[i / 3];
        const size_t pixels = d.size * d.size, count = d.n * pixels, which = 1 + i % 3;
        const bool forward = c->variant->direction == CC_FORWARD;
        cc_counted_mse_op op = { d, 0.75f, { NULL, 0 } };
        if (!cc_check_begin(c, forward ? (const void *)&d : &op)) continue;
        float *a = cc_check_random(c, count, 1), *b = cc_check_random(c, count, 2), *mask = cc_check_random(c, d.n, 3);
        cc_affine *maps = cc_check_memory(c, d.n, sizeof *maps);
        cc_counted_row *rows = cc_check_memory(c, d.n * d.size, sizeof *rows);
        unsigned char *counts = cc_check_memory(c, count, 1);
        for (size_t n = 0; mask && n < d.n; n++)
            mask[n] = n % 3 == 2 ? 0.0f : fabsf(mask[n]);
        double *a64 = cc_check_doubles(c, a, count), *b64 = cc_check_doubles(c, b, count), *mask64 = cc_check_doubles(c, mask, d.n),
               *da = cc_check_doubles(c, NULL, count), *db = cc_check_doubles(c, NULL, count), want[4], bounds[4] = { 0 };
        if (cc_check_ready(c)) {
            count_pixels(d.n, d.size, maps, rows, counts);
            for (size_t n = 0; n < count; n++)
                if (mask[n / pixels] == 0.0f || !counts[n]) a[n] = NAN; /* what does not count is not looked at */
        }
        cc_tensor io[7] = { cc_check_input(c, CC_F32, a, count),
                            cc_check_input(c, CC_F32, b, count),
                            cc_check_input(c, CC_F32, mask, d.n),
                            cc_check_input(c, CC_F32, maps, CC_AFFINE_FLOATS * d.n),
                            cc_check_input(c, CC_I32, rows, 4 * d.n * d.size),
                            cc_check_output(c, CC_F32, forward ? 4 : count),
                            forward || which == 2 ? CC_NO_TENSOR : cc_check_output(c, CC_F32, count) };
        op.denominator = (cc_device_scalar){ cc_check_input(c, CC_F32, denominators, 4).buffer, which };
        if (cc_check_ready(c) && forward) {
            ref_counted_mse_forward(d.n, pixels, a64, b64, mask64, counts, want);
            bounds[0] = 1.2e-6 * fabs(want[0]);
            bounds[1] = 2e-7 * want[1];
            cc_check_run(c, &d, io, 6, false);
            cc_check_compare_bounds(c, io[5], want, bounds, "sums");
        } else if (cc_check_ready(c)) {
            ref_counted_mse_backward(d.n, pixels, a64, b64, mask64, counts, op.scale, denominators[which], da);
            for (size_t n = 0; n < count; n++)
                db[n] = -da[n];
            cc_check_run(c, &op, io, 7, false);
            cc_check_compare(c, io[5], da, 1e-12, 5e-7, "da");
            if (which != 2) cc_check_compare(c, io[6], db, 1e-12, 5e-7, "db");
        }
        cc_check_end(c);
    }
}

/* ---- operations on bytes */

enum { STEPS = 3 };
static const char *const names[CC_PICTURE_OPERATIONS] = {
    [CC_PICTURE_IDENTITY] = "identity",   [CC_PICTURE_AUTOCONTRAST] = "autocontrast",
    [CC_PICTURE_EQUALIZE] = "equalize",   [CC_PICTURE_BRIGHTNESS] = "brightness",
    [CC_PICTURE_COLOUR] = "colour",       [CC_PICTURE_CONTRAST] = "contrast",
    [CC_PICTURE_SHARPNESS] = "sharpness", [CC_PICTURE_POSTERIZE] = "posterize",
    [CC_PICTURE_SOLARIZE] = "solarize",   [CC_PICTURE_AFFINE] = "affine",
    [CC_PICTURE_CUTOUT] = "cutout",
};

static cc_picture_operation operation_of(int32_t kind, int32_t size, int32_t turn)
{
    cc_picture_operation op = { .kind = kind, .factor = 0.05f + 0.13f * (float)turn };
    if (kind == CC_PICTURE_POSTERIZE) op.value[0] = 0xff & ~((1 << turn % 5) - 1);
    if (kind == CC_PICTURE_SOLARIZE) op.value[0] = 37 * turn;
    if (kind == CC_PICTURE_AFFINE) {
        const int32_t moved[6] = { 56756, -32768 + 9000 * turn, 30000 * turn, 4000 * turn - 9000, 65536, 32768 - size * 9000 };
        for (int i = 0; i < 6; i++)
            op.value[i] = moved[i];
    }
    if (kind == CC_PICTURE_CUTOUT) {
        const int32_t cut[4] = { size / 4, size / 3, size - turn % 2 * (size / 3), size - size / 5 };
        for (int i = 0; i < 4; i++)
            op.value[i] = cut[i];
    }
    return op;
}

/* Picture i begins with operation i. Most pictures have a narrow range of levels, every fifth one has a single level. */
static void check_pictures(cc_check *c, const cc_randaugment_desc *d)
{
    const size_t image = d->size * d->size * d->c, count = d->n * image, out = (d->dst_row0 + d->n + 1) * image;
    float normalise[6];
    if (!cc_check_begin(c, d)) return;
    const float *values = cc_check_random(c, count, 1), *before = cc_check_random(c, out, 2);
    unsigned char *bytes = cc_check_memory(c, count, 1), *result = cc_check_memory(c, count, 1);
    cc_picture_operation *table = cc_check_memory(c, d->n * STEPS, sizeof *table);
    double *want = cc_check_doubles(c, before, out);
    for (size_t k = 0; k < 2 * d->c; k++)
        normalise[k] = k < d->c ? 0.0f : 255.0f;
    for (size_t i = 0; cc_check_ready(c) && i < count; i++) {
        const size_t picture = i / image;
        const float range = picture % 5 == 4 ? 0 : picture % 3 ? 60 : 127.99f;
        bytes[i] = result[i] = (unsigned char)((values[i] + 1.0f) * range + (float)(picture % 3 * 40));
    }
    for (size_t i = 0; cc_check_ready(c) && i < d->n; i++) {
        for (size_t k = 0; k < STEPS; k++) {
            const int32_t kind = (int32_t)(i + k * (3 + i / CC_PICTURE_OPERATIONS)) % CC_PICTURE_OPERATIONS;
            table[i * STEPS + k] = operation_of(kind, (int32_t)d->size, (int32_t)(i + k) % 7);
            ref_picture_operation(names[kind], table[i * STEPS + k].factor, table[i * STEPS + k].value, d->size, d->c, result + i * image);
        }
        for (size_t e = 0; e < image; e++)
            want[(d->dst_row0 + i) * image + e] = result[i * image + e];
    }
    if (cc_check_ready(c)) {
        cc_tensor io[] = { cc_check_input(c, CC_U8, bytes, count), cc_check_input(c, CC_I32, table, 8 * d->n * STEPS),
                           cc_check_input(c, CC_F32, normalise, 2 * d->c), cc_check_input(c, CC_F32, before, out) };
        cc_check_run(c, d, io, 4, false);
        cc_check_compare(c, io[3], want, 4e-5, 0, "pictures");
    }
    cc_check_end(c);
}

void cc_check_randaugment(cc_check *c)
{
    static const cc_randaugment_desc shapes[] = {
        { 11, 1, 1, STEPS, 0 }, { 22, 3, 3, STEPS, 2 }, { 22, 28, 1, STEPS, 0 }, { 22, 33, 3, STEPS, 1 }
    };
    for (size_t i = 0; i < CC_COUNT(shapes); i++)
        check_pictures(c, &shapes[i]);
}
