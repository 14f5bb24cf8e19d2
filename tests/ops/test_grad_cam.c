/* Grad-CAM: every variant against the reference, the first-order gradient against finite differences, seed and argmax. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "ops/variants.h"
#include "check/ref/grad_cam_ref.h"
#include "support/devices.h"
#include "support/operands.h"

static camcl_device *device;

static const cc_grad_cam_desc shapes[] = {
    { 1, 1, 1, 1, false }, { 2, 1, 2, 3, true },    { 3, 3, 5, 15, false }, { 2, 4, 4, 16, true },  { 1, 7, 5, 17, false },
    { 2, 2, 1, 31, true }, { 5, 3, 11, 32, false }, { 2, 8, 8, 33, true },  { 1, 1, 17, 64, true }, { 3, 9, 7, 130, false },
};

static void forward_matches_reference(void **state)
{
    (void)state;
    for (size_t s = 0; s < CC_COUNT(shapes); s++) {
        const cc_grad_cam_desc d = shapes[s];
        const size_t pixels = d.h * d.w;
        float *a = random_floats(d.n * pixels * d.c, 1), *g = random_floats(d.n * pixels * d.c, 2);
        double *a64 = to_doubles(a, d.n * pixels * d.c), *g64 = to_doubles(g, d.n * pixels * d.c);
        double *m64 = malloc(d.n * d.c * sizeof *m64), *cam64 = malloc(d.n * pixels * sizeof *cam64);
        ref_grad_cam_weights(d.n, pixels, d.c, g64, m64);
        ref_grad_cam_map(d.n, pixels, d.c, d.relu, a64, m64, cam64);
        for (size_t v = 0; v <= cc_grad_cam_variant_count; v++) { /* the last round: what is chosen by default */
            const cc_variant *variant = v < cc_grad_cam_variant_count ? &cc_grad_cam_variants[v] : NULL;
            if (variant && (strcmp(variant->op->name, "grad_cam") != 0 || variant->direction != CC_FORWARD)) continue;
            if (variant && !variant->supports(camcl_device_get_info(device), &d)) continue;
            const char *name = variant ? variant->name : "default";
            op_test t;
            op_begin(&t, device);
            const cc_tensor io[] = { op_input(&t, CC_F32, a, d.n * pixels * d.c), op_input(&t, CC_F32, g, d.n * pixels * d.c),
                                     op_output(&t, CC_F32, d.n * d.c), op_output(&t, CC_F32, d.n * pixels) };
            if (variant)
                OK(&t, variant->record(t.tape, &d, io, 4, false, &t.err));
            else
                OK(&t, cc_grad_cam_forward(t.tape, &d, io[0], io[1], io[2], io[3], &t.err));
            op_run(&t);
            float *m = op_read_floats(&t, io[2]), *cam = op_read_floats(&t, io[3]);
            check_close(m, m64, d.n * d.c, 5e-7, 0, "%s, shape %zu: m", name, s);
            check_close(cam, cam64, d.n * pixels, 1e-5, 0, "%s, shape %zu: cam", name, s);
            if (d.relu)
                for (size_t p = 0; p < d.n * pixels; p++)
                    assert_true(cam[p] >= 0.0f);
            op_run(&t);
            float *again = op_read_floats(&t, io[3]);
            check_same(again, cam, d.n * pixels, "%s, shape %zu: second run", name, s);
            free(m), free(cam), free(again);
            op_end(&t);
        }
        free(a), free(g), free(a64), free(g64), free(m64), free(cam64);
    }
}

