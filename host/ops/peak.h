/* What a device reaches at most, measured: the yardstick for everything else. */
#ifndef CC_OPS_PEAK_H
#define CC_OPS_PEAK_H

#include "tensor/tensor.h"

/* 1e9 float32 operations (a multiply-add is two) per second with all operands in registers; 1e9 bytes read and written per second through
 * buffers far larger than caches: y = x, and y = x + f z. Best of several runs, about a second in all. */
typedef struct cc_peak {
    double gflops, copy_gbytes_per_s, triad_gbytes_per_s;
} cc_peak;
camcl_status cc_peak_measure(camcl_device *device, cc_peak *out, camcl_error *err);

#endif
