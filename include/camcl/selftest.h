/* The kernel checks, on a device: every variant of every operation against plain-C references. */
#ifndef CAMCL_SELFTEST_H
#define CAMCL_SELFTEST_H

#include <stdbool.h>
#include <stddef.h>

#include "camcl/device.h"
#include "camcl/stop.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One variant of one direction of an operation. */
typedef struct camcl_check {
    const char *op, *direction, *variant; /* "conv2d", "backward-data", "tile" */
    size_t shapes; /* problems that the variant was run on; 0: the device supports none of them, which is not a failure */
    double error;  /* largest |result - expected| of all of them; infinite: NaN, wrong integers, writes behind a buffer's
                    * end */
    bool ok;
    const char *what;   /* the first fault found, or "" */
    const char *detail; /* more of it, of several lines, such as a compiler's log, or "" */
} camcl_check;

typedef struct camcl_selftest_result {
    size_t checked, failed;
} camcl_selftest_result;

/* Uses the device like any other call: by one thread at a time.
 *
 * Calls report (unless NULL) for each variant in turn. Wrong results do not make this function fail: see result->failed. A variant that
 * does not build or run counts as failed too. CAMCL_STOPPED once a stop is requested (stop may be NULL). */
camcl_status camcl_selftest(camcl_device *device, const camcl_stop *stop, void (*report)(void *context, const camcl_check *check),
                            void *context, camcl_selftest_result *result, camcl_error *err);

#ifdef __cplusplus
}
#endif
#endif
