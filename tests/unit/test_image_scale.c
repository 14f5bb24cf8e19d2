/* Scaling and fitting: against a plain reference in double precision, against Pillow's results, and shapes at the limits. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "camcl/image.h"
#include "support/golden.h"

static uint32_t next_number(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Noise, or black and white only: the hardest edges. */
static camcl_image noise(uint32_t width, uint32_t height, uint32_t channels, uint32_t seed)
{
    camcl_image image;
    assert_int_equal(camcl_image_create(width, height, channels, &image, NULL), CAMCL_OK);
    for (size_t i = 0; i < (size_t)width * height * channels; i++)
        image.pixels[i] = (uint8_t)(seed % 2 ? next_number(&seed) : next_number(&seed) & 256 ? 255 : 0);
    return image;
}

/* ---- The reference: the definition, in double, without any order of passes ---- */

static double weight(uint32_t i, double center, double support)
{
    double distance = fabs(i + 0.5 - center) / support;
    return distance < 1 ? 1 - distance : 0;
}

/* The value of channel c at (x, y) of the picture when it is scaled to width x height. */
static double exact(const camcl_image *from, uint32_t width, uint32_t height, uint32_t x, uint32_t y, uint32_t c)
{
    double scale_x = (double)from->width / width, scale_y = (double)from->height / height, sum = 0, weights = 0;
    for (uint32_t j = 0; j < from->height; j++) {
        double down = weight(j, (y + 0.5) * scale_y, scale_y > 1 ? scale_y : 1);
        for (uint32_t i = 0; down > 0 && i < from->width; i++) {
            double both = down * weight(i, (x + 0.5) * scale_x, scale_x > 1 ? scale_x : 1);
            sum += both * from->pixels[((size_t)j * from->width + i) * from->channels + c];
            weights += both;
        }
    }
    return sum / weights;
}

/* Half a level is rounding, which happens once more where columns shrink before rows grow; the rest is what float may add to it. */
static void check_scale(uint32_t width, uint32_t height, uint32_t to_width, uint32_t to_height, uint32_t channels, uint32_t seed)
{
    camcl_image from = noise(width, height, channels, seed), to;
    assert_int_equal(camcl_image_scale(&from, to_width, to_height, &to, NULL), CAMCL_OK);
    assert_int_equal(to.width, to_width);
    assert_int_equal(to.height, to_height);
    assert_int_equal(to.channels, channels);
    const double allowed = to_width < width && to_height > height ? 1.001 : 0.501;
    for (uint32_t y = 0; y < to_height; y++)
        for (uint32_t x = 0; x < to_width; x++)
            for (uint32_t c = 0; c < channels; c++) {
                double expected = exact(&from, to_width, to_height, x, y, c), got = to.pixels[(y * to_width + x) * channels + c];
                if (!(fabs(got - expected) <= allowed)) {
                    fail_msg("%ux%ux%u to %ux%u: %g at (%u, %u, %u), expected %g", (unsigned)width, (unsigned)height, (unsigned)channels,
                             (unsigned)to_width, (unsigned)to_height, got, (unsigned)x, (unsigned)y, (unsigned)c, expected);
                }
            }
    camcl_image_free(&from);
    camcl_image_free(&to);
}

static void scaling_is_exact_to_rounding(void **state)
{
    static const uint32_t from[] = { 1, 2, 3, 8, 17, 40 }, to[] = { 1, 2, 5, 8, 16, 33 };
    uint32_t seed = 1;
    (void)state;
    for (int a = 0; a < 6; a++)
        for (int b = 0; b < 6; b++)
            for (int c = 0; c < 6; c++)
                for (int d = 0; d < 6; d++, seed++)
                    check_scale(from[a], from[b], to[c], to[d], seed % 3 ? 3 : 1, seed);
    check_scale(1000, 3, 3, 7, 3, 1);
    check_scale(3, 1000, 7, 3, 1, 2);
    check_scale(150, 101, 100, 99, 3, 3);
}

