/* The notes beside kept pixels: a fixed head, the numbers of the pictures that could not be read, and why the first could not. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/loading.h"

typedef struct head {
    uint32_t width, height, failed, unused;
    cc_format_counts formats;
} head;

void cc_loading_write_notes(const cc_loading *loading, cc_text *out)
{
    head first = { .width = loading->width, .height = loading->height, .formats = loading->formats };
    const char *reason = NULL;
    for (size_t i = 0; i < loading->count; i++)
        first.failed += loading->pictures[i].status != CAMCL_OK;
    cc_text_add_bytes(out, &first, sizeof first);
    for (size_t i = 0; i < loading->count; i++) {
        const uint32_t number = (uint32_t)i;
        if (loading->pictures[i].status == CAMCL_OK) continue;
        cc_text_add_bytes(out, &number, sizeof number);
        if (!reason) reason = loading->pictures[i].reason;
    }
    cc_text_add_bytes(out, reason ? reason : "", reason ? strlen(reason) + 1 : 1);
}

static uint32_t number_at(const char *numbers, size_t index)
{
    uint32_t number;
    memcpy(&number, numbers + index * sizeof number, sizeof number);
    return number;
}

bool cc_loading_read_notes(cc_loading *loading, const cc_pixel_store *store)
{
    size_t size, pixels;
    head first;
    const char *notes = cc_pixel_store_notes(store, &size);
    (void)cc_pixel_store_pixels(store, &pixels);
    if (size < sizeof first) return false;
    memcpy(&first, notes, sizeof first);
    const char *numbers = notes + sizeof first, *reason = numbers + first.failed * sizeof(uint32_t);
    if (first.failed >= loading->count || size <= sizeof first + first.failed * sizeof(uint32_t) || notes[size - 1] != '\0') return false;
    loading->width = first.width;
    loading->height = first.height;
    if (pixels != (loading->count - first.failed) * cc_loading_image_bytes(loading)) return false;
    for (size_t i = 0; i < first.failed; i++)
        if (number_at(numbers, i) >= loading->count) return false;
    for (size_t i = 0; i < first.failed; i++)
        loading->pictures[number_at(numbers, i)].status = CAMCL_BAD_DATA;
    if (first.failed > 0 && *reason && !loading->pictures[number_at(numbers, 0)].reason)
        (void)cc_copy_text(reason, &loading->pictures[number_at(numbers, 0)].reason, NULL);
    loading->formats = first.formats;
    return true;
}
