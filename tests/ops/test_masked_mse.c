/* Masked mean squared error: every variant against the reference and finite differences; masks, denominators, unread images. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "ops/variants.h"
#include "check/ref/masked_mse_ref.h"
#include "support/devices.h"
#include "support/operands.h"

static camcl_device *device;

static const cc_masked_mse_desc shapes[] = { { 1, 1 },  { 4, 15 }, { 3, 16 },  { 2, 17 },  { 5, 31 },    { 1, 32 },
                                             { 7, 33 }, { 2, 64 }, { 130, 9 }, { 3, 127 }, { 33, 1024 }, { 2, 2501 } };

/* The variants of one name, last round (NULL): the default. */
static const cc_variant *variant_at(size_t round, cc_direction direction, const void *desc)
{
    const cc_variant *variant = &cc_masked_mse_variants[round];
    return variant->direction == direction && variant->supports(camcl_device_get_info(device), desc) ? variant : NULL;
}

static float *random_mask(size_t n)
{
    float *mask = random_floats(n, 31);
    for (size_t i = 0; i < n; i++)
        mask[i] = mask[i] > 0.0f || i == 0 ? 1.0f : 0.0f;
    return mask;
}

static void forward_matches_reference(void **state)
{
    (void)state;
    for (size_t s = 0; s < CC_COUNT(shapes); s++) {
        const cc_masked_mse_desc d = shapes[s];
        const size_t count = d.n * d.size;
        float *a = random_floats(count, 32), *b = random_floats(count, 33), *mask = random_mask(d.n), sums[4];
        double *a64 = to_doubles(a, count), *b64 = to_doubles(b, count), *mask64 = to_doubles(mask, d.n), sums64[4];
        ref_masked_mse_forward(d.n, d.size, a64, b64, mask64, sums64);
        for (size_t i = 0; i < count; i++)
            if (mask[i / d.size] == 0.0f) a[i] = strtof("nan", NULL); /* masked images are not looked at */
        for (size_t v = 0; v <= cc_masked_mse_variant_count; v++) {
            const cc_variant *variant = v < cc_masked_mse_variant_count ? variant_at(v, CC_FORWARD, &d) : NULL;
            if (variant == NULL && v < cc_masked_mse_variant_count) continue;
            op_test t;
            op_begin(&t, device);
            const cc_tensor io[] = { op_input(&t, CC_F32, a, count), op_input(&t, CC_F32, b, count), op_input(&t, CC_F32, mask, d.n),
                                     op_output(&t, CC_F32, 4) };
            if (variant)
                OK(&t, variant->record(t.tape, &d, io, 4, false, &t.err));
            else
                OK(&t, cc_masked_mse_forward(t.tape, &d, io[0], io[1], io[2], io[3], &t.err));
            op_run(&t);
            op_read(&t, io[3], sums);
            check_close(sums, sums64, 1, 0, 3e-6, "%s, shape %zu: error", variant ? variant->name : "default", s);
            check_close(sums + 1, sums64 + 1, 3, 0, 0, "%s, shape %zu: counts", variant ? variant->name : "default", s);
            op_end(&t);
        }
        free(a), free(b), free(mask), free(a64), free(b64), free(mask64);
    }
}

static void backward_matches_reference(void **state)
{
    (void)state;
    const float denominators[4] = { 1e9f, 3.0f, 0.0f, 0.5f };
    for (size_t s = 0; s < CC_COUNT(shapes); s++) {
        const cc_masked_mse_desc d = shapes[s];
        const size_t count = d.n * d.size;
        float *a = random_floats(count, 34), *b = random_floats(count, 35), *mask = random_mask(d.n);
        double *a64 = to_doubles(a, count), *b64 = to_doubles(b, count), *mask64 = to_doubles(mask, d.n),
               *da64 = malloc(count * sizeof *da64);
        for (size_t i = 0; i < count; i++)
            if (mask[i / d.size] == 0.0f) a[i] = strtof("nan", NULL);
        for (size_t v = 0; v <= cc_masked_mse_variant_count; v++)
            for (size_t index = 1; index < 4; index++) {
                const bool both = index != 2;
                op_test t;
                op_begin(&t, device);
                const cc_tensor scalars = op_input(&t, CC_F32, denominators, 4);
                const cc_masked_mse_op op = { d, 0.75f, { scalars.buffer, index } };
                const cc_variant *variant = v < cc_masked_mse_variant_count ? variant_at(v, CC_BACKWARD, &op) : NULL;
                if (variant == NULL && v < cc_masked_mse_variant_count) {
                    op_end(&t);
                    continue;
                }
                const cc_tensor io[] = { op_input(&t, CC_F32, a, count), op_input(&t, CC_F32, b, count), op_input(&t, CC_F32, mask, d.n),
                                         op_output(&t, CC_F32, count), both ? op_output(&t, CC_F32, count) : CC_NO_TENSOR };
                if (variant)
                    OK(&t, variant->record(t.tape, &op, io, 5, false, &t.err));
                else
                    OK(&t, cc_masked_mse_backward(t.tape, &d, io[0], io[1], io[2], op.scale, op.denominator, io[3], io[4], &t.err));
                op_run(&t);
                ref_masked_mse_backward(d.n, d.size, a64, b64, mask64, 0.75, denominators[index], da64);
                float *da = op_read_floats(&t, io[3]), *db = both ? op_read_floats(&t, io[4]) : NULL;
                check_close(da, da64, count, 1e-12, 1e-6, "%s, shape %zu, denominator %zu: da", variant ? variant->name : "default", s,
                            index);
                for (size_t i = 0; both && i < count; i++)
                    assert_true(db[i] == -da[i]);
                free(da), free(db);
                op_end(&t);
            }
        free(a), free(b), free(mask), free(a64), free(b64), free(mask64), free(da64);
    }
}

