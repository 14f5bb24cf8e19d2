/* The lists of variants that the files of the family export, and which of its variants a file recommends. */
#ifndef CC_OPS_CONV2D_LISTS_H
#define CC_OPS_CONV2D_LISTS_H

#include "ops/conv2d/conv2d.h"

/* X(FILE): host/ops/conv2d/FILE.c exports cc_conv2d_FILE_variants. "general" comes first. */
#define CC_CONV2D_FILES(X)                                                                                                                 \
    X(general)                                                                                                                             \
    X(gemm)                                                                                                                                \
    X(local)                                                                                                                               \
    X(winograd_local)                                                                                                                      \
    X(tile)                                                                                                                                \
    X(tile_weight)                                                                                                                         \
    X(point)                                                                                                                               \
    X(narrow)                                                                                                                              \
    X(winograd_weight)                                                                                                                     \
    X(winograd)                                                                                                                            \
    X(winograd_inline)                                                                                                                     \
    X(winograd_stride2)
#define CC_CONV2D_DECLARE(file) CC_DECLARE_VARIANTS(conv2d_##file);
CC_CONV2D_FILES(CC_CONV2D_DECLARE)
#undef CC_CONV2D_DECLARE

/* CPUs, 3x3 taps and stride 1: the Winograd variant that is likely fastest for `desc`. NULL if Winograd does not apply. If direct
 * convolution is likely faster, the result is NULL, too, unless `policy` (auto | winograd) is winograd. */
const char *cc_conv2d_winograd_default(const char *policy, cc_direction direction, const cc_conv2d_desc *desc);
/* The same for 3x3 taps and stride 2: "winograd_stride2" or NULL. */
const char *cc_conv2d_winograd_stride2_default(const char *policy, cc_direction direction, const cc_conv2d_desc *desc);
/* The same for GPUs: "winograd_local", "winograd_local_small" or NULL. */
const char *cc_conv2d_winograd_local_default(const camcl_device_info *info, const char *policy, cc_direction direction,
                                             const cc_conv2d_desc *desc);
/* "local" or "local_small": the variant that is likely faster for `desc` on a GPU. */
const char *cc_conv2d_local_default(const camcl_device_info *info, cc_direction direction, const cc_conv2d_desc *desc);

#endif