/* Pillow rounds between the axes, so it may be a level off the exact value, but never more off this one. */
static void scaling_equals_pillow_to_a_level(void **state)
{
    cc_safetensors *golden = golden_open("tests/golden/pictures.safetensors");
    size_t different = 0, all = 0;
    (void)state;
    for (int i = 0; i < 10; i++) {
        char name[32];
        snprintf(name, sizeof name, "scale%d.from", i);
        const cc_st_tensor *from = golden_tensor(golden, name);
        uint8_t *pixels = golden_data(golden, name);
        snprintf(name, sizeof name, "scale%d.to", i);
        const cc_st_tensor *to = golden_tensor(golden, name);
        const uint8_t *expected = to->data;
        camcl_image image = { (uint32_t)from->shape[1], (uint32_t)from->shape[0], (uint32_t)from->shape[2], pixels }, out;
        assert_int_equal(camcl_image_scale(&image, (uint32_t)to->shape[1], (uint32_t)to->shape[0], &out, NULL), CAMCL_OK);
        for (size_t k = 0; k < cc_st_elements(to); k++) {
            assert_in_range(out.pixels[k] + 1, expected[k], expected[k] + 2);
            different += out.pixels[k] != expected[k];
        }
        all += cc_st_elements(to);
        camcl_image_free(&out);
        free(pixels);
    }
    assert_true(different * 5 < all);
    cc_safetensors_free(&golden);
}

static void one_colour_stays(void **state)
{
    (void)state;
    for (uint32_t size = 1; size < 300; size = size * 3 / 2 + 1)
        for (uint32_t value = 0; value < 256; value += 51) {
            camcl_image from, to;
            assert_int_equal(camcl_image_create(size, 300 - size, 3, &from, NULL), CAMCL_OK);
            memset(from.pixels, (int)value, (size_t)size * (300 - size) * 3);
            assert_int_equal(camcl_image_scale(&from, 23, 31, &to, NULL), CAMCL_OK);
            for (int i = 0; i < 23 * 31 * 3; i++)
                assert_int_equal(to.pixels[i], value);
            camcl_image_free(&from);
            camcl_image_free(&to);
        }
}

static void its_own_size_is_a_copy(void **state)
{
    camcl_image from = noise(31, 17, 3, 5), to;
    (void)state;
    assert_int_equal(camcl_image_scale(&from, 31, 17, &to, NULL), CAMCL_OK);
    assert_memory_equal(to.pixels, from.pixels, 31 * 17 * 3);
    camcl_image_free(&to);
    for (camcl_fit fit = CAMCL_FIT_STRETCH; fit <= CAMCL_FIT_PAD; fit++) {
        assert_int_equal(camcl_image_fit(&from, 0, fit, &to, NULL), CAMCL_OK);
        assert_int_equal(to.width, 31);
        assert_int_equal(to.height, 17);
        assert_memory_equal(to.pixels, from.pixels, 31 * 17 * 3);
        camcl_image_free(&to);
    }
    camcl_image_free(&from);
}

/* Strips of a pixel's width, whose other side could become 2^32 pixels and more. */
static void long_strips(void **state)
{
    enum { length = 1 << 22, side = 48 };
    (void)state;
    for (int upright = 0; upright < 2; upright++) {
        camcl_image strip, out;
        assert_int_equal(camcl_image_create(upright ? 1 : length, upright ? length : 1, 1, &strip, NULL), CAMCL_OK);
        for (size_t i = 0; i < length; i++)
            strip.pixels[i] = (uint8_t)(i >> 14); /* 0 to 255 from end to end */
        for (camcl_fit fit = CAMCL_FIT_STRETCH; fit <= CAMCL_FIT_PAD; fit++) {
            assert_int_equal(camcl_image_fit(&strip, side, fit, &out, NULL), CAMCL_OK);
            for (int along = 0; along < side; along++)
                for (int across = 0; across < side; across++) {
                    int value = out.pixels[upright ? along * side + across : across * side + along];
                    double ramp = fit == CAMCL_FIT_CROP ? 127.5 : (along + 0.5) * 256 / side - 0.5;
                    if (fit == CAMCL_FIT_PAD && across != (side - 1) / 2) ramp = 0;
                    bool at_an_end = along == 0 || along == side - 1;
                    if (!(fabs(value - ramp) <= (at_an_end ? 1.6 : 1.0)))
                        fail_msg("%d at %d, %d instead of %g", value, along, across, ramp);
                }
            camcl_image_free(&out);
        }
        camcl_image_free(&strip);
    }
}

