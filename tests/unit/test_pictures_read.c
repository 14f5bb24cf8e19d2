/* camcl_pictures_read: each picture as camcl_image_read_fit gives it, and none keeps another from being read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "camcl/pictures.h"
#include "support/scratch.h"

enum { COUNT = 40, SIDE = 6, BAD = 7, MISSING = 21, PLANE = SIDE * SIDE };

static void make_picture(const char *path, uint32_t width, uint32_t height, uint32_t shade)
{
    camcl_image image = CAMCL_IMAGE_INIT;
    assert_int_equal(camcl_image_create(width, height, 3, &image, NULL), CAMCL_OK);
    for (uint32_t i = 0; i < width * height * 3; i++)
        image.pixels[i] = (uint8_t)(shade * 31 + i * 7);
    assert_int_equal(camcl_image_write_png(path, &image, NULL), CAMCL_OK);
    camcl_image_free(&image);
}

static const char *const *make_pictures(const char *folder)
{
    static char names[COUNT][4096];
    static const char *paths[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "%s/%02u.png", folder, (unsigned)i);
        paths[i] = names[i];
        if (i == BAD)
            scratch_write(paths[i], "no picture", 10);
        else if (i != MISSING)
            make_picture(paths[i], 3 + i, 20 - i / 3, i);
    }
    return paths;
}

/* Rec. 601 luma, rounded to nearest. */
static uint8_t luma(const uint8_t *rgb) { return (uint8_t)((rgb[0] * 299 + rgb[1] * 587 + rgb[2] * 114) / 1000.0 + 0.5); }

static void check(const char *const *paths, uint32_t channels)
{
    static uint8_t pixels[COUNT * PLANE * 3];
    static camcl_error errors[COUNT];
    memset(pixels, 0xab, sizeof pixels);
    memset(errors, 0xab, sizeof errors);
    assert_int_equal(camcl_pictures_read(paths, COUNT, SIDE, CAMCL_FIT_PAD, channels, pixels, errors, NULL), CAMCL_OK);
    for (size_t i = 0; i < COUNT; i++) {
        const uint8_t *got = pixels + i * PLANE * channels;
        camcl_image image = CAMCL_IMAGE_INIT;
        camcl_error err = { 0 };
        const camcl_status status = camcl_image_read_fit(paths[i], SIDE, CAMCL_FIT_PAD, &image, &err);
        assert_int_equal(status != CAMCL_OK, i == BAD || i == MISSING);
        assert_int_equal(errors[i].status, status);
        assert_string_equal(errors[i].message, err.message);
        assert_string_equal(errors[i].detail, err.detail);
        for (size_t p = 0; p < PLANE * channels; p++) {
            const uint8_t expected = status != CAMCL_OK ? 0 : channels == 3 ? image.pixels[p] : luma(image.pixels + 3 * p);
            assert_int_equal(got[p], expected);
        }
        camcl_image_free(&image);
    }
    if (channels == 1) assert_int_equal(pixels[COUNT * PLANE], 0xab);
}

static void every_picture_is_read(void **state)
{
    const char *const *paths = make_pictures(*state);
    check(paths, 3);
    check(paths, 1);
}

static void wrong_arguments_are_refused(void **state)
{
    const char *const *paths = make_pictures(*state);
    uint8_t pixels[PLANE * 3];
    camcl_error errors[1], err;
    assert_int_equal(camcl_pictures_read(paths, 1, 0, CAMCL_FIT_CROP, 3, pixels, errors, &err), CAMCL_BAD_CONFIG);
    assert_int_equal(camcl_pictures_read(paths, 1, SIDE, CAMCL_FIT_CROP, 2, pixels, errors, &err), CAMCL_BAD_CONFIG);
    assert_int_equal(camcl_pictures_read(paths, 1, SIDE, CAMCL_FIT_CROP, 3, NULL, errors, &err), CAMCL_BAD_CONFIG);
    assert_int_equal(camcl_pictures_read(paths, 1, SIDE, CAMCL_FIT_CROP, 3, pixels, NULL, &err), CAMCL_BAD_CONFIG);
    assert_int_equal(camcl_pictures_read(NULL, 1, SIDE, CAMCL_FIT_CROP, 3, pixels, errors, &err), CAMCL_BAD_CONFIG);
    assert_int_equal(camcl_pictures_read(NULL, 0, SIDE, CAMCL_FIT_CROP, 3, NULL, NULL, &err), CAMCL_OK);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(every_picture_is_read),
        IN_SCRATCH(wrong_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
