/* Max, average and global average pooling. */
#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/record.h"
#include "ops/variants.h"

size_t cc_pool_out_h(const cc_pool_desc *desc) { return (desc->h + 2 * desc->pad - desc->window) / desc->stride + 1; }
size_t cc_pool_out_w(const cc_pool_desc *desc) { return (desc->w + 2 * desc->pad - desc->window) / desc->stride + 1; }

/* A launch over `pixels` of rows of c floats, and the two numbers that tell a kernel what its work-items have. */
typedef struct rows_launch {
    cc_launch launch;
    cc_arg each, span;
} rows_launch;

static rows_launch over_pixels(cc_tape *tape, size_t pixels, size_t c, double floats)
{
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const cc_shape shape = cc_row_shape(info, c);
    const size_t span = cc_likes_long_items(info) ? c : shape.width;
    const cc_work_split split = cc_split_work(info, pixels, cc_ceil_div(1024, c));
    return (rows_launch){ .launch = { .options = shape.options, .dims = 1, .global = { split.items * (c / span) }, .bytes = 4.0 * floats },
                          .each = CC_INT(split.each),
                          .span = CC_INT(span) };
}

static camcl_status check_window(const cc_pool_desc *d, camcl_error *err)
{
    if (d->window == 0 || d->stride == 0 || 2 * d->pad > d->window || d->h + 2 * d->pad < d->window || d->w + 2 * d->pad < d->window)
        return cc_fail(err, CAMCL_UNSUPPORTED, "pooling: window %zu, stride %zu, padding %zu on %zux%zu (use larger images)", d->window,
                       d->stride, d->pad, d->h, d->w);
    return CAMCL_OK;
}

/* The sizes that all kernels with windows take; `l`: their rows_launch. */
#define WINDOW_ARGS(desc, out_h, out_w, l)                                                                                                 \
    .n = CC_INT((desc)->n), .h = CC_INT((desc)->h), .w = CC_INT((desc)->w), .c = CC_INT((desc)->c), .p = CC_INT(out_h),                    \
    .q = CC_INT(out_w), .window = CC_INT((desc)->window), .stride = CC_INT((desc)->stride), .pad = CC_INT((desc)->pad), .each = (l).each,  \
    .span = (l).span

static camcl_status window_forward(cc_tape *tape, bool max, const cc_pool_desc *d, const cc_tensor *io, size_t count, camcl_error *err)
{
    CC_RETURN_IF_FAILED(check_window(d, err));
    const size_t p = cc_pool_out_h(d), q = cc_pool_out_w(d), inputs = d->n * d->h * d->w, outputs = d->n * p * q;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS(max ? "max_pool" : "average_pool", io, count, err, { "x", CC_F32, inputs * d->c, CC_EXACT },
                                          { "y", CC_F32, outputs * d->c, CC_EXACT | CC_APART }));
    const rows_launch l = over_pixels(tape, outputs, d->c, (double)(inputs + outputs) * (double)d->c);
    const cc_arg x = CC_IN(io[0].buffer), y = CC_OUT(io[1].buffer);
    if (max) return CC_LAUNCH(tape, max_pool_forward, &l.launch, err, .x = x, .y = y, WINDOW_ARGS(d, p, q, l));
    return CC_LAUNCH(tape, average_pool_forward, &l.launch, err, .x = x, .y = y, WINDOW_ARGS(d, p, q, l));
}

static camcl_status max_forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("max_pool", add, err));
    return window_forward(tape, true, desc, io, count, err);
}

static camcl_status average_forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("average_pool", add, err));
    return window_forward(tape, false, desc, io, count, err);
}

static camcl_status max_backward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_pool_desc *d = desc;
    CC_RETURN_IF_FAILED(check_window(d, err));
    const size_t p = cc_pool_out_h(d), q = cc_pool_out_w(d), inputs = d->n * d->h * d->w, outputs = d->n * p * q;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("max_pool", io, count, err, { "x", CC_F32, inputs * d->c, CC_EXACT },
                                          { "y", CC_F32, outputs * d->c, CC_EXACT }, { "dy", CC_F32, outputs * d->c, CC_EXACT },
                                          { "dx", CC_F32, inputs * d->c, CC_EXACT | CC_APART }));
    const rows_launch l = over_pixels(tape, inputs, d->c, 2.0 * (double)(inputs + outputs) * (double)d->c);
    cc_buffer *dx = io[3].buffer;
    return CC_LAUNCH(tape, max_pool_backward, &l.launch, err, .x = CC_IN(io[0].buffer), .y = CC_IN(io[1].buffer), .dy = CC_IN(io[2].buffer),
                     .dx = add ? CC_INOUT(dx) : CC_OUT(dx), WINDOW_ARGS(d, p, q, l), .add = CC_INT(add));
}

static camcl_status average_backward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_pool_desc *d = desc;
    CC_RETURN_IF_FAILED(check_window(d, err));
    const size_t p = cc_pool_out_h(d), q = cc_pool_out_w(d), inputs = d->n * d->h * d->w, outputs = d->n * p * q;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("average_pool", io, count, err, { "dy", CC_F32, outputs * d->c, CC_EXACT },
                                          { "dx", CC_F32, inputs * d->c, CC_EXACT | CC_APART }));
    const rows_launch l = over_pixels(tape, inputs, d->c, (double)(inputs + outputs) * (double)d->c);
    cc_buffer *dx = io[1].buffer;
    return CC_LAUNCH(tape, average_pool_backward, &l.launch, err, .dy = CC_IN(io[0].buffer), .dx = add ? CC_INOUT(dx) : CC_OUT(dx),
                     WINDOW_ARGS(d, p, q, l), .add = CC_INT(add));
}

