#include "support/events.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/scratch.h"

typedef struct bytes {
    const unsigned char *at, *end;
} bytes;

static uint64_t number(const unsigned char *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = size; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

/* CRC-32C by long division, the highest bit first, of bytes turned round; then masked. */
static uint32_t checksum(const unsigned char *data, size_t size)
{
    uint32_t rest = 0xffffffffu, turned = 0;
    for (size_t i = 0; i < 8 * size; i++) {
        const uint32_t bit = data[i / 8] >> (i % 8) & 1u;
        rest = rest << 1 ^ ((rest >> 31 ^ bit) ? 0x1edc6f41u : 0);
    }
    for (int i = 0; i < 32; i++)
        turned |= (rest >> i & 1u) << (31 - i);
    turned = ~turned;
    return (turned >> 15 | turned << 17) + 0xa282ead8u;
}

/* ---- protocol buffers */

typedef struct field {
    unsigned number, type;
    uint64_t value; /* varint, fixed */
    bytes content;  /* of a length-delimited field */
} field;

static uint64_t varint(bytes *from)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        assert_true(from->at < from->end && shift < 64);
        value |= (uint64_t)(*from->at & 0x7f) << shift;
        if (*from->at++ < 0x80) return value;
    }
}

static bool next_field(bytes *from, field *out)
{
    if (from->at == from->end) return false;
    const uint64_t tag = varint(from);
    *out = (field){ .number = (unsigned)(tag >> 3), .type = tag & 7 };
    size_t size = out->type == 5 ? 4 : out->type == 1 ? 8 : 0;
    if (out->type == 0 || out->type == 2) out->value = varint(from);
    if (out->type == 2) size = (size_t)out->value;
    assert_true(out->type == 0 || out->type == 1 || out->type == 2 || out->type == 5);
    assert_true(size <= (size_t)(from->end - from->at));
    if (out->type == 1 || out->type == 5) out->value = number(from->at, size);
    out->content = (bytes){ from->at, from->at + size };
    from->at += size;
    return true;
}

/* ---- events */

static size_t image_bytes(bytes image)
{
    static const char png[] = "\x89PNG\r\n\x1a\n";
    uint64_t height = 0, width = 0, colours = 0;
    size_t size = 0;
    for (field f; next_field(&image, &f);) {
        if (f.number == 1) height = f.value;
        if (f.number == 2) width = f.value;
        if (f.number == 3) colours = f.value;
        if (f.number != 4) continue;
        size = (size_t)(f.content.end - f.content.at);
        assert_true(size > 24 && memcmp(f.content.at, png, 8) == 0);
        assert_true(f.content.at[18] == height >> 8 && f.content.at[19] == (height & 255)); /* squares */
    }
    assert_true(size > 0 && height > 0 && width == height && colours == 3);
    return size;
}

static void add_value(event_points *points, uint64_t step, bytes value)
{
    event_point one = { .step = step };
    for (field f; next_field(&value, &f);) {
        const size_t size = (size_t)(f.content.end - f.content.at);
        if (f.number == 1) {
            assert_true(size < sizeof one.tag);
            memcpy(one.tag, f.content.at, size);
        }
        const uint32_t bits = (uint32_t)f.value;
        if (f.number == 2) memcpy(&one.value, &bits, sizeof bits);
        if (f.number == 4) one.image_bytes = image_bytes(f.content);
    }
    if (points->count == points->capacity) {
        points->capacity = 2 * points->capacity + 64;
        points->items = realloc(points->items, points->capacity * sizeof *points->items);
        assert_non_null(points->items);
    }
    points->items[points->count++] = one;
}

static void forget(event_points *points, uint64_t step)
{
    size_t kept = 0;
    for (size_t i = 0; i < points->count; i++)
        if (points->items[i].step < step) points->items[kept++] = points->items[i];
    points->forgotten += points->count - kept;
    points->count = kept;
}

static void read_event(event_points *points, bytes event)
{
    uint64_t step = 0;
    bytes summary = { NULL, NULL };
    bool starts = false;
    for (field f; next_field(&event, &f);) {
        if (f.number == 2) step = f.value;
        if (f.number == 5) summary = f.content;
        field status;
        if (f.number == 7) starts = next_field(&f.content, &status) && status.number == 1 && status.value == 1;
    }
    if (starts) forget(points, step);
    for (field f; next_field(&summary, &f);)
        if (f.number == 1) add_value(points, step, f.content);
}

/* ---- files */

static void read_file(event_points *points, const char *path)
{
    size_t size;
    char *data = scratch_read(path, &size);
    assert_non_null(data);
    bytes file = { (unsigned char *)data, (unsigned char *)data + size };
    while (file.end - file.at >= 12) {
        const uint64_t length = number(file.at, 8);
        assert_true(number(file.at + 8, 4) == checksum(file.at, 8));
        if (length + 16 > (uint64_t)(file.end - file.at)) break;
        const bytes event = { file.at + 12, file.at + 12 + length };
        assert_true(number(event.end, 4) == checksum(event.at, (size_t)length));
        read_event(points, event);
        points->records++;
        file.at = event.end + 4;
    }
    points->files++;
    free(data);
}

static int is_event_file(const struct dirent *entry) { return strstr(entry->d_name, "tfevents") != NULL; }

event_points events_read(const char *folder)
{
    event_points points = { .items = NULL };
    struct dirent **entries = NULL;
    const int count = scandir(folder, &entries, is_event_file, alphasort);
    assert_true(count >= 0);
    for (int i = 0; i < count; i++) {
        read_file(&points, scratch_path(folder, entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
    return points;
}

void events_free(event_points *points)
{
    free(points->items);
    *points = (event_points){ .items = NULL };
}

const event_point *events_find(const event_points *points, const char *tag, uint64_t step)
{
    const event_point *found = NULL;
    for (size_t i = 0; i < points->count; i++) {
        if (points->items[i].step != step || strcmp(points->items[i].tag, tag) != 0) continue;
        if (found) fail_msg("%s at step %llu: twice", tag, (unsigned long long)step);
        found = &points->items[i];
    }
    return found;
}
