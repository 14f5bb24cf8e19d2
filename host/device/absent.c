#include "device/absent.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "device/opencl.h"

enum { MOST_PLATFORMS = 64 };

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

/* ---- platforms without devices */

/* Where PoCL keeps what it compiles; false: in a place of its own that needs no permission. */
static bool find_pocl_cache(char *path, size_t size)
{
    if (is_set("POCL_CACHE_DIR"))
        snprintf(path, size, "%s", getenv("POCL_CACHE_DIR"));
    else if (is_set("XDG_CACHE_HOME"))
        snprintf(path, size, "%s/pocl/kcache", getenv("XDG_CACHE_HOME"));
    else if (is_set("HOME"))
        snprintf(path, size, "%s/.cache/pocl/kcache", getenv("HOME"));
    else
        return false;
    return true;
}

/* PoCL made this folder at its start, if it could. */
static bool is_writable_folder(const char *path) { return cc_is_folder(path) && access(path, W_OK | X_OK) == 0; }

static void explain(const char *platform, cc_text *why)
{
    char cache[1024];
    if (strcmp(platform, "rusticl") == 0 && !is_set("RUSTICL_ENABLE")) {
        cc_text_add(why,
                    "it offers only the drivers that RUSTICL_ENABLE names, which is not set (set RUSTICL_ENABLE=radeonsi for AMD, iris for "
                    "Intel, nouveau for NVIDIA)");
    } else if (strcmp(platform, "Portable Computing Language") == 0 && find_pocl_cache(cache, sizeof cache) && !is_writable_folder(cache)) {
        cc_text_add(why, "PoCL cannot write into its cache folder ");
        cc_text_add_visible(why, cache, 400);
        cc_text_add(why, " (set POCL_CACHE_DIR to a folder that can be written)");
    } else {
        cc_text_add(
            why, "its driver finds no hardware, or you may not open it (look whether the hardware is there, and join the groups that own "
                 "/dev/dri/render*; or install PoCL for the CPU: the package pocl-opencl-icd)");
    }
}

/* The platforms that have no device; *count is that of all platforms. */
static size_t find_empty(cl_platform_id empty[MOST_PLATFORMS], size_t *count)
{
    cl_platform_id all[MOST_PLATFORMS];
    cl_uint found = 0, devices;
    size_t n = 0;
    if (clGetPlatformIDs(MOST_PLATFORMS, all, &found) != CL_SUCCESS) found = 0;
    if (found > MOST_PLATFORMS) found = MOST_PLATFORMS;
    for (cl_uint i = 0; i < found; i++)
        if (clGetDeviceIDs(all[i], CL_DEVICE_TYPE_ALL, 0, NULL, &devices) != CL_SUCCESS || devices == 0) empty[n++] = all[i];
    *count = found;
    return n;
}

/* "platform NAME: why (what to do)" */
static void describe(cl_platform_id platform, cc_text *line)
{
    char name[128] = "";
    if (clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof name, name, NULL) != CL_SUCCESS) snprintf(name, sizeof name, "?");
    name[sizeof name - 1] = '\0';
    cc_text_add(line, "the platform ");
    cc_text_add_visible(line, name, sizeof name);
    cc_text_add(line, " has no device: ");
    explain(name, line);
}

void cc_device_explain_empty_platforms(camcl_error *err)
{
    cl_platform_id empty[MOST_PLATFORMS];
    size_t all, n = find_empty(empty, &all);
    for (size_t i = 0; i < n; i++) {
        cc_text line = CC_TEXT_INIT;
        describe(empty[i], &line);
        if (!line.failed) cc_detail(err, "%s\n", line.data);
        cc_text_free(&line);
    }
}

/* ---- no platform */

/* Counts the files that tell the loader of drivers. */
static size_t count_drivers(const char *path)
{
    size_t count = 0;
    DIR *folder = opendir(path);
    if (folder == NULL) return 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        const size_t length = strlen(entry->d_name);
        count += length > 4 && strcmp(entry->d_name + length - 4, ".icd") == 0;
    }
    closedir(folder);
    return count;
}

static camcl_status fail_without_platform(camcl_error *err)
{
    const char *vendors = is_set("OCL_ICD_VENDORS") ? getenv("OCL_ICD_VENDORS") : "/etc/OpenCL/vendors";
    const size_t drivers = count_drivers(vendors);
    if (drivers)
        return cc_fail(
            err, CAMCL_NO_DEVICE,
            "device: none of the OpenCL drivers in %s could be loaded, of which there are %zu (install them again, or PoCL for the "
            "CPU: the package pocl-opencl-icd)",
            vendors, drivers);
    if (is_set("OCL_ICD_VENDORS"))
        return cc_fail(err, CAMCL_NO_DEVICE,
                       "device: OCL_ICD_VENDORS = %s leads to no OpenCL driver (unset it, or name a folder of .icd files)", vendors);
    return cc_fail(err, CAMCL_NO_DEVICE,
                   "device: no OpenCL platform is installed (install your GPU's OpenCL driver, or PoCL for the CPU: the package "
                   "pocl-opencl-icd)");
}

camcl_status cc_device_fail_absent(camcl_error *err)
{
    cl_platform_id empty[MOST_PLATFORMS];
    size_t all, n = find_empty(empty, &all);
    if (all == 0) return fail_without_platform(err);
    if (n == 0) return cc_fail(err, CAMCL_NO_DEVICE, "device: no OpenCL device to pick from (list the devices again)");
    cc_text line = CC_TEXT_INIT;
    describe(empty[0], &line);
    cc_fail(err, CAMCL_NO_DEVICE, "device: %s", line.failed ? "no platform has one (install your GPU's OpenCL driver)" : line.data);
    cc_text_free(&line);
    if (n > 1) cc_device_explain_empty_platforms(err);
    return CAMCL_NO_DEVICE;
}
