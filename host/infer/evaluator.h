/* Evaluating a model on images of a resident set. */
#ifndef CC_INFER_EVALUATOR_H
#define CC_INFER_EVALUATOR_H

#include "camcl/evaluation.h"
#include "feed/resident.h"
#include "model/pass.h"

typedef struct cc_evaluator cc_evaluator;

/* The number of images per batch for a set of n: enough to keep a device busy, and fewer if images are large, so that evaluation needs
 * no more memory than training. */
size_t cc_evaluator_batch(size_t n, size_t image_size);
/* Records an eval-mode forward pass of `batch` images on a tape of `arena`; the caller commits the arena. */
camcl_status cc_evaluator_create(cc_model *model, const cc_resident *data, size_t image_size, size_t batch, cc_arena *arena,
                                 cc_evaluator **out, camcl_error *err);
void cc_evaluator_destroy(cc_evaluator **evaluator);
/* Evaluates images indices[0..n) (NULL: 0..n-1). logits [n,classes] is filled unless NULL. Waits for the result. */
camcl_status cc_evaluator_run(cc_evaluator *evaluator, const uint32_t *indices, size_t n, camcl_evaluation *out, float *logits,
                              camcl_error *err);

#endif
