/* Convolution: shapes, the general variant, the list of variants and the choice among them. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/conv2d/family.h"
#include "ops/conv2d/winograd.h"
#include "ops/conv2d/winograd_stride2.h"

size_t cc_conv2d_out_h(const cc_conv2d_desc *desc) { return (desc->h + 2 * desc->pad - desc->r) / desc->stride + 1; }
size_t cc_conv2d_out_w(const cc_conv2d_desc *desc) { return (desc->w + 2 * desc->pad - desc->s) / desc->stride + 1; }

double cc_conv2d_flops(const cc_conv2d_desc *desc)
{
    return 2.0 * (double)desc->n * (double)cc_conv2d_out_h(desc) * (double)cc_conv2d_out_w(desc) * (double)desc->k * (double)desc->c *
           (double)desc->r * (double)desc->s;
}

void cc_conv2d_key(const cc_conv2d_desc *desc, cc_direction direction, char *text, size_t size)
{
    snprintf(text, size, "conv2d %s n%zu h%zu w%zu c%zu k%zu r%zu s%zu stride%zu pad%zu", cc_direction_name(direction), desc->n, desc->h,
             desc->w, desc->c, desc->k, desc->r, desc->s, desc->stride, desc->pad);
}

static bool has_shape(const cc_tensor *tensor, size_t d0, size_t d1, size_t d2, size_t d3)
{
    return tensor->buffer && tensor->dtype == CC_F32 && tensor->rank == 4 && tensor->dim[0] == d0 && tensor->dim[1] == d1 &&
           tensor->dim[2] == d2 && tensor->dim[3] == d3;
}

/* Kernels index within an image, a weight tensor and a band with 32-bit integers. */
static bool indices_fit(const cc_conv2d_desc *d)
{
    const size_t limit = 0x3fffffff;
    size_t x = 0, y = 0, w = 0;
    return cc_mul_size(d->h + 2 * d->pad + d->r, d->w + 2 * d->pad + d->s, &x) && cc_mul_size(x, d->c + 16, &x) && x <= limit &&
           cc_mul_size(cc_conv2d_out_h(d), cc_conv2d_out_w(d), &y) && cc_mul_size(y, d->k, &y) && y <= limit &&
           cc_mul_size(d->r, d->s, &w) && cc_mul_size(w, d->c + 64, &w) && cc_mul_size(w, d->k + 64, &w) && w <= limit && d->n <= limit;
}

camcl_status cc_conv2d_check(cc_direction direction, const cc_conv2d_desc *d, const cc_tensor *io, size_t count, bool packed,
                             camcl_error *err)
{
    char key[160];
    cc_conv2d_key(d, direction, key, sizeof key);
    if (!d->n || !d->h || !d->w || !d->c || !d->k || !d->r || !d->s || !d->stride || d->h + 2 * d->pad < d->r || d->w + 2 * d->pad < d->s)
        return cc_fail(err, CAMCL_UNSUPPORTED, "%s: the kernel does not fit the padded image (use larger images)", key);
    if (!indices_fit(d))
        return cc_fail(err, CAMCL_UNSUPPORTED, "%s: an image or the weights exceed 2^30 numbers (use smaller images)", key);
    const size_t p = cc_conv2d_out_h(d), q = cc_conv2d_out_w(d);
    const cc_tensor *x = direction == CC_BACKWARD_DATA ? &io[2] : &io[0];
    const cc_tensor *y = direction == CC_FORWARD ? &io[2] : direction == CC_BACKWARD_DATA ? &io[0] : &io[1];
    const cc_tensor *w = direction == CC_BACKWARD_WEIGHT ? &io[2] : &io[1];
    if (count != 3 || !has_shape(x, d->n, d->h, d->w, d->c) || !has_shape(y, d->n, p, q, d->k) ||
        !(packed ? w->buffer != NULL : has_shape(w, d->r, d->s, d->c, d->k)))
        return cc_fail(err, CAMCL_FAILED, "%s: operands of other shapes (report this as a defect)", key);
    return CAMCL_OK;
}

