/* Every convolution variant, in every direction, against host/check/ref, on every device. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "device/opencl.h"
#include "ops/conv2d/shape.h"
#include "ops/gemm.h"
#include "check/ref/conv2d_ref.h"
#include "support/devices.h"
#include "support/shares.h"

#define GUARD 64 /* numbers behind every buffer: NaN where kernels read, so that reading them shows; SENTINEL where they write */
#define SENTINEL 12345.0f

static uint32_t random_state;

/* In [-1, 1); the low bits are in use, so that rounding happens. */
static float random_float(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (float)((int32_t)random_state >> 8) / 8388608.0f;
}

static void must(camcl_status status, const camcl_error *err)
{
    if (status != CAMCL_OK) fail_msg("%s\n%s", err->message, err->detail);
}

static float *random_array(size_t count)
{
    float *data = malloc(count * sizeof *data);
    assert_non_null(data);
    for (size_t i = 0; i < count; i++)
        data[i] = random_float();
    return data;
}

/* A device buffer with `count` numbers (NULL: NaN) and the guard behind. */
static cc_buffer *guarded(camcl_device *device, const float *data, size_t count, float guard)
{
    camcl_error err;
    cc_buffer *buffer = NULL;
    float *all = malloc((count + GUARD) * sizeof *all);
    assert_non_null(all);
    for (size_t i = 0; i < count + GUARD; i++)
        all[i] = i >= count ? guard : data ? data[i] : NAN;
    must(cc_buffer_create(device, (count + GUARD) * sizeof *all, "test", &buffer, &err), &err);
    must(cc_buffer_write(buffer, 0, all, (count + GUARD) * sizeof *all, &err), &err);
    free(all);
    return buffer;
}

/* One shape: operands and the reference's results, by role x, w, y (for gradients: dx, dw, dy). */
typedef struct problem {
    cc_conv2d_desc desc;
    size_t count[3]; /* of x, w, y */
    float *data[3];
    double *expected[3], *magnitude[3]; /* backward-data, backward-weight, forward: by the role of the output */
    double plain_rms[3];                /* root mean square error of float32 sums in plain order */
} problem;

enum { X, W, Y };

static double rms_error(const float *got, const double *expected, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += ((double)got[i] - expected[i]) * ((double)got[i] - expected[i]);
    return sqrt(sum / (double)count);
}

/* The error of the definition's loops with float32 sums. */
static double plain_rms(const problem *p, int output)
{
    const cc_conv2d_desc *d = &p->desc;
    const size_t rows = cc_conv2d_out_h(d), columns = cc_conv2d_out_w(d);
    float *sum = calloc(p->count[output], sizeof *sum);
    assert_non_null(sum);
    for (size_t i = 0; i < d->n * rows * columns * d->r * d->s; i++) {
        const size_t s = i % d->s, r = i / d->s % d->r, y = i / d->s / d->r, n = y / rows / columns;
        const size_t h = y / columns % rows * d->stride + r, v = y % columns * d->stride + s;
        if (h < d->pad || h >= d->h + d->pad || v < d->pad || v >= d->w + d->pad) continue;
        const size_t x = (n * d->h + h - d->pad) * d->w + v - d->pad;
        for (size_t c = 0; c < d->c; c++) {
            for (size_t k = 0; k < d->k; k++) {
                const size_t inputs = d->c / d->groups;
                if (c / inputs != k / (d->k / d->groups)) continue;
                const size_t at[3] = { x * d->c + c, ((r * d->s + s) * inputs + c % inputs) * d->k + k, y * d->k + k };
                sum[at[output]] += p->data[(output + 1) % 3][at[(output + 1) % 3]] * p->data[(output + 2) % 3][at[(output + 2) % 3]];
            }
        }
    }
    const double error = rms_error(sum, p->expected[output], p->count[output]);
    free(sum);
    return error;
}

static void make_problem(const cc_conv2d_desc *d, problem *p)
{
    const ref_conv2d ref = { d->n, d->h, d->w, d->c, d->k, d->r, d->s, d->stride, d->pad, d->groups };
    random_state = (uint32_t)(d->h * 31 + d->c * 7 + d->k) + 1000003u * test_seed();
    p->desc = *d;
    p->count[X] = d->n * d->h * d->w * d->c;
    p->count[W] = d->r * d->s * (d->c / d->groups) * d->k;
    p->count[Y] = d->n * ref_conv2d_out_h(&ref) * ref_conv2d_out_w(&ref) * d->k;
    for (int i = 0; i < 3; i++) {
        p->data[i] = random_array(p->count[i]);
        p->expected[i] = malloc(p->count[i] * sizeof(double));
        p->magnitude[i] = malloc(p->count[i] * sizeof(double));
        assert_true(p->expected[i] && p->magnitude[i]);
    }
    ref_conv2d_forward(&ref, p->data[X], p->data[W], p->expected[Y], p->magnitude[Y]);
    ref_conv2d_backward_data(&ref, p->data[Y], p->data[W], p->expected[X], p->magnitude[X]);
    ref_conv2d_backward_weight(&ref, p->data[X], p->data[Y], p->expected[W], p->magnitude[W]);
    for (int i = 0; i < 3; i++)
        p->plain_rms[i] = plain_rms(p, i);
}

