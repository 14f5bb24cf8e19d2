/* Loading batches from the data set on the device: reference, exact bytes, flips, chunks, labels. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "ops/variants.h"
#include "check/check.h"
#include "check/ref/load_ref.h"
#include "support/devices.h"
#include "support/operands.h"

static camcl_device *device;

enum { ROWS = 7, IMAGES = 5 };
static const int32_t sources[ROWS] = { 12, 10, 14, 14, 11, 13, 10 };

static unsigned char *random_bytes(size_t count)
{
    float *values = random_floats(count, 21);
    unsigned char *bytes = malloc(count);
    for (size_t i = 0; i < count; i++)
        bytes[i] = (unsigned char)((values[i] + 1.0f) * 127.99f);
    bytes[0] = 255;
    bytes[count - 1] = 0;
    free(values);
    return bytes;
}

static void transforms_of(cc_transform *out)
{
    for (int32_t i = 0; i < ROWS; i++)
        out[i] =
            (cc_transform){ .source = sources[i], .flip_h = i & 1, .flip_v = i >> 1 & 1, .y0 = 1, .x0 = 1, .y1 = 2, .x1 = 2, .turns = 3 };
}

static const cc_load_desc shapes[] = {
    { ROWS, 1, 1, 1, 1, 0, 10, IMAGES, CC_WINDOW_WHOLE },    { ROWS, 5, 5, 3, 5, 2, 10, IMAGES, CC_WINDOW_WHOLE },
    { ROWS, 16, 16, 4, 16, 1, 10, IMAGES, CC_WINDOW_WHOLE }, { ROWS, 17, 17, 3, 17, 0, 10, IMAGES, CC_WINDOW_WHOLE },
    { ROWS, 28, 28, 1, 28, 0, 10, IMAGES, CC_WINDOW_WHOLE }, { ROWS, 32, 32, 3, 32, 3, 10, IMAGES, CC_WINDOW_WHOLE },
    { ROWS, 4, 6, 3, 9, 1, 10, IMAGES, CC_WINDOW_WHOLE },    { ROWS, 33, 31, 1, 15, 0, 10, IMAGES, CC_WINDOW_WHOLE },
    { ROWS, 8, 8, 4, 31, 0, 10, IMAGES, CC_WINDOW_WHOLE },   { ROWS, 7, 9, 3, 1, 0, 10, IMAGES, CC_WINDOW_WHOLE },
};

static void variants_match_reference(void **state)
{
    (void)state;
    const double mean64[4] = { 0.49, 0.48, 0.44, 0.5 }, std64[4] = { 0.25, 0.24, 0.26, 0.5 };
    cc_transform transforms[ROWS];
    transforms_of(transforms);
    for (size_t s = 0; s < CC_COUNT(shapes); s++) {
        const cc_load_desc d = shapes[s];
        const size_t image = d.size * d.size * d.c, pixels = d.h * d.w * d.c, count = (d.dst_row0 + d.n + 1) * image;
        unsigned char *bytes = random_bytes(IMAGES * pixels);
        float normalise[8], *before = random_floats(count, 22);
        for (size_t k = 0; k < d.c; k++) {
            normalise[k] = (float)mean64[k];
            normalise[d.c + k] = (float)(1.0 / std64[k]);
        }
        double *want = to_doubles(before, count);
        for (size_t i = 0; i < ROWS; i++)
            ref_load_image(d.h, d.w, d.c, d.size, bytes + (size_t)(sources[i] - 10) * pixels, mean64, std64, transforms[i].flip_h,
                           transforms[i].flip_v, want + (d.dst_row0 + i) * image);
        for (size_t v = 0; v <= cc_load_variant_count; v++) {
            const cc_variant *variant = v < cc_load_variant_count ? &cc_load_variants[v] : NULL;
            if (variant && (strcmp(variant->op->name, "load_images") != 0 || !variant->supports(camcl_device_get_info(device), &d)))
                continue;
            op_test t;
            op_begin(&t, device);
            const cc_tensor io[] = { op_input(&t, CC_U8, bytes, IMAGES * pixels), op_input(&t, CC_I32, transforms, 8 * ROWS),
                                     op_input(&t, CC_F32, normalise, 2 * d.c), op_input(&t, CC_F32, before, count) };
            if (variant)
                OK(&t, variant->record(t.tape, &d, io, 4, false, &t.err));
            else
                OK(&t, cc_load_images(t.tape, &d, io[0], io[1], io[2], io[3], &t.err));
            op_run(&t);
            float *got = op_read_floats(&t, io[3]);
            check_close(got, want, count, 1e-6, 1e-6, "%s, shape %zu", variant ? variant->name : "default", s);
            free(got);
            op_end(&t);
        }
        free(bytes), free(before), free(want);
    }
}

/* Mean 0, std 1, whatever path is taken: 255 y is the byte, up to the rounding of 1/255. */
static void bytes_come_through(void **state)
{
    (void)state;
    const cc_load_desc d = { .n = 1, .h = 16, .w = 16, .c = 1, .size = 16, .images = 1 };
    const float normalise[2] = { 0.0f, 1.0f };
    const cc_transform identity = { .y1 = 16, .x1 = 16 };
    unsigned char bytes[256];
    float *loaded[2];
    for (size_t i = 0; i < 256; i++)
        bytes[i] = (unsigned char)i;
    for (size_t v = 0, seen = 0; v < cc_load_variant_count; v++) {
        const cc_variant *variant = &cc_load_variants[v];
        if (strcmp(variant->op->name, "load_images") != 0 || !variant->supports(camcl_device_get_info(device), &d)) continue;
        op_test t;
        op_begin(&t, device);
        const cc_tensor io[] = { op_input(&t, CC_U8, bytes, 256), op_input(&t, CC_I32, &identity, 8), op_input(&t, CC_F32, normalise, 2),
                                 op_output(&t, CC_F32, 256) };
        OK(&t, variant->record(t.tape, &d, io, 4, false, &t.err));
        op_run(&t);
        assert_true(seen < 2);
        loaded[seen++] = op_read_floats(&t, io[3]);
        op_end(&t);
    }
    for (size_t i = 0; i < 256; i++) {
        assert_true(lroundf(loaded[0][i] * 255.0f) == (long)i);
        assert_true(fabs((double)loaded[0][i] - (double)i / 255.0) <= 1.5e-7 * (double)i / 255.0);
    }
    assert_true(loaded[0][0] == 0.0f);
    check_same(loaded[0], loaded[1], 256, "both variants");
    free(loaded[0]), free(loaded[1]);
}

