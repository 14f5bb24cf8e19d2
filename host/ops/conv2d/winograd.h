/* What the Winograd convolutions for CPUs share. */
#ifndef CC_OPS_CONV2D_WINOGRAD_H
#define CC_OPS_CONV2D_WINOGRAD_H

#include "ops/conv2d/shape.h"

/* 3x3 taps, stride 1, padding up to 2, on devices that like long work-items. */
bool cc_conv2d_winograd_supports(const camcl_device_info *info, const void *desc);

/* The same for conv2d_affine. */
bool cc_conv2d_winograd_supports_affine(const camcl_device_info *info, const void *desc);

/* A convolution of 3x3 taps and stride 1 as the CPU kernels see it: backward-data is one, too, on dy. */
typedef struct cc_winograd_job {
    size_t n, h, w, c, k; /* input tensor, output channels */
    size_t p, q, pad;
} cc_winograd_job;
cc_winograd_job cc_winograd_forward_job(const cc_conv2d_desc *desc);
cc_winograd_job cc_winograd_backward_data_job(const cc_conv2d_desc *desc);
size_t cc_winograd_tiles(const cc_winograd_job *job);

/* How tiles and panels of output channels are divided among `walkers` x `parts` work-items. A walker takes `block` tiles at a time;
 * `block` is a multiple of 4 and about `most` at most. A part takes `panels_each` panels. */
typedef struct cc_winograd_split {
    size_t walkers, block, parts, panels_each;
} cc_winograd_split;
cc_winograd_split cc_winograd_split_work(size_t tiles, size_t panels, size_t most, size_t units);

#endif
