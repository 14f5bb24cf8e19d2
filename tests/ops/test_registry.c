/* The registry: complete entries, unique names, lookups, and every operation in it has a test program that is known to cover it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "check/check.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "ops/registry.h"
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
    { "load_bytes", "load", 1 },
    { "masked_mse", "masked_mse", 2 },
    { "soft_cross_entropy", "targets", 2 },
    { "probability_mse", "targets", 2 },
    { "class_thresholds", "targets", 1 },
    { "adaptive_thresholds", "targets", 1 },
    { "confidence_weights", "targets", 1 },
    { "fairness", "targets", 2 },
    { "affine_warp", "affine_warp", 2 },
    { "counted_mse", "counted_mse", 2 },
    { "randaugment", "randaugment", 1 },
};

static void every_operation_is_covered(void **state)
{
    (void)state;
    for (size_t i = 0; i < cc_registry_count(); i++) {
        const cc_variant *v = cc_registry_at(i);
        size_t found = 0;
        while (found < CC_COUNT(covered) && strcmp(covered[found].op, v->op->name) != 0)
            found++;
        if (found == CC_COUNT(covered)) fail_msg("%s: in the registry, but in no test program (test it, then add it here)", v->op->name);
    }
    for (size_t c = 0; c < CC_COUNT(covered); c++) {
        char path[96];
        snprintf(path, sizeof path, "tests/ops/test_%s.c", covered[c].program);
        FILE *file = fopen(path, "r");
        if (file == NULL) fail_msg("%s: its test program %s does not exist", covered[c].op, path);
        fclose(file);
        unsigned directions = 0;
        for (size_t i = 0; i < cc_registry_count(); i++)
            if (strcmp(cc_registry_at(i)->op->name, covered[c].op) == 0) directions |= 1u << cc_registry_at(i)->direction;
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
        assert_true(v->op && v->op->name[0] && v->name && v->name[0] && v->family && v->supports && v->record);
        assert_true((v->packed_bytes == NULL) == (v->pack == NULL) && (v->pack == NULL) == (v->layout == NULL));
        assert_string_not_equal(cc_direction_name(v->direction), "unknown");
        /* a second entry of the same name would never be found */
        assert_ptr_equal(cc_registry_find(v->op->name, v->direction, v->name), v);
    }
    assert_null(cc_registry_find("conv2d", CC_FORWARD, "no such variant"));
    assert_null(cc_registry_find("no such operation", CC_FORWARD, "general"));
}

/* What plan, tune and bench ask of a row is there or not there together, and every row has a check for selftest. */
static void rows_are_complete(void **state)
{
    (void)state;
    for (const cc_operation *const *row = cc_operations; *row; row++) {
        const cc_operation *op = *row;
        assert_ptr_equal(cc_operations_find(op->name, strlen(op->name)), op);
        assert_true(cc_operation_count(op) > 0);
        for (size_t i = 0; i < cc_operation_count(op); i++)
            assert_ptr_equal(cc_operation_at(op, i)->op, op);
        assert_true((op->write_key == NULL) == (op->read_key == NULL));
        if (op->choice) assert_true(op->read_key && op->cost);
        if (op->choice) assert_true(op->choice->builtin && op->choice->competes && op->choice->operands && op->choice->product);
        if (cc_check_find(op->name) == NULL) fail_msg("%s: no check (write one, and add it to host/check/selftest.c)", op->name);
    }
    assert_null(cc_operations_find("conv2d forward", strlen("conv2")));
    assert_ptr_equal(cc_operations_find("conv2d forward", strlen("conv2d")), &cc_conv2d_operation);
}

