/* Max, average and global average pooling: reference, finite differences, ties, NaN. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "ops/ops.h"
#include "check/ref/pool_ref.h"
#include "support/devices.h"
#include "support/operands.h"

static camcl_device *device;

static const cc_pool_desc shapes[] = {
    { 1, 1, 1, 1, 1, 1, 0 },  { 2, 5, 7, 3, 3, 2, 1 },  { 1, 8, 8, 16, 3, 2, 1 }, { 2, 6, 4, 17, 2, 2, 0 }, { 1, 7, 7, 4, 3, 1, 1 },
    { 3, 9, 5, 15, 2, 1, 1 }, { 1, 4, 6, 32, 3, 3, 0 }, { 1, 5, 5, 33, 5, 1, 2 }, { 2, 3, 3, 64, 3, 2, 1 }, { 1, 11, 2, 20, 2, 3, 1 },
};

static ref_pool reference(const cc_pool_desc *d) { return (ref_pool){ d->n, d->h, d->w, d->c, d->window, d->stride, d->pad }; }
static size_t inputs(const cc_pool_desc *d) { return d->n * d->h * d->w * d->c; }
static size_t outputs(const cc_pool_desc *d) { return d->n * cc_pool_out_h(d) * cc_pool_out_w(d) * d->c; }

/* Few distinct values, so that windows have ties. */
static float *coarse(size_t count, unsigned seed)
{
    float *x = random_floats(count, seed);
    for (size_t i = 0; i < count; i++)
        x[i] = roundf(x[i] * 2.0f);
    return x;
}

typedef struct buffers {
    float *x, *dy, *old;
    double *x64, *dy64, *y, *dx, *sum;
} buffers;

static buffers make(size_t in, size_t out, bool ties)
{
    buffers b = { .x = ties ? coarse(in, 1) : random_floats(in, 1), .dy = random_floats(out, 2), .old = random_floats(in, 3) };
    b.x64 = to_doubles(b.x, in), b.dy64 = to_doubles(b.dy, out);
    b.y = to_doubles(b.dy, out), b.dx = to_doubles(b.x, in), b.sum = to_doubles(b.old, in);
    return b;
}

static void release(buffers *b)
{
    free(b->x), free(b->dy), free(b->old), free(b->x64), free(b->dy64), free(b->y), free(b->dx), free(b->sum);
}

static void check(op_test *t, buffers *b, cc_tensor y, cc_tensor dx, cc_tensor sum, size_t in, size_t out, const char *what, size_t shape)
{
    for (size_t i = 0; i < in; i++)
        b->sum[i] += b->dx[i];
    op_run(t);
    float *got_y = op_read_floats(t, y), *got_dx = op_read_floats(t, dx), *got_sum = op_read_floats(t, sum);
    check_close(got_y, b->y, out, 1e-6, 0, "%s, shape %zu: y", what, shape);
    /* up to 25 gradients meet in one element */
    check_close(got_dx, b->dx, in, 1e-6, 5e-7, "%s, shape %zu: dx", what, shape);
    check_close(got_sum, b->sum, in, 2e-6, 5e-7, "%s, shape %zu: dx added", what, shape);
    free(got_y), free(got_dx), free(got_sum);
}

static void maximum_matches_reference(void **state)
{
    (void)state;
    for (size_t s = 0; s < 2 * CC_COUNT(shapes); s++) {
        const cc_pool_desc *d = &shapes[s / 2];
        const ref_pool ref = reference(d);
        const size_t in = inputs(d), out = outputs(d);
        buffers b = make(in, out, s % 2);
        ref_max_pool_forward(&ref, b.x64, b.y);
        ref_max_pool_backward(&ref, b.x64, b.dy64, b.dx);
        op_test t;
        op_begin(&t, device);
        cc_tensor x = op_input(&t, CC_F32, b.x, in), dy = op_input(&t, CC_F32, b.dy, out), y = op_output(&t, CC_F32, out),
                  dx = op_output(&t, CC_F32, in), sum = op_input(&t, CC_F32, b.old, in);
        OK(&t, cc_max_pool_forward(t.tape, d, x, y, &t.err));
        OK(&t, cc_max_pool_backward(t.tape, d, x, y, dy, dx, false, &t.err));
        OK(&t, cc_max_pool_backward(t.tape, d, x, y, dy, sum, true, &t.err));
        check(&t, &b, y, dx, sum, in, out, "max", s / 2);
        release(&b);
        op_end(&t);
    }
}

static void average_matches_reference(void **state)
{
    (void)state;
    for (size_t s = 0; s < CC_COUNT(shapes); s++) {
        const cc_pool_desc *d = &shapes[s];
        const ref_pool ref = reference(d);
        const size_t in = inputs(d), out = outputs(d);
        buffers b = make(in, out, false);
        ref_average_pool_forward(&ref, b.x64, b.y);
        ref_average_pool_backward(&ref, b.dy64, b.dx);
        op_test t;
        op_begin(&t, device);
        cc_tensor x = op_input(&t, CC_F32, b.x, in), dy = op_input(&t, CC_F32, b.dy, out), y = op_output(&t, CC_F32, out),
                  dx = op_output(&t, CC_F32, in), sum = op_input(&t, CC_F32, b.old, in);
        OK(&t, cc_average_pool_forward(t.tape, d, x, y, &t.err));
        OK(&t, cc_average_pool_backward(t.tape, d, dy, dx, false, &t.err));
        OK(&t, cc_average_pool_backward(t.tape, d, dy, sum, true, &t.err));
        check(&t, &b, y, dx, sum, in, out, "average", s);
        release(&b);
        op_end(&t);
    }
}

