/* Recording and running tapes. */
#include "device/tape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/tape_internal.h"

camcl_status cc_tape_create(cc_arena *arena, const char *name, cc_tape **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_tape *tape = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &tape, err));
    tape->arena = arena;
    CC_TRY(cc_copy_text(name, &tape->name, err));
    CC_TRY(cc_grow((void **)&arena->tapes, &arena->tape_capacity, arena->tape_count + 1, sizeof tape, err));
    arena->tapes[arena->tape_count++] = tape;
    *out = tape;
    tape = NULL;
cleanup:
    cc_tape_destroy(&tape);
    return status;
}

void cc_tape_destroy(cc_tape **handle)
{
    cc_tape *tape = *handle;
    if (tape == NULL) return;
    for (size_t i = 0; i < tape->count; i++) {
        if (tape->steps[i].kernel) clReleaseKernel(tape->steps[i].kernel);
        free(tape->steps[i].options);
        free(tape->steps[i].args);
        free(tape->steps[i].context);
        free(tape->steps[i].mems);
    }
    for (size_t i = 0; i < tape->buffer_count; i++)
        cc_buffer_destroy(&tape->buffers[i]);
    for (size_t i = 0; i < tape->label_count; i++)
        free(tape->labels[i]);
    free(tape->labels);
    free(tape->steps);
    free(tape->buffers);
    free(tape->name);
    free(tape);
    *handle = NULL;
}

camcl_device *cc_tape_device(const cc_tape *tape) { return tape->arena->device; }
size_t cc_tape_length(const cc_tape *tape) { return tape->count; }

camcl_status cc_tape_buffer(cc_tape *tape, size_t bytes, const char *name, cc_buffer **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_buffer *buffer = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &buffer, err));
    buffer->device = tape->arena->device;
    buffer->tape = tape;
    buffer->bytes = cc_round_up(bytes ? bytes : 4, 4);
    buffer->first = SIZE_MAX;
    CC_TRY(cc_copy_text(name, &buffer->name, err));
    CC_TRY(cc_grow((void **)&tape->buffers, &tape->buffer_capacity, tape->buffer_count + 1, sizeof buffer, err));
    tape->buffers[tape->buffer_count++] = buffer;
    *out = buffer;
    buffer = NULL;
cleanup:
    cc_buffer_destroy(&buffer);
    return status;
}

camcl_status cc_tape_label(cc_tape *tape, const char *label, camcl_error *err)
{
    char *copy;
    CC_RETURN_IF_FAILED(cc_grow((void **)&tape->labels, &tape->label_capacity, tape->label_count + 1, sizeof copy, err));
    CC_RETURN_IF_FAILED(cc_copy_text(label, &copy, err));
    tape->labels[tape->label_count++] = copy;
    return CAMCL_OK;
}

void cc_tape_keep(cc_tape *tape, cc_buffer *buffer)
{
    if (buffer->tape == tape) buffer->keep = true;
}

/* Adds the step with a copy of args, and extends the lives of the tape's buffers among them to this step. */
static camcl_status append(cc_tape *tape, const tape_step *step, const cc_arg *args, size_t count, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_grow((void **)&tape->steps, &tape->capacity, tape->count + 1, sizeof *step, err));
    tape_step *slot = &tape->steps[tape->count];
    *slot = *step;
    slot->scope = tape->label_count;
    slot->args = NULL;
    CC_RETURN_IF_FAILED(CC_NEW(count, &slot->args, err));
    memcpy(slot->args, args, count * sizeof *args);
    slot->arg_count = count;
    for (size_t i = 0; i < count; i++) {
        if (!cc_arg_is_buffer(&args[i]) || args[i].buffer->tape != tape) continue;
        cc_buffer *buffer = args[i].buffer;
        if (buffer->first == SIZE_MAX) buffer->first = tape->count;
        buffer->last = tape->count;
    }
    tape->count++;
    tape->arena->committed = false;
    return CAMCL_OK;
}

