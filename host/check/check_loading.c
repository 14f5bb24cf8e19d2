/* Checks of how images come from the data set: as floats, as bytes, with their labels. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "check/check.h"
#include "check/ref/load_ref.h"

enum { ROWS = 6, IMAGES = 5, FIRST = 10 };
static const int32_t sources[ROWS] = { 12, 10, 14, 10, 13, 11 };

/* h, w, c, size, dst_row0; those that an operation does not take are left out. */
static const struct {
    size_t h, w, c, size, dst_row0;
    cc_window window;
} shapes[] = {
    { 1, 1, 1, 1, 0, CC_WINDOW_WHOLE },    { 5, 5, 3, 5, 2, CC_WINDOW_WHOLE },      { 16, 16, 4, 16, 1, CC_WINDOW_WHOLE },
    { 28, 28, 1, 28, 0, CC_WINDOW_WHOLE }, { 4, 6, 3, 9, 1, CC_WINDOW_WHOLE },      { 33, 31, 1, 15, 0, CC_WINDOW_WHOLE },
    { 9, 9, 3, 9, 1, CC_WINDOW_SHIFTED },  { 32, 32, 3, 32, 0, CC_WINDOW_SHIFTED }, { 7, 5, 1, 17, 2, CC_WINDOW_SHIFTED },
    { 9, 9, 3, 9, 1, CC_WINDOW_SCALED },   { 33, 33, 1, 33, 0, CC_WINDOW_SCALED },  { 7, 5, 3, 17, 2, CC_WINDOW_SCALED },
};

/* Whole images ignore their windows. The others lie to either side of the image, or in its corners; the last ones are all of it. */
static void transforms_of(const cc_load_desc *d, cc_transform *out)
{
    const int32_t s = (int32_t)d->size, most = s - 1;
    for (int32_t i = 0; i < ROWS; i++) {
        cc_transform t = { .source = sources[i], .flip_h = i & 1, .flip_v = i >> 1 & 1, .y0 = 1, .x0 = 1, .y1 = 2, .x1 = 2, .turns = 3 };
        if (d->window == CC_WINDOW_SHIFTED) {
            t.y0 = i == 4 ? 0 : i % 2 ? -most / (1 + i) : most / (1 + i);
            t.x0 = i == 4 ? 0 : i % 3 ? most / (1 + i) : -most / (1 + i);
            t.y1 = t.y0 + s;
            t.x1 = t.x0 + s;
        }
        if (d->window == CC_WINDOW_SCALED) {
            t.y0 = i == 4 ? 0 : i % 2 ? s - 1 - i % 3 : 0;
            t.x0 = i == 4 ? 0 : i % 3;
            t.y1 = i == 4 ? s : i % 2 ? s : 1 + i;
            t.x1 = i == 4 ? s : s - i % 2;
        }
        out[i] = t;
    }
}

static cc_load_desc desc_of(size_t shape)
{
    return (cc_load_desc){ .n = ROWS,
                           .h = shapes[shape].h,
                           .w = shapes[shape].w,
                           .c = shapes[shape].c,
                           .size = shapes[shape].size,
                           .dst_row0 = shapes[shape].dst_row0,
                           .first_image = FIRST,
                           .images = IMAGES,
                           .window = shapes[shape].window };
}

static unsigned char *random_bytes(cc_check *c, size_t count, unsigned seed)
{
    const float *values = cc_check_random(c, count, seed);
    unsigned char *bytes = cc_check_memory(c, count, 1);
    for (size_t i = 0; values && bytes && i < count; i++)
        bytes[i] = (unsigned char)((values[i] + 1.0f) * 127.99f);
    return bytes;
}

/* want: all rows of dst; those that are loaded are replaced. */
static void reference(cc_check *c, const cc_load_desc *d, const unsigned char *bytes, const cc_transform *transforms, const double *mean,
                      const double *std, double *want)
{
    const size_t image = d->size * d->size * d->c, pixels = d->h * d->w * d->c;
    double *flipped = cc_check_doubles(c, NULL, image);
    for (size_t i = 0; flipped && i < ROWS; i++) {
        const cc_transform *t = &transforms[i];
        double *out = want + (d->dst_row0 + i) * image;
        ref_load_image(d->h, d->w, d->c, d->size, bytes + (size_t)(t->source - FIRST) * pixels, mean, std, t->flip_h, t->flip_v, flipped);
        if (d->window == CC_WINDOW_WHOLE)
            memcpy(out, flipped, image * sizeof *out);
        else
            ref_window(d->size, d->c, t->y0, t->x0, t->y1, t->x1, flipped, out);
    }
}

