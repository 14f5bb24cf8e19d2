/* Buffers: creation with accounting, copies, asynchronous transfers. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/device.h"
#include "device/memory.h"
#include "device/opencl.h"

camcl_status cc_device_fail_memory(const camcl_device *device, size_t bytes, const char *what, cl_int code, camcl_error *err)
{
    const camcl_device_info *info = &device->info;
    if (cc_cl_status(code) != CAMCL_NO_MEMORY && code != CL_OUT_OF_RESOURCES) {
        cc_cl_fail(err, code, what, __FILE__, __LINE__);
        return cc_cl_status(code);
    }
    cc_fail(err, CAMCL_NO_MEMORY,
            "device memory: %s needs %zu bytes; %s has %zu in all, %zu in use, %zu in one buffer "
            "(lower train.batch_labeled, train.batch_unlabeled, model.width or data.image_size)",
            what, bytes, info->name, info->global_mem, device->bytes, info->max_alloc);
    cc_detail(err, "%s\n", cc_cl_name(code));
    return CAMCL_NO_MEMORY;
}

camcl_status cc_device_allocate(camcl_device *device, size_t bytes, const char *what, cl_mem *out, camcl_error *err)
{
    const camcl_device_info *info = &device->info;
    cl_int code = CL_SUCCESS;
    *out = NULL;
    if (bytes > info->max_alloc || bytes > info->global_mem - cc_min_size(device->bytes, info->global_mem))
        code = CL_MEM_OBJECT_ALLOCATION_FAILURE;
    else
        *out = clCreateBuffer(device->context, CL_MEM_READ_WRITE, bytes, NULL, &code);
    if (code != CL_SUCCESS) return cc_device_fail_memory(device, bytes, what, code, err);
    device->bytes += bytes;
    device->peak = cc_max_size(device->peak, device->bytes);
    return CAMCL_OK;
}

cl_int cc_device_fill(camcl_device *device, cl_mem mem, size_t bytes)
{
    const cl_uint zero = 0;
    return clEnqueueFillBuffer(device->queue, mem, &zero, sizeof zero, 0, bytes / 4 * 4, 0, NULL, NULL);
}

void cc_device_release(camcl_device *device, size_t bytes, cl_mem *mem)
{
    if (*mem == NULL) return;
    clReleaseMemObject(*mem);
    *mem = NULL;
    device->bytes -= bytes;
}

camcl_status cc_buffer_create(camcl_device *device, size_t bytes, const char *name, cc_buffer **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_buffer *buffer = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &buffer, err));
    buffer->device = device;
    /* Buffers are filled in words of 4 bytes. */
    buffer->bytes = cc_round_up(bytes, 4);
    CC_TRY(cc_copy_text(name, &buffer->name, err));
    CC_TRY(cc_device_check_memory(device, buffer->bytes, name, err));
    CC_TRY(cc_device_allocate(device, buffer->bytes, name, &buffer->mem, err));
    const cl_int code = cc_device_fill(device, buffer->mem, buffer->bytes);
    if (code != CL_SUCCESS) {
        status = cc_device_fail_memory(device, buffer->bytes, name, code, err);
        goto cleanup;
    }
    *out = buffer;
    buffer = NULL;
cleanup:
    cc_buffer_destroy(&buffer);
    return status;
}

void cc_buffer_destroy(cc_buffer **handle)
{
    cc_buffer *buffer = *handle;
    if (buffer == NULL) return;
    if (buffer->view && buffer->mem)
        clReleaseMemObject(buffer->mem);
    else if (buffer->tape == NULL)
        cc_device_release(buffer->device, buffer->bytes, &buffer->mem);
    free(buffer->name);
    free(buffer);
    *handle = NULL;
}

camcl_status cc_buffer_view(cc_buffer *parent, size_t offset, size_t bytes, const char *name, cc_buffer **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_buffer *buffer = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &buffer, err));
    buffer->device = parent->device;
    buffer->view = true;
    buffer->bytes = cc_round_up(bytes, 4);
    CC_TRY(cc_copy_text(name, &buffer->name, err));
    cl_int code;
    cl_buffer_region region = { offset, buffer->bytes };
    buffer->mem = clCreateSubBuffer(parent->mem, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
    CC_CL_CODE(code, "clCreateSubBuffer");
    *out = buffer;
    buffer = NULL;
cleanup:
    cc_buffer_destroy(&buffer);
    return status;
}

size_t cc_buffer_bytes(const cc_buffer *buffer) { return buffer->bytes; }

camcl_status cc_buffer_write(cc_buffer *buffer, size_t offset, const void *data, size_t bytes, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    CC_CL(clEnqueueWriteBuffer(buffer->device->queue, buffer->mem, CL_TRUE, offset, bytes, data, 0, NULL, NULL));
cleanup:
    return status;
}

camcl_status cc_buffer_read(const cc_buffer *buffer, size_t offset, void *data, size_t bytes, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    CC_CL(clEnqueueReadBuffer(buffer->device->queue, buffer->mem, CL_TRUE, offset, bytes, data, 0, NULL, NULL));
cleanup:
    return status;
}

camcl_status cc_buffer_map(cc_buffer *buffer, size_t offset, size_t bytes, void **data, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cl_int code;
    *data =
        clEnqueueMapBuffer(buffer->device->queue, buffer->mem, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, offset, bytes, 0, NULL, NULL, &code);
    CC_CL_CODE(code, "clEnqueueMapBuffer");
cleanup:
    return status;
}

