#include "device/class.h"

#include <string.h>

cc_device_class cc_device_get_class(const camcl_device_info *info)
{
    if (info->type == CAMCL_CPU) return CC_CLASS_CPU;
    if (strstr(info->vendor, "NVIDIA")) return CC_CLASS_NVIDIA;
    if (strstr(info->vendor, "AMD") || strstr(info->vendor, "Advanced Micro Devices")) return CC_CLASS_AMD;
    if (strstr(info->vendor, "Intel")) return CC_CLASS_INTEL;
    return CC_CLASS_OTHER;
}
