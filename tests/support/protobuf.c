#include "support/protobuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

uint64_t protobuf_number(const unsigned char *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = size; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

static uint64_t varint(protobuf_bytes *from)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        assert_true(from->at < from->end && shift < 64);
        value |= (uint64_t)(*from->at & 0x7f) << shift;
        if (*from->at++ < 0x80) return value;
    }
}

bool protobuf_next(protobuf_bytes *from, protobuf_field *out)
{
    if (from->at == from->end) return false;
    const uint64_t tag = varint(from);
    *out = (protobuf_field){ .number = (unsigned)(tag >> 3), .type = tag & 7 };
    size_t size = out->type == 5 ? 4 : out->type == 1 ? 8 : 0;
    if (out->type == 0 || out->type == 2) out->value = varint(from);
    if (out->type == 2) size = (size_t)out->value;
    assert_true(out->type == 0 || out->type == 1 || out->type == 2 || out->type == 5);
    assert_true(size <= (size_t)(from->end - from->at));
    if (out->type == 1 || out->type == 5) out->value = protobuf_number(from->at, size);
    out->content = (protobuf_bytes){ from->at, from->at + size };
    from->at += size;
    return true;
}

float protobuf_float(const protobuf_field *field)
{
    const uint32_t bits = (uint32_t)field->value;
    float value;
    assert_int_equal(field->type, 5);
    memcpy(&value, &bits, sizeof value);
    return value;
}

bool protobuf_is_text(protobuf_bytes content, const char *text)
{
    const size_t size = (size_t)(content.end - content.at);
    return size == strlen(text) && memcmp(content.at, text, size) == 0;
}
