/* Picture files that are truncated, damaged, incomplete, or that claim and unpack to absurd sizes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "support/process_memory.h"
#include "support/sample_pictures.h"

static void assert_refused(const void *data, size_t size, const char *what, const char *part)
{
    camcl_image image = { 5, 5, 5, NULL };
    camcl_error err = { 0 };
    camcl_status status = camcl_image_decode(data, size, "some file", &image, &err);
    if (status != CAMCL_BAD_DATA || !strstr(err.message, part)) fail_msg("%s, %zu bytes: %s", what, size, err.message);
    assert_non_null(strstr(err.message, "some file: "));
    assert_null(image.pixels);
}

/* Copies of exactly their size, so that address sanitizer sees reads beyond them. */
static void truncated_files_are_refused(void **state)
{
    (void)state;
    for (int i = 0; i < SAMPLE_COUNT; i++) {
        cc_encoded file = sample(sample_names[i]);
        if (!sample_readable(sample_names[i])) continue;
        for (size_t size = 0; size < file.size; size++) {
            char *copy = malloc(size ? size : 1);
            assert_non_null(copy);
            memcpy(copy, file.data, size);
            assert_refused(copy, size, sample_names[i], "(");
            free(copy);
        }
    }
}

static void damage_never_crashes(void **state)
{
    (void)state;
    for (int i = 0; i < SAMPLE_COUNT; i++) {
        cc_encoded file = sample(sample_names[i]);
        uint8_t *copy = malloc(file.size);
        assert_non_null(copy);
        if (!sample_readable(sample_names[i])) file.size = 0;
        for (size_t at = 0; at < file.size; at++) {
            camcl_image image;
            memcpy(copy, file.data, file.size);
            copy[at] ^= (uint8_t)(at % 3 == 0 ? 0xFF : at % 3 == 1 ? 0x80 : 0x05);
            camcl_status status = camcl_image_decode(copy, file.size, "some file", &image, NULL);
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
    if (!sample_readable("separate.jpg")) skip();
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
    if (!sample_readable("progressive.jpg")) skip();
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

static void claims_of_huge_sizes_are_refused(void **state)
{
    uint8_t copy[2048];
    (void)state;
    if (sample_readable("420.jpg")) {
        cc_encoded file = sample("420.jpg");
        assert_true(file.size < sizeof copy);
        memcpy(copy, file.data, file.size);
        memset(copy + last_marker(&file, 0xC0) + 5, 0xF0, 4);
        assert_refused(copy, file.size, "JPEG", "61680 x 61680");
    }
    if (sample_readable("animated_lossless.webp")) {
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
    const cc_st_tensor *text = sample_part("chunk", "zTXt");
    cc_text whole = CC_TEXT_INIT;
    (void)state;
    if (!sample_readable("rgb.png")) skip();
    cc_text_add_bytes(&whole, file.data, 33);
    for (int i = 0; i < 200; i++)
        sample_add_png_chunk(&whole, "zTXt", text->data, text->shape[0]);
    cc_text_add_bytes(&whole, file.data + 33, file.size - 33);
    size_t before = most_memory_so_far();
    camcl_image image = sample_decoded(whole.data, whole.length);
    assert_true(most_memory_so_far() - before < 100000);
    assert_true(sample_as_pillow_reads(&image, "rgb.png"));
    camcl_image_free(&image);
    cc_text_free(&whole);
}

static void assert_lacks_memory(const void *data, size_t size, const char *name)
{
    struct rlimit before, lower;
    camcl_image image = CAMCL_IMAGE_INIT;
    camcl_error err = { 0 };
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    lower = before;
    lower.rlim_cur = process_address_space() + (4 << 20);
    assert_int_equal(setrlimit(RLIMIT_AS, &lower), 0);
    const camcl_status status = camcl_image_decode(data, size, name, &image, &err);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    if (status != CAMCL_NO_MEMORY) fail_msg("%s: %s", name, err.message);
    const char *first = strstr(err.message, name);
    if (first == NULL || strstr(first + 1, name)) fail_msg("not named once: %s", err.message);
    assert_null(image.pixels);
}

/* What is missing is said once, with the picture's name. */
static void without_memory(void **state)
{
    enum { SIDE = 4000 };
    uint8_t copy[2048], *data;
    size_t size;
    camcl_image image;
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* its own memory is beyond any limit */
#endif
    if (process_address_space() == 0) skip();
    if (sample_readable("420.jpg")) {
        cc_encoded file = sample("420.jpg");
        memcpy(copy, file.data, file.size);
        memcpy(copy + last_marker(&file, 0xC0) + 5, "\x0F\xA0\x0F\xA0", 4);
        assert_lacks_memory(copy, file.size, "large.jpg");
    }
    if (!sample_readable("rgb.png")) return;
    assert_int_equal(camcl_image_create(SIDE, SIDE, 1, &image, NULL), CAMCL_OK);
    assert_int_equal(camcl_image_encode_png(&image, &data, &size, NULL), CAMCL_OK);
    camcl_image_free(&image);
    assert_lacks_memory(data, size, "large.png");
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truncated_files_are_refused),
        cmocka_unit_test(damage_never_crashes),
        cmocka_unit_test(a_missing_colour_is_noticed),
        cmocka_unit_test(endless_scans_are_refused),
        cmocka_unit_test(claims_of_huge_sizes_are_refused),
        cmocka_unit_test(compressed_texts_stay_packed),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, samples_open, samples_close);
}
