/* A tensor: a buffer with a type and a shape, row-major (last dimension contiguous). Activations are NHWC. */
#ifndef CC_TENSOR_TENSOR_H
#define CC_TENSOR_TENSOR_H

#include <stdint.h>

#include "device/tape.h"

typedef enum cc_dtype { CC_F32, CC_I32, CC_U8 } cc_dtype;

/* A handle, passed by value. It does not own its buffer. */
typedef struct cc_tensor {
    cc_buffer *buffer; /* NULL: "no tensor" where an operand is optional */
    cc_dtype dtype;
    unsigned rank; /* 1..4 */
    size_t dim[4];
} cc_tensor;

#define CC_NO_TENSOR ((cc_tensor){ .buffer = NULL })

size_t cc_dtype_bytes(cc_dtype dtype);
size_t cc_tensor_count(const cc_tensor *tensor); /* elements */
size_t cc_tensor_bytes(const cc_tensor *tensor);

/* A tensor over a new tape buffer / a new persistent buffer (destroy with cc_buffer_destroy(&t.buffer)). Sizes are checked. */
camcl_status cc_tensor_on_tape(cc_tape *tape, const char *name, cc_dtype dtype, unsigned rank, const size_t *dim, cc_tensor *out,
                               camcl_error *err);
camcl_status cc_tensor_create(camcl_device *device, const char *name, cc_dtype dtype, unsigned rank, const size_t *dim, cc_tensor *out,
                              camcl_error *err);
#define CC_DIMS(...)                                                                                                                       \
    sizeof((const size_t[]){ __VA_ARGS__ }) / sizeof(size_t), (const size_t[]) { __VA_ARGS__ }

/* One float in a small device buffer that the step uploads (learning rate, threshold, ...): kernels read it, so that a recorded tape
 * stays valid when it changes. */
typedef struct cc_device_scalar {
    cc_buffer *buffer;
    size_t index;
} cc_device_scalar;

#endif
