/* Bilinear resize with aligned corners, and its transpose. Kernels in cl/resize.cl. */
#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/geometry.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "ops/variants.h"

/* io: {x, y} */
static camcl_status forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_resize_desc *d = desc;
    const double out = (double)d->n * (double)d->p * (double)d->q * (double)d->c;
    CC_RETURN_IF_FAILED(cc_op_check_no_add("resize", add, err));
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("resize", io, count, err, { "x", CC_F32, d->n * d->h * d->w * d->c, CC_EXACT },
                                          { "y", CC_F32, d->n * d->p * d->q * d->c, CC_EXACT | CC_APART }));
    const cc_launch launch = {
        .dims = 3, .global = { cc_row_items(tape, d->q * d->c), d->p, d->n }, .flops = 6.0 * out, .bytes = 8.0 * out
    };
    return CC_LAUNCH(tape, resize_forward, &launch, err, .x = CC_IN(io[0].buffer), .y = CC_OUT(io[1].buffer), .n = CC_INT(d->n),
                     .h = CC_INT(d->h), .w = CC_INT(d->w), .c = CC_INT(d->c), .p = CC_INT(d->p), .q = CC_INT(d->q));
}

/* io: {dy, dx(add)} */
static camcl_status backward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_resize_desc *d = desc;
    const double out = (double)d->n * (double)d->p * (double)d->q * (double)d->c,
                 between = (double)d->n * (double)d->p * (double)d->w * (double)d->c;
    cc_tensor t;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("resize", io, count, err, { "dy", CC_F32, d->n * d->p * d->q * d->c, CC_EXACT },
                                          { "dx", CC_F32, d->n * d->h * d->w * d->c, CC_EXACT | CC_APART }));
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(tape, "resize columns", CC_F32, CC_DIMS(d->n, d->p, d->w, d->c), &t, err));
    const cc_launch columns = {
        .dims = 3, .global = { cc_row_items(tape, d->w * d->c), d->p, d->n }, .flops = 4.0 * out, .bytes = 4.0 * (out + between)
    };
    CC_RETURN_IF_FAILED(CC_LAUNCH(tape, resize_backward_columns, &columns, err, .dy = CC_IN(io[0].buffer), .t = CC_OUT(t.buffer),
                                  .n = CC_INT(d->n), .w = CC_INT(d->w), .c = CC_INT(d->c), .p = CC_INT(d->p), .q = CC_INT(d->q)));
    const cc_launch rows = {
        .dims = 3, .global = { cc_row_items(tape, d->w * d->c), d->h, d->n }, .flops = 4.0 * between, .bytes = 4.0 * between
    };
    return CC_LAUNCH(tape, resize_backward_rows, &rows, err, .t = CC_IN(t.buffer),
                     .dx = add ? CC_INOUT(io[1].buffer) : CC_OUT(io[1].buffer), .n = CC_INT(d->n), .h = CC_INT(d->h), .w = CC_INT(d->w),
                     .c = CC_INT(d->c), .p = CC_INT(d->p), .add = CC_INT(add));
}

static bool supports(const camcl_device_info *info, const void *desc)
{
    const cc_resize_desc *d = desc;
    (void)info;
    return d->h <= CC_MAX_SIDE && d->w <= CC_MAX_SIDE && d->p <= CC_MAX_SIDE && d->q <= CC_MAX_SIDE && cc_fits_int(d->n, 1, 1) &&
           cc_fits_int(d->h, d->w, d->c) && cc_fits_int(d->p, d->q, d->c);
}

const cc_variant cc_resize_variants[] = {
    { .op = &cc_resize_operation, .direction = CC_FORWARD, .name = "general", .family = "", .supports = supports, .record = forward },
    { .op = &cc_resize_operation, .direction = CC_BACKWARD, .name = "general", .family = "", .supports = supports, .record = backward },
};
const size_t cc_resize_variant_count = CC_COUNT(cc_resize_variants);
CC_SMALL_OPERATION(resize, resize);

camcl_status cc_resize_forward(cc_tape *tape, const cc_resize_desc *desc, cc_tensor x, cc_tensor y, camcl_error *err)
{
    return cc_op_record(tape, &cc_resize_operation, CC_FORWARD, desc, (const cc_tensor[]){ x, y }, 2, false, err);
}

camcl_status cc_resize_backward(cc_tape *tape, const cc_resize_desc *desc, cc_tensor dy, cc_tensor dx, bool add, camcl_error *err)
{
    return cc_op_record(tape, &cc_resize_operation, CC_BACKWARD, desc, (const cc_tensor[]){ dy, dx }, 2, add, err);
}