static void free_problem(problem *p)
{
    for (int i = 0; i < 3; i++) {
        free(p->data[i]);
        free(p->expected[i]);
        free(p->magnitude[i]);
    }
}

/* A float32 sum of `terms` products errs by at most terms * 2^-24 * magnitude, and, roundings being independent, hardly by more than its
 * square root: (4 + sqrt(terms)) * 2^-24 * magnitude is allowed. One product left out or counted twice is about magnitude / terms. A NaN
 * fails.
 * Winograd's transforms mix the points of a tile, so that an element's error goes with the largest sum around it, and add and subtract
 * numbers that cancel: WINOGRAD_SLACK times as much of the largest magnitude of all is allowed, of which 3.4 were seen. */
#define WINOGRAD_SLACK 4.0

static void compare(const char *what, const char *label, const float *got, const float *before, const double *expected,
                    const double *magnitude, size_t terms, size_t count, bool winograd)
{
    double largest = 0.0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, magnitude[i]);
    for (size_t i = 0; i < count; i++) {
        const double start = before ? (double)before[i] : 0.0, sum = winograd ? WINOGRAD_SLACK * largest : magnitude[i];
        const double allowed = (4.0 + sqrt((double)terms)) * ldexp(1.0, -24) * (sum + fabs(start)) + 1e-30;
        const double distance = fabs((double)got[i] - expected[i] - start);
        note_share(label, distance, allowed);
        if (!(distance <= allowed))
            fail_msg("%s: element %zu is %.9g, expected %.9g +- %.2g", what, i, (double)got[i], expected[i] + start, allowed);
    }
    for (size_t i = count; i < count + GUARD; i++)
        if (got[i] != SENTINEL) fail_msg("%s: wrote %zu numbers beyond the end", what, i - count + 1);
}

/* Winograd's root mean square error is at most ten times that of float32 sums in plain order: two to three times at 64 channels, up to
 * eight times with few, where plain sums hardly err. With a single input channel the plain sum of up to nine products errs so little that
 * only the bound above holds. */
static void check_rms(const char *what, const char *label, const float *got, const problem *p, int output)
{
    const double error = rms_error(got, p->expected[output], p->count[output]);
    char of_rms[128];
    snprintf(of_rms, sizeof of_rms, "root mean square: %s", label);
    note_share(of_rms, error, 10.0 * p->plain_rms[output]);
    if (!(error <= 10.0 * p->plain_rms[output]))
        fail_msg("%s: root mean square error %.3g, that of plain sums is %.3g", what, error, p->plain_rms[output]);
}

static cc_tensor tensor_of(const cc_conv2d_desc *d, int role, cc_buffer *buffer)
{
    const size_t p = cc_conv2d_out_h(d), q = cc_conv2d_out_w(d);
    const size_t dims[3][4] = { { d->n, d->h, d->w, d->c }, { d->r, d->s, d->c / d->groups, d->k }, { d->n, p, q, d->k } };
    cc_tensor t = { .buffer = buffer, .dtype = CC_F32, .rank = 4 };
    memcpy(t.dim, dims[role], sizeof t.dim);
    return t;
}

/* Packs (when the variant wants it), runs twice (equal bits, unless adding), compares. */
static void check_variant(camcl_device *device, const cc_variant *variant, const problem *p, bool add)
{
    static const int roles[3][3] = { { X, W, Y }, { Y, W, X }, { X, Y, W } }; /* by direction: first, second, output */
    const int *role = roles[variant->direction];
    const camcl_device_info *info = camcl_device_get_info(device);
    const cc_conv2d_desc *d = &p->desc;
    const size_t count = p->count[role[2]];
    const size_t pixels = p->count[Y] / d->k, taps = d->r * d->s;
    const size_t terms = role[2] == Y ? taps * d->c : role[2] == X ? taps * d->k : pixels;
    camcl_error err;
    char what[320], key[160], label[96];
    snprintf(label, sizeof label, "conv2d %s %s", cc_direction_name(variant->direction), variant->name);
    cc_conv2d_key(d, variant->direction, key, sizeof key);
    snprintf(what, sizeof what, "%s on %s: %s%s", variant->name, info->platform, key, add ? " add" : "");

    float *before = add ? random_array(count) : NULL;
    cc_buffer *operand[3] = { guarded(device, p->data[role[0]], p->count[role[0]], NAN),
                              guarded(device, p->data[role[1]], p->count[role[1]], NAN), guarded(device, before, count, SENTINEL) };
    cc_tensor io[3];
    for (int i = 0; i < 3; i++)
        io[i] = tensor_of(d, role[i], operand[i]);
    cc_arena *arena = NULL;
    cc_tape *tape = NULL;
    cc_buffer *packed = NULL;
    must(cc_arena_create(device, &arena, &err), &err);
    must(cc_tape_create(arena, "convolution", &tape, &err), &err);
    const size_t packed_count = variant->pack ? variant->packed_bytes(info, d) / sizeof(float) : 0;
    if (variant->pack) {
        packed = guarded(device, NULL, packed_count, SENTINEL);
        must(variant->pack(tape, d, operand[1], packed, &err), &err);
        io[1] = (cc_tensor){ .buffer = packed, .dtype = CC_F32, .rank = 1, .dim = { packed_count } };
    }
    must(variant->record(tape, d, io, 3, add, &err), &err);
    must(cc_arena_commit(arena, &err), &err);
    float *got = malloc((count + GUARD) * sizeof *got), *again = malloc((count + GUARD) * sizeof *again);
    assert_true(got && again);
    must(cc_tape_run(tape, &err), &err);
    must(cc_buffer_read(operand[2], 0, got, (count + GUARD) * sizeof *got, &err), &err);
    const bool winograd = strcmp(variant->family, "winograd") == 0;
    compare(what, label, got, before, p->expected[role[2]], p->magnitude[role[2]], terms, count, winograd);
    if (winograd && !add && terms >= 2 * taps) check_rms(what, label, got, p, role[2]);
    if (packed) {
        float guard[GUARD];
        must(cc_buffer_read(packed, packed_count * sizeof(float), guard, sizeof guard, &err), &err);
        for (int i = 0; i < GUARD; i++)
            if (guard[i] != SENTINEL) fail_msg("%s: packing wrote %d numbers beyond the end", what, i + 1);
    }
    if (!add) {
        must(cc_tape_run(tape, &err), &err);
        must(cc_buffer_read(operand[2], 0, again, (count + GUARD) * sizeof *again, &err), &err);
        if (memcmp(got, again, count * sizeof *got) != 0) fail_msg("%s: a second run gave other bits", what);
    }
    free(got);
    free(again);
    free(before);
    cc_arena_destroy(&arena);
    cc_buffer_destroy(&packed);
    for (int i = 0; i < 3; i++)
        cc_buffer_destroy(&operand[i]);
}

