/* EXIF orientation: all eight, in every format and byte order; and data that are damaged. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "support/sample_pictures.h"
#include "support/scratch.h"

/* In front of everything, or behind the picture data. */
static void png_with_exif(const cc_encoded *file, const cc_text *exif, bool behind, cc_text *out)
{
    const size_t at = behind ? file->size - 12 : 33;
    cc_text_add_bytes(out, file->data, at);
    sample_add_png_chunk(out, "eXIf", exif->data, exif->length);
    cc_text_add_bytes(out, file->data + at, file->size - at);
}

/* The picture's own chunk between the extended header and the EXIF data. */
static void webp_with_exif(const cc_encoded *file, const cc_text *exif, cc_text *out)
{
    cc_text_add_bytes(out, "RIFF", 4);
    sample_add_number(out, 4 + 18 + file->size - 12 + 8 + exif->length, 4, true);
    cc_text_add_bytes(out, "WEBPVP8X\x0A\0\0\0\x08\0\0\0", 16);
    sample_add_number(out, 23 - 1, 3, true);
    sample_add_number(out, 17 - 1, 3, true);
    cc_text_add_bytes(out, file->data + 12, file->size - 12);
    cc_text_add_bytes(out, "EXIF", 4);
    sample_add_number(out, exif->length, 4, true);
    cc_text_add_bytes(out, exif->data, exif->length);
}

/* Where the stored pixel (row, column) of `height` x `width` is seen, by the names that EXIF gives to the sides of row 0 and column 0. */
static void seen_at(unsigned orientation, uint32_t height, uint32_t width, uint32_t row, uint32_t column, uint32_t *seen_row,
                    uint32_t *seen_column)
{
    uint32_t up = height - 1 - row, left = width - 1 - column;
    switch (orientation) {
    case 2: *seen_row = row, *seen_column = left; break;    /* top, right */
    case 3: *seen_row = up, *seen_column = left; break;     /* bottom, right */
    case 4: *seen_row = up, *seen_column = column; break;   /* bottom, left */
    case 5: *seen_row = column, *seen_column = row; break;  /* left, top */
    case 6: *seen_row = column, *seen_column = up; break;   /* right, top */
    case 7: *seen_row = left, *seen_column = up; break;     /* right, bottom */
    case 8: *seen_row = left, *seen_column = row; break;    /* left, bottom */
    default: *seen_row = row, *seen_column = column; break; /* top, left */
    }
}

static void assert_turned(const char *folder, const cc_text *file, const camcl_image *stored, unsigned orientation)
{
    const char *path = scratch_path(folder, "turned");
    const bool turned = orientation >= 5 && orientation <= 8;
    camcl_image image, square, expected;
    camcl_image_about about;
    assert_false(file->failed);
    scratch_write(path, file->data, file->length);
    assert_int_equal(camcl_image_read(path, &image, NULL), CAMCL_OK);
    assert_int_equal(image.width, turned ? stored->height : stored->width);
    assert_int_equal(image.height, turned ? stored->width : stored->height);
    for (uint32_t row = 0; row < stored->height; row++)
        for (uint32_t column = 0; column < stored->width; column++) {
            uint32_t y = 0, x = 0;
            seen_at(orientation, stored->height, stored->width, row, column, &y, &x);
            assert_memory_equal(image.pixels + (y * image.width + x) * 3, stored->pixels + (row * stored->width + column) * 3, 3);
        }
    assert_int_equal(camcl_image_probe(path, &about, NULL), CAMCL_OK);
    assert_int_equal(about.width, image.width);
    assert_int_equal(about.height, image.height);
    assert_int_equal(camcl_image_read_fit(path, 15, CAMCL_FIT_CROP, &square, NULL), CAMCL_OK);
    assert_int_equal(camcl_image_fit(&image, 15, CAMCL_FIT_CROP, &expected, NULL), CAMCL_OK);
    assert_memory_equal(square.pixels, expected.pixels, 15 * 15 * 3);
    camcl_image_free(&image);
    camcl_image_free(&square);
    camcl_image_free(&expected);
}

static void pictures_are_read_as_viewers_show_them(void **state)
{
    static const char *const kinds[] = { "420.jpg", "rgb.png", "rgb.png", "lossy.webp", "lossless.webp" };
    if (sample_exif_missing()) skip();
    for (unsigned orientation = 0; orientation < 11; orientation++)
        for (int kind = 0; kind < 5; kind++) {
            const cc_encoded file = sample(kinds[kind]);
            if (!sample_readable(kinds[kind])) continue;
            cc_text exif = CC_TEXT_INIT, whole = CC_TEXT_INIT;
            camcl_image stored = sample_decoded(file.data, file.size);
            sample_add_exif(&exif, (orientation + kind) % 2, orientation);
            if (kind == 0)
                sample_jpeg_with_exif(&file, &exif, &whole);
            else if (kind < 3)
                png_with_exif(&file, &exif, kind == 2, &whole);
            else
                webp_with_exif(&file, &exif, &whole);
            assert_turned(*state, &whole, &stored, orientation);
            camcl_image_free(&stored);
            cc_text_free(&exif);
            cc_text_free(&whole);
        }
}

/* EXIF data that end before the orientation are no reason to refuse a picture. */
static void damaged_exif_means_as_stored(void **state)
{
    const cc_encoded file = sample("420.jpg");
    (void)state;
    if (!sample_readable("420.jpg")) skip();
    camcl_image stored = sample_decoded(file.data, file.size);
    for (size_t length = 0; length < 19; length++) {
        cc_text exif = CC_TEXT_INIT, cut = CC_TEXT_INIT, whole = CC_TEXT_INIT;
        sample_add_exif(&exif, true, 3);
        cc_text_add_bytes(&cut, exif.data, length);
        sample_jpeg_with_exif(&file, &cut, &whole);
        camcl_image image = sample_decoded(whole.data, whole.length);
        assert_memory_equal(image.pixels, stored.pixels, 23 * 17 * 3);
        camcl_image_free(&image);
        cc_text_free(&exif);
        cc_text_free(&cut);
        cc_text_free(&whole);
    }
    camcl_image_free(&stored);
}

int main(void)
{
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(pictures_are_read_as_viewers_show_them),
        cmocka_unit_test(damaged_exif_means_as_stored),
    };
    return cmocka_run_group_tests(tests, samples_open, samples_close);
}
