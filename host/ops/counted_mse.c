/* Mean squared error between two batches of maps, over the pixels that count. Kernels in cl/counted_mse.cl; cl/masked_mse.cl adds up the
 * images. */
#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/geometry.h"
#include "ops/variants.h"

#define GROUP_LANES 128
#define GROUP_OPTIONS "-DWIDTH=1 -DLANES=128"

_Static_assert(sizeof(cc_counted_row) == 4 * sizeof(int32_t), "the device's table of rows has no gaps");

/* Those of masked_mse, so that its program is not compiled twice. */
static const char *serial_options(const cc_tape *tape) { return cc_vector_options(camcl_device_get_info(cc_tape_device(tape))); }

/* io: {a, b, mask, maps, rows, sums} */
static camcl_status forward(cc_tape *tape, const cc_affine_warp_desc *d, const cc_tensor *io, size_t count, size_t lanes,
                            const char *options, camcl_error *err)
{
    const size_t all = d->n * d->size * d->size;
    const double floats = (double)all;
    cc_tensor errors;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("counted_mse", io, count, err, { "a", CC_F32, all, CC_EXACT }, { "b", CC_F32, all, CC_EXACT },
                                          { "mask", CC_F32, d->n, CC_AT_LEAST }, { "maps", CC_F32, CC_AFFINE_FLOATS * d->n, CC_AT_LEAST },
                                          { "rows", CC_I32, 4 * d->n * d->size, CC_AT_LEAST }, { "sums", CC_F32, 4, CC_EXACT | CC_APART }));
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(tape, "counted_mse errors", CC_F32, CC_DIMS(d->n), &errors, err));
    const cc_launch images = {
        .options = options, .dims = 1, .global = { lanes * d->n }, .local = { lanes, 1, 1 }, .flops = 3.0 * floats, .bytes = 8.0 * floats
    };
    CC_RETURN_IF_FAILED(CC_LAUNCH(tape, counted_mse_forward_images, &images, err, .a = CC_IN(io[0].buffer), .b = CC_IN(io[1].buffer),
                                  .mask = CC_IN(io[2].buffer), .maps = CC_IN(io[3].buffer), .rows = CC_IN(io[4].buffer),
                                  .errors = CC_OUT(errors.buffer), .size = CC_INT(d->size)));
    const cc_launch sum = { .options = options, .dims = 1, .global = { lanes }, .local = { lanes, 1, 1 } };
    return CC_LAUNCH(tape, masked_mse_forward_sum, &sum, err, .errors = CC_IN(errors.buffer), .mask = CC_IN(io[2].buffer),
                     .sums = CC_OUT(io[5].buffer), .n = CC_INT(d->n));
}

static camcl_status forward_serial(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("counted_mse", add, err));
    return forward(tape, desc, io, count, 1, serial_options(tape), err);
}

static camcl_status forward_group(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("counted_mse", add, err));
    return forward(tape, desc, io, count, GROUP_LANES, GROUP_OPTIONS, err);
}

/* io: {a, b, mask, maps, rows, da, db or none} */
static camcl_status backward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_counted_mse_op *d = desc;
    const size_t n = d->desc.n, size = d->desc.size, all = n * size * size, items = cc_row_items(tape, size * size);
    const bool both = io[6].buffer != NULL;
    CC_RETURN_IF_FAILED(cc_op_check_no_add("counted_mse", add, err));
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("counted_mse", io, count, err, { "a", CC_F32, all, CC_EXACT }, { "b", CC_F32, all, CC_EXACT },
                                          { "mask", CC_F32, n, CC_AT_LEAST }, { "maps", CC_F32, CC_AFFINE_FLOATS * n, CC_AT_LEAST },
                                          { "rows", CC_I32, 4 * n * size, CC_AT_LEAST }, { "da", CC_F32, all, CC_EXACT | CC_APART },
                                          { "db", CC_F32, all, CC_OPTIONAL | CC_APART }));
    CC_RETURN_IF_FAILED(cc_op_check_scalar("counted_mse", d->denominator, err));
    const cc_launch launch = { .options = serial_options(tape),
                               .dims = 2,
                               .global = { items, n },
                               .flops = 2.0 * (double)all,
                               .bytes = (both ? 16.0 : 12.0) * (double)all };
    return CC_LAUNCH(tape, counted_mse_backward, &launch, err, .a = CC_IN(io[0].buffer), .b = CC_IN(io[1].buffer),
                     .mask = CC_IN(io[2].buffer), .maps = CC_IN(io[3].buffer), .rows = CC_IN(io[4].buffer),
                     .denominators = CC_IN(d->denominator.buffer), .da = CC_OUT(io[5].buffer), .db = CC_OUT(io[both ? 6 : 5].buffer),
                     .n = CC_INT(n), .size = CC_INT(size), .index = CC_INT(d->denominator.index), .scale = CC_FLOAT(d->scale),
                     .both = CC_INT(both));
}

static bool supports_serial(const camcl_device_info *info, const void *desc)
{
    const cc_affine_warp_desc *d = desc;
    (void)info;
    return cc_fits_int(d->size, d->size, 1) && cc_fits_int(d->n, CC_AFFINE_FLOATS, 1);
}

static bool supports_group(const camcl_device_info *info, const void *desc)
{
    return supports_serial(info, desc) && info->max_work_group >= GROUP_LANES;
}

static bool supports_backward(const camcl_device_info *info, const void *desc)
{
    const cc_counted_mse_op *d = desc;
    return supports_serial(info, &d->desc);
}

enum { FORWARD_SERIAL, FORWARD_GROUP, BACKWARD };
const cc_variant cc_counted_mse_variants[] = {
    [FORWARD_SERIAL] = { .op = &cc_counted_mse_operation,
                         .direction = CC_FORWARD,
                         .name = "general",
                         .family = "",
                         .supports = supports_serial,
                         .record = forward_serial },
    [FORWARD_GROUP] = { .op = &cc_counted_mse_operation,
                        .direction = CC_FORWARD,
                        .name = "group",
                        .family = "",
                        .supports = supports_group,
                        .record = forward_group },
    [BACKWARD] = { .op = &cc_counted_mse_operation,
                   .direction = CC_BACKWARD,
                   .name = "general",
                   .family = "",
                   .supports = supports_backward,
                   .record = backward },
};
const size_t cc_counted_mse_variant_count = CC_COUNT(cc_counted_mse_variants);
CC_SMALL_OPERATION(counted_mse, counted_mse);

camcl_status cc_counted_mse_forward(cc_tape *tape, const cc_affine_warp_desc *desc, cc_tensor a, cc_tensor b, cc_tensor mask,
                                    cc_tensor maps, cc_tensor rows, cc_tensor sums, camcl_error *err)
{
    return cc_record_serial_or_group(tape, &cc_counted_mse_variants[FORWARD_SERIAL], &cc_counted_mse_variants[FORWARD_GROUP], desc,
                                     (const cc_tensor[]){ a, b, mask, maps, rows, sums }, 6, false, err);
}

camcl_status cc_counted_mse_backward(cc_tape *tape, const cc_affine_warp_desc *desc, cc_tensor a, cc_tensor b, cc_tensor mask,
                                     cc_tensor maps, cc_tensor rows, float scale, cc_device_scalar denominator, cc_tensor da, cc_tensor db,
                                     camcl_error *err)
{
    const cc_counted_mse_op op = { *desc, scale, denominator };
    return cc_op_record(tape, &cc_counted_mse_operation, CC_BACKWARD, &op, (const cc_tensor[]){ a, b, mask, maps, rows, da, db }, 7, false,
                        err);
}
