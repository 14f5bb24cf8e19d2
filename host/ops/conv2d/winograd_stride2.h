/* Winograd convolution of 3x3 taps and stride 2 for CPUs. */
#ifndef CC_OPS_CONV2D_WINOGRAD_STRIDE2_H
#define CC_OPS_CONV2D_WINOGRAD_STRIDE2_H

#include "ops/ops.h"

/* 3x3 taps, stride 2, padding up to 2, on devices that like long work-items. */
bool cc_conv2d_winograd_stride2_supports(const camcl_device_info *info, const void *desc);

/* The same for conv2d_affine. */
bool cc_conv2d_winograd_stride2_supports_affine(const camcl_device_info *info, const void *desc);

/* "winograd_stride2" when a CPU is likely to do `desc` (3x3 taps, stride 2) faster with it than directly or `policy` is winograd, else
 * NULL. */
const char *cc_conv2d_winograd_stride2_default(const char *policy, cc_direction direction, const cc_conv2d_desc *desc);

camcl_status cc_conv2d_winograd_stride2_forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add,
                                                camcl_error *err);
camcl_status cc_conv2d_winograd_stride2_forward_affine(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add,
                                                       camcl_error *err);
camcl_status cc_conv2d_winograd_stride2_backward_data(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add,
                                                      camcl_error *err);
size_t cc_conv2d_winograd_stride2_forward_bytes(const camcl_device_info *info, const void *desc);
camcl_status cc_conv2d_winograd_stride2_pack_forward(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed,
                                                     camcl_error *err);
size_t cc_conv2d_winograd_stride2_backward_data_bytes(const camcl_device_info *info, const void *desc);
camcl_status cc_conv2d_winograd_stride2_pack_backward_data(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed,
                                                           camcl_error *err);

/* winograd_weight.c */
camcl_status cc_conv2d_winograd_stride2_backward_weight(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add,
                                                        camcl_error *err);

#endif