/* The scaled picture [height, width] lies in the square, its pixel (skip_x, skip_y) at (left, top); all else is black. */
static void check_fit(const camcl_image *from, uint32_t side, camcl_fit fit, uint32_t width, uint32_t height, uint32_t skip_x,
                      uint32_t skip_y, uint32_t left, uint32_t top)
{
    camcl_image scaled, square;
    assert_int_equal(camcl_image_scale(from, width, height, &scaled, NULL), CAMCL_OK);
    assert_int_equal(camcl_image_fit(from, side, fit, &square, NULL), CAMCL_OK);
    assert_int_equal(square.width, side);
    assert_int_equal(square.height, side);
    assert_int_equal(square.channels, from->channels);
    for (uint32_t y = 0; y < side; y++)
        for (uint32_t x = 0; x < side; x++)
            for (uint32_t c = 0; c < from->channels; c++) {
                uint32_t column = x - left + skip_x, row = y - top + skip_y, expected = 0;
                if (x >= left && y >= top && column < width && row < height)
                    expected = scaled.pixels[(row * width + column) * from->channels + c];
                assert_int_equal(square.pixels[(y * side + x) * from->channels + c], expected);
            }
    camcl_image_free(&scaled);
    camcl_image_free(&square);
}

static void fits_are_parts_of_what_is_scaled(void **state)
{
    (void)state;
    for (uint32_t channels = 1; channels <= 3; channels += 2) {
        camcl_image wide = noise(50, 30, channels, 7), tall = noise(30, 50, channels, 8), thin = noise(90, 2, channels, 9);
        check_fit(&wide, 12, CAMCL_FIT_STRETCH, 12, 12, 0, 0, 0, 0);
        check_fit(&tall, 40, CAMCL_FIT_STRETCH, 40, 40, 0, 0, 0, 0);
        check_fit(&wide, 12, CAMCL_FIT_CROP, 20, 12, 4, 0, 0, 0);
        check_fit(&tall, 12, CAMCL_FIT_CROP, 12, 20, 0, 4, 0, 0);
        check_fit(&wide, 33, CAMCL_FIT_CROP, 55, 33, 11, 0, 0, 0);
        check_fit(&tall, 13, CAMCL_FIT_CROP, 13, 22, 0, 4, 0, 0); /* 21.67 */
        check_fit(&wide, 12, CAMCL_FIT_PAD, 12, 7, 0, 0, 0, 2);   /* 7.2: bars of 2 and 3 */
        check_fit(&tall, 12, CAMCL_FIT_PAD, 7, 12, 0, 0, 2, 0);
        check_fit(&tall, 60, CAMCL_FIT_PAD, 36, 60, 0, 0, 12, 0);
        check_fit(&thin, 16, CAMCL_FIT_PAD, 16, 1, 0, 0, 0, 7); /* 0.36, but at least a pixel */
        check_fit(&thin, 16, CAMCL_FIT_CROP, 720, 16, 352, 0, 0, 0);
        camcl_image_free(&wide);
        camcl_image_free(&tall);
        camcl_image_free(&thin);
    }
}

static void absurd_sizes_are_refused(void **state)
{
    camcl_image image = noise(4, 4, 3, 1), out = { 5, 5, 5, NULL };
    camcl_error err = { 0 };
    (void)state;
    assert_int_equal(camcl_image_scale(&image, 0, 4, &out, &err), CAMCL_BAD_DATA);
    assert_int_equal(out.width, 0);
    assert_int_equal(camcl_image_scale(&image, 4, 0, &out, &err), CAMCL_BAD_DATA);
    assert_int_equal(camcl_image_scale(&image, 1u << 31, 1u << 31, &out, &err), CAMCL_BAD_DATA);
    for (camcl_fit fit = CAMCL_FIT_STRETCH; fit <= CAMCL_FIT_PAD; fit++) {
        assert_int_equal(camcl_image_fit(&image, UINT32_MAX, fit, &out, &err), CAMCL_BAD_DATA);
        assert_non_null(strstr(err.message, "4294967295 x 4294967295"));
        assert_null(out.pixels);
    }
    camcl_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scaling_is_exact_to_rounding),
        cmocka_unit_test(scaling_equals_pillow_to_a_level),
        cmocka_unit_test(one_colour_stays),
        cmocka_unit_test(its_own_size_is_a_copy),
        cmocka_unit_test(long_strips),
        cmocka_unit_test(fits_are_parts_of_what_is_scaled),
        cmocka_unit_test(absurd_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
