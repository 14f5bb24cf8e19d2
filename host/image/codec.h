/* The picture formats behind camcl_image_read. */
#ifndef CC_IMAGE_CODEC_H
#define CC_IMAGE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/content.h"
#include "base/diag.h"
#include "camcl/image.h"

/* A picture file in memory, or its beginning; name stands for it in messages. */
typedef struct cc_encoded {
    const uint8_t *data;
    size_t size;
    const char *name;
} cc_encoded;

typedef struct cc_picture_header {
    uint32_t width, height; /* as stored, before the orientation is applied */
    unsigned orientation;   /* EXIF, 1 to 8; 1 where there is none */
} cc_picture_header;

typedef struct cc_codec {
    const char *format;      /* "PNG" */
    cc_content_kind content; /* by which it is recognised */
    const char *package;     /* NULL, or what brings the library that this build lacks: then there is nothing below */
    /* Fails where the bytes end before all that the header tells has been seen: with more of the file it may succeed. Sizes may be absurd.
     */
    camcl_status (*probe)(const cc_encoded *file, cc_picture_header *out, camcl_error *err);
    /* Decodes to RGB as stored, transparent parts over white. *out is empty before the call, and after a failure. `shrink` is 1, or, for a
     * codec that shrinks, 2, 4 or 8: sides become 1/shrink, rounded up. */
    camcl_status (*decode)(const cc_encoded *file, unsigned shrink, camcl_image *out, camcl_error *err);
    bool shrinks;
} cc_codec;

extern const cc_codec cc_png, cc_jpeg, cc_webp;

/* Blends RGBA over white into RGB. */
void cc_lay_over_white(const uint8_t *rgba, size_t pixels, uint8_t *rgb);

/* camcl_image_create with `name` in front of the message; not where memory is out, since whoever called the codec says of which picture. */
camcl_status cc_image_create_for(const char *name, uint32_t width, uint32_t height, camcl_image *out, camcl_error *err);

#endif