static void global_average_matches_reference(void **state)
{
    (void)state;
    for (size_t s = 0; s < CC_COUNT(shapes); s++) {
        const cc_pool_desc *d = &shapes[s];
        const ref_pool ref = reference(d);
        const size_t in = inputs(d), out = d->n * d->c;
        buffers b = make(in, out, false);
        ref_global_average_pool_forward(&ref, b.x64, b.y);
        ref_global_average_pool_backward(&ref, b.dy64, b.dx);
        op_test t;
        op_begin(&t, device);
        cc_tensor x = op_input(&t, CC_F32, b.x, in), dy = op_input(&t, CC_F32, b.dy, out), y = op_output(&t, CC_F32, out),
                  dx = op_output(&t, CC_F32, in), sum = op_input(&t, CC_F32, b.old, in);
        OK(&t, cc_global_average_pool_forward(t.tape, d, x, y, &t.err));
        OK(&t, cc_global_average_pool_backward(t.tape, d, dy, dx, false, &t.err));
        OK(&t, cc_global_average_pool_backward(t.tape, d, dy, sum, true, &t.err));
        check(&t, &b, y, dx, sum, in, out, "global average", s);
        release(&b);
        op_end(&t);
    }
}

typedef void (*forward_function)(const ref_pool *d, const double *x, double *y);

static void check_difference(forward_function forward, const ref_pool *d, buffers *b, size_t in, size_t out)
{
    const double h = 1e-6;
    for (size_t i = 0; i < in; i++) {
        const double old = b->x64[i];
        double value[2] = { 0 };
        for (int side = 0; side < 2; side++) {
            b->x64[i] = side ? old + h : old - h;
            forward(d, b->x64, b->y);
            for (size_t j = 0; j < out; j++)
                value[side] += b->dy64[j] * b->y[j];
        }
        b->x64[i] = old;
        assert_true(fabs((value[1] - value[0]) / (2 * h) - b->dx[i]) < 1e-8);
    }
}

static void reference_gradient_is_a_finite_difference(void **state)
{
    (void)state;
    const cc_pool_desc desc = { 2, 5, 4, 2, 3, 2, 1 };
    const ref_pool d = reference(&desc);
    const size_t in = inputs(&desc), out = outputs(&desc);
    buffers b = make(in, out, false);
    ref_max_pool_backward(&d, b.x64, b.dy64, b.dx);
    check_difference(ref_max_pool_forward, &d, &b, in, out);
    ref_average_pool_backward(&d, b.dy64, b.dx);
    check_difference(ref_average_pool_forward, &d, &b, in, out);
    ref_global_average_pool_backward(&d, b.dy64, b.dx);
    check_difference(ref_global_average_pool_forward, &d, &b, in, d.n * d.c);
    release(&b);
}

/* A window with a NaN has a NaN as its maximum, wherever it is in the window, and its gradient goes to the first NaN. */
static void nan_wins_the_maximum(void **state)
{
    (void)state;
    const cc_pool_desc d = { 1, 2, 2, 16, 2, 2, 0 };
    float x[64], one[16];
    for (int i = 0; i < 64; i++)
        x[i] = (float)i;
    for (int i = 0; i < 16; i++)
        one[i] = 1.0f;
    x[0 * 16 + 1] = x[1 * 16 + 2] = x[2 * 16 + 3] = x[3 * 16 + 4] = x[2 * 16 + 5] = x[3 * 16 + 5] = NAN;
    op_test t;
    op_begin(&t, device);
    cc_tensor tx = op_input(&t, CC_F32, x, 64), y = op_output(&t, CC_F32, 16), dx = op_output(&t, CC_F32, 64);
    OK(&t, cc_max_pool_forward(t.tape, &d, tx, y, &t.err));
    OK(&t, cc_max_pool_backward(t.tape, &d, tx, y, op_input(&t, CC_F32, one, 16), dx, false, &t.err));
    op_run(&t);
    float *got = op_read_floats(&t, y), *gradient = op_read_floats(&t, dx);
    for (int k = 0; k < 16; k++) {
        const int winner = k >= 1 && k <= 4 ? k - 1 : k == 5 ? 2 : 3;
        assert_int_equal(isnan(got[k]), k >= 1 && k <= 5);
        for (int pixel = 0; pixel < 4; pixel++)
            assert_true(gradient[pixel * 16 + k] == (pixel == winner ? 1.0f : 0.0f));
    }
    free(got), free(gradient);
    op_end(&t);
}

static void impossible_windows_are_refused(void **state)
{
    (void)state;
    const cc_pool_desc bad[] = { { 1, 4, 4, 1, 5, 1, 0 }, { 1, 4, 4, 1, 2, 1, 2 }, { 1, 4, 4, 1, 2, 0, 0 } };
    const float v[16] = { 0 };
    op_test t;
    op_begin(&t, device);
    cc_tensor a = op_input(&t, CC_F32, v, 16);
    for (size_t i = 0; i < CC_COUNT(bad); i++)
        assert_int_equal(cc_max_pool_forward(t.tape, &bad[i], a, a, &t.err), CAMCL_UNSUPPORTED);
    op_end(&t);
}

static const struct CMUnitTest operation_tests[] = {
    cmocka_unit_test(maximum_matches_reference),
    cmocka_unit_test(average_matches_reference),
    cmocka_unit_test(global_average_matches_reference),
    cmocka_unit_test(reference_gradient_is_a_finite_difference),
    cmocka_unit_test(nan_wins_the_maximum),
    cmocka_unit_test(impossible_windows_are_refused),
};
#include "support/op_main.h"
