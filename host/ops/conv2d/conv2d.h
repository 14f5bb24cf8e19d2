/* Convolution (cross-correlation, as PyTorch's Conv2d without bias), and the same with a batch norm of evaluation behind it.
 *     y[n,p,q,k] = sum_{r,s,c} x[n, p*stride+r-pad, q*stride+s-pad, c] * w[r,s,c,k],   x [N,H,W,C], y [N,P,Q,K]
 * In groups, channels fall into `groups` equal parts, and output channels see the input channels of their part only: c above counts within
 * it. C groups are a depthwise convolution. Master weight layout [R,S,C/groups,K], the same for weight gradients. */
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
/* "conv2d forward n32 h32 w32 c16 k16 r3 s3 stride1 pad1": the plan's key. In groups " g2" follows. */
void cc_conv2d_key(const cc_conv2d_desc *desc, cc_direction direction, char *text, size_t size);

/* io: CC_FORWARD {x, w, y(add)}  CC_BACKWARD_DATA {dy, w, dx(add)}  CC_BACKWARD_WEIGHT {x, dy, dw(add)}
 * w is in the variant's layout (rank 1 when packed). */
extern const cc_operation cc_conv2d_operation;

/* A convolution and the batch norm of evaluation that follows it, in one pass over y:
 *     y = act(conv(x, w) * scale + shift + residual),  scale, shift [K]; residual [N,P,Q,K] or none; act has a slope
 *     (activation.h).
 * io: CC_FORWARD {x, w, scale, shift, residual or none, y}. A variant has the name and the weight layout of the convolution variant that it
 * extends; the result is that variant's, batch norm applied. */
typedef struct cc_conv2d_affine_desc {
    cc_conv2d_desc conv;
    cc_activation activation;
} cc_conv2d_affine_desc;
extern const cc_operation cc_conv2d_affine_operation;

/* Whether device.conv = `policy` (auto|direct|winograd|gemm) lets `variant` serve this convolution: those of that family and, for winograd,
 * the direct ones where no Winograd variant supports it. */
bool cc_conv2d_allows(const camcl_device_info *info, const char *policy, const cc_variant *variant, const cc_conv2d_desc *desc);
/* Whether it is worth timing: where kernels for CPUs run, those for GPUs take longer to compile than all others to be timed. */
bool cc_conv2d_competes(const camcl_device_info *info, const cc_variant *variant);
/* The default for this device and shape among the variants that `policy` allows; when it allows none that supports the shape, the general
 * one. Never NULL. */
const cc_variant *cc_conv2d_choose(const camcl_device_info *info, const char *policy, cc_direction direction, const cc_conv2d_desc *desc);

#endif
