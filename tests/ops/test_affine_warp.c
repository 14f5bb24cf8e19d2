/* T as an affine map: PyTorch's grid_sample and its gradient, adjointness, agreement with crop and turns, maps that only move pixels. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "check/check.h"
#include "feed/views.h"
#include "ops/variants.h"
#include "ops/views_golden.h"
#include "support/devices.h"
#include "support/golden.h"
#include "support/operands.h"

static camcl_device *device;

/* Oclgrind interprets kernels: leave out what is large for it. */
static bool too_slow(size_t side) { return strstr(camcl_device_get_info(device)->platform, "Oclgrind") && side > 16; }

/* Runs T and its transpose on x and dy [n,S,S]; the caller frees y and dx. */
static void run(size_t n, size_t size, const cc_affine *maps, const float *x, const float *dy, float **y, float **dx)
{
    const cc_affine_warp_desc d = { n, size };
    const size_t count = n * size * size;
    op_test t;
    op_begin(&t, device);
    const cc_tensor table = op_input(&t, CC_F32, maps, CC_AFFINE_FLOATS * n), ty = op_output(&t, CC_F32, count),
                    tdx = op_output(&t, CC_F32, count);
    OK(&t, cc_affine_warp_forward(t.tape, &d, op_input(&t, CC_F32, x, count), table, ty, &t.err));
    OK(&t, cc_affine_warp_backward(t.tape, &d, op_input(&t, CC_F32, dy, count), table, tdx, false, &t.err));
    op_run(&t);
    *y = op_read_floats(&t, ty);
    *dx = op_read_floats(&t, tdx);
    op_end(&t);
}

/* Whether the point of (a,b) lies in the frame. */
static bool inside(const float *m, size_t size, size_t a, size_t b)
{
    for (int axis = 0; axis < 2; axis++, m += 3) {
        const double v = (double)m[0] * (double)a + (double)m[1] * (double)b + (double)m[2];
        if (v < -0.5 || v >= (double)size - 0.5) return false;
    }
    return true;
}

static float hashed(size_t i, size_t seed) { return (float)(views_hash(i, seed) >> 8) / 16777216.0f; }

/* Points outside the frame are not compared: PyTorch goes on with the pixels at the edge. */
static void equals_pytorch(void **state)
{
    (void)state;
    enum { EVERY = 59 };
    const size_t sizes[] = { 28, 32, 64, 96, 224 };
    cc_safetensors *g = golden_open("tests/golden/views.safetensors");
    for (size_t s = 0; s < CC_COUNT(sizes) && !too_slow(sizes[s]); s++) {
        char key[64];
        const size_t size = sizes[s], image = size * size;
        snprintf(key, sizeof key, "affine%zu.maps", size);
        const size_t n = golden_tensor(g, key)->shape[0], count = n * image, picked = (count + EVERY - 1) / EVERY;
        float *m = golden_data(g, key), *x = malloc(count * sizeof *x), *dy = malloc(count * sizeof *dy), *y, *dx;
        cc_affine *maps = calloc(n, sizeof *maps);
        assert_true(x && dy && maps);
        for (size_t i = 0; i < n; i++) {
            memcpy(maps[i].map, m + 6 * i, sizeof maps[i].map);
            maps[i].high[0] = maps[i].high[1] = (float)(size - 1);
        }
        for (size_t i = 0; i < count; i++) {
            x[i] = hashed(i, size);
            dy[i] = inside(m + 6 * (i / image), size, i % image / size, i % size) ? hashed(i, size + 1) : 0;
        }
        run(n, size, maps, x, dy, &y, &dx);
        snprintf(key, sizeof key, "affine%zu.target", size);
        float *target = golden_data(g, key);
        snprintf(key, sizeof key, "affine%zu.gradient", size);
        float *gradient = golden_data(g, key);
        for (size_t i = 0; i < picked; i++) {
            const size_t at = i * EVERY;
            if (!inside(m + 6 * (at / image), size, at % image / size, at % size)) continue;
            if (!(fabsf(y[at] - target[i]) <= 1e-6f * (float)size)) fail_msg("side %zu, pixel %zu: %g, not %g", size, at, y[at], target[i]);
        }
        for (size_t i = 0; i < picked; i++)
            if (!(fabsf(dx[i * EVERY] - gradient[i]) <= 2e-6f * (float)size))
                fail_msg("side %zu, gradient of pixel %zu: %g, not %g", size, i * EVERY, dx[i * EVERY], gradient[i]);
        free(m), free(x), free(dy), free(y), free(dx), free(maps), free(target), free(gradient);
    }
    cc_safetensors_free(&g);
}

/* <T x, y> = <x, T^t y> for all pixels, also those out of reach. */
static void is_adjoint(void **state)
{
    (void)state;
    enum { N = 24 };
    const size_t sizes[] = { 1, 2, 5, 16, 33, 65 };
    for (size_t s = 0; s < CC_COUNT(sizes) && !too_slow(sizes[s]); s++) {
        const size_t size = sizes[s], image = size * size;
        float *x = random_floats(N * image, 1), *dy = random_floats(N * image, 2), *draws = random_floats(N * 8, 3), *y, *dx;
        cc_affine maps[N] = { { { 0 }, { 0 }, { 0 }, 0, 0 } };
        for (size_t i = 0; i < N; i++) {
            const float *r = draws + 8 * i, last = (float)(size - 1);
            const cc_affine map = { { 2 * r[0], r[1], last * r[2], r[3], 2 * r[4], last * r[5] },
                                    { floorf(last * 0.3f), 0 },
                                    { last, i % 2 ? last : floorf(last * 0.7f) },
                                    0,
                                    0 };
            maps[i] = map;
        }
        run(N, size, maps, x, dy, &y, &dx);
        for (size_t i = 0; i < N; i++) {
            const double left = dot(y + i * image, dy + i * image, image), right = dot(x + i * image, dx + i * image, image);
            if (!(fabs(left - right) <= 2e-5 * (double)image)) fail_msg("side %zu, map %zu: %.9g, %.9g", size, i, left, right);
        }
        free(x), free(dy), free(draws), free(y), free(dx);
    }
}

