/* PoCL ends the whole process when it gets less memory than it wants, so it is asked for no more than is left. */
#ifndef CC_DEVICE_MEMORY_H
#define CC_DEVICE_MEMORY_H

#include <stddef.h>

#include "base/diag.h"
#include "camcl/device.h"

/* CAMCL_NO_MEMORY if the device's memory is the process's own, and `bytes` more of it are not left. `named` is what needs them. */
camcl_status cc_device_check_memory(const camcl_device *device, size_t bytes, const char *named, camcl_error *err);

#endif
