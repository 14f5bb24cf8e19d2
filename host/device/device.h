/* The opened device: what every layer above asks of it. OpenCL types stay in host/device and ops/gemm.c. */
#ifndef CC_DEVICE_DEVICE_H
#define CC_DEVICE_DEVICE_H

#include "base/diag.h"
#include "camcl/device.h"

/* What kernels are shaped for. */
typedef enum cc_device_class { CC_CLASS_CPU, CC_CLASS_NVIDIA, CC_CLASS_AMD, CC_CLASS_INTEL, CC_CLASS_OTHER } cc_device_class;

cc_device_class cc_device_get_class(const camcl_device_info *info);
const char *cc_device_conv_policy(const camcl_device *device); /* auto | direct | winograd | gemm */

/* Programs that the launches recorded so far need and no cache has: so many are compiled at the next commit. */
size_t cc_device_count_uncompiled(camcl_device *device);
/* Hands them to helper processes (compile.h) and waits. A commit does so, too. Where it fails, or there are no helpers, it stays undone:
 * whoever needs a program builds it. */
void cc_device_compile_ahead(camcl_device *device);

/* Bytes in device buffers now and at most since the last reset. */
size_t cc_device_bytes(const camcl_device *device);
size_t cc_device_peak_bytes(const camcl_device *device);
void cc_device_reset_peak(camcl_device *device);

/* Waits until everything enqueued is done. */
camcl_status cc_device_finish(camcl_device *device, camcl_error *err);

/* The in-order cl_command_queue, for libraries that want to be asked with one (CLBlast's workspace sizes). */
void *cc_device_queue(const camcl_device *device);
/* Which of CLBlast's parameter sets products recorded from here on use: kept here for ops/gemm.c (cc_gemm_use). 0 at first. */
size_t cc_device_gemm(const camcl_device *device);
void cc_device_set_gemm(camcl_device *device, size_t set);

/* Device memory. A buffer is either persistent (own memory from the start, created here) or belongs to a tape (memory
 * from the arena, shared with buffers that are not alive at the same time). */
typedef struct cc_buffer cc_buffer;

/* Persistent, zero-filled. `name` is copied, for out-of-memory reports. bytes > 0. */
camcl_status cc_buffer_create(camcl_device *device, size_t bytes, const char *name, cc_buffer **out, camcl_error *err);
void cc_buffer_destroy(cc_buffer **buffer);
size_t cc_buffer_bytes(const cc_buffer *buffer);

/* A part of a persistent buffer as a buffer of its own; offset must be a multiple of the device's base_align. The parent must outlive
 * it. */
camcl_status cc_buffer_view(cc_buffer *parent, size_t offset, size_t bytes, const char *name, cc_buffer **out, camcl_error *err);

/* Blocking copies; offset in bytes. For a tape's buffer: only after cc_arena_commit. */
camcl_status cc_buffer_write(cc_buffer *buffer, size_t offset, const void *data, size_t bytes, camcl_error *err);
camcl_status cc_buffer_read(const cc_buffer *buffer, size_t offset, void *data, size_t bytes, camcl_error *err);
/* Non-blocking upload: data is copied into a staging block, which the device keeps and uses again when the copy is done. */
camcl_status cc_buffer_upload(cc_buffer *buffer, size_t offset, const void *data, size_t bytes, camcl_error *err);

/* Asynchronous read-back: start it after a tape ran, pick it up any number of steps later. To be destroyed before the device is closed. */
typedef struct cc_staging cc_readback;
camcl_status cc_readback_start(const cc_buffer *buffer, size_t offset, size_t bytes, cc_readback **out, camcl_error *err);
/* Waits; *data is borrowed until cc_readback_destroy. */
camcl_status cc_readback_wait(cc_readback *readback, const void **data, camcl_error *err);
void cc_readback_destroy(cc_readback **readback);

#endif
