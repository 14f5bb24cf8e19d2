/* Checks of what works on images and maps: Grad-CAM, resizing, min-max, the transform T. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "check/check.h"
#include "check/ref/grad_cam_ref.h"
#include "check/ref/min_max_ref.h"
#include "check/ref/resize_ref.h"
#include "check/ref/softmax_ref.h"
#include "check/ref/warp_ref.h"

static void check_cam_shape(cc_check *c, const cc_grad_cam_desc *d, bool add)
{
    const size_t pixels = d->h * d->w, maps = d->n * pixels, count = maps * d->c, means = d->n * d->c;
    if (!cc_check_begin(c, d)) return;
    float *a = cc_check_random(c, count, 1), *g = cc_check_random(c, count, 2), *m = cc_check_random(c, means, 3),
          *cam = cc_check_random(c, maps, 4), *u = cc_check_random(c, maps, 5);
    if (cam) cam[0] = 0.0f; /* the ReLU's edge passes nothing */
    double *a64 = cc_check_doubles(c, a, count), *g64 = cc_check_doubles(c, g, count), *m64 = cc_check_doubles(c, m, means),
           *cam64 = cc_check_doubles(c, cam, maps), *u64 = cc_check_doubles(c, u, maps), *want = cc_check_doubles(c, NULL, count);
    if (cc_check_ready(c) && c->variant->direction == CC_FORWARD) {
        cc_tensor io[] = { cc_check_input(c, CC_F32, a, count), cc_check_input(c, CC_F32, g, count), cc_check_output(c, CC_F32, means),
                           cc_check_output(c, CC_F32, maps) };
        ref_grad_cam_weights(d->n, pixels, d->c, g64, m64);
        ref_grad_cam_map(d->n, pixels, d->c, d->relu, a64, m64, cam64);
        cc_check_run(c, d, io, 4, false);
        cc_check_compare(c, io[2], m64, 2e-7, 0, "weights");
        cc_check_compare(c, io[3], cam64, 1e-6, 0, "map");
    } else if (cc_check_ready(c) && c->variant->direction == CC_BACKWARD) {
        cc_tensor io[] = { cc_check_input(c, CC_F32, m, means), cc_check_input(c, CC_F32, cam, maps), cc_check_input(c, CC_F32, u, maps),
                           cc_check_sum(c, add, a, count) };
        ref_grad_cam_backward(d->n, pixels, d->c, d->relu, m64, cam64, u64, want);
        cc_check_add(add, want, a, count);
        cc_check_run(c, d, io, 4, add);
        cc_check_compare(c, io[3], want, 2e-7, 0, "da");
    } else if (cc_check_ready(c)) {
        cc_tensor io[] = { cc_check_input(c, CC_F32, a, count), cc_check_input(c, CC_F32, cam, maps), cc_check_input(c, CC_F32, u, maps),
                           cc_check_output(c, CC_F32, count) };
        ref_grad_cam_tangent(d->n, pixels, d->c, d->relu, a64, cam64, u64, want);
        cc_check_run(c, d, io, 4, false);
        cc_check_compare(c, io[3], want, 1e-7, 0, "direction");
    }
    cc_check_end(c);
}

void cc_check_grad_cam(cc_check *c)
{
    static const cc_grad_cam_desc shapes[] = { { 1, 1, 1, 1, false }, { 2, 4, 4, 16, true },   { 3, 8, 8, 33, false },
                                               { 2, 5, 7, 31, true }, { 1, 8, 8, 256, false }, { 2, 3, 3, 130, true } };
    for (size_t i = 0; i < 2 * CC_COUNT(shapes); i++)
        check_cam_shape(c, &shapes[i / 2], i % 2);
}

