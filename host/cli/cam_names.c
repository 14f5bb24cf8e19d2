#include "cam_names.h"

#include <stdlib.h>
#include <string.h>

#include "output.h"

/* A name that file systems take also with the longest of what is put behind it. */
enum { MOST_BYTES = 255 - (sizeof "_overlay.png" - 1) };

/* Without the extension; a name that begins with its only dot is kept. One that is too long loses its last characters. */
static char *stem_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *dot = strrchr(base, '.');
    size_t length = dot && dot != base ? (size_t)(dot - base) : strlen(base);
    if (length > MOST_BYTES) {
        length = MOST_BYTES;
        while (length > 1 && ((unsigned char)base[length] & 0xC0) == 0x80) /* in the middle of a character */
            length--;
    }
    return strndup(path, (size_t)(base - path) + length);
}

typedef struct named {
    const char *name;
    size_t index;
} named;

static int compare(const void *a, const void *b) { return strcmp(((const named *)a)->name, ((const named *)b)->name); }

static camcl_status check_different(const camcl_picture_list *list, char **names, camcl_error *err)
{
    const size_t count = camcl_pictures_count(list);
    camcl_status status = CAMCL_OK;
    named *sorted = malloc((count + 1) * sizeof *sorted);
    if (sorted == NULL) return cli_error(err, CAMCL_NO_MEMORY, "cam: no memory for %zu names (give fewer pictures at once)", count);
    for (size_t i = 0; i < count; i++)
        sorted[i] = (named){ names[i], i };
    qsort(sorted, count, sizeof *sorted, compare);
    for (size_t i = 1; status == CAMCL_OK && i < count; i++)
        if (strcmp(sorted[i - 1].name, sorted[i].name) == 0)
            status = cli_error(err, CAMCL_BAD_CONFIG,
                               "cam: %s and %s: both are called %s, one would overwrite the other (run them apart, with another -o)",
                               camcl_pictures_path(list, sorted[i - 1].index), camcl_pictures_path(list, sorted[i].index), sorted[i].name);
    free(sorted);
    return status;
}

camcl_status cli_cam_names(const camcl_picture_list *list, char ***names, camcl_error *err)
{
    const size_t count = camcl_pictures_count(list);
    *names = calloc(count + 1, sizeof **names);
    for (size_t i = 0; *names && i < count; i++)
        if (((*names)[i] = stem_of(camcl_pictures_relative(list, i))) == NULL) cli_cam_names_free(names, i);
    if (*names == NULL) return cli_error(err, CAMCL_NO_MEMORY, "cam: no memory for %zu names (give fewer pictures at once)", count);
    return check_different(list, *names, err);
}

void cli_cam_names_free(char ***names, size_t count)
{
    for (size_t i = 0; *names && i < count; i++)
        free((*names)[i]);
    free(*names);
    *names = NULL;
}
