/* What was timed on a device, in memory and in the cache folder: how long a choice took for a key ("conv2d forward n32 ..." and "tile").
 * On disk: <cache>/tuned/<hash of the device: its names, driver, compute units and registers>.txt, valid for one device, driver, version
 * and set of kernel sources. A file that is missing, damaged, of another device or not writable does no harm: nothing is known then, or
 * nothing is kept. */
#ifndef CC_OPS_CHOICE_TIMINGS_H
#define CC_OPS_CHOICE_TIMINGS_H

#include "base/diag.h"
#include "camcl/device.h"

typedef struct cc_timing {
    char key[128], choice[128];
    double ms;
} cc_timing;

/* Zeros: nothing is known. */
typedef struct cc_timings {
    cc_timing *rows;
    size_t count, capacity;
} cc_timings;
void cc_timings_free(cc_timings *timings);

/* NaN: not timed. */
double cc_timings_find(const cc_timings *timings, const char *key, const char *choice);
/* Adds or replaces; key and choice are one line each, without " = " and with at most 127 characters. */
camcl_status cc_timings_add(cc_timings *timings, const char *key, const char *choice, double ms, camcl_error *err);

/* Adds what the cache folder has of this device; what is known stays. Silent on failure. cache_dir NULL: there is no cache. */
void cc_timings_load(cc_timings *timings, const camcl_device_info *info, const char *cache_dir);
/* Loads, and writes all that is known then, so that what another process stored meanwhile is kept. Silent on failure. */
void cc_timings_store(cc_timings *timings, const camcl_device_info *info, const char *cache_dir);

#endif
