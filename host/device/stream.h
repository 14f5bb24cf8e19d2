/* A stream brings host data that change from run to run to the device while earlier tapes still run there. It has two lanes, which take
 * turns: while the device works with the data of one, the other is filled. Nothing waits but a lane for its own last transfer.
 *
 *     cc_stream_fill(stream, &data) -> write to data -> cc_stream_send(stream, bytes, buffer, offset) -> cc_tape_run */
#ifndef CC_DEVICE_STREAM_H
#define CC_DEVICE_STREAM_H

#include "device/device.h"

typedef struct cc_stream cc_stream;

/* A stream for at most `bytes` > 0 at once. It takes twice as much of the host's memory, and twice as much of the device's. The caller owns
 * *out; `name` is used in out-of-memory reports. */
camcl_status cc_stream_create(camcl_device *device, size_t bytes, const char *name, cc_stream **out, camcl_error *err);
/* Waits for its transfers. */
void cc_stream_destroy(cc_stream **stream);

/* *data: the host memory of the next lane, borrowed until the data are sent. */
camcl_status cc_stream_fill(cc_stream *stream, void **data, camcl_error *err);
/* Enqueues: to[offset ..] = the first `bytes` > 0 of the lane. What was enqueued before still reads the old content of `to`, what is
 * enqueued from here on reads the new one. */
camcl_status cc_stream_send(cc_stream *stream, size_t bytes, cc_buffer *to, size_t offset, camcl_error *err);

#endif
