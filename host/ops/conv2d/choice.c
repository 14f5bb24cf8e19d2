/* The variants of the family, the choice among them, and what else the registry knows of convolutions. */
#include <string.h>

#include "base/memory.h"
#include "ops/conv2d/lists.h"
#include "ops/conv2d/shape.h"
#include "ops/gemm.h"
#include "ops/record.h"

#define LIST(file) { cc_conv2d_##file##_variants, &cc_conv2d_##file##_variant_count },
static const cc_variant_list lists[] = { CC_CONV2D_FILES(LIST){ NULL, NULL } };

bool cc_conv2d_allows(const camcl_device_info *info, const char *policy, const cc_variant *variant, const cc_conv2d_desc *desc)
{
    if (strcmp(policy, "auto") == 0 || strcmp(policy, variant->family) == 0) return true;
    if (strcmp(policy, "winograd") != 0 || strcmp(variant->family, "direct") != 0) return false;
    for (const cc_variant_list *list = lists; list->variants; list++) {
        for (size_t i = 0; i < *list->count; i++) {
            const cc_variant *v = &list->variants[i];
            if (v->op == &cc_conv2d_operation && v->direction == variant->direction && strcmp(v->family, "winograd") == 0 &&
                v->supports(info, desc))
                return false;
        }
    }
    return true;
}

bool cc_conv2d_competes(const camcl_device_info *info, const cc_variant *variant)
{
    return variant->role != CC_ROLE_GPU || !cc_likes_long_items(info);
}

/* The first of these names that the policy allows and that supports the convolution, else the general one. NULLs are skipped. */
static const cc_variant *first_of(const char *const *names, size_t count, const camcl_device_info *info, const char *policy,
                                  cc_direction direction, const cc_conv2d_desc *desc)
{
    for (size_t i = 0; i < count; i++) {
        const cc_variant *v = names[i] ? cc_operation_find(&cc_conv2d_operation, direction, names[i]) : NULL;
        if (v && cc_conv2d_allows(info, policy, v, desc) && v->supports(info, desc)) return v;
    }
    return cc_operation_find(&cc_conv2d_operation, direction, "general");
}

/* The built-in table: names, best first, by device class. CPUs: Winograd where its transforms pay, else the direct convolution that is made
 * for the shape. GPUs: Winograd where its transforms pay; else a direct convolution, which moves less than im2col or col2im and a GEMM;
 * GEMM, and small tiles, for devices that do not run the chosen ones. */
const cc_variant *cc_conv2d_choose(const camcl_device_info *info, const char *policy, cc_direction direction, const cc_conv2d_desc *desc)
{
    if (cc_device_get_class(info) == CC_CLASS_CPU) {
        const char *const names[] = { cc_conv2d_winograd_default(policy, direction, desc),
                                      cc_conv2d_winograd_stride2_default(policy, direction, desc),
                                      "point",
                                      "narrow",
                                      "tile",
                                      "gemm",
                                      "winograd_local" };
        return first_of(names, CC_COUNT(names), info, policy, direction, desc);
    }
    const char *const names[] = { cc_conv2d_winograd_local_default(info, policy, direction, desc),
                                  cc_conv2d_local_default(info, direction, desc), "local_small", "gemm", "winograd_local_small" };
    return first_of(names, CC_COUNT(names), info, policy, direction, desc);
}

/* ---- the rows */

static const cc_variant *builtin(const camcl_device_info *info, const char *policy, cc_direction direction, const void *desc)
{
    return cc_conv2d_choose(info, policy, direction, desc);
}

static bool competes(const camcl_device_info *info, const char *policy, const cc_variant *variant, const void *desc)
{
    return cc_conv2d_allows(info, policy, variant, desc) && cc_conv2d_competes(info, variant);
}

static size_t operands(cc_direction direction, const void *desc, cc_tensor *io, size_t *output)
{
    const cc_conv2d_desc *d = desc;
    const cc_tensor x = { .dtype = CC_F32, .rank = 4, .dim = { d->n, d->h, d->w, d->c } };
    const cc_tensor y = { .dtype = CC_F32, .rank = 4, .dim = { d->n, cc_conv2d_out_h(d), cc_conv2d_out_w(d), d->k } };
    const cc_tensor w = { .dtype = CC_F32, .rank = 4, .dim = { d->r, d->s, d->c / d->groups, d->k } };
    io[0] = direction == CC_BACKWARD_DATA ? y : x;
    io[1] = direction == CC_BACKWARD_WEIGHT ? y : w;
    io[2] = direction == CC_FORWARD ? y : direction == CC_BACKWARD_DATA ? x : w;
    *output = 2;
    return 3;
}

static size_t *images(void *desc) { return &((cc_conv2d_desc *)desc)->n; }

static void product(const void *desc, cc_gemm_desc *out)
{
    const cc_conv2d_desc *d = desc;
    *out = (cc_gemm_desc){ .m = d->n * cc_conv2d_out_h(d) * cc_conv2d_out_w(d), .n = d->k, .k = d->r * d->s * d->c };
}

/* In the first version of camcl, "tile" was the name of "tile", "point" and "narrow". */
static const char *successor(const camcl_device_info *info, cc_direction direction, const void *desc, const char *name)
{
    static const char *const parts[] = { "point", "narrow" };
    if (strcmp(name, "tile") != 0) return NULL;
    for (size_t i = 0; i < CC_COUNT(parts); i++) {
        const cc_variant *v = cc_operation_find(&cc_conv2d_operation, direction, parts[i]);
        if (v && v->supports(info, desc)) return parts[i];
    }
    return NULL;
}

static void write_key(const void *desc, char *text, size_t size) { cc_conv2d_write_shape(desc, text, size); }
static bool read_key(const char *text, void *desc) { return cc_conv2d_read_shape(text, desc); }

static cc_cost cost(const void *desc)
{
    const cc_conv2d_desc *d = desc;
    const double x = (double)(d->n * d->h * d->w) * (double)d->c, w = (double)(d->r * d->s * (d->c / d->groups)) * (double)d->k,
                 y = (double)(d->n * cc_conv2d_out_h(d) * cc_conv2d_out_w(d)) * (double)d->k;
    return (cc_cost){ cc_conv2d_flops(d), sizeof(float) * (x + w + y) };
}

const cc_operation cc_conv2d_operation = {
    .name = "conv2d",
    .lists = lists,
    .write_key = write_key,
    .read_key = read_key,
    .cost = cost,
    .choice =
        &(const cc_op_choice){
            .builtin = builtin, .competes = competes, .operands = operands, .images = images, .product = product, .successor = successor }
};

static void affine_write_key(const void *desc, char *text, size_t size) { cc_conv2d_write_shape(cc_conv2d_of_affine(desc), text, size); }

/* Keys do not contain the activation. */
static bool affine_read_key(const char *text, void *desc)
{
    cc_conv2d_affine_desc *d = desc;
    *d = (cc_conv2d_affine_desc){ .activation = CC_NO_ACTIVATION };
    return cc_conv2d_read_shape(text, &d->conv);
}

/* Counts as the plain convolution, because what is applied to each sum is little beside it. */
static cc_cost affine_cost(const void *desc) { return cost(cc_conv2d_of_affine(desc)); }

/* There is no choice of its own: the plan chooses the variant of the convolution, and that variant has an affine counterpart or not. */
const cc_operation cc_conv2d_affine_operation = {
    .name = "conv2d_affine", .lists = lists, .write_key = affine_write_key, .read_key = affine_read_key, .cost = affine_cost
};
