/* Crop, resize back, quarter turns: the transform T of images and CAMs, and its transpose. Kernels in cl/warp.cl. */
#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/geometry.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "ops/variants.h"

/* io: {src, transforms, dst} or {ddst, transforms, dsrc}. One buffer may hold both, at different rows. */
static camcl_status check(const cc_warp_desc *d, const cc_tensor *io, size_t count, bool forward, camcl_error *err)
{
    const size_t image = d->size * d->size * d->c, src = (d->src_row0 + d->n) * image, dst = (d->dst_row0 + d->n) * image;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("warp", io, count, err, { forward ? "src" : "ddst", CC_F32, forward ? src : dst, CC_AT_LEAST },
                                          { "transforms", CC_I32, 8 * d->n, CC_AT_LEAST },
                                          { forward ? "dst" : "dsrc", CC_F32, forward ? dst : src, CC_AT_LEAST }));
    if (io[0].buffer == io[2].buffer && d->src_row0 < d->dst_row0 + d->n && d->dst_row0 < d->src_row0 + d->n)
        return cc_fail(err, CAMCL_FAILED, "warp: rows from %zu and from %zu of one tensor overlap (report this as a defect)", d->src_row0,
                       d->dst_row0);
    return CAMCL_OK;
}

static cc_launch launch_of(cc_tape *tape, const cc_warp_desc *d)
{
    const double floats = (double)d->n * (double)d->size * (double)d->size * (double)d->c;
    return (cc_launch){ .dims = 3, .global = { cc_row_items(tape, d->size), d->size, d->n }, .flops = 6.0 * floats, .bytes = 8.0 * floats };
}

/* io: {src, transforms, dst} */
static camcl_status forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_warp_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_op_check_no_add("warp", add, err));
    CC_RETURN_IF_FAILED(check(d, io, count, true, err));
    const cc_launch launch = launch_of(tape, d);
    cc_buffer *src = io[0].buffer, *dst = io[2].buffer;
    return CC_LAUNCH(tape, warp_forward, &launch, err, .src = CC_IN(src), .transforms = CC_IN(io[1].buffer),
                     .dst = src == dst ? CC_INOUT(dst) : CC_OUT(dst), .n = CC_INT(d->n), .size = CC_INT(d->size), .c = CC_INT(d->c),
                     .src_row0 = CC_INT(d->src_row0), .dst_row0 = CC_INT(d->dst_row0));
}

/* io: {ddst, transforms, dsrc(add)} */
static camcl_status backward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_warp_desc *d = desc;
    CC_RETURN_IF_FAILED(check(d, io, count, false, err));
    const cc_launch launch = launch_of(tape, d);
    cc_buffer *ddst = io[0].buffer, *dsrc = io[2].buffer;
    return CC_LAUNCH(tape, warp_backward, &launch, err, .ddst = CC_IN(ddst), .transforms = CC_IN(io[1].buffer),
                     .dsrc = add || ddst == dsrc ? CC_INOUT(dsrc) : CC_OUT(dsrc), .n = CC_INT(d->n), .size = CC_INT(d->size),
                     .c = CC_INT(d->c), .src_row0 = CC_INT(d->src_row0), .dst_row0 = CC_INT(d->dst_row0), .add = CC_INT(add));
}

static bool supports(const camcl_device_info *info, const void *desc)
{
    const cc_warp_desc *d = desc;
    (void)info;
    return d->size <= CC_MAX_SIDE && cc_fits_int(d->size, d->size, d->c) && cc_fits_int(d->n, 8, 1) &&
           cc_fits_int(d->src_row0 + d->n, 1, 1) && cc_fits_int(d->dst_row0 + d->n, 1, 1);
}

const cc_variant cc_warp_variants[] = {
    { .op = &cc_warp_operation, .direction = CC_FORWARD, .name = "general", .family = "", .supports = supports, .record = forward },
    { .op = &cc_warp_operation, .direction = CC_BACKWARD, .name = "general", .family = "", .supports = supports, .record = backward },
};
const size_t cc_warp_variant_count = CC_COUNT(cc_warp_variants);
CC_SMALL_OPERATION(warp, warp);

camcl_status cc_warp_forward(cc_tape *tape, const cc_warp_desc *desc, cc_tensor src, cc_tensor transforms, cc_tensor dst, camcl_error *err)
{
    return cc_op_record(tape, &cc_warp_operation, CC_FORWARD, desc, (const cc_tensor[]){ src, transforms, dst }, 3, false, err);
}

camcl_status cc_warp_backward(cc_tape *tape, const cc_warp_desc *desc, cc_tensor ddst, cc_tensor transforms, cc_tensor dsrc, bool add,
                              camcl_error *err)
{
    return cc_op_record(tape, &cc_warp_operation, CC_BACKWARD, desc, (const cc_tensor[]){ ddst, transforms, dsrc }, 3, add, err);
}
