/* Operations. Each operation has a descriptor and, for each direction, a function that records its launches on a tape. Tensors are NHWC,
 * float32. Convolutions, matrix products and linear layers have headers of their own; all other operations are declared here.
 * Tests compare every variant with host/check/ref. In the comments: x [N,H,W,C], y [N,P,Q,K].
 * "add": the result is added to the output instead of replacing it.
 * All sums run in a fixed order, without atomics: equal inputs give equal bits. */
#ifndef CC_OPS_OPS_H
#define CC_OPS_OPS_H

#include "ops/activation.h"
#include "ops/conv2d/conv2d.h"
#include "ops/gemm.h"
#include "ops/linear.h"

/* ---- batch_norm.c: over M = N*H*W rows of C channels, fused with the residual and the activation that follow:
 *     y = act(gamma * (x - mean) * invstd + beta + residual),  invstd = 1/sqrt(var + eps)
 * Training: mean, var (biased, two-pass or Welford) over the rows; running = (1-momentum) running + momentum * {mean, unbiased var}
 * (with one row the unbiased factor M/(M-1) is undefined: M >= 2 is required). */
typedef struct cc_batch_norm_desc {
    size_t m, c;
    float eps, momentum;
    cc_activation activation;
    /* Training: rows on all devices that train together. Statistics and sums are then those of all of them, by points of exchange on the
     * tape; dgamma and dbeta are this device's. 0: the device is alone. */
    size_t all;
} cc_batch_norm_desc;
/* x, residual (or none), y [M,C]; gamma, beta, running_mean, running_var, mean, invstd [C]. mean and invstd are outputs, kept for
 * backward. CAMCL_UNSUPPORTED: a residual and an activation whose derivative needs x. Such an activation is recorded separately, with
 * cc_add of one operand. */
camcl_status cc_batch_norm_forward_train(cc_tape *tape, const cc_batch_norm_desc *desc, cc_tensor x, cc_tensor residual, cc_tensor gamma,
                                         cc_tensor beta, cc_tensor running_mean, cc_tensor running_var, cc_tensor mean, cc_tensor invstd,
                                         cc_tensor y, camcl_error *err);
/* Uses the running statistics; mean and invstd are outputs here too (a copy of running_mean, 1/sqrt(running_var+eps)), so that
 * backward_eval sees the statistics of this forward pass. */
camcl_status cc_batch_norm_forward_eval(cc_tape *tape, const cc_batch_norm_desc *desc, cc_tensor x, cc_tensor residual, cc_tensor gamma,
                                        cc_tensor beta, cc_tensor running_mean, cc_tensor running_var, cc_tensor mean, cc_tensor invstd,
                                        cc_tensor y, camcl_error *err);
/* For cc_conv2d_affine_desc: scale = gamma/sqrt(running_var+eps), shift = beta - running_mean * scale [C]; mean and invstd as above. */
camcl_status cc_batch_norm_fold(cc_tape *tape, const cc_batch_norm_desc *desc, cc_tensor gamma, cc_tensor beta, cc_tensor running_mean,
                                cc_tensor running_var, cc_tensor mean, cc_tensor invstd, cc_tensor scale, cc_tensor shift,
                                camcl_error *err);
/* With g = dy * act':
 *     dbeta = sum g;  dgamma = sum g * xhat,  xhat = (x - mean) * invstd;  dresidual = g
 *     train: dx = gamma * invstd * (g - dbeta/M - xhat * dgamma/M)        eval: dx = gamma * invstd * g
 * dresidual (or none), dx, dgamma and dbeta have their own add flags. In eval mode dgamma and dbeta may both be none.
 * dx may be none only in eval mode. One output may be the tensor of dy, whose content it then replaces: dx, or, if dgamma and dbeta are
 * given, dresidual. y may be none if no residual was added and the activation's derivative needs only the sign of y. y is not read if
 * the derivative needs x. In both cases the operand of the activation is computed again from x and beta, exactly as in the forward pass.
 * In all other cases beta may be none in eval mode. CAMCL_UNSUPPORTED: dresidual of an activation whose derivative needs x. */