/* n, h, w, c, k, r, s, stride, pad, groups: around the sizes of tiles and vectors, and everything odd that the definition allows. */
static const cc_conv2d_desc shapes[] = {
    { 1, 1, 1, 1, 1, 1, 1, 1, 0, 1 },
    { 2, 5, 6, 16, 32, 3, 3, 1, 1, 2 },
    { 3, 7, 5, 6, 15, 3, 5, 2, 1, 3 },
    { 2, 9, 8, 16, 16, 3, 3, 1, 1, 16 }, /* depthwise */
    { 2, 4, 5, 5, 10, 3, 3, 2, 1, 5 },
    { 3, 4, 4, 32, 48, 1, 1, 1, 0, 4 },
    { 3, 8, 8, 16, 16, 3, 3, 1, 1, 1 },
    { 5, 4, 4, 32, 32, 3, 3, 1, 1, 1 },
    { 17, 4, 4, 16, 48, 3, 3, 1, 1, 1 },
    { 2, 5, 7, 3, 16, 3, 3, 1, 1, 1 },
    { 1, 9, 6, 15, 17, 3, 3, 1, 1, 1 },
    { 2, 7, 5, 31, 33, 3, 3, 2, 1, 1 },
    { 3, 8, 8, 32, 33, 3, 3, 2, 1, 1 },
    { 1, 11, 13, 33, 31, 5, 5, 2, 2, 1 },
    { 2, 12, 10, 3, 15, 7, 7, 2, 3, 1 },
    { 3, 6, 6, 17, 32, 1, 1, 1, 0, 1 },
    { 3, 7, 6, 16, 32, 1, 1, 2, 0, 1 },
    { 2, 9, 9, 32, 16, 1, 1, 3, 0, 1 },
    { 1, 10, 10, 8, 8, 3, 3, 3, 0, 1 },
    { 2, 8, 9, 4, 5, 3, 3, 1, 2, 1 },
    { 1, 6, 7, 5, 3, 5, 3, 1, 1, 1 },
    { 1, 7, 7, 3, 4, 2, 2, 2, 0, 1 },
    { 2, 6, 5, 4, 4, 1, 1, 1, 1, 1 },
    { 1, 5, 5, 6, 7, 3, 3, 2, 3, 1 },
    { 2, 5, 5, 256, 33, 3, 3, 1, 1, 1 },
    { 1, 5, 6, 33, 256, 3, 3, 2, 1, 1 },
    { 2, 5, 5, 160, 17, 3, 3, 1, 1, 1 },
    { 2, 5, 4, 144, 33, 1, 1, 1, 0, 1 },
    { 2, 34, 36, 64, 20, 3, 3, 1, 1, 1 },
    /* 1x1 that read in place: whole tiles and rows that tiles cross, blocks of pixels and of channels, and their last parts */
    { 3, 9, 9, 24, 64, 1, 1, 1, 0, 1 },
    { 2, 13, 17, 8, 32, 1, 1, 2, 0, 1 },
    { 3, 16, 16, 40, 16, 1, 1, 2, 0, 1 },
    { 3, 7, 32, 32, 48, 1, 1, 2, 0, 1 },
    { 1, 5, 26, 16, 96, 1, 1, 3, 0, 1 },
    { 2, 8, 8, 136, 160, 1, 1, 1, 0, 1 },
    { 2, 9, 9, 9, 16, 1, 1, 1, 0, 1 },    /* a weight gradient whose last register tile overlaps the one before */
    { 2, 5, 5, 131, 128, 1, 1, 1, 0, 1 }, /* ... with many tiles */
    { 2, 7, 9, 523, 544, 1, 1, 1, 0, 1 }, /* ... three slices of channels each way, the last one smaller */
    { 3, 8, 8, 264, 32, 1, 1, 2, 0, 1 },
    { 4, 16, 17, 272, 256, 1, 1, 1, 0, 1 },
    /* weight gradients of more than two blocks of pixels, many channels on one side */
    { 2, 7, 9, 1024, 48, 1, 1, 1, 0, 1 },
    { 3, 9, 11, 48, 1024, 1, 1, 2, 0, 1 },
    /* few input channels: tiles of one filter row and of several, rows of a group and of a block of pixels */
    { 3, 9, 70, 3, 32, 3, 3, 1, 1, 1 },
    { 2, 40, 33, 3, 48, 3, 3, 2, 1, 1 },
    { 2, 31, 70, 3, 64, 7, 7, 2, 3, 1 },
    { 9, 6, 5, 1, 16, 5, 5, 1, 2, 1 },
    { 2, 7, 300, 9, 16, 3, 3, 1, 0, 1 },
    { 2, 9, 9, 4, 32, 4, 3, 1, 1, 1 },
    { 2, 6, 15, 5, 16, 3, 2, 2, 1, 1 },
    { 2, 9, 270, 7, 32, 3, 5, 1, 2, 1 },
    { 2, 10, 11, 3, 24, 3, 3, 1, 1, 1 }, /* with 16 registers: output channels that are no multiple of two vectors, of 8 */
    { 1, 9, 13, 3, 12, 3, 3, 1, 1, 1 },  /* ... and of 4 */
    { 25, 3, 2, 2, 2, 3, 3, 1, 1, 1 },
    { 2, 9, 7, 257, 260, 3, 3, 2, 1, 1 }, /* so many weights that winograd_stride2 packs plain ones */
    /* pixels, channels and terms around the tiles of work-groups */
    { 1, 1, 127, 8, 68, 1, 1, 1, 0, 1 },
    { 1, 1, 65, 16, 64, 1, 1, 1, 0, 1 },
    { 1, 3, 43, 4, 132, 3, 3, 1, 1, 1 },
    { 1, 8, 16, 12, 128, 3, 3, 1, 1, 1 },
    { 3, 8, 8, 64, 68, 3, 3, 2, 1, 1 },
    { 9, 14, 15, 20, 132, 3, 3, 1, 1, 1 },
    { 1, 8, 8, 256, 12, 3, 3, 1, 1, 1 },
    { 3, 15, 17, 8, 12, 5, 5, 3, 2, 1 },
    { 150, 1, 1, 4, 8, 3, 3, 1, 1, 1 },
    { 2, 9, 9, 36, 28, 3, 3, 1, 1, 1 },
    { 40, 33, 32, 2, 3, 1, 1, 1, 0, 1 }, /* a weight gradient of more terms than one launch of the general kernel sums */
};

