/* Why there is no device, or not the one that was asked for. */
#ifndef CC_DEVICE_ABSENT_H
#define CC_DEVICE_ABSENT_H

#include "base/diag.h"

/* CAMCL_NO_DEVICE with the reason that fits this machine: no driver, drivers that do not load, or platforms without devices and what they
 * lack. For callers that found no device at all. */
camcl_status cc_device_fail_absent(camcl_error *err);
/* Adds to the detail of *err a line for each platform that has no devices, and what it lacks. */
void cc_device_explain_empty_platforms(camcl_error *err);

#endif
