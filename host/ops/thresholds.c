/* Which unlabelled images count, and how much, by what was seen before. Kernels in cl/thresholds.cl. */
#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/record.h"
#include "ops/variants.h"

enum { TRANSFORM = sizeof(cc_transform) / sizeof(int32_t) };

static size_t logits_needed(const cc_rows_desc *d) { return (d->row0 + d->n) * d->classes; }

/* io: {logits, truth or none, transforms, last, counts, pseudo, weight, sums, own} */
static camcl_status class_thresholds(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_thresholds_op *op = desc;
    const cc_rows_desc *d = &op->rows;
    CC_RETURN_IF_FAILED(cc_op_check_no_add("class_thresholds", add, err));
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("class_thresholds", io, count, err, { "logits", CC_F32, logits_needed(d), CC_AT_LEAST },
                                          { "truth", CC_I32, d->n, CC_OPTIONAL }, { "transforms", CC_I32, d->n * TRANSFORM, CC_EXACT },
                                          { "last", CC_I32, 1, CC_AT_LEAST | CC_APART },
                                          { "counts", CC_I32, d->classes + 1, CC_EXACT | CC_APART },
                                          { "pseudo", CC_I32, d->n, CC_EXACT | CC_APART }, { "weight", CC_F32, d->n, CC_EXACT | CC_APART },
                                          { "sums", CC_F32, 4, CC_EXACT | CC_APART }, { "own", CC_F32, 4, CC_EXACT | CC_APART }));
    CC_RETURN_IF_FAILED(cc_op_check_scalar("class_thresholds", op->threshold, err));
    cc_buffer *truth = io[1].buffer;
    cc_tensor sure;
    const cc_launch rows = cc_rows_launch(tape, d->n, true), update = cc_rows_launch(tape, rows.local[0] > 1 ? d->n : 1, false);
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(tape, "confident classes", CC_I32, CC_DIMS(d->n), &sure, err));
    CC_RETURN_IF_FAILED(
        CC_LAUNCH(tape, class_thresholds, &rows, err, .logits = CC_IN(io[0].buffer), .thresholds = CC_IN(op->threshold.buffer),
                  .truth = CC_IN(truth ? truth : io[2].buffer), .counts = CC_IN(io[4].buffer), .pseudo = CC_OUT(io[5].buffer),
                  .mask = CC_OUT(io[6].buffer), .sure = CC_OUT(sure.buffer), .sums = CC_OUT(io[7].buffer), .own = CC_OUT(io[8].buffer),
                  .row0 = CC_INT(d->row0), .n = CC_INT(d->n), .classes = CC_INT(d->classes), .index = CC_INT(op->threshold.index),
                  .softmax = CC_INT(op->kind == CC_CONFIDENCE_SOFTMAX), .has_truth = CC_INT(truth != NULL)));
    return CC_LAUNCH(tape, class_thresholds_update, &update, err, .sure = CC_IN(sure.buffer), .transforms = CC_IN(io[2].buffer),
                     .last = CC_INOUT(io[3].buffer), .counts = CC_INOUT(io[4].buffer), .n = CC_INT(d->n), .stride = CC_INT(TRANSFORM),
                     .images = CC_INT(cc_tensor_count(&io[3])), .classes = CC_INT(d->classes));
}

/* What a row predicts, and the averages over classes; histogram may be NULL. */
typedef struct prediction {
    cc_tensor probability, confidence;
} prediction;

