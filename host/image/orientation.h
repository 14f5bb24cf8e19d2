/* EXIF orientation: how a picture lies in its file, and how it is meant to be seen. */
#ifndef CC_IMAGE_ORIENTATION_H
#define CC_IMAGE_ORIENTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "camcl/image.h"

typedef struct cc_orientation {
    bool turned;      /* the viewer's columns are the file's rows: width and height change places */
    bool from_right;  /* the viewer's left edge is the end of the file's axis that it runs along */
    bool from_bottom; /* the viewer's upper edge likewise */
} cc_orientation;

/* Of the EXIF value; values that EXIF does not know mean 1, as it lies. */
cc_orientation cc_orientation_of(unsigned value);

/* Turns the picture from how it lies to how it is seen. */
camcl_status cc_orient(camcl_image *image, unsigned value, camcl_error *err);

/* The orientation in a block of EXIF data, which begins with a TIFF header or with "Exif\0\0"; 1 where it has none or is damaged, and in
 * builds without libexif. */
unsigned cc_exif_orientation(const uint8_t *exif, size_t size);

#endif
