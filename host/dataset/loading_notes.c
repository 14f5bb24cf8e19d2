/* The notes beside kept pixels: a fixed head, the numbers of the pictures that could not be read, and why the first could not, without its
 * path, because the folder may have moved when the notes are read. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/loading.h"

typedef struct head {
    uint32_t width, height, failed, unused;
    cc_format_counts formats;
} head;

/* What follows the path in why a picture could not be read; "" where the path is not told. */
static const char *behind_path(const cc_loading_picture *picture)
{
    const char *path = picture->picture->path, *found = picture->reason ? strstr(picture->reason, path) : NULL;
    return found ? found + strlen(path) : "";
}

void cc_loading_write_notes(const cc_loading *loading, cc_text *out)
{
    head first = { .width = loading->width, .height = loading->height, .formats = loading->formats };
    const char *why = NULL;
    for (size_t i = 0; i < loading->count; i++)
        first.failed += loading->pictures[i].status != CAMCL_OK;
    cc_text_add_bytes(out, &first, sizeof first);
    for (size_t i = 0; i < loading->count; i++) {
        const uint32_t number = (uint32_t)i;
        if (loading->pictures[i].status == CAMCL_OK) continue;
        cc_text_add_bytes(out, &number, sizeof number);
        if (!why) why = behind_path(&loading->pictures[i]);
    }
    cc_text_add_bytes(out, why ? why : "", why ? strlen(why) + 1 : 1);
}

static void fail_as_then(cc_loading *loading, size_t index, const char *why)
{
    const cc_loading_picture *picture = &loading->pictures[index];
    camcl_error err;
    if (*why == '\0' || picture->reason) return;
    (void)cc_fail(&err, CAMCL_BAD_DATA, "%s%s", picture->picture->path, why);
    cc_loading_fail(loading, index, &err);
}

static uint32_t number_at(const char *numbers, size_t index)
{
    uint32_t number;
    memcpy(&number, numbers + index * sizeof number, sizeof number);
    return number;
}

/* Whether the head can be of these pictures. The file's hash notices damage, not what somebody wrote on purpose, so that nothing is taken
 * for granted. */
static bool is_head_of(const cc_loading *loading, const head *first)
{
    const uint32_t side = loading->spec->image_size;
    for (size_t i = 0; i < CC_MOST_FORMATS; i++)
        if (!memchr(first->formats.rows[i].name, '\0', sizeof first->formats.rows[i].name)) return false;
    if (first->width == 0 || first->height == 0 || first->width > CAMCL_IMAGE_MOST_PIXELS / first->height) return false;
    if (side > 0 && (first->width != side || first->height != side)) return false;
    if (first->failed > 0 && !loading->spec->skip_corrupt) return false; /* each of them is to be named */
    return first->failed < loading->count;
}

/* Whether they are places of pictures, each once: they rise. */
static bool are_places(const char *numbers, size_t count, size_t pictures)
{
    for (size_t i = 0; i < count; i++)
        if (number_at(numbers, i) >= pictures || (i > 0 && number_at(numbers, i) <= number_at(numbers, i - 1))) return false;
    return true;
}

bool cc_loading_read_notes(cc_loading *loading, const cc_pixel_store *store)
{
    size_t size, pixels;
    head first;
    const char *notes = cc_pixel_store_notes(store, &size);
    (void)cc_pixel_store_pixels(store, &pixels);
    if (size < sizeof first) return false;
    memcpy(&first, notes, sizeof first);
    if (!is_head_of(loading, &first)) return false;
    if (size <= sizeof first + first.failed * sizeof(uint32_t) || notes[size - 1] != '\0') return false;
    const char *numbers = notes + sizeof first, *why = numbers + first.failed * sizeof(uint32_t);
    loading->width = first.width;
    loading->height = first.height;
    if (pixels != (loading->count - first.failed) * cc_loading_image_bytes(loading)) return false;
    if (!are_places(numbers, first.failed, loading->count)) return false;
    for (size_t i = 0; i < first.failed; i++)
        loading->pictures[number_at(numbers, i)].status = CAMCL_BAD_DATA;
    if (first.failed > 0) fail_as_then(loading, number_at(numbers, 0), why);
    loading->formats = first.formats;
    return true;
}