static camcl_status predict(cc_tape *tape, const cc_thresholds_op *op, cc_tensor logits, cc_buffer *pseudo, cc_buffer *average,
                            cc_buffer *histogram, prediction *out, camcl_error *err)
{
    const cc_rows_desc *d = &op->rows;
    const cc_launch rows = cc_rows_launch(tape, d->n, false), classes = cc_classes_launch(tape, d->classes);
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(tape, "weak probabilities", CC_F32, CC_DIMS(d->n, d->classes), &out->probability, err));
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(tape, "confidences", CC_F32, CC_DIMS(d->n), &out->confidence, err));
    CC_RETURN_IF_FAILED(CC_LAUNCH(tape, predictions, &rows, err, .logits = CC_IN(logits.buffer),
                                  .probability = CC_OUT(out->probability.buffer), .pseudo = CC_OUT(pseudo),
                                  .confidence = CC_OUT(out->confidence.buffer), .row0 = CC_INT(d->row0), .n = CC_INT(d->n),
                                  .classes = CC_INT(d->classes)));
    return CC_LAUNCH(tape, class_averages, &classes, err, .probability = CC_IN(out->probability.buffer), .pseudo = CC_IN(pseudo),
                     .average = CC_INOUT(average), .histogram = CC_INOUT(histogram ? histogram : average), .n = CC_INT(d->n),
                     .classes = CC_INT(d->classes), .decay = CC_FLOAT(op->decay), .has_histogram = CC_INT(histogram != NULL));
}

/* io: {logits, truth or none, threshold, probability, histogram, pseudo, weight, sums, own} */
static camcl_status adaptive_thresholds(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_thresholds_op *op = desc;
    const cc_rows_desc *d = &op->rows;
    prediction p;
    CC_RETURN_IF_FAILED(cc_op_check_no_add("adaptive_thresholds", add, err));
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("adaptive_thresholds", io, count, err, { "logits", CC_F32, logits_needed(d), CC_AT_LEAST },
                                          { "truth", CC_I32, d->n, CC_OPTIONAL }, { "threshold", CC_F32, 1, CC_EXACT | CC_APART },
                                          { "probability", CC_F32, d->classes, CC_EXACT | CC_APART },
                                          { "histogram", CC_F32, d->classes, CC_EXACT | CC_APART },
                                          { "pseudo", CC_I32, d->n, CC_EXACT | CC_APART }, { "weight", CC_F32, d->n, CC_EXACT | CC_APART },
                                          { "sums", CC_F32, 4, CC_EXACT | CC_APART }, { "own", CC_F32, 4, CC_EXACT | CC_APART }));
    cc_buffer *truth = io[1].buffer;
    const cc_launch rows = cc_rows_launch(tape, d->n, true);
    CC_RETURN_IF_FAILED(predict(tape, op, io[0], io[5].buffer, io[3].buffer, io[4].buffer, &p, err));
    return CC_LAUNCH(tape, adaptive_thresholds, &rows, err, .confidence = CC_IN(p.confidence.buffer), .pseudo = CC_IN(io[5].buffer),
                     .truth = CC_IN(truth ? truth : io[5].buffer), .average = CC_IN(io[3].buffer), .threshold = CC_INOUT(io[2].buffer),
                     .mask = CC_OUT(io[6].buffer), .sums = CC_OUT(io[7].buffer), .own = CC_OUT(io[8].buffer), .n = CC_INT(d->n),
                     .classes = CC_INT(d->classes), .decay = CC_FLOAT(op->decay), .has_truth = CC_INT(truth != NULL));
}

/* io: {logits, truth or none, probability, mean, variance, pseudo, weight, sums, own} */
static camcl_status confidence_weights(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_thresholds_op *op = desc;
    const cc_rows_desc *d = &op->rows;
    prediction p;
    CC_RETURN_IF_FAILED(cc_op_check_no_add("confidence_weights", add, err));
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("confidence_weights", io, count, err, { "logits", CC_F32, logits_needed(d), CC_AT_LEAST },
                                          { "truth", CC_I32, d->n, CC_OPTIONAL },
                                          { "probability", CC_F32, d->classes, CC_EXACT | CC_APART },
                                          { "mean", CC_F32, 1, CC_EXACT | CC_APART }, { "variance", CC_F32, 1, CC_EXACT | CC_APART },
                                          { "pseudo", CC_I32, d->n, CC_EXACT | CC_APART }, { "weight", CC_F32, d->n, CC_EXACT | CC_APART },
                                          { "sums", CC_F32, 4, CC_EXACT | CC_APART }, { "own", CC_F32, 4, CC_EXACT | CC_APART }));
    cc_buffer *truth = io[1].buffer;
    const cc_launch rows = cc_rows_launch(tape, d->n, true);
    CC_RETURN_IF_FAILED(predict(tape, op, io[0], io[5].buffer, io[2].buffer, NULL, &p, err));
    return CC_LAUNCH(tape, confidence_weights, &rows, err, .probability = CC_IN(p.probability.buffer), .pseudo = CC_IN(io[5].buffer),
                     .truth = CC_IN(truth ? truth : io[5].buffer), .average = CC_IN(io[2].buffer), .mean = CC_INOUT(io[3].buffer),
                     .variance = CC_INOUT(io[4].buffer), .weight = CC_OUT(io[6].buffer), .sums = CC_OUT(io[7].buffer),
                     .own = CC_OUT(io[8].buffer), .n = CC_INT(d->n), .classes = CC_INT(d->classes), .decay = CC_FLOAT(op->decay),
                     .has_truth = CC_INT(truth != NULL));
}

