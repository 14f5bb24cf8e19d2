/* What choosing kernels for a device depends on, beside the device itself: the options it was opened with, what was timed on it, and
 * CLBlast's parameters in use. */
#ifndef CC_OPS_CHOICE_STATE_H
#define CC_OPS_CHOICE_STATE_H

#include "camcl/stop.h"
#include "device/device.h"
#include "ops/choice/timings.h"

/* Whether choices are made by stored timings, and whether what is missing is timed first. */
typedef enum cc_tune_mode { CC_TUNE_OFF, CC_TUNE_CACHE, CC_TUNE_FULL } cc_tune_mode;

typedef struct cc_choice {
    camcl_device *device;
    char policy[16]; /* of device.conv: auto | direct | winograd | gemm */
    cc_tune_mode mode;
    cc_timings timings;
    size_t gemm_set;        /* products recorded from here on use it: see cc_gemm_use; 0 at first */
    const camcl_stop *stop; /* timing ends early, with CAMCL_STOPPED, once it is requested; NULL: never */
} cc_choice;

/* The device's, made by the first call, which loads stored timings unless device.tune is off; it ends with the device. */
camcl_status cc_choice_of(camcl_device *device, cc_choice **out, camcl_error *err);
/* cc_timings_store of the device's. */
void cc_choice_store(cc_choice *choice);
camcl_status cc_choice_check_stop(const cc_choice *choice, camcl_error *err);

#endif