typedef struct cc_batch_norm_add {
    bool dx, dresidual, dparams;
} cc_batch_norm_add;
camcl_status cc_batch_norm_backward_train(cc_tape *tape, const cc_batch_norm_desc *desc, cc_tensor x, cc_tensor y, cc_tensor dy,
                                          cc_tensor gamma, cc_tensor beta, cc_tensor mean, cc_tensor invstd, cc_tensor dx,
                                          cc_tensor dresidual, cc_tensor dgamma, cc_tensor dbeta, cc_batch_norm_add add, camcl_error *err);
camcl_status cc_batch_norm_backward_eval(cc_tape *tape, const cc_batch_norm_desc *desc, cc_tensor x, cc_tensor y, cc_tensor dy,
                                         cc_tensor gamma, cc_tensor beta, cc_tensor mean, cc_tensor invstd, cc_tensor dx,
                                         cc_tensor dresidual, cc_tensor dgamma, cc_tensor dbeta, cc_batch_norm_add add, camcl_error *err);

/* ---- pointwise.c: y = act(a + b) over count elements; b may be none. Backward: g = dy * act' is the gradient of a and of b; da (add),
 * db (add, or none). act' is computed from `kept`, which is a if the activation's derivative needs x, else y. CAMCL_UNSUPPORTED: such an
 * activation with two operands. */
typedef struct cc_pointwise_desc {
    size_t count;
    cc_activation activation;
} cc_pointwise_desc;
camcl_status cc_add_forward(cc_tape *tape, const cc_pointwise_desc *desc, cc_tensor a, cc_tensor b, cc_tensor y, camcl_error *err);
camcl_status cc_add_backward(cc_tape *tape, const cc_pointwise_desc *desc, cc_tensor kept, cc_tensor dy, cc_tensor da, bool add_a,
                             cc_tensor db, bool add_b, camcl_error *err);

/* ---- pool.c: square windows. Padding never wins a maximum; average pooling divides by the whole window (PyTorch's
 * count_include_pad=True). Backward gathers: the first maximum in row-major window order takes the gradient, as in PyTorch. */
typedef struct cc_pool_desc {
    size_t n, h, w, c;
    size_t window, stride, pad;
} cc_pool_desc;
size_t cc_pool_out_h(const cc_pool_desc *desc);
size_t cc_pool_out_w(const cc_pool_desc *desc);
camcl_status cc_max_pool_forward(cc_tape *tape, const cc_pool_desc *desc, cc_tensor x, cc_tensor y, camcl_error *err);
camcl_status cc_max_pool_backward(cc_tape *tape, const cc_pool_desc *desc, cc_tensor x, cc_tensor y, cc_tensor dy, cc_tensor dx, bool add,
                                  camcl_error *err);
camcl_status cc_average_pool_forward(cc_tape *tape, const cc_pool_desc *desc, cc_tensor x, cc_tensor y, camcl_error *err);
camcl_status cc_average_pool_backward(cc_tape *tape, const cc_pool_desc *desc, cc_tensor dy, cc_tensor dx, bool add, camcl_error *err);
/* x [N,H,W,C] -> y [N,C]; uses n, h, w, c */
camcl_status cc_global_average_pool_forward(cc_tape *tape, const cc_pool_desc *desc, cc_tensor x, cc_tensor y, camcl_error *err);
camcl_status cc_global_average_pool_backward(cc_tape *tape, const cc_pool_desc *desc, cc_tensor dy, cc_tensor dx, bool add,
                                             camcl_error *err);

/* ---- softmax.c */
/* Rows row0 .. row0+n-1 of logits [*, classes]. */
typedef struct cc_rows_desc {
    size_t row0, n, classes;
} cc_rows_desc;
typedef enum cc_confidence_kind { CC_CONFIDENCE_LOGIT, CC_CONFIDENCE_SOFTMAX } cc_confidence_kind;
/* pseudo[i] = argmax (the first among equals), mask[i] = conf >= threshold ? 1 : 0, conf = max logit or max probability;
 * sums [4] f32 = {sum mask, sum mask * (pseudo == truth), n, sum mask * (truth < 0)}; truth [n] i32, below 0 where it is not known, is used
 * for reporting only (none: it is known nowhere).
 * NaN logits are never confident. */
camcl_status cc_confidence(cc_tape *tape, const cc_rows_desc *desc, cc_confidence_kind kind, cc_tensor logits, cc_device_scalar threshold,
                           cc_tensor truth, cc_tensor pseudo, cc_tensor mask, cc_tensor sums, camcl_error *err);
