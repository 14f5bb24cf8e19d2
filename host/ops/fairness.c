/* How the rows that count are spread over the classes. Kernels in cl/fairness.cl. */
#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/record.h"
#include "ops/variants.h"

/* io: {q, mask, p, h, slope, sums} */
static camcl_status forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_rows_desc *d = &((const cc_fairness_op *)desc)->rows;
    cc_tensor best, ratio, times;
    CC_RETURN_IF_FAILED(cc_op_check_no_add("fairness", add, err));
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("fairness", io, count, err, { "q", CC_F32, d->n * d->classes, CC_EXACT },
                                          { "mask", CC_F32, d->n, CC_EXACT }, { "p", CC_F32, d->classes, CC_EXACT },
                                          { "h", CC_F32, d->classes, CC_EXACT }, { "slope", CC_F32, d->classes, CC_EXACT | CC_APART },
                                          { "sums", CC_F32, 4, CC_EXACT | CC_APART }));
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(tape, "strong predictions", CC_I32, CC_DIMS(d->n), &best, err));
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(tape, "fairness ratios", CC_F32, CC_DIMS(d->classes), &ratio, err));
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(tape, "fairness counts", CC_F32, CC_DIMS(d->classes), &times, err));
    const cc_launch rows = cc_rows_launch(tape, d->n, false), classes = cc_classes_launch(tape, d->classes),
                    one = cc_rows_launch(tape, 1, false);
    CC_RETURN_IF_FAILED(CC_LAUNCH(tape, fairness_best, &rows, err, .q = CC_IN(io[0].buffer), .best = CC_OUT(best.buffer), .n = CC_INT(d->n),
                                  .classes = CC_INT(d->classes)));
    CC_RETURN_IF_FAILED(CC_LAUNCH(tape, fairness_ratios, &classes, err, .q = CC_IN(io[0].buffer), .best = CC_IN(best.buffer),
                                  .mask = CC_IN(io[1].buffer), .ratio = CC_OUT(ratio.buffer), .count = CC_OUT(times.buffer),
                                  .n = CC_INT(d->n), .classes = CC_INT(d->classes)));
    return CC_LAUNCH(tape, fairness_loss, &one, err, .ratio = CC_IN(ratio.buffer), .count = CC_IN(times.buffer), .p = CC_IN(io[2].buffer),
                     .h = CC_IN(io[3].buffer), .slope = CC_OUT(io[4].buffer), .sums = CC_OUT(io[5].buffer), .classes = CC_INT(d->classes));
}

/* io: {q, mask, slope, dlogits} */
static camcl_status backward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_fairness_op *op = desc;
    const cc_rows_desc *d = &op->rows;
    CC_RETURN_IF_FAILED(cc_op_check_no_add("fairness", add, err));
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("fairness", io, count, err, { "q", CC_F32, d->n * d->classes, CC_EXACT },
                                          { "mask", CC_F32, d->n, CC_EXACT }, { "slope", CC_F32, d->classes, CC_EXACT },
                                          { "dlogits", CC_F32, (d->row0 + d->n) * d->classes, CC_AT_LEAST | CC_APART }));
    const cc_launch rows = cc_rows_launch(tape, d->n, false);
    return CC_LAUNCH(tape, fairness_backward, &rows, err, .q = CC_IN(io[0].buffer), .mask = CC_IN(io[1].buffer),
                     .slope = CC_IN(io[2].buffer), .dlogits = CC_INOUT(io[3].buffer), .row0 = CC_INT(d->row0), .n = CC_INT(d->n),
                     .classes = CC_INT(d->classes), .scale = CC_FLOAT(op->scale));
}

const cc_variant cc_fairness_variants[] = {
    { .op = &cc_fairness_operation, .direction = CC_FORWARD, .name = "rows", .family = "", .supports = cc_supports_all, .record = forward },
    { .op = &cc_fairness_operation,
      .direction = CC_BACKWARD,
      .name = "rows",
      .family = "",
      .supports = cc_supports_all,
      .record = backward },
};
const size_t cc_fairness_variant_count = CC_COUNT(cc_fairness_variants);
CC_SMALL_OPERATION(fairness, fairness);

camcl_status cc_fairness_forward(cc_tape *tape, const cc_rows_desc *desc, cc_tensor q, cc_tensor mask, cc_tensor p, cc_tensor h,
                                 cc_tensor slope, cc_tensor sums, camcl_error *err)
{
    const cc_fairness_op op = { .rows = *desc };
    const cc_tensor io[] = { q, mask, p, h, slope, sums };
    return cc_op_record(tape, &cc_fairness_operation, CC_FORWARD, &op, io, CC_COUNT(io), false, err);
}

camcl_status cc_fairness_backward(cc_tape *tape, const cc_rows_desc *desc, cc_tensor q, cc_tensor mask, cc_tensor slope, float scale,
                                  cc_tensor dlogits, camcl_error *err)
{
    const cc_fairness_op op = { .rows = *desc, .scale = scale };
    const cc_tensor io[] = { q, mask, slope, dlogits };
    return cc_op_record(tape, &cc_fairness_operation, CC_BACKWARD, &op, io, CC_COUNT(io), false, err);
}
