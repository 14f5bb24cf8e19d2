/* The list of operations. */
#include "ops/registry.h"

#include <assert.h>
#include <string.h>

#include "ops/conv2d/conv2d.h"
#include "ops/linear.h"
#include "ops/variants.h"

/* Operations without a choice: name, and the file that exports their variants. */
#define SMALL(op, file)                                                                                                                    \
    &(const cc_operation)                                                                                                                  \
    {                                                                                                                                      \
        .name = op, .lists = (const cc_variant_list[])                                                                                     \
        {                                                                                                                                  \
            { cc_##file##_variants, &cc_##file##_variant_count }, { NULL, NULL }                                                           \
        }                                                                                                                                  \
    }

const cc_operation *const cc_operations[] = {
    &cc_conv2d_operation,
    &cc_conv2d_affine_operation,
    &cc_linear_operation,
    SMALL("gemm", gemm),
    SMALL("batch_norm", batch_norm),
    SMALL("batch_norm_fold", batch_norm),
    SMALL("add", pointwise),
    SMALL("max_pool", pool),
    SMALL("average_pool", pool),
    SMALL("global_average_pool", pool),
    SMALL("softmax", softmax),
    SMALL("confidence", softmax),
    SMALL("cross_entropy", softmax),
    SMALL("evaluate", softmax),
    SMALL("sgd", sgd),
    SMALL("ema", sgd),
    SMALL("grad_cam", grad_cam),
    SMALL("grad_cam_seed", grad_cam),
    SMALL("argmax_rows", grad_cam),
    SMALL("resize", resize),
    SMALL("min_max", min_max),
    SMALL("warp", warp),
    SMALL("load_images", load),
    SMALL("load_labels", load),
    SMALL("masked_mse", masked_mse),
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
