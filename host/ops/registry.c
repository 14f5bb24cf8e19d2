/* One list out of the lists of all operations. */
#include "ops/registry.h"

#include <assert.h>
#include <string.h>

#include "ops/variants.h"

typedef struct variant_list {
    const cc_variant *variants;
    const size_t *count;
} variant_list;
#define LIST(op)                                                                                                                           \
    {                                                                                                                                      \
        cc_##op##_variants, &cc_##op##_variant_count                                                                                       \
    }

static const variant_list lists[] = {
    LIST(conv2d), LIST(conv2d_affine), LIST(gemm),   LIST(linear),  LIST(batch_norm), LIST(pointwise), LIST(pool),       LIST(softmax),
    LIST(sgd),    LIST(grad_cam),      LIST(resize), LIST(min_max), LIST(warp),       LIST(load),      LIST(masked_mse),
};

size_t cc_registry_count(void)
{
    size_t n = 0;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        n += *lists[i].count;
    return n;
}

const cc_variant *cc_registry_at(size_t index)
{
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (index < *lists[i].count) return &lists[i].variants[index];
        index -= *lists[i].count;
    }
    assert(!"index < cc_registry_count()");
    return NULL;
}

const cc_variant *cc_registry_find(const char *op, cc_direction direction, const char *name)
{
    for (size_t i = 0; i < cc_registry_count(); i++) {
        const cc_variant *variant = cc_registry_at(i);
        if (variant->direction == direction && strcmp(variant->op, op) == 0 && strcmp(variant->name, name) == 0) return variant;
    }
    return NULL;
}

const char *cc_direction_name(cc_direction direction)
{
    switch (direction) {
    case CC_FORWARD: return "forward";
    case CC_BACKWARD_DATA: return "backward-data";
    case CC_BACKWARD_WEIGHT: return "backward-weight";
    case CC_BACKWARD: return "backward";
    case CC_TANGENT: return "tangent";
    }
    return "unknown";
}