const cc_variant cc_thresholds_variants[] = {
    { .op = &cc_class_thresholds_operation,
      .direction = CC_FORWARD,
      .name = "rows",
      .family = "",
      .supports = cc_supports_all,
      .record = class_thresholds },
    { .op = &cc_adaptive_thresholds_operation,
      .direction = CC_FORWARD,
      .name = "rows",
      .family = "",
      .supports = cc_supports_all,
      .record = adaptive_thresholds },
    { .op = &cc_confidence_weights_operation,
      .direction = CC_FORWARD,
      .name = "rows",
      .family = "",
      .supports = cc_supports_all,
      .record = confidence_weights },
};
const size_t cc_thresholds_variant_count = CC_COUNT(cc_thresholds_variants);
CC_SMALL_OPERATION(class_thresholds, thresholds);
CC_SMALL_OPERATION(adaptive_thresholds, thresholds);
CC_SMALL_OPERATION(confidence_weights, thresholds);

camcl_status cc_class_thresholds(cc_tape *tape, const cc_rows_desc *desc, cc_confidence_kind kind, cc_tensor logits,
                                 cc_device_scalar threshold, cc_tensor truth, cc_tensor transforms, cc_tensor last, cc_tensor counts,
                                 cc_tensor pseudo, cc_tensor weight, cc_tensor sums, cc_tensor own, camcl_error *err)
{
    const cc_thresholds_op op = { .rows = *desc, .kind = kind, .threshold = threshold };
    const cc_tensor io[] = { logits, truth, transforms, last, counts, pseudo, weight, sums, own };
    return cc_op_record(tape, &cc_class_thresholds_operation, CC_FORWARD, &op, io, CC_COUNT(io), false, err);
}

camcl_status cc_adaptive_thresholds(cc_tape *tape, const cc_rows_desc *desc, float decay, cc_tensor logits, cc_tensor truth,
                                    cc_tensor threshold, cc_tensor probability, cc_tensor histogram, cc_tensor pseudo, cc_tensor weight,
                                    cc_tensor sums, cc_tensor own, camcl_error *err)
{
    const cc_thresholds_op op = { .rows = *desc, .decay = decay };
    const cc_tensor io[] = { logits, truth, threshold, probability, histogram, pseudo, weight, sums, own };
    return cc_op_record(tape, &cc_adaptive_thresholds_operation, CC_FORWARD, &op, io, CC_COUNT(io), false, err);
}

camcl_status cc_confidence_weights(cc_tape *tape, const cc_rows_desc *desc, float decay, cc_tensor logits, cc_tensor truth,
                                   cc_tensor probability, cc_tensor mean, cc_tensor variance, cc_tensor pseudo, cc_tensor weight,
                                   cc_tensor sums, cc_tensor own, camcl_error *err)
{
    const cc_thresholds_op op = { .rows = *desc, .decay = decay };
    const cc_tensor io[] = { logits, truth, probability, mean, variance, pseudo, weight, sums, own };
    return cc_op_record(tape, &cc_confidence_weights_operation, CC_FORWARD, &op, io, CC_COUNT(io), false, err);
}
