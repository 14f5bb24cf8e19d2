/* Operations on the bytes of pictures against Pillow's own (tests/golden/make_views.py), in every variant: equal, but for autocontrast,
 * whose levels Pillow scales in floating point. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "check/check.h"
#include "feed/randaugment.h"
#include "ops/variants.h"
#include "ops/views_golden.h"
#include "support/devices.h"
#include "support/golden.h"
#include "support/operands.h"

static camcl_device *device;

/* Oclgrind interprets kernels: leave out what is large for it. */
static bool too_slow(size_t side) { return strstr(camcl_device_get_info(device)->platform, "Oclgrind") && side > 16; }

/* Applies operations [n] to pictures [n,size,size,c], one each, with one variant. */
static void apply(const cc_variant *variant, size_t n, size_t size, size_t c, const cc_picture_operation *operations,
                  const uint8_t *pictures, uint8_t *out)
{
    const size_t count = n * size * size * c;
    const cc_randaugment_desc d = { n, size, c, 1, 0 };
    const float normalise[6] = { 0, c == 1 ? 255.0f : 0, 0, 255, 255, 255 };
    op_test t;
    op_begin(&t, device);
    const cc_tensor io[] = { op_input(&t, CC_U8, pictures, count), op_input(&t, CC_I32, operations, 8 * n),
                             op_input(&t, CC_F32, normalise, 2 * c), op_output(&t, CC_F32, count) };
    OK(&t, variant->record(t.tape, &d, io, 4, false, &t.err));
    op_run(&t);
    float *got = op_read_floats(&t, io[3]);
    for (size_t i = 0; i < count; i++) {
        const long byte = lroundf(got[i]);
        assert_true(fabsf(got[i] - (float)byte) < 1e-3f && byte >= 0 && byte <= 255);
        out[i] = (uint8_t)byte;
    }
    free(got);
    op_end(&t);
}

/* The row of the golden's operation number k. */
static const cc_drawn_operation *drawn_operation(const cc_safetensors *g, int k)
{
    size_t count;
    const cc_drawn_operation *drawn = cc_drawn_operations(&count);
    const char *names = golden_text(g, "operations");
    for (; k > 0; k--)
        names = strchr(names, ',') + 1;
    for (size_t i = 0; i < count; i++)
        if (strncmp(drawn[i].name, names, strlen(drawn[i].name)) == 0) return &drawn[i];
    fail_msg("no operation %s", names);
    return NULL;
}

static void compare(const char *name, float magnitude, size_t size, size_t c, const uint8_t *got, const uint8_t *want)
{
    const int allowed = strcmp(name, "autocontrast") == 0;
    for (size_t i = 0; i < size * size * c; i++)
        if (abs(got[i] - want[i]) > allowed)
            fail_msg("%s %g, side %zu: byte %zu is %d, Pillow has %d", name, (double)magnitude, size, i, got[i], want[i]);
}

/* cases [*,3]: picture, operation, magnitude; results of one picture one after another. */
static void equals_pillow(void **state)
{
    (void)state;
    cc_safetensors *g = golden_open("tests/golden/views.safetensors");
    float *cases = golden_data(g, "cases");
    const size_t case_count = golden_tensor(g, "cases")->shape[0];
    for (size_t p = 0, first = 0; first < case_count; p++) {
        char name[32];
        snprintf(name, sizeof name, "picture%zu", p);
        const cc_st_tensor *shape = golden_tensor(g, name);
        const size_t size = shape->shape[0], c = shape->shape[2], image = size * size * c;
        uint8_t *picture = golden_data(g, name);
        snprintf(name, sizeof name, "results%zu", p);
        uint8_t *results = golden_data(g, name);
        const size_t n = golden_tensor(g, name)->shape[0];
        uint8_t *pictures = malloc(n * image), *got = malloc(n * image);
        cc_picture_operation *operations = calloc(n, sizeof *operations);
        assert_true(pictures && got && operations);
        for (size_t i = 0; i < n; i++) {
            const float *row = cases + 3 * (first + i);
            assert_int_equal((size_t)row[0], p);
            memcpy(pictures + i * image, picture, image);
            operations[i] = drawn_operation(g, (int)row[1])->make(row[2], size);
        }
        for (size_t v = 0; v < cc_randaugment_variant_count; v++) {
            const cc_randaugment_desc d = { n, size, c, 1, 0 };
            if (too_slow(size) || !cc_randaugment_variants[v].supports(camcl_device_get_info(device), &d)) continue;
            apply(&cc_randaugment_variants[v], n, size, c, operations, pictures, got);
            for (size_t i = 0; i < n; i++)
                compare(drawn_operation(g, (int)cases[3 * (first + i) + 1])->name, cases[3 * (first + i) + 2], size, c, got + i * image,
                        results + i * image);
        }
        first += n;
        free(picture), free(results), free(pictures), free(got), free(operations);
    }
    free(cases);
    cc_safetensors_free(&g);
}

