/* The registry's view of masked_mse: what its variants take beyond the descriptor of ops.h. */
#ifndef CC_OPS_MASKED_MSE_H
#define CC_OPS_MASKED_MSE_H

#include "ops/ops.h"

/* "masked_mse": CC_FORWARD {a, b, mask, sums} with cc_masked_mse_desc
 *               CC_BACKWARD {a, b, mask, da, db or none} with: */
typedef struct cc_masked_mse_op {
    cc_masked_mse_desc desc;
    float scale;
    cc_device_scalar denominator;
} cc_masked_mse_op;

#endif