/* All variants that support it; returns how many. */
static size_t check_shape(camcl_device *device, const cc_conv2d_desc *desc)
{
    size_t checked = 0;
    problem p;
    make_problem(desc, &p);
    for (size_t v = 0; v < cc_operation_count(&cc_conv2d_operation); v++) {
        if (!cc_operation_at(&cc_conv2d_operation, v)->supports(camcl_device_get_info(device), desc)) continue;
        check_variant(device, cc_operation_at(&cc_conv2d_operation, v), &p, false);
        check_variant(device, cc_operation_at(&cc_conv2d_operation, v), &p, true);
        checked++;
    }
    free_problem(&p);
    return checked;
}

static bool has_whole_channels(const cc_conv2d_desc *d) { return d->c % 8 == 0 && d->k % 8 == 0; }

/* Whether the variant wants channels in eights. */
static bool wants_whole_channels(const camcl_device_info *info, const cc_variant *variant)
{
    for (size_t i = 0; i < CC_COUNT(shapes); i++)
        if (variant->supports(info, &shapes[i]) && !has_whole_channels(&shapes[i])) return false;
    return true;
}

/* Whether the variant's tiles end inside it: its pixels do not come in eights, nor both its channels if the variant allows that. */
static bool straddles(const camcl_device_info *info, const cc_variant *variant, const cc_conv2d_desc *d)
{
    return d->n * cc_conv2d_out_h(d) * cc_conv2d_out_w(d) % 8 != 0 && (!has_whole_channels(d) || wants_whole_channels(info, variant));
}

