/* Checking kernels against plain-C references on a device, for `camcl selftest`. A check runs one variant over a few small shapes that
 * straddle tiles and vectors. Numbers depend on the seed alone, outputs start as NaN, guards lie behind every buffer.
 *
 * Bounds are about twice the largest error that was seen on Intel's CPU runtime (three seeds) and Mesa's llvmpipe (small shapes, one seed);
 * tests/ops/test_variants.c can record the share of each bound that is used. They are not below what OpenCL C allows: 2.5 units in the last
 * place for a quotient, 3 for exp, log and sqrt, of which GPUs use more than processors do. */
#ifndef CC_CHECK_CHECK_H
#define CC_CHECK_CHECK_H

#include "check/ref/activation_ref.h"
#include "ops/ops.h"

enum { CC_CHECK_OPERANDS = 16, CC_CHECK_BLOCKS = 48 };

/* One variant under test. Functions below do nothing once `status` says that the device or memory failed; a wrong result only clears ok. */
typedef struct cc_check {
    camcl_device *device;
    const cc_variant *variant;
    unsigned seed; /* of the numbers; selftest: 0 */
    size_t every;  /* 0 and 1: all cases that the variant takes; more: the first of as many of them */
    size_t most;   /* cases that run at most; 0: no limit */
    /* NULL, or told after each comparison how much of the bound the worst element has used: 1 is all of it */
    void (*compared)(void *context, const char *name, double share);
    void *context;
    camcl_status status;
    camcl_error *err;
    bool ok;
    size_t taken;   /* cases that the variant takes */
    size_t shapes;  /* of these, those that ran */
    double error;   /* largest |got - expected|; NaN and guards count as infinite */
    char what[192]; /* the first wrong result */
    /* of the current case */
    cc_arena *arena;
    cc_tape *tape;
    cc_tensor operands[CC_CHECK_OPERANDS];
    size_t operand_count;
    void *blocks[CC_CHECK_BLOCKS];
    size_t block_count;
} cc_check;

/* Whether the variant takes this descriptor; then a case begins, to be closed by cc_check_end whatever happens in between. */
bool cc_check_begin(cc_check *c, const void *desc);
void cc_check_end(cc_check *c);

/* One of each kind in turn. */
cc_activation cc_check_activation(size_t i);
ref_activation cc_check_reference(cc_activation activation);

/* Host memory of the case: zeros; `count` numbers in [-1, 1) that depend on `seed` and the check's; a copy as doubles (NULL: zeros). NULL
 * after a failure, which cc_check_ready tells. */
void *cc_check_memory(cc_check *c, size_t count, size_t size);
float *cc_check_random(cc_check *c, size_t count, unsigned seed);
double *cc_check_doubles(cc_check *c, const float *values, size_t count);
/* True when everything asked for so far is there: references may be called. */
bool cc_check_ready(const cc_check *c);

/* Device tensors of rank 1: with this content; full of NaN. */
cc_tensor cc_check_input(cc_check *c, cc_dtype dtype, const void *data, size_t count);
cc_tensor cc_check_output(cc_check *c, cc_dtype dtype, size_t count);
/* An output that starts as `old` when `add`, else as NaN. */
cc_tensor cc_check_sum(cc_check *c, bool add, const float *old, size_t count);

/* Records the variant (its weight operand io[1] packed first where it wants that), runs it, looks at all guards. */
void cc_check_run(cc_check *c, const void *desc, cc_tensor *io, size_t count, bool add);
/* |got - want| <= absolute + relative * |want|, for all elements; NaN is wrong. */
void cc_check_compare(cc_check *c, cc_tensor got, const double *want, double absolute, double relative, const char *name);
/* The same with a bound for each element. */
void cc_check_compare_bounds(cc_check *c, cc_tensor got, const double *want, const double *bounds, const char *name);
void cc_check_compare_integers(cc_check *c, cc_tensor got, const int32_t *want, const char *name);
/* Of a tensor of bytes: |got - want| <= bound. */
void cc_check_compare_bytes(cc_check *c, cc_tensor got, const double *want, double bound, const char *name);
/* want[i] += old[i] when `add`. */
void cc_check_add(bool add, double *want, const float *old, size_t count);

/* What checks an operation; NULL where there is none. */
typedef void (*cc_check_function)(cc_check *c);
cc_check_function cc_check_find(const char *op);

/* By operation; each covers all directions of the operations named like it. */
void cc_check_conv2d(cc_check *c);
void cc_check_conv2d_affine(cc_check *c);
void cc_check_gemm(cc_check *c);
void cc_check_linear(cc_check *c);
void cc_check_batch_norm(cc_check *c);
void cc_check_batch_norm_fold(cc_check *c);
void cc_check_add_operation(cc_check *c);
void cc_check_pool(cc_check *c);
void cc_check_softmax(cc_check *c);
void cc_check_confidence(cc_check *c);
void cc_check_cross_entropy(cc_check *c);
void cc_check_evaluate(cc_check *c);
void cc_check_masked_mse(cc_check *c);
void cc_check_soft_cross_entropy(cc_check *c);
void cc_check_probability_mse(cc_check *c);
void cc_check_class_thresholds(cc_check *c);
void cc_check_adaptive_thresholds(cc_check *c);
void cc_check_confidence_weights(cc_check *c);
void cc_check_fairness(cc_check *c);
void cc_check_sgd(cc_check *c);
void cc_check_ema(cc_check *c);
void cc_check_grad_cam(cc_check *c);
void cc_check_rows(cc_check *c); /* grad_cam_seed, argmax_rows */
void cc_check_resize(cc_check *c);
void cc_check_min_max(cc_check *c);
void cc_check_warp(cc_check *c);
void cc_check_affine_warp(cc_check *c);
void cc_check_counted_mse(cc_check *c);
void cc_check_randaugment(cc_check *c);
void cc_check_load_images(cc_check *c);
void cc_check_load_bytes(cc_check *c);
void cc_check_load_labels(cc_check *c);

#endif
