/* The error over the pixels that count: every variant against the reference (host/check/check_views.c), and where all pixels count it is
 * the masked mean squared error. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "check/check.h"
#include "ops/variants.h"
#include "support/devices.h"
#include "support/operands.h"

static camcl_device *device;

enum { N = 5, SIZE = 19, IMAGE = SIZE * SIZE, COUNT = N * IMAGE };

static void variants_match_reference(void **state)
{
    (void)state;
    for (size_t v = 0; v < cc_counted_mse_variant_count; v++) {
        camcl_error err = { .status = CAMCL_OK };
        cc_check c = { .device = device, .variant = &cc_counted_mse_variants[v], .err = &err, .ok = true };
        cc_check_counted_mse(&c);
        if (c.status != CAMCL_OK || !c.ok) fail_msg("%s: %s%s", cc_counted_mse_variants[v].name, err.message, c.what);
        assert_true(c.shapes > 0);
    }
}

static void all_pixels_are_the_masked_error(void **state)
{
    (void)state;
    const cc_masked_mse_desc masked = { N, IMAGE };
    const cc_affine_warp_desc counted = { N, SIZE };
    const float mask[N] = { 1, 0, 0.25f, 1, 1 };
    float *a = random_floats(COUNT, 1), *b = random_floats(COUNT, 2), sums[4], want[4];
    cc_affine maps[N] = { { { 0 }, { 0 }, { 0 }, 0, 0 } };
    cc_counted_row rows[N * SIZE];
    for (int i = 0; i < N; i++)
        maps[i].counted = IMAGE;
    for (int i = 0; i < N * SIZE; i++)
        rows[i] = (cc_counted_row){ 0, i % SIZE, i % SIZE, SIZE };
    op_test t;
    op_begin(&t, device);
    const cc_tensor ta = op_input(&t, CC_F32, a, COUNT), tb = op_input(&t, CC_F32, b, COUNT), tm = op_input(&t, CC_F32, mask, N),
                    table = op_input(&t, CC_F32, maps, CC_AFFINE_FLOATS * N), tr = op_input(&t, CC_I32, rows, 4 * N * SIZE),
                    s1 = op_output(&t, CC_F32, 4), s2 = op_output(&t, CC_F32, 4), da1 = op_output(&t, CC_F32, COUNT),
                    da2 = op_output(&t, CC_F32, COUNT), db1 = op_output(&t, CC_F32, COUNT), db2 = op_output(&t, CC_F32, COUNT);
    OK(&t, cc_masked_mse_forward(t.tape, &masked, ta, tb, tm, s1, &t.err));
    OK(&t, cc_counted_mse_forward(t.tape, &counted, ta, tb, tm, table, tr, s2, &t.err));
    OK(&t, cc_masked_mse_backward(t.tape, &masked, ta, tb, tm, 3, (cc_device_scalar){ s1.buffer, 1 }, da1, db1, &t.err));
    OK(&t, cc_counted_mse_backward(t.tape, &counted, ta, tb, tm, table, tr, 3, (cc_device_scalar){ s2.buffer, 1 }, da2, db2, &t.err));
    op_run(&t);
    op_read(&t, s1, want);
    op_read(&t, s2, sums);
    double *want64 = to_doubles(want, 4);
    check_close(sums, want64, 4, 0, 2e-6, "sums");
    for (int k = 0; k < 2; k++) {
        float *got = op_read_floats(&t, k ? db2 : da2), *right = op_read_floats(&t, k ? db1 : da1);
        double *right64 = to_doubles(right, COUNT);
        check_close(got, right64, COUNT, 1e-12, 1e-6, k ? "db" : "da");
        free(got), free(right), free(right64);
    }
    free(a), free(b), free(want64);
    op_end(&t);
}

static const struct CMUnitTest operation_tests[] = {
    cmocka_unit_test(variants_match_reference),
    cmocka_unit_test(all_pixels_are_the_masked_error),
};
#include "support/op_main.h"
