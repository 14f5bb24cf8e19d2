/* Profiling tapes. */
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "device/tape_internal.h"

#define LONGEST_WAY 1e-3 /* seconds that a command takes to the device and back; a clock that differs by more is wrong */

/* Seconds between two markers by the device's clock; 0 if the driver has none. */
static double seconds_between(cl_event before, cl_event after)
{
    cl_ulong start = 0, end = 0;
    if (clGetEventProfilingInfo(before, CL_PROFILING_COMMAND_END, sizeof start, &start, NULL) != CL_SUCCESS) return 0;
    if (clGetEventProfilingInfo(after, CL_PROFILING_COMMAND_START, sizeof end, &end, NULL) != CL_SUCCESS) return 0;
    return end > start ? 1e-9 * (double)(end - start) : 0;
}

/* Runs one step alone, on a queue with a clock, and lowers *seconds to the time that it took. The host's clock includes the way to the
 * device and back, 0.05 ms with PoCL, which a step among others does not take, so the device's clock is preferred if it is plausible. Some
 * drivers return from clFinish before the kernels ran; reading from a buffer waits on every driver. */
static camcl_status time_step(cc_tape *tape, size_t s, double *seconds, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const tape_step *step = &tape->steps[s];
    const cc_buffer *used = NULL;
    cl_command_queue queue = tape->arena->device->queue;
    cl_event before = NULL, after = NULL;
    float first;
    for (size_t i = 0; i < step->arg_count && used == NULL; i++)
        if (step->args[i].kind == CC_ARG_WRITE || step->args[i].kind == CC_ARG_READ_WRITE) used = step->args[i].buffer;
    const double start = cc_seconds();
    CC_CL(clEnqueueMarkerWithWaitList(queue, 0, NULL, &before));
    CC_TRY(cc_tape_enqueue(tape, s, err));
    CC_CL(clEnqueueMarkerWithWaitList(queue, 0, NULL, &after));
    CC_CL(clFinish(queue));
    if (used) CC_TRY(cc_buffer_read(used, 0, &first, sizeof first, err));
    const double seen = cc_seconds() - start, clock = seconds_between(before, after);
    const double took = clock > 0 && clock <= seen && seen - clock <= LONGEST_WAY ? clock : seen;
    if (took < *seconds) *seconds = took;
cleanup:
    if (before) clReleaseEvent(before);
    if (after) clReleaseEvent(after);
    return status;
}

static camcl_status add_to_rows(const cc_tape *tape, size_t s, double seconds, cc_profile_row **rows, size_t *count, size_t *capacity,
                                camcl_error *err)
{
    const tape_step *step = &tape->steps[s];
    const char *label = step->scope ? tape->labels[step->scope - 1] : "";
    size_t row = 0;
    while (row < *count && (strcmp((*rows)[row].name, step->name) != 0 || strcmp((*rows)[row].label, label) != 0))
        row++;
    if (row == *count) {
        CC_RETURN_IF_FAILED(cc_grow((void **)rows, capacity, *count + 1, sizeof **rows, err));
        cc_profile_row *fresh = &(*rows)[(*count)++];
        memset(fresh, 0, sizeof *fresh);
        snprintf(fresh->label, sizeof fresh->label, "%s", label);
        memcpy(fresh->name, step->name, sizeof fresh->name);
    }
    /* The launches of one scope follow one another. So this is a new use of the label if no earlier launch of the scope has this name. */
    bool first = true;
    for (size_t i = s; i-- > 0 && tape->steps[i].scope == step->scope;)
        first = first && strcmp(tape->steps[i].name, step->name) != 0;
    (*rows)[row].uses += first;
    (*rows)[row].launches++;
    (*rows)[row].seconds += seconds;
    (*rows)[row].flops += step->flops;
    (*rows)[row].bytes += step->bytes;
    return CAMCL_OK;
}

camcl_status cc_tape_profile(cc_tape *tape, unsigned runs, cc_profile_row **rows, size_t *count, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_profile_row *table = NULL;
    camcl_device *device = tape->arena->device;
    const cl_command_queue ordinary = device->queue;
    double *seconds = NULL;
    size_t used = 0, capacity = 0;
    CC_TRY(cc_tape_check_committed(tape, err));
    CC_TRY(CC_NEW(cc_max_size(tape->count, 1), &seconds, err));
    CC_CL(clFinish(ordinary));
    cl_int code;
    cl_command_queue queue = clCreateCommandQueue(device->context, device->id, CL_QUEUE_PROFILING_ENABLE, &code);
    CC_CL_CODE(code, "clCreateCommandQueue");
    device->queue = queue;
    for (size_t s = 0; s < tape->count; s++)
        seconds[s] = DBL_MAX;
    for (unsigned run = 0; run < runs; run++)
        for (size_t s = 0; s < tape->count; s++)
            CC_TRY(time_step(tape, s, &seconds[s], err));
    for (size_t s = 0; s < tape->count; s++)
        CC_TRY(add_to_rows(tape, s, seconds[s], &table, &used, &capacity, err));
    *rows = table;
    *count = used;
    table = NULL;
cleanup:
    if (device->queue != ordinary) {
        clFinish(device->queue);
        clReleaseCommandQueue(device->queue);
        device->queue = ordinary;
    }
    free(table);
    free(seconds);
    return status;
}
