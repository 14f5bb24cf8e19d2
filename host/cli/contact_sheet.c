#include "contact_sheet.h"

#include <stdlib.h>
#include <string.h>

#include "output.h"

enum { GAP = 2, MOST_PIXELS = 1 << 25 };

typedef struct sheet {
    camcl_image image;
    uint32_t height, width; /* of a place with its gap */
    size_t rows;
} sheet;

/* As many rows as a picture of reasonable size has. */
static camcl_status make_sheet(const camcl_dataset_info *info, sheet *s, camcl_error *err)
{
    s->height = info->height + GAP;
    s->width = info->width + GAP;
    const size_t row = (size_t)(s->width * CLI_SHEET_COLUMNS + GAP) * s->height;
    s->rows = info->classes < MOST_PIXELS / row ? info->classes : MOST_PIXELS / row;
    if (s->rows == 0) s->rows = 1;
    camcl_status status = camcl_image_create(s->width * CLI_SHEET_COLUMNS + GAP, s->height * (uint32_t)s->rows + GAP,
                                             info->channels == 1 ? 1 : 3, &s->image, err);
    if (status == CAMCL_OK) memset(s->image.pixels, 255, (size_t)s->image.width * s->image.height * s->image.channels);
    return status;
}

static void put(sheet *s, size_t row, size_t column, const uint8_t *pixels, const camcl_dataset_info *info)
{
    const size_t bytes = (size_t)info->width * info->channels;
    for (size_t y = 0; y < info->height; y++)
        memcpy(s->image.pixels + ((row * s->height + GAP + y) * s->image.width + column * s->width + GAP) * info->channels,
               pixels + y * bytes, bytes);
}

camcl_status cli_contact_sheet(const char *path, const camcl_config *config, const camcl_dataset *dataset, size_t *rows, camcl_error *err)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    const size_t bytes = (size_t)info->height * info->width * info->channels;
    camcl_dataset_part part;
    uint32_t *indices = NULL;
    size_t count = 0, *used = calloc(info->classes, sizeof *used);
    sheet s = { .image = CAMCL_IMAGE_INIT };
    camcl_status status =
        used ? CAMCL_OK : cli_error(err, CAMCL_NO_MEMORY, "data inspect: no memory for the contact sheet (close other programs)");
    if (status == CAMCL_OK && info->channels != 1 && info->channels != 3)
        status =
            cli_error(err, CAMCL_UNSUPPORTED, "%s: no contact sheet of images with %u channels (1 or 3)", path, (unsigned)info->channels);
    if (status == CAMCL_OK) status = camcl_split_indices(config, dataset, CAMCL_SPLIT_TRAIN, &part, &indices, &count, err);
    if (status == CAMCL_OK) status = make_sheet(info, &s, err);
    for (size_t i = 0; status == CAMCL_OK && i < count; i++) {
        const int32_t label = camcl_dataset_labels(dataset, part)[indices[i]];
        if (label < 0 || (size_t)label >= s.rows || used[label] == CLI_SHEET_COLUMNS) continue;
        put(&s, (size_t)label, used[label]++, camcl_dataset_pixels(dataset, part) + indices[i] * bytes, info);
    }
    if (status == CAMCL_OK) status = camcl_image_write_png(path, &s.image, err);
    *rows = s.rows;
    camcl_image_free(&s.image);
    free(indices);
    free(used);
    return status;
}
