/* Losses against the probabilities of other rows: cross-entropy and squared error. Kernels in cl/soft.cl. */
#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/record.h"
#include "ops/variants.h"

static size_t logits_needed(const cc_soft_op *op) { return (op->rows.row0 + op->rows.n) * op->rows.classes; }
static size_t targets_needed(const cc_soft_op *op) { return (op->target_row0 + op->rows.n) * op->rows.classes; }

/* io: {logits, targets, mask, sums} */
static camcl_status cross_entropy(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_soft_op *op = desc;
    const cc_rows_desc *d = &op->rows;
    CC_RETURN_IF_FAILED(cc_op_check_no_add("soft_cross_entropy", add, err));
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("soft_cross_entropy", io, count, err, { "logits", CC_F32, logits_needed(op), CC_AT_LEAST },
                                          { "targets", CC_F32, targets_needed(op), CC_AT_LEAST }, { "mask", CC_F32, d->n, CC_EXACT },
                                          { "sums", CC_F32, 4, CC_EXACT | CC_APART }));
    const cc_launch launch = cc_rows_launch(tape, d->n, true);
    return CC_LAUNCH(tape, soft_cross_entropy_forward, &launch, err, .logits = CC_IN(io[0].buffer), .targets = CC_IN(io[1].buffer),
                     .mask = CC_IN(io[2].buffer), .sums = CC_OUT(io[3].buffer), .row0 = CC_INT(d->row0),
                     .target_row0 = CC_INT(op->target_row0), .n = CC_INT(d->n), .classes = CC_INT(d->classes),
                     .sharpness = CC_FLOAT(1 / op->temperature));
}

/* io: {logits, targets, mask, dlogits} */
static camcl_status cross_entropy_gradient(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_soft_op *op = desc;
    const cc_rows_desc *d = &op->rows;
    CC_RETURN_IF_FAILED(cc_op_check_no_add("soft_cross_entropy", add, err));
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("soft_cross_entropy", io, count, err, { "logits", CC_F32, logits_needed(op), CC_AT_LEAST },
                                          { "targets", CC_F32, targets_needed(op), CC_AT_LEAST }, { "mask", CC_F32, d->n, CC_EXACT },
                                          { "dlogits", CC_F32, logits_needed(op), CC_AT_LEAST | CC_APART }));
    CC_RETURN_IF_FAILED(cc_op_check_scalar("soft_cross_entropy", op->denominator, err));
    const cc_launch launch = cc_rows_launch(tape, d->n, false);
    /* For the lifetime of dlogits, this launch reads and writes it: its other rows keep their values. */
    return CC_LAUNCH(tape, soft_cross_entropy_backward, &launch, err, .logits = CC_IN(io[0].buffer), .targets = CC_IN(io[1].buffer),
                     .mask = CC_IN(io[2].buffer), .denominators = CC_IN(op->denominator.buffer), .dlogits = CC_INOUT(io[3].buffer),
                     .row0 = CC_INT(d->row0), .target_row0 = CC_INT(op->target_row0), .n = CC_INT(d->n), .classes = CC_INT(d->classes),
                     .index = CC_INT(op->denominator.index), .scale = CC_FLOAT(op->scale), .sharpness = CC_FLOAT(1 / op->temperature));
}

/* io: {logits, targets, sums} */
static camcl_status squared_error(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_soft_op *op = desc;
    const cc_rows_desc *d = &op->rows;
    CC_RETURN_IF_FAILED(cc_op_check_no_add("probability_mse", add, err));
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("probability_mse", io, count, err, { "logits", CC_F32, logits_needed(op), CC_AT_LEAST },
                                          { "targets", CC_F32, targets_needed(op), CC_AT_LEAST },
                                          { "sums", CC_F32, 4, CC_EXACT | CC_APART }));
    const cc_launch launch = cc_rows_launch(tape, d->n, true);
    return CC_LAUNCH(tape, probability_mse_forward, &launch, err, .logits = CC_IN(io[0].buffer), .targets = CC_IN(io[1].buffer),
                     .sums = CC_OUT(io[2].buffer), .row0 = CC_INT(d->row0), .target_row0 = CC_INT(op->target_row0), .n = CC_INT(d->n),
                     .classes = CC_INT(d->classes));
}

