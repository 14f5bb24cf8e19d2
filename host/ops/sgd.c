/* The optimizer's updates: stochastic gradient descent and the exponential moving average. */
#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/record.h"
#include "ops/variants.h"

enum { GRAIN = 256 }; /* vectors that are worth a work-item of their own */

static cc_launch flat(cc_tape *tape, size_t count, unsigned passes, size_t *each)
{
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const cc_shape shape = cc_row_shape(info, 16);
    const cc_work_split split = cc_split_work(info, cc_max_size(count / shape.width, 1), GRAIN);
    *each = split.each;
    return (cc_launch){ .options = shape.options, .dims = 1, .global = { split.items }, .bytes = 4.0 * passes * (double)count };
}

static camcl_status sgd(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("sgd", add, err));
    const cc_sgd_op *op = desc;
    const cc_sgd_desc *d = &op->desc;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("sgd", io, count, err, { "grad", CC_F32, d->count, CC_EXACT },
                                          { "w", CC_F32, d->count, CC_EXACT }, { "velocity", CC_F32, d->count, CC_EXACT | CC_APART }));
    CC_RETURN_IF_FAILED(cc_op_check_scalar("sgd", op->lr, err));
    size_t each;
    const cc_launch l = flat(tape, d->count, 5, &each);
    return CC_LAUNCH(tape, sgd_update, &l, err, .rates = CC_IN(op->lr.buffer), .grad = CC_IN(io[0].buffer), .w = CC_INOUT(io[1].buffer),
                     .velocity = CC_INOUT(io[2].buffer), .index = CC_INT(op->lr.index), .count = CC_INT(d->count), .each = CC_INT(each),
                     .momentum = CC_FLOAT(d->momentum), .weight_decay = CC_FLOAT(d->weight_decay), .nesterov = CC_INT(d->nesterov));
}

static camcl_status ema(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("ema", add, err));
    const cc_ema_op *op = desc;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("ema", io, count, err, { "w", CC_F32, op->count, CC_EXACT },
                                          { "average", CC_F32, op->count, CC_EXACT | CC_APART }));
    size_t each;
    const cc_launch l = flat(tape, op->count, 3, &each);
    return CC_LAUNCH(tape, ema_update, &l, err, .w = CC_IN(io[0].buffer), .average = CC_INOUT(io[1].buffer), .count = CC_INT(op->count),
                     .each = CC_INT(each), .decay = CC_FLOAT(op->decay));
}

const cc_variant cc_sgd_variants[] = {
    { .op = &cc_sgd_operation, .direction = CC_FORWARD, .name = "flat", .family = "", .supports = cc_supports_all, .record = sgd },
    { .op = &cc_ema_operation, .direction = CC_FORWARD, .name = "flat", .family = "", .supports = cc_supports_all, .record = ema },
};
const size_t cc_sgd_variant_count = CC_COUNT(cc_sgd_variants);
CC_SMALL_OPERATION(sgd, sgd);
CC_SMALL_OPERATION(ema, sgd);

camcl_status cc_sgd_update(cc_tape *tape, const cc_sgd_desc *desc, cc_device_scalar lr, cc_tensor grad, cc_tensor w, cc_tensor velocity,
                           camcl_error *err)
{
    const cc_sgd_op op = { *desc, lr };
    const cc_tensor io[] = { grad, w, velocity };
    return cc_op_record(tape, &cc_sgd_operation, CC_FORWARD, &op, io, CC_COUNT(io), false, err);
}

camcl_status cc_ema_update(cc_tape *tape, size_t count, float decay, cc_tensor w, cc_tensor average, camcl_error *err)
{
    const cc_ema_op op = { count, decay };
    const cc_tensor io[] = { w, average };
    return cc_op_record(tape, &cc_ema_operation, CC_FORWARD, &op, io, CC_COUNT(io), false, err);
}
