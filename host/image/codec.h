/* The picture formats behind camcl_image_decode. */
#ifndef CC_IMAGE_CODEC_H
#define CC_IMAGE_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "camcl/image.h"

/* Whether the bytes begin with the format's signature. */
bool cc_is_png(const void *data, size_t size);
bool cc_is_jpeg(const void *data, size_t size);

/* Decodes to RGB, as camcl_image_decode does. *out is empty before the call, and after a failure. */
camcl_status cc_png_decode(const void *data, size_t size, const char *name, camcl_image *out, camcl_error *err);
camcl_status cc_jpeg_decode(const void *data, size_t size, const char *name, camcl_image *out, camcl_error *err);

/* camcl_image_create with `name` in front of the message. */
camcl_status cc_image_create_for(const char *name, uint32_t width, uint32_t height, camcl_image *out, camcl_error *err);

#endif