/* Of scale * sums[0] / max(sums[1], 1), with the denominator read from the forward pass's own sums. */
static void backward_agrees_with_finite_differences(void **state)
{
    (void)state;
    const cc_masked_mse_desc d = { 4, 5 };
    const size_t count = 20;
    const float mask[4] = { 1, 0, 1, 1 };
    const double mask64[4] = { 1, 0, 1, 1 }, step = 1e-5;
    float *a = random_floats(count, 36), *b = random_floats(count, 37);
    double *a64 = to_doubles(a, count), *b64 = to_doubles(b, count), want[40];
    for (size_t i = 0; i < 2 * count; i++) {
        double *value = i < count ? &a64[i] : &b64[i - count], loss[2];
        const double at = *value;
        for (int side = 0; side < 2; side++) {
            double sums[4];
            *value = at + (side ? step : -step);
            ref_masked_mse_forward(d.n, d.size, a64, b64, mask64, sums);
            loss[side] = 2.0 * sums[0] / (sums[1] > 1.0 ? sums[1] : 1.0);
        }
        *value = at;
        want[i] = (loss[1] - loss[0]) / (2 * step);
    }
    op_test t;
    op_begin(&t, device);
    const cc_tensor ta = op_input(&t, CC_F32, a, count), tb = op_input(&t, CC_F32, b, count), tmask = op_input(&t, CC_F32, mask, 4);
    const cc_tensor sums = op_output(&t, CC_F32, 4), da = op_output(&t, CC_F32, count), db = op_output(&t, CC_F32, count);
    OK(&t, cc_masked_mse_forward(t.tape, &d, ta, tb, tmask, sums, &t.err));
    OK(&t, cc_masked_mse_backward(t.tape, &d, ta, tb, tmask, 2.0f, (cc_device_scalar){ sums.buffer, 1 }, da, db, &t.err));
    op_run(&t);
    float *got_a = op_read_floats(&t, da), *got_b = op_read_floats(&t, db);
    check_close(got_a, want, count, 1e-6, 0, "da");
    check_close(got_b, want + count, count, 1e-6, 0, "db");
    free(a), free(b), free(a64), free(b64), free(got_a), free(got_b);
    op_end(&t);
}

static void nan_in_a_counted_image_shows(void **state)
{
    (void)state;
    const cc_masked_mse_desc d = { 2, 33 };
    const float mask[2] = { 1, 1 };
    float *a = random_floats(66, 38), *b = random_floats(66, 39), sums[4];
    a[65] = strtof("nan", NULL);
    op_test t;
    op_begin(&t, device);
    const cc_tensor out = op_output(&t, CC_F32, 4);
    OK(&t, cc_masked_mse_forward(t.tape, &d, op_input(&t, CC_F32, a, 66), op_input(&t, CC_F32, b, 66), op_input(&t, CC_F32, mask, 2), out,
                                 &t.err));
    op_run(&t);
    op_read(&t, out, sums);
    assert_true(isnan(sums[0]) && sums[1] == 2.0f);
    free(a), free(b);
    op_end(&t);
}

static const struct CMUnitTest operation_tests[] = {
    cmocka_unit_test(forward_matches_reference),
    cmocka_unit_test(backward_matches_reference),
    cmocka_unit_test(backward_agrees_with_finite_differences),
    cmocka_unit_test(nan_in_a_counted_image_shows),
};
#include "support/op_main.h"
