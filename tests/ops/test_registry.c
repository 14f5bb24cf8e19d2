/* The registry: complete entries, unique names, lookups, and every operation in it has a test program that is known to cover it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "ops/record.h"
#include "ops/variants.h"
#include "support/devices.h"
#include "support/operands.h"

/* Which tests/ops/test_<program>.c compares an operation with its reference, and in how many directions. */
static const struct {
    const char *op, *program;
    unsigned directions;
} covered[] = {
    { "conv2d", "conv2d", 3 },
    { "conv2d_affine", "conv2d_affine", 1 },
    { "gemm", "gemm", 1 },
    { "linear", "linear", 3 },
    { "batch_norm", "batch_norm", 2 },
    { "batch_norm_fold", "batch_norm", 1 },
    { "add", "pointwise", 2 },
    { "max_pool", "pool", 2 },
    { "average_pool", "pool", 2 },
    { "global_average_pool", "pool", 2 },
    { "softmax", "softmax", 1 },
    { "confidence", "softmax", 1 },
    { "cross_entropy", "softmax", 2 },
    { "evaluate", "softmax", 1 },
    { "sgd", "sgd", 1 },
    { "ema", "sgd", 1 },
    { "grad_cam", "grad_cam", 3 },
    { "grad_cam_seed", "grad_cam", 1 },
    { "argmax_rows", "grad_cam", 1 },
    { "resize", "resize", 2 },
    { "min_max", "min_max", 2 },
    { "warp", "warp", 2 },
    { "load_images", "load", 1 },
    { "load_labels", "load", 1 },
    { "masked_mse", "masked_mse", 2 },
};

static void every_operation_is_covered(void **state)
{
    (void)state;
    for (size_t i = 0; i < cc_registry_count(); i++) {
        const cc_variant *v = cc_registry_at(i);
        size_t found = 0;
        while (found < CC_COUNT(covered) && strcmp(covered[found].op, v->op) != 0)
            found++;
        if (found == CC_COUNT(covered)) fail_msg("%s: in the registry, but in no test program (test it, then add it here)", v->op);
    }
    for (size_t c = 0; c < CC_COUNT(covered); c++) {
        char path[96];
        snprintf(path, sizeof path, "tests/ops/test_%s.c", covered[c].program);
        FILE *file = fopen(path, "r");
        if (file == NULL) fail_msg("%s: its test program %s does not exist", covered[c].op, path);
        fclose(file);
        unsigned directions = 0;
        for (size_t i = 0; i < cc_registry_count(); i++)
            if (strcmp(cc_registry_at(i)->op, covered[c].op) == 0) directions |= 1u << cc_registry_at(i)->direction;
        unsigned count = 0;
        for (; directions; directions &= directions - 1)
            count++;
        if (count != covered[c].directions)
            fail_msg("%s: %u directions in the registry, %u are covered", covered[c].op, count, covered[c].directions);
    }
}

static void entries_are_complete_and_unique(void **state)
{
    (void)state;
    assert_true(cc_registry_count() > 0);
    for (size_t i = 0; i < cc_registry_count(); i++) {
        const cc_variant *v = cc_registry_at(i);
        assert_true(v->op && v->op[0] && v->name && v->name[0] && v->family && v->supports && v->record);
        assert_true((v->packed_bytes == NULL) == (v->pack == NULL) && (v->pack == NULL) == (v->layout == NULL));
        assert_string_not_equal(cc_direction_name(v->direction), "unknown");
        /* a second entry of the same name would never be found */
        assert_ptr_equal(cc_registry_find(v->op, v->direction, v->name), v);
    }
    assert_null(cc_registry_find("conv2d", CC_FORWARD, "no such variant"));
    assert_null(cc_registry_find("no such operation", CC_FORWARD, "general"));
}

static void check_split(const camcl_device_info *info)
{
    static const size_t totals[] = { 1, 2, 15, 16, 17, 1000, 123457 }, grains[] = { 1, 4, 256 };
    for (size_t t = 0; t < CC_COUNT(totals); t++)
        for (size_t g = 0; g < CC_COUNT(grains); g++) {
            const cc_work_split s = cc_split_work(info, totals[t], grains[g]);
            assert_true(s.items >= 1 && s.each >= 1 && s.items * s.each >= totals[t] && (s.items - 1) * s.each < totals[t]);
        }
}

static void shapes_divide_rows(void **state)
{
    (void)state;
    static const camcl_device_type types[] = { CAMCL_CPU, CAMCL_GPU, CAMCL_ACCELERATOR };
    for (size_t t = 0; t < CC_COUNT(types); t++)
        for (unsigned units = 0; units < 130; units += 43)
            for (size_t group = 1; group <= 1024; group *= 32) {
                const camcl_device_info info = { .type = types[t], .compute_units = units, .max_work_group = group };
                check_split(&info);
                for (size_t c = 1; c < 70; c++) {
                    const cc_shape s = cc_row_shape(&info, c);
                    assert_true(c % s.width == 0 && s.lanes <= group);
                    assert_true(types[t] != CAMCL_CPU || s.lanes == 1);
                    assert_int_equal(s.width, types[t] == CAMCL_CPU && c % 16 == 0 ? 16 : c % 4 == 0 ? 4 : 1);
                }
            }
}

/* Misuse is reported before anything runs. */
static void mismatched_tensors_are_refused(void **state)
{
    (void)state;
    camcl_device *devices[16];
    const size_t count = test_devices(devices, 16);
    assert_true(count > 0);
    const float v[8] = { 0 };
    const cc_pointwise_desc d = { 8, 0.0f };
    op_test t;
    op_begin(&t, devices[0]);
    cc_tensor eight = op_input(&t, CC_F32, v, 8), seven = op_input(&t, CC_F32, v, 7), integers = op_input(&t, CC_I32, v, 8);
    assert_int_equal(cc_add_forward(t.tape, &d, eight, eight, seven, &t.err), CAMCL_FAILED);
    assert_int_equal(cc_add_forward(t.tape, &d, eight, integers, eight, &t.err), CAMCL_FAILED);
    assert_int_equal(cc_add_forward(t.tape, &d, eight, eight, CC_NO_TENSOR, &t.err), CAMCL_FAILED);
    assert_int_equal(cc_op_record(t.tape, "add", CC_TANGENT, &d, &eight, 1, false, &t.err), CAMCL_UNSUPPORTED);
    assert_int_equal(cc_op_record(t.tape, "add", CC_FORWARD, &(cc_add_op){ .desc = d }, &eight, 1, false, &t.err), CAMCL_FAILED);
    assert_int_equal(cc_tape_length(t.tape), 0);
    op_end(&t);
    for (size_t i = 0; i < count; i++)
        camcl_device_close(&devices[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_is_covered),
        cmocka_unit_test(entries_are_complete_and_unique),
        cmocka_unit_test(shapes_divide_rows),
        cmocka_unit_test(mismatched_tensors_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
