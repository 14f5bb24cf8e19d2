#include "device/stream.h"

#include <stdlib.h>

#include "base/memory.h"
#include "device/memory.h"
#include "device/opencl.h"

enum { LANES = 2 };

typedef struct lane {
    void *data; /* on the host */
    cl_mem mem; /* on the device */
    /* Of the lane's last data: in mem; copied out of mem to where launches read them. NULL: there were none yet. */
    cl_event arrived, taken;
} lane;

struct cc_stream {
    camcl_device *device;
    cl_command_queue queue; /* of its own, so that a transfer need not wait for the launches that are enqueued already */
    size_t bytes;
    lane lanes[LANES];
    size_t next;
};

camcl_status cc_stream_create(camcl_device *device, size_t bytes, const char *name, cc_stream **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cl_int code;
    cc_stream *s = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &s, err));
    s->device = device;
    s->bytes = bytes;
    /* On the host and on the device. */
    CC_TRY(cc_device_check_memory(device, 2 * LANES * bytes, name, err));
    for (size_t i = 0; i < LANES; i++) {
        CC_TRY(cc_calloc(bytes, 1, &s->lanes[i].data, err));
        CC_TRY(cc_device_allocate(device, bytes, name, &s->lanes[i].mem, err));
    }
    s->queue = clCreateCommandQueue(device->context, device->id, 0, &code);
    CC_CL_CODE(code, "clCreateCommandQueue");
    *out = s;
    s = NULL;
cleanup:
    cc_stream_destroy(&s);
    return status;
}

void cc_stream_destroy(cc_stream **handle)
{
    cc_stream *s = *handle;
    if (s == NULL) return;
    if (s->queue) clFinish(s->queue);
    for (size_t i = 0; i < LANES; i++) {
        lane *l = &s->lanes[i];
        if (l->arrived) clReleaseEvent(l->arrived);
        if (l->taken) clReleaseEvent(l->taken);
        cc_device_release(s->device, s->bytes, &l->mem);
        free(l->data);
    }
    if (s->queue) clReleaseCommandQueue(s->queue);
    free(s);
    *handle = NULL;
}

camcl_status cc_stream_fill(cc_stream *s, void **data, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    lane *l = &s->lanes[s->next];
    if (l->arrived) CC_CL(clWaitForEvents(1, &l->arrived));
    *data = l->data;
cleanup:
    return status;
}

/* Through the lane's own device memory: a transfer straight to `to` would have to wait for the launches that still read it. */
camcl_status cc_stream_send(cc_stream *s, size_t bytes, cc_buffer *to, size_t offset, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    lane *l = &s->lanes[s->next];
    cl_event arrived = NULL, taken = NULL;
    CC_CL(clEnqueueWriteBuffer(s->queue, l->mem, CL_FALSE, 0, bytes, l->data, l->taken != NULL, l->taken ? &l->taken : NULL, &arrived));
    CC_CL(clFlush(s->queue));
    CC_CL(clEnqueueCopyBuffer(s->device->queue, l->mem, to->mem, 0, offset, bytes, 1, &arrived, &taken));
    /* A queue that waits for another one's event goes on only if the other was flushed. */
    CC_CL(clFlush(s->device->queue));
    s->next = (s->next + 1) % LANES;
cleanup:
    if (arrived) {
        if (l->arrived) clReleaseEvent(l->arrived);
        l->arrived = arrived;
    }
    if (taken) {
        if (l->taken) clReleaseEvent(l->taken);
        l->taken = taken;
    }
    return status;
}