/* Cross-entropy: per row ce = logsumexp(logits) - logits[label], weighted by mask [n] (or none: 1).
 * sums [4] f32 = {sum mask*ce, sum mask, sum mask * (argmax == label), n}. Runs before the gradient. Rows with labels < 0 are skipped
 * (gradient 0). A label that is not the number of a class makes the sum NaN. A mask of 0 does not hide a NaN. */
camcl_status cc_cross_entropy_forward(cc_tape *tape, const cc_rows_desc *desc, cc_tensor logits, cc_tensor labels, cc_tensor mask,
                                      cc_tensor sums, camcl_error *err);
/* dlogits rows row0.. = scale / max(denominator, 1) * mask * (softmax - onehot): the gradient of scale * sum / denominator. denominator
 * is a device scalar (a sum of a forward pass above, for example). Other rows of dlogits are not changed. */
camcl_status cc_cross_entropy_backward(cc_tape *tape, const cc_rows_desc *desc, cc_tensor logits, cc_tensor labels, cc_tensor mask,
                                       float scale, cc_device_scalar denominator, cc_tensor dlogits, camcl_error *err);
/* For evaluation: adds to sums [8] f32 = {sum ce, top1, top3, top5, n, ...} over the rows, in row order; top-k counts rows
 * where fewer than k classes beat the label (class j beats label l if logit_j > logit_l, or equal and j < l). labels < 0 are skipped. */
camcl_status cc_evaluate_rows(cc_tape *tape, const cc_rows_desc *desc, cc_tensor logits, cc_tensor labels, cc_tensor sums,
                              camcl_error *err);
/* probability [n,classes] = softmax */
camcl_status cc_softmax_forward(cc_tape *tape, const cc_rows_desc *desc, cc_tensor logits, cc_tensor probability, camcl_error *err);

/* ---- soft.c: losses against the probabilities of other rows, to which no gradient flows. q = softmax of rows row0.. of logits, p =
 * softmax of the target's rows divided by its temperature. Sums and gradients as of the cross-entropy above. */
typedef struct cc_soft_targets {
    cc_tensor logits; /* [*,classes]; may be the tensor of the logits */
    size_t row0;
    float temperature; /* > 0 */
} cc_soft_targets;
/* ce = -sum p log q; sums [4] f32 = {sum mask*ce, sum mask, sum mask * (argmax q == argmax p), n} */
camcl_status cc_soft_cross_entropy_forward(cc_tape *tape, const cc_rows_desc *desc, cc_tensor logits, const cc_soft_targets *targets,
                                           cc_tensor mask, cc_tensor sums, camcl_error *err);
/* dlogits rows row0.. = scale / max(denominator, 1) * mask * (q - p) */
camcl_status cc_soft_cross_entropy_backward(cc_tape *tape, const cc_rows_desc *desc, cc_tensor logits, const cc_soft_targets *targets,
                                            cc_tensor mask, float scale, cc_device_scalar denominator, cc_tensor dlogits, camcl_error *err);
/* Temperature 1. sums [4] f32 = {sum over rows of mean over classes of (q - p)^2, n, 0, n} */
camcl_status cc_probability_mse_forward(cc_tape *tape, const cc_rows_desc *desc, size_t target_row0, cc_tensor logits, cc_tensor targets,
                                        cc_tensor sums, camcl_error *err);
/* The gradient of scale * sum / max(denominator, 1); both are device scalars. */
camcl_status cc_probability_mse_backward(cc_tape *tape, const cc_rows_desc *desc, size_t target_row0, cc_tensor logits, cc_tensor targets,
                                         cc_device_scalar scale, cc_device_scalar denominator, cc_tensor dlogits, camcl_error *err);

/* ---- thresholds.c: which rows count, and how much, by what was seen before. Each leaves what cc_confidence leaves: pseudo [n] i32, weight
 * [n] f32 (a mask, or between 0 and 1), sums [4] f32; and own [4] f32, figures of its own. Rows with a NaN have weight 0, or NaN where
 * weights are not a mask. The averages are of f32 and exponential: decay * average + (1-decay) * this batch's; they are updated before use.
 */