camcl_status cc_buffer_unmap(cc_buffer *buffer, void *data, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    CC_CL(clEnqueueUnmapMemObject(buffer->device->queue, buffer->mem, data, 0, NULL, NULL));
cleanup:
    return status;
}

/* ---- transfers that go on while the host does something else */

static bool is_done(cl_event done)
{
    cl_int state = CL_QUEUED;
    if (clGetEventInfo(done, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state, NULL) == CL_SUCCESS) return state <= CL_COMPLETE;
    /* The driver does not answer. After the wait the transfer is done or the driver has given up, so the block need not be kept for ever.
     */
    (void)clWaitForEvents(1, &done);
    return true;
}

static void free_finished_uploads(camcl_device *device)
{
    for (size_t i = 0; i < device->staging_count; i++) {
        cc_staging *block = device->staging[i];
        if (block->held || block->done == NULL || !is_done(block->done)) continue;
        clReleaseEvent(block->done);
        block->done = NULL;
    }
}

static camcl_status add_staging(camcl_device *device, cc_staging **out, camcl_error *err)
{
    CC_RETURN_IF_FAILED(
        cc_grow((void **)&device->staging, &device->staging_capacity, device->staging_count + 1, sizeof *device->staging, err));
    CC_RETURN_IF_FAILED(CC_NEW(1, out, err));
    (*out)->device = device;
    device->staging[device->staging_count++] = *out;
    return CAMCL_OK;
}

/* A free block of at least `bytes`: the smallest that is large enough, else the largest of the others, enlarged, else a new one. Steps that
 * transfer the same amounts again and again soon need no allocation. The block stays free if the caller gives it neither an event nor a
 * holder. */
static camcl_status find_staging(camcl_device *device, size_t bytes, cc_staging **out, camcl_error *err)
{
    cc_staging *fits = NULL, *smaller = NULL;
    *out = NULL;
    free_finished_uploads(device);
    for (size_t i = 0; i < device->staging_count; i++) {
        cc_staging *block = device->staging[i];
        if (block->held || block->done) continue;
        if (block->bytes >= bytes && (fits == NULL || block->bytes < fits->bytes)) fits = block;
        if (block->bytes < bytes && (smaller == NULL || block->bytes > smaller->bytes)) smaller = block;
    }
    if (fits == NULL) fits = smaller;
    if (fits == NULL) CC_RETURN_IF_FAILED(add_staging(device, &fits, err));
    if (fits->bytes < bytes) {
        free(fits->data);
        fits->bytes = 0;
        CC_RETURN_IF_FAILED(cc_calloc(bytes, 1, &fits->data, err));
        fits->bytes = bytes;
        device->staging_allocations++;
    }
    *out = fits;
    return CAMCL_OK;
}

void cc_device_free_staging(camcl_device *device)
{
    for (size_t i = 0; i < device->staging_count; i++) {
        if (device->staging[i]->done) clReleaseEvent(device->staging[i]->done);
        free(device->staging[i]->data);
        free(device->staging[i]);
    }
    free(device->staging);
    device->staging = NULL;
    device->staging_count = device->staging_capacity = 0;
}

camcl_status cc_buffer_upload(cc_buffer *buffer, size_t offset, const void *data, size_t bytes, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_staging *block;
    CC_TRY(find_staging(buffer->device, bytes, &block, err));
    memcpy(block->data, data, bytes);
    CC_CL(clEnqueueWriteBuffer(buffer->device->queue, buffer->mem, CL_FALSE, offset, bytes, block->data, 0, NULL, &block->done));
cleanup:
    return status;
}

camcl_status cc_buffer_send(cc_buffer *buffer, size_t offset, const void *data, size_t bytes, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    CC_CL(clEnqueueWriteBuffer(buffer->device->queue, buffer->mem, CL_FALSE, offset, bytes, data, 0, NULL, NULL));
cleanup:
    return status;
}

camcl_status cc_readback_start(const cc_buffer *buffer, size_t offset, size_t bytes, cc_readback **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_staging *block;
    *out = NULL;
    CC_TRY(find_staging(buffer->device, bytes, &block, err));
    CC_CL(clEnqueueReadBuffer(buffer->device->queue, buffer->mem, CL_FALSE, offset, bytes, block->data, 0, NULL, &block->done));
    CC_CL(clFlush(buffer->device->queue));
    block->held = true;
    *out = block;
cleanup:
    return status;
}

camcl_status cc_readback_wait(cc_readback *readback, const void **data, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cl_int code = clWaitForEvents(1, &readback->done), failure;
    /* Of a command that failed on the device, its event says why. */
    if (code == CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST &&
        clGetEventInfo(readback->done, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof failure, &failure, NULL) == CL_SUCCESS && failure < 0)
        code = failure;
    CC_CL_CODE(code, "clWaitForEvents");
    *data = readback->data;
cleanup:
    return status;
}

void cc_readback_destroy(cc_readback **handle)
{
    cc_readback *readback = *handle;
    if (readback == NULL) return;
    (void)clWaitForEvents(1, &readback->done);
    clReleaseEvent(readback->done);
    readback->done = NULL;
    readback->held = false;
    *handle = NULL;
}
