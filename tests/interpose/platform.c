/* An OpenCL driver for the loader, of a platform whose name is FAKE_PLATFORM, without devices or with one that cannot be used. */
#include <CL/cl.h>
#include <CL/cl_icd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct _cl_platform_id {
    const cl_icd_dispatch *dispatch;
};
struct _cl_device_id {
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
    static struct _cl_device_id device;
    const bool has_one = getenv("FAKE_DEVICE") != NULL;
    (void)type;
    device.dispatch = platform->dispatch;
    if (count) *count = has_one;
    if (out && room && has_one) *out = &device;
    return has_one ? CL_SUCCESS : CL_DEVICE_NOT_FOUND;
}

static cl_int answer(const void *value, size_t bytes, size_t size, void *out, size_t *needed)
{
    if (needed) *needed = bytes;
    if (out && size < bytes) return CL_INVALID_VALUE;
    if (out) memcpy(out, value, bytes);
    return CL_SUCCESS;
}

/* FAKE_DEVICE is what is wrong with the device: big-endian, no-compiler, not-available or silent. */
static cl_int CL_API_CALL get_device_info(cl_device_id device, cl_device_info what, size_t size, void *out, size_t *needed)
{
    (void)device;
    const char *wrong = getenv("FAKE_DEVICE");
    const cl_device_type type = CL_DEVICE_TYPE_GPU;
    const cl_ulong memory = 1 << 30;
    const size_t work_items = 256;
    const cl_uint number = 4;
    if (wrong == NULL || strcmp(wrong, "silent") == 0) return CL_INVALID_DEVICE;
    const cl_bool compiler = strcmp(wrong, "no-compiler") != 0, little = strcmp(wrong, "big-endian") != 0;
    const cl_bool available = strcmp(wrong, "not-available") != 0;
    switch (what) {
    case CL_DEVICE_NAME:
    case CL_DEVICE_VENDOR:
    case CL_DRIVER_VERSION:
    case CL_DEVICE_OPENCL_C_VERSION: return answer("fake device", sizeof "fake device", size, out, needed);
    case CL_DEVICE_EXTENSIONS: return answer("", 1, size, out, needed);
    case CL_DEVICE_TYPE: return answer(&type, sizeof type, size, out, needed);
    case CL_DEVICE_GLOBAL_MEM_SIZE:
    case CL_DEVICE_LOCAL_MEM_SIZE:
    case CL_DEVICE_MAX_MEM_ALLOC_SIZE:
    case CL_DEVICE_GLOBAL_MEM_CACHE_SIZE: return answer(&memory, sizeof memory, size, out, needed);
    case CL_DEVICE_MAX_WORK_GROUP_SIZE: return answer(&work_items, sizeof work_items, size, out, needed);
    case CL_DEVICE_COMPILER_AVAILABLE: return answer(&compiler, sizeof compiler, size, out, needed);
    case CL_DEVICE_ENDIAN_LITTLE: return answer(&little, sizeof little, size, out, needed);
    case CL_DEVICE_AVAILABLE: return answer(&available, sizeof available, size, out, needed);
    default: return answer(&number, sizeof number, size, out, needed);
    }
}

static cl_int CL_API_CALL get_platform_ids(cl_uint room, cl_platform_id *out, cl_uint *count)
{
    static cl_icd_dispatch dispatch;
    static struct _cl_platform_id platform = { &dispatch };
    dispatch.clGetPlatformInfo = get_platform_info;
    dispatch.clGetDeviceIDs = get_device_ids;
    dispatch.clGetDeviceInfo = get_device_info;
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
