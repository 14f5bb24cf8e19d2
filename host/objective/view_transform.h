/* T, from the weak views to the strong ones, on the device: what the CAM term does with it. */
#ifndef CC_OBJECTIVE_VIEW_TRANSFORM_H
#define CC_OBJECTIVE_VIEW_TRANSFORM_H

#include "ops/ops.h"

/* Crop and turns, where every pixel counts, or an affine map with its pixels that count. Tensors of the other form have no buffer. */
typedef struct cc_view_transform {
    cc_tensor turns;         /* [U,8] i32 (cc_transform) */
    cc_tensor maps, counted; /* [U,12] f32 (cc_affine), [U,S,4] i32 (cc_counted_row) */
} cc_view_transform;

/* Records target [U,S,S] = T(map [U,S,S]), and dmap = T^t(dtarget), which it replaces. */
camcl_status cc_view_transform_forward(cc_tape *tape, const cc_view_transform *t, cc_tensor map, cc_tensor target, camcl_error *err);
camcl_status cc_view_transform_backward(cc_tape *tape, const cc_view_transform *t, cc_tensor dtarget, cc_tensor dmap, camcl_error *err);
/* Records sums [4] = {sum of weight [U] * the mean of (strong - target)^2 over the pixels that count, sum of weight, U, 0}, and scale /
 * max(denominator, 1) times the first one's gradient; dtarget may be none. */
camcl_status cc_view_error_forward(cc_tape *tape, const cc_view_transform *t, cc_tensor strong, cc_tensor target, cc_tensor weight,
                                   cc_tensor sums, camcl_error *err);
camcl_status cc_view_error_backward(cc_tape *tape, const cc_view_transform *t, cc_tensor strong, cc_tensor target, cc_tensor weight,
                                    float scale, cc_device_scalar denominator, cc_tensor dstrong, cc_tensor dtarget, camcl_error *err);

#endif
