/* The only place that knows libexif. */
#include "image/orientation.h"

#ifdef CAMCL_HAVE_EXIF
#include <libexif/exif-data.h>
#include <stdlib.h>
#include <string.h>

/* libexif wants the header that JPEG files have in front of the data and PNG and WebP files mostly have not. */
static ExifData *load(const uint8_t *exif, size_t size)
{
    static const unsigned char header[6] = "Exif\0";
    if (size >= sizeof header && memcmp(exif, header, sizeof header) == 0) return exif_data_new_from_data(exif, (unsigned)size);
    unsigned char *whole = malloc(sizeof header + size);
    if (!whole) return NULL;
    memcpy(whole, header, sizeof header);
    memcpy(whole + sizeof header, exif, size);
    ExifData *data = exif_data_new_from_data(whole, (unsigned)(sizeof header + size));
    free(whole);
    return data;
}

unsigned cc_exif_orientation(const uint8_t *exif, size_t size)
{
    if (size == 0 || size > (1u << 24)) return 1;
    ExifData *data = load(exif, size);
    if (!data) return 1;
    ExifEntry *entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
    unsigned value = 1;
    if (entry && entry->format == EXIF_FORMAT_SHORT && entry->size >= 2)
        value = exif_get_short(entry->data, exif_data_get_byte_order(data));
    exif_data_unref(data);
    return value >= 1 && value <= 8 ? value : 1;
}

#else

unsigned cc_exif_orientation(const uint8_t *exif, size_t size)
{
    (void)exif, (void)size;
    return 1;
}

#endif