/* Every direction of a convolution multiplies each of 2*3*4*5 outputs' 7*3*3 pairs and adds them up. */
static void costs_are_those_of_the_definition(void **state)
{
    (void)state;
    const cc_conv2d_desc conv = { 2, 3, 4, 7, 5, 3, 3, 1, 1, 1 };
    const cc_conv2d_affine_desc affine = { .conv = conv };
    const cc_linear_desc linear = { 3, 10, 7 };
    const cc_cost costs[] = { cc_conv2d_operation.cost(&conv), cc_conv2d_affine_operation.cost(&affine) };
    for (size_t i = 0; i < CC_COUNT(costs); i++) {
        assert_true(costs[i].flops == 2.0 * (2 * 3 * 4 * 5) * (7 * 3 * 3));
        assert_true(costs[i].bytes == 4.0 * (2 * 3 * 4 * 7 + 3 * 3 * 7 * 5 + 2 * 3 * 4 * 5));
    }
    const cc_cost cost = cc_linear_operation.cost(&linear);
    assert_true(cost.flops == 2.0 * 3 * 10 * 7 && cost.bytes == 4.0 * (3 * 10 + 10 * 7 + 3 * 7));
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
                const camcl_device_info info = {
                    .type = types[t], .compute_units = units, .max_work_group = group, .vector_width = 8, .vector_registers = 16
                };
                check_split(&info);
                for (size_t c = 1; c < 70; c++) {
                    const cc_shape s = cc_row_shape(&info, c);
                    assert_true(c % s.width == 0 && s.lanes <= group);
                    assert_true(types[t] != CAMCL_CPU || s.lanes == 1);
                    assert_int_equal(s.width, types[t] == CAMCL_CPU && c % 8 == 0 ? 8 : c % 4 == 0 ? 4 : 1);
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
    const cc_pointwise_desc d = { 8, CC_RELU };
    op_test t;
    op_begin(&t, devices[0]);
    cc_tensor eight = op_input(&t, CC_F32, v, 8), seven = op_input(&t, CC_F32, v, 7), integers = op_input(&t, CC_I32, v, 8);
    assert_int_equal(cc_add_forward(t.tape, &d, eight, eight, seven, &t.err), CAMCL_FAILED);
    assert_int_equal(cc_add_forward(t.tape, &d, eight, integers, eight, &t.err), CAMCL_FAILED);
    assert_int_equal(cc_add_forward(t.tape, &d, eight, eight, CC_NO_TENSOR, &t.err), CAMCL_FAILED);
    assert_int_equal(cc_op_record(t.tape, &cc_add_operation, CC_TANGENT, &d, &eight, 1, false, &t.err), CAMCL_UNSUPPORTED);
    assert_int_equal(cc_op_record(t.tape, &cc_add_operation, CC_FORWARD, &(cc_add_op){ .desc = d }, &eight, 1, false, &t.err),
                     CAMCL_FAILED);
    assert_int_equal(cc_tape_length(t.tape), 0);
    op_end(&t);
    for (size_t i = 0; i < count; i++)
        camcl_device_close(&devices[i]);
}

/* An output that is an input, too, is refused where a kernel would read what it has written. */
static void outputs_stand_apart(void **state)
{
    (void)state;
    camcl_device *devices[16];
    const size_t count = test_devices(devices, 16);
    assert_true(count > 0);
    const float v[12] = { 0 };
    const int32_t transforms[16] = { 0 };
    const cc_resize_desc resize = { 1, 2, 4, 1, 4, 2 };
    const cc_warp_desc overlapping = { 2, 2, 1, 0, 1 }, next_to_each_other = { 1, 2, 1, 0, 1 };
    const cc_pool_desc pool = { 1, 2, 4, 1, 1, 1, 0 };
    const cc_rows_desc rows = { 0, 2, 4 };
    op_test t;
    op_begin(&t, devices[0]);
    cc_tensor eight = op_input(&t, CC_F32, v, 8), twelve = op_input(&t, CC_F32, v, 12), at = op_input(&t, CC_I32, transforms, 16);
    assert_int_equal(cc_ema_update(t.tape, 8, 0.5f, eight, eight, &t.err), CAMCL_FAILED);
    assert_int_equal(cc_resize_forward(t.tape, &resize, eight, eight, &t.err), CAMCL_FAILED);
    assert_int_equal(cc_max_pool_forward(t.tape, &pool, eight, eight, &t.err), CAMCL_FAILED);
    assert_int_equal(cc_softmax_forward(t.tape, &rows, eight, eight, &t.err), CAMCL_FAILED);
    assert_int_equal(cc_warp_forward(t.tape, &overlapping, twelve, at, twelve, &t.err), CAMCL_FAILED);
    assert_int_equal(cc_warp_backward(t.tape, &overlapping, twelve, at, twelve, false, &t.err), CAMCL_FAILED);
    assert_int_equal(cc_tape_length(t.tape), 0);
    OK(&t, cc_warp_forward(t.tape, &next_to_each_other, twelve, at, twelve, &t.err));
    op_end(&t);
    for (size_t i = 0; i < count; i++)
        camcl_device_close(&devices[i]);
}

/* The variant whose operands are spoiled, and how often it refused them. */
static const cc_variant *spoiled;
static size_t refusals;

static bool refuses(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add)
{
    camcl_error err;
    const camcl_status status = spoiled->record(tape, desc, io, count, add, &err);
    refusals += status == CAMCL_FAILED;
    return status == CAMCL_FAILED;
}

/* Called with operands that the variant takes: of another type, or with fewer numbers, one at a time, it has to refuse them. A weight
 * operand in a private layout is the variant's own business. */
static camcl_status record_spoiled(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    if (!refuses(tape, desc, io, count - 1, add)) fail_msg("%s, %s: one tensor less is not refused", spoiled->op->name, spoiled->name);
    for (size_t i = 0; i < count; i++) {
        cc_tensor wrong[CC_CHECK_OPERANDS];
        if (io[i].buffer == NULL || (spoiled->pack && i == 1)) continue;
        memcpy(wrong, io, count * sizeof *io);
        wrong[i].dtype = io[i].dtype == CC_F32 ? CC_I32 : CC_F32;
        if (!refuses(tape, desc, wrong, count, add))
            fail_msg("%s, %s: another type of tensor %zu is not refused", spoiled->op->name, spoiled->name, i);
        wrong[i] = io[i];
        wrong[i].dim[0]--;
        if (refuses(tape, desc, wrong, count, add)) continue;
        /* rows of a larger tensor: the check has more of them than it uses */
        wrong[i].dim[0] = 0;
        if (!refuses(tape, desc, wrong, count, add))
            fail_msg("%s, %s: tensor %zu without content is not refused", spoiled->op->name, spoiled->name, i);
    }
    return cc_fail(err, CAMCL_STOPPED, "nothing has to run");
}

static void every_variant_refuses_wrong_operands(void **state)
{
    (void)state;
    camcl_device *devices[16];
    const size_t count = test_devices(devices, 16);
    assert_true(count > 0);
    for (size_t i = 0; i < cc_registry_count(); i++) {
        camcl_error err;
        spoiled = cc_registry_at(i);
        cc_variant variant = *spoiled;
        variant.record = record_spoiled;
        cc_check c = { .device = devices[0], .variant = &variant, .err = &err, .ok = true };
        refusals = 0;
        cc_check_find(spoiled->op->name)(&c);
        if (c.shapes == 0) continue; /* not for this device */
        assert_int_equal(c.status, CAMCL_STOPPED);
        assert_true(refusals > 4);
    }
    for (size_t i = 0; i < count; i++)
        camcl_device_close(&devices[i]);
}

/* How many launches Winograd for GPUs makes of 3782 tiles of 9216 bytes: three for as many tiles as half the cache holds, if the driver
 * says what that is. */
static void winograd_tiles_fit_the_cache(void **state)
{
    (void)state;
    static const struct {
        const char *vendor;
        size_t cache, launches;
    } cases[] = { { "Intel(R) Corporation", 0, 6 },         { "Intel(R) Corporation", 1 << 19, 6 },
                  { "Intel(R) Corporation", 1 << 20, 51 },  { "Intel(R) Corporation", 8 << 20, 27 },
                  { "Intel(R) Corporation", 128 << 20, 6 }, { "NVIDIA Corporation", 8 << 20, 6 },
                  { "Advanced Micro Devices", 16 << 10, 6 } };
    camcl_device *devices[16];
    const size_t count = test_devices(devices, 16);
    assert_true(count > 0);
    camcl_device_info *info = (camcl_device_info *)camcl_device_get_info(devices[0]);
    const cc_conv2d_desc d = { 1, 244, 248, 64, 64, 3, 3, 1, 1, 1 };
    const cc_variant *variant = cc_registry_find("conv2d", CC_FORWARD, "winograd_local_small");
    info->type = CAMCL_GPU;
    info->max_alloc = 1 << 30;
    for (size_t i = 0; i < CC_COUNT(cases); i++) {
        op_test t;
        cc_tensor io[3];
        op_begin(&t, devices[0]);
        snprintf(info->vendor, sizeof info->vendor, "%s", cases[i].vendor);
        info->cache = cases[i].cache;
        const size_t packed = variant->packed_bytes(info, &d) / sizeof(float);
        OK(&t, cc_tensor_on_tape(t.tape, "x", CC_F32, CC_DIMS(d.n, d.h, d.w, d.c), &io[0], &t.err));
        OK(&t, cc_tensor_on_tape(t.tape, "w", CC_F32, CC_DIMS(packed), &io[1], &t.err));
        OK(&t, cc_tensor_on_tape(t.tape, "y", CC_F32, CC_DIMS(d.n, d.h, d.w, d.k), &io[2], &t.err));
        OK(&t, variant->record(t.tape, &d, io, 3, false, &t.err));
        if (cc_tape_length(t.tape) != cases[i].launches)
            fail_msg("%s, %zu bytes: %zu launches", cases[i].vendor, cases[i].cache, cc_tape_length(t.tape));
        op_end(&t);
    }
    for (size_t i = 0; i < count; i++)
        camcl_device_close(&devices[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_is_covered),
        cmocka_unit_test(entries_are_complete_and_unique),
        cmocka_unit_test(rows_are_complete),
        cmocka_unit_test(costs_are_those_of_the_definition),
        cmocka_unit_test(shapes_divide_rows),
        cmocka_unit_test(mismatched_tensors_are_refused),
        cmocka_unit_test(outputs_stand_apart),
        cmocka_unit_test(every_variant_refuses_wrong_operands),
        cmocka_unit_test(winograd_tiles_fit_the_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