/* counts [classes+1] i32: images whose last confident class was c; at the end, images without one. A row of class c counts where conf >=
 * threshold * b/(2-b), b = counts[c] / max counts. Then last [images] i32 (-1: none) and counts are updated, row by row, with the classes
 * of rows whose conf >= threshold; the image of a row is its transform's source. own = {sum of the classes' thresholds, classes, images
 * with a class, all images} before the update. */
camcl_status cc_class_thresholds(cc_tape *tape, const cc_rows_desc *desc, cc_confidence_kind kind, cc_tensor logits,
                                 cc_device_scalar threshold, cc_tensor truth, cc_tensor transforms, cc_tensor last, cc_tensor counts,
                                 cc_tensor pseudo, cc_tensor weight, cc_tensor sums, cc_tensor own, camcl_error *err);
/* threshold [1]: average of the mean confidence (largest probability); probability, histogram [classes]: of the mean probability, and of
 * each class's share of the pseudo-labels. A row of class c counts where conf >= threshold * probability[c] / max probability. own =
 * {threshold, mean of the classes' thresholds, 0, 1}. */
camcl_status cc_adaptive_thresholds(cc_tape *tape, const cc_rows_desc *desc, float decay, cc_tensor logits, cc_tensor truth,
                                    cc_tensor threshold, cc_tensor probability, cc_tensor histogram, cc_tensor pseudo, cc_tensor weight,
                                    cc_tensor sums, cc_tensor own, camcl_error *err);
/* probability [classes] as above; c of a row: the largest of p_j / probability_j, divided by their sum. mean, variance [1]: averages of c's
 * mean and unbiased variance over the rows (variance stays where n is 1). weight = exp(-2 min(c - mean, 0)^2 / variance). own = {mean,
 * variance, 0, 1}. */
camcl_status cc_confidence_weights(cc_tape *tape, const cc_rows_desc *desc, float decay, cc_tensor logits, cc_tensor truth,
                                   cc_tensor probability, cc_tensor mean, cc_tensor variance, cc_tensor pseudo, cc_tensor weight,
                                   cc_tensor sums, cc_tensor own, camcl_error *err);

/* ---- fairness.c: how the rows that count are spread over the classes. q [n,classes] f32: their probabilities; p, h [classes]: averages of
 * probabilities and of the histogram of predictions. With N(x) = x / sum x, x/0 = 0:
 *     F = sum_c N(p/h)_c log(N(S/K)_c + 1e-12),  S_c = sum mask q_c,  K_c = sum mask * (argmax q == c);  0 where no row counts.
 * slope [classes] = dF/dS, with K constant; sums [4] f32 = {F, sum mask, 0, 1} */
camcl_status cc_fairness_forward(cc_tape *tape, const cc_rows_desc *desc, cc_tensor q, cc_tensor mask, cc_tensor p, cc_tensor h,
                                 cc_tensor slope, cc_tensor sums, camcl_error *err);
/* Adds scale * dF/dlogits to rows row0.. of dlogits. */
camcl_status cc_fairness_backward(cc_tape *tape, const cc_rows_desc *desc, cc_tensor q, cc_tensor mask, cc_tensor slope, float scale,
                                  cc_tensor dlogits, camcl_error *err);

/* ---- grad_cam.c */
typedef struct cc_grad_cam_desc {
    size_t n, h, w, c;
    bool relu;
} cc_grad_cam_desc;
/* dlogits [n,classes] = onehot(class): the start of the CAM's backward pass. classes_explained [n] i32. */
camcl_status cc_grad_cam_seed(cc_tape *tape, const cc_rows_desc *desc, cc_tensor classes_explained, cc_tensor dlogits, camcl_error *err);
/* class[i] = argmax of row i */
camcl_status cc_argmax_rows(cc_tape *tape, const cc_rows_desc *desc, cc_tensor logits, cc_tensor out, camcl_error *err);
/* weights m [n,c] = mean over (h,w) of gradient [n,h,w,c];  cam [n,h,w] = sum_k m a (then ReLU when desc.relu) */
camcl_status cc_grad_cam_forward(cc_tape *tape, const cc_grad_cam_desc *desc, cc_tensor a, cc_tensor gradient, cc_tensor m, cc_tensor cam,
                                 camcl_error *err);