void cc_check_rows(cc_check *c)
{
    const cc_rows_desc shapes[] = { { 0, 1, 1 }, { 2, 4, 5 }, { 1, 33, 17 }, { 0, 7, 1000 } };
    const bool seed = strcmp(c->variant->op->name, "grad_cam_seed") == 0;
    for (size_t s = 0; s < CC_COUNT(shapes); s++) {
        const cc_rows_desc d = shapes[s];
        const size_t total = (d.row0 + d.n + 1) * d.classes;
        if (!cc_check_begin(c, &d)) continue;
        float *values = cc_check_random(c, total, 1);
        for (size_t i = 0; values && i < total; i++)
            values[i] = roundf(values[i] * 9.0f);
        double *want = cc_check_doubles(c, values, total);
        int32_t *classes = cc_check_memory(c, d.n, sizeof *classes);
        if (cc_check_ready(c) && seed) {
            for (size_t i = 0; i < d.n; i++) {
                classes[i] = i == 1 ? -1 : (int32_t)((i * 7 + 3) % d.classes);
                for (size_t j = 0; j < d.classes; j++)
                    want[(d.row0 + i) * d.classes + j] = classes[i] == (int32_t)j;
            }
            cc_tensor io[] = { cc_check_input(c, CC_I32, classes, d.n), cc_check_input(c, CC_F32, values, total) };
            cc_check_run(c, &d, io, 2, false);
            cc_check_compare(c, io[1], want, 0, 0, "one-hot rows");
        } else if (cc_check_ready(c)) {
            for (size_t i = 0; i < d.n; i++)
                classes[i] = ref_argmax(d.classes, want + (d.row0 + i) * d.classes);
            cc_tensor io[] = { cc_check_input(c, CC_F32, values, total), cc_check_output(c, CC_I32, d.n) };
            cc_check_run(c, &d, io, 2, false);
            cc_check_compare_integers(c, io[1], classes, "arg-max");
        }
        cc_check_end(c);
    }
}

void cc_check_resize(cc_check *c)
{
    static const cc_resize_desc shapes[] = { { 1, 1, 1, 1, 1, 1 },     { 2, 1, 1, 1, 5, 7 }, { 2, 4, 4, 1, 32, 32 }, { 3, 8, 8, 1, 33, 31 },
                                             { 2, 16, 16, 3, 16, 16 }, { 2, 7, 9, 3, 3, 4 }, { 1, 2, 2, 17, 9, 3 } };
    for (size_t i = 0; i < 2 * CC_COUNT(shapes); i++) {
        const cc_resize_desc *d = &shapes[i / 2];
        const bool forward = c->variant->direction == CC_FORWARD, add = i % 2 && !forward;
        const size_t in = d->n * d->h * d->w * d->c, out = d->n * d->p * d->q * d->c;
        if (!cc_check_begin(c, d)) continue;
        float *x = cc_check_random(c, in, 1), *dy = cc_check_random(c, out, 2);
        double *x64 = cc_check_doubles(c, x, in), *dy64 = cc_check_doubles(c, dy, out), *y = cc_check_doubles(c, NULL, out),
               *dx = cc_check_doubles(c, NULL, in);
        if (cc_check_ready(c)) {
            ref_resize_forward(d->n, d->h, d->w, d->c, d->p, d->q, x64, y);
            ref_resize_backward(d->n, d->h, d->w, d->c, d->p, d->q, dy64, dx);
            cc_check_add(add, dx, x, in);
            cc_tensor io[] = { forward ? cc_check_input(c, CC_F32, x, in) : cc_check_input(c, CC_F32, dy, out),
                               forward ? cc_check_output(c, CC_F32, out) : cc_check_sum(c, add, x, in) };
            cc_check_run(c, d, io, 2, add);
            cc_check_compare(c, io[1], forward ? y : dx, forward ? 3e-7 : 3e-6, 0, forward ? "y" : "dx");
        }
        cc_check_end(c);
    }
}

/* Image 0 is random, image 1 has few levels and so many ties, image 2 is constant. */
void cc_check_min_max(cc_check *c)
{
    static const size_t sizes[] = { 1, 15, 33, 64, 127, 1024, 2501 };
    for (size_t s = 0; s < CC_COUNT(sizes); s++) {
        const cc_min_max_desc d = { 3, sizes[s] };
        const size_t count = d.n * d.size;
        if (!cc_check_begin(c, &d)) continue;
        float *x = cc_check_random(c, count, 1), *dy = cc_check_random(c, count, 2), *y = cc_check_random(c, count, 3), range[12];
        for (size_t i = 0; x && i < d.size; i++) {
            x[d.size + i] = floorf(x[d.size + i] * 2.0f);
            x[2 * d.size + i] = 0.3f;
        }
        double *x64 = cc_check_doubles(c, x, count), *dy64 = cc_check_doubles(c, dy, count), *y64 = cc_check_doubles(c, NULL, count),
               *dx = cc_check_doubles(c, NULL, count), range64[12];
        if (cc_check_ready(c)) {
            ref_min_max_forward(d.n, d.size, x64, y64, range64);
            ref_min_max_backward(d.n, d.size, x64, dy64, dx);
            for (size_t i = 0; i < count; i++)
                y[i] = (float)y64[i];
            for (size_t i = 0; i < 12; i++)
                range[i] = (float)range64[i];
            if (c->variant->direction == CC_FORWARD) {
                cc_tensor io[] = { cc_check_input(c, CC_F32, x, count), cc_check_output(c, CC_F32, count), cc_check_output(c, CC_F32, 12) };
                cc_check_run(c, &d, io, 3, false);
                cc_check_compare(c, io[1], y64, 4e-7, 0, "y");
                cc_check_compare(c, io[2], range64, 0, 0, "range");
            } else {
                cc_tensor io[] = { cc_check_input(c, CC_F32, x, count), cc_check_input(c, CC_F32, y, count),
                                   cc_check_input(c, CC_F32, range, 12), cc_check_input(c, CC_F32, dy, count),
                                   cc_check_output(c, CC_F32, count) };
                cc_check_run(c, &d, io, 5, false);
                cc_check_compare(c, io[4], dx, 7e-7, 1.5e-6, "dx");
            }
        }
        cc_check_end(c);
    }
}