/* With few sizes: each variant on its first shape, and on its first two that straddle tiles. */
static void check_few(camcl_device *device)
{
    const camcl_device_info *info = camcl_device_get_info(device);
    const size_t count = cc_operation_count(&cc_conv2d_operation);
    size_t plain[256] = { 0 }, straddling[256] = { 0 }, checked = 0;
    assert_true(count <= CC_COUNT(plain));
    for (size_t i = 0; i < CC_COUNT(shapes); i++) {
        problem p = { .count = { 0 } };
        bool made = false;
        for (size_t v = 0; v < count; v++) {
            const cc_variant *variant = cc_operation_at(&cc_conv2d_operation, v);
            const bool odd = straddles(info, variant, &shapes[i]);
            size_t *done = odd ? &straddling[v] : &plain[v];
            if (*done == (odd ? 2 : 1) || !variant->supports(info, &shapes[i])) continue;
            if (!made) make_problem(&shapes[i], &p);
            made = true;
            check_variant(device, variant, &p, false);
            check_variant(device, variant, &p, true);
            ++*done;
            checked++;
        }
        if (made) free_problem(&p);
    }
    for (size_t v = 0; v < count; v++)
        if (plain[v] > 0 && straddling[v] == 0)
            fail_msg("%s has no shape that its tiles do not divide", cc_operation_at(&cc_conv2d_operation, v)->name);
    printf("  %zu combinations of shape and variant\n", checked);
}

static void check_device(camcl_device *device, void *context)
{
    size_t checked = 0;
    (void)context;
    if (test_few_sizes()) {
        check_few(device);
        return;
    }
    for (size_t i = 0; i < CC_COUNT(shapes); i++)
        checked += check_shape(device, &shapes[i]);
    printf("  %zu combinations of shape and variant\n", checked);
    assert_true(checked >= 6 * CC_COUNT(shapes)); /* general and gemm at least */
}

static void test_variants(void **state)
{
    (void)state;
    for_each_device(check_device, NULL);
}

/* Sizes around those of Winograd's tiles, of register tiles and of vectors of channels, each side with each other and each C with each
 * K. `context`: the stride. */
static void check_winograd(camcl_device *device, void *context)
{
    static const size_t sides[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 17 }, channels[] = { 1, 15, 16, 17, 31, 33, 64 };
    static const size_t images[] = { 1, 3, 33 };
    const camcl_device_info *info = camcl_device_get_info(device);
    const size_t ordinary = CC_COUNT(sides) * CC_COUNT(sides);
    const size_t stride = *(const size_t *)context;
    size_t checked = 0;
    /* Steps of 10 still go through every side, every number of channels and of images. */
    const size_t step = test_few_sizes() ? 10 : 1, last = test_few_sizes() ? ordinary - 1 : ordinary;
    for (size_t i = 0; i <= last; i += step) {
        const size_t h = sides[i % CC_COUNT(sides)], w = sides[i / CC_COUNT(sides) % CC_COUNT(sides)], n = h * w < 50 ? images[i % 3] : 1;
        const size_t pad = h < 3 || w < 3 ? 1 + i % 2 : i / 3 % 3;
        const cc_conv2d_desc small = { n, h, w, channels[i % 7], channels[i / 7 % 7], 3, 3, stride, pad, 1 };
        const cc_conv2d_desc large = { 1, 244, 248, 64, 2, 3, 3, stride, 1, 1 }; /* more tiles than winograd_local takes at once */
        const cc_conv2d_desc desc = i < ordinary ? small : large;
        problem p;
        if (i == ordinary && (info->global_mem < (size_t)1 << 30 || strstr(info->name, "llvmpipe"))) continue; /* minutes there */
        make_problem(&desc, &p);
        for (size_t v = 0; v < cc_operation_count(&cc_conv2d_operation); v++) {
            const cc_variant *variant = cc_operation_at(&cc_conv2d_operation, v);
            if (strcmp(variant->family, "winograd") != 0 || !variant->supports(info, &desc)) continue;
            check_variant(device, variant, &p, false);
            check_variant(device, variant, &p, true);
            checked++;
        }
        free_problem(&p);
    }
    printf("  %zu combinations of shape and Winograd variant\n", checked);
}

static void test_winograd(void **state)
{
    size_t stride = 1;
    (void)state;
    for_each_device(check_winograd, &stride);
}

static void test_winograd_stride2(void **state)
{
    size_t stride = 2;
    (void)state;
    for_each_device(check_winograd, &stride);
}

/* Whole tiles of an output that is larger than caches are written past them: here nothing fits into the device's. */
static void check_without_cache(camcl_device *device, void *context)
{
    static const cc_conv2d_desc whole[] = { { 3, 8, 8, 16, 32, 3, 3, 1, 1, 1 },  { 2, 4, 12, 32, 64, 3, 3, 1, 1, 1 },
                                            { 1, 16, 20, 5, 16, 3, 3, 1, 1, 1 }, { 2, 12, 8, 16, 33, 3, 3, 1, 1, 1 },
                                            { 2, 6, 10, 48, 32, 3, 3, 1, 0, 1 }, { 1, 7, 8, 32, 32, 3, 3, 1, 1, 1 } };
    camcl_device_info *info = (camcl_device_info *)camcl_device_get_info(device);
    const size_t cache = info->cache;
    (void)context;
    info->cache = 2;
    for (size_t i = 0; i < CC_COUNT(whole); i++) {
        problem p;
        make_problem(&whole[i], &p);
        for (size_t v = 0; v < cc_operation_count(&cc_conv2d_operation); v++) {
            const cc_variant *variant = cc_operation_at(&cc_conv2d_operation, v);
            if (strcmp(variant->family, "winograd") != 0 || !variant->supports(info, &whole[i])) continue;
            check_variant(device, variant, &p, false);
            check_variant(device, variant, &p, true);
        }
        free_problem(&p);
    }
    info->cache = cache;
}