static uint32_t crc32_of(const uint8_t *bytes, size_t count)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

/* large.cases [*,4]: side, channels, operation, magnitude. Hashed pictures have all levels, of which autocontrast makes themselves. */
static void equals_pillow_on_large_pictures(void **state)
{
    (void)state;
    cc_safetensors *g = golden_open("tests/golden/views.safetensors");
    float *cases = golden_data(g, "large.cases");
    int32_t *sums = golden_data(g, "large.crc32");
    for (size_t i = 0; i < golden_tensor(g, "large.cases")->shape[0]; i++) {
        const float *row = cases + 4 * i;
        const size_t size = (size_t)row[0], c = (size_t)row[1], image = size * size * c;
        if (too_slow(size)) continue;
        const cc_drawn_operation *drawn = drawn_operation(g, (int)row[2]);
        const cc_picture_operation operation = drawn->make(row[3], size);
        uint8_t *picture = malloc(image), *got = malloc(image);
        assert_true(picture && got);
        for (size_t k = 0; k < image; k++)
            picture[k] = (uint8_t)(views_hash(k, size) >> 24);
        for (size_t v = 0; v < cc_randaugment_variant_count; v++) {
            const cc_randaugment_desc d = { 1, size, c, 1, 0 };
            if (!cc_randaugment_variants[v].supports(camcl_device_get_info(device), &d)) continue;
            apply(&cc_randaugment_variants[v], 1, size, c, &operation, picture, got);
            if (crc32_of(got, image) != (uint32_t)sums[i])
                fail_msg("%s %g, side %zu: not what Pillow makes of it", drawn->name, (double)row[3], size);
        }
        free(picture), free(got);
    }
    free(cases), free(sums);
    cc_safetensors_free(&g);
}

static void cutouts_equal_pillow(void **state)
{
    (void)state;
    enum { SIZE = 32 };
    cc_safetensors *g = golden_open("tests/golden/views.safetensors");
    float *cuts = golden_data(g, "cutout");
    const size_t n = golden_tensor(g, "cutout")->shape[0];
    for (size_t c = 1; c <= 3; c += 2) {
        char name[32];
        snprintf(name, sizeof name, "cutout.results%zu", c);
        uint8_t *want = golden_data(g, name), *black = calloc(n, SIZE * SIZE * c), *got = malloc(n * SIZE * SIZE * c);
        cc_picture_operation *operations = calloc(n, sizeof *operations);
        assert_true(black && got && operations);
        for (size_t i = 0; i < n; i++)
            operations[i] = cc_picture_cutout(cuts[3 * i], cuts[3 * i + 1], cuts[3 * i + 2], SIZE);
        apply(&cc_randaugment_variants[0], n, SIZE, c, operations, black, got);
        for (size_t i = 0; i < n; i++)
            compare("cutout", cuts[3 * i], SIZE, c, got + i * SIZE * SIZE * c, want + i * SIZE * SIZE * c);
        free(want), free(black), free(got), free(operations);
    }
    free(cuts);
    cc_safetensors_free(&g);
}

static void variants_match_reference(void **state)
{
    (void)state;
    for (size_t v = 0; v < cc_randaugment_variant_count; v++) {
        camcl_error err = { .status = CAMCL_OK };
        cc_check c = { .device = device, .variant = &cc_randaugment_variants[v], .err = &err, .ok = true };
        cc_check_randaugment(&c);
        if (c.status != CAMCL_OK || !c.ok) fail_msg("%s: %s%s", cc_randaugment_variants[v].name, err.message, c.what);
        assert_true(c.shapes > 0);
    }
}

static const struct CMUnitTest operation_tests[] = {
    cmocka_unit_test(variants_match_reference),
    cmocka_unit_test(equals_pillow),
    cmocka_unit_test(equals_pillow_on_large_pictures),
    cmocka_unit_test(cutouts_equal_pillow),
};
#include "support/op_main.h"
