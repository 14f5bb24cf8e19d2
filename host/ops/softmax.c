/* Operations on rows of logits: softmax, cross-entropy, confidence, evaluation. */
#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/record.h"
#include "ops/variants.h"

static camcl_status launch(cc_tape *tape, const cc_kernel *kernel, const cc_arg *args, size_t n, bool sums, camcl_error *err)
{
    const cc_launch l = cc_rows_launch(tape, n, sums);
    return cc_tape_launch(tape, kernel, args, &l, err);
}

static size_t logits_needed(const cc_rows_desc *d) { return (d->row0 + d->n) * d->classes; }

static camcl_status softmax(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("softmax", add, err));
    const cc_rows_desc *d = desc;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("softmax", io, count, err, { "logits", CC_F32, logits_needed(d), CC_AT_LEAST },
                                          { "probability", CC_F32, d->n * d->classes, CC_EXACT | CC_APART }));
    return launch(tape,
                  CC_BIND(softmax_forward, .logits = CC_IN(io[0].buffer), .probability = CC_OUT(io[1].buffer), .row0 = CC_INT(d->row0),
                          .n = CC_INT(d->n), .classes = CC_INT(d->classes)),
                  d->n, false, err);
}

static camcl_status confidence(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("confidence", add, err));
    const cc_rows_op *op = desc;
    const cc_rows_desc *d = &op->rows;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("confidence", io, count, err, { "logits", CC_F32, logits_needed(d), CC_AT_LEAST },
                                          { "truth", CC_I32, d->n, CC_OPTIONAL }, { "pseudo", CC_I32, d->n, CC_EXACT | CC_APART },
                                          { "mask", CC_F32, d->n, CC_EXACT | CC_APART }, { "sums", CC_F32, 4, CC_EXACT | CC_APART }));
    CC_RETURN_IF_FAILED(cc_op_check_scalar("confidence", op->scalar, err));
    cc_buffer *logits = io[0].buffer, *truth = io[1].buffer;
    return launch(tape,
                  CC_BIND(confidence, .logits = CC_IN(logits), .thresholds = CC_IN(op->scalar.buffer),
                          .truth = CC_IN(truth ? truth : logits), .pseudo = CC_OUT(io[2].buffer), .mask = CC_OUT(io[3].buffer),
                          .sums = CC_OUT(io[4].buffer), .row0 = CC_INT(d->row0), .n = CC_INT(d->n), .classes = CC_INT(d->classes),
                          .index = CC_INT(op->scalar.index), .softmax = CC_INT(op->kind == CC_CONFIDENCE_SOFTMAX),
                          .has_truth = CC_INT(truth != NULL)),
                  d->n, true, err);
}

static camcl_status cross_entropy(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("cross_entropy", add, err));
    const cc_rows_desc *d = &((const cc_rows_op *)desc)->rows;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("cross_entropy", io, count, err, { "logits", CC_F32, logits_needed(d), CC_AT_LEAST },
                                          { "labels", CC_I32, d->n, CC_EXACT }, { "mask", CC_F32, d->n, CC_OPTIONAL },
                                          { "sums", CC_F32, 4, CC_EXACT | CC_APART }));
    cc_buffer *logits = io[0].buffer, *mask = io[2].buffer;
    return launch(tape,
                  CC_BIND(cross_entropy_forward, .logits = CC_IN(logits), .labels = CC_IN(io[1].buffer),
                          .mask = CC_IN(mask ? mask : logits), .sums = CC_OUT(io[3].buffer), .row0 = CC_INT(d->row0), .n = CC_INT(d->n),
                          .classes = CC_INT(d->classes), .has_mask = CC_INT(mask != NULL)),
                  d->n, true, err);
}

static camcl_status cross_entropy_gradient(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("cross_entropy", add, err));
    const cc_rows_op *op = desc;
    const cc_rows_desc *d = &op->rows;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("cross_entropy", io, count, err, { "logits", CC_F32, logits_needed(d), CC_AT_LEAST },
                                          { "labels", CC_I32, d->n, CC_EXACT }, { "mask", CC_F32, d->n, CC_OPTIONAL },
                                          { "dlogits", CC_F32, logits_needed(d), CC_AT_LEAST | CC_APART }));
    CC_RETURN_IF_FAILED(cc_op_check_scalar("cross_entropy", op->scalar, err));
    cc_buffer *logits = io[0].buffer, *mask = io[2].buffer;
    /* For the lifetime of dlogits, this launch reads and writes it: its other rows keep their values. */
    return launch(tape,
                  CC_BIND(cross_entropy_backward, .logits = CC_IN(logits), .labels = CC_IN(io[1].buffer),
                          .mask = CC_IN(mask ? mask : logits), .denominators = CC_IN(op->scalar.buffer), .dlogits = CC_INOUT(io[3].buffer),
                          .row0 = CC_INT(d->row0), .n = CC_INT(d->n), .classes = CC_INT(d->classes), .has_mask = CC_INT(mask != NULL),
                          .index = CC_INT(op->scalar.index), .scale = CC_FLOAT(op->scale)),
                  d->n, false, err);
}

