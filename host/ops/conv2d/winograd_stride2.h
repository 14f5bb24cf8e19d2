/* Winograd convolution of 3x3 taps and stride 2 for CPUs. */
#ifndef CC_OPS_CONV2D_WINOGRAD_STRIDE2_H
#define CC_OPS_CONV2D_WINOGRAD_STRIDE2_H

#include "ops/conv2d/conv2d.h"

/* 3x3 taps, stride 2, padding up to 2, on devices that like long work-items. */
bool cc_conv2d_winograd_stride2_supports(const camcl_device_info *info, const void *desc);

#endif
