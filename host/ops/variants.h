/* The lists of variants that the files of ops/ export, and descriptors for operations whose typed function in ops.h takes options beside
 * its descriptor. These structs hold descriptor and options together. They are the `desc` of the variants' record functions, so that
 * code that walks the registry can call every variant. */
#ifndef CC_OPS_VARIANTS_H
#define CC_OPS_VARIANTS_H

#include "ops/ops.h"

CC_DECLARE_VARIANTS(batch_norm);
CC_DECLARE_VARIANTS(pointwise);
CC_DECLARE_VARIANTS(pool);
CC_DECLARE_VARIANTS(softmax);
CC_DECLARE_VARIANTS(sgd);
CC_DECLARE_VARIANTS(grad_cam);
CC_DECLARE_VARIANTS(resize);
CC_DECLARE_VARIANTS(min_max);
CC_DECLARE_VARIANTS(warp);
CC_DECLARE_VARIANTS(affine_warp);
CC_DECLARE_VARIANTS(load);
CC_DECLARE_VARIANTS(randaugment);
CC_DECLARE_VARIANTS(masked_mse);
CC_DECLARE_VARIANTS(soft);
CC_DECLARE_VARIANTS(thresholds);
CC_DECLARE_VARIANTS(fairness);
CC_DECLARE_VARIANTS(counted_mse);

extern const cc_operation cc_batch_norm_operation, cc_batch_norm_fold_operation, cc_add_operation, cc_max_pool_operation,
    cc_average_pool_operation, cc_global_average_pool_operation, cc_softmax_operation, cc_confidence_operation, cc_cross_entropy_operation,
    cc_evaluate_operation, cc_sgd_operation, cc_ema_operation, cc_grad_cam_operation, cc_grad_cam_seed_operation, cc_argmax_rows_operation,
    cc_resize_operation, cc_min_max_operation, cc_warp_operation, cc_load_images_operation, cc_load_labels_operation,
    cc_masked_mse_operation, cc_soft_cross_entropy_operation, cc_probability_mse_operation, cc_class_thresholds_operation,
    cc_adaptive_thresholds_operation, cc_confidence_weights_operation, cc_fairness_operation, cc_affine_warp_operation,
    cc_counted_mse_operation, cc_load_bytes_operation, cc_randaugment_operation;

/* "batch_norm"
 * io: CC_FORWARD {x, residual or none, gamma, beta, running_mean, running_var, mean, invstd, y}
 *     CC_BACKWARD {x, y or none, dy, gamma, beta or none, mean, invstd, dx, dresidual, dgamma, dbeta}, each
 *     output with its own flag in `add` */
typedef struct cc_batch_norm_op {
    cc_batch_norm_desc desc;
    bool train;
    cc_batch_norm_add add;
} cc_batch_norm_op;

/* "batch_norm_fold": desc cc_batch_norm_desc
 * io: CC_FORWARD {gamma, beta, running_mean, running_var, mean, invstd, scale, shift} */

/* "add"
 * io: CC_FORWARD {a, b or none, y}  CC_BACKWARD {kept, dy, da, db or none} */
typedef struct cc_add_op {
    cc_pointwise_desc desc;
    bool add_a, add_b;
} cc_add_op;

/* "max_pool", "average_pool", "global_average_pool": desc cc_pool_desc.
 * io: CC_FORWARD {x, y}  CC_BACKWARD {x, y, dy, dx(add)} for max_pool, {dy, dx(add)} for the averages */

/* "softmax": desc cc_rows_desc, CC_FORWARD {logits, probability}
 * "evaluate": desc cc_rows_desc, CC_FORWARD {logits, labels, sums}
 * "confidence": CC_FORWARD {logits, truth or none, pseudo, mask, sums}
 * "cross_entropy": CC_FORWARD {logits, labels, mask or none, sums}  CC_BACKWARD {logits, labels, mask or none, dlogits} */
typedef struct cc_rows_op {
    cc_rows_desc rows;
    cc_confidence_kind kind;
    float scale;
    cc_device_scalar scalar; /* confidence: the threshold; cross_entropy backward: the denominator */
} cc_rows_op;

/* "soft_cross_entropy": CC_FORWARD {logits, targets, mask, sums}  CC_BACKWARD {logits, targets, mask, dlogits}
 * "probability_mse": CC_FORWARD {logits, targets, sums}  CC_BACKWARD {logits, targets, dlogits} */
typedef struct cc_soft_op {
    cc_rows_desc rows;
    size_t target_row0;
    float temperature, scale;             /* of soft_cross_entropy */
    cc_device_scalar factor, denominator; /* backward; factor: probability_mse's scale */
} cc_soft_op;

/* "class_thresholds": {logits, truth or none, transforms, last, counts, pseudo, weight, sums, own}
 * "adaptive_thresholds": {logits, truth or none, threshold, probability, histogram, pseudo, weight, sums, own}
 * "confidence_weights": {logits, truth or none, probability, mean, variance, pseudo, weight, sums, own}; all CC_FORWARD */
typedef struct cc_thresholds_op {
    cc_rows_desc rows;
    cc_confidence_kind kind;    /* class_thresholds */
    cc_device_scalar threshold; /* likewise */
    float decay;                /* the others */
} cc_thresholds_op;

/* "fairness": CC_FORWARD {q, mask, p, h, slope, sums}  CC_BACKWARD {q, mask, slope, dlogits} */
typedef struct cc_fairness_op {
    cc_rows_desc rows;
    float scale; /* backward */
} cc_fairness_op;

/* "sgd": CC_FORWARD {grad, w, velocity}.  "ema": CC_FORWARD {w, average} */
typedef struct cc_sgd_op {
    cc_sgd_desc desc;
    cc_device_scalar lr;
} cc_sgd_op;
typedef struct cc_ema_op {
    size_t count;
    float decay;
} cc_ema_op;

/* "masked_mse": CC_FORWARD {a, b, mask, sums} with cc_masked_mse_desc
 *               CC_BACKWARD {a, b, mask, da, db or none} with: */
typedef struct cc_masked_mse_op {
    cc_masked_mse_desc desc;
    float scale;
    cc_device_scalar denominator;
} cc_masked_mse_op;

/* "affine_warp": desc cc_affine_warp_desc, CC_FORWARD {src, maps, dst}  CC_BACKWARD {ddst, maps, dsrc(add)}
 * "counted_mse": CC_FORWARD {a, b, mask, maps, rows, sums} with cc_affine_warp_desc
 *                CC_BACKWARD {a, b, mask, maps, rows, da, db or none} with: */
typedef struct cc_counted_mse_op {
    cc_affine_warp_desc desc;
    float scale;
    cc_device_scalar denominator;
} cc_counted_mse_op;

/* "load_bytes": desc cc_load_desc, CC_FORWARD {pixels, transforms, dst}
 * "randaugment": desc cc_randaugment_desc, CC_FORWARD {bytes, operations, normalise, dst}, bytes is overwritten */

#endif
