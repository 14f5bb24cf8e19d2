#include "image/fit.h"

#include "base/arguments.h"

#include <stdbool.h>
#include <string.h>

/* The length of an axis of `from` pixels when one of `other` pixels becomes `side`, to the nearest pixel. */
static uint64_t in_proportion(uint32_t from, uint32_t other, uint32_t side)
{
    return ((uint64_t)from * side * 2 + other) / ((uint64_t)other * 2);
}

cc_fit_plan cc_fit_plan_of(uint32_t width, uint32_t height, uint32_t side, camcl_fit fit)
{
    cc_fit_plan plan = { cc_whole_axis(width, side), cc_whole_axis(height, side), 0, 0, side };
    const bool wide = width > height;
    if (fit == CAMCL_FIT_CROP) {
        cc_axis *longer = wide ? &plan.x : &plan.y;
        longer->to = wide ? in_proportion(width, height, side) : in_proportion(height, width, side);
        longer->first = (longer->to - side) / 2;
    } else if (fit == CAMCL_FIT_PAD) {
        cc_axis *shorter = wide ? &plan.y : &plan.x;
        uint64_t length = wide ? in_proportion(height, width, side) : in_proportion(width, height, side);
        shorter->to = length > 0 ? length : 1;
        shorter->count = (uint32_t)shorter->to;
        *(wide ? &plan.top : &plan.left) = (side - shorter->count) / 2;
    }
    return plan;
}

camcl_status cc_fit_run(const camcl_image *image, const cc_fit_plan *plan, camcl_image *out, camcl_error *err)
{
    const size_t row = (size_t)plan->side * image->channels;
    CC_RETURN_IF_FAILED(camcl_image_create(plan->side, plan->side, image->channels, out, err));
    uint8_t *corner = out->pixels + plan->top * row + (size_t)plan->left * image->channels;
    camcl_status status = cc_scale(image, &plan->x, &plan->y, corner, row, err);
    if (status != CAMCL_OK) camcl_image_free(out);
    return status;
}

static camcl_status copy(const camcl_image *image, camcl_image *out, camcl_error *err)
{
    CC_RETURN_IF_FAILED(camcl_image_create(image->width, image->height, image->channels, out, err));
    memcpy(out->pixels, image->pixels, (size_t)image->width * image->height * image->channels);
    return CAMCL_OK;
}

camcl_status camcl_image_fit(const camcl_image *image, uint32_t side, camcl_fit fit, camcl_image *out, camcl_error *err)
{
    CC_CHECK_GIVEN(image, err);
    CC_CHECK_GIVEN(out, err);
    if (side == 0) return copy(image, out, err);
    *out = (camcl_image){ .pixels = NULL };
    if (image->width == 0 || image->height == 0)
        return cc_fail(err, CAMCL_BAD_DATA, "picture of %u x %u pixels: there is nothing to scale (read a picture first)", image->width,
                       image->height);
    const cc_fit_plan plan = cc_fit_plan_of(image->width, image->height, side, fit);
    return cc_fit_run(image, &plan, out, err);
}