camcl_status cc_tape_launch(cc_tape *tape, const cc_kernel *kernel, const cc_arg *args, const cc_launch *launch, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    tape_step step = { .kind = STEP_KERNEL, .binding = kernel, .dims = launch->dims, .flops = launch->flops, .bytes = launch->bytes };
    CC_TRY(cc_kernel_check(kernel, args, err));
    snprintf(step.name, sizeof step.name, "%s %s", kernel->name, launch->options ? launch->options : "");
    for (unsigned d = launch->dims; d < 3; d++)
        step.global[d] = step.local[d] = 1;
    for (unsigned d = 0; d < launch->dims; d++) {
        step.global[d] = launch->global[d];
        step.local[d] = launch->local[d];
        if (launch->global[d] == 0) return cc_fail(err, CAMCL_FAILED, "kernel %s: empty range (report this as a defect)", kernel->name);
        if ((launch->local[d] == 0) != (launch->local[0] == 0))
            return cc_fail(err, CAMCL_FAILED, "kernel %s: a local size in some dimensions only (report this as a defect)", kernel->name);
    }
    CC_TRY(cc_copy_text(launch->options ? launch->options : "", &step.options, err));
    CC_TRY(append(tape, &step, args, kernel->count, err));
    return CAMCL_OK;
cleanup:
    free(step.options);
    return status;
}

/* The number of arguments is compared because it is all that drivers are sure to tell about the declaration that they compiled. */
static camcl_status create_kernel(tape_step *step, cl_program program, camcl_error *err)
{
    cl_int code;
    cl_uint count = 0;
    const cc_kernel *binding = step->binding;
    step->kernel = clCreateKernel(program, binding->name, &code);
    if (code == CL_SUCCESS) code = clGetKernelInfo(step->kernel, CL_KERNEL_NUM_ARGS, sizeof count, &count, NULL);
    if (code != CL_SUCCESS)
        return cc_fail(err, cc_cl_status(code), "kernel %s.%s: %s (%s)", binding->program, binding->name, cc_cl_name(code),
                       cc_cl_advice(code));
    if (count != binding->count)
        return cc_fail(err, CAMCL_OPENCL, "kernel %s.%s: has %u parameters and is passed %zu (report this as a defect)", binding->program,
                       binding->name, count, binding->count);
    return CAMCL_OK;
}

camcl_status cc_tape_build(cc_tape *tape, camcl_error *err)
{
    camcl_device *device = tape->arena->device;
    for (size_t s = 0; s < tape->count; s++) {
        tape_step *step = &tape->steps[s];
        cl_program program;
        if (step->kind != STEP_KERNEL || step->kernel) continue;
        CC_RETURN_IF_FAILED(cc_program_get(device, step->binding->program, step->options, &program, err));
        CC_RETURN_IF_FAILED(create_kernel(step, program, err));
        CC_RETURN_IF_FAILED(cc_step_fit(tape, step, err));
    }
    return CAMCL_OK;
}

camcl_status cc_tape_zero(cc_tape *tape, cc_buffer *buffer, camcl_error *err)
{
    tape_step step = { .kind = STEP_ZERO, .size = buffer->bytes, .bytes = (double)buffer->bytes, .name = "zero" };
    return append(tape, &step, CC_ARGS(CC_OUT(buffer)), err);
}

camcl_status cc_tape_copy(cc_tape *tape, cc_buffer *from, size_t from_offset, cc_buffer *to, size_t to_offset, size_t bytes,
                          camcl_error *err)
{
    tape_step step = {
        .kind = STEP_COPY, .from_offset = from_offset, .to_offset = to_offset, .size = bytes, .bytes = 2.0 * (double)bytes, .name = "copy"
    };
    return append(tape, &step, CC_ARGS(CC_IN(from), CC_INOUT(to)), err);
}

