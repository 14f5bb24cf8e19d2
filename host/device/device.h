/* The opened device and its memory, for all layers above. OpenCL types appear in host/device and ops/gemm.c only. */
#ifndef CC_DEVICE_DEVICE_H
#define CC_DEVICE_DEVICE_H

#include "base/diag.h"
#include "camcl/device.h"
#include "device/class.h"

/* What the device was opened with. conv: auto | direct | winograd | gemm; tune: off | cache | full; the cache's folder, or NULL. */
const char *cc_device_conv(const camcl_device *device);
const char *cc_device_tune(const camcl_device *device);
const char *cc_device_cache_dir(const camcl_device *device);

/* Something of the layers above that lives as long as the device: NULL until it is set, once; `destroy` is called when the device closes.
 */
void *cc_device_attached(const camcl_device *device);
void cc_device_attach(camcl_device *device, void *object, void (*destroy)(void *object));

/* The number of programs that the launches recorded so far need and that are in no cache. The next commit compiles them. */
size_t cc_device_count_uncompiled(camcl_device *device);
/* Has helper processes (compile.h) compile these programs, and waits. A commit calls this as well. If there are no helpers, or they fail,
 * this process builds each program when it needs it. */
void cc_device_compile_ahead(camcl_device *device);

/* Bytes in device buffers: now, and the most since the last reset. */
size_t cc_device_bytes(const camcl_device *device);
size_t cc_device_peak_bytes(const camcl_device *device);
void cc_device_reset_peak(camcl_device *device);

/* Waits until everything enqueued is done. */
camcl_status cc_device_finish(camcl_device *device, camcl_error *err);

/* The in-order cl_command_queue, which some library calls outside of tapes need (CLBlast's workspace sizes). */
void *cc_device_queue(const camcl_device *device);

/* Device memory. A buffer is either persistent (own memory from the start, created here) or belongs to a tape (memory
 * from the arena, shared with buffers that are not alive at the same time). */
typedef struct cc_buffer cc_buffer;

/* A persistent buffer of zeros. `name` is copied and used in out-of-memory reports. bytes > 0. */
camcl_status cc_buffer_create(camcl_device *device, size_t bytes, const char *name, cc_buffer **out, camcl_error *err);
void cc_buffer_destroy(cc_buffer **buffer);
size_t cc_buffer_bytes(const cc_buffer *buffer);

/* A part of a persistent buffer as a buffer of its own; offset must be a multiple of the device's base_align. The parent must outlive
 * it. */
camcl_status cc_buffer_view(cc_buffer *parent, size_t offset, size_t bytes, const char *name, cc_buffer **out, camcl_error *err);

/* Copies that wait for the device; offset in bytes. A tape's buffer has memory only after cc_arena_commit. */
camcl_status cc_buffer_write(cc_buffer *buffer, size_t offset, const void *data, size_t bytes, camcl_error *err);
camcl_status cc_buffer_read(const cc_buffer *buffer, size_t offset, void *data, size_t bytes, camcl_error *err);
/* Non-blocking upload: data is copied into a staging block, which the device keeps and uses again when the copy is done. */
camcl_status cc_buffer_upload(cc_buffer *buffer, size_t offset, const void *data, size_t bytes, camcl_error *err);

/* The same without the copy: data must stay as it is until the device has taken it. */
camcl_status cc_buffer_send(cc_buffer *buffer, size_t offset, const void *data, size_t bytes, camcl_error *err);

/* The content where the host can reach it, which costs no copy where the device's memory is the host's, as a CPU's is. Waits for everything
 * enqueued. Until cc_buffer_unmap, which takes *data, nothing that uses the buffer may be enqueued; other parts of it may be mapped. */
camcl_status cc_buffer_map(cc_buffer *buffer, size_t offset, size_t bytes, void **data, camcl_error *err);
camcl_status cc_buffer_unmap(cc_buffer *buffer, void *data, camcl_error *err);

/* Asynchronous read-back: it is started after a tape ran, and its data can be picked up any number of steps later. It must be destroyed
 * before the device is closed. */
typedef struct cc_staging cc_readback;
camcl_status cc_readback_start(const cc_buffer *buffer, size_t offset, size_t bytes, cc_readback **out, camcl_error *err);
/* Waits; *data is borrowed until cc_readback_destroy. */
camcl_status cc_readback_wait(cc_readback *readback, const void **data, camcl_error *err);
void cc_readback_destroy(cc_readback **readback);

#endif
