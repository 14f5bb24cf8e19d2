/* What the files of the convolution and GEMM operations share. */
#ifndef CC_OPS_CONV2D_FAMILY_H
#define CC_OPS_CONV2D_FAMILY_H

#include "ops/variants.h"

/* gemm.c: cc_gemm on parts of buffers; offsets in numbers. Uses a tape buffer as CLBlast's workspace. */
camcl_status cc_gemm_at(cc_tape *tape, const cc_gemm_desc *desc, cc_buffer *a, size_t a_offset, cc_buffer *b, size_t b_offset, cc_buffer *c,
                        size_t c_offset, bool add, camcl_error *err);

/* 2*N*P*Q*K*C*R*S, the same for the three directions. */
double cc_conv2d_flops(const cc_conv2d_desc *desc);
/* Shape and number checks that every variant's record starts with: io = the direction's {first, second, output}. `packed`: the weight
 * operand is in a private layout and not checked. */
camcl_status cc_conv2d_check(cc_direction direction, const cc_conv2d_desc *desc, const cc_tensor *io, size_t count, bool packed,
                             camcl_error *err);

/* The same for conv2d_affine; the weight operand, mostly in a private layout, is not checked. */
typedef struct cc_conv2d_affine {
    cc_buffer *scale, *shift, *residual; /* residual: or NULL */
    float slope;
} cc_conv2d_affine;
/* The six arguments that kernels take for it (cl/conv2d/affine.clh); `applied` NULL: nothing is applied, and `unused` is bound. */
#define CC_CONV2D_AFFINE_ARGS(applied, unused)                                                                                             \
    .scale = CC_IN((applied) ? (applied)->scale : (unused)), .shift = CC_IN((applied) ? (applied)->shift : (unused)),                      \
    .residual = CC_IN((applied) && (applied)->residual ? (applied)->residual : (unused)), .affine = CC_INT((applied) != NULL),             \
    .has_residual = CC_INT((applied) && (applied)->residual), .slope = CC_FLOAT((applied) ? (applied)->slope : 1)
camcl_status cc_conv2d_affine_check(const cc_conv2d_affine_desc *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err);

/* tile.c */
bool cc_conv2d_tile_supports(const camcl_device_info *info, const void *desc);
camcl_status cc_conv2d_tile_forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err);
camcl_status cc_conv2d_tile_backward_data(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err);
bool cc_conv2d_tile_supports_affine(const camcl_device_info *info, const void *desc);
camcl_status cc_conv2d_tile_forward_affine(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err);
size_t cc_conv2d_tile_forward_bytes(const camcl_device_info *info, const void *desc);
size_t cc_conv2d_tile_backward_data_bytes(const camcl_device_info *info, const void *desc);
camcl_status cc_conv2d_tile_pack_forward(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed, camcl_error *err);
camcl_status cc_conv2d_tile_pack_backward_data(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed, camcl_error *err);

/* tile_weight.c */
camcl_status cc_conv2d_tile_backward_weight(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err);

/* Where a weight gradient that is computed in `count` parts goes: one part to dw itself when its channels fill their panels, else each to
 * partial sums of `size` numbers in panels [ceil(K / KB)][R*S*C][KB]. */
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

/* winograd_weight.c */
camcl_status cc_conv2d_winograd_backward_weight(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add,
                                                camcl_error *err);

/* local.c, with large tiles and small ones */
bool cc_conv2d_local_supports(const camcl_device_info *info, const void *desc);
bool cc_conv2d_local_small_supports(const camcl_device_info *info, const void *desc);
#define CC_CONV2D_LOCAL_DECLARE(name)                                                                                                      \
    camcl_status cc_conv2d_##name##_forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add,                  \
                                            camcl_error *err);                                                                             \
    camcl_status cc_conv2d_##name##_backward_data(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add,            \
                                                  camcl_error *err);                                                                       \
    camcl_status cc_conv2d_##name##_backward_weight(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add,          \
                                                    camcl_error *err)
CC_CONV2D_LOCAL_DECLARE(local);
CC_CONV2D_LOCAL_DECLARE(local_small);
/* The one of them that a GPU is likely to do `desc` faster with. */
const char *cc_conv2d_local_default(const camcl_device_info *info, cc_direction direction, const cc_conv2d_desc *desc);

/* gemm.c */
bool cc_conv2d_gemm_supports(const camcl_device_info *info, const void *desc);
camcl_status cc_conv2d_gemm_forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err);
camcl_status cc_conv2d_gemm_backward_data(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err);
camcl_status cc_conv2d_gemm_backward_weight(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err);

#endif
