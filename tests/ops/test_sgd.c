/* SGD and the moving average: closed forms, and trajectories against the reference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "ops/ops.h"
#include "check/ref/sgd_ref.h"
#include "support/devices.h"
#include "support/operands.h"

static camcl_device *device;

static const size_t counts[] = { 1, 3, 15, 16, 17, 31, 33, 64, 1001, 4096 + 13 };

/* lr = 1, momentum = 0: w' = w - grad exactly, the velocity is the gradient. */
static void plain_step_subtracts_the_gradient(void **state)
{
    (void)state;
    for (size_t s = 0; s < CC_COUNT(counts); s++) {
        const cc_sgd_desc d = { counts[s], 0.0f, 0.0f, false };
        float *grad = random_floats(d.count, 1), *w = random_floats(d.count, 2), *velocity = random_floats(d.count, 3);
        for (size_t i = 0; i < d.count; i++)
            velocity[i] = 0.0f;
        const float rates[] = { -7.0f, 1.0f };
        op_test t;
        op_begin(&t, device);
        cc_tensor tw = op_input(&t, CC_F32, w, d.count), tv = op_input(&t, CC_F32, velocity, d.count), lr = op_input(&t, CC_F32, rates, 2);
        OK(&t, cc_sgd_update(t.tape, &d, (cc_device_scalar){ lr.buffer, 1 }, op_input(&t, CC_F32, grad, d.count), tw, tv, &t.err));
        op_run(&t);
        for (size_t i = 0; i < d.count; i++)
            w[i] -= grad[i];
        float *got = op_read_floats(&t, tw), *got_v = op_read_floats(&t, tv);
        check_same(got, w, d.count, "count %zu: w", d.count);
        check_same(got_v, grad, d.count, "count %zu: velocity", d.count);
        free(grad), free(w), free(velocity), free(got), free(got_v);
        op_end(&t);
    }
}

/* lr = 1, momentum = 0, weight_decay = 1, grad = 0: w' = 0. */
static void full_decay_clears_the_weights(void **state)
{
    (void)state;
    enum { N = 19 };
    const cc_sgd_desc d = { N, 0.0f, 1.0f, false };
    const float zeros[N] = { 0 }, one = 1.0f;
    float *w = random_floats(N, 1);
    op_test t;
    op_begin(&t, device);
    cc_tensor tw = op_input(&t, CC_F32, w, N), lr = op_input(&t, CC_F32, &one, 1);
    OK(&t, cc_sgd_update(t.tape, &d, (cc_device_scalar){ lr.buffer, 0 }, op_input(&t, CC_F32, zeros, N), tw, op_input(&t, CC_F32, zeros, N),
                         &t.err));
    op_run(&t);
    float *got = op_read_floats(&t, tw);
    for (int i = 0; i < N; i++)
        assert_true(got[i] == 0.0f);
    free(w), free(got);
    op_end(&t);
}

/* Constant gradient 1, momentum 1/2, lr 1: after k steps v = 2 - 2^(1-k), exact in float32; Nesterov looks half a step ahead. */
static void momentum_sums_a_geometric_series(void **state)
{
    (void)state;
    for (int nesterov = 0; nesterov < 2; nesterov++) {
        const cc_sgd_desc d = { 1, 0.5f, 0.0f, nesterov };
        const float zero = 0.0f, one = 1.0f;
        float w = 0.0f;
        op_test t;
        op_begin(&t, device);
        cc_tensor tw = op_input(&t, CC_F32, &zero, 1), tv = op_input(&t, CC_F32, &zero, 1), lr = op_input(&t, CC_F32, &one, 1);
        OK(&t, cc_sgd_update(t.tape, &d, (cc_device_scalar){ lr.buffer, 0 }, op_input(&t, CC_F32, &one, 1), tw, tv, &t.err));
        for (int k = 1; k <= 6; k++) {
            const float v = 2.0f - 2.0f / (float)(1 << k);
            w -= nesterov ? 1.0f + 0.5f * v : v;
            op_run(&t);
            float got, got_v;
            op_read(&t, tw, &got);
            op_read(&t, tv, &got_v);
            assert_true(got == w);
            assert_true(got_v == v);
        }
        op_end(&t);
    }
}

