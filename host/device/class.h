/* Kinds of devices. */
#ifndef CC_DEVICE_CLASS_H
#define CC_DEVICE_CLASS_H

#include "camcl/device.h"

/* Kinds of devices for which kernels have different shapes. */
typedef enum cc_device_class { CC_CLASS_CPU, CC_CLASS_NVIDIA, CC_CLASS_AMD, CC_CLASS_INTEL, CC_CLASS_OTHER } cc_device_class;

cc_device_class cc_device_get_class(const camcl_device_info *info);

/* Whether fma() is a routine of a hundred instructions, so that kernels use mad() where they may: Mesa's rusticl before 26.2 is reported to
 * compile it so for many GPUs, also for some that have the instruction. A version that cannot be read counts as an older one. */
bool cc_device_has_slow_fma(const camcl_device_info *info);
/* Replaces *slow by what CAMCL_FMA says, "slow" or "fast". False if the text is something else. NULL or "": nothing. */
bool cc_device_override_fma(const char *text, bool *slow);

#endif
