/* Resize with aligned corners: reference, PyTorch, adjointness, and the index arithmetic of cl/bilinear.clh, compiled here as C. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "ops/ops.h"
#include "check/ref/resize_ref.h"
#include "support/devices.h"
#include "support/operands.h"

#include "../../cl/bilinear.clh"

static camcl_device *device;

static const cc_resize_desc shapes[] = {
    { 1, 1, 1, 1, 1, 1 },   { 2, 1, 1, 1, 5, 7 },     { 2, 4, 4, 1, 32, 32 }, { 3, 8, 8, 1, 33, 31 },
    { 1, 3, 5, 2, 15, 17 }, { 2, 16, 16, 3, 16, 16 }, { 1, 1, 6, 1, 4, 1 },   { 2, 7, 9, 3, 3, 4 },
    { 1, 64, 2, 1, 5, 64 }, { 1, 2, 2, 17, 9, 3 },    { 1, 33, 1, 1, 1, 8 },
};

/* y = A x, then x' = A^t y' (added and overwritten), and <A x, y'> = <x, A^t y'>. */
static void matches_reference_and_is_adjoint(void **state)
{
    (void)state;
    for (size_t s = 0; s < CC_COUNT(shapes); s++) {
        const cc_resize_desc d = shapes[s];
        const size_t in = d.n * d.h * d.w * d.c, out = d.n * d.p * d.q * d.c;
        float *x = random_floats(in, 1), *dy = random_floats(out, 2), *old = random_floats(in, 3);
        double *x64 = to_doubles(x, in), *dy64 = to_doubles(dy, out), *y64 = malloc(out * sizeof *y64), *dx64 = malloc(in * sizeof *dx64);
        ref_resize_forward(d.n, d.h, d.w, d.c, d.p, d.q, x64, y64);
        ref_resize_backward(d.n, d.h, d.w, d.c, d.p, d.q, dy64, dx64);
        op_test t;
        op_begin(&t, device);
        cc_tensor ty = op_output(&t, CC_F32, out), tdy = op_input(&t, CC_F32, dy, out), tdx = op_output(&t, CC_F32, in);
        cc_tensor tsum = op_input(&t, CC_F32, old, in);
        OK(&t, cc_resize_forward(t.tape, &d, op_input(&t, CC_F32, x, in), ty, &t.err));
        OK(&t, cc_resize_backward(t.tape, &d, tdy, tdx, false, &t.err));
        OK(&t, cc_resize_backward(t.tape, &d, tdy, tsum, true, &t.err));
        op_run(&t);
        float *y = op_read_floats(&t, ty), *dx = op_read_floats(&t, tdx), *sum = op_read_floats(&t, tsum);
        check_close(y, y64, out, 1e-6, 0, "shape %zu: y", s);
        check_close(dx, dx64, in, 1e-5, 0, "shape %zu: dx", s);
        for (size_t i = 0; i < in; i++)
            dx64[i] += old[i];
        check_close(sum, dx64, in, 1e-5, 0, "shape %zu: dx added", s);
        assert_true(fabs(dot(y, dy, out) - dot(x, dx, in)) <= 1e-6 * (double)out);
        if (d.h == d.p && d.w == d.q) {
            check_same(y, x, in, "shape %zu: equal sizes copy", s);
            check_same(dx, dy, in, "shape %zu: equal sizes copy back", s);
        }
        free(x), free(dy), free(old), free(x64), free(dy64), free(y64), free(dx64), free(y), free(dx), free(sum);
        op_end(&t);
    }
}

