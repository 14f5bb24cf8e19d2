/* Timing: the device's peak, a step's operations, whole training steps. */
#ifndef CAMCL_BENCH_H
#define CAMCL_BENCH_H

#include "camcl/config.h"
#include "camcl/device.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the device reaches at most: 1e9 float32 operations (a multiply-add is two) per second with operands in registers, and 1e9 bytes per
 * second through buffers far larger than caches: y = x, y = x + f z, and the better of the two. Takes seconds. */
typedef struct camcl_peak { double gflops, gbytes_per_s, copy_gbytes_per_s, triad_gbytes_per_s; } camcl_peak;
camcl_status camcl_bench_peak(camcl_device *device, camcl_peak *out, camcl_error *err);

typedef struct camcl_step_time {
    double ms_per_step, images_per_s; /* of the best timed step after warm-up; labelled + unlabelled images (supervised: labelled only) */
    size_t peak_bytes;                       /* device memory at its highest */
} camcl_step_time;

typedef enum camcl_bench_mode { CAMCL_BENCH_SUPERVISED, CAMCL_BENCH_PSEUDO_LABEL, CAMCL_BENCH_GRADCAM, CAMCL_BENCH_INFER } camcl_bench_mode;

/* One mode with the configuration's network, batches and options, on random 32x32 RGB images of 10 classes (data.image_size: another side);
 * every pseudo-label counts as confident. CAMCL_BENCH_INFER is the eval-mode forward of 256 images. `repeat` steps are timed. */
camcl_status camcl_bench_step(camcl_device *device, const camcl_config *config, camcl_bench_mode mode, unsigned repeat,
                              camcl_step_time *out, camcl_error *err);

/* Where a step's time goes: one row per kernel and build options, the slowest first; each launch is waited for. The caller frees *rows. */
typedef struct camcl_kernel_time { char name[96]; size_t launches; double ms, gflops, gbytes_per_s; } camcl_kernel_time;
camcl_status camcl_bench_kernels(camcl_device *device, const camcl_config *config, camcl_bench_mode mode, camcl_kernel_time **rows,
                                 size_t *count, camcl_error *err);

#ifdef __cplusplus
}
#endif
#endif