/* Where a strong view is crop and turns of a weak one, both forms of T are the same map. */
static void agrees_with_crop_and_turns(void **state)
{
    (void)state;
    enum { N = 12, SIZE = 33, COUNT = N * SIZE * SIZE };
    const cc_view_spec spec = { CC_WEAK_FLIP_SHIFT, CC_STRONG_CROP_ROTATE, 0 };
    const cc_transform weak = { .y1 = SIZE, .x1 = SIZE };
    const cc_warp_desc warp = { N, SIZE, 1, 0, 0 };
    const cc_affine_warp_desc affine = { N, SIZE };
    cc_transform strong[N];
    cc_affine maps[N];
    cc_counted_row rows[SIZE];
    float *x = random_floats(COUNT, 5), *dy = random_floats(COUNT, 6);
    for (int32_t i = 0; i < N; i++) {
        strong[i] = (cc_transform){ .y0 = i, .x0 = i % 5, .y1 = SIZE - i % 3, .x1 = SIZE - 2 * i, .turns = i % 4 };
        cc_view_between(&spec, SIZE, &weak, &strong[i], NULL, &maps[i], rows);
        assert_true(maps[i].counted == SIZE * SIZE);
    }
    op_test t;
    op_begin(&t, device);
    const cc_tensor tx = op_input(&t, CC_F32, x, COUNT), tdy = op_input(&t, CC_F32, dy, COUNT), turns = op_input(&t, CC_I32, strong, 8 * N),
                    table = op_input(&t, CC_F32, maps, CC_AFFINE_FLOATS * N), y = op_output(&t, CC_F32, COUNT),
                    ay = op_output(&t, CC_F32, COUNT), dx = op_output(&t, CC_F32, COUNT), adx = op_input(&t, CC_F32, x, COUNT);
    OK(&t, cc_warp_forward(t.tape, &warp, tx, turns, y, &t.err));
    OK(&t, cc_affine_warp_forward(t.tape, &affine, tx, table, ay, &t.err));
    OK(&t, cc_warp_backward(t.tape, &warp, tdy, turns, dx, false, &t.err));
    OK(&t, cc_affine_warp_backward(t.tape, &affine, tdy, table, adx, true, &t.err));
    op_run(&t);
    float *want = op_read_floats(&t, y), *got = op_read_floats(&t, ay), *dwant = op_read_floats(&t, dx), *dgot = op_read_floats(&t, adx);
    double *want64 = to_doubles(want, COUNT), *dwant64 = to_doubles(dwant, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        dwant64[i] += x[i]; /* it was added */
    check_close(got, want64, COUNT, 3e-5, 0, "maps");
    check_close(dgot, dwant64, COUNT, 3e-4, 1e-5, "gradients");
    free(x), free(dy), free(want), free(got), free(dwant), free(dgot), free(want64), free(dwant64);
    op_end(&t);
}

/* Shifts and mirrors leave every value as it is. */
static void moves_pixels_exactly(void **state)
{
    (void)state;
    enum { N = 2, SIZE = 17, IMAGE = SIZE * SIZE };
    const cc_affine maps[N] = { { { 1, 0, 2, 0, 1, -3 }, { 0, 0 }, { SIZE - 1, SIZE - 1 }, 0, 0 },
                                { { -1, 0, SIZE - 1, 0, -1, SIZE - 4 }, { 0, 0 }, { SIZE - 1, SIZE - 1 }, 0, 0 } };
    float *x = random_floats(N * IMAGE, 7), want[N * IMAGE], *y, *dx;
    run(N, SIZE, maps, x, x, &y, &dx);
    for (int i = 0; i < N; i++)
        for (int a = 0; a < SIZE; a++)
            for (int b = 0; b < SIZE; b++) {
                const int row = i ? SIZE - 1 - a : a + 2, column = i ? SIZE - 4 - b : b - 3;
                const bool in = row >= 0 && row < SIZE && column >= 0 && column < SIZE;
                want[i * IMAGE + a * SIZE + b] = in ? x[i * IMAGE + row * SIZE + column] : 0.0f;
            }
    for (size_t i = 0; i < N * IMAGE; i++)
        assert_true(y[i] == want[i]);
    free(x), free(y), free(dx);
}

static void variants_match_reference(void **state)
{
    (void)state;
    for (size_t v = 0; v < cc_affine_warp_variant_count; v++) {
        camcl_error err = { .status = CAMCL_OK };
        cc_check c = { .device = device, .variant = &cc_affine_warp_variants[v], .err = &err, .ok = true };
        cc_check_affine_warp(&c);
        if (c.status != CAMCL_OK || !c.ok) fail_msg("%s: %s%s", cc_affine_warp_variants[v].name, err.message, c.what);
        assert_true(c.shapes > 0);
    }
}

static const struct CMUnitTest operation_tests[] = {
    cmocka_unit_test(variants_match_reference),   cmocka_unit_test(equals_pytorch),       cmocka_unit_test(is_adjoint),
    cmocka_unit_test(agrees_with_crop_and_turns), cmocka_unit_test(moves_pixels_exactly),
};
#include "support/op_main.h"