/* torch.nn.functional.interpolate(..., mode="bilinear", align_corners=True) */
static void matches_pytorch(void **state)
{
    (void)state;
    static const float x[] = { 1, 2, 4, 8, 3, 5, 7, 9, -1, 0, 6, 2 };
    static const double larger[] = { 1.0, 1.5, 2.0, 3.0, 4.0,  6.0, 8.0, 2.0, 2.75, 3.5, 4.5,  5.5,  7.0, 8.5, 3.0, 4.0, 5.0, 6.0,
                                     7.0, 8.0, 9.0, 1.0, 1.75, 2.5, 4.5, 6.5, 6.0,  5.5, -1.0, -0.5, 0.0, 3.0, 6.0, 4.0, 2.0 };
    static const double smaller[] = { 1.0, 3.0, 8.0, -1.0, 3.0, 2.0 };
    static const double one[] = { 1.0 };
    const struct {
        size_t p, q;
        const double *want;
    } cases[] = { { 5, 7, larger }, { 2, 3, smaller }, { 1, 1, one } };
    for (size_t i = 0; i < CC_COUNT(cases); i++) {
        const cc_resize_desc d = { 1, 3, 4, 1, cases[i].p, cases[i].q };
        op_test t;
        op_begin(&t, device);
        cc_tensor y = op_output(&t, CC_F32, d.p * d.q);
        OK(&t, cc_resize_forward(t.tape, &d, op_input(&t, CC_F32, x, 12), y, &t.err));
        op_run(&t);
        float *got = op_read_floats(&t, y);
        check_close(got, cases[i].want, d.p * d.q, 2e-6, 0, "case %zu", i);
        free(got);
        op_end(&t);
    }
}

/* For every pair of sizes: first..last are exactly the outputs that give an input a weight, taps stay inside, weights are in [0,1]. */
static void check_ranges(tap (*tap_of)(int, int, int), int (*first)(int, int, int), int (*last)(int, int, int), int in, int out)
{
    for (int o = 0; o < out; o++) {
        const tap t = tap_of(o, in, out);
        assert_true(t.i0 >= 0 && t.i1 >= t.i0 && t.i1 <= t.i0 + 1 && t.i1 < in);
        assert_true(t.w0 > 0.0f && t.w0 <= 1.0f && t.w1 >= 0.0f && t.w1 < 1.0f && t.w0 + t.w1 == 1.0f);
        for (int i = 0; i < in; i++) {
            const bool read = tap_weight(t, i) > 0.0f, covered = o >= first(i, in, out) && o <= last(i, in, out);
            if (read != covered) fail_msg("in %d, out %d: input %d, output %d: weight %g", in, out, i, o, (double)tap_weight(t, i));
        }
    }
    for (int i = 0; i < in; i++)
        assert_true(first(i, in, out) >= 0 && last(i, in, out) < out);
}

static void index_arithmetic_is_exact(void **state)
{
    (void)state;
    for (int in = 1; in <= 40; in++)
        for (int out = 1; out <= 40; out++) {
            check_ranges(aligned_tap, aligned_first, aligned_last, in, out);
            check_ranges(centred_tap, centred_first, centred_last, in, out);
        }
    /* The largest sizes do not overflow. */
    const int side = 16384, lengths[] = { 1, 2, 3, 5000, 16383, 16384 };
    for (size_t l = 0; l < CC_COUNT(lengths); l++) {
        const int in = lengths[l];
        for (int e = 0; e < 3; e++) {
            const int o = e == 0 ? 0 : e == 1 ? side / 2 : side - 1, i = e == 0 ? 0 : e == 1 ? in / 2 : in - 1;
            const tap a = aligned_tap(o, in, side), c = centred_tap(o, in, side);
            assert_true(a.i0 >= 0 && a.i1 < in && c.i0 >= 0 && c.i1 < in);
            assert_true(aligned_first(i, in, side) >= 0 && aligned_first(i, in, side) <= aligned_last(i, in, side) &&
                        aligned_last(i, in, side) < side);
            assert_true(centred_first(i, in, side) >= 0 && centred_first(i, in, side) <= centred_last(i, in, side) &&
                        centred_last(i, in, side) < side);
        }
        assert_int_equal(aligned_tap(side - 1, in, side).i0, in - 1);
        assert_int_equal(centred_tap(side - 1, in, side).i1, in - 1);
    }
}

static void too_large_is_refused(void **state)
{
    (void)state;
    const cc_resize_desc d = { 1, 4, 4, 1, 20000, 4 };
    const float x[16] = { 0 };
    op_test t;
    op_begin(&t, device);
    assert_int_equal(cc_resize_forward(t.tape, &d, op_input(&t, CC_F32, x, 16), op_output(&t, CC_F32, 80000), &t.err), CAMCL_UNSUPPORTED);
    op_end(&t);
}

static const struct CMUnitTest operation_tests[] = {
    cmocka_unit_test(matches_reference_and_is_adjoint),
    cmocka_unit_test(matches_pytorch),
    cmocka_unit_test(index_arithmetic_is_exact),
    cmocka_unit_test(too_large_is_refused),
};
#include "support/op_main.h"
