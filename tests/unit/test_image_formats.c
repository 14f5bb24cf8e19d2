/* Picture files: every format and kind as Pillow reads it, EXIF orientation, decoding at a part of the size, damage and absurd claims. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/text.h"
#include "camcl/image.h"
#include "image/codec.h"
#include "image/orientation.h"
#include "support/golden.h"
#include "support/scratch.h"

static const char *const samples[] = { "420.jpg",
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
enum { sample_count = sizeof samples / sizeof *samples };

static cc_safetensors *golden;

static int open_golden(void **state)
{
    (void)state;
    golden = golden_open("tests/golden/pictures.safetensors");
    return 0;
}

static int close_golden(void **state)
{
    (void)state;
    cc_safetensors_free(&golden);
    return 0;
}

static const cc_st_tensor *part_of(const char *part, const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "%s.%s", part, name);
    return golden_tensor(golden, key);
}

static cc_encoded sample(const char *name)
{
    const cc_st_tensor *file = part_of("file", name);
    return (cc_encoded){ file->data, file->shape[0], name };
}

static camcl_status decode(const void *data, size_t size, camcl_image *out, camcl_error *err)
{
    return camcl_image_decode(data, size, "some file", out, err);
}

/* Whether this build reads the format of the sample. */
static bool readable(const char *name)
{
    camcl_image image;
    cc_encoded file = sample(name);
    camcl_status status = decode(file.data, file.size, &image, NULL);
    camcl_image_free(&image);
    return status != CAMCL_UNSUPPORTED;
}

static camcl_image decoded(const void *data, size_t size)
{
    camcl_image image;
    camcl_error err = { 0 };
    if (decode(data, size, &image, &err) != CAMCL_OK) fail_msg("%s", err.message);
    assert_int_equal(image.channels, 3);
    return image;
}

/* JPEG decoders may round differently; these two levels are far less than what a wrong kind of decoding does. */
static bool as_pillow_reads(const camcl_image *image, const char *name)
{
    const cc_st_tensor *expected = part_of("rgb", name);
    const uint8_t *pixels = expected->data;
    const int allowed = strstr(name, ".png") || strstr(name, "lossless") ? 0 : 2;
    if (image->height != expected->shape[0] || image->width != expected->shape[1]) return false;
    for (size_t i = 0; i < cc_st_elements(expected); i++)
        if (abs(image->pixels[i] - pixels[i]) > allowed) return false;
    return true;
}

static void every_kind_is_read_as_pillow_reads_it(void **state)
{
    (void)state;
    for (int i = 0; i < sample_count; i++) {
        cc_encoded file = sample(samples[i]);
        if (!readable(samples[i]) || strcmp(samples[i], "large.jpg") == 0) continue;
        camcl_image image = decoded(file.data, file.size);
        if (!as_pillow_reads(&image, samples[i])) fail_msg("%s", samples[i]);
        camcl_image_free(&image);
    }
}

typedef struct worker {
    pthread_t thread;
    size_t wrong;
} worker;

static void *read_all_samples(void *context)
{
    worker *w = context;
    for (int round = 0; round < 5; round++)
        for (int i = 0; i < sample_count; i++) {
            camcl_image image, square = CAMCL_IMAGE_INIT;
            cc_encoded file = sample(samples[i]);
            camcl_status status = decode(file.data, file.size, &image, NULL);
            if (status == CAMCL_UNSUPPORTED) continue;
            if (status == CAMCL_OK) status = camcl_image_fit(&image, 9, CAMCL_FIT_CROP, &square, NULL);
            w->wrong += status != CAMCL_OK || (strcmp(samples[i], "large.jpg") != 0 && !as_pillow_reads(&image, samples[i]));
            camcl_image_free(&square);
            camcl_image_free(&image);
            w->wrong += decode(file.data, file.size - 30, &image, NULL) == CAMCL_OK;
        }
    return NULL;
}

static void threads_read_at_the_same_time(void **state)
{
    worker workers[4] = { 0 };
    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&workers[i].thread, NULL, read_all_samples, &workers[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].wrong, 0);
    }
}

/* ---- Orientation ---- */

