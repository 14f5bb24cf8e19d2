/* Addition with activation against the reference: flat sizes around vector widths and work-item ranges. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "check/check.h"
#include "ops/ops.h"
#include "check/ref/pointwise_ref.h"
#include "support/devices.h"
#include "support/operands.h"

static camcl_device *device;

static const size_t counts[] = { 1, 3, 4, 5, 15, 16, 17, 31, 32, 33, 64, 1000, 4096, 4111 };

/* Relative: a rounding or two, or the exponential's few. */
static double bound(cc_activation activation) { return cc_activation_has_slope(activation) ? 2e-7 : 2e-6; }

static void forward_matches_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < CC_COUNT(counts); i++)
        for (int variation = 0; variation < 2 * CC_ACTIVATION_COUNT; variation++) {
            const cc_pointwise_desc d = { counts[i], cc_check_activation((size_t)variation) };
            const bool two = variation >= CC_ACTIVATION_COUNT;
            if (two && cc_activation_needs(d.activation) == CC_NEEDS_X) continue;
            float *a = random_floats(d.count, 1), *b = random_floats(d.count, 2);
            double *a64 = to_doubles(a, d.count), *b64 = to_doubles(b, d.count), *want = to_doubles(a, d.count);
            ref_add_forward(d.count, cc_check_reference(d.activation), a64, two ? b64 : NULL, want);
            op_test t;
            op_begin(&t, device);
            cc_tensor y = op_output(&t, CC_F32, d.count);
            OK(&t, cc_add_forward(t.tape, &d, op_input(&t, CC_F32, a, d.count), two ? op_input(&t, CC_F32, b, d.count) : CC_NO_TENSOR, y,
                                  &t.err));
            op_run(&t);
            float *got = op_read_floats(&t, y);
            check_close(got, want, d.count, 0, bound(d.activation), "count %zu, %s", d.count, cc_activation_get(d.activation)->name);
            free(a), free(b), free(a64), free(b64), free(want), free(got);
            op_end(&t);
        }
}

static void backward_matches_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < CC_COUNT(counts); i++)
        for (int variation = 0; variation < 6 * CC_ACTIVATION_COUNT; variation++) {
            const cc_pointwise_desc d = { counts[i], cc_check_activation((size_t)variation) };
            const int flags = variation / CC_ACTIVATION_COUNT;
            const bool add_a = flags % 2, add_b = flags / 2 == 2, two = flags >= 2;
            if (two && cc_activation_needs(d.activation) == CC_NEEDS_X) continue;
            float *y = random_floats(d.count, 1), *dy = random_floats(d.count, 2), *old = random_floats(d.count, 3);
            double *y64 = to_doubles(y, d.count), *dy64 = to_doubles(dy, d.count), *g = to_doubles(y, d.count),
                   *sum = to_doubles(old, d.count);
            ref_add_backward(d.count, cc_check_reference(d.activation), y64, dy64, g);
            for (size_t j = 0; j < d.count; j++)
                sum[j] += g[j];
            op_test t;
            op_begin(&t, device);
            cc_tensor da = add_a ? op_input(&t, CC_F32, old, d.count) : op_output(&t, CC_F32, d.count), db = CC_NO_TENSOR;
            if (two) db = add_b ? op_input(&t, CC_F32, old, d.count) : op_output(&t, CC_F32, d.count);
            OK(&t, cc_add_backward(t.tape, &d, op_input(&t, CC_F32, y, d.count), op_input(&t, CC_F32, dy, d.count), da, add_a, db, add_b,
                                   &t.err));
            op_run(&t);
            float *got = op_read_floats(&t, da);
            check_close(got, add_a ? sum : g, d.count, 1e-7, bound(d.activation), "count %zu, %s: da", d.count,
                        cc_activation_get(d.activation)->name);
            free(got);
            if (two) {
                got = op_read_floats(&t, db);
                check_close(got, add_b ? sum : g, d.count, 1e-7, bound(d.activation), "count %zu, %s: db", d.count,
                            cc_activation_get(d.activation)->name);
                free(got);
            }
            free(y), free(dy), free(old), free(y64), free(dy64), free(g), free(sum);
            op_end(&t);
        }
}

static void reference_gradient_is_a_finite_difference(void **state)
{
    (void)state;
    enum { N = 8 };
    const double h = 1e-6;
    float *a = random_floats(N, 1), *b = random_floats(N, 2), *dy = random_floats(N, 3);
    double *a64 = to_doubles(a, N), *b64 = to_doubles(b, N), *dy64 = to_doubles(dy, N), x[N], y[2][N], g[N];
    for (size_t kind = 0; kind < CC_ACTIVATION_COUNT; kind++) {
        const ref_activation act = cc_check_reference(cc_check_activation(kind));
        ref_add_forward(N, (ref_activation){ "none", 0 }, a64, b64, x);
        ref_add_backward(N, act, x, dy64, g);
        for (int i = 0; i < N; i++) {
            const double old = a64[i];
            double difference = 0.0;
            for (int side = 0; side < 2; side++) {
                a64[i] = side ? old + h : old - h;
                ref_add_forward(N, act, a64, b64, y[side]);
            }
            for (int j = 0; j < N; j++)
                difference += dy64[j] * (y[1][j] - y[0][j]) / (2 * h);
            a64[i] = old;
            assert_true(fabs(difference - g[i]) < 1e-8);
        }
    }
    free(a), free(b), free(dy), free(a64), free(b64), free(dy64);
}