static void test_without_cache(void **state)
{
    (void)state;
    for_each_device(check_without_cache, NULL);
}

/* Where a device limits the groups of a launch in dimensions 1 and 2, larger ranges are launched in slices: here nearly all are. */
static void check_slices(camcl_device *device, void *context)
{
    const size_t most_groups = device->most_groups;
    (void)context;
    device->most_groups = 2;
    for (size_t i = 3; i < CC_COUNT(shapes); i += test_few_sizes() ? 21 : 7)
        check_shape(device, &shapes[i]);
    device->most_groups = most_groups;
}

static void test_slices(void **state)
{
    (void)state;
    for_each_device(check_slices, NULL);
}

/* The gradients of the reference against differences of its forward pass: L = <y, dy> is linear in each of x and w, so a difference
 * quotient is exact for any step. */
static void test_reference_gradients(void **state)
{
    (void)state;
    for (size_t i = 0; i < CC_COUNT(shapes); i++) {
        const cc_conv2d_desc *d = &shapes[i];
        const ref_conv2d ref = { d->n, d->h, d->w, d->c, d->k, d->r, d->s, d->stride, d->pad, d->groups };
        problem p;
        if (d->c >= 64 || d->k >= 64) continue;
        make_problem(d, &p);
        double *y = malloc(p.count[Y] * sizeof *y), *magnitude = malloc(p.count[Y] * sizeof *magnitude);
        assert_true(y && magnitude);
        for (int role = X; role <= W; role++) {
            for (size_t trial = 0; trial < 20; trial++) {
                const size_t at = trial * 7919 % p.count[role];
                const float was = p.data[role][at];
                p.data[role][at] = was + 0.5f;
                const double step = (double)p.data[role][at] - (double)was;
                ref_conv2d_forward(&ref, p.data[X], p.data[W], y, magnitude);
                p.data[role][at] = was;
                double difference = 0.0;
                for (size_t j = 0; j < p.count[Y]; j++)
                    difference += (y[j] - p.expected[Y][j]) * (double)p.data[Y][j];
                if (!(fabs(difference / step - p.expected[role][at]) <= 1e-9 * (1.0 + p.magnitude[role][at])))
                    fail_msg("shape %zu, gradient of %s, element %zu: %.12g by difference, %.12g by formula", i, role == X ? "x" : "w", at,
                             difference / step, p.expected[role][at]);
            }
        }
        free(y);
        free(magnitude);
        free_problem(&p);
    }
}

static void test_key(void **state)
{
    (void)state;
    char text[160];
    const cc_conv2d_desc d = { 32, 30, 31, 16, 24, 3, 5, 2, 1, 1 };
    cc_conv2d_key(&d, CC_FORWARD, text, sizeof text);
    assert_string_equal(text, "conv2d forward n32 h30 w31 c16 k24 r3 s5 stride2 pad1");
    const cc_conv2d_desc grouped = { 32, 30, 31, 16, 24, 3, 5, 2, 1, 8 };
    cc_conv2d_desc read;
    cc_conv2d_key(&grouped, CC_FORWARD, text, sizeof text);
    assert_string_equal(text, "conv2d forward n32 h30 w31 c16 k24 r3 s5 stride2 pad1 g8");
    assert_true(cc_conv2d_read_shape("n32 h30 w31 c16 k24 r3 s5 stride2 pad1 g8 = general", &read));
    assert_memory_equal(&read, &grouped, sizeof read);
    assert_true(cc_conv2d_read_shape("n32 h30 w31 c16 k24 r3 s5 stride2 pad1 = gemm", &read));
    assert_memory_equal(&read, &d, sizeof read);
    assert_false(cc_conv2d_read_shape("n32 h30 w31 c16 k24 r3 s5 stride2 pad1 g5", &read));
    assert_false(cc_conv2d_read_shape("n32 h30 w31 c16 k24 r3 s5 stride2 pad1 g0", &read));
}

