/* Masked mean squared error between two batches of maps. Kernels in cl/masked_mse.cl. */
#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/geometry.h"
#include "ops/variants.h"

#define GROUP_LANES 128
#define GROUP_OPTIONS "-DWIDTH=1 -DLANES=128"

/* io: {a, b, mask, sums} */
static camcl_status forward(cc_tape *tape, const cc_masked_mse_desc *d, const cc_tensor *io, size_t count, size_t lanes,
                            const char *options, camcl_error *err)
{
    const size_t all = d->n * d->size;
    const double floats = (double)all;
    cc_tensor errors;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("masked_mse", io, count, err, { "a", CC_F32, all, CC_EXACT }, { "b", CC_F32, all, CC_EXACT },
                                          { "mask", CC_F32, d->n, CC_AT_LEAST }, { "sums", CC_F32, 4, CC_EXACT | CC_APART }));
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(tape, "masked_mse errors", CC_F32, CC_DIMS(d->n), &errors, err));
    const cc_launch images = {
        .options = options, .dims = 1, .global = { lanes * d->n }, .local = { lanes, 1, 1 }, .flops = 3.0 * floats, .bytes = 8.0 * floats
    };
    CC_RETURN_IF_FAILED(CC_LAUNCH(tape, masked_mse_forward_images, &images, err, .a = CC_IN(io[0].buffer), .b = CC_IN(io[1].buffer),
                                  .mask = CC_IN(io[2].buffer), .errors = CC_OUT(errors.buffer), .size = CC_INT(d->size)));
    const cc_launch sum = { .options = options, .dims = 1, .global = { lanes }, .local = { lanes, 1, 1 } };
    return CC_LAUNCH(tape, masked_mse_forward_sum, &sum, err, .errors = CC_IN(errors.buffer), .mask = CC_IN(io[2].buffer),
                     .sums = CC_OUT(io[3].buffer), .n = CC_INT(d->n));
}

static camcl_status forward_serial(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("masked_mse", add, err));
    return forward(tape, desc, io, count, 1, cc_vector_options(camcl_device_get_info(cc_tape_device(tape))), err);
}

static camcl_status forward_group(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("masked_mse", add, err));
    return forward(tape, desc, io, count, GROUP_LANES, GROUP_OPTIONS, err);
}

/* io: {a, b, mask, da, db or none} */
static camcl_status backward(cc_tape *tape, const cc_masked_mse_op *d, const cc_tensor *io, size_t count, size_t items, const char *options,
                             camcl_error *err)
{
    const size_t n = d->desc.n, size = d->desc.size;
    const double floats = (double)n * (double)size;
    const bool both = io[4].buffer != NULL;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("masked_mse", io, count, err, { "a", CC_F32, n * size, CC_EXACT },
                                          { "b", CC_F32, n * size, CC_EXACT }, { "mask", CC_F32, n, CC_AT_LEAST },
                                          { "da", CC_F32, n * size, CC_EXACT | CC_APART },
                                          { "db", CC_F32, n * size, CC_OPTIONAL | CC_APART }));
    CC_RETURN_IF_FAILED(cc_op_check_scalar("masked_mse", d->denominator, err));
    const cc_launch launch = {
        .options = options, .dims = 2, .global = { items, n }, .flops = 2.0 * floats, .bytes = (both ? 16.0 : 12.0) * floats
    };
    return CC_LAUNCH(tape, masked_mse_backward, &launch, err, .a = CC_IN(io[0].buffer), .b = CC_IN(io[1].buffer),
                     .mask = CC_IN(io[2].buffer), .denominators = CC_IN(d->denominator.buffer), .da = CC_OUT(io[3].buffer),
                     .db = CC_OUT(io[both ? 4 : 3].buffer), .n = CC_INT(n), .size = CC_INT(size), .index = CC_INT(d->denominator.index),
                     .scale = CC_FLOAT(d->scale), .both = CC_INT(both));
}

static camcl_status backward_serial(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("masked_mse", add, err));
    return backward(tape, desc, io, count, 1, cc_vector_options(camcl_device_get_info(cc_tape_device(tape))), err);
}

static camcl_status backward_group(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_masked_mse_op *d = desc;
    CC_RETURN_IF_FAILED(cc_op_check_no_add("masked_mse", add, err));
    return backward(tape, d, io, count, d->desc.size, GROUP_OPTIONS, err);
}

static bool supports_serial(const camcl_device_info *info, const void *desc)
{
    const cc_masked_mse_desc *d = desc;
    (void)info;
    return cc_fits_int(d->size, 1, 1) && cc_fits_int(d->n, 1, 1);
}

static bool supports_group(const camcl_device_info *info, const void *desc)
{
    return supports_serial(info, desc) && info->max_work_group >= GROUP_LANES;
}

static bool supports_backward_serial(const camcl_device_info *info, const void *desc)
{
    const cc_masked_mse_op *d = desc;
    return supports_serial(info, &d->desc);
}

static bool supports_backward_group(const camcl_device_info *info, const void *desc)
{
    const cc_masked_mse_op *d = desc;
    return supports_group(info, &d->desc);
}

enum { FORWARD_SERIAL, FORWARD_GROUP, BACKWARD_SERIAL, BACKWARD_GROUP };
const cc_variant cc_masked_mse_variants[] = {
    [FORWARD_SERIAL] = { .op = &cc_masked_mse_operation,
                         .direction = CC_FORWARD,
                         .name = "general",
                         .family = "",
                         .supports = supports_serial,
                         .record = forward_serial },
    [FORWARD_GROUP] = { .op = &cc_masked_mse_operation,
                        .direction = CC_FORWARD,
                        .name = "group",
                        .family = "",
                        .supports = supports_group,
                        .record = forward_group },
    [BACKWARD_SERIAL] = { .op = &cc_masked_mse_operation,
                          .direction = CC_BACKWARD,
                          .name = "general",
                          .family = "",
                          .supports = supports_backward_serial,
                          .record = backward_serial },
    [BACKWARD_GROUP] = { .op = &cc_masked_mse_operation,
                         .direction = CC_BACKWARD,
                         .name = "group",
                         .family = "",
                         .supports = supports_backward_group,
                         .record = backward_group },
};
const size_t cc_masked_mse_variant_count = CC_COUNT(cc_masked_mse_variants);
CC_SMALL_OPERATION(masked_mse, masked_mse);

camcl_status cc_masked_mse_forward(cc_tape *tape, const cc_masked_mse_desc *desc, cc_tensor a, cc_tensor b, cc_tensor mask, cc_tensor sums,
                                   camcl_error *err)
{
    return cc_record_serial_or_group(tape, &cc_masked_mse_variants[FORWARD_SERIAL], &cc_masked_mse_variants[FORWARD_GROUP], desc,
                                     (const cc_tensor[]){ a, b, mask, sums }, 4, false, err);
}

camcl_status cc_masked_mse_backward(cc_tape *tape, const cc_masked_mse_desc *desc, cc_tensor a, cc_tensor b, cc_tensor mask, float scale,
                                    cc_device_scalar denominator, cc_tensor da, cc_tensor db, camcl_error *err)
{
    const cc_masked_mse_op op = { *desc, scale, denominator };
    return cc_record_serial_or_group(tape, &cc_masked_mse_variants[BACKWARD_SERIAL], &cc_masked_mse_variants[BACKWARD_GROUP], &op,
                                     (const cc_tensor[]){ a, b, mask, da, db }, 5, false, err);
}
