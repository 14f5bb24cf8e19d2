/* Writing Protocol Buffers, the encoding of TensorBoard's events and of ONNX models. A message is a cc_text of bytes, to which fields are
 * added by the numbers that their .proto file gives them; an allocation that fails is remembered in it (text.h). The encoding takes a few
 * lines, and none of the libraries for it is needed, so that these files are written by every build. */
#ifndef CC_BASE_PROTOBUF_H
#define CC_BASE_PROTOBUF_H

#include <stdint.h>

#include "base/text.h"

/* int32, int64, uint64, enum; negative numbers as two's complement of 64 bits. */
void cc_protobuf_integer(cc_text *message, unsigned field, uint64_t value);
void cc_protobuf_float(cc_text *message, unsigned field, float value);
void cc_protobuf_double(cc_text *message, unsigned field, double value);
void cc_protobuf_bytes(cc_text *message, unsigned field, const void *data, size_t size);
void cc_protobuf_string(cc_text *message, unsigned field, const char *value);
/* A message inside the message; `inner` is freed. */
void cc_protobuf_message(cc_text *message, unsigned field, cc_text *inner);
/* The start of bytes, a string or a message of `size` bytes, which follow it. */
void cc_protobuf_head(cc_text *message, unsigned field, size_t size);

#endif
