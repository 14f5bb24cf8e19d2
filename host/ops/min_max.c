/* Min-max normalisation of each image, and its gradient. Kernels in cl/min_max.cl. */
#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/geometry.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "ops/variants.h"

#define GROUP_LANES 128
#define GROUP_OPTIONS "-DWIDTH=1 -DLANES=128"

/* io: {x, y, range} */
static camcl_status forward(cc_tape *tape, const cc_min_max_desc *d, const cc_tensor *io, size_t count, size_t lanes, const char *options,
                            camcl_error *err)
{
    const size_t all = d->n * d->size;
    const double floats = (double)all;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("min_max", io, count, err, { "x", CC_F32, all, CC_EXACT },
                                          { "y", CC_F32, all, CC_EXACT | CC_APART }, { "range", CC_F32, 4 * d->n, CC_EXACT | CC_APART }));
    const cc_launch launch = {
        .options = options, .dims = 1, .global = { lanes * d->n }, .local = { lanes, 1, 1 }, .flops = 4.0 * floats, .bytes = 12.0 * floats
    };
    return CC_LAUNCH(tape, min_max_forward, &launch, err, .x = CC_IN(io[0].buffer), .y = CC_OUT(io[1].buffer),
                     .range = CC_OUT(io[2].buffer), .size = CC_INT(d->size));
}

static camcl_status forward_serial(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("min_max", add, err));
    return forward(tape, desc, io, count, 1, cc_vector_options(camcl_device_get_info(cc_tape_device(tape))), err);
}

static camcl_status forward_group(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("min_max", add, err));
    return forward(tape, desc, io, count, GROUP_LANES, GROUP_OPTIONS, err);
}

/* io: {x, y, range, dy, dx} */
static camcl_status backward(cc_tape *tape, const cc_min_max_desc *d, const cc_tensor *io, size_t count, size_t lanes, const char *options,
                             camcl_error *err)
{
    const size_t all = d->n * d->size;
    const double floats = (double)all;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("min_max", io, count, err, { "x", CC_F32, all, CC_EXACT }, { "y", CC_F32, all, CC_EXACT },
                                          { "range", CC_F32, 4 * d->n, CC_EXACT }, { "dy", CC_F32, all, CC_EXACT },
                                          { "dx", CC_F32, all, CC_EXACT | CC_APART }));
    const cc_launch launch = {
        .options = options, .dims = 1, .global = { lanes * d->n }, .local = { lanes, 1, 1 }, .flops = 8.0 * floats, .bytes = 20.0 * floats
    };
    return CC_LAUNCH(tape, min_max_backward, &launch, err, .x = CC_IN(io[0].buffer), .y = CC_IN(io[1].buffer), .range = CC_IN(io[2].buffer),
                     .dy = CC_IN(io[3].buffer), .dx = CC_OUT(io[4].buffer), .size = CC_INT(d->size));
}

static camcl_status backward_serial(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("min_max", add, err));
    return backward(tape, desc, io, count, 1, cc_vector_options(camcl_device_get_info(cc_tape_device(tape))), err);
}

static camcl_status backward_group(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("min_max", add, err));
    return backward(tape, desc, io, count, GROUP_LANES, GROUP_OPTIONS, err);
}

/* Ties are counted in float32, exact up to 2^24. */
static bool supports_serial(const camcl_device_info *info, const void *desc)
{
    const cc_min_max_desc *d = desc;
    (void)info;
    return d->size <= (size_t)1 << 24 && cc_fits_int(d->n, 4, 1);
}

static bool supports_group(const camcl_device_info *info, const void *desc)
{
    return supports_serial(info, desc) && info->max_work_group >= GROUP_LANES;
}

enum { FORWARD_SERIAL, FORWARD_GROUP, BACKWARD_SERIAL, BACKWARD_GROUP };
const cc_variant cc_min_max_variants[] = {
    [FORWARD_SERIAL] = { .op = &cc_min_max_operation,
                         .direction = CC_FORWARD,
                         .name = "general",
                         .family = "",
                         .supports = supports_serial,
                         .record = forward_serial },
    [FORWARD_GROUP] = { .op = &cc_min_max_operation,
                        .direction = CC_FORWARD,
                        .name = "group",
                        .family = "",
                        .supports = supports_group,
                        .record = forward_group },
    [BACKWARD_SERIAL] = { .op = &cc_min_max_operation,
                          .direction = CC_BACKWARD,
                          .name = "general",
                          .family = "",
                          .supports = supports_serial,
                          .record = backward_serial },
    [BACKWARD_GROUP] = { .op = &cc_min_max_operation,
                         .direction = CC_BACKWARD,
                         .name = "group",
                         .family = "",
                         .supports = supports_group,
                         .record = backward_group },
};
const size_t cc_min_max_variant_count = CC_COUNT(cc_min_max_variants);
CC_SMALL_OPERATION(min_max, min_max);

camcl_status cc_min_max_forward(cc_tape *tape, const cc_min_max_desc *desc, cc_tensor x, cc_tensor y, cc_tensor range, camcl_error *err)
{
    return cc_record_serial_or_group(tape, &cc_min_max_variants[FORWARD_SERIAL], &cc_min_max_variants[FORWARD_GROUP], desc,
                                     (const cc_tensor[]){ x, y, range }, 3, false, err);
}

camcl_status cc_min_max_backward(cc_tape *tape, const cc_min_max_desc *desc, cc_tensor x, cc_tensor y, cc_tensor range, cc_tensor dy,
                                 cc_tensor dx, camcl_error *err)
{
    return cc_record_serial_or_group(tape, &cc_min_max_variants[BACKWARD_SERIAL], &cc_min_max_variants[BACKWARD_GROUP], desc,
                                     (const cc_tensor[]){ x, y, range, dy, dx }, 5, false, err);
}
