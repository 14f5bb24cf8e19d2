/* OpenCL, as a driver fails that is out of memory or has lost its device. What releases or waits is done all the same. */
#include <CL/cl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "faults/inject.h"

#define DECLARE(type, name, parameters)                                                                                                    \
    type __real_##name parameters;                                                                                                         \
    type __wrap_##name parameters;

/* ---- which device a call concerns: of the contexts in the order in which they were made, one for each device that camcl opens */

enum { MOST_CONTEXTS = 16 };
static cl_context contexts[MOST_CONTEXTS];
static size_t context_count;

DECLARE(cl_int, clGetCommandQueueInfo, (cl_command_queue, cl_command_queue_info, size_t, void *, size_t *))
DECLARE(cl_int, clGetProgramInfo, (cl_program, cl_program_info, size_t, void *, size_t *))
DECLARE(cl_int, clGetKernelInfo, (cl_kernel, cl_kernel_info, size_t, void *, size_t *))
DECLARE(cl_int, clGetEventInfo, (cl_event, cl_event_info, size_t, void *, size_t *))

/* Its number as a text, from 1; NULL: none of them, or nobody asks. */
static const char *of_context(cl_context context)
{
    static _Thread_local char text[24];
    for (size_t i = context_count; context && i-- > 0;) {
        if (contexts[i] != context) continue;
        snprintf(text, sizeof text, "%zu", i + 1);
        return text;
    }
    return NULL;
}

#define ASK(name, class, get, what)                                                                                                        \
    static const char *name(class object)                                                                                                  \
    {                                                                                                                                      \
        cl_context context = NULL;                                                                                                         \
        if (!fault_asks_for_device() || object == NULL) return NULL;                                                                       \
        return get(object, what, sizeof context, &context, NULL) == CL_SUCCESS ? of_context(context) : NULL;                               \
    }
ASK(of_queue, cl_command_queue, __real_clGetCommandQueueInfo, CL_QUEUE_CONTEXT)
ASK(of_program, cl_program, __real_clGetProgramInfo, CL_PROGRAM_CONTEXT)
ASK(of_kernel, cl_kernel, __real_clGetKernelInfo, CL_KERNEL_CONTEXT)
ASK(of_event, cl_event, __real_clGetEventInfo, CL_EVENT_CONTEXT)
ASK(of_buffer, cl_mem, clGetMemObjectInfo, CL_MEM_CONTEXT)
static const char *of_platform(cl_platform_id platform) { return (void)platform, NULL; }
static const char *of_device(cl_device_id device) { return (void)device, NULL; }
static const char *of_number(cl_uint number) { return (void)number, NULL; }
static const char *of_properties(const cl_context_properties *properties) { return (void)properties, NULL; }

#define FIRST_OF(first, ...) first
#define FIRST(...) FIRST_OF(__VA_ARGS__, 0)
/* By the first of the arguments in parentheses. */
#define CONCERNED(arguments) CONCERNED_BY(FIRST arguments)
#define CONCERNED_BY(object)                                                                                                               \
    _Generic((object), cl_context : of_context, cl_command_queue : of_queue, cl_program : of_program, cl_kernel : of_kernel,               \
             cl_event : of_event, cl_mem : of_buffer, cl_platform_id : of_platform, cl_device_id : of_device, cl_uint : of_number,         \
             const cl_context_properties * : of_properties)(object)

static void note_context(cl_context context)
{
    if (context && context_count < MOST_CONTEXTS) contexts[context_count++] = context;
}

static void note_nothing(const void *object) { (void)object; }

/* ---- calls */

