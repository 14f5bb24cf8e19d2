/* Buffers: creation with accounting, copies, asynchronous read-back. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/opencl.h"

camcl_status cc_device_allocate(camcl_device *device, size_t bytes, const char *what, cl_mem *out, camcl_error *err)
{
    const camcl_device_info *info = &device->info;
    cl_int code = CL_SUCCESS;
    *out = NULL;
    if (bytes > info->max_alloc || bytes > info->global_mem - cc_min_size(device->bytes, info->global_mem))
        code = CL_MEM_OBJECT_ALLOCATION_FAILURE;
    else
        *out = clCreateBuffer(device->context, CL_MEM_READ_WRITE, bytes, NULL, &code);
    if (code != CL_SUCCESS) {
        cc_fail(err, CAMCL_NO_MEMORY,
                "device memory: %s needs %zu bytes; %s has %zu in all, %zu in use, %zu in one buffer "
                "(lower train.batch_labeled, train.batch_unlabeled, model.width or data.image_size)",
                what, bytes, info->name, info->global_mem, device->bytes, info->max_alloc);
        cc_detail(err, "%s\n", cc_cl_name(code));
        return CAMCL_NO_MEMORY;
    }
    device->bytes += bytes;
    device->peak = cc_max_size(device->peak, device->bytes);
    return CAMCL_OK;
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
    /* Whole words, so that it can be filled and copied as such. */
    buffer->bytes = cc_round_up(bytes, 4);
    CC_TRY(cc_copy_text(name, &buffer->name, err));
    CC_TRY(cc_device_allocate(device, buffer->bytes, name, &buffer->mem, err));
    const cl_uint zero = 0;
    CC_CL(clEnqueueFillBuffer(device->queue, buffer->mem, &zero, sizeof zero, 0, buffer->bytes, 0, NULL, NULL));
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

static void free_finished_uploads(camcl_device *device)
{
    size_t kept = 0;
    for (size_t i = 0; i < device->upload_count; i++) {
        cl_int state = CL_QUEUED;
        clGetEventInfo(device->uploads[i].done, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state, NULL);
        if (state > CL_COMPLETE) {
            device->uploads[kept++] = device->uploads[i];
            continue;
        }
        clReleaseEvent(device->uploads[i].done);
        free(device->uploads[i].data);
    }
    device->upload_count = kept;
}

camcl_status cc_buffer_upload(cc_buffer *buffer, size_t offset, const void *data, size_t bytes, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    camcl_device *device = buffer->device;
    cc_upload upload = { NULL, NULL };
    free_finished_uploads(device);
    CC_TRY(cc_grow((void **)&device->uploads, &device->upload_capacity, device->upload_count + 1, sizeof upload, err));
    CC_TRY(cc_calloc(bytes, 1, &upload.data, err));
    memcpy(upload.data, data, bytes);
    CC_CL(clEnqueueWriteBuffer(device->queue, buffer->mem, CL_FALSE, offset, bytes, upload.data, 0, NULL, &upload.done));
    device->uploads[device->upload_count++] = upload;
    upload.data = NULL;
cleanup:
    free(upload.data);
    return status;
}

struct cc_readback {
    void *data;
    cl_event done;
};

camcl_status cc_readback_start(const cc_buffer *buffer, size_t offset, size_t bytes, cc_readback **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_readback *readback = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &readback, err));
    CC_TRY(cc_calloc(bytes, 1, &readback->data, err));
    CC_CL(clEnqueueReadBuffer(buffer->device->queue, buffer->mem, CL_FALSE, offset, bytes, readback->data, 0, NULL, &readback->done));
    CC_CL(clFlush(buffer->device->queue));
    *out = readback;
    readback = NULL;
cleanup:
    cc_readback_destroy(&readback);
    return status;
}

camcl_status cc_readback_wait(cc_readback *readback, const void **data, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    CC_CL(clWaitForEvents(1, &readback->done));
    *data = readback->data;
cleanup:
    return status;
}

void cc_readback_destroy(cc_readback **handle)
{
    cc_readback *readback = *handle;
    if (readback == NULL) return;
    if (readback->done) {
        clWaitForEvents(1, &readback->done);
        clReleaseEvent(readback->done);
    }
    free(readback->data);
    free(readback);
    *handle = NULL;
}