/* first-order: da [n,h,w,c] = m [n,c] * u [n,h,w] (u zeroed where relu and cam <= 0) */
camcl_status cc_grad_cam_backward(cc_tape *tape, const cc_grad_cam_desc *desc, cc_tensor m, cc_tensor cam, cc_tensor u, cc_tensor da,
                                  bool add, camcl_error *err);

/* exact gradient: the direction v [n,h,w,c] of its tangent pass: v[n,p,k] = 1/(hw) sum_q u[n,q] a[n,q,k], the same at
 * every pixel p */
camcl_status cc_grad_cam_tangent(cc_tape *tape, const cc_grad_cam_desc *desc, cc_tensor a, cc_tensor cam, cc_tensor u, cc_tensor v,
                                 camcl_error *err);

/* ---- resize.c: bilinear, corners aligned. x [N,H,W,C] -> y [N,P,Q,C]; out size 1 reads source 0. Backward is its transpose, gathered. */
typedef struct cc_resize_desc {
    size_t n, h, w, c, p, q;
} cc_resize_desc;
camcl_status cc_resize_forward(cc_tape *tape, const cc_resize_desc *desc, cc_tensor x, cc_tensor y, camcl_error *err);
camcl_status cc_resize_backward(cc_tape *tape, const cc_resize_desc *desc, cc_tensor dy, cc_tensor dx, bool add, camcl_error *err);

/* ---- min_max.c: per image of `size` values, y = (x - min)/(max - min), all 0 where max = min. */
typedef struct cc_min_max_desc {
    size_t n, size;
} cc_min_max_desc;
/* range [n,4] f32 = {min, max, how many equal min, how many equal max} */
camcl_status cc_min_max_forward(cc_tape *tape, const cc_min_max_desc *desc, cc_tensor x, cc_tensor y, cc_tensor range, camcl_error *err);
/* min and max pass gradient to their pixels, shared evenly among ties (as PyTorch's amin / amax); no gradient where max = min. */
camcl_status cc_min_max_backward(cc_tape *tape, const cc_min_max_desc *desc, cc_tensor x, cc_tensor y, cc_tensor range, cc_tensor dy,
                                 cc_tensor dx, camcl_error *err);

/* ---- warp.c: T = crop, resize back to S x S, rotate by quarter turns counter-clockwise; the same kernel for images and CAMs. */
/* One image's transform, 8 x i32 on the device, all in pixels of an S x S image. Crop, or window of a view (cc_window), [y0,y1) x [x0,x1).
 */
typedef struct cc_transform {
    int32_t source, flip_h, flip_v, y0, x0, y1, x1, turns;
} cc_transform;
typedef struct cc_warp_desc {
    size_t n, size, c;
    size_t src_row0, dst_row0;
} cc_warp_desc;
/* dst[dst_row0+i] = T_i(src[src_row0+i]), i < n; src and dst [*,S,S,C] (different rows when the buffer is the same).
 * out[a,b] = R[a',b'] with (a',b') = (a,b), (b,S-1-a), (S-1-a,S-1-b), (S-1-b,a) for turns 0..3 (torch.rot90);
 * R = crop resized bilinearly, half-pixel centres, clamped at the crop's edge: v = y0 + (a'+0.5)*(y1-y0)/S - 0.5 clamped to [y0,y1-1]; an
 * identity crop reproduces pixels exactly. transforms [n,8] i32; source and flips are not used here. */
camcl_status cc_warp_forward(cc_tape *tape, const cc_warp_desc *desc, cc_tensor src, cc_tensor transforms, cc_tensor dst, camcl_error *err);
/* dsrc[src_row0+i] = T_i^t(ddst[dst_row0+i]): gathered transpose. */
camcl_status cc_warp_backward(cc_tape *tape, const cc_warp_desc *desc, cc_tensor ddst, cc_tensor transforms, cc_tensor dsrc, bool add,
                              camcl_error *err);

/* ---- affine_warp.c: T of a strong view that is drawn from the picture itself, not from the weak view: any affine map, and the pixels that
 * count in the CAM term. */
/* One image's T, 12 x f32 on the device. Pixel (a,b) of the strong view, row a and column b, shows the weak view's point
 *     y = map[0] a + map[1] b + map[2],   x = map[3] a + map[4] b + map[5]
 * in pixels, centres at whole numbers; it is clamped to low .. high (y, x) before it is sampled. */