static void test_choice(void **state)
{
    (void)state;
    const cc_conv2d_desc d = { 2, 8, 8, 16, 16, 3, 3, 1, 1, 1 };
    camcl_device_info cpu = { .type = CAMCL_CPU,
                              .vendor = "x",
                              .compute_units = 2,
                              .global_mem = 1u << 30,
                              .max_alloc = 1u << 28,
                              .local_mem = 32768,
                              .max_work_group = 256,
                              .vector_width = 16,
                              .vector_registers = 32 };
    camcl_device_info gpu = cpu, tiny = cpu;
    gpu.type = CAMCL_GPU;
    tiny.type = CAMCL_GPU;
    tiny.max_alloc = 1024;
    for (int i = CC_FORWARD; i <= CC_BACKWARD_WEIGHT; i++) {
        const cc_direction direction = (cc_direction)i;
        const char *winograd = direction == CC_BACKWARD_WEIGHT ? "winograd" : "winograd12";
        assert_string_equal(cc_conv2d_choose(&cpu, "auto", direction, &d)->name, winograd);
        assert_string_equal(cc_conv2d_choose(&cpu, "winograd", direction, &d)->name, winograd);
        assert_string_equal(cc_conv2d_choose(&cpu, "direct", direction, &d)->name, "tile");
        assert_string_equal(cc_conv2d_choose(&cpu, "gemm", direction, &d)->name, "gemm");
        assert_string_equal(cc_conv2d_choose(&gpu, "auto", direction, &d)->name, "local_small");
        assert_string_equal(cc_conv2d_choose(&gpu, "direct", direction, &d)->name, "local_small");
        assert_string_equal(cc_conv2d_choose(&gpu, "winograd", direction, &d)->name, "winograd_local_small");
        assert_string_equal(cc_conv2d_choose(&gpu, "gemm", direction, &d)->name, "gemm");
        assert_string_equal(cc_conv2d_choose(&tiny, "gemm", direction, &d)->name, "general"); /* allowed, but does not fit */
        assert_int_equal(cc_conv2d_choose(&gpu, "auto", direction, &d)->direction, direction);
    }
}

/* Winograd serves what it applies to, under `auto` only where it is likely to be faster. */
static void test_choice_of_winograd(void **state)
{
    (void)state;
#define TILE                                                                                                                               \
    {                                                                                                                                      \
        "tile", "tile", "tile"                                                                                                             \
    }
    static const struct {
        cc_conv2d_desc desc;
        bool applies, faster[3];
        const char *direct[3];
    } cases[] = {
        { { 32, 32, 32, 64, 64, 3, 3, 1, 1, 1 }, true, { true, true, true }, TILE },
        { { 32, 4, 4, 512, 512, 3, 3, 1, 1, 1 }, true, { true, true, true }, TILE },
        { { 32, 7, 7, 512, 512, 3, 3, 1, 1, 1 }, true, { true, true, true }, TILE },
        { { 1, 4, 4, 512, 512, 3, 3, 1, 1, 1 },
          true,
          { true, true, false },
          TILE }, /* one tile does not pay for a transform of the gradient */
        { { 32, 2, 2, 64, 64, 3, 3, 1, 1, 1 }, true, { false, false, false }, TILE }, /* 4 of a tile's 16 points exist */
        { { 32, 32, 32, 3, 64, 3, 3, 1, 1, 1 },
          true,
          { false, true, false },
          { "narrow", "tile", "narrow" } }, /* too few products for a transform of the input */
        { { 32, 32, 32, 64, 128, 3, 3, 2, 1, 1 }, true, { true, true, true }, TILE },
        { { 32, 8, 8, 256, 512, 3, 3, 2, 1, 1 }, true, { true, true, true }, TILE },
        { { 1, 8, 8, 256, 512, 3, 3, 2, 1, 1 },
          true,
          { false, false, false },
          TILE }, /* one tile does not pay for a transform of the weights */
        { { 32, 4, 4, 256, 512, 3, 3, 2, 1, 1 }, true, { false, false, false }, TILE }, /* 4 of a tile's 16 points exist */
        { { 32, 32, 32, 3, 64, 3, 3, 2, 1, 1 }, true, { false, true, false }, { "narrow", "tile", "narrow" } },
        { { 32, 32, 32, 64, 64, 3, 3, 3, 1, 1 }, false, { false, false, false }, TILE },
        { { 32, 32, 32, 64, 64, 1, 1, 1, 0, 1 }, false, { false, false, false }, { "point", "point", "point" } },
        { { 32, 32, 32, 64, 64, 5, 5, 1, 2, 1 }, false, { false, false, false }, TILE },
        { { 32, 32, 32, 64, 64, 3, 3, 1, 3, 1 }, false, { false, false, false }, TILE },
    };
    const camcl_device_info cpu = { .type = CAMCL_CPU,
                                    .vendor = "x",
                                    .compute_units = 2,
                                    .global_mem = 1u << 30,
                                    .max_alloc = 1u << 28,
                                    .local_mem = 32768,
                                    .max_work_group = 256,
                                    .vector_width = 16,
                                    .vector_registers = 32 };
    for (size_t i = 0; i < CC_COUNT(cases); i++) {
        for (int direction = CC_FORWARD; direction <= CC_BACKWARD_WEIGHT; direction++) {
            const cc_conv2d_desc *d = &cases[i].desc;
            const char *automatic = cc_conv2d_choose(&cpu, "auto", (cc_direction)direction, d)->family;
            assert_string_equal(automatic, cases[i].faster[direction] ? "winograd" : "direct");
            const char *asked = cc_conv2d_choose(&cpu, "winograd", (cc_direction)direction, d)->family;
            assert_string_equal(asked, cases[i].applies ? "winograd" : "direct");
            assert_string_equal(cc_conv2d_choose(&cpu, "direct", (cc_direction)direction, d)->name, cases[i].direct[direction]);
        }
    }
}