camcl_status cc_tape_call(cc_tape *tape, const char *name, cc_tape_callback call, void *context, const cc_arg *args, size_t count,
                          camcl_error *err)
{
    tape_step step = { .kind = STEP_CALL, .call = call };
    snprintf(step.name, sizeof step.name, "%s", name);
    CC_RETURN_IF_FAILED(CC_NEW(count, &step.mems, err));
    camcl_status status = append(tape, &step, args, count, err);
    if (status != CAMCL_OK)
        free(step.mems);
    else
        tape->steps[tape->count - 1].context = context;
    return status;
}

static cl_int set_argument(cl_kernel kernel, cl_uint index, const cc_arg *arg)
{
    if (arg->kind == CC_ARG_FLOAT) return clSetKernelArg(kernel, index, sizeof arg->f, &arg->f);
    if (arg->kind != CC_ARG_INT) return clSetKernelArg(kernel, index, sizeof arg->buffer->mem, &arg->buffer->mem);
    const cl_int value = (cl_int)arg->i; /* its range was checked when it was recorded */
    return clSetKernelArg(kernel, index, sizeof value, &value);
}

camcl_status cc_tape_bind(cc_tape *tape, camcl_error *err)
{
    for (size_t s = 0; s < tape->count; s++) {
        tape_step *step = &tape->steps[s];
        for (size_t i = 0; i < step->arg_count; i++) {
            if (step->kind == STEP_CALL) step->mems[i] = step->args[i].buffer->mem;
            if (step->kind != STEP_KERNEL) continue;
            const cl_int code = set_argument(step->kernel, (cl_uint)i, &step->args[i]);
            if (code != CL_SUCCESS)
                return cc_fail(err, cc_cl_status(code), "kernel %s, argument %s: %s (%s)", step->name, step->binding->params[i].name,
                               cc_cl_name(code), cc_cl_advice(code));
        }
    }
    return CAMCL_OK;
}

/* Fills the buffers that are first used at step s with NaN. A kernel that reads a buffer before anything was written to it then shows. */
static camcl_status poison(cc_tape *tape, size_t s, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const cl_uint nan_bits = 0x7fc00000u;
    for (size_t i = 0; i < tape->buffer_count; i++) {
        cc_buffer *buffer = tape->buffers[i];
        if (buffer->first == s)
            CC_CL(clEnqueueFillBuffer(buffer->device->queue, buffer->mem, &nan_bits, sizeof nan_bits, 0, buffer->bytes, 0, NULL, NULL));
    }
cleanup:
    return status;
}

/* If the device limits the work-groups of dimensions 1 and 2, a larger range is launched in slices; nearly always one slice is enough. In a
 * slice, get_global_id and get_global_offset count from the start of the whole range, but get_group_id from the start of the slice. */
static cl_int enqueue_kernel(const camcl_device *device, const tape_step *step)
{
    size_t most[3], offset[3] = { 0, 0, 0 }, size[3];
    for (unsigned d = 0; d < 3; d++) {
        const bool whole = d == 0 || step->global[d] / step->local[d] <= device->most_groups;
        most[d] = whole ? step->global[d] : device->most_groups * step->local[d];
    }
    size[0] = step->global[0];
    do {
        size[2] = cc_min_size(most[2], step->global[2] - offset[2]);
        offset[1] = 0;
        do {
            size[1] = cc_min_size(most[1], step->global[1] - offset[1]);
            cl_int code = clEnqueueNDRangeKernel(device->queue, step->kernel, step->dims, offset, size, step->local, 0, NULL, NULL);
            if (code != CL_SUCCESS) return code;
            offset[1] += size[1];
        } while (offset[1] < step->global[1]);
        offset[2] += size[2];
    } while (offset[2] < step->global[2]);
    return CL_SUCCESS;
}

