/* Convolution (cross-correlation, as PyTorch's Conv2d without bias), and a convolution followed by an evaluation-mode batch norm.
 *     y[n,p,q,k] = sum_{r,s,c} x[n, p*stride+r-pad, q*stride+s-pad, c] * w[r,s,c,k],   x [N,H,W,C], y [N,P,Q,K]
 * In a grouped convolution, input and output channels are divided into `groups` equal parts. An output channel depends only on the input
 * channels of its own part, and c above counts within that part. With C groups the convolution is depthwise. Master weight layout
 * [R,S,C/groups,K], the same for weight gradients. */
#ifndef CC_OPS_CONV2D_CONV2D_H
#define CC_OPS_CONV2D_CONV2D_H

#include "ops/activation.h"
#include "ops/operation.h"

typedef struct cc_conv2d_desc {
    size_t n, h, w, c, k;
    size_t r, s, stride, pad;
    size_t groups; /* divides c and k */
} cc_conv2d_desc;
size_t cc_conv2d_out_h(const cc_conv2d_desc *desc);
size_t cc_conv2d_out_w(const cc_conv2d_desc *desc);
/* "conv2d forward n32 h32 w32 c16 k16 r3 s3 stride1 pad1": the plan's key. With groups, " g2" follows. */
void cc_conv2d_key(const cc_conv2d_desc *desc, cc_direction direction, char *text, size_t size);

/* io: CC_FORWARD {x, w, y(add)}  CC_BACKWARD_DATA {dy, w, dx(add)}  CC_BACKWARD_WEIGHT {x, dy, dw(add)}
 * w is in the variant's layout (rank 1 when packed). */
extern const cc_operation cc_conv2d_operation;

/* A convolution and the batch norm of evaluation that follows it, in one pass over y:
 *     y = act(conv(x, w) * scale + shift + residual),  scale, shift [K]; residual [N,P,Q,K] or none; act has a slope
 *     (activation.h).
 * io: CC_FORWARD {x, w, scale, shift, residual or none, y}. Each variant extends the convolution variant of the same name and weight
 * layout. Its result is the result of that variant with the batch norm applied. */
typedef struct cc_conv2d_affine_desc {
    cc_conv2d_desc conv;
    cc_activation activation;
} cc_conv2d_affine_desc;
extern const cc_operation cc_conv2d_affine_operation;

/* Whether device.conv = `policy` (auto|direct|winograd|gemm) allows `variant` for this convolution. The policy auto allows all variants,
 * any other policy the variants of its family. The policy winograd also allows direct variants if no Winograd variant supports the
 * convolution. */
bool cc_conv2d_allows(const camcl_device_info *info, const char *policy, const cc_variant *variant, const cc_conv2d_desc *desc);
/* Whether the variant is worth timing. On devices that run the kernels for CPUs, kernels for GPUs are not: compiling them takes longer
 * than timing all other variants. */
bool cc_conv2d_competes(const camcl_device_info *info, const cc_variant *variant);
/* The default for this device and shape among the variants that `policy` allows; when it allows none that supports the shape, the general
 * one. Never NULL. */
const cc_variant *cc_conv2d_choose(const camcl_device_info *info, const char *policy, cc_direction direction, const cc_conv2d_desc *desc);

#endif
