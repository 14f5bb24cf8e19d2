/* T as an affine map, and its transpose. Kernels in cl/affine_warp.cl. */
#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/geometry.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "ops/variants.h"

_Static_assert(sizeof(cc_affine) == CC_AFFINE_FLOATS * sizeof(float), "the device's table of maps has no gaps");

/* io: {in, maps, out}, in and out [n,S,S]. */
static camcl_status check(const cc_affine_warp_desc *d, const cc_tensor *io, size_t count, camcl_error *err)
{
    const size_t all = d->n * d->size * d->size;
    return CC_CHECK_OPERANDS("affine_warp", io, count, err, { "input", CC_F32, all, CC_EXACT },
                             { "maps", CC_F32, CC_AFFINE_FLOATS * d->n, CC_AT_LEAST }, { "output", CC_F32, all, CC_EXACT | CC_APART });
}

static cc_launch launch_of(cc_tape *tape, const cc_affine_warp_desc *d)
{
    const double floats = (double)d->n * (double)d->size * (double)d->size;
    return (
        cc_launch){ .dims = 3, .global = { cc_row_items(tape, d->size), d->size, d->n }, .flops = 14.0 * floats, .bytes = 8.0 * floats };
}

static camcl_status forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_affine_warp_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_op_check_no_add("affine_warp", add, err));
    CC_RETURN_IF_FAILED(check(d, io, count, err));
    const cc_launch launch = launch_of(tape, d);
    return CC_LAUNCH(tape, affine_warp_forward, &launch, err, .src = CC_IN(io[0].buffer), .maps = CC_IN(io[1].buffer),
                     .dst = CC_OUT(io[2].buffer), .n = CC_INT(d->n), .size = CC_INT(d->size));
}

static camcl_status backward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_affine_warp_desc *d = desc;
    CC_RETURN_IF_FAILED(check(d, io, count, err));
    const cc_launch launch = launch_of(tape, d);
    return CC_LAUNCH(tape, affine_warp_backward, &launch, err, .ddst = CC_IN(io[0].buffer), .maps = CC_IN(io[1].buffer),
                     .dsrc = add ? CC_INOUT(io[2].buffer) : CC_OUT(io[2].buffer), .n = CC_INT(d->n), .size = CC_INT(d->size),
                     .add = CC_INT(add));
}

static bool supports(const camcl_device_info *info, const void *desc)
{
    const cc_affine_warp_desc *d = desc;
    (void)info;
    return d->size <= CC_MAX_SIDE && cc_fits_int(d->size, d->size, 1) && cc_fits_int(d->n, CC_AFFINE_FLOATS, 1);
}

const cc_variant cc_affine_warp_variants[] = {
    { .op = &cc_affine_warp_operation, .direction = CC_FORWARD, .name = "general", .family = "", .supports = supports, .record = forward },
    { .op = &cc_affine_warp_operation,
      .direction = CC_BACKWARD,
      .name = "general",
      .family = "",
      .supports = supports,
      .record = backward },
};
const size_t cc_affine_warp_variant_count = CC_COUNT(cc_affine_warp_variants);
CC_SMALL_OPERATION(affine_warp, affine_warp);

camcl_status cc_affine_warp_forward(cc_tape *tape, const cc_affine_warp_desc *desc, cc_tensor src, cc_tensor maps, cc_tensor dst,
                                    camcl_error *err)
{
    return cc_op_record(tape, &cc_affine_warp_operation, CC_FORWARD, desc, (const cc_tensor[]){ src, maps, dst }, 3, false, err);
}

camcl_status cc_affine_warp_backward(cc_tape *tape, const cc_affine_warp_desc *desc, cc_tensor ddst, cc_tensor maps, cc_tensor dsrc,
                                     bool add, camcl_error *err)
{
    return cc_op_record(tape, &cc_affine_warp_operation, CC_BACKWARD, desc, (const cc_tensor[]){ ddst, maps, dsrc }, 3, add, err);
}
