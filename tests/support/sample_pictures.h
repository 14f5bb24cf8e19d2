/* Picture files of every kind, from tests/golden/pictures.safetensors. */
#ifndef TESTS_SUPPORT_SAMPLE_PICTURES_H
#define TESTS_SUPPORT_SAMPLE_PICTURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "camcl/image.h"
#include "image/codec.h"
#include "support/golden.h"

#define SAMPLE_COUNT 24
/* All are 23 x 17, but large.jpg is 203 x 131. */
extern const char *const sample_names[SAMPLE_COUNT];

/* cmocka group setup and teardown. */
int samples_open(void **state);
int samples_close(void **state);

/* The tensor PART.NAME, and the file of that name. */
const cc_st_tensor *sample_part(const char *part, const char *name);
cc_encoded sample(const char *name);

/* Whether this build reads the format of the sample; whether it lacks libexif. */
bool sample_readable(const char *name);
bool sample_exif_missing(void);

/* Decodes what must be decodable; the caller frees. */
camcl_image sample_decoded(const void *data, size_t size);
/* Whether the picture is what Pillow makes of the sample. */
bool sample_as_pillow_reads(const camcl_image *image, const char *name);

/* EXIF data that say nothing but the orientation; the JPEG with EXIF data in it. */
void sample_add_exif(cc_text *out, bool little_endian, unsigned orientation);
void sample_jpeg_with_exif(const cc_encoded *file, const cc_text *exif, cc_text *out);

void sample_add_number(cc_text *out, size_t value, int bytes, bool little_endian);
void sample_add_png_chunk(cc_text *out, const char *type, const void *data, size_t size);

#endif
