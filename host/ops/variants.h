/* The lists of variants that the files of ops/ export, and the descriptors of operations whose typed function in ops.h takes more than
 * its own descriptor: a variant's record gets one of these, so that whoever walks the registry can call any variant. */
#ifndef CC_OPS_VARIANTS_H
#define CC_OPS_VARIANTS_H

#include "ops/ops.h"

extern const cc_variant cc_conv2d_variants[], cc_conv2d_affine_variants[], cc_gemm_variants[], cc_linear_variants[],
    cc_batch_norm_variants[], cc_pointwise_variants[], cc_pool_variants[], cc_softmax_variants[], cc_sgd_variants[], cc_grad_cam_variants[],
    cc_resize_variants[], cc_min_max_variants[], cc_warp_variants[], cc_load_variants[], cc_masked_mse_variants[];
extern const size_t cc_conv2d_variant_count, cc_conv2d_affine_variant_count, cc_gemm_variant_count, cc_linear_variant_count,
    cc_batch_norm_variant_count, cc_pointwise_variant_count, cc_pool_variant_count, cc_softmax_variant_count, cc_sgd_variant_count,
    cc_grad_cam_variant_count, cc_resize_variant_count, cc_min_max_variant_count, cc_warp_variant_count, cc_load_variant_count,
    cc_masked_mse_variant_count;

/* "linear": desc cc_linear_desc.
 * io: CC_FORWARD {x, w, b or none, y}  CC_BACKWARD_DATA {dy, w, dx(add)}  CC_BACKWARD_WEIGHT {x, dy, dw(add), db(add) or none} */

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

/* "sgd": CC_FORWARD {grad, w, velocity}.  "ema": CC_FORWARD {w, average} */
typedef struct cc_sgd_op {
    cc_sgd_desc desc;
    cc_device_scalar lr;
} cc_sgd_op;
typedef struct cc_ema_op {
    size_t count;
    float decay;
} cc_ema_op;

#endif