camcl_status cc_tape_enqueue(cc_tape *tape, size_t s, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    camcl_device *device = tape->arena->device;
    tape_step *step = &tape->steps[s];
    const cl_uint zero = 0;
    if (device->poison) CC_TRY(poison(tape, s, err));
    switch (step->kind) {
    case STEP_KERNEL: CC_CL(enqueue_kernel(device, step)); break;
    case STEP_ZERO:
        CC_CL(clEnqueueFillBuffer(device->queue, step->args[0].buffer->mem, &zero, sizeof zero, 0, step->size, 0, NULL, NULL));
        break;
    case STEP_COPY:
        CC_CL(clEnqueueCopyBuffer(device->queue, step->args[0].buffer->mem, step->args[1].buffer->mem, step->from_offset, step->to_offset,
                                  step->size, 0, NULL, NULL));
        break;
    case STEP_CALL: CC_TRY(step->call(step->context, device->queue, step->mems, err)); break;
    case STEP_EXCHANGE: break; /* whoever runs the tape does it; profiles leave it out */
    }
cleanup:
    if (status != CAMCL_OK) cc_detail(err, "at step %zu of \"%s\": %s\n", s, tape->name, step->name);
    return status;
}

/* ---- points of exchange */

static tape_step exchange_step(const cc_exchange_point *point)
{
    return (tape_step){ .kind = STEP_EXCHANGE, .exchange = *point, .name = "exchange" };
}

camcl_status cc_tape_exchange(cc_tape *tape, const cc_exchange_point *point, camcl_error *err)
{
    const tape_step step = exchange_step(point);
    return append(tape, &step, CC_ARGS(CC_INOUT(point->buffer)), err);
}

camcl_status cc_tape_exchange_after(cc_tape *tape, size_t after, const cc_exchange_point *point, camcl_error *err)
{
    const size_t at = after + 1;
    CC_RETURN_IF_FAILED(cc_tape_exchange(tape, point, err));
    const tape_step step = tape->steps[tape->count - 1];
    memmove(tape->steps + at + 1, tape->steps + at, (tape->count - 1 - at) * sizeof *tape->steps);
    tape->steps[at] = step;
    tape->steps[at].scope = after < tape->count - 1 ? tape->steps[after].scope : step.scope;
    for (size_t i = 0; i < tape->buffer_count; i++) {
        cc_buffer *buffer = tape->buffers[i];
        if (buffer->first == SIZE_MAX) continue;
        buffer->first += buffer->first >= at;
        buffer->last += buffer->last >= at;
    }
    return CAMCL_OK;
}

size_t cc_tape_last_write(const cc_tape *tape, const cc_buffer *buffer)
{
    for (size_t s = tape->count; s-- > 0;)
        for (size_t i = 0; i < tape->steps[s].arg_count; i++) {
            const cc_arg *arg = &tape->steps[s].args[i];
            const bool writes = arg->kind == CC_ARG_WRITE || arg->kind == CC_ARG_READ_WRITE;
            if (writes && arg->buffer == buffer) return s;
        }
    return SIZE_MAX;
}

camcl_status cc_tape_check_committed(const cc_tape *tape, camcl_error *err)
{
    if (tape->arena->committed) return CAMCL_OK;
    return cc_fail(err, CAMCL_FAILED, "tape %s: run before its arena was committed (report this as a defect)", tape->name);
}

camcl_status cc_tape_run_to_exchange(cc_tape *tape, size_t *next, const cc_exchange_point **point, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    *point = NULL;
    CC_TRY(cc_tape_check_committed(tape, err));
    while (*next < tape->count && *point == NULL) {
        if (tape->steps[*next].kind == STEP_EXCHANGE) *point = &tape->steps[*next].exchange;
        CC_TRY(cc_tape_enqueue(tape, (*next)++, err));
    }
    CC_CL(clFlush(tape->arena->device->queue));
cleanup:
    return status;
}

camcl_status cc_tape_run(cc_tape *tape, camcl_error *err)
{
    size_t next = 0;
    const cc_exchange_point *point;
    CC_RETURN_IF_FAILED(cc_tape_run_to_exchange(tape, &next, &point, err));
    if (point == NULL) return CAMCL_OK;
    return cc_fail(err, CAMCL_FAILED, "tape %s: run alone, although it has points of exchange (report this as a defect)", tape->name);
}
