/* Weight gradients on CPUs that are computed in parts. */
#ifndef CC_OPS_CONV2D_PARTS_H
#define CC_OPS_CONV2D_PARTS_H

#include "ops/conv2d/conv2d.h"

/* The destination of a weight gradient that is computed in `count` parts. A single part is written to dw itself if the channels fill
 * their panels. Otherwise each part is written to partial sums of `size` numbers, in panels [ceil(K / KB)][R*S*C][KB]. */
typedef struct cc_conv2d_parts {
    cc_buffer *dw, *partial; /* partial NULL: to dw itself */
    bool add;
    size_t count, size, kb, rsc, k;
} cc_conv2d_parts;
/* The buffer that the kernel writes, and the four arguments that say where in it. */
#define CC_CONV2D_PARTS_OUT(p) ((p).partial ? CC_OUT((p).partial) : (p).add ? CC_INOUT((p).dw) : CC_OUT((p).dw))
#define CC_CONV2D_PARTS_ARGS(p)                                                                                                            \
    .out_part = CC_INT((p).partial ? (p).size : 0), .out_panel = CC_INT((p).partial ? (p).rsc * (p).kb : (p).kb),                          \
    .out_row = CC_INT((p).partial ? (p).kb : (p).k), .add = CC_INT((p).partial == NULL && (p).add)
camcl_status cc_conv2d_parts_begin(cc_tape *tape, const cc_conv2d_desc *desc, size_t count, cc_buffer *dw, bool add, cc_conv2d_parts *parts,
                                   camcl_error *err);
/* After the kernel: dw (+)= the sum, in order, of partial sums, where there are any. */
camcl_status cc_conv2d_parts_end(cc_tape *tape, const cc_conv2d_parts *parts, camcl_error *err);

#endif
