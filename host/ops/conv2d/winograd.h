/* Winograd convolution: for CPUs variants that differ in how many tiles a work-item transforms at a time; two for GPUs. */
#ifndef CC_OPS_CONV2D_WINOGRAD_H
#define CC_OPS_CONV2D_WINOGRAD_H

#include "ops/conv2d/family.h"

/* 3x3 taps, stride 1, padding up to 2, on devices that like long work-items. */
bool cc_conv2d_winograd_supports(const camcl_device_info *info, const void *desc);

/* The same for conv2d_affine. */
bool cc_conv2d_winograd_supports_affine(const camcl_device_info *info, const void *desc);

/* The Winograd variant that a CPU is likely to do `desc` (3x3 taps, stride 1) fastest with, NULL when direct convolution is likely faster
 * still and `policy` (auto | winograd) leaves the choice. */
const char *cc_conv2d_winograd_default(const char *policy, cc_direction direction, const cc_conv2d_desc *desc);

/* A convolution of 3x3 taps and stride 1 as the CPU kernels see it: backward-data is one, too, on dy. */
typedef struct cc_winograd_job {
    size_t n, h, w, c, k; /* input tensor, output channels */
    size_t p, q, pad;
} cc_winograd_job;
cc_winograd_job cc_winograd_forward_job(const cc_conv2d_desc *desc);
cc_winograd_job cc_winograd_backward_data_job(const cc_conv2d_desc *desc);
size_t cc_winograd_tiles(const cc_winograd_job *job);

/* How tiles and panels of output channels are shared out: `walkers` x `parts` work-items; a walker takes `block` tiles at a time, a
 * multiple of 4, about `most` at most, a part `panels_each` panels. */
typedef struct cc_winograd_split {
    size_t walkers, block, parts, panels_each;
} cc_winograd_split;
cc_winograd_split cc_winograd_split_work(size_t tiles, size_t panels, size_t most, size_t units);

/* winograd_inline.c: weights transformed on the way. */
camcl_status cc_conv2d_winograd_inline_forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add,
                                               camcl_error *err);
camcl_status cc_conv2d_winograd_inline_forward_affine(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add,
                                                      camcl_error *err);
camcl_status cc_conv2d_winograd_inline_backward_data(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add,
                                                     camcl_error *err);

/* Tiles of a work-item: the number in the function's name at most, fewer when that shares the work better. */
#define CC_WINOGRAD_DECLARE(tiles)                                                                                                         \
    camcl_status cc_conv2d_winograd##tiles##_forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add,         \
                                                     camcl_error *err);                                                                    \
    camcl_status cc_conv2d_winograd##tiles##_forward_affine(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add,  \
                                                            camcl_error *err);                                                             \
    camcl_status cc_conv2d_winograd##tiles##_backward_data(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add,   \
                                                           camcl_error *err)
CC_WINOGRAD_DECLARE(12);
CC_WINOGRAD_DECLARE(24);
CC_WINOGRAD_DECLARE(48);

size_t cc_conv2d_winograd_forward_bytes(const camcl_device_info *info, const void *desc);
size_t cc_conv2d_winograd_backward_data_bytes(const camcl_device_info *info, const void *desc);
camcl_status cc_conv2d_winograd_pack_forward(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed, camcl_error *err);
camcl_status cc_conv2d_winograd_pack_backward_data(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed, camcl_error *err);

/* winograd_local.c: the same convolutions and their weight gradients on GPUs, by launches of their own for transforms and products,
 * with large tiles of products and small ones. */
bool cc_conv2d_winograd_local_supports(const camcl_device_info *info, const void *desc);
bool cc_conv2d_winograd_local_small_supports(const camcl_device_info *info, const void *desc);
CC_CONV2D_LOCAL_DECLARE(winograd_local);
CC_CONV2D_LOCAL_DECLARE(winograd_local_small);
/* As cc_conv2d_winograd_default, for GPUs: one of these two or NULL. */
const char *cc_conv2d_winograd_local_default(const camcl_device_info *info, const char *policy, cc_direction direction,
                                             const cc_conv2d_desc *desc);
size_t cc_conv2d_winograd_local_bytes(const camcl_device_info *info, const void *desc);
camcl_status cc_conv2d_winograd_local_pack_forward(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed, camcl_error *err);
camcl_status cc_conv2d_winograd_local_pack_backward_data(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed,
                                                         camcl_error *err);

#endif