/* The data set in two buffers: each leaves the other's images alone, together they fill the batch. */
static void chunks_fill_the_batch_together(void **state)
{
    (void)state;
    const size_t sizes[] = { 6, 4 }; /* resized and native */
    for (size_t s = 0; s < CC_COUNT(sizes); s++) {
        const size_t pixels = 4 * 4 * 3, image = sizes[s] * sizes[s] * 3, count = ROWS * image;
        const float normalise[6] = { 0.5f, 0.5f, 0.5f, 2, 2, 2 };
        unsigned char *bytes = random_bytes(IMAGES * pixels);
        cc_transform transforms[ROWS];
        transforms_of(transforms);
        cc_load_desc whole = { .n = ROWS, .h = 4, .w = 4, .c = 3, .size = sizes[s], .first_image = 10, .images = IMAGES }, first = whole,
                     second = whole;
        first.images = 2;
        second.first_image = 12;
        second.images = 3;
        op_test t;
        op_begin(&t, device);
        const cc_tensor all = op_input(&t, CC_U8, bytes, IMAGES * pixels), a = op_input(&t, CC_U8, bytes, 2 * pixels);
        const cc_tensor b = op_input(&t, CC_U8, bytes + 2 * pixels, 3 * pixels), tt = op_input(&t, CC_I32, transforms, 8 * ROWS);
        const cc_tensor norm = op_input(&t, CC_F32, normalise, 6);
        const cc_tensor once = op_output(&t, CC_F32, count), half = op_output(&t, CC_F32, count), both = op_output(&t, CC_F32, count);
        OK(&t, cc_load_images(t.tape, &whole, all, tt, norm, once, &t.err));
        OK(&t, cc_load_images(t.tape, &first, a, tt, norm, half, &t.err));
        OK(&t, cc_load_images(t.tape, &second, b, tt, norm, both, &t.err));
        OK(&t, cc_load_images(t.tape, &first, a, tt, norm, both, &t.err));
        op_run(&t);
        float *want = op_read_floats(&t, once), *part = op_read_floats(&t, half), *got = op_read_floats(&t, both);
        check_same(got, want, count, "both chunks");
        for (size_t i = 0; i < count; i++) {
            if (sources[i / image] < 12)
                assert_true(part[i] == want[i]);
            else
                assert_true(isnan(part[i]));
        }
        free(bytes), free(want), free(part), free(got);
        op_end(&t);
    }
}

/* Windows, and bytes: host/check/check_loading.c. */
static void windows_and_bytes_match_reference(void **state)
{
    (void)state;
    for (size_t v = 0; v < cc_load_variant_count; v++) {
        camcl_error err = { .status = CAMCL_OK };
        cc_check c = { .device = device, .variant = &cc_load_variants[v], .err = &err, .ok = true };
        cc_check_find(c.variant->op->name)(&c);
        if (c.status != CAMCL_OK || !c.ok) fail_msg("%s %s: %s%s", c.variant->op->name, c.variant->name, err.message, c.what);
        assert_true(c.shapes > 0);
    }
}

static void labels_follow_their_images(void **state)
{
    (void)state;
    const int32_t labels[5] = { 7, 3, 9, 0, 4 }, want[6] = { 4, 7, -1, 0, 0, -1 };
    cc_transform transforms[6] = { { .source = 4 }, { .source = 0 }, { .source = -1 }, { .source = 3 }, { .source = 3 }, { .source = -5 } };
    int32_t got[6];
    op_test t;
    op_begin(&t, device);
    const cc_tensor out = op_output(&t, CC_I32, 6);
    OK(&t, cc_load_labels(t.tape, 6, op_input(&t, CC_I32, labels, 5), op_input(&t, CC_I32, transforms, 48), out, &t.err));
    op_run(&t);
    op_read(&t, out, got);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(got[i], want[i]);
    op_end(&t);
}

static const struct CMUnitTest operation_tests[] = {
    cmocka_unit_test(variants_match_reference),       cmocka_unit_test(bytes_come_through),
    cmocka_unit_test(chunks_fill_the_batch_together), cmocka_unit_test(windows_and_bytes_match_reference),
    cmocka_unit_test(labels_follow_their_images),
};
#include "support/op_main.h"
