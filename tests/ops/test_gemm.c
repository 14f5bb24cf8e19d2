/* GEMM against host/check/ref, on every device: both factors plain and transposed, overwriting and adding, sizes down to 1. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "ops/gemm.h"
#include "check/ref/gemm_ref.h"
#include "support/devices.h"

#define GUARD 32 /* numbers behind every buffer */
#define SENTINEL 12345.0f

static void must(camcl_status status, const camcl_error *err)
{
    if (status != CAMCL_OK) fail_msg("%s\n%s", err->message, err->detail);
}

static float random_float(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)((int32_t)*state >> 8) / 8388608.0f;
}

static float *random_array(size_t count, uint32_t seed)
{
    float *data = malloc(count * sizeof *data);
    assert_non_null(data);
    for (size_t i = 0; i < count; i++)
        data[i] = random_float(&seed);
    return data;
}

/* A buffer of count numbers (NULL: NaN) and the guard. */
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

static cc_tensor matrix(cc_buffer *buffer, size_t rows, size_t columns)
{
    return (cc_tensor){ .buffer = buffer, .dtype = CC_F32, .rank = 2, .dim = { rows, columns } };
}

static void check(camcl_device *device, const cc_gemm_desc *d, bool add)
{
    const size_t count = d->m * d->n;
    camcl_error err;
    float *a = random_array(d->m * d->k, 1), *b = random_array(d->k * d->n, 2), *before = random_array(count, 3);
    float *got = malloc((count + GUARD) * sizeof *got);
    double *expected = malloc(count * sizeof *expected), *magnitude = malloc(count * sizeof *magnitude);
    assert_true(got && expected && magnitude);
    ref_gemm(d->m, d->n, d->k, d->transpose_a, d->transpose_b, a, b, expected, magnitude);
    cc_buffer *ba = guarded(device, a, d->m * d->k, NAN), *bb = guarded(device, b, d->k * d->n, NAN);
    cc_buffer *bc = guarded(device, add ? before : NULL, count, SENTINEL);
    cc_arena *arena = NULL;
    cc_tape *tape = NULL;
    must(cc_arena_create(device, &arena, &err), &err);
    must(cc_tape_create(arena, "gemm", &tape, &err), &err);
    must(cc_gemm(tape, d, matrix(ba, d->m, d->k), matrix(bb, d->k, d->n), matrix(bc, d->m, d->n), add, &err), &err);
    must(cc_arena_commit(arena, &err), &err);
    must(cc_tape_run(tape, &err), &err);
    must(cc_buffer_read(bc, 0, got, (count + GUARD) * sizeof *got, &err), &err);
    for (size_t i = 0; i < count + GUARD; i++) {
        /* as in test_conv2d: roundings of a sum of k products */
        const double start = add && i < count ? (double)before[i] : 0.0;
        const double wanted = i < count ? expected[i] + start : (double)SENTINEL;
        const double allowed = i < count ? (4.0 + sqrt((double)d->k)) * ldexp(1.0, -24) * (magnitude[i] + fabs(start)) : 0.0;
        if (!(fabs((double)got[i] - wanted) <= allowed))
            fail_msg("%zu x %zu x %zu%s%s%s: element %zu of %zu is %.9g, expected %.9g +- %.2g", d->m, d->n, d->k,
                     d->transpose_a ? " A^T" : "", d->transpose_b ? " B^T" : "", add ? " add" : "", i, count, (double)got[i], wanted,
                     allowed);
    }
    cc_arena_destroy(&arena);
    cc_buffer_destroy(&ba);
    cc_buffer_destroy(&bb);
    cc_buffer_destroy(&bc);
    free(a);
    free(b);
    free(before);
    free(got);
    free(expected);
    free(magnitude);
}

/* Sizes around CLBlast's tiles, degenerate ones, and some large enough for its indirect kernel. */
static const size_t sizes[][3] = {
    { 1, 1, 1 },     { 1, 10, 64 },    { 64, 1, 33 },    { 17, 33, 1 },     { 31, 32, 33 },
    { 10, 128, 64 }, { 144, 16, 300 }, { 401, 129, 65 }, { 640, 520, 512 },
};

static void check_device(camcl_device *device, void *context)
{
    (void)context;
    for (size_t i = 0; i < CC_COUNT(sizes); i++) {
        for (unsigned flags = 0; flags < 8; flags++) {
            const cc_gemm_desc d = { sizes[i][0], sizes[i][1], sizes[i][2], (flags & 1) != 0, (flags & 2) != 0 };
            check(device, &d, (flags & 4) != 0);
        }
    }
}

static void test_products(void **state)
{
    (void)state;
    for_each_device(check_device, NULL);
}

/* The last test of a device: its own parameters do not come back. */
static void check_sets(camcl_device *device, void *context)
{
    (void)context;
    const camcl_device_info *info = camcl_device_get_info(device);
    const cc_gemm_desc plain = { 640, 520, 512, false, false }, transposed = { 530, 390, 520, true, true };
    camcl_error err;
    if (strstr(info->platform, "Oclgrind")) return;
    for (size_t i = 0; cc_gemm_set_name(i); i++) {
        char text[256];
        if (!cc_gemm_set_supports(info, i)) continue;
        must(cc_gemm_use(device, i, &err), &err);
        cc_gemm_set_describe(i, text, sizeof text);
        printf("  %s: %s\n", cc_gemm_set_name(i), text);
        check(device, &plain, false);
        check(device, &transposed, true);
    }
}

static void test_parameters(void **state)
{
    (void)state;
    for_each_device(check_sets, NULL);
}

/* An empty product, and operands that are too small, are refused while recording. */
static void check_refusals(camcl_device *device, void *context)
{
    (void)context;
    camcl_error err = { 0 };
    cc_arena *arena = NULL;
    cc_tape *tape = NULL;
    cc_buffer *buffer = NULL;
    must(cc_arena_create(device, &arena, &err), &err);
    must(cc_tape_create(arena, "gemm", &tape, &err), &err);
    must(cc_buffer_create(device, 16 * sizeof(float), "test", &buffer, &err), &err);
    const cc_tensor t = matrix(buffer, 4, 4);
    for (int which = 0; which < 4; which++) {
        const cc_gemm_desc d = { which == 0 ? 0 : which == 3 ? 5 : 4, which == 1 ? 0 : 4, which == 2 ? 0 : 4, false, false };
        assert_int_equal(cc_gemm(tape, &d, t, t, t, false, &err), CAMCL_FAILED);
        assert_int_equal(cc_tape_length(tape), 0);
    }
    cc_arena_destroy(&arena);
    cc_buffer_destroy(&buffer);
}

static void test_refusals(void **state)
{
    (void)state;
    for_each_device(check_refusals, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_products), cmocka_unit_test(test_refusals),
                                        cmocka_unit_test(test_parameters) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
