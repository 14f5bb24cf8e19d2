/* The kinds of views of an image, and what is drawn for them. */
#ifndef CC_FEED_VIEWS_H
#define CC_FEED_VIEWS_H

#include "ops/ops.h"

/* Of labelled images and weak views. In cc_transform: flips; the window [y0,y1) x [x0,x1) of the flipped picture, resized to S x S. */
typedef enum cc_weak_view {
    CC_WEAK_FLIP,        /* the window is the picture */
    CC_WEAK_FLIP_SHIFT,  /* the window has the picture's size, and what lies outside the picture is reflected at its edge */
    CC_WEAK_RESIZED_CROP /* the window lies inside the picture */
} cc_weak_view;

typedef enum cc_strong_view {
    CC_STRONG_CROP_ROTATE, /* crop, resize back and quarter turns of the weak view */
    CC_STRONG_RANDAUGMENT, /* flip and shift, operations on the bytes, cutout */
    CC_STRONG_WEAK         /* a second weak view */
} cc_strong_view;

typedef struct cc_view_spec {
    cc_weak_view weak;
    cc_strong_view strong;
    size_t operations; /* CC_STRONG_RANDAUGMENT: how many are drawn; the cutout follows them */
} cc_view_spec;

/* Whether strong views are views of the images themselves, with flips and window of their own. */
static inline bool cc_strong_is_own(const cc_view_spec *spec) { return spec->strong != CC_STRONG_CROP_ROTATE; }
/* Whether T is an affine map with pixels that do not count (cc_affine), else crop and turns with all pixels counting (cc_transform). */
static inline bool cc_views_are_affine(const cc_view_spec *spec) { return cc_strong_is_own(spec) || spec->weak == CC_WEAK_FLIP_SHIFT; }

#endif
