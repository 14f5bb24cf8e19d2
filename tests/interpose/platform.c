/* An OpenCL driver of a platform without devices, for the loader: FAKE_PLATFORM is its name. */
#include <CL/cl.h>
#include <CL/cl_icd.h>
#include <stdlib.h>
#include <string.h>

struct _cl_platform_id {
    const cl_icd_dispatch *dispatch;
};

static cl_int CL_API_CALL get_platform_info(cl_platform_id platform, cl_platform_info what, size_t size, void *out, size_t *needed)
{
    (void)platform;
    const char *text = what == CL_PLATFORM_EXTENSIONS       ? "cl_khr_icd"
                       : what == CL_PLATFORM_ICD_SUFFIX_KHR ? "FAKE"
                       : what == CL_PLATFORM_NAME           ? getenv("FAKE_PLATFORM")
                       : what == CL_PLATFORM_VERSION        ? "OpenCL 1.2 fake"
                                                            : "fake";
    if (text == NULL) text = "nameless";
    const size_t length = strlen(text) + 1;
    if (needed) *needed = length;
    if (out && size < length) return CL_INVALID_VALUE;
    if (out) memcpy(out, text, length);
    return CL_SUCCESS;
}

static cl_int CL_API_CALL get_device_ids(cl_platform_id platform, cl_device_type type, cl_uint room, cl_device_id *out, cl_uint *count)
{
    (void)platform;
    (void)type;
    (void)room;
    (void)out;
    if (count) *count = 0;
    return CL_DEVICE_NOT_FOUND;
}

static cl_int CL_API_CALL get_platform_ids(cl_uint room, cl_platform_id *out, cl_uint *count)
{
    static cl_icd_dispatch dispatch;
    static struct _cl_platform_id platform = { &dispatch };
    dispatch.clGetPlatformInfo = get_platform_info;
    dispatch.clGetDeviceIDs = get_device_ids;
    if (count) *count = 1;
    if (out && room) *out = &platform;
    return CL_SUCCESS;
}

typedef void (*any_function)(void);

/* POSIX allows what C does not: a function's address as a pointer to data. */
CL_API_ENTRY void *CL_API_CALL clGetExtensionFunctionAddress(const char *name)
{
    union {
        any_function function;
        void *address;
    } found = { NULL };
    if (strcmp(name, "clIcdGetPlatformIDsKHR") == 0) found.function = (any_function)get_platform_ids;
    if (strcmp(name, "clGetPlatformInfo") == 0) found.function = (any_function)get_platform_info;
    return found.address;
}
