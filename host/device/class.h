/* Kinds of devices. */
#ifndef CC_DEVICE_CLASS_H
#define CC_DEVICE_CLASS_H

#include "camcl/device.h"

/* Kinds of devices for which kernels have different shapes. */
typedef enum cc_device_class { CC_CLASS_CPU, CC_CLASS_NVIDIA, CC_CLASS_AMD, CC_CLASS_INTEL, CC_CLASS_OTHER } cc_device_class;

cc_device_class cc_device_get_class(const camcl_device_info *info);

#endif