/* ---- the transform T */

enum { CROPS = 5 };

/* All four turns of: everything, one pixel in either corner, one row, three quarters. */
static void transforms_of(int32_t s, cc_transform *out)
{
    const int32_t most = (3 * s + 3) / 4, last = s - 1, half = s / 2;
    const int32_t crops[CROPS][4] = {
        { 0, 0, s, s }, { 0, 0, 1, 1 }, { last, last, s, s }, { half, 0, half + 1, s }, { s - most, 0, s, most }
    };
    for (int i = 0; i < 4 * CROPS; i++)
        out[i] = (cc_transform){ .source = -7,
                                 .flip_h = 1,
                                 .y0 = crops[i / 4][0],
                                 .x0 = crops[i / 4][1],
                                 .y1 = crops[i / 4][2],
                                 .x1 = crops[i / 4][3],
                                 .turns = i % 4 };
}

static void check_warp_shape(cc_check *c, size_t size, size_t channels, bool add)
{
    const cc_warp_desc d = { .n = 4 * CROPS, .size = size, .c = channels, .src_row0 = 1, .dst_row0 = 2 };
    const size_t image = size * size * channels, in = (d.n + 1) * image, out = (d.n + 3) * image;
    cc_transform transforms[4 * CROPS];
    transforms_of((int32_t)size, transforms);
    if (!cc_check_begin(c, &d)) return;
    float *x = cc_check_random(c, in, 1), *dy = cc_check_random(c, out, 2), *before = cc_check_random(c, out, 3),
          *old = cc_check_random(c, in, 4);
    double *x64 = cc_check_doubles(c, x, in), *dy64 = cc_check_doubles(c, dy, out), *y = cc_check_doubles(c, before, out),
           *dx = cc_check_doubles(c, old, in);
    const cc_tensor table = cc_check_input(c, CC_I32, transforms, 8 * d.n);
    if (cc_check_ready(c)) {
        for (size_t i = 0; i < d.n; i++) {
            const cc_transform *t = &transforms[i];
            const ref_warp ref = { size, channels, (size_t)t->y0, (size_t)t->x0, (size_t)t->y1, (size_t)t->x1, t->turns };
            ref_warp_forward(&ref, x64 + (1 + i) * image, y + (2 + i) * image);
            ref_warp_backward(&ref, dy64 + (2 + i) * image, dx + (1 + i) * image);
        }
        for (size_t i = image; add && i < in; i++)
            dx[i] += old[i];
        if (c->variant->direction == CC_FORWARD) {
            cc_tensor io[] = { cc_check_input(c, CC_F32, x, in), table, cc_check_input(c, CC_F32, before, out) };
            cc_check_run(c, &d, io, 3, false);
            cc_check_compare(c, io[2], y, 2.5e-7, 0, "images");
        } else {
            cc_tensor io[] = { cc_check_input(c, CC_F32, dy, out), table, cc_check_input(c, CC_F32, old, in) };
            cc_check_run(c, &d, io, 3, add);
            /* One input pixel can take the gradient of the whole image. */
            cc_check_compare(c, io[2], dx, 3e-7 * (double)size, 3e-7, "gradient");
        }
    }
    cc_check_end(c);
}

void cc_check_warp(cc_check *c)
{
    static const struct {
        size_t size, channels;
    } shapes[] = { { 1, 1 }, { 3, 1 }, { 5, 4 }, { 16, 3 }, { 33, 1 } };
    for (size_t i = 0; i < 2 * CC_COUNT(shapes); i++) {
        if (c->variant->direction == CC_FORWARD && i % 2) continue;
        check_warp_shape(c, shapes[i / 2].size, shapes[i / 2].channels, i % 2);
    }
}