void cc_check_load_images(cc_check *c)
{
    const double mean[4] = { 0.49, 0.48, 0.44, 0.5 }, std[4] = { 0.25, 0.24, 0.26, 0.5 };
    for (size_t s = 0; s < CC_COUNT(shapes); s++) {
        const cc_load_desc d = desc_of(s);
        const size_t pixels = d.h * d.w * d.c, count = (d.dst_row0 + d.n + 1) * d.size * d.size * d.c;
        cc_transform transforms[ROWS];
        float normalise[8];
        transforms_of(&d, transforms);
        if (!cc_check_begin(c, &d)) continue;
        float *before = cc_check_random(c, count, 2);
        unsigned char *bytes = random_bytes(c, IMAGES * pixels, 1);
        double *want = cc_check_doubles(c, before, count);
        for (size_t k = 0; k < d.c; k++) {
            normalise[k] = (float)mean[k];
            normalise[d.c + k] = (float)(1.0 / std[k]);
        }
        if (cc_check_ready(c)) {
            reference(c, &d, bytes, transforms, mean, std, want);
            cc_tensor io[] = { cc_check_input(c, CC_U8, bytes, IMAGES * pixels), cc_check_input(c, CC_I32, transforms, 8 * ROWS),
                               cc_check_input(c, CC_F32, normalise, 2 * d.c), cc_check_input(c, CC_F32, before, count) };
            cc_check_run(c, &d, io, 4, false);
            cc_check_compare(c, io[3], want, 1e-6, 1e-6, "images");
        }
        cc_check_end(c);
    }
}

void cc_check_load_bytes(cc_check *c)
{
    const double mean[4] = { 0, 0, 0, 0 }, std[4] = { 1 / 255.0, 1 / 255.0, 1 / 255.0, 1 / 255.0 };
    for (size_t s = 0; s < CC_COUNT(shapes); s++) {
        const cc_load_desc d = desc_of(s);
        const size_t pixels = d.h * d.w * d.c, count = (d.dst_row0 + d.n + 1) * d.size * d.size * d.c;
        const bool resized = d.h != d.size || d.w != d.size;
        cc_transform transforms[ROWS];
        transforms_of(&d, transforms);
        if (!cc_check_begin(c, &d)) continue;
        unsigned char *bytes = random_bytes(c, IMAGES * pixels, 1), *before = random_bytes(c, count, 2);
        double *want = cc_check_doubles(c, NULL, count);
        for (size_t i = 0; want && before && i < count; i++)
            want[i] = before[i];
        if (cc_check_ready(c)) {
            reference(c, &d, bytes, transforms, mean, std, want);
            cc_tensor io[] = { cc_check_input(c, CC_U8, bytes, IMAGES * pixels), cc_check_input(c, CC_I32, transforms, 8 * ROWS),
                               cc_check_input(c, CC_U8, before, count) };
            cc_check_run(c, &d, io, 3, false);
            cc_check_compare_bytes(c, io[2], want, resized ? 0.5 + 1e-4 : 1e-4, "bytes");
        }
        cc_check_end(c);
    }
}

void cc_check_load_labels(cc_check *c)
{
    static const size_t counts[] = { 1, 33, 1000 };
    for (size_t s = 0; s < CC_COUNT(counts); s++) {
        const size_t n = counts[s];
        int32_t labels[100];
        for (int32_t i = 0; i < 100; i++)
            labels[i] = i * 7 % 10;
        if (!cc_check_begin(c, &n)) continue;
        cc_transform *transforms = cc_check_memory(c, n, sizeof *transforms);
        int32_t *want = cc_check_memory(c, n, sizeof *want);
        for (size_t i = 0; cc_check_ready(c) && i < n; i++) {
            transforms[i].source = i % 5 == 3 ? -1 : (int32_t)(i * 31 % 100);
            want[i] = transforms[i].source < 0 ? -1 : labels[transforms[i].source];
        }
        if (cc_check_ready(c)) {
            cc_tensor io[] = { cc_check_input(c, CC_I32, labels, 100), cc_check_input(c, CC_I32, transforms, 8 * n),
                               cc_check_output(c, CC_I32, n) };
            cc_check_run(c, &n, io, 3, false);
            cc_check_compare_integers(c, io[2], want, "labels");
        }
        cc_check_end(c);
    }
}
