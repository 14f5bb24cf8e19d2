/* What a convolution's descriptor says, for the kernels of the family. */
#ifndef CC_OPS_CONV2D_SHAPE_H
#define CC_OPS_CONV2D_SHAPE_H

#include "ops/conv2d/conv2d.h"

/* Writes a shape as "n32 h32 w32 c16 k16 r3 s3 stride1 pad1", followed by " g2" if there are groups, and reads it back. Reading ignores
 * text after the shape. False: the text is not a shape, or no convolution can have this shape. */
void cc_conv2d_write_shape(const cc_conv2d_desc *desc, char *text, size_t size);
bool cc_conv2d_read_shape(const char *text, cc_conv2d_desc *desc);
/* The convolution in conv2d_affine's descriptor, as variants are given it. */
static inline const cc_conv2d_desc *cc_conv2d_of_affine(const void *desc) { return &((const cc_conv2d_affine_desc *)desc)->conv; }
/* Whether the kernels support the activation. They only take a slope for negative numbers, at run time. */
static inline bool cc_conv2d_affine_has_slope(const void *desc)
{
    return cc_activation_has_slope(((const cc_conv2d_affine_desc *)desc)->activation);
}

/* 2*N*P*Q*K*C/groups*R*S, the same for the three directions. */
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
/* The six kernel arguments for the batch norm (cl/conv2d/affine.clh). `applied` NULL: nothing is applied, and the buffer `unused` takes
 * the place of the missing buffers. */
#define CC_CONV2D_AFFINE_ARGS(applied, unused)                                                                                             \
    .scale = CC_IN((applied) ? (applied)->scale : (unused)), .shift = CC_IN((applied) ? (applied)->shift : (unused)),                      \
    .residual = CC_IN((applied) && (applied)->residual ? (applied)->residual : (unused)), .affine = CC_INT((applied) != NULL),             \
    .has_residual = CC_INT((applied) && (applied)->residual), .slope = CC_FLOAT((applied) ? (applied)->slope : 1)
camcl_status cc_conv2d_affine_check(const cc_conv2d_affine_desc *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err);

/* Backward-data of a strided convolution falls into stride x stride phases. Input rows h = first + stride*i, i < count, are those of phase
 * a: (h + pad) mod stride = a. Tap r = a + stride*j, j < taps, leads from there to output row (h + pad - a)/stride - j, which is origin + i
 * + taps - 1 - j. Columns likewise. */
typedef struct cc_conv2d_phase {
    size_t first, count, taps;
    int origin;
} cc_conv2d_phase;
cc_conv2d_phase cc_conv2d_get_phase(size_t a, size_t size, size_t kernel, size_t stride, size_t pad);

#endif
