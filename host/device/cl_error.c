#include "base/memory.h"
#include "device/opencl.h"

#define ROW(code)                                                                                                                          \
    {                                                                                                                                      \
        code, #code                                                                                                                        \
    }

static const struct {
    cl_int code;
    const char *name;
} names[] = {
    ROW(CL_SUCCESS),
    ROW(CL_DEVICE_NOT_FOUND),
    ROW(CL_DEVICE_NOT_AVAILABLE),
    ROW(CL_COMPILER_NOT_AVAILABLE),
    ROW(CL_MEM_OBJECT_ALLOCATION_FAILURE),
    ROW(CL_OUT_OF_RESOURCES),
    ROW(CL_OUT_OF_HOST_MEMORY),
    ROW(CL_PROFILING_INFO_NOT_AVAILABLE),
    ROW(CL_MEM_COPY_OVERLAP),
    ROW(CL_IMAGE_FORMAT_MISMATCH),
    ROW(CL_IMAGE_FORMAT_NOT_SUPPORTED),
    ROW(CL_BUILD_PROGRAM_FAILURE),
    ROW(CL_MAP_FAILURE),
    ROW(CL_MISALIGNED_SUB_BUFFER_OFFSET),
    ROW(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST),
    ROW(CL_COMPILE_PROGRAM_FAILURE),
    ROW(CL_LINKER_NOT_AVAILABLE),
    ROW(CL_LINK_PROGRAM_FAILURE),
    ROW(CL_DEVICE_PARTITION_FAILED),
    ROW(CL_KERNEL_ARG_INFO_NOT_AVAILABLE),
    ROW(CL_INVALID_VALUE),
    ROW(CL_INVALID_DEVICE_TYPE),
    ROW(CL_INVALID_PLATFORM),
    ROW(CL_INVALID_DEVICE),
    ROW(CL_INVALID_CONTEXT),
    ROW(CL_INVALID_QUEUE_PROPERTIES),
    ROW(CL_INVALID_COMMAND_QUEUE),
    ROW(CL_INVALID_HOST_PTR),
    ROW(CL_INVALID_MEM_OBJECT),
    ROW(CL_INVALID_IMAGE_FORMAT_DESCRIPTOR),
    ROW(CL_INVALID_IMAGE_SIZE),
    ROW(CL_INVALID_SAMPLER),
    ROW(CL_INVALID_BINARY),
    ROW(CL_INVALID_BUILD_OPTIONS),
    ROW(CL_INVALID_PROGRAM),
    ROW(CL_INVALID_PROGRAM_EXECUTABLE),
    ROW(CL_INVALID_KERNEL_NAME),
    ROW(CL_INVALID_KERNEL_DEFINITION),
    ROW(CL_INVALID_KERNEL),
    ROW(CL_INVALID_ARG_INDEX),
    ROW(CL_INVALID_ARG_VALUE),
    ROW(CL_INVALID_ARG_SIZE),
    ROW(CL_INVALID_KERNEL_ARGS),
    ROW(CL_INVALID_WORK_DIMENSION),
    ROW(CL_INVALID_WORK_GROUP_SIZE),
    ROW(CL_INVALID_WORK_ITEM_SIZE),
    ROW(CL_INVALID_GLOBAL_OFFSET),
    ROW(CL_INVALID_EVENT_WAIT_LIST),
    ROW(CL_INVALID_EVENT),
    ROW(CL_INVALID_OPERATION),
    ROW(CL_INVALID_GL_OBJECT),
    ROW(CL_INVALID_BUFFER_SIZE),
    ROW(CL_INVALID_MIP_LEVEL),
    ROW(CL_INVALID_GLOBAL_WORK_SIZE),
    ROW(CL_INVALID_PROPERTY),
    ROW(CL_INVALID_IMAGE_DESCRIPTOR),
    ROW(CL_INVALID_COMPILER_OPTIONS),
    ROW(CL_INVALID_LINKER_OPTIONS),
    ROW(CL_INVALID_DEVICE_PARTITION_COUNT),
    { -1001, "CL_PLATFORM_NOT_FOUND_KHR" }, /* the loader's, without headers of its extension: no driver is installed */
};

const char *cc_cl_name(cl_int code)
{
    for (size_t i = 0; i < CC_COUNT(names); i++)
        if (names[i].code == code) return names[i].name;
    return "unknown OpenCL error";
}

static bool is_memory(cl_int code) { return code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_HOST_MEMORY; }

camcl_status cc_cl_status(cl_int code) { return is_memory(code) ? CAMCL_NO_MEMORY : CAMCL_OPENCL; }

const char *cc_cl_advice(cl_int code)
{
    if (is_memory(code)) return "use smaller batches, a narrower model or smaller images";
    if (code == CL_OUT_OF_RESOURCES)
        return "the driver failed, perhaps for want of device memory: use smaller batches or images, and if it stays, another device or "
               "driver";
    if (code == CL_INVALID_DEVICE || code == CL_INVALID_CONTEXT || code == CL_INVALID_COMMAND_QUEUE)
        return "the driver has lost the device: run it again, and if it stays, another device or driver";
    /* CL_INVALID_VALUE and what follows it down to -72: the program asked for what cannot be. */
    if (code <= CL_INVALID_VALUE && code >= -72) return "report this as a defect";
    return "the driver failed: run it again, and if it stays, another device or driver";
}

camcl_status cc_cl_fail(camcl_error *err, cl_int code, const char *call, const char *file, int line)
{
    cc_fail(err, cc_cl_status(code), "OpenCL: %s, %d (%s)", cc_cl_name(code), (int)code, cc_cl_advice(code));
    cc_detail(err, "%s\n%s:%d\n", call, file, line);
    return cc_cl_status(code);
}
