/* The list of operations. */
#include "ops/registry.h"

#include <assert.h>
#include <string.h>

#include "ops/conv2d/conv2d.h"
#include "ops/linear.h"
#include "ops/variants.h"

const cc_operation *const cc_operations[] = {
    &cc_conv2d_operation,
    &cc_conv2d_affine_operation,
    &cc_gemm_operation,
    &cc_linear_operation,
    &cc_batch_norm_operation,
    &cc_batch_norm_fold_operation,
    &cc_add_operation,
    &cc_max_pool_operation,
    &cc_average_pool_operation,
    &cc_global_average_pool_operation,
    &cc_softmax_operation,
    &cc_confidence_operation,
    &cc_cross_entropy_operation,
    &cc_evaluate_operation,
    &cc_sgd_operation,
    &cc_ema_operation,
    &cc_grad_cam_operation,
    &cc_grad_cam_seed_operation,
    &cc_argmax_rows_operation,
    &cc_resize_operation,
    &cc_min_max_operation,
    &cc_warp_operation,
    &cc_load_images_operation,
    &cc_load_labels_operation,
    &cc_masked_mse_operation,
    &cc_soft_cross_entropy_operation,
    &cc_probability_mse_operation,
    &cc_class_thresholds_operation,
    &cc_adaptive_thresholds_operation,
    &cc_confidence_weights_operation,
    &cc_fairness_operation,
    &cc_affine_warp_operation,
    &cc_counted_mse_operation,
    &cc_load_bytes_operation,
    &cc_randaugment_operation,
    NULL,
};

const cc_operation *cc_operations_find(const char *name, size_t length)
{
    for (const cc_operation *const *op = cc_operations; *op; op++)
        if (strncmp((*op)->name, name, length) == 0 && (*op)->name[length] == '\0') return *op;
    return NULL;
}

size_t cc_registry_count(void)
{
    size_t n = 0;
    for (const cc_operation *const *op = cc_operations; *op; op++)
        n += cc_operation_count(*op);
    return n;
}

const cc_variant *cc_registry_at(size_t index)
{
    for (const cc_operation *const *op = cc_operations; *op; op++) {
        const size_t count = cc_operation_count(*op);
        if (index < count) return cc_operation_at(*op, index);
        index -= count;
    }
    assert(!"index < cc_registry_count()");
    return NULL;
}

const cc_variant *cc_registry_find(const char *op, cc_direction direction, const char *name)
{
    const cc_operation *found = cc_operations_find(op, strlen(op));
    return found ? cc_operation_find(found, direction, name) : NULL;
}
