/* The colours of maps: rising lightness, even steps, and where they are used. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>

#include "camcl/image.h"

static double linear(uint8_t byte)
{
    double v = byte / 255.0;
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

/* CIE L*, a*, b* (D65) of an sRGB colour: another space than the one the map is made in. */
static void to_cielab(const uint8_t rgb[3], double lab[3])
{
    double r = linear(rgb[0]), g = linear(rgb[1]), b = linear(rgb[2]), f[3];
    const double xyz[3] = { (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505, 0.2126 * r + 0.7152 * g + 0.0722 * b,
                            (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089 };
    for (int i = 0; i < 3; i++)
        f[i] = xyz[i] > 0.008856 ? cbrt(xyz[i]) : 7.787 * xyz[i] + 16.0 / 116;
    lab[0] = 116 * f[1] - 16;
    lab[1] = 500 * (f[0] - f[1]);
    lab[2] = 200 * (f[1] - f[2]);
}

static void lightness_rises_steadily(void **state)
{
    uint8_t colors[256][3];
    double first[3], before[3], now[3];
    (void)state;
    camcl_colormap(colors);
    to_cielab(colors[0], first);
    to_cielab(colors[255], now);
    assert_true(first[0] < 10 && now[0] > 90);
    before[0] = first[0];
    for (int i = 4; i < 256; i += 4) {
        to_cielab(colors[i], now);
        /* 4 of 255 steps over 95 units: 1.5 on average. */
        assert_true(now[0] - before[0] > 0.6 && now[0] - before[0] < 2.6);
        before[0] = now[0];
    }
}

static void steps_are_even(void **state)
{
    uint8_t colors[256][3];
    double before[3], now[3], least = 1e9, most = 0;
    (void)state;
    camcl_colormap(colors);
    to_cielab(colors[0], before);
    for (int i = 15; i < 256; i += 15) {
        to_cielab(colors[i], now);
        double step = sqrt(pow(now[0] - before[0], 2) + pow(now[1] - before[1], 2) + pow(now[2] - before[2], 2));
        least = step < least ? step : least;
        most = step > most ? step : most;
        for (int c = 0; c < 3; c++)
            before[c] = now[c];
    }
    assert_true(least > 5);
    assert_true(most / least < 3);
}

static void maps_take_these_colours(void **state)
{
    uint8_t colors[256][3];
    const float map[8] = { 0.0f, 1.0f, 0.5f, -3.0f, 2.0f, NAN, INFINITY, 1.0f / 255 };
    const int expected[8] = { 0, 255, 128, 0, 255, 0, 255, 1 };
    camcl_image image = CAMCL_IMAGE_INIT;
    (void)state;
    camcl_colormap(colors);
    assert_int_equal(camcl_image_from_map(map, 4, 2, &image, NULL), CAMCL_OK);
    assert_int_equal(image.width, 4);
    assert_int_equal(image.height, 2);
    for (int i = 0; i < 8; i++)
        assert_memory_equal(image.pixels + 3 * i, colors[expected[i]], 3);
    camcl_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lightness_rises_steadily),
        cmocka_unit_test(steps_are_even),
        cmocka_unit_test(maps_take_these_colours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