/* A kind's row says whether the derivative follows from the sign of act(x), and whether it is constant on either side of 0. */
static void rows_tell_the_truth(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < CC_ACTIVATION_COUNT; kind++) {
        const cc_activation activation = cc_check_activation(kind);
        const ref_activation act = cc_check_reference(activation);
        bool from_y = true, linear = true;
        for (double x = -5.95; x < 6; x += 0.1) {
            from_y = from_y && fabs(ref_activation_derivative(act, x) - ref_activation_derivative(act, ref_activate(act, x))) < 1e-12;
            linear = linear && fabs(ref_activation_derivative(act, x) - ref_activation_derivative(act, x > 0 ? 1 : -1)) < 1e-12;
        }
        assert_int_equal(from_y, cc_activation_needs(activation) == CC_NEEDS_SIGN);
        assert_int_equal(linear, cc_activation_get(activation)->piecewise_linear);
    }
}

/* Two operands whose sum is not kept, and an activation that would need it. */
static void missing_sums_are_refused(void **state)
{
    (void)state;
    const float v[4] = { 0 };
    op_test t;
    op_begin(&t, device);
    cc_tensor a = op_input(&t, CC_F32, v, 4), b = op_input(&t, CC_F32, v, 4), c = op_input(&t, CC_F32, v, 4), y = op_output(&t, CC_F32, 4);
    for (size_t kind = 0; kind < CC_ACTIVATION_COUNT; kind++) {
        const cc_pointwise_desc d = { 4, cc_check_activation(kind) };
        const camcl_status want = cc_activation_needs(d.activation) == CC_NEEDS_X ? CAMCL_UNSUPPORTED : CAMCL_OK;
        assert_int_equal(cc_add_forward(t.tape, &d, a, b, y, &t.err), want);
        assert_int_equal(cc_add_backward(t.tape, &d, a, b, y, false, c, false, &t.err), want);
    }
    op_end(&t);
}

/* An output may be one of the inputs. */
static void works_in_place(void **state)
{
    (void)state;
    enum { N = 35 };
    const cc_pointwise_desc d = { N, CC_RELU };
    float *a = random_floats(N, 1), *b = random_floats(N, 2);
    double *a64 = to_doubles(a, N), *b64 = to_doubles(b, N), want[N], dwant[N];
    const ref_activation act = cc_check_reference(d.activation);
    ref_add_forward(N, act, a64, b64, want);
    ref_add_backward(N, act, want, b64, dwant);
    op_test t;
    op_begin(&t, device);
    cc_tensor ta = op_input(&t, CC_F32, a, N), tb = op_input(&t, CC_F32, b, N);
    OK(&t, cc_add_forward(t.tape, &d, ta, tb, ta, &t.err));
    OK(&t, cc_add_backward(t.tape, &d, ta, tb, tb, false, CC_NO_TENSOR, false, &t.err));
    op_run(&t);
    float *y = op_read_floats(&t, ta), *g = op_read_floats(&t, tb);
    check_close(y, want, N, 0, 2e-7, "y");
    check_close(g, dwant, N, 0, 2e-7, "dy");
    free(a), free(b), free(a64), free(b64), free(y), free(g);
    op_end(&t);
}

/* ReLU must not turn a NaN into 0. */
static void nan_propagates(void **state)
{
    (void)state;
    enum { N = 37 };
    float *a = random_floats(N, 1);
    a[0] = a[20] = a[36] = NAN;
    for (size_t kind = 0; kind < CC_ACTIVATION_COUNT; kind++) {
        const cc_pointwise_desc d = { N, cc_check_activation(kind) };
        op_test t;
        op_begin(&t, device);
        cc_tensor ta = op_input(&t, CC_F32, a, N), y = op_output(&t, CC_F32, N), g = op_output(&t, CC_F32, N);
        float *ones = malloc(N * sizeof *ones);
        for (int i = 0; i < N; i++)
            ones[i] = 1.0f;
        OK(&t, cc_add_forward(t.tape, &d, ta, CC_NO_TENSOR, y, &t.err));
        OK(&t, cc_add_backward(t.tape, &d, op_input(&t, CC_F32, ones, N), ta, g, false, CC_NO_TENSOR, false, &t.err));
        op_run(&t);
        float *got = op_read_floats(&t, y), *got_g = op_read_floats(&t, g);
        for (int i = 0; i < N; i++) {
            assert_int_equal(isnan(got[i]), isnan(a[i]));
            assert_int_equal(isnan(got_g[i]), isnan(a[i]));
        }
        free(ones), free(got), free(got_g);
        op_end(&t);
    }
    free(a);
}

static const struct CMUnitTest operation_tests[] = {
    cmocka_unit_test(forward_matches_reference),
    cmocka_unit_test(backward_matches_reference),
    cmocka_unit_test(reference_gradient_is_a_finite_difference),
    cmocka_unit_test(rows_tell_the_truth),
    cmocka_unit_test(missing_sums_are_refused),
    cmocka_unit_test(works_in_place),
    cmocka_unit_test(nan_propagates),
};
#include "support/op_main.h"