static void backward_matches_reference(void **state)
{
    (void)state;
    for (size_t s = 0; s < CC_COUNT(shapes); s++) {
        const cc_grad_cam_desc d = shapes[s];
        const size_t pixels = d.h * d.w, count = d.n * pixels * d.c;
        float *m = random_floats(d.n * d.c, 3), *cam = random_floats(d.n * pixels, 4), *u = random_floats(d.n * pixels, 5),
              *old = random_floats(count, 6);
        cam[0] = 0.0f; /* the ReLU's edge passes nothing */
        double *m64 = to_doubles(m, d.n * d.c), *cam64 = to_doubles(cam, d.n * pixels), *u64 = to_doubles(u, d.n * pixels);
        double *da64 = malloc(count * sizeof *da64), *sum64 = malloc(count * sizeof *sum64);
        ref_grad_cam_backward(d.n, pixels, d.c, d.relu, m64, cam64, u64, da64);
        for (size_t i = 0; i < count; i++)
            sum64[i] = da64[i] + old[i];
        for (size_t v = 0; v <= cc_grad_cam_variant_count; v++)
            for (int add = 0; add < 2; add++) {
                const cc_variant *variant = v < cc_grad_cam_variant_count ? &cc_grad_cam_variants[v] : NULL;
                if (variant && (strcmp(variant->op->name, "grad_cam") != 0 || variant->direction != CC_BACKWARD)) continue;
                if (variant && !variant->supports(camcl_device_get_info(device), &d)) continue;
                op_test t;
                op_begin(&t, device);
                const cc_tensor io[] = { op_input(&t, CC_F32, m, d.n * d.c), op_input(&t, CC_F32, cam, d.n * pixels),
                                         op_input(&t, CC_F32, u, d.n * pixels),
                                         add ? op_input(&t, CC_F32, old, count) : op_output(&t, CC_F32, count) };
                if (variant)
                    OK(&t, variant->record(t.tape, &d, io, 4, add, &t.err));
                else
                    OK(&t, cc_grad_cam_backward(t.tape, &d, io[0], io[1], io[2], io[3], add, &t.err));
                op_run(&t);
                float *da = op_read_floats(&t, io[3]);
                check_close(da, add ? sum64 : da64, count, 2e-7, 0, "%s, shape %zu, add %d: da", variant ? variant->name : "default", s,
                            add);
                free(da);
                op_end(&t);
            }
        free(m), free(cam), free(u), free(old), free(m64), free(cam64), free(u64), free(da64), free(sum64);
    }
}

static void tangent_matches_reference(void **state)
{
    (void)state;
    for (size_t s = 0; s < CC_COUNT(shapes); s++) {
        const cc_grad_cam_desc d = shapes[s];
        const size_t pixels = d.h * d.w, count = d.n * pixels * d.c;
        float *a = random_floats(count, 11), *cam = random_floats(d.n * pixels, 12), *u = random_floats(d.n * pixels, 13);
        cam[0] = 0.0f; /* the ReLU's edge passes nothing */
        double *a64 = to_doubles(a, count), *cam64 = to_doubles(cam, d.n * pixels), *u64 = to_doubles(u, d.n * pixels),
               *v64 = malloc(count * sizeof *v64);
        ref_grad_cam_tangent(d.n, pixels, d.c, d.relu, a64, cam64, u64, v64);
        op_test t;
        op_begin(&t, device);
        cc_tensor v = op_output(&t, CC_F32, count);
        OK(&t, cc_grad_cam_tangent(t.tape, &d, op_input(&t, CC_F32, a, count), op_input(&t, CC_F32, cam, d.n * pixels),
                                   op_input(&t, CC_F32, u, d.n * pixels), v, &t.err));
        op_run(&t);
        float *got = op_read_floats(&t, v);
        check_close(got, v64, count, 5e-7, 0, "shape %zu: v", s);
        free(got), free(a), free(cam), free(u), free(a64), free(cam64), free(u64), free(v64);
        op_end(&t);
    }
}