/* GPUs: Winograd where its transforms pay, large tiles where they fill the device and it has the registers. */
static void test_choice_for_gpus(void **state)
{
    (void)state;
    static const struct {
        cc_conv2d_desc desc;
        const char *nvidia[3], *intel[3];
    } cases[] = {
        { { 64, 32, 32, 64, 64, 3, 3, 1, 1, 1 },
          { "winograd_local_small", "winograd_local_small", "winograd_local_small" }, /* many products fill the device */
          { "winograd_local_small", "winograd_local_small", "winograd_local_small" } },
        { { 128, 16, 16, 128, 128, 3, 3, 1, 1, 1 },
          { "winograd_local_small", "winograd_local_small", "winograd_local_small" },
          { "winograd_local_small", "winograd_local_small", "winograd_local_small" } },
        { { 64, 32, 32, 32, 32, 3, 3, 1, 1, 1 }, { "local", "local", "local_small" }, { "local_small", "local_small", "local_small" } },
        { { 64, 32, 32, 64, 128, 3, 3, 2, 1, 1 },
          { "local", "local_small", "local_small" },
          { "local_small", "local_small", "local_small" } },
        { { 64, 32, 32, 3, 64, 3, 3, 1, 1, 1 }, /* channels not in fours */
          { "local_small", "local_small", "local_small" },
          { "local_small", "local_small", "local_small" } },
        { { 16, 4, 4, 512, 512, 3, 3, 1, 1, 1 }, /* too few tiles for the transforms of weights, too few pixels for large tiles */
          { "local_small", "local_small", "local" },
          { "local_small", "local_small", "local_small" } },
        { { 256, 2, 2, 512, 512, 3, 3, 1, 1, 1 }, /* 4 of a Winograd tile's 16 points exist */
          { "local_small", "local_small", "local" },
          { "local_small", "local_small", "local_small" } },
    };
    camcl_device_info info = { .type = CAMCL_GPU,
                               .compute_units = 64,
                               .global_mem = 1u << 30,
                               .max_alloc = 1u << 28,
                               .local_mem = 49152,
                               .max_work_group = 512,
                               .vector_width = 4,
                               .vector_registers = 16 };
    for (size_t i = 0; i < CC_COUNT(cases); i++) {
        for (int direction = CC_FORWARD; direction <= CC_BACKWARD_WEIGHT; direction++) {
            char key[160];
            cc_conv2d_key(&cases[i].desc, (cc_direction)direction, key, sizeof key);
            strcpy(info.vendor, "NVIDIA Corporation");
            const char *nvidia = cc_conv2d_choose(&info, "auto", (cc_direction)direction, &cases[i].desc)->name;
            strcpy(info.vendor, "Intel(R) Corporation");
            const char *intel = cc_conv2d_choose(&info, "auto", (cc_direction)direction, &cases[i].desc)->name;
            if (strcmp(nvidia, cases[i].nvidia[direction]) != 0 || strcmp(intel, cases[i].intel[direction]) != 0)
                fail_msg("%s: %s on NVIDIA, %s on Intel", key, nvidia, intel);
        }
    }
    const cc_variant *local = cc_operation_find(&cc_conv2d_operation, CC_FORWARD, "local");
    assert_true(cc_conv2d_competes(&info, local));
    info.type = CAMCL_CPU; /* whose own kernels are timed without them */
    assert_false(cc_conv2d_competes(&info, local));
    info.type = CAMCL_GPU;
    info.max_work_group = 128; /* runs none of them */
    assert_string_equal(cc_conv2d_choose(&info, "auto", CC_FORWARD, &cases[0].desc)->name, "gemm");
    assert_string_equal(cc_conv2d_choose(&info, "direct", CC_FORWARD, &cases[0].desc)->name, "general");
}

static void test_refusals(void **state)
{
    (void)state;
    camcl_error err = { 0 };
    cc_tensor io[3] = { CC_NO_TENSOR, CC_NO_TENSOR, CC_NO_TENSOR };
    cc_conv2d_desc d = { 1, 2, 2, 1, 1, 5, 5, 1, 0, 1 }; /* the kernel is larger than the image */
    for (size_t v = 0; v < cc_operation_count(&cc_conv2d_operation); v++)
        assert_int_equal(cc_operation_at(&cc_conv2d_operation, v)->record(NULL, &d, io, 3, false, &err), CAMCL_UNSUPPORTED);
    d.r = d.s = 1; /* one channel does not fall into two groups */
    for (d.groups = 0; d.groups < 3; d.groups += 2)
        for (size_t v = 0; v < cc_operation_count(&cc_conv2d_operation); v++)
            assert_int_equal(cc_operation_at(&cc_conv2d_operation, v)->record(NULL, &d, io, 3, false, &err), CAMCL_UNSUPPORTED);
    d.groups = 1; /* operands missing */
    for (size_t v = 0; v < cc_operation_count(&cc_conv2d_operation); v++)
        assert_int_equal(cc_operation_at(&cc_conv2d_operation, v)->record(NULL, &d, io, 3, false, &err), CAMCL_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_gradients),
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_choice_of_winograd),
        cmocka_unit_test(test_choice_for_gpus),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_variants),
        cmocka_unit_test(test_winograd),
        cmocka_unit_test(test_winograd_stride2),
        cmocka_unit_test(test_without_cache),
        cmocka_unit_test(test_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
