/* Addition with activation. */
#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/record.h"
#include "ops/variants.h"

enum { GRAIN = 256 };          /* vectors that are worth a work-item of their own */
enum { NONE, OVERWRITE, ADD }; /* what the kernels do with an output */

/* If the derivative of the activation needs x, there may be one operand only, which is x. The sum of two operands is not kept. */
static camcl_status check_activation(const cc_pointwise_desc *d, const cc_buffer *second, camcl_error *err)
{
    if (second && cc_activation_needs(d->activation) == CC_NEEDS_X)
        return cc_fail(err, CAMCL_UNSUPPORTED,
                       "add: the derivative of %s needs the sum of two operands, which is not kept (activate the sum "
                       "in an operation of its own)",
                       cc_activation_get(d->activation)->name);
    return CAMCL_OK;
}

static cc_launch flat(cc_tape *tape, const cc_pointwise_desc *d, unsigned passes, char options[CC_ACTIVATION_OPTIONS], size_t *each)
{
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const cc_shape shape = cc_row_shape(info, 16);
    const cc_work_split split = cc_split_work(info, cc_max_size(d->count / shape.width, 1), GRAIN);
    *each = split.each;
    return (cc_launch){ .options = cc_activation_options(d->activation, shape.options, options),
                        .dims = 1,
                        .global = { split.items },
                        .flops = (double)d->count,
                        .bytes = 4.0 * passes * (double)d->count };
}

static camcl_status forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("add", add, err));
    const cc_pointwise_desc *d = &((const cc_add_op *)desc)->desc;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("add", io, count, err, { "a", CC_F32, d->count, CC_EXACT },
                                          { "b", CC_F32, d->count, CC_OPTIONAL }, { "y", CC_F32, d->count, CC_EXACT }));
    cc_buffer *a = io[0].buffer, *b = io[1].buffer;
    char options[CC_ACTIVATION_OPTIONS];
    size_t each;
    CC_RETURN_IF_FAILED(check_activation(d, b, err));
    const cc_launch l = flat(tape, d, b ? 3 : 2, options, &each);
    return CC_LAUNCH(tape, add_forward, &l, err, .a = CC_IN(a), .b = CC_IN(b ? b : a), .y = CC_OUT(io[2].buffer), .count = CC_INT(d->count),
                     .each = CC_INT(each), .slope = CC_FLOAT(cc_activation_slope(d->activation)), .has_b = CC_INT(b != NULL));
}

static camcl_status backward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("add", add, err));
    const cc_add_op *op = desc;
    const cc_pointwise_desc *d = &op->desc;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("add", io, count, err, { "kept", CC_F32, d->count, CC_EXACT },
                                          { "dy", CC_F32, d->count, CC_EXACT }, { "da", CC_F32, d->count, CC_EXACT },
                                          { "db", CC_F32, d->count, CC_OPTIONAL }));
    cc_buffer *dy = io[1].buffer, *da = io[2].buffer, *db = io[3].buffer;
    cc_buffer *kept = d->activation.kind == CC_ACTIVATION_NONE ? dy : io[0].buffer; /* no activation: not needed, and not read */
    const int a_mode = op->add_a ? ADD : OVERWRITE, b_mode = db == NULL ? NONE : op->add_b ? ADD : OVERWRITE;
    char options[CC_ACTIVATION_OPTIONS];
    size_t each;
    CC_RETURN_IF_FAILED(check_activation(d, db, err));
    const cc_launch l = flat(tape, d, (kept == dy ? 1 : 2) + (unsigned)(a_mode + b_mode), options, &each);
    return CC_LAUNCH(tape, add_backward, &l, err, .kept = CC_IN(kept), .dy = CC_IN(dy), .da = a_mode == ADD ? CC_INOUT(da) : CC_OUT(da),
                     .db = b_mode == NONE  ? CC_INOUT(dy)
                           : b_mode == ADD ? CC_INOUT(db)
                                           : CC_OUT(db),
                     .count = CC_INT(d->count), .each = CC_INT(each), .slope = CC_FLOAT(cc_activation_slope(d->activation)),
                     .a_mode = CC_INT(a_mode), .b_mode = CC_INT(b_mode));
}

const cc_variant cc_pointwise_variants[] = {
    { .op = &cc_add_operation, .direction = CC_FORWARD, .name = "flat", .family = "", .supports = cc_supports_all, .record = forward },
    { .op = &cc_add_operation, .direction = CC_BACKWARD, .name = "flat", .family = "", .supports = cc_supports_all, .record = backward },
};
const size_t cc_pointwise_variant_count = CC_COUNT(cc_pointwise_variants);
CC_SMALL_OPERATION(add, pointwise);

camcl_status cc_add_forward(cc_tape *tape, const cc_pointwise_desc *desc, cc_tensor a, cc_tensor b, cc_tensor y, camcl_error *err)
{
    const cc_add_op op = { .desc = *desc };
    const cc_tensor io[] = { a, b, y };
    return cc_op_record(tape, &cc_add_operation, CC_FORWARD, &op, io, CC_COUNT(io), false, err);
}

camcl_status cc_add_backward(cc_tape *tape, const cc_pointwise_desc *desc, cc_tensor kept, cc_tensor dy, cc_tensor da, bool add_a,
                             cc_tensor db, bool add_b, camcl_error *err)
{
    const cc_add_op op = { .desc = *desc, .add_a = add_a, .add_b = add_b };
    const cc_tensor io[] = { kept, dy, da, db };
    return cc_op_record(tape, &cc_add_operation, CC_BACKWARD, &op, io, CC_COUNT(io), false, err);
}
