/* Min-max normalisation: every variant against the reference, PyTorch and finite differences; ties, constants, NaN. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "ops/variants.h"
#include "check/ref/min_max_ref.h"
#include "support/devices.h"
#include "support/operands.h"

static camcl_device *device;

static const size_t sizes[] = { 1, 2, 15, 16, 17, 31, 32, 33, 64, 127, 128, 129, 1024, 2500 };

typedef void (*each_variant)(const cc_variant *forward, const cc_variant *backward, const char *name);

/* Forward and backward variants of one name, and last what is chosen by default (NULL). */
static void for_each_variant(each_variant test)
{
    const cc_min_max_desc d = { 3, 2500 };
    for (size_t f = 0; f < cc_min_max_variant_count; f++)
        for (size_t b = 0; b < cc_min_max_variant_count; b++) {
            const cc_variant *forward = &cc_min_max_variants[f], *backward = &cc_min_max_variants[b];
            if (forward->direction != CC_FORWARD || backward->direction != CC_BACKWARD || strcmp(forward->name, backward->name) != 0)
                continue;
            if (!forward->supports(camcl_device_get_info(device), &d)) continue;
            test(forward, backward, forward->name);
        }
    test(NULL, NULL, "default");
}

typedef struct result {
    float *y, *range, *dx;
} result;

static result run(const cc_variant *forward, const cc_variant *backward, const cc_min_max_desc *d, const float *x, const float *dy)
{
    const size_t count = d->n * d->size;
    op_test t;
    op_begin(&t, device);
    const cc_tensor tx = op_input(&t, CC_F32, x, count), y = op_output(&t, CC_F32, count), range = op_output(&t, CC_F32, 4 * d->n);
    const cc_tensor tdy = op_input(&t, CC_F32, dy, count), dx = op_output(&t, CC_F32, count);
    if (forward) {
        OK(&t, forward->record(t.tape, d, (const cc_tensor[]){ tx, y, range }, 3, false, &t.err));
        OK(&t, backward->record(t.tape, d, (const cc_tensor[]){ tx, y, range, tdy, dx }, 5, false, &t.err));
    } else {
        OK(&t, cc_min_max_forward(t.tape, d, tx, y, range, &t.err));
        OK(&t, cc_min_max_backward(t.tape, d, tx, y, range, tdy, dx, &t.err));
    }
    op_run(&t);
    result r = { op_read_floats(&t, y), op_read_floats(&t, range), op_read_floats(&t, dx) };
    op_end(&t);
    return r;
}

static void release(result *r) { free(r->y), free(r->range), free(r->dx); }

/* Image 0 is random, image 1 has few levels and so many ties, image 2 is constant. */
static float *images(size_t size)
{
    float *x = random_floats(3 * size, 11);
    for (size_t i = 0; i < size; i++) {
        x[size + i] = floorf(x[size + i] * 2.0f);
        x[2 * size + i] = 0.3f;
    }
    return x;
}

static void matches_reference(const cc_variant *forward, const cc_variant *backward, const char *name)
{
    for (size_t s = 0; s < CC_COUNT(sizes); s++) {
        const cc_min_max_desc d = { 3, sizes[s] };
        const size_t count = d.n * d.size;
        float *x = images(d.size), *dy = random_floats(count, 12);
        double *x64 = to_doubles(x, count), *dy64 = to_doubles(dy, count), *y64 = malloc(count * sizeof *y64),
               *dx64 = malloc(count * sizeof *dx64);
        double range64[12];
        ref_min_max_forward(d.n, d.size, x64, y64, range64);
        ref_min_max_backward(d.n, d.size, x64, dy64, dx64);
        result r = run(forward, backward, &d, x, dy);
        check_close(r.y, y64, count, 5e-7, 0, "%s, size %zu: y", name, d.size);
        check_close(r.range, range64, 12, 0, 0, "%s, size %zu: range", name, d.size);
        check_close(r.dx, dx64, count, 3e-6, 3e-6, "%s, size %zu: dx", name, d.size);
        release(&r);
        free(x), free(dy), free(x64), free(dy64), free(y64), free(dx64);
    }
}

static void variants_match_reference(void **state)
{
    (void)state;
    for_each_variant(matches_reference);
}