/* Returns `code` instead of calling. */
#define CALL(name, code, parameters, arguments)                                                                                            \
    DECLARE(cl_int, name, parameters)                                                                                                      \
    cl_int __wrap_##name parameters                                                                                                        \
    {                                                                                                                                      \
        return FAULT_FAILS(FAULT_DEVICE, #name, CONCERNED(arguments)) ? fault_code(code) : __real_##name arguments;                        \
    }

/* Calls, and then returns `code`. */
#define WAIT(name, code, concerned, parameters, arguments)                                                                                 \
    DECLARE(cl_int, name, parameters)                                                                                                      \
    cl_int __wrap_##name parameters                                                                                                        \
    {                                                                                                                                      \
        const bool fails = FAULT_FAILS(FAULT_DEVICE, #name, concerned);                                                                    \
        const cl_int done = __real_##name arguments;                                                                                       \
        return fails ? fault_code(code) : done;                                                                                            \
    }

#define RELEASE(name, class)                                                                                                               \
    DECLARE(cl_int, name, (class object))                                                                                                  \
    cl_int __wrap_##name(class object)                                                                                                     \
    {                                                                                                                                      \
        const bool fails = FAULT_FAILS(FAULT_DEVICE, #name, CONCERNED((object)));                                                          \
        held_remove(#class, object);                                                                                                       \
        const cl_int done = __real_##name(object);                                                                                         \
        return fails ? fault_code(CL_OUT_OF_RESOURCES) : done;                                                                             \
    }

#define CREATE(name, class, failure, parameters, arguments)                                                                                \
    DECLARE(class, name, parameters)                                                                                                       \
    class __wrap_##name parameters                                                                                                         \
    {                                                                                                                                      \
        if (FAULT_FAILS(FAULT_DEVICE, #name, CONCERNED(arguments))) {                                                                      \
            if (code) *code = fault_code(failure);                                                                                         \
            return NULL;                                                                                                                   \
        }                                                                                                                                  \
        class made = __real_##name arguments;                                                                                              \
        if (made) held_add(#class, made, 1);                                                                                               \
        _Generic(made, cl_context : note_context, default : note_nothing)(made);                                                           \
        return made;                                                                                                                       \
    }

/* The last parameter is the event that the command gives. */
#define ENQUEUE(name, failure, parameters, arguments)                                                                                      \
    DECLARE(cl_int, name, parameters)                                                                                                      \
    cl_int __wrap_##name parameters                                                                                                        \
    {                                                                                                                                      \
        if (FAULT_FAILS(FAULT_DEVICE, #name, CONCERNED(arguments))) return fault_code(failure);                                            \
        const cl_int done = __real_##name arguments;                                                                                       \
        if (done == CL_SUCCESS && event) held_add("cl_event", *event, 1);                                                                  \
        return done;                                                                                                                       \
    }

CALL(clGetPlatformIDs, CL_OUT_OF_HOST_MEMORY, (cl_uint room, cl_platform_id *out, cl_uint *count), (room, out, count))
CALL(clGetPlatformInfo, CL_OUT_OF_HOST_MEMORY, (cl_platform_id platform, cl_platform_info what, size_t size, void *out, size_t *needed),
     (platform, what, size, out, needed))
CALL(clGetDeviceIDs, CL_OUT_OF_RESOURCES, (cl_platform_id platform, cl_device_type type, cl_uint room, cl_device_id *out, cl_uint *count),
     (platform, type, room, out, count))
CALL(clGetDeviceInfo, CL_OUT_OF_RESOURCES, (cl_device_id device, cl_device_info what, size_t size, void *out, size_t *needed),
     (device, what, size, out, needed))
CALL(clGetCommandQueueInfo, CL_OUT_OF_RESOURCES,
     (cl_command_queue queue, cl_command_queue_info what, size_t size, void *out, size_t *needed), (queue, what, size, out, needed))
CALL(clGetProgramInfo, CL_OUT_OF_HOST_MEMORY, (cl_program program, cl_program_info what, size_t size, void *out, size_t *needed),
     (program, what, size, out, needed))
CALL(clGetProgramBuildInfo, CL_OUT_OF_HOST_MEMORY,
     (cl_program program, cl_device_id device, cl_program_build_info what, size_t size, void *out, size_t *needed),
     (program, device, what, size, out, needed))
CALL(clGetKernelInfo, CL_OUT_OF_HOST_MEMORY, (cl_kernel kernel, cl_kernel_info what, size_t size, void *out, size_t *needed),
     (kernel, what, size, out, needed))
CALL(clGetKernelWorkGroupInfo, CL_OUT_OF_HOST_MEMORY,
     (cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what, size_t size, void *out, size_t *needed),
     (kernel, device, what, size, out, needed))
CALL(clGetEventInfo, CL_OUT_OF_RESOURCES, (cl_event event, cl_event_info what, size_t size, void *out, size_t *needed),
     (event, what, size, out, needed))
CALL(clGetEventProfilingInfo, CL_PROFILING_INFO_NOT_AVAILABLE,
     (cl_event event, cl_profiling_info what, size_t size, void *out, size_t *needed), (event, what, size, out, needed))
CALL(clSetKernelArg, CL_OUT_OF_HOST_MEMORY, (cl_kernel kernel, cl_uint index, size_t size, const void *value), (kernel, index, size, value))

typedef void(CL_CALLBACK *program_callback)(cl_program program, void *context);
CALL(clBuildProgram, CL_BUILD_PROGRAM_FAILURE,
     (cl_program program, cl_uint count, const cl_device_id *devices, const char *options, program_callback call, void *context),
     (program, count, devices, options, call, context))
CALL(clCompileProgram, CL_COMPILE_PROGRAM_FAILURE,
     (cl_program program, cl_uint count, const cl_device_id *devices, const char *options, cl_uint headers, const cl_program *texts,
      const char **names, program_callback call, void *context),
     (program, count, devices, options, headers, texts, names, call, context))

WAIT(clFlush, CL_OUT_OF_RESOURCES, of_queue(queue), (cl_command_queue queue), (queue))
WAIT(clFinish, CL_OUT_OF_RESOURCES, of_queue(queue), (cl_command_queue queue), (queue))
WAIT(clWaitForEvents, CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST, of_event(events[0]), (cl_uint count, const cl_event *events),
     (count, events))

RELEASE(clReleaseContext, cl_context)
RELEASE(clReleaseCommandQueue, cl_command_queue)
RELEASE(clReleaseProgram, cl_program)
RELEASE(clReleaseKernel, cl_kernel)
RELEASE(clReleaseMemObject, cl_mem)
RELEASE(clReleaseEvent, cl_event)

typedef void(CL_CALLBACK *context_callback)(const char *error, const void *data, size_t size, void *context);
CREATE(clCreateContext, cl_context, CL_DEVICE_NOT_AVAILABLE,
       (const cl_context_properties *properties, cl_uint count, const cl_device_id *devices, context_callback call, void *context,
        cl_int *code),
       (properties, count, devices, call, context, code))
CREATE(clCreateCommandQueue, cl_command_queue, CL_OUT_OF_HOST_MEMORY,
       (cl_context context, cl_device_id device, cl_command_queue_properties properties, cl_int *code), (context, device, properties, code))
CREATE(clCreateProgramWithSource, cl_program, CL_OUT_OF_HOST_MEMORY,
       (cl_context context, cl_uint count, const char **texts, const size_t *lengths, cl_int *code), (context, count, texts, lengths, code))
CREATE(clCreateProgramWithBinary, cl_program, CL_OUT_OF_HOST_MEMORY,
       (cl_context context, cl_uint count, const cl_device_id *devices, const size_t *lengths, const unsigned char **binaries,
        cl_int *statuses, cl_int *code),
       (context, count, devices, lengths, binaries, statuses, code))
CREATE(clCreateKernel, cl_kernel, CL_OUT_OF_HOST_MEMORY, (cl_program program, const char *name, cl_int *code), (program, name, code))
CREATE(clCreateBuffer, cl_mem, CL_MEM_OBJECT_ALLOCATION_FAILURE,
       (cl_context context, cl_mem_flags flags, size_t size, void *data, cl_int *code), (context, flags, size, data, code))
CREATE(clCreateSubBuffer, cl_mem, CL_OUT_OF_RESOURCES,
       (cl_mem buffer, cl_mem_flags flags, cl_buffer_create_type type, const void *region, cl_int *code),
       (buffer, flags, type, region, code))

ENQUEUE(clEnqueueWriteBuffer, CL_OUT_OF_RESOURCES,
        (cl_command_queue queue, cl_mem buffer, cl_bool blocks, size_t offset, size_t size, const void *data, cl_uint count,
         const cl_event *after, cl_event *event),
        (queue, buffer, blocks, offset, size, data, count, after, event))
ENQUEUE(clEnqueueReadBuffer, CL_OUT_OF_RESOURCES,
        (cl_command_queue queue, cl_mem buffer, cl_bool blocks, size_t offset, size_t size, void *data, cl_uint count,
         const cl_event *after, cl_event *event),
        (queue, buffer, blocks, offset, size, data, count, after, event))
ENQUEUE(clEnqueueCopyBuffer, CL_OUT_OF_RESOURCES,
        (cl_command_queue queue, cl_mem from, cl_mem to, size_t from_offset, size_t to_offset, size_t size, cl_uint count,
         const cl_event *after, cl_event *event),
        (queue, from, to, from_offset, to_offset, size, count, after, event))
/* A mapping is held until its unmapping. */
DECLARE(void *, clEnqueueMapBuffer,
        (cl_command_queue, cl_mem, cl_bool, cl_map_flags, size_t, size_t, cl_uint, const cl_event *, cl_event *, cl_int *))
void *__wrap_clEnqueueMapBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocks, cl_map_flags flags, size_t offset, size_t size,
                                cl_uint count, const cl_event *after, cl_event *event, cl_int *code)
{
    if (FAULT_FAILS(FAULT_DEVICE, "clEnqueueMapBuffer", CONCERNED((queue)))) {
        *code = fault_code(CL_OUT_OF_RESOURCES);
        return NULL;
    }
    void *mapping = __real_clEnqueueMapBuffer(queue, buffer, blocks, flags, offset, size, count, after, event, code);
    if (mapping) held_add("mapping", mapping, 1);
    return mapping;
}
DECLARE(cl_int, clEnqueueUnmapMemObject, (cl_command_queue, cl_mem, void *, cl_uint, const cl_event *, cl_event *))
cl_int __wrap_clEnqueueUnmapMemObject(cl_command_queue queue, cl_mem buffer, void *mapping, cl_uint count, const cl_event *after,
                                      cl_event *event)
{
    const bool fails = FAULT_FAILS(FAULT_DEVICE, "clEnqueueUnmapMemObject", CONCERNED((queue)));
    held_remove("mapping", mapping);
    const cl_int done = __real_clEnqueueUnmapMemObject(queue, buffer, mapping, count, after, event);
    return fails ? fault_code(CL_OUT_OF_RESOURCES) : done;
}
ENQUEUE(clEnqueueFillBuffer, CL_OUT_OF_RESOURCES,
        (cl_command_queue queue, cl_mem buffer, const void *pattern, size_t pattern_size, size_t offset, size_t size, cl_uint count,
         const cl_event *after, cl_event *event),
        (queue, buffer, pattern, pattern_size, offset, size, count, after, event))
ENQUEUE(clEnqueueNDRangeKernel, CL_OUT_OF_RESOURCES,
        (cl_command_queue queue, cl_kernel kernel, cl_uint dims, const size_t *offset, const size_t *global, const size_t *local,
         cl_uint count, const cl_event *after, cl_event *event),
        (queue, kernel, dims, offset, global, local, count, after, event))
ENQUEUE(clEnqueueMarkerWithWaitList, CL_OUT_OF_RESOURCES, (cl_command_queue queue, cl_uint count, const cl_event *after, cl_event *event),
        (queue, count, after, event))