/* One launch over images first .. first+images-1. */
static cc_launch over_images(const cc_conv2d_desc *d, size_t x, size_t y, size_t z, size_t images)
{
    return (cc_launch){ .dims = 3, .global = { x, y, z }, .flops = cc_conv2d_flops(d) * (double)images / (double)d->n };
}
#define GENERAL_ARGS(desc, first_image, images, adds)                                                                                      \
    .first = CC_INT(first_image), .N = CC_INT(images), .H = CC_INT((desc)->h), .W = CC_INT((desc)->w), .C = CC_INT((desc)->c),             \
    .K = CC_INT((desc)->k), .R = CC_INT((desc)->r), .S = CC_INT((desc)->s), .stride = CC_INT((desc)->stride), .pad = CC_INT((desc)->pad),  \
    .P = CC_INT(cc_conv2d_out_h(desc)), .Q = CC_INT(cc_conv2d_out_w(desc)), .add = CC_INT(adds)

static bool supports_all(const camcl_device_info *info, const void *desc)
{
    (void)info;
    (void)desc;
    return true;
}

static camcl_status general_forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_FORWARD, d, io, count, false, err));
    const cc_launch launch = over_images(d, d->k, cc_conv2d_out_h(d) * cc_conv2d_out_w(d), d->n, d->n);
    return CC_LAUNCH(tape, conv2d_forward_general, &launch, err, .x = CC_IN(io[0].buffer), .w = CC_IN(io[1].buffer),
                     .y = add ? CC_INOUT(io[2].buffer) : CC_OUT(io[2].buffer), GENERAL_ARGS(d, 0, d->n, add));
}

static camcl_status general_backward_data(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_BACKWARD_DATA, d, io, count, false, err));
    const cc_launch launch = over_images(d, d->c, d->h * d->w, d->n, d->n);
    return CC_LAUNCH(tape, conv2d_backward_data_general, &launch, err, .dy = CC_IN(io[0].buffer), .w = CC_IN(io[1].buffer),
                     .dx = add ? CC_INOUT(io[2].buffer) : CC_OUT(io[2].buffer), GENERAL_ARGS(d, 0, d->n, add));
}

/* Images are cut into several launches, each adding to the last: a work-item's sum would run for seconds, which GPUs that drive a screen do
 * not allow, and Mesa's llvmpipe silently ends the loops of a work-item after 65535 turns in all. */
static camcl_status general_backward_weight(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_BACKWARD_WEIGHT, d, io, count, false, err));
    const size_t pixels = (cc_conv2d_out_h(d) + 1) * (cc_conv2d_out_w(d) + 1);
    const size_t images = cc_max_size(1, 32768 / pixels);
    for (size_t first = 0; first < d->n; first += images) {
        const bool adds = add || first > 0;
        const size_t now = cc_min_size(images, d->n - first);
        const cc_launch launch = over_images(d, d->k, d->c, d->r * d->s, now);
        CC_RETURN_IF_FAILED(CC_LAUNCH(tape, conv2d_backward_weight_general, &launch, err, .x = CC_IN(io[0].buffer),
                                      .dy = CC_IN(io[1].buffer), .dw = adds ? CC_INOUT(io[2].buffer) : CC_OUT(io[2].buffer),
                                      GENERAL_ARGS(d, first, now, adds)));
    }
    return CAMCL_OK;
}

#define WINOGRAD(tiles)                                                                                                                    \
    { "conv2d",                                                                                                                            \
      CC_FORWARD,                                                                                                                          \
      "winograd" #tiles,                                                                                                                   \
      "winograd",                                                                                                                          \
      cc_conv2d_winograd_supports,                                                                                                         \
      cc_conv2d_winograd##tiles##_forward,                                                                                                 \
      cc_conv2d_winograd_forward_bytes,                                                                                                    \
      cc_conv2d_winograd_pack_forward,                                                                                                     \
      "winograd_forward" },                                                                                                                \
    {                                                                                                                                      \
        "conv2d", CC_BACKWARD_DATA, "winograd" #tiles, "winograd", cc_conv2d_winograd_supports, cc_conv2d_winograd##tiles##_backward_data, \
            cc_conv2d_winograd_backward_data_bytes, cc_conv2d_winograd_pack_backward_data, "winograd_backward_data"                        \
    }

