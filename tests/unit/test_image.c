/* Pictures: every kind of PNG (put together here byte by byte) and JPEG, damage of every sort, scaling and overlays. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "camcl/image.h"
#include "report/base64.h"
#include "support/scratch.h"
#include "unit/jpeg_samples.h"

/* ---- A PNG writer of our own ---- */

static void add_big(cc_text *out, uint32_t value)
{
    const uint8_t bytes[4] = { (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value };
    cc_text_add_bytes(out, bytes, 4);
}

static void add_chunk(cc_text *png, const char *type, const void *data, size_t size)
{
    uint32_t crc = 0xFFFFFFFFu;
    add_big(png, (uint32_t)size);
    size_t start = png->length;
    cc_text_add_bytes(png, type, 4);
    if (size) cc_text_add_bytes(png, data, size);
    for (size_t i = start; i < png->length; i++) {
        crc ^= (unsigned char)png->data[i];
        for (int k = 0; k < 8; k++)
            crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    add_big(png, ~crc);
}

/* zlib with one stored block. */
static void add_data_chunk(cc_text *png, const uint8_t *data, size_t size)
{
    cc_text z = CC_TEXT_INIT;
    uint32_t a = 1, b = 0;
    const uint8_t head[7] = { 0x78, 0x01, 0x01, size & 255, size >> 8 & 255, ~size & 255, ~size >> 8 & 255 };
    cc_text_add_bytes(&z, head, 7);
    cc_text_add_bytes(&z, data, size);
    for (size_t i = 0; i < size; i++) {
        a = (a + data[i]) % 65521;
        b = (b + a) % 65521;
    }
    add_big(&z, b << 16 | a);
    add_chunk(png, "IDAT", z.data, z.length);
    cc_text_free(&z);
}

typedef struct png_spec {
    uint32_t width, height;
    uint8_t depth, kind, interlace;
    const uint8_t *palette, *transparency;
    size_t palette_size, transparency_size;
    const uint8_t *rows; /* filter bytes included */
    size_t rows_size;
} png_spec;

static void make_png(const png_spec *spec, cc_text *png)
{
    cc_text head = CC_TEXT_INIT;
    const uint8_t rest[5] = { spec->depth, spec->kind, 0, 0, spec->interlace };
    cc_text_add_bytes(png, "\x89PNG\r\n\x1a\n", 8);
    add_big(&head, spec->width);
    add_big(&head, spec->height);
    cc_text_add_bytes(&head, rest, 5);
    add_chunk(png, "IHDR", head.data, head.length);
    if (spec->palette) add_chunk(png, "PLTE", spec->palette, spec->palette_size);
    if (spec->transparency) add_chunk(png, "tRNS", spec->transparency, spec->transparency_size);
    add_data_chunk(png, spec->rows, spec->rows_size);
    add_chunk(png, "IEND", NULL, 0);
    assert_false(png->failed);
    cc_text_free(&head);
}

static int png_missing(void)
{
    camcl_image dot = { 1, 1, 3, (uint8_t[]){ 1, 2, 3 } };
    uint8_t *data = NULL;
    size_t size = 0;
    camcl_status status = camcl_image_encode_png(&dot, &data, &size, NULL);
    free(data);
    return status == CAMCL_UNSUPPORTED;
}

static void check_png(const png_spec *spec, const uint8_t *rgb)
{
    cc_text png = CC_TEXT_INIT;
    camcl_image image = CAMCL_IMAGE_INIT;
    camcl_error err = { 0 };
    make_png(spec, &png);
    camcl_status status = camcl_image_decode(png.data, png.length, "made.png", &image, &err);
    if (status != CAMCL_OK) print_error("%s\n", err.message);
    assert_int_equal(status, CAMCL_OK);
    assert_int_equal(image.width, spec->width);
    assert_int_equal(image.height, spec->height);
    assert_int_equal(image.channels, 3);
    assert_memory_equal(image.pixels, rgb, (size_t)spec->width * spec->height * 3);
    camcl_image_free(&image);
    assert_null(image.pixels);
    cc_text_free(&png);
}

static void all_kinds_of_png_become_rgb(void **state)
{
    (void)state;
    if (png_missing()) skip();
    check_png(&(png_spec){ 2, 1, 8, 2, 0, .rows = (uint8_t[]){ 0, 10, 20, 30, 40, 50, 60 }, .rows_size = 7 },
              (uint8_t[]){ 10, 20, 30, 40, 50, 60 });
    /* Alpha over white: 100 * 51/255 + 255 * 204/255 = 224. */
    check_png(&(png_spec){ 3, 1, 8, 6, 0, .rows = (uint8_t[]){ 0, 10, 20, 30, 255, 40, 50, 60, 0, 100, 0, 255, 51 }, .rows_size = 13 },
              (uint8_t[]){ 10, 20, 30, 255, 255, 255, 224, 204, 255 });
    check_png(&(png_spec){ 2, 1, 8, 0, 0, .rows = (uint8_t[]){ 0, 7, 200 }, .rows_size = 3 }, (uint8_t[]){ 7, 7, 7, 200, 200, 200 });
    check_png(&(png_spec){ 2, 1, 8, 4, 0, .rows = (uint8_t[]){ 0, 7, 255, 200, 0 }, .rows_size = 5 },
              (uint8_t[]){ 7, 7, 7, 255, 255, 255 });
    /* One bit of grey: 10 110000 */
    check_png(&(png_spec){ 4, 1, 1, 0, 0, .rows = (uint8_t[]){ 0, 0xB0 }, .rows_size = 2 },
              (uint8_t[]){ 255, 255, 255, 0, 0, 0, 255, 255, 255, 255, 255, 255 });
    /* 16 bits, rounded: 0x8080 -> 128, 0xFF00 -> 254 (65280 * 255 / 65535 = 254.0), 0x00FF -> 1 (0.99) */
    check_png(&(png_spec){ 1, 1, 16, 2, 0, .rows = (uint8_t[]){ 0, 0x80, 0x80, 0xFF, 0x00, 0x00, 0xFF }, .rows_size = 7 },
              (uint8_t[]){ 128, 254, 1 });
    /* Palette of two bits; its second colour is transparent. */
    check_png(&(png_spec){ 3, 1, 2, 3, 0, .palette = (uint8_t[]){ 1, 2, 3, 4, 5, 6, 7, 8, 9 }, .palette_size = 9,
                           .transparency = (uint8_t[]){ 255, 0 }, .transparency_size = 2, .rows = (uint8_t[]){ 0, 0x18 }, .rows_size = 2 },
              (uint8_t[]){ 1, 2, 3, 255, 255, 255, 7, 8, 9 });
    /* A colour key makes one colour transparent. */
    check_png(&(png_spec){ 2, 1, 8, 2, 0, .transparency = (uint8_t[]){ 0, 40, 0, 50, 0, 60 }, .transparency_size = 6,
                           .rows = (uint8_t[]){ 0, 10, 20, 30, 40, 50, 60 }, .rows_size = 7 },
              (uint8_t[]){ 10, 20, 30, 255, 255, 255 });
}

/* Adam7 on 9 x 10: the passes' starts and steps from the PNG specification. */
static void interlaced_png(void **state)
{
    static const uint32_t start_x[] = { 0, 4, 0, 2, 0, 1, 0 }, step_x[] = { 8, 8, 4, 4, 2, 2, 1 };
    static const uint32_t start_y[] = { 0, 0, 4, 0, 2, 0, 1 }, step_y[] = { 8, 8, 8, 4, 4, 2, 2 };
    uint8_t rows[400], rgb[9 * 10 * 3];
    size_t used = 0;
    (void)state;
    if (png_missing()) skip();
    for (size_t i = 0; i < sizeof rgb; i++)
        rgb[i] = (uint8_t)(i * 37 + 5);
    for (int pass = 0; pass < 7; pass++)
        for (uint32_t y = start_y[pass]; y < 10; y += step_y[pass]) {
            rows[used++] = 0;
            for (uint32_t x = start_x[pass]; x < 9; x += step_x[pass], used += 3)
                memcpy(rows + used, rgb + 3 * (y * 9 + x), 3);
        }
    check_png(&(png_spec){ 9, 10, 8, 2, 1, .rows = rows, .rows_size = used }, rgb);
}

static void fill(camcl_image *image, uint32_t width, uint32_t height, uint32_t channels)
{
    assert_int_equal(camcl_image_create(width, height, channels, image, NULL), CAMCL_OK);
    for (size_t i = 0; i < (size_t)width * height * channels; i++)
        image->pixels[i] = (uint8_t)(i * i * 7 + i / 3);
}

static void written_png_comes_back(void **state)
{
    const char *path = scratch_path(*state, "a.png");
    if (png_missing()) skip();
    for (uint32_t channels = 1; channels <= 3; channels += 2) {
        camcl_image image, back = CAMCL_IMAGE_INIT;
        fill(&image, 37, 21, channels);
        assert_int_equal(camcl_image_write_png(path, &image, NULL), CAMCL_OK);
        assert_int_equal(scratch_entries(*state), 1);
        assert_int_equal(camcl_image_read(path, &back, NULL), CAMCL_OK);
        assert_int_equal(back.width, 37);
        assert_int_equal(back.height, 21);
        for (size_t i = 0; i < 37 * 21; i++)
            for (uint32_t c = 0; c < 3; c++)
                assert_int_equal(back.pixels[3 * i + c], image.pixels[channels * i + (channels == 3 ? c : 0)]);
        camcl_image_free(&image);
        camcl_image_free(&back);
    }
    camcl_image image;
    camcl_error err = { 0 };
    fill(&image, 3, 3, 3);
    assert_int_equal(camcl_image_write_png(scratch_path(*state, "no/such/folder/a.png"), &image, &err), CAMCL_IO);
    assert_non_null(strstr(err.message, "no/such/folder/a.png"));
    camcl_image_free(&image);
}

static void assert_refused(const void *data, size_t size, const char *part)
{
    camcl_image image = { 5, 5, 5, NULL };
    camcl_error err = { 0 };
    camcl_status status = camcl_image_decode(data, size, "bad file", &image, &err);
    if (status != CAMCL_BAD_DATA || !strstr(err.message, part)) print_error("%s: %s\n", camcl_status_name(status), err.message);
    assert_int_equal(status, CAMCL_BAD_DATA);
    assert_non_null(strstr(err.message, part));
    assert_non_null(strstr(err.message, "bad file"));
    assert_null(image.pixels);
}

/* Copies of exactly their size, so that address sanitizer sees reads beyond them. */
static void assert_prefixes_refused(const void *data, size_t size)
{
    for (size_t n = 0; n < size; n++) {
        char *copy = malloc(n ? n : 1);
        assert_non_null(copy);
        memcpy(copy, data, n);
        assert_refused(copy, n, "");
        free(copy);
    }
}

/* No damage may crash or leak; what is found is reported as such. */
static void damage_everywhere(const void *data, size_t size, size_t *refused)
{
    uint8_t *copy = malloc(size);
    assert_non_null(copy);
    *refused = 0;
    for (size_t i = 0; i < size; i++)
        for (int flip = 1; flip < 256; flip = flip * 4 + 3) {
            camcl_image image;
            memcpy(copy, data, size);
            copy[i] ^= (uint8_t)flip;
            camcl_status status = camcl_image_decode(copy, size, "damaged", &image, NULL);
            assert_true(status == CAMCL_OK || status == CAMCL_BAD_DATA);
            *refused += status != CAMCL_OK;
            camcl_image_free(&image);
        }
    free(copy);
}

static void damaged_png_is_refused(void **state)
{
    camcl_image image;
    uint8_t *data = NULL;
    size_t size = 0, refused = 0;
    (void)state;
    if (png_missing()) skip();
    fill(&image, 7, 5, 3);
    assert_int_equal(camcl_image_encode_png(&image, &data, &size, NULL), CAMCL_OK);
    assert_prefixes_refused(data, size);
    damage_everywhere(data, size, &refused);
    assert_int_equal(refused, size * 4); /* checksums cover all of these bytes */
    data[size - 20] ^= 1;
    assert_refused(data, size, "corrupt PNG");
    assert_refused("GIF89a, say", 11, "but a GIF picture (convert it to PNG or JPEG)");
    assert_refused("", 0, "an empty file");
    free(data);
    camcl_image_free(&image);
}

static void absurd_sizes_are_refused_early(void **state)
{
    cc_text png = CC_TEXT_INIT;
    camcl_image image;
    camcl_error err = { 0 };
    (void)state;
    assert_int_equal(camcl_image_create(0, 5, 3, &image, NULL), CAMCL_BAD_DATA);
    assert_int_equal(camcl_image_create(UINT32_MAX, UINT32_MAX, 3, &image, &err), CAMCL_BAD_DATA);
    assert_non_null(strstr(err.message, "4294967295 x 4294967295"));
    if (png_missing()) skip();
    make_png(&(png_spec){ 2000000000, 2000000000, 8, 2, 0, .rows = (uint8_t[]){ 0, 1, 2, 3 }, .rows_size = 4 }, &png);
    assert_refused(png.data, png.length, "2000000000 x 2000000000");
    cc_text_free(&png);
}

static void check_jpeg(const unsigned char *data, size_t size, const uint8_t left[3], const uint8_t right[3])
{
    camcl_image image;
    camcl_error err = { 0 };
    camcl_status status = camcl_image_decode(data, size, "made.jpg", &image, &err);
    if (status != CAMCL_OK) print_error("%s\n", err.message);
    assert_int_equal(status, CAMCL_OK);
    assert_int_equal(image.width, 16);
    assert_int_equal(image.height, 8);
    for (int i = 0; i < 128; i++)
        for (int c = 0; c < 3; c++) {
            int expected = i % 16 < 8 ? left[c] : right[c];
            assert_in_range(image.pixels[3 * i + c] + 4, expected, expected + 8);
        }
    camcl_image_free(&image);
}

static int jpeg_missing(void)
{
    camcl_image image;
    camcl_status status = camcl_image_decode(jpeg_rgb, sizeof jpeg_rgb, "x", &image, NULL);
    camcl_image_free(&image);
    return status == CAMCL_UNSUPPORTED;
}

static void all_kinds_of_jpeg_become_rgb(void **state)
{
    const uint8_t red[3] = { 200, 60, 30 }, blue[3] = { 20, 90, 220 }, dark[3] = { 50, 50, 50 }, light[3] = { 180, 180, 180 };
    const uint8_t pure[3] = { 255, 0, 0 }, cyan[3] = { 0, 127, 127 };
    (void)state;
    if (jpeg_missing()) skip();
    check_jpeg(jpeg_rgb, sizeof jpeg_rgb, red, blue);
    check_jpeg(jpeg_progressive, sizeof jpeg_progressive, red, blue);
    check_jpeg(jpeg_grey, sizeof jpeg_grey, dark, light);
    check_jpeg(jpeg_cmyk, sizeof jpeg_cmyk, pure, cyan);
    check_jpeg(jpeg_cmyk_adobe, sizeof jpeg_cmyk_adobe, pure, cyan);
}

static void damaged_jpeg_is_refused(void **state)
{
    size_t refused = 0;
    (void)state;
    if (jpeg_missing()) skip();
    assert_prefixes_refused(jpeg_rgb, sizeof jpeg_rgb);
    assert_prefixes_refused(jpeg_progressive, sizeof jpeg_progressive);
    assert_prefixes_refused(jpeg_grey, sizeof jpeg_grey);
    /* Picture data that end too early, though the file ends as it should. */
    unsigned char early[sizeof jpeg_rgb - 4];
    memcpy(early, jpeg_rgb, sizeof early);
    memcpy(early + sizeof early - 2, "\xFF\xD9", 2);
    assert_refused(early, sizeof early, "corrupt JPEG");
    damage_everywhere(jpeg_rgb, sizeof jpeg_rgb, &refused);
    assert_true(refused > 0);
    damage_everywhere(jpeg_progressive, sizeof jpeg_progressive, &refused);
    damage_everywhere(jpeg_cmyk_adobe, sizeof jpeg_cmyk_adobe, &refused);
}

static void a_missing_file_is_an_io_error(void **state)
{
    camcl_image image;
    camcl_error err = { 0 };
    assert_int_equal(camcl_image_read(scratch_path(*state, "none.png"), &image, &err), CAMCL_IO);
    assert_non_null(strstr(err.message, "none.png"));
    assert_null(image.pixels);
}

static void resize_keeps_corners_and_lines(void **state)
{
    camcl_image image, out;
    (void)state;
    assert_int_equal(camcl_image_create(3, 2, 1, &image, NULL), CAMCL_OK);
    memcpy(image.pixels, (uint8_t[]){ 0, 100, 50, 200, 100, 250 }, 6);
    assert_int_equal(camcl_image_resize(&image, 5, 3, &out, NULL), CAMCL_OK);
    const uint8_t expected[] = { 0, 50, 100, 75, 50, 100, 100, 100, 125, 150, 200, 150, 100, 175, 250 };
    assert_memory_equal(out.pixels, expected, sizeof expected);
    camcl_image_free(&out);
    assert_int_equal(camcl_image_resize(&image, 3, 2, &out, NULL), CAMCL_OK);
    assert_memory_equal(out.pixels, image.pixels, 6);
    camcl_image_free(&out);
    assert_int_equal(camcl_image_resize(&image, 2, 2, &out, NULL), CAMCL_OK);
    assert_memory_equal(out.pixels, ((uint8_t[]){ 0, 50, 200, 250 }), 4);
    camcl_image_free(&out);
    assert_int_equal(camcl_image_resize(&image, 1, 1, &out, NULL), CAMCL_OK);
    assert_int_equal(out.pixels[0], 0);
    camcl_image_free(&out);
    camcl_image_free(&image);
    fill(&image, 4, 3, 3);
    assert_int_equal(camcl_image_resize(&image, 31, 17, &out, NULL), CAMCL_OK);
    const size_t corners[4][2] = { { 0, 0 }, { 3, 30 }, { 8, 16 * 31 }, { 11, 17 * 31 - 1 } };
    for (int i = 0; i < 4; i++)
        assert_memory_equal(out.pixels + 3 * corners[i][1], image.pixels + 3 * corners[i][0], 3);
    camcl_image_free(&out);
    assert_int_equal(camcl_image_resize(&image, 0, 3, &out, NULL), CAMCL_BAD_DATA);
    camcl_image_free(&image);
}

static void enlarging_repeats_pixels(void **state)
{
    camcl_image image, out;
    (void)state;
    fill(&image, 5, 3, 3);
    assert_int_equal(camcl_image_enlarge(&image, 4, &out, NULL), CAMCL_OK);
    assert_int_equal(out.width, 20);
    assert_int_equal(out.height, 12);
    for (size_t y = 0; y < 12; y++)
        for (size_t x = 0; x < 20; x++)
            assert_memory_equal(out.pixels + 3 * (y * 20 + x), image.pixels + 3 * (y / 4 * 5 + x / 4), 3);
    camcl_image_free(&out);
    assert_int_equal(camcl_image_enlarge(&image, 0, &out, NULL), CAMCL_BAD_DATA);
    assert_int_equal(camcl_image_enlarge(&image, 4000000000u, &out, NULL), CAMCL_BAD_DATA);
    camcl_image_free(&image);
}

/* A picture that nobody has read, and a map without points, are refused. */
static void pictures_without_pixels_are_refused(void **state)
{
    (void)state;
    camcl_image none = CAMCL_IMAGE_INIT, out = CAMCL_IMAGE_INIT, image = CAMCL_IMAGE_INIT;
    const float map = 0;
    camcl_error problem = { 0 };
    assert_int_equal(camcl_image_resize(&none, 4, 4, &out, &problem), CAMCL_BAD_DATA);
    assert_int_equal(camcl_image_enlarge(&none, 2, &out, &problem), CAMCL_BAD_DATA);
    assert_int_equal(camcl_image_overlay(&none, &map, 1, 1, 0.5f, &out, &problem), CAMCL_BAD_DATA);
    assert_int_equal(camcl_image_create(3, 2, 3, &image, &problem), CAMCL_OK);
    assert_int_equal(camcl_image_overlay(&image, &map, 0, 1, 0.5f, &out, &problem), CAMCL_BAD_DATA);
    assert_int_equal(camcl_image_overlay(&image, &map, 1, 0, 0.5f, &out, &problem), CAMCL_BAD_DATA);
    assert_null(out.pixels);
    camcl_image_free(&image);
}

static void overlays_mix_picture_and_map(void **state)
{
    uint8_t colors[256][3];
    const float map[4] = { 0, 1, 0, 1 };
    camcl_image image, out;
    (void)state;
    camcl_colormap(colors);
    for (uint32_t channels = 1; channels <= 3; channels += 2) {
        assert_int_equal(camcl_image_create(3, 4, channels, &image, NULL), CAMCL_OK);
        memset(image.pixels, 100, 12 * channels);
        assert_int_equal(camcl_image_overlay(&image, map, 2, 2, 0.25f, &out, NULL), CAMCL_OK);
        assert_int_equal(out.channels, 3);
        /* Columns take 0, 1/2 and 1 of the map: colours 0, 128 and 255. */
        for (int i = 0; i < 12; i++)
            for (int c = 0; c < 3; c++) {
                double expected = 0.75 * 100 + 0.25 * colors[i % 3 == 0 ? 0 : i % 3 == 1 ? 128 : 255][c];
                assert_true(out.pixels[3 * i + c] >= expected - 0.51 && out.pixels[3 * i + c] <= expected + 0.51);
            }
        camcl_image_free(&out);
        assert_int_equal(camcl_image_overlay(&image, map, 2, 2, 0.0f, &out, NULL), CAMCL_OK);
        for (int i = 0; i < 36; i++)
            assert_int_equal(out.pixels[i], 100);
        camcl_image_free(&out);
        camcl_image_free(&image);
    }
}

/* The examples of RFC 4648, and a length that crosses the writer's chunks. */
static void base64_is_right(void **state)
{
    static const char *const cases[][2] = { { "", "" },
                                            { "f", "Zg==" },
                                            { "fo", "Zm8=" },
                                            { "foo", "Zm9v" },
                                            { "foob", "Zm9vYg==" },
                                            { "fooba", "Zm9vYmE=" },
                                            { "foobar", "Zm9vYmFy" } };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cc_text text = CC_TEXT_INIT;
        cc_text_add(&text, "<");
        cc_text_add_base64(&text, cases[i][0], strlen(cases[i][0]));
        assert_string_equal(text.data + 1, cases[i][1]);
        cc_text_free(&text);
    }
    uint8_t bytes[3000];
    cc_text text = CC_TEXT_INIT;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = 0xFB;
    cc_text_add_base64(&text, bytes, sizeof bytes);
    assert_int_equal(text.length, 4000);
    for (size_t i = 0; i < 4000; i += 4)
        assert_memory_equal(text.data + i, "+/v7", 4);
    cc_text_free(&text);
}

int main(void)
{
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds_of_png_become_rgb),
        cmocka_unit_test(interlaced_png),
        IN_SCRATCH(written_png_comes_back),
        cmocka_unit_test(damaged_png_is_refused),
        cmocka_unit_test(absurd_sizes_are_refused_early),
        cmocka_unit_test(all_kinds_of_jpeg_become_rgb),
        cmocka_unit_test(damaged_jpeg_is_refused),
        IN_SCRATCH(a_missing_file_is_an_io_error),
        cmocka_unit_test(resize_keeps_corners_and_lines),
        cmocka_unit_test(enlarging_repeats_pixels),
        cmocka_unit_test(pictures_without_pixels_are_refused),
        cmocka_unit_test(overlays_mix_picture_and_map),
        cmocka_unit_test(base64_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
