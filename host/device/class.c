#include "device/class.h"

#include <stdio.h>
#include <string.h>

cc_device_class cc_device_get_class(const camcl_device_info *info)
{
    if (info->type == CAMCL_CPU) return CC_CLASS_CPU;
    if (strstr(info->vendor, "NVIDIA")) return CC_CLASS_NVIDIA;
    if (strstr(info->vendor, "AMD") || strstr(info->vendor, "Advanced Micro Devices")) return CC_CLASS_AMD;
    if (strstr(info->vendor, "Intel")) return CC_CLASS_INTEL;
    return CC_CLASS_OTHER;
}

bool cc_device_has_slow_fma(const camcl_device_info *info)
{
    unsigned major, minor;
    if (strcmp(info->platform, "rusticl") != 0) return false;
    if (sscanf(info->driver, "%u.%u", &major, &minor) != 2) return true;
    return major < 26 || (major == 26 && minor < 2);
}

bool cc_device_override_fma(const char *text, bool *slow)
{
    if (text == NULL || *text == '\0') return true;
    *slow = strcmp(text, "slow") == 0;
    return *slow || strcmp(text, "fast") == 0;
}