typedef struct cc_affine {
    float map[6], low[2], high[2];
    float counted; /* pixels that count, by the image's rows below: a whole number */
    float unused;
} cc_affine;
enum { CC_AFFINE_FLOATS = 12 };
/* The pixels that count of one row of the strong view: columns begin <= b < end without hole_begin <= b < hole_end, 4 x i32 on the device.
 * 0 <= begin <= hole_begin <= hole_end <= end <= S. */
typedef struct cc_counted_row {
    int32_t begin, hole_begin, hole_end, end;
} cc_counted_row;
/* dst[i] = T_i(src[i]), bilinear, whether a pixel counts or not; 0 where its point lies more than 3/4 of a pixel outside low .. high. src
 * and dst [n,S,S], maps [n,12] f32; low and high are whole numbers. */
typedef struct cc_affine_warp_desc {
    size_t n, size;
} cc_affine_warp_desc;
camcl_status cc_affine_warp_forward(cc_tape *tape, const cc_affine_warp_desc *desc, cc_tensor src, cc_tensor maps, cc_tensor dst,
                                    camcl_error *err);
/* dsrc[i] = T_i^t(ddst[i]): gathered transpose. */
camcl_status cc_affine_warp_backward(cc_tape *tape, const cc_affine_warp_desc *desc, cc_tensor ddst, cc_tensor maps, cc_tensor dsrc,
                                     bool add, camcl_error *err);

/* ---- load.c: bytes -> normalised floats. dst[dst_row0+i] = flip(resize((byte/255 - mean[c]) * (1/std[c]))), i < n, of image
 * transforms[i].source of pixels [*,H,W,C] u8 -> [*,size,size,C] f32. Resize: bilinear, corners aligned, when H,W != size. flip_h
 * mirrors columns, flip_v rows. Devices limit the size of a buffer, so that the pixels of a data set are kept in chunks: chunk j holds
 * images j*chunk_images ... `first_image` is the first image of the chunk in `pixels`. Rows whose image lies outside [first_image,
 * first_image+images) are not written. normalise [2*C] f32 = mean, 1/std. */
/* What a transform's window means: the picture as it is, rows y0 .. y1-1 and columns x0 .. x1-1 otherwise. */
typedef enum cc_window {
    CC_WINDOW_WHOLE,   /* not read */
    CC_WINDOW_SHIFTED, /* y1 - y0 = x1 - x0 = size; a pixel outside the picture is the one that its edge mirrors, -size < y0, x0 < size */
    CC_WINDOW_SCALED   /* inside the picture, which is size x size by then; resized to size x size (half-pixel centres, clamped at its edge)
                        */
} cc_window;
typedef struct cc_load_desc {
    size_t n, h, w, c, size, dst_row0, first_image, images;
    cc_window window;
} cc_load_desc;
camcl_status cc_load_images(cc_tape *tape, const cc_load_desc *desc, cc_tensor pixels, cc_tensor transforms, cc_tensor normalise,
                            cc_tensor dst, camcl_error *err);
/* out[i] = labels[transforms[i].source] (i32), i < n; source < 0 gives -1 */
camcl_status cc_load_labels(cc_tape *tape, size_t n, cc_tensor labels, cc_tensor transforms, cc_tensor out, camcl_error *err);

/* The same as bytes, rounded where the picture was resized: dst [*,size,size,C] u8. Windows are whole or shifted. */
camcl_status cc_load_bytes(cc_tape *tape, const cc_load_desc *desc, cc_tensor pixels, cc_tensor transforms, cc_tensor dst,
                           camcl_error *err);

