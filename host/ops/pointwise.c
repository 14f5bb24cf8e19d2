/* Addition with activation. */
#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/record.h"
#include "ops/variants.h"

enum { GRAIN = 256 };          /* vectors that are worth a work-item of their own */
enum { NONE, OVERWRITE, ADD }; /* what the kernels do with an output */

static cc_launch flat(cc_tape *tape, size_t count, unsigned passes, size_t *each)
{
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const cc_shape shape = cc_row_shape(info, 16);
    const cc_work_split split = cc_split_work(info, cc_max_size(count / shape.width, 1), GRAIN);
    *each = split.each;
    return (cc_launch){
        .options = shape.options, .dims = 1, .global = { split.items }, .flops = (double)count, .bytes = 4.0 * passes * (double)count
    };
}

static camcl_status forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("add", add, err));
    const cc_pointwise_desc *d = &((const cc_add_op *)desc)->desc;
    CC_RETURN_IF_FAILED(CC_CHECK("add", io, count, err, { "a", CC_F32, d->count, CC_EXACT }, { "b", CC_F32, d->count, CC_OPTIONAL },
                                 { "y", CC_F32, d->count, CC_EXACT }));
    cc_buffer *a = io[0].buffer, *b = io[1].buffer;
    size_t each;
    const cc_launch l = flat(tape, d->count, b ? 3 : 2, &each);
    return CC_LAUNCH(tape, add_forward, &l, err, .a = CC_IN(a), .b = CC_IN(b ? b : a), .y = CC_OUT(io[2].buffer), .count = CC_INT(d->count),
                     .each = CC_INT(each), .slope = CC_FLOAT(d->slope), .has_b = CC_INT(b != NULL));
}

static camcl_status backward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("add", add, err));
    const cc_add_op *op = desc;
    const cc_pointwise_desc *d = &op->desc;
    CC_RETURN_IF_FAILED(CC_CHECK("add", io, count, err, { "y", CC_F32, d->count, CC_EXACT }, { "dy", CC_F32, d->count, CC_EXACT },
                                 { "da", CC_F32, d->count, CC_EXACT }, { "db", CC_F32, d->count, CC_OPTIONAL }));
    cc_buffer *dy = io[1].buffer, *da = io[2].buffer, *db = io[3].buffer;
    cc_buffer *y = d->slope == 1.0f ? dy : io[0].buffer; /* no activation: y is not needed, and not read */
    const int a_mode = op->add_a ? ADD : OVERWRITE, b_mode = db == NULL ? NONE : op->add_b ? ADD : OVERWRITE;
    size_t each;
    const cc_launch l = flat(tape, d->count, (y == dy ? 1 : 2) + (unsigned)(a_mode + b_mode), &each);
    return CC_LAUNCH(tape, add_backward, &l, err, .y = CC_IN(y), .dy = CC_IN(dy), .da = a_mode == ADD ? CC_INOUT(da) : CC_OUT(da),
                     .db = b_mode == NONE  ? CC_INOUT(dy)
                           : b_mode == ADD ? CC_INOUT(db)
                                           : CC_OUT(db),
                     .count = CC_INT(d->count), .each = CC_INT(each), .slope = CC_FLOAT(d->slope), .a_mode = CC_INT(a_mode),
                     .b_mode = CC_INT(b_mode));
}

const cc_variant cc_pointwise_variants[] = {
    { "add", CC_FORWARD, "flat", "", cc_supports_all, forward, NULL, NULL, NULL },
    { "add", CC_BACKWARD, "flat", "", cc_supports_all, backward, NULL, NULL, NULL },
};
const size_t cc_pointwise_variant_count = CC_COUNT(cc_pointwise_variants);

camcl_status cc_add_forward(cc_tape *tape, const cc_pointwise_desc *desc, cc_tensor a, cc_tensor b, cc_tensor y, camcl_error *err)
{
    const cc_add_op op = { .desc = *desc };
    const cc_tensor io[] = { a, b, y };
    return cc_op_record(tape, "add", CC_FORWARD, &op, io, CC_COUNT(io), false, err);
}

camcl_status cc_add_backward(cc_tape *tape, const cc_pointwise_desc *desc, cc_tensor y, cc_tensor dy, cc_tensor da, bool add_a,
                             cc_tensor db, bool add_b, camcl_error *err)
{
    const cc_add_op op = { .desc = *desc, .add_a = add_a, .add_b = add_b };
    const cc_tensor io[] = { y, dy, da, db };
    return cc_op_record(tape, "add", CC_BACKWARD, &op, io, CC_COUNT(io), false, err);
}
