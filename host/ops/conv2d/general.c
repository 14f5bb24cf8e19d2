/* Convolution as its definition has it, for every shape and device (cl/conv2d/general.cl). */
#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/conv2d/lists.h"
#include "ops/conv2d/shape.h"
#include "ops/record.h"

/* One launch over images first .. first+images-1. */
static cc_launch over_images(const cc_conv2d_desc *d, size_t x, size_t y, size_t z, size_t images)
{
    return (cc_launch){ .dims = 3, .global = { x, y, z }, .flops = cc_conv2d_flops(d) * (double)images / (double)d->n };
}
#define GENERAL_ARGS(desc, first_image, images, adds)                                                                                      \
    .first = CC_INT(first_image), .N = CC_INT(images), .H = CC_INT((desc)->h), .W = CC_INT((desc)->w), .C = CC_INT((desc)->c),             \
    .K = CC_INT((desc)->k), .R = CC_INT((desc)->r), .S = CC_INT((desc)->s), .stride = CC_INT((desc)->stride), .pad = CC_INT((desc)->pad),  \
    .groups = CC_INT((desc)->groups), .P = CC_INT(cc_conv2d_out_h(desc)), .Q = CC_INT(cc_conv2d_out_w(desc)), .add = CC_INT(adds)

static camcl_status forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_FORWARD, d, io, count, false, err));
    const cc_launch launch = over_images(d, d->k, cc_conv2d_out_h(d) * cc_conv2d_out_w(d), d->n, d->n);
    return CC_LAUNCH(tape, conv2d_forward_general, &launch, err, .x = CC_IN(io[0].buffer), .w = CC_IN(io[1].buffer),
                     .y = add ? CC_INOUT(io[2].buffer) : CC_OUT(io[2].buffer), GENERAL_ARGS(d, 0, d->n, add));
}

static camcl_status backward_data(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_BACKWARD_DATA, d, io, count, false, err));
    const cc_launch launch = over_images(d, d->c, d->h * d->w, d->n, d->n);
    return CC_LAUNCH(tape, conv2d_backward_data_general, &launch, err, .dy = CC_IN(io[0].buffer), .w = CC_IN(io[1].buffer),
                     .dx = add ? CC_INOUT(io[2].buffer) : CC_OUT(io[2].buffer), GENERAL_ARGS(d, 0, d->n, add));
}

/* The images are divided among several launches, each of which adds its sums to those of the launches before. In a single launch, the
 * sum of a work-item would run for seconds, which GPUs that drive a screen do not allow. Mesa's llvmpipe even ends the loops of a
 * work-item silently after 65535 iterations in total. */
static camcl_status backward_weight(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_BACKWARD_WEIGHT, d, io, count, false, err));
    const size_t pixels = (cc_conv2d_out_h(d) + 1) * (cc_conv2d_out_w(d) + 1);
    const size_t images = cc_max_size(1, 32768 / pixels);
    for (size_t first = 0; first < d->n; first += images) {
        const bool adds = add || first > 0;
        const size_t now = cc_min_size(images, d->n - first);
        const cc_launch launch = over_images(d, d->k, d->c / d->groups, d->r * d->s, now);
        CC_RETURN_IF_FAILED(CC_LAUNCH(tape, conv2d_backward_weight_general, &launch, err, .x = CC_IN(io[0].buffer),
                                      .dy = CC_IN(io[1].buffer), .dw = adds ? CC_INOUT(io[2].buffer) : CC_OUT(io[2].buffer),
                                      GENERAL_ARGS(d, first, now, adds)));
    }
    return CAMCL_OK;
}

const cc_variant cc_conv2d_general_variants[] = {
    { .op = &cc_conv2d_operation,
      .direction = CC_FORWARD,
      .name = "general",
      .role = CC_ROLE_FALLBACK,
      .family = "direct",
      .supports = cc_supports_all,
      .record = forward },
    { .op = &cc_conv2d_operation,
      .direction = CC_BACKWARD_DATA,
      .name = "general",
      .role = CC_ROLE_FALLBACK,
      .family = "direct",
      .supports = cc_supports_all,
      .record = backward_data },
    { .op = &cc_conv2d_operation,
      .direction = CC_BACKWARD_WEIGHT,
      .name = "general",
      .role = CC_ROLE_FALLBACK,
      .family = "direct",
      .supports = cc_supports_all,
      .record = backward_weight },
};
const size_t cc_conv2d_general_variant_count = CC_COUNT(cc_conv2d_general_variants);