/* d/da sum u cam with m held constant, through the reference's forward pass. */
static void backward_agrees_with_finite_differences(void **state)
{
    (void)state;
    for (int relu = 0; relu < 2; relu++) {
        const cc_grad_cam_desc d = { 2, 3, 3, 5, relu };
        const size_t pixels = 9, count = d.n * pixels * d.c;
        float *a = random_floats(count, 7), *m = random_floats(d.n * d.c, 8), *u = random_floats(d.n * pixels, 9),
              *cam = malloc(d.n * pixels * sizeof *cam);
        double *a64 = to_doubles(a, count), *m64 = to_doubles(m, d.n * d.c), *cam64 = malloc(d.n * pixels * sizeof *cam64);
        double *want = malloc(count * sizeof *want);
        const double step = 1e-5;
        for (size_t i = 0; i < count; i++) {
            double loss[2] = { 0, 0 };
            for (int side = 0; side < 2; side++) {
                a64[i] = a[i] + (side ? step : -step);
                ref_grad_cam_map(d.n, pixels, d.c, relu, a64, m64, cam64);
                for (size_t p = 0; p < d.n * pixels; p++)
                    loss[side] += u[p] * cam64[p];
            }
            a64[i] = a[i];
            want[i] = (loss[1] - loss[0]) / (2 * step);
        }
        ref_grad_cam_map(d.n, pixels, d.c, relu, a64, m64, cam64);
        size_t cut = 0;
        for (size_t p = 0; p < d.n * pixels; p++) {
            cam[p] = (float)cam64[p];
            cut += cam[p] <= 0.0f;
        }
        if (relu) assert_in_range(cut, 1, d.n * pixels - 1); /* both sides of the ReLU are visited */
        op_test t;
        op_begin(&t, device);
        cc_tensor da = op_output(&t, CC_F32, count);
        OK(&t, cc_grad_cam_backward(t.tape, &d, op_input(&t, CC_F32, m, d.n * d.c), op_input(&t, CC_F32, cam, d.n * pixels),
                                    op_input(&t, CC_F32, u, d.n * pixels), da, false, &t.err));
        op_run(&t);
        float *got = op_read_floats(&t, da);
        check_close(got, want, count, 1e-6, 0, "relu %d", relu);
        free(got), free(a), free(m), free(u), free(cam), free(a64), free(m64), free(cam64), free(want);
        op_end(&t);
    }
}

static void seed_is_one_hot(void **state)
{
    (void)state;
    const cc_rows_desc d = { .row0 = 2, .n = 4, .classes = 5 };
    const int32_t explained[] = { 3, 0, -1, 4 };
    float rows[8 * 5];
    for (size_t i = 0; i < CC_COUNT(rows); i++)
        rows[i] = 7.0f;
    op_test t;
    op_begin(&t, device);
    cc_tensor dlogits = op_input(&t, CC_F32, rows, CC_COUNT(rows));
    OK(&t, cc_grad_cam_seed(t.tape, &d, op_input(&t, CC_I32, explained, 4), dlogits, &t.err));
    op_run(&t);
    float *got = op_read_floats(&t, dlogits);
    for (size_t i = 0; i < 8; i++)
        for (size_t j = 0; j < 5; j++) {
            const float want = i < 2 || i >= 6 ? 7.0f : explained[i - 2] == (int32_t)j ? 1.0f : 0.0f;
            assert_true(got[i * 5 + j] == want);
        }
    free(got);
    op_end(&t);
}

static void argmax_takes_the_first_among_equals(void **state)
{
    (void)state;
    const float nan = strtof("nan", NULL), inf = strtof("inf", NULL);
    const float logits[] = { 9, 9, 9, /* not asked for */ -1, -3, -1, 0, 2, 2, 5, nan, 6, nan, nan, nan, -inf, -inf, -inf, 1, 2, inf,
                             8, 8, 8 };
    const cc_rows_desc d = { .row0 = 1, .n = 6, .classes = 3 };
    const int32_t want[] = { 0, 1, 2, 0, 0, 2 };
    int32_t got[6];
    op_test t;
    op_begin(&t, device);
    cc_tensor out = op_output(&t, CC_I32, 6);
    OK(&t, cc_argmax_rows(t.tape, &d, op_input(&t, CC_F32, logits, CC_COUNT(logits)), out, &t.err));
    op_run(&t);
    op_read(&t, out, got);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(got[i], want[i]);
    op_end(&t);
}

static const struct CMUnitTest operation_tests[] = {
    cmocka_unit_test(forward_matches_reference), cmocka_unit_test(backward_matches_reference),
    cmocka_unit_test(tangent_matches_reference), cmocka_unit_test(backward_agrees_with_finite_differences),
    cmocka_unit_test(seed_is_one_hot),           cmocka_unit_test(argmax_takes_the_first_among_equals),
};
#include "support/op_main.h"
