/* Antialiased bilinear scaling of a part of a picture. */
#ifndef CC_IMAGE_SCALE_H
#define CC_IMAGE_SCALE_H

#include "base/diag.h"
#include "camcl/image.h"

/* One axis: `extent` pixels from `origin` on become `to`, of which `count` from `first` on are wanted. */
typedef struct cc_axis {
    double origin, extent;
    uint64_t to, first;
    uint32_t count;
} cc_axis;

/* The whole axis of `from` pixels becomes `to`. */
cc_axis cc_whole_axis(uint32_t from, uint32_t to);

/* Writes [y.count, x.count, channels] to `to`, rows `stride` bytes apart. Only pixels that the wanted ones need are looked at. */
camcl_status cc_scale(const camcl_image *image, const cc_axis *x, const cc_axis *y, uint8_t *to, size_t stride, camcl_error *err);

#endif