static camcl_status global_forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("global_average_pool", add, err));
    const cc_pool_desc *d = desc;
    const size_t pixels = d->h * d->w;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("global_average_pool", io, count, err, { "x", CC_F32, d->n * pixels * d->c, CC_EXACT },
                                          { "y", CC_F32, d->n * d->c, CC_EXACT | CC_APART }));
    const rows_launch l = over_pixels(tape, d->n, d->c, (double)d->n * (double)(pixels + 1) * (double)d->c);
    return CC_LAUNCH(tape, global_average_pool_forward, &l.launch, err, .x = CC_IN(io[0].buffer), .y = CC_OUT(io[1].buffer),
                     .n = CC_INT(d->n), .pixels = CC_INT(pixels), .c = CC_INT(d->c), .each = l.each, .span = l.span);
}

static camcl_status global_backward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_pool_desc *d = desc;
    const size_t pixels = d->h * d->w;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("global_average_pool", io, count, err, { "dy", CC_F32, d->n * d->c, CC_EXACT },
                                          { "dx", CC_F32, d->n * pixels * d->c, CC_EXACT | CC_APART }));
    const rows_launch l = over_pixels(tape, d->n * pixels, d->c, (double)d->n * (double)(pixels + 1) * (double)d->c);
    cc_buffer *dx = io[1].buffer;
    return CC_LAUNCH(tape, global_average_pool_backward, &l.launch, err, .dy = CC_IN(io[0].buffer), .dx = add ? CC_INOUT(dx) : CC_OUT(dx),
                     .n = CC_INT(d->n), .pixels = CC_INT(pixels), .c = CC_INT(d->c), .each = l.each, .span = l.span, .add = CC_INT(add));
}

const cc_variant cc_pool_variants[] = {
    { .op = &cc_max_pool_operation,
      .direction = CC_FORWARD,
      .name = "rows",
      .family = "",
      .supports = cc_supports_all,
      .record = max_forward },
    { .op = &cc_max_pool_operation,
      .direction = CC_BACKWARD,
      .name = "rows",
      .family = "",
      .supports = cc_supports_all,
      .record = max_backward },
    { .op = &cc_average_pool_operation,
      .direction = CC_FORWARD,
      .name = "rows",
      .family = "",
      .supports = cc_supports_all,
      .record = average_forward },
    { .op = &cc_average_pool_operation,
      .direction = CC_BACKWARD,
      .name = "rows",
      .family = "",
      .supports = cc_supports_all,
      .record = average_backward },
    { .op = &cc_global_average_pool_operation,
      .direction = CC_FORWARD,
      .name = "rows",
      .family = "",
      .supports = cc_supports_all,
      .record = global_forward },
    { .op = &cc_global_average_pool_operation,
      .direction = CC_BACKWARD,
      .name = "rows",
      .family = "",
      .supports = cc_supports_all,
      .record = global_backward },
};
const size_t cc_pool_variant_count = CC_COUNT(cc_pool_variants);
CC_SMALL_OPERATION(max_pool, pool);
CC_SMALL_OPERATION(average_pool, pool);
CC_SMALL_OPERATION(global_average_pool, pool);

camcl_status cc_max_pool_forward(cc_tape *tape, const cc_pool_desc *desc, cc_tensor x, cc_tensor y, camcl_error *err)
{
    return cc_op_record(tape, &cc_max_pool_operation, CC_FORWARD, desc, (const cc_tensor[]){ x, y }, 2, false, err);
}

camcl_status cc_max_pool_backward(cc_tape *tape, const cc_pool_desc *desc, cc_tensor x, cc_tensor y, cc_tensor dy, cc_tensor dx, bool add,
                                  camcl_error *err)
{
    return cc_op_record(tape, &cc_max_pool_operation, CC_BACKWARD, desc, (const cc_tensor[]){ x, y, dy, dx }, 4, add, err);
}

camcl_status cc_average_pool_forward(cc_tape *tape, const cc_pool_desc *desc, cc_tensor x, cc_tensor y, camcl_error *err)
{
    return cc_op_record(tape, &cc_average_pool_operation, CC_FORWARD, desc, (const cc_tensor[]){ x, y }, 2, false, err);
}

camcl_status cc_average_pool_backward(cc_tape *tape, const cc_pool_desc *desc, cc_tensor dy, cc_tensor dx, bool add, camcl_error *err)
{
    return cc_op_record(tape, &cc_average_pool_operation, CC_BACKWARD, desc, (const cc_tensor[]){ dy, dx }, 2, add, err);
}

camcl_status cc_global_average_pool_forward(cc_tape *tape, const cc_pool_desc *desc, cc_tensor x, cc_tensor y, camcl_error *err)
{
    return cc_op_record(tape, &cc_global_average_pool_operation, CC_FORWARD, desc, (const cc_tensor[]){ x, y }, 2, false, err);
}

camcl_status cc_global_average_pool_backward(cc_tape *tape, const cc_pool_desc *desc, cc_tensor dy, cc_tensor dx, bool add,
                                             camcl_error *err)
{
    return cc_op_record(tape, &cc_global_average_pool_operation, CC_BACKWARD, desc, (const cc_tensor[]){ dy, dx }, 2, add, err);
}