static void agrees_with_finite_differences_of(const cc_variant *forward, const cc_variant *backward, const char *name)
{
    const cc_min_max_desc d = { 2, 19 };
    const size_t count = d.n * d.size;
    const double step = 1e-6;
    float *x = random_floats(count, 13), *dy = random_floats(count, 14);
    double *x64 = to_doubles(x, count), y[38], range[8], want[38];
    for (size_t i = 0; i < count; i++) {
        double loss[2] = { 0, 0 };
        for (int side = 0; side < 2; side++) {
            x64[i] = x[i] + (side ? step : -step);
            ref_min_max_forward(d.n, d.size, x64, y, range);
            for (size_t j = 0; j < count; j++)
                loss[side] += dy[j] * y[j];
        }
        x64[i] = x[i];
        want[i] = (loss[1] - loss[0]) / (2 * step);
    }
    result r = run(forward, backward, &d, x, dy);
    check_close(r.dx, want, count, 3e-6, 0, "%s", name);
    release(&r);
    free(x), free(dy), free(x64);
}

static void agrees_with_finite_differences(void **state)
{
    (void)state;
    for_each_variant(agrees_with_finite_differences_of);
}

/* x.amin, x.amax, (x - amin) / (amax - amin) and its gradient: ties share evenly. */
static void matches_pytorch_for(const cc_variant *forward, const cc_variant *backward, const char *name)
{
    static const float x[] = { 2, 5, 2, 3, 5, 5, 4, 2.5f }, dy[] = { 1, -2, 3, 0.5f, 4, -1, 2, -3 };
    static const double y[] = { 0.0, 1.0, 0.0, 0.333333343, 1.0, 1.0, 0.666666687, 0.166666672 };
    static const double dx[] = { -0.0833333135, -0.888888896, 0.583333373, 0.166666672, 1.11111116, -0.555555582, 0.666666687, -1.0 };
    const cc_min_max_desc d = { 1, 8 };
    result r = run(forward, backward, &d, x, dy);
    check_close(r.y, y, 8, 1e-6, 0, "%s: y", name);
    check_close(r.dx, dx, 8, 1e-6, 0, "%s: dx", name);
    assert_true(r.range[2] == 2.0f && r.range[3] == 3.0f);
    release(&r);
}

static void matches_pytorch(void **state)
{
    (void)state;
    for_each_variant(matches_pytorch_for);
}

static void constants_give_zeros_for(const cc_variant *forward, const cc_variant *backward, const char *name)
{
    static const float levels[] = { 0.0f, -0.0f, 1.0f, -3.5f, 1e30f, -1e-30f, 1e-40f };
    for (size_t s = 0; s < CC_COUNT(sizes); s++) {
        const cc_min_max_desc d = { CC_COUNT(levels), sizes[s] };
        const size_t count = d.n * d.size;
        float *x = malloc(count * sizeof *x), *dy = random_floats(count, 15);
        double *zeros = calloc(count, sizeof *zeros);
        for (size_t i = 0; i < count; i++)
            x[i] = levels[i / d.size];
        x[count - 1] *= 2.0f; /* a range that only some devices can represent */
        result r = run(forward, backward, &d, x, dy);
        check_close(r.y, zeros, count, 0, 0, "%s, size %zu: y", name, d.size);
        check_close(r.dx, zeros, count, 0, 0, "%s, size %zu: dx", name, d.size);
        release(&r);
        free(x), free(dy), free(zeros);
    }
}

static void constants_give_zeros(void **state)
{
    (void)state;
    for_each_variant(constants_give_zeros_for);
}

static void nan_is_not_hidden_for(const cc_variant *forward, const cc_variant *backward, const char *name)
{
    const size_t positions[] = { 0, 1, 15, 16, 32, 40 };
    (void)name;
    for (int flat = 0; flat < 2; flat++)
        for (size_t p = 0; p < CC_COUNT(positions); p++) {
            const cc_min_max_desc d = { 1, 41 };
            float *x = random_floats(d.size, 16), *dy = random_floats(d.size, 17);
            if (flat)
                for (size_t i = 0; i < d.size; i++)
                    x[i] = 1.0f;
            x[positions[p]] = strtof("nan", NULL);
            result r = run(forward, backward, &d, x, dy);
            assert_true(isnan(r.y[positions[p]]));
            release(&r);
            free(x), free(dy);
        }
}

static void nan_is_not_hidden(void **state)
{
    (void)state;
    for_each_variant(nan_is_not_hidden_for);
}

static const struct CMUnitTest operation_tests[] = {
    cmocka_unit_test(variants_match_reference), cmocka_unit_test(agrees_with_finite_differences),
    cmocka_unit_test(matches_pytorch),          cmocka_unit_test(constants_give_zeros),
    cmocka_unit_test(nan_is_not_hidden),
};
#include "support/op_main.h"
