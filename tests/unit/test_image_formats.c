/* Every kind of picture file as Pillow reads it, in several threads too, and large JPEG files decoded at a part of their size. */
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

#include "support/sample_pictures.h"
#include "support/scratch.h"

static void every_kind_is_read_as_pillow_reads_it(void **state)
{
    (void)state;
    for (int i = 0; i < SAMPLE_COUNT; i++) {
        cc_encoded file = sample(sample_names[i]);
        if (!sample_readable(sample_names[i]) || strcmp(sample_names[i], "large.jpg") == 0) continue;
        camcl_image image = sample_decoded(file.data, file.size);
        if (!sample_as_pillow_reads(&image, sample_names[i])) fail_msg("%s", sample_names[i]);
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
        for (int i = 0; i < SAMPLE_COUNT; i++) {
            camcl_image image, square = CAMCL_IMAGE_INIT;
            cc_encoded file = sample(sample_names[i]);
            camcl_status status = camcl_image_decode(file.data, file.size, file.name, &image, NULL);
            if (status == CAMCL_UNSUPPORTED) continue;
            if (status == CAMCL_OK) status = camcl_image_fit(&image, 9, CAMCL_FIT_CROP, &square, NULL);
            w->wrong +=
                status != CAMCL_OK || (strcmp(sample_names[i], "large.jpg") != 0 && !sample_as_pillow_reads(&image, sample_names[i]));
            camcl_image_free(&square);
            camcl_image_free(&image);
            w->wrong += camcl_image_decode(file.data, file.size - 30, file.name, &image, NULL) == CAMCL_OK;
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
    if (!sample_readable("large.jpg")) skip();
    for (unsigned orientation = 1; orientation <= (sample_exif_missing() ? 1 : 8); orientation++) {
        cc_text exif = CC_TEXT_INIT, turned = CC_TEXT_INIT;
        sample_add_exif(&exif, false, orientation);
        sample_jpeg_with_exif(&file, &exif, &turned);
        scratch_write(path, turned.data, turned.length);
        camcl_image whole = sample_decoded(turned.data, turned.length);
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

/* What a picture that could not be read leaves has nothing to scale. */
static void an_empty_picture_is_refused(void **state)
{
    static const camcl_fit fits[] = { CAMCL_FIT_STRETCH, CAMCL_FIT_CROP, CAMCL_FIT_PAD };
    (void)state;
    const camcl_image empty = { .pixels = NULL, .channels = 3 };
    for (size_t i = 0; i < sizeof fits / sizeof fits[0]; i++) {
        camcl_image out;
        assert_int_equal(camcl_image_fit(&empty, 8, fits[i], &out, NULL), CAMCL_BAD_DATA);
        assert_null(out.pixels);
    }
}

int main(void)
{
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_read_as_pillow_reads_it),
        cmocka_unit_test(threads_read_at_the_same_time),
        cmocka_unit_test(an_empty_picture_is_refused),
        IN_SCRATCH(large_jpegs_are_decoded_smaller_but_look_the_same),
    };
    return cmocka_run_group_tests(tests, samples_open, samples_close);
}
