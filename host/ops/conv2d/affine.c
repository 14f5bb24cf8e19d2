/* A convolution with the batch norm of evaluation applied to its sums before they are stored. The kernels are those of the convolution
 * variants of the same names. */
#include "base/memory.h"
#include "ops/conv2d/family.h"
#include "ops/conv2d/winograd.h"
#include "ops/conv2d/winograd_stride2.h"
#include "ops/record.h"

camcl_status cc_conv2d_affine_check(const cc_conv2d_affine_desc *d, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const size_t all = d->conv.n * cc_conv2d_out_h(&d->conv) * cc_conv2d_out_w(&d->conv) * d->conv.k;
    if (count != 6 || add) return cc_fail(err, CAMCL_FAILED, "conv2d_affine: operands of another operation (report this as a defect)");
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_FORWARD, &d->conv, (cc_tensor[]){ io[0], io[1], io[5] }, 3, true, err));
    return CC_CHECK("conv2d_affine", io + 2, 3, err, { "scale", CC_F32, d->conv.k, CC_EXACT }, { "shift", CC_F32, d->conv.k, CC_EXACT },
                    { "residual", CC_F32, all, CC_OPTIONAL });
}

/* Packing reads the convolution's descriptor only, which this one begins with. */
#define WINOGRAD(tiles)                                                                                                                    \
    {                                                                                                                                      \
        "conv2d_affine", CC_FORWARD, "winograd" #tiles, "winograd", cc_conv2d_winograd_supports_affine,                                    \
            cc_conv2d_winograd##tiles##_forward_affine, cc_conv2d_winograd_forward_bytes, cc_conv2d_winograd_pack_forward,                 \
            "winograd_forward"                                                                                                             \
    }

const cc_variant cc_conv2d_affine_variants[] = {
    { "conv2d_affine", CC_FORWARD, "tile", "direct", cc_conv2d_tile_supports_affine, cc_conv2d_tile_forward_affine,
      cc_conv2d_tile_forward_bytes, cc_conv2d_tile_pack_forward, "tile_forward" },
    WINOGRAD(12),
    WINOGRAD(24),
    WINOGRAD(48),
    { "conv2d_affine", CC_FORWARD, "winograd_inline", "winograd", cc_conv2d_winograd_supports_affine,
      cc_conv2d_winograd_inline_forward_affine, NULL, NULL, NULL },
    { "conv2d_affine", CC_FORWARD, "winograd_stride2", "winograd", cc_conv2d_winograd_stride2_supports_affine,
      cc_conv2d_winograd_stride2_forward_affine, cc_conv2d_winograd_stride2_forward_bytes, cc_conv2d_winograd_stride2_pack_forward,
      "winograd_stride2_forward" },
};
const size_t cc_conv2d_affine_variant_count = CC_COUNT(cc_conv2d_affine_variants);