static camcl_status evaluate(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("evaluate", add, err));
    const cc_rows_desc *d = desc;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("evaluate", io, count, err, { "logits", CC_F32, logits_needed(d), CC_AT_LEAST },
                                          { "labels", CC_I32, d->n, CC_EXACT }, { "sums", CC_F32, 8, CC_EXACT | CC_APART }));
    return launch(tape,
                  CC_BIND(evaluate, .logits = CC_IN(io[0].buffer), .labels = CC_IN(io[1].buffer), .sums = CC_INOUT(io[2].buffer),
                          .row0 = CC_INT(d->row0), .n = CC_INT(d->n), .classes = CC_INT(d->classes)),
                  d->n, true, err);
}

const cc_variant cc_softmax_variants[] = {
    { .op = &cc_softmax_operation, .direction = CC_FORWARD, .name = "rows", .family = "", .supports = cc_supports_all, .record = softmax },
    { .op = &cc_confidence_operation,
      .direction = CC_FORWARD,
      .name = "rows",
      .family = "",
      .supports = cc_supports_all,
      .record = confidence },
    { .op = &cc_cross_entropy_operation,
      .direction = CC_FORWARD,
      .name = "rows",
      .family = "",
      .supports = cc_supports_all,
      .record = cross_entropy },
    { .op = &cc_cross_entropy_operation,
      .direction = CC_BACKWARD,
      .name = "rows",
      .family = "",
      .supports = cc_supports_all,
      .record = cross_entropy_gradient },
    { .op = &cc_evaluate_operation,
      .direction = CC_FORWARD,
      .name = "rows",
      .family = "",
      .supports = cc_supports_all,
      .record = evaluate },
};
const size_t cc_softmax_variant_count = CC_COUNT(cc_softmax_variants);
CC_SMALL_OPERATION(softmax, softmax);
CC_SMALL_OPERATION(confidence, softmax);
CC_SMALL_OPERATION(cross_entropy, softmax);
CC_SMALL_OPERATION(evaluate, softmax);

camcl_status cc_softmax_forward(cc_tape *tape, const cc_rows_desc *desc, cc_tensor logits, cc_tensor probability, camcl_error *err)
{
    return cc_op_record(tape, &cc_softmax_operation, CC_FORWARD, desc, (const cc_tensor[]){ logits, probability }, 2, false, err);
}

camcl_status cc_confidence(cc_tape *tape, const cc_rows_desc *desc, cc_confidence_kind kind, cc_tensor logits, cc_device_scalar threshold,
                           cc_tensor truth, cc_tensor pseudo, cc_tensor mask, cc_tensor sums, camcl_error *err)
{
    const cc_rows_op op = { .rows = *desc, .kind = kind, .scalar = threshold };
    return cc_op_record(tape, &cc_confidence_operation, CC_FORWARD, &op, (const cc_tensor[]){ logits, truth, pseudo, mask, sums }, 5, false,
                        err);
}

camcl_status cc_cross_entropy_forward(cc_tape *tape, const cc_rows_desc *desc, cc_tensor logits, cc_tensor labels, cc_tensor mask,
                                      cc_tensor sums, camcl_error *err)
{
    const cc_rows_op op = { .rows = *desc };
    return cc_op_record(tape, &cc_cross_entropy_operation, CC_FORWARD, &op, (const cc_tensor[]){ logits, labels, mask, sums }, 4, false,
                        err);
}

camcl_status cc_cross_entropy_backward(cc_tape *tape, const cc_rows_desc *desc, cc_tensor logits, cc_tensor labels, cc_tensor mask,
                                       float scale, cc_device_scalar denominator, cc_tensor dlogits, camcl_error *err)
{
    const cc_rows_op op = { .rows = *desc, .scale = scale, .scalar = denominator };
    return cc_op_record(tape, &cc_cross_entropy_operation, CC_BACKWARD, &op, (const cc_tensor[]){ logits, labels, mask, dlogits }, 4, false,
                        err);
}

camcl_status cc_evaluate_rows(cc_tape *tape, const cc_rows_desc *desc, cc_tensor logits, cc_tensor labels, cc_tensor sums, camcl_error *err)
{
    return cc_op_record(tape, &cc_evaluate_operation, CC_FORWARD, desc, (const cc_tensor[]){ logits, labels, sums }, 3, false, err);
}
