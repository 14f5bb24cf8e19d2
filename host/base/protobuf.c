/* protobuf.dev, "Encoding": a field is its number and its wire type, and then its value. */
#include "base/protobuf.h"

#include <string.h>

typedef enum wire_type { VARINT = 0, FIXED64 = 1, LENGTH = 2, FIXED32 = 5 } wire_type;

/* Seven bits a byte, the lowest first; the high bit says that more follow. */
static void add_varint(cc_text *message, uint64_t value)
{
    unsigned char bytes[10];
    size_t count = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[count++] = (unsigned char)(value | 0x80);
    bytes[count++] = (unsigned char)value;
    cc_text_add_bytes(message, bytes, count);
}

static void add_tag(cc_text *message, unsigned field, wire_type type) { add_varint(message, (uint64_t)field << 3 | type); }

static void add_fixed(cc_text *message, uint64_t bits, size_t size)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(bits >> 8 * i);
    cc_text_add_bytes(message, bytes, size);
}

void cc_protobuf_integer(cc_text *message, unsigned field, uint64_t value)
{
    add_tag(message, field, VARINT);
    add_varint(message, value);
}

void cc_protobuf_float(cc_text *message, unsigned field, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_tag(message, field, FIXED32);
    add_fixed(message, bits, sizeof bits);
}

void cc_protobuf_double(cc_text *message, unsigned field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_tag(message, field, FIXED64);
    add_fixed(message, bits, sizeof bits);
}

void cc_protobuf_head(cc_text *message, unsigned field, size_t size)
{
    add_tag(message, field, LENGTH);
    add_varint(message, size);
}

void cc_protobuf_bytes(cc_text *message, unsigned field, const void *data, size_t size)
{
    cc_protobuf_head(message, field, size);
    cc_text_add_bytes(message, data, size);
}

void cc_protobuf_string(cc_text *message, unsigned field, const char *value) { cc_protobuf_bytes(message, field, value, strlen(value)); }

void cc_protobuf_message(cc_text *message, unsigned field, cc_text *inner)
{
    if (inner->failed)
        message->failed = true;
    else
        cc_protobuf_bytes(message, field, inner->data, inner->length);
    cc_text_free(inner);
}
