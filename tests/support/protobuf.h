/* Reading Protocol Buffers without the code that writes them. */
#ifndef TESTS_SUPPORT_PROTOBUF_H
#define TESTS_SUPPORT_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message, or what is left of it; also the content of a field, which lies in the message. */
typedef struct protobuf_bytes {
    const unsigned char *at, *end;
} protobuf_bytes;

typedef struct protobuf_field {
    unsigned number, type;
    uint64_t value;         /* varint, fixed */
    protobuf_bytes content; /* of a length-delimited field */
} protobuf_field;

/* Takes the next field; false: there is none. Fails the running test where the message is damaged. */
bool protobuf_next(protobuf_bytes *from, protobuf_field *out);
/* A little-endian number of `size` bytes. */
uint64_t protobuf_number(const unsigned char *at, size_t size);
/* A field of type float. */
float protobuf_float(const protobuf_field *field);
bool protobuf_is_text(protobuf_bytes content, const char *text);

#endif
