/* What was timed on this device, in memory and in the cache folder: how long a choice took for a key ("conv2d forward n32 ..." and "tile").
 * On disk: <cache>/tuned/<hash of platform, vendor, name and driver>.txt, valid for one device, driver, version and set of kernel sources.
 * A file that is missing, damaged, of another device or not writable does no harm: nothing is known then, or nothing is kept. */
#ifndef CC_DEVICE_TIMINGS_H
#define CC_DEVICE_TIMINGS_H

#include <signal.h>

#include "device/device.h"

typedef struct cc_timing {
    char key[128], choice[128];
    double ms;
} cc_timing;

/* Borrowed until the next cc_timings_add. */
const cc_timing *cc_timings(const camcl_device *device, size_t *count);
/* NaN: not timed. */
double cc_timings_find(const camcl_device *device, const char *key, const char *choice);
/* Adds or replaces; key and choice are one line each, without " = " and with at most 127 characters. */
camcl_status cc_timings_add(camcl_device *device, const char *key, const char *choice, double ms, camcl_error *err);
/* Writes what is known, over what another process may have stored meanwhile. Silent where that is not possible. */
void cc_timings_store(camcl_device *device);

/* Whether choices are to be made by stored timings, and whether what is missing is to be timed first. */
typedef enum cc_tune_mode { CC_TUNE_OFF, CC_TUNE_CACHE, CC_TUNE_FULL } cc_tune_mode;
cc_tune_mode cc_device_tune_mode(const camcl_device *device);
void cc_device_set_tune_mode(camcl_device *device, cc_tune_mode mode);
/* Timing ends early, with CAMCL_STOPPED, once *stop is nonzero. NULL: never. */
void cc_device_set_stop(camcl_device *device, const volatile sig_atomic_t *stop);
bool cc_device_should_stop(const camcl_device *device);

#endif
