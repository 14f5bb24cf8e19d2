#include "objective/view_transform.h"

/* Maps are [U,S,S]. */
static cc_warp_desc warp_of(cc_tensor map) { return (cc_warp_desc){ map.dim[0], map.dim[1], 1, 0, 0 }; }
static cc_affine_warp_desc affine_of(cc_tensor map) { return (cc_affine_warp_desc){ map.dim[0], map.dim[1] }; }
static cc_masked_mse_desc mse_of(cc_tensor map) { return (cc_masked_mse_desc){ map.dim[0], map.dim[1] * map.dim[2] }; }

camcl_status cc_view_transform_forward(cc_tape *tape, const cc_view_transform *t, cc_tensor map, cc_tensor target, camcl_error *err)
{
    const cc_warp_desc warp = warp_of(map);
    const cc_affine_warp_desc affine = affine_of(map);
    return t->maps.buffer ? cc_affine_warp_forward(tape, &affine, map, t->maps, target, err)
                          : cc_warp_forward(tape, &warp, map, t->turns, target, err);
}

camcl_status cc_view_transform_backward(cc_tape *tape, const cc_view_transform *t, cc_tensor dtarget, cc_tensor dmap, camcl_error *err)
{
    const cc_warp_desc warp = warp_of(dmap);
    const cc_affine_warp_desc affine = affine_of(dmap);
    return t->maps.buffer ? cc_affine_warp_backward(tape, &affine, dtarget, t->maps, dmap, false, err)
                          : cc_warp_backward(tape, &warp, dtarget, t->turns, dmap, false, err);
}

camcl_status cc_view_error_forward(cc_tape *tape, const cc_view_transform *t, cc_tensor strong, cc_tensor target, cc_tensor weight,
                                   cc_tensor sums, camcl_error *err)
{
    const cc_masked_mse_desc mse = mse_of(strong);
    const cc_affine_warp_desc affine = affine_of(strong);
    return t->maps.buffer ? cc_counted_mse_forward(tape, &affine, strong, target, weight, t->maps, t->counted, sums, err)
                          : cc_masked_mse_forward(tape, &mse, strong, target, weight, sums, err);
}

camcl_status cc_view_error_backward(cc_tape *tape, const cc_view_transform *t, cc_tensor strong, cc_tensor target, cc_tensor weight,
                                    float scale, cc_device_scalar denominator, cc_tensor dstrong, cc_tensor dtarget, camcl_error *err)
{
    const cc_masked_mse_desc mse = mse_of(strong);
    const cc_affine_warp_desc affine = affine_of(strong);
    return t->maps.buffer ? cc_counted_mse_backward(tape, &affine, strong, target, weight, t->maps, t->counted, scale, denominator, dstrong,
                                                    dtarget, err)
                          : cc_masked_mse_backward(tape, &mse, strong, target, weight, scale, denominator, dstrong, dtarget, err);
}