/* Six steps with a changing learning rate, of which the tape knows nothing: it reads the rate from the device. */
static void trajectories_match_reference(void **state)
{
    (void)state;
    for (size_t s = 0; s < CC_COUNT(counts); s++)
        for (int variation = 0; variation < 4; variation++) {
            const cc_sgd_desc d = { counts[s], variation & 1 ? 0.9f : 0.5f, variation & 2 ? 5e-2f : 0.0f, variation & 1 };
            float *grad = random_floats(d.count, 1), *w = random_floats(d.count, 2);
            double *w64 = to_doubles(w, d.count), *v64 = to_doubles(w, d.count);
            float *zeros = calloc(d.count, sizeof *zeros);
            assert_non_null(zeros);
            for (size_t i = 0; i < d.count; i++)
                v64[i] = 0.0;
            op_test t;
            op_begin(&t, device);
            cc_tensor tg = op_input(&t, CC_F32, grad, d.count), tw = op_input(&t, CC_F32, w, d.count),
                      tv = op_input(&t, CC_F32, zeros, d.count), lr = op_output(&t, CC_F32, 3);
            OK(&t, cc_sgd_update(t.tape, &d, (cc_device_scalar){ lr.buffer, 2 }, tg, tw, tv, &t.err));
            for (unsigned step = 0; step < 6; step++) {
                const float rate = 0.1f / (float)(step + 1), rates[3] = { -1.0f, -2.0f, rate };
                float *g = random_floats(d.count, 100 + step);
                double *g64 = to_doubles(g, d.count);
                OK(&t, cc_buffer_write(tg.buffer, 0, g, d.count * sizeof *g, &t.err));
                OK(&t, cc_buffer_write(lr.buffer, 0, rates, sizeof rates, &t.err));
                ref_sgd(d.count, rate, d.momentum, d.weight_decay, d.nesterov, g64, w64, v64);
                op_run(&t);
                free(g), free(g64);
            }
            float *got = op_read_floats(&t, tw), *got_v = op_read_floats(&t, tv);
            check_close(got, w64, d.count, 1e-6, 0, "count %zu, variation %d: w", d.count, variation);
            check_close(got_v, v64, d.count, 2e-6, 0, "count %zu, variation %d: velocity", d.count, variation);
            free(grad), free(w), free(w64), free(v64), free(zeros), free(got), free(got_v);
            op_end(&t);
        }
}

static void average_matches_reference(void **state)
{
    (void)state;
    static const float decays[] = { 0.0f, 0.5f, 0.999f };
    for (size_t s = 0; s < CC_COUNT(counts); s++)
        for (size_t k = 0; k < CC_COUNT(decays); k++) {
            const size_t n = counts[s];
            float *w = random_floats(n, 1), *average = random_floats(n, 2);
            double *w64 = to_doubles(w, n), *want = to_doubles(average, n);
            op_test t;
            op_begin(&t, device);
            cc_tensor ta = op_input(&t, CC_F32, average, n);
            OK(&t, cc_ema_update(t.tape, n, decays[k], op_input(&t, CC_F32, w, n), ta, &t.err));
            for (int step = 0; step < 3; step++) {
                ref_ema(n, decays[k], w64, want);
                op_run(&t);
            }
            float *got = op_read_floats(&t, ta);
            check_close(got, want, n, 5e-7, 0, "count %zu, decay %g", n, (double)decays[k]);
            if (decays[k] == 0.0f) check_same(got, w, n, "decay 0 copies");
            free(w), free(average), free(w64), free(want), free(got);
            op_end(&t);
        }
}

static const struct CMUnitTest operation_tests[] = {
    cmocka_unit_test(plain_step_subtracts_the_gradient), cmocka_unit_test(full_decay_clears_the_weights),
    cmocka_unit_test(momentum_sums_a_geometric_series),  cmocka_unit_test(trajectories_match_reference),
    cmocka_unit_test(average_matches_reference),
};
#include "support/op_main.h"
