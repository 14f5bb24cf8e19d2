/* Where a map is drawn on a picture. The drawing belongs to the program, not to the library, so its file is taken in here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/cam_drawing.c"

enum { SIDE = 8 };

static void assert_view(cli_view v, const uint32_t *expected)
{
    const uint32_t got[] = { v.x, v.y, v.width, v.height, v.map_x, v.map_y, v.map_width, v.map_height };
    for (size_t i = 0; i < 8; i++)
        if (got[i] != expected[i]) fail_msg("number %zu of the view is %u, not %u", i, (unsigned)got[i], (unsigned)expected[i]);
}

static void test_view(void **state)
{
    (void)state;
    assert_view(cli_view_of(40, 20, SIDE, CAMCL_FIT_STRETCH), (const uint32_t[]){ 0, 0, 40, 20, 0, 0, 8, 8 });
    assert_view(cli_view_of(40, 20, SIDE, CAMCL_FIT_CROP), (const uint32_t[]){ 10, 0, 20, 20, 0, 0, 8, 8 });
    assert_view(cli_view_of(20, 41, SIDE, CAMCL_FIT_CROP), (const uint32_t[]){ 0, 10, 20, 20, 0, 0, 8, 8 });
    assert_view(cli_view_of(40, 20, SIDE, CAMCL_FIT_PAD), (const uint32_t[]){ 0, 0, 40, 20, 0, 2, 8, 4 });
    assert_view(cli_view_of(20, 40, SIDE, CAMCL_FIT_PAD), (const uint32_t[]){ 0, 0, 20, 40, 2, 0, 4, 8 });
    assert_view(cli_view_of(24, 15, SIDE, CAMCL_FIT_PAD), (const uint32_t[]){ 0, 0, 24, 15, 0, 1, 8, 5 });
    assert_view(cli_view_of(400, 1, SIDE, CAMCL_FIT_PAD), (const uint32_t[]){ 0, 0, 400, 1, 0, 3, 8, 1 });
}

/* What camcl_image_fit shows the network is what the view says: a picture whose columns count up comes through with the view's. */
static void test_view_is_the_network_s(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = { { 40, 20 }, { 20, 40 }, { 33, 16 }, { 16, 16 }, { 9, 64 } };
    for (size_t i = 0; i < 5; i++) {
        camcl_image white = CAMCL_IMAGE_INIT, square = CAMCL_IMAGE_INIT;
        camcl_error err = { 0 };
        assert_int_equal(camcl_image_create(sizes[i][0], sizes[i][1], 1, &white, &err), CAMCL_OK);
        memset(white.pixels, 255, (size_t)white.width * white.height);
        assert_int_equal(camcl_image_fit(&white, SIDE, CAMCL_FIT_PAD, &square, &err), CAMCL_OK);
        const cli_view v = cli_view_of(white.width, white.height, SIDE, CAMCL_FIT_PAD);
        for (uint32_t y = 0; y < SIDE; y++)
            for (uint32_t x = 0; x < SIDE; x++) {
                const int inside = x >= v.map_x && x < v.map_x + v.map_width && y >= v.map_y && y < v.map_y + v.map_height;
                assert_int_equal(square.pixels[y * SIDE + x], inside ? 255 : 0);
            }
        camcl_image_free(&white);
        camcl_image_free(&square);
    }
}

/* Draws an even map on an even grey picture of 400 x 200. */
static void draw(camcl_fit fit, camcl_image *grey, camcl_image *overlay)
{
    camcl_image picture = CAMCL_IMAGE_INIT;
    camcl_error err = { 0 };
    float map[SIDE * SIDE];
    for (size_t i = 0; i < SIDE * SIDE; i++)
        map[i] = 1;
    assert_int_equal(camcl_image_create(400, 200, 1, &picture, &err), CAMCL_OK);
    memset(picture.pixels, 100, (size_t)400 * 200);
    assert_int_equal(cli_draw_cam(&picture, map, SIDE, fit, 0.5f, grey, overlay, &err), CAMCL_OK);
    camcl_image_free(&picture);
    assert_int_equal(grey->width, 400);
    assert_int_equal(grey->height, 200);
    assert_int_equal(grey->channels, 1);
    assert_int_equal(overlay->width, 400);
    assert_int_equal(overlay->height, 200);
    assert_int_equal(overlay->channels, 3);
}

static void test_crop_covers_the_middle(void **state)
{
    (void)state;
    camcl_image grey = CAMCL_IMAGE_INIT, overlay = CAMCL_IMAGE_INIT;
    draw(CAMCL_FIT_CROP, &grey, &overlay);
    for (size_t x = 0; x < 400; x++) {
        const bool seen = x >= 100 && x < 300;
        const uint8_t *pixel = overlay.pixels + ((size_t)57 * 400 + x) * 3;
        assert_int_equal(grey.pixels[57 * 400 + x], seen ? 255 : 0);
        assert_int_equal(pixel[0] == 100 && pixel[1] == 100 && pixel[2] == 100, !seen);
    }
    camcl_image_free(&grey);
    camcl_image_free(&overlay);
}

static void test_others_cover_all(void **state)
{
    (void)state;
    static const camcl_fit fits[] = { CAMCL_FIT_STRETCH, CAMCL_FIT_PAD };
    for (size_t i = 0; i < 2; i++) {
        camcl_image grey = CAMCL_IMAGE_INIT, overlay = CAMCL_IMAGE_INIT;
        draw(fits[i], &grey, &overlay);
        for (size_t k = 0; k < (size_t)400 * 200; k++) {
            assert_int_equal(grey.pixels[k], 255);
            assert_int_not_equal(overlay.pixels[3 * k], 100);
        }
        camcl_image_free(&grey);
        camcl_image_free(&overlay);
    }
}

/* The bars that the network saw beside the picture are cut off: what is strong in them alone shows nowhere. */
static void test_bars_are_cut(void **state)
{
    (void)state;
    camcl_image picture = CAMCL_IMAGE_INIT, grey = CAMCL_IMAGE_INIT, overlay = CAMCL_IMAGE_INIT;
    camcl_error err = { 0 };
    float map[SIDE * SIDE];
    for (size_t i = 0; i < SIDE * SIDE; i++)
        map[i] = i / SIDE < 2 || i / SIDE >= 6;
    assert_int_equal(camcl_image_create(400, 200, 3, &picture, &err), CAMCL_OK);
    assert_int_equal(cli_draw_cam(&picture, map, SIDE, CAMCL_FIT_PAD, 0.5f, &grey, &overlay, &err), CAMCL_OK);
    for (size_t k = 0; k < (size_t)400 * 200; k++)
        assert_int_equal(grey.pixels[k], 0);
    camcl_image_free(&picture);
    camcl_image_free(&grey);
    camcl_image_free(&overlay);
}

/* Small pictures are enlarged by a whole number, long thin ones not beyond reason. */
static void test_enlargement(void **state)
{
    (void)state;
    static const uint32_t rows[][3] = { { 16, 16, 12 }, { 16, 8, 24 }, { 192, 500, 1 }, { 3000, 1, 1 }, { 1, 1000, 4 } };
    for (size_t i = 0; i < 5; i++) {
        const camcl_image image = { rows[i][0], rows[i][1], 3, NULL };
        assert_int_equal(enlargement(&image), rows[i][2]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_view),
        cmocka_unit_test(test_view_is_the_network_s),
        cmocka_unit_test(test_crop_covers_the_middle),
        cmocka_unit_test(test_others_cover_all),
        cmocka_unit_test(test_bars_are_cut),
        cmocka_unit_test(test_enlargement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
