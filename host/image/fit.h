/* How a picture of any shape becomes a square. */
#ifndef CC_IMAGE_FIT_H
#define CC_IMAGE_FIT_H

#include "image/scale.h"

typedef struct cc_fit_plan {
    cc_axis x, y;       /* what is scaled to what; their counts are at most the side */
    uint32_t left, top; /* where that goes in the square */
    uint32_t side;
} cc_fit_plan;

cc_fit_plan cc_fit_plan_of(uint32_t width, uint32_t height, uint32_t side, camcl_fit fit);

/* Makes the square; what the scaled picture does not cover is black. */
camcl_status cc_fit_run(const camcl_image *image, const cc_fit_plan *plan, camcl_image *out, camcl_error *err);

#endif