/* EXIF data that say nothing but the orientation. */
static void add_exif(cc_text *out, bool little, unsigned orientation)
{
    static const uint8_t big_endian[] = { 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 };
    static const uint8_t little_endian[] = { 'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
    uint8_t exif[sizeof big_endian];
    memcpy(exif, little ? little_endian : big_endian, sizeof exif);
    exif[little ? 18 : 19] = (uint8_t)orientation;
    cc_text_add_bytes(out, exif, sizeof exif);
}

static void add_number(cc_text *out, size_t value, int bytes, bool little)
{
    for (int i = 0; i < bytes; i++) {
        uint8_t byte = (uint8_t)(value >> 8 * (little ? i : bytes - 1 - i));
        cc_text_add_bytes(out, &byte, 1);
    }
}

static void jpeg_with_exif(const cc_encoded *file, const cc_text *exif, cc_text *out)
{
    cc_text_add_bytes(out, "\xFF\xD8\xFF\xE1", 4);
    add_number(out, exif->length + 8, 2, false);
    cc_text_add_bytes(out, "Exif\0", 6);
    cc_text_add_bytes(out, exif->data, exif->length);
    cc_text_add_bytes(out, file->data + 2, file->size - 2);
}

static void add_png_chunk(cc_text *out, const char *type, const void *data, size_t size)
{
    uint32_t crc = 0xFFFFFFFFu;
    add_number(out, size, 4, false);
    size_t start = out->length;
    cc_text_add_bytes(out, type, 4);
    cc_text_add_bytes(out, data, size);
    for (size_t i = start; i < out->length; i++) {
        crc ^= (uint8_t)out->data[i];
        for (int k = 0; k < 8; k++)
            crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    add_number(out, ~crc & 0xFFFFFFFFu, 4, false);
}

/* In front of everything, or behind the picture data. */
static void png_with_exif(const cc_encoded *file, const cc_text *exif, bool behind, cc_text *out)
{
    const size_t at = behind ? file->size - 12 : 33;
    cc_text_add_bytes(out, file->data, at);
    add_png_chunk(out, "eXIf", exif->data, exif->length);
    cc_text_add_bytes(out, file->data + at, file->size - at);
}

/* The picture's own chunk between the extended header and the EXIF data. */
static void webp_with_exif(const cc_encoded *file, const cc_text *exif, cc_text *out)
{
    cc_text_add_bytes(out, "RIFF", 4);
    add_number(out, 4 + 18 + file->size - 12 + 8 + exif->length, 4, true);
    cc_text_add_bytes(out, "WEBPVP8X\x0A\0\0\0\x08\0\0\0", 16);
    add_number(out, 23 - 1, 3, true);
    add_number(out, 17 - 1, 3, true);
    cc_text_add_bytes(out, file->data + 12, file->size - 12);
    cc_text_add_bytes(out, "EXIF", 4);
    add_number(out, exif->length, 4, true);
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

static bool exif_missing(void)
{
    cc_text exif = CC_TEXT_INIT;
    add_exif(&exif, true, 6);
    unsigned orientation = cc_exif_orientation((const uint8_t *)exif.data, exif.length);
    cc_text_free(&exif);
    return orientation != 6;
}

static void pictures_are_read_as_viewers_show_them(void **state)
{
    static const char *const kinds[] = { "420.jpg", "rgb.png", "rgb.png", "lossy.webp", "lossless.webp" };
    if (exif_missing()) skip();
    for (unsigned orientation = 0; orientation < 11; orientation++)
        for (int kind = 0; kind < 5; kind++) {
            const cc_encoded file = sample(kinds[kind]);
            if (!readable(kinds[kind])) continue;
            cc_text exif = CC_TEXT_INIT, whole = CC_TEXT_INIT;
            camcl_image stored = decoded(file.data, file.size);
            add_exif(&exif, (orientation + kind) % 2, orientation);
            if (kind == 0)
                jpeg_with_exif(&file, &exif, &whole);
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

/* Damaged EXIF data are no reason to refuse a picture. */
static void damaged_exif_means_as_stored(void **state)
{
    const cc_encoded file = sample("420.jpg");
    (void)state;
    if (!readable("420.jpg")) skip();
    camcl_image stored = decoded(file.data, file.size);
    for (size_t length = 0; length < 26; length++) {
        cc_text exif = CC_TEXT_INIT, cut = CC_TEXT_INIT, whole = CC_TEXT_INIT;
        add_exif(&exif, true, 3);
        cc_text_add_bytes(&cut, exif.data, length < 19 ? length : 0);
        jpeg_with_exif(&file, &cut, &whole);
        camcl_image image = decoded(whole.data, whole.length);
        assert_memory_equal(image.pixels, stored.pixels, 23 * 17 * 3);
        camcl_image_free(&image);
        cc_text_free(&exif);
        cc_text_free(&cut);
        cc_text_free(&whole);
    }
    camcl_image_free(&stored);
}

/* ---- Decoding at a part of the size ---- */

static double mean_difference(const camcl_image *a, const camcl_image *b, int *most)
{
    const size_t size = (size_t)a->width * a->height * a->channels;
    double sum = 0;
    *most = 0;
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    for (size_t i = 0; i < size; i++) {
        int difference = abs(a->pixels[i] - b->pixels[i]);
        sum += difference;
        if (difference > *most) *most = difference;
    }
    return sum / (double)size;
}

/* large.jpg is 203 x 131. A half of it, 102 x 66, is twice as large as what it is scaled to up to a side of 33 (stretch, crop), or of 51
 * (pad): from there on every pixel is as with the whole picture. */
static void large_jpegs_are_decoded_smaller_but_look_the_same(void **state)
{
    static const uint32_t last_side[] = { 33, 33, 51 };
    const char *path = scratch_path(*state, "large.jpg");
    const cc_encoded file = sample("large.jpg");
    if (!readable("large.jpg")) skip();
    for (unsigned orientation = 1; orientation <= (exif_missing() ? 1 : 8); orientation++) {
        cc_text exif = CC_TEXT_INIT, turned = CC_TEXT_INIT;
        add_exif(&exif, false, orientation);
        jpeg_with_exif(&file, &exif, &turned);
        scratch_write(path, turned.data, turned.length);
        camcl_image whole = decoded(turned.data, turned.length);
        for (camcl_fit fit = CAMCL_FIT_STRETCH; fit <= CAMCL_FIT_PAD; fit++)
            for (uint32_t side = 5; side < 60; side++) {
                camcl_image square, expected;
                int most = 0;
                assert_int_equal(camcl_image_read_fit(path, side, fit, &square, NULL), CAMCL_OK);
                assert_int_equal(camcl_image_fit(&whole, side, fit, &expected, NULL), CAMCL_OK);
                double mean = mean_difference(&square, &expected, &most);
                if (side > last_side[fit]) assert_int_equal(most, 0);
                if (side == last_side[fit]) assert_true(most > 0);
                if (mean > 0.8 || most > 5) fail_msg("orientation %u, fit %d, side %u: %g, %d", orientation, (int)fit, side, mean, most);
                camcl_image_free(&square);
                camcl_image_free(&expected);
            }
        camcl_image_free(&whole);
        cc_text_free(&exif);
        cc_text_free(&turned);
    }
}

/* ---- Damage ---- */

static void assert_refused(const void *data, size_t size, const char *what, const char *part)
{
    camcl_image image = { 5, 5, 5, NULL };
    camcl_error err = { 0 };
    camcl_status status = decode(data, size, &image, &err);
    if (status != CAMCL_BAD_DATA || !strstr(err.message, part)) fail_msg("%s, %zu bytes: %s", what, size, err.message);
    assert_non_null(strstr(err.message, "some file: "));
    assert_null(image.pixels);
}

/* Copies of exactly their size, so that address sanitizer sees reads beyond them. */
static void truncated_files_are_refused(void **state)
{
    (void)state;
    for (int i = 0; i < sample_count; i++) {
        cc_encoded file = sample(samples[i]);
        if (!readable(samples[i])) continue;
        for (size_t size = 0; size < file.size; size++) {
            char *copy = malloc(size ? size : 1);
            assert_non_null(copy);
            memcpy(copy, file.data, size);
            assert_refused(copy, size, samples[i], "(");
            free(copy);
        }
    }
}

static void damage_never_crashes(void **state)
{
    (void)state;
    for (int i = 0; i < sample_count; i++) {
        cc_encoded file = sample(samples[i]);
        uint8_t *copy = malloc(file.size);
        assert_non_null(copy);
        if (!readable(samples[i])) file.size = 0;
        for (size_t at = 0; at < file.size; at++) {
            camcl_image image;
            memcpy(copy, file.data, file.size);
            copy[at] ^= (uint8_t)(at % 3 == 0 ? 0xFF : at % 3 == 1 ? 0x80 : 0x05);
            camcl_status status = decode(copy, file.size, &image, NULL);
            assert_true(status == CAMCL_OK || status == CAMCL_BAD_DATA || status == CAMCL_NO_MEMORY);
            assert_true((status == CAMCL_OK) == (image.pixels != NULL));
            camcl_image_free(&image);
        }
        free(copy);
    }
}

/* The place of the last marker of this kind. */
static size_t last_marker(const cc_encoded *file, uint8_t marker)
{
    for (size_t at = file->size - 2; at > 0; at--)
        if (file->data[at] == 0xFF && file->data[at + 1] == marker) return at;
    fail_msg("%s has no marker %02x", file->name, marker);
    return 0;
}

/* libjpeg itself says nothing where a file ends properly, but before its last colour. */
static void a_missing_colour_is_noticed(void **state)
{
    cc_encoded file = sample("separate.jpg");
    size_t scan = last_marker(&file, 0xDA);
    (void)state;
    if (!readable("separate.jpg")) skip();
    uint8_t *copy = malloc(scan + 2);
    assert_non_null(copy);
    memcpy(copy, file.data, scan);
    memcpy(copy + scan, "\xFF\xD9", 2);
    assert_refused(copy, scan + 2, "two of three scans", "colours is missing");
    free(copy);
}

/* The first scan again and again: only its start is refused for being one too many. */
static void endless_scans_are_refused(void **state)
{
    cc_encoded file = sample("progressive.jpg");
    cc_text bomb = CC_TEXT_INIT;
    size_t begin = 2, end;
    (void)state;
    if (!readable("progressive.jpg")) skip();
    while (file.data[begin] != 0xFF || file.data[begin + 1] != 0xDA)
        begin++;
    for (end = begin + 2; file.data[end] != 0xFF || file.data[end + 1] == 0;)
        end++;
    cc_text_add_bytes(&bomb, file.data, end);
    for (int i = 0; i < 300; i++)
        cc_text_add_bytes(&bomb, file.data + begin, end - begin);
    cc_text_add_bytes(&bomb, file.data + end, file.size - end);
    assert_refused(bomb.data, bomb.length, "300 scans more", "more scans than any program writes");
    cc_text_free(&bomb);
}

/* ---- Absurd claims ---- */

static void claims_of_huge_sizes_are_refused(void **state)
{
    uint8_t copy[2048];
    (void)state;
    if (readable("420.jpg")) {
        cc_encoded file = sample("420.jpg");
        assert_true(file.size < sizeof copy);
        memcpy(copy, file.data, file.size);
        memset(copy + last_marker(&file, 0xC0) + 5, 0xF0, 4);
        assert_refused(copy, file.size, "JPEG", "61680 x 61680");
    }
    if (readable("animated_lossless.webp")) {
        cc_encoded file = sample("animated_lossless.webp");
        memcpy(copy, file.data, file.size);
        memcpy(copy + 24, "\xFE\x3F\0\xFE\x3F\0", 6);
        assert_refused(copy, file.size, "WebP", "16383 x 16383");
    }
}

static size_t most_memory_so_far(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return (size_t)usage.ru_maxrss; /* KiB, on macOS bytes */
}

/* 200 texts of 4 MiB each, compressed: nobody needs them, so they stay packed. */
static void compressed_texts_stay_packed(void **state)
{
    cc_encoded file = sample("rgb.png");
    const cc_st_tensor *text = part_of("chunk", "zTXt");
    cc_text whole = CC_TEXT_INIT;
    (void)state;
    if (!readable("rgb.png")) skip();
    cc_text_add_bytes(&whole, file.data, 33);
    for (int i = 0; i < 200; i++)
        add_png_chunk(&whole, "zTXt", text->data, text->shape[0]);
    cc_text_add_bytes(&whole, file.data + 33, file.size - 33);
    size_t before = most_memory_so_far();
    camcl_image image = decoded(whole.data, whole.length);
    assert_true(most_memory_so_far() - before < 100000);
    assert_true(as_pillow_reads(&image, "rgb.png"));
    camcl_image_free(&image);
    cc_text_free(&whole);
}

int main(void)
{
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_read_as_pillow_reads_it),
        cmocka_unit_test(threads_read_at_the_same_time),
        IN_SCRATCH(pictures_are_read_as_viewers_show_them),
        cmocka_unit_test(damaged_exif_means_as_stored),
        IN_SCRATCH(large_jpegs_are_decoded_smaller_but_look_the_same),
        cmocka_unit_test(truncated_files_are_refused),
        cmocka_unit_test(damage_never_crashes),
        cmocka_unit_test(a_missing_colour_is_noticed),
        cmocka_unit_test(endless_scans_are_refused),
        cmocka_unit_test(claims_of_huge_sizes_are_refused),
        cmocka_unit_test(compressed_texts_stay_packed),
    };
    return cmocka_run_group_tests(tests, open_golden, close_golden);
}
