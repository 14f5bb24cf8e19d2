#include "support/events.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/protobuf.h"
#include "support/scratch.h"

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

/* ---- events */

static size_t image_bytes(protobuf_bytes image)
{
    static const char png[] = "\x89PNG\r\n\x1a\n";
    uint64_t height = 0, width = 0, colours = 0;
    size_t size = 0;
    for (protobuf_field f; protobuf_next(&image, &f);) {
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

static void add_value(event_points *points, uint64_t step, protobuf_bytes value)
{
    event_point one = { .step = step };
    for (protobuf_field f; protobuf_next(&value, &f);) {
        const size_t size = (size_t)(f.content.end - f.content.at);
        if (f.number == 1) {
            assert_true(size < sizeof one.tag);
            memcpy(one.tag, f.content.at, size);
        }
        if (f.number == 2) one.value = protobuf_float(&f);
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

static void read_event(event_points *points, protobuf_bytes event)
{
    uint64_t step = 0;
    protobuf_bytes summary = { NULL, NULL };
    bool starts = false;
    for (protobuf_field f; protobuf_next(&event, &f);) {
        if (f.number == 2) step = f.value;
        if (f.number == 5) summary = f.content;
        protobuf_field status;
        if (f.number == 7) starts = protobuf_next(&f.content, &status) && status.number == 1 && status.value == 1;
    }
    if (starts) forget(points, step);
    for (protobuf_field f; protobuf_next(&summary, &f);)
        if (f.number == 1) add_value(points, step, f.content);
}

/* ---- files */

static void read_file(event_points *points, const char *path)
{
    size_t size;
    char *data = scratch_read(path, &size);
    assert_non_null(data);
    protobuf_bytes file = { (unsigned char *)data, (unsigned char *)data + size };
    while (file.end - file.at >= 12) {
        const uint64_t length = protobuf_number(file.at, 8);
        assert_true(protobuf_number(file.at + 8, 4) == checksum(file.at, 8));
        if (length + 16 > (uint64_t)(file.end - file.at)) break;
        const protobuf_bytes event = { file.at + 12, file.at + 12 + length };
        assert_true(protobuf_number(event.end, 4) == checksum(event.at, (size_t)length));
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
