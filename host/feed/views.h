/* The kinds of views of an image. */
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

enum { CC_MOST_DRAWN_OPERATIONS = 16 };
typedef struct cc_view_spec {
    cc_weak_view weak;
    cc_strong_view strong;
    size_t operations; /* CC_STRONG_RANDAUGMENT: how many are drawn, at most CC_MOST_DRAWN_OPERATIONS; the cutout follows them */
} cc_view_spec;

/* Whether strong views are views of the images themselves, with flips and window of their own. */
static inline bool cc_strong_is_own(const cc_view_spec *spec) { return spec->strong != CC_STRONG_CROP_ROTATE; }
/* Whether T is an affine map with pixels that do not count (cc_affine), else crop and turns with all pixels counting (cc_transform). */
static inline bool cc_views_are_affine(const cc_view_spec *spec) { return cc_strong_is_own(spec) || spec->weak == CC_WEAK_FLIP_SHIFT; }
/* Operations of one strong view: none but with CC_STRONG_RANDAUGMENT. */
static inline size_t cc_view_operations(const cc_view_spec *spec)
{
    return spec->strong == CC_STRONG_RANDAUGMENT ? spec->operations + 1 : 0;
}

/* T of one image of side S, from what was drawn: s = A_s u and w = A_w u, so T = A_s A_w^-1. weak and strong are its transforms, operations
 * [cc_view_operations(spec)] those of the strong view, NULL where there are none. Writes the map, and rows [S]: a pixel of s counts where
 * its point lies inside u, nothing between having moved it out and back, and inside w, and it is not cut out. */
void cc_view_between(const cc_view_spec *spec, size_t size, const cc_transform *weak, const cc_transform *strong,
                     const cc_picture_operation *operations, cc_affine *map, cc_counted_row *rows);

#endif
