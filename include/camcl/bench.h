/* Timing: the device's peak, a step's operations, whole training steps. */
#ifndef CAMCL_BENCH_H
#define CAMCL_BENCH_H

#include "camcl/config.h"
#include "camcl/device.h"

#ifdef __cplusplus
extern "C" {
#endif

/* These functions use the device: one thread at a time, and other work beside them spoils what they measure.
 *
 * The device's limits: 1e9 float32 operations (a multiply-add is two) per second with operands in registers, and 1e9 bytes per second
 * through buffers far larger than caches, for y = x, for y = x + f z, and the better of the two. Takes seconds. */
typedef struct camcl_peak {
    double gflops, gbytes_per_s, copy_gbytes_per_s, triad_gbytes_per_s;
} camcl_peak;
/* Measures these limits. */
camcl_status camcl_bench_peak(camcl_device *device, camcl_peak *out, camcl_error *err);

typedef struct camcl_step_time {
    double ms_per_step, images_per_s; /* of the best timed step after warm-up; labelled + unlabelled images (supervised: labelled only) */
    size_t peak_bytes;                /* device memory at its highest */
    /* Of several devices, per step and device: all-reduces for which all of them wait (statistics, logits), those that go on beside the
     * backward pass (gradients), and the bytes of both. */
    size_t blocking_allreduces, overlapped_allreduces, exchanged_bytes;
} camcl_step_time;

/* What can be timed is named by a word of ssl.mode, or by CAMCL_BENCH_INFER: the eval-mode forward pass of 256 images. */
#define CAMCL_BENCH_INFER "infer"
/* The names that `camcl bench step` times: supervised, pseudo-label, gradcam, the configured mode if it is another, and infer. NULL when
 * `index` is past the last. Borrowed, static. */
const char *camcl_bench_name(const camcl_config *config, size_t index);

/* One mode with the configuration's network, batches and options, on random 32x32 RGB images of 10 classes (data.image_size: another side);
 * every pseudo-label counts as confident. `repeat` steps, at least 1, are timed. An unknown name, or no step, is CAMCL_BAD_CONFIG. */
camcl_status camcl_bench_step(camcl_device *device, const camcl_config *config, const char *name, unsigned repeat, camcl_step_time *out,
                              camcl_error *err);

/* The same on several devices that train together, as camcl_train has them of a list in device.select: each takes its share of every batch,
 * by device.share, or equal shares where that is auto. Of CAMCL_BENCH_INFER the first device does all. peak_bytes: of the first device. */
camcl_status camcl_bench_step_together(camcl_device *const *devices, size_t count, const camcl_config *config, const char *name,
                                       unsigned repeat, camcl_step_time *out, camcl_error *err);

/* Where a step's time goes. Each launch is timed by itself and the best of three runs counts. Times are the device's clock's if it can
 * be read, else the host's. */
typedef struct camcl_op_time {
    char op[24], direction[20], variant[32];
    char shape[112]; /* "n32 h32 w32 c64 k64 r3 s3 stride1 pad1" of a convolution, "n32 in512 out10" of a linear layer, else "" */
    size_t uses;     /* how often a step runs it: layers of the same shape share a row */
    double ms;       /* of all uses */
    double gflops, gbytes_per_s; /* 1e9 per second; NaN: not known. A convolution counts its definition's operations, whatever the variant
                                  * does, and each operand's bytes once */
    double percent;              /* of what the device could do: min(peak, operations per byte x bandwidth); NaN: not known */
} camcl_op_time;
/* One row per kernel and build options. */
typedef struct camcl_kernel_time {
    char name[96];
    size_t launches;
    double ms, gflops, gbytes_per_s;
} camcl_kernel_time;

typedef struct camcl_step_profile {
    camcl_peak peak;      /* measured before and after the operations: the higher figures */
    double ms;            /* sum over all launches */
    double other_percent; /* share of everything that is not convolution; refreshing weight layouts counts as convolution */
    camcl_op_time *ops;   /* the slowest first, as kernels */
    size_t op_count;
    camcl_kernel_time *kernels;
    size_t kernel_count;
} camcl_step_profile;
/* Profiles a step of what camcl_bench_step times by this name. The caller frees what is in *out with camcl_step_profile_free. */
camcl_status camcl_bench_ops(camcl_device *device, const camcl_config *config, const char *name, camcl_step_profile *out, camcl_error *err);
/* Frees its tables; a profile of zeros has none. */
void camcl_step_profile_free(camcl_step_profile *profile);

#ifdef __cplusplus
}
#endif
#endif
