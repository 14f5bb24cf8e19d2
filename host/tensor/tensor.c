#include "tensor/tensor.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"

size_t cc_dtype_bytes(cc_dtype dtype) { return dtype == CC_U8 ? 1 : 4; }

size_t cc_tensor_count(const cc_tensor *tensor)
{
    size_t n = 1;
    for (unsigned i = 0; i < tensor->rank; i++)
        n *= tensor->dim[i];
    return n;
}

size_t cc_tensor_bytes(const cc_tensor *tensor) { return cc_tensor_count(tensor) * cc_dtype_bytes(tensor->dtype); }

static camcl_status shape(const char *name, cc_dtype dtype, unsigned rank, const size_t *dim, cc_tensor *out, size_t *bytes,
                          camcl_error *err)
{
    assert(rank >= 1 && rank <= 4);
    memset(out, 0, sizeof *out);
    out->dtype = dtype;
    out->rank = rank;
    *bytes = cc_dtype_bytes(dtype);
    for (unsigned i = 0; i < rank; i++) {
        out->dim[i] = dim[i];
        if (!cc_mul_size(*bytes, dim[i], bytes) || *bytes > PTRDIFF_MAX)
            return cc_fail(err, CAMCL_NO_MEMORY, "tensor %s: its size overflows (use smaller batches, a narrower model or smaller images)",
                           name);
    }
    return CAMCL_OK;
}

camcl_status cc_tensor_on_tape(cc_tape *tape, const char *name, cc_dtype dtype, unsigned rank, const size_t *dim, cc_tensor *out,
                               camcl_error *err)
{
    size_t bytes;
    CC_RETURN_IF_FAILED(shape(name, dtype, rank, dim, out, &bytes, err));
    return cc_tape_buffer(tape, bytes, name, &out->buffer, err);
}

camcl_status cc_tensor_create(camcl_device *device, const char *name, cc_dtype dtype, unsigned rank, const size_t *dim, cc_tensor *out,
                              camcl_error *err)
{
    size_t bytes;
    CC_RETURN_IF_FAILED(shape(name, dtype, rank, dim, out, &bytes, err));
    return cc_buffer_create(device, bytes ? bytes : 4, name, &out->buffer, err);
}
