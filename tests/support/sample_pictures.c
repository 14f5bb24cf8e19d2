#include "support/sample_pictures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/orientation.h"

const char *const sample_names[SAMPLE_COUNT] = { "420.jpg",
                                                 "422.jpg",
                                                 "444.jpg",
                                                 "progressive.jpg",
                                                 "restarts.jpg",
                                                 "rgb.jpg",
                                                 "separate.jpg",
                                                 "grey.jpg",
                                                 "cmyk.jpg",
                                                 "ycck.jpg",
                                                 "large.jpg",
                                                 "rgb.png",
                                                 "grey.png",
                                                 "bilevel.png",
                                                 "grey_alpha.png",
                                                 "rgba.png",
                                                 "palette.png",
                                                 "palette_alpha.png",
                                                 "lossy.webp",
                                                 "lossless.webp",
                                                 "lossy_alpha.webp",
                                                 "lossless_alpha.webp",
                                                 "animated_lossless.webp",
                                                 "animated_part_lossless.webp" };

static cc_safetensors *golden;

int samples_open(void **state)
{
    (void)state;
    golden = golden_open("tests/golden/pictures.safetensors");
    return 0;
}

int samples_close(void **state)
{
    (void)state;
    cc_safetensors_free(&golden);
    return 0;
}

const cc_st_tensor *sample_part(const char *part, const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "%s.%s", part, name);
    return golden_tensor(golden, key);
}

cc_encoded sample(const char *name)
{
    const cc_st_tensor *file = sample_part("file", name);
    return (cc_encoded){ file->data, file->shape[0], name };
}

bool sample_readable(const char *name)
{
    camcl_image image;
    cc_encoded file = sample(name);
    camcl_status status = camcl_image_decode(file.data, file.size, file.name, &image, NULL);
    camcl_image_free(&image);
    return status != CAMCL_UNSUPPORTED;
}

camcl_image sample_decoded(const void *data, size_t size)
{
    camcl_image image;
    camcl_error err = { 0 };
    if (camcl_image_decode(data, size, "some file", &image, &err) != CAMCL_OK) fail_msg("%s", err.message);
    assert_int_equal(image.channels, 3);
    return image;
}

/* JPEG decoders may round differently; these two levels are far less than what a wrong kind of decoding does. */
bool sample_as_pillow_reads(const camcl_image *image, const char *name)
{
    const cc_st_tensor *expected = sample_part("rgb", name);
    const uint8_t *pixels = expected->data;
    const int allowed = strstr(name, ".png") || strstr(name, "lossless") ? 0 : 2;
    if (image->height != expected->shape[0] || image->width != expected->shape[1]) return false;
    for (size_t i = 0; i < cc_st_elements(expected); i++)
        if (abs(image->pixels[i] - pixels[i]) > allowed) return false;
    return true;
}

void sample_add_exif(cc_text *out, bool little, unsigned orientation)
{
    static const uint8_t big_endian[] = { 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 };
    static const uint8_t little_endian[] = { 'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
    uint8_t exif[sizeof big_endian];
    memcpy(exif, little ? little_endian : big_endian, sizeof exif);
    exif[little ? 18 : 19] = (uint8_t)orientation;
    cc_text_add_bytes(out, exif, sizeof exif);
}

void sample_add_number(cc_text *out, size_t value, int bytes, bool little)
{
    for (int i = 0; i < bytes; i++) {
        uint8_t byte = (uint8_t)(value >> 8 * (little ? i : bytes - 1 - i));
        cc_text_add_bytes(out, &byte, 1);
    }
}

void sample_jpeg_with_exif(const cc_encoded *file, const cc_text *exif, cc_text *out)
{
    cc_text_add_bytes(out, "\xFF\xD8\xFF\xE1", 4);
    sample_add_number(out, exif->length + 8, 2, false);
    cc_text_add_bytes(out, "Exif\0", 6);
    cc_text_add_bytes(out, exif->data, exif->length);
    cc_text_add_bytes(out, file->data + 2, file->size - 2);
}

void sample_add_png_chunk(cc_text *out, const char *type, const void *data, size_t size)
{
    uint32_t crc = 0xFFFFFFFFu;
    sample_add_number(out, size, 4, false);
    size_t start = out->length;
    cc_text_add_bytes(out, type, 4);
    cc_text_add_bytes(out, data, size);
    for (size_t i = start; i < out->length; i++) {
        crc ^= (uint8_t)out->data[i];
        for (int k = 0; k < 8; k++)
            crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    sample_add_number(out, ~crc & 0xFFFFFFFFu, 4, false);
}

bool sample_exif_missing(void)
{
    cc_text exif = CC_TEXT_INIT;
    sample_add_exif(&exif, true, 6);
    unsigned orientation = cc_exif_orientation((const uint8_t *)exif.data, exif.length);
    cc_text_free(&exif);
    return orientation != 6;
}