/* ---- randaugment.c: operations on the bytes of pictures, which mean what Pillow's functions of these names do; then normalised floats. */
typedef enum cc_picture_operation_kind {
    CC_PICTURE_IDENTITY,
    CC_PICTURE_AUTOCONTRAST, /* ImageOps.autocontrast */
    CC_PICTURE_EQUALIZE,     /* ImageOps.equalize */
    CC_PICTURE_BRIGHTNESS,   /* ImageEnhance, by factor; 1 changes nothing */
    CC_PICTURE_COLOUR,
    CC_PICTURE_CONTRAST,
    CC_PICTURE_SHARPNESS,
    CC_PICTURE_POSTERIZE, /* value[0]: the mask of the bits that remain */
    CC_PICTURE_SOLARIZE,  /* value[0]: bytes from here on are inverted, 0 .. 256 */
    CC_PICTURE_AFFINE,    /* Image.transform(AFFINE), nearest pixel, black outside: pixel (x,y) is the one at
                             (value[0] x + value[1] y + value[2], value[3] x + value[4] y + value[5]) >> 16 */
    CC_PICTURE_CUTOUT,    /* rows value[0] .. value[2]-1, columns value[1] .. value[3]-1 become (125, 123, 114), or 123 in grey pictures */
    CC_PICTURE_OPERATIONS
} cc_picture_operation_kind;
/* 8 x 32 bits on the device. */
typedef struct cc_picture_operation {
    int32_t kind; /* cc_picture_operation_kind */
    float factor;
    int32_t value[6];
} cc_picture_operation;
typedef struct cc_randaugment_desc {
    size_t n, size, c, operations, dst_row0; /* c: 1 or 3; operations of one picture, applied in order */
} cc_randaugment_desc;
/* dst[dst_row0+i] = (operations(bytes[i])/255 - mean) * (1/std); bytes [n,S,S,C] u8, which may be overwritten; operations
 * [n,operations,8] i32; normalise [2*C]; dst [*,S,S,C] f32. */
camcl_status cc_randaugment(cc_tape *tape, const cc_randaugment_desc *desc, cc_tensor bytes, cc_tensor operations, cc_tensor normalise,
                            cc_tensor dst, camcl_error *err);

/* ---- masked_mse.c: over n images of `size` pixels: sums [4] f32 = {sum_i mask_i * mean_pixels (a-b)^2, sum mask, n, 0} */
typedef struct cc_masked_mse_desc {
    size_t n, size;
} cc_masked_mse_desc;
camcl_status cc_masked_mse_forward(cc_tape *tape, const cc_masked_mse_desc *desc, cc_tensor a, cc_tensor b, cc_tensor mask, cc_tensor sums,
                                   camcl_error *err);
/* da = scale / max(denominator,1) * mask * 2 (a-b) / size; db (or none) = -da */
camcl_status cc_masked_mse_backward(cc_tape *tape, const cc_masked_mse_desc *desc, cc_tensor a, cc_tensor b, cc_tensor mask, float scale,
                                    cc_device_scalar denominator, cc_tensor da, cc_tensor db, camcl_error *err);

/* ---- counted_mse.c: the same over the pixels that count: sums [4] f32 = {sum_i mask_i * mean_counted (a-b)^2, sum mask, n, 0}; an image
 * without such pixels adds 0. a, b [n,S,S], maps [n,12] f32 (cc_affine: how many count), rows [n,S,4] i32 (cc_counted_row: which ones). */
camcl_status cc_counted_mse_forward(cc_tape *tape, const cc_affine_warp_desc *desc, cc_tensor a, cc_tensor b, cc_tensor mask,
                                    cc_tensor maps, cc_tensor rows, cc_tensor sums, camcl_error *err);
/* da = scale / max(denominator,1) * mask * 2 (a-b) / counted where a pixel counts, else 0; db (or none) = -da */
camcl_status cc_counted_mse_backward(cc_tape *tape, const cc_affine_warp_desc *desc, cc_tensor a, cc_tensor b, cc_tensor mask,
                                     cc_tensor maps, cc_tensor rows, float scale, cc_device_scalar denominator, cc_tensor da, cc_tensor db,
                                     camcl_error *err);

/* ---- sgd.c: PyTorch's SGD over `count` floats: g = grad + weight_decay * w; v = momentum * v + g (v = g at the very first step, which is
 * the same since v starts at 0); w -= lr * (nesterov ? g + momentum * v : v). lr is a device scalar. */
typedef struct cc_sgd_desc {
    size_t count;
    float momentum, weight_decay;
    bool nesterov;
} cc_sgd_desc;
camcl_status cc_sgd_update(cc_tape *tape, const cc_sgd_desc *desc, cc_device_scalar lr, cc_tensor grad, cc_tensor w, cc_tensor velocity,
                           camcl_error *err);
/* average = decay * average + (1-decay) * w */
camcl_status cc_ema_update(cc_tape *tape, size_t count, float decay, cc_tensor w, cc_tensor average, camcl_error *err);

#endif