/* io: {logits, targets, dlogits} */
static camcl_status squared_error_gradient(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_soft_op *op = desc;
    const cc_rows_desc *d = &op->rows;
    CC_RETURN_IF_FAILED(cc_op_check_no_add("probability_mse", add, err));
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("probability_mse", io, count, err, { "logits", CC_F32, logits_needed(op), CC_AT_LEAST },
                                          { "targets", CC_F32, targets_needed(op), CC_AT_LEAST },
                                          { "dlogits", CC_F32, logits_needed(op), CC_AT_LEAST | CC_APART }));
    CC_RETURN_IF_FAILED(cc_op_check_scalar("probability_mse", op->factor, err));
    CC_RETURN_IF_FAILED(cc_op_check_scalar("probability_mse", op->denominator, err));
    const cc_launch launch = cc_rows_launch(tape, d->n, false);
    return CC_LAUNCH(tape, probability_mse_backward, &launch, err, .logits = CC_IN(io[0].buffer), .targets = CC_IN(io[1].buffer),
                     .scales = CC_IN(op->factor.buffer), .denominators = CC_IN(op->denominator.buffer), .dlogits = CC_INOUT(io[2].buffer),
                     .row0 = CC_INT(d->row0), .target_row0 = CC_INT(op->target_row0), .n = CC_INT(d->n), .classes = CC_INT(d->classes),
                     .scale_index = CC_INT(op->factor.index), .index = CC_INT(op->denominator.index));
}

const cc_variant cc_soft_variants[] = {
    { .op = &cc_soft_cross_entropy_operation,
      .direction = CC_FORWARD,
      .name = "rows",
      .family = "",
      .supports = cc_supports_all,
      .record = cross_entropy },
    { .op = &cc_soft_cross_entropy_operation,
      .direction = CC_BACKWARD,
      .name = "rows",
      .family = "",
      .supports = cc_supports_all,
      .record = cross_entropy_gradient },
    { .op = &cc_probability_mse_operation,
      .direction = CC_FORWARD,
      .name = "rows",
      .family = "",
      .supports = cc_supports_all,
      .record = squared_error },
    { .op = &cc_probability_mse_operation,
      .direction = CC_BACKWARD,
      .name = "rows",
      .family = "",
      .supports = cc_supports_all,
      .record = squared_error_gradient },
};
const size_t cc_soft_variant_count = CC_COUNT(cc_soft_variants);
CC_SMALL_OPERATION(soft_cross_entropy, soft);
CC_SMALL_OPERATION(probability_mse, soft);

camcl_status cc_soft_cross_entropy_forward(cc_tape *tape, const cc_rows_desc *desc, cc_tensor logits, const cc_soft_targets *targets,
                                           cc_tensor mask, cc_tensor sums, camcl_error *err)
{
    const cc_soft_op op = { .rows = *desc, .target_row0 = targets->row0, .temperature = targets->temperature };
    const cc_tensor io[] = { logits, targets->logits, mask, sums };
    return cc_op_record(tape, &cc_soft_cross_entropy_operation, CC_FORWARD, &op, io, CC_COUNT(io), false, err);
}

camcl_status cc_soft_cross_entropy_backward(cc_tape *tape, const cc_rows_desc *desc, cc_tensor logits, const cc_soft_targets *targets,
                                            cc_tensor mask, float scale, cc_device_scalar denominator, cc_tensor dlogits, camcl_error *err)
{
    const cc_soft_op op = {
        .rows = *desc, .target_row0 = targets->row0, .temperature = targets->temperature, .scale = scale, .denominator = denominator
    };
    const cc_tensor io[] = { logits, targets->logits, mask, dlogits };
    return cc_op_record(tape, &cc_soft_cross_entropy_operation, CC_BACKWARD, &op, io, CC_COUNT(io), false, err);
}

camcl_status cc_probability_mse_forward(cc_tape *tape, const cc_rows_desc *desc, size_t target_row0, cc_tensor logits, cc_tensor targets,
                                        cc_tensor sums, camcl_error *err)
{
    const cc_soft_op op = { .rows = *desc, .target_row0 = target_row0 };
    const cc_tensor io[] = { logits, targets, sums };
    return cc_op_record(tape, &cc_probability_mse_operation, CC_FORWARD, &op, io, CC_COUNT(io), false, err);
}

camcl_status cc_probability_mse_backward(cc_tape *tape, const cc_rows_desc *desc, size_t target_row0, cc_tensor logits, cc_tensor targets,
                                         cc_device_scalar scale, cc_device_scalar denominator, cc_tensor dlogits, camcl_error *err)
{
    const cc_soft_op op = { .rows = *desc, .target_row0 = target_row0, .factor = scale, .denominator = denominator };
    const cc_tensor io[] = { logits, targets, dlogits };
    return cc_op_record(tape, &cc_probability_mse_operation, CC_BACKWARD, &op, io, CC_COUNT(io), false, err);
}