#define LOCAL(name)                                                                                                                        \
    { "conv2d", CC_FORWARD, #name, "direct", cc_conv2d_##name##_supports, cc_conv2d_##name##_forward, NULL, NULL, NULL },                  \
        { "conv2d", CC_BACKWARD_DATA, #name, "direct", cc_conv2d_##name##_supports, cc_conv2d_##name##_backward_data, NULL, NULL, NULL },  \
    {                                                                                                                                      \
        "conv2d", CC_BACKWARD_WEIGHT, #name, "direct", cc_conv2d_##name##_supports, cc_conv2d_##name##_backward_weight, NULL, NULL, NULL   \
    }

#define WINOGRAD_LOCAL(name)                                                                                                               \
    { "conv2d",                                                                                                                            \
      CC_FORWARD,                                                                                                                          \
      #name,                                                                                                                               \
      "winograd",                                                                                                                          \
      cc_conv2d_##name##_supports,                                                                                                         \
      cc_conv2d_##name##_forward,                                                                                                          \
      cc_conv2d_winograd_local_bytes,                                                                                                      \
      cc_conv2d_winograd_local_pack_forward,                                                                                               \
      "winograd_local_forward" },                                                                                                          \
        { "conv2d",                                                                                                                        \
          CC_BACKWARD_DATA,                                                                                                                \
          #name,                                                                                                                           \
          "winograd",                                                                                                                      \
          cc_conv2d_##name##_supports,                                                                                                     \
          cc_conv2d_##name##_backward_data,                                                                                                \
          cc_conv2d_winograd_local_bytes,                                                                                                  \
          cc_conv2d_winograd_local_pack_backward_data,                                                                                     \
          "winograd_local_backward_data" },                                                                                                \
    {                                                                                                                                      \
        "conv2d", CC_BACKWARD_WEIGHT, #name, "winograd", cc_conv2d_##name##_supports, cc_conv2d_##name##_backward_weight, NULL, NULL, NULL \
    }

/* Per direction the general one first. */
const cc_variant cc_conv2d_variants[] = {
    { "conv2d", CC_FORWARD, "general", "direct", supports_all, general_forward, NULL, NULL, NULL },
    { "conv2d", CC_BACKWARD_DATA, "general", "direct", supports_all, general_backward_data, NULL, NULL, NULL },
    { "conv2d", CC_BACKWARD_WEIGHT, "general", "direct", supports_all, general_backward_weight, NULL, NULL, NULL },
    { "conv2d", CC_FORWARD, "gemm", "gemm", cc_conv2d_gemm_supports, cc_conv2d_gemm_forward, NULL, NULL, NULL },
    { "conv2d", CC_BACKWARD_DATA, "gemm", "gemm", cc_conv2d_gemm_supports, cc_conv2d_gemm_backward_data, NULL, NULL, NULL },
    { "conv2d", CC_BACKWARD_WEIGHT, "gemm", "gemm", cc_conv2d_gemm_supports, cc_conv2d_gemm_backward_weight, NULL, NULL, NULL },
    LOCAL(local),
    LOCAL(local_small),
    WINOGRAD_LOCAL(winograd_local),
    WINOGRAD_LOCAL(winograd_local_small),
    { "conv2d", CC_FORWARD, "tile", "direct", cc_conv2d_tile_supports, cc_conv2d_tile_forward, cc_conv2d_tile_forward_bytes,
      cc_conv2d_tile_pack_forward, "tile_forward" },
    { "conv2d", CC_BACKWARD_DATA, "tile", "direct", cc_conv2d_tile_supports, cc_conv2d_tile_backward_data,
      cc_conv2d_tile_backward_data_bytes, cc_conv2d_tile_pack_backward_data, "tile_backward_data" },
    { "conv2d", CC_BACKWARD_WEIGHT, "tile", "direct", cc_conv2d_tile_supports, cc_conv2d_tile_backward_weight, NULL, NULL, NULL },
    { "conv2d", CC_BACKWARD_WEIGHT, "winograd", "winograd", cc_conv2d_winograd_supports, cc_conv2d_winograd_backward_weight, NULL, NULL,
      NULL },
    WINOGRAD(12),
    WINOGRAD(24),
    WINOGRAD(48),
    { "conv2d", CC_FORWARD, "winograd_inline", "winograd", cc_conv2d_winograd_supports, cc_conv2d_winograd_inline_forward, NULL, NULL,
      NULL },
    { "conv2d", CC_BACKWARD_DATA, "winograd_inline", "winograd", cc_conv2d_winograd_supports, cc_conv2d_winograd_inline_backward_data, NULL,
      NULL, NULL },
    { "conv2d", CC_FORWARD, "winograd_stride2", "winograd", cc_conv2d_winograd_stride2_supports, cc_conv2d_winograd_stride2_forward,
      cc_conv2d_winograd_stride2_forward_bytes, cc_conv2d_winograd_stride2_pack_forward, "winograd_stride2_forward" },
    { "conv2d", CC_BACKWARD_DATA, "winograd_stride2", "winograd", cc_conv2d_winograd_stride2_supports,
      cc_conv2d_winograd_stride2_backward_data, cc_conv2d_winograd_stride2_backward_data_bytes,
      cc_conv2d_winograd_stride2_pack_backward_data, "winograd_stride2_backward_data" },
    { "conv2d", CC_BACKWARD_WEIGHT, "winograd_stride2", "winograd", cc_conv2d_winograd_stride2_supports,
      cc_conv2d_winograd_stride2_backward_weight, NULL, NULL, NULL },
};
const size_t cc_conv2d_variant_count = CC_COUNT(cc_conv2d_variants);

bool cc_conv2d_allows(const camcl_device_info *info, const char *policy, const cc_variant *variant, const cc_conv2d_desc *desc)
{
    if (strcmp(policy, "auto") == 0 || strcmp(policy, variant->family) == 0) return true;
    if (strcmp(policy, "winograd") != 0 || strcmp(variant->family, "direct") != 0) return false;
    for (size_t i = 0; i < cc_conv2d_variant_count; i++) {
        const cc_variant *v = &cc_conv2d_variants[i];
        if (v->direction == variant->direction && strcmp(v->family, "winograd") == 0 && v->supports(info, desc)) return false;
    }
    return true;
}

bool cc_conv2d_competes(const camcl_device_info *info, const cc_variant *variant, const cc_conv2d_desc *desc)
{
    return strstr(variant->name, "local") == NULL || !cc_conv2d_tile_supports(info, desc);
}

/* The built-in table: names, best first, by device class. GPUs: Winograd where its transforms pay; else a direct convolution, which moves
 * less than im2col or col2im and a GEMM; GEMM, and small tiles, for devices that do not run the chosen ones. */
const cc_variant *cc_conv2d_choose(const camcl_device_info *info, const char *policy, cc_direction direction, const cc_conv2d_desc *desc)
{
    const char *const cpu_order[] = { cc_conv2d_winograd_default(policy, direction, desc),
                                      cc_conv2d_winograd_stride2_default(policy, direction, desc),
                                      "tile",
                                      "gemm",
                                      "winograd_local",
                                      "general" };
    const char *const gpu_order[] = { cc_conv2d_winograd_local_default(info, policy, direction, desc),
                                      cc_conv2d_local_default(info, direction, desc),
                                      "local_small",
                                      "gemm",
                                      "winograd_local_small",
                                      "general" };
    const char *const *order = cc_device_get_class(info) == CC_CLASS_CPU ? cpu_order : gpu_order;
    const cc_variant *general = NULL;
    for (size_t i = 0; i < CC_COUNT(cpu_order); i++) {
        for (size_t j = 0; j < cc_conv2d_variant_count; j++) {
            const cc_variant *v = &cc_conv2d_variants[j];
            if (v->direction != direction) continue;
            if (strcmp(v->name, "general") == 0) general = v;
            if (order[i] && strcmp(v->name, order[i]) == 0 && cc_conv2d_allows(info, policy, v, desc) && v->supports(info, desc)) return v;
        }
    }
    return general;
}
