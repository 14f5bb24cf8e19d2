/* Addition with activation against the reference: flat sizes around vector widths and work-item ranges. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "ops/ops.h"
#include "check/ref/pointwise_ref.h"
#include "support/devices.h"
#include "support/operands.h"

static camcl_device *device;

static const size_t counts[] = { 1, 3, 4, 5, 15, 16, 17, 31, 32, 33, 64, 1000, 4096, 4111 };
static const float slopes[] = { 1.0f, 0.0f, 0.1f };

static void forward_matches_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < CC_COUNT(counts); i++)
        for (int variation = 0; variation < 6; variation++) {
            const cc_pointwise_desc d = { counts[i], slopes[variation % 3] };
            const bool two = variation >= 3;
            float *a = random_floats(d.count, 1), *b = random_floats(d.count, 2);
            double *a64 = to_doubles(a, d.count), *b64 = to_doubles(b, d.count), *want = to_doubles(a, d.count);
            ref_add_forward(d.count, d.slope, a64, two ? b64 : NULL, want);
            op_test t;
            op_begin(&t, device);
            cc_tensor y = op_output(&t, CC_F32, d.count);
            OK(&t, cc_add_forward(t.tape, &d, op_input(&t, CC_F32, a, d.count), two ? op_input(&t, CC_F32, b, d.count) : CC_NO_TENSOR, y,
                                  &t.err));
            op_run(&t);
            float *got = op_read_floats(&t, y);
            check_close(got, want, d.count, 0, 2e-7, "count %zu, slope %g", d.count, (double)d.slope);
            free(a), free(b), free(a64), free(b64), free(want), free(got);
            op_end(&t);
        }
}

static void backward_matches_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < CC_COUNT(counts); i++)
        for (int variation = 0; variation < 18; variation++) {
            const cc_pointwise_desc d = { counts[i], slopes[variation % 3] };
            const bool add_a = variation / 3 % 2, add_b = variation / 6 == 2, two = variation >= 6;
            float *y = random_floats(d.count, 1), *dy = random_floats(d.count, 2), *old = random_floats(d.count, 3);
            double *y64 = to_doubles(y, d.count), *dy64 = to_doubles(dy, d.count), *g = to_doubles(y, d.count),
                   *sum = to_doubles(old, d.count);
            ref_add_backward(d.count, d.slope, y64, dy64, g);
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
            check_close(got, add_a ? sum : g, d.count, 1e-7, 2e-7, "count %zu, slope %g: da", d.count, (double)d.slope);
            free(got);
            if (two) {
                got = op_read_floats(&t, db);
                check_close(got, add_b ? sum : g, d.count, 1e-7, 2e-7, "count %zu, slope %g: db", d.count, (double)d.slope);
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
    const double h = 1e-6, slope = 0.1;
    float *a = random_floats(N, 1), *b = random_floats(N, 2), *dy = random_floats(N, 3);
    double *a64 = to_doubles(a, N), *b64 = to_doubles(b, N), *dy64 = to_doubles(dy, N), y[2][N], g[N];
    ref_add_forward(N, slope, a64, b64, y[0]);
    ref_add_backward(N, slope, y[0], dy64, g);
    for (int i = 0; i < N; i++) {
        const double old = a64[i];
        double difference = 0.0;
        for (int side = 0; side < 2; side++) {
            a64[i] = side ? old + h : old - h;
            ref_add_forward(N, slope, a64, b64, y[side]);
        }
        for (int j = 0; j < N; j++)
            difference += dy64[j] * (y[1][j] - y[0][j]) / (2 * h);
        a64[i] = old;
        assert_true(fabs(difference - g[i]) < 1e-8);
    }
    free(a), free(b), free(dy), free(a64), free(b64), free(dy64);
}

/* An output may be one of the inputs. */
static void works_in_place(void **state)
{
    (void)state;
    enum { N = 35 };
    const cc_pointwise_desc d = { N, 0.0f };
    float *a = random_floats(N, 1), *b = random_floats(N, 2);
    double *a64 = to_doubles(a, N), *b64 = to_doubles(b, N), want[N], dwant[N];
    ref_add_forward(N, 0.0, a64, b64, want);
    ref_add_backward(N, 0.0, want, b64, dwant);
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
    for (size_t s = 0; s < CC_COUNT(slopes); s++) {
        const cc_pointwise_desc d = { N, slopes[s] };
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
    cmocka_unit_test(works_in_place),
    cmocka_unit_test(nan_propagates),
};
#include "support/op_main.h"
