/* Data sets of images in memory: their order, what is known of them, and what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "support/painted.h"

static camcl_error err;
static painted p;

static int make(void **state)
{
    (void)state;
    painted_make(&p);
    return 0;
}

static camcl_dataset *open_data(void)
{
    camcl_dataset *dataset = NULL;
    if (camcl_dataset_from_memory(&p.data, &dataset, &err) != CAMCL_OK) fail_msg("%s", err.message);
    return dataset;
}

static void refused(const camcl_memory_data *data, camcl_status status, const char *mention)
{
    camcl_dataset *dataset = (camcl_dataset *)&p;
    const camcl_status got = camcl_dataset_from_memory(data, &dataset, &err);
    if (got != status || !strstr(err.message, mention)) fail_msg("%s: %s", camcl_status_name(got), err.message);
    assert_null(dataset);
}

/* ---- what is taken */

static void labelled_images_come_first(void **state)
{
    (void)state;
    camcl_dataset *dataset = open_data();
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    assert_string_equal(info->name, "memory");
    assert_true(info->height == 8 && info->width == 8 && info->channels == 3 && info->classes == 3);
    assert_true(info->train_count == 75 && info->unlabeled_count == 30 && info->validation_count == 15 && info->test_count == 18);
    assert_int_equal(info->held_out_count, 0);
    size_t labeled = 0, unlabeled = 30;
    const uint8_t *pixels = camcl_dataset_pixels(dataset, CAMCL_TRAIN_IMAGES);
    const int32_t *labels = camcl_dataset_labels(dataset, CAMCL_TRAIN_IMAGES);
    for (size_t i = 0; i < 75; i++) {
        const size_t at = i >= 60 ? i : p.labels[i] >= 0 ? labeled++ : unlabeled++;
        assert_memory_equal(pixels + at * PAINTED_BYTES, p.pixels + i * PAINTED_BYTES, PAINTED_BYTES);
        assert_int_equal(labels[at], p.labels[i]);
    }
    assert_true(labeled == 30 && unlabeled == 60);
    assert_memory_equal(camcl_dataset_pixels(dataset, CAMCL_TEST_IMAGES), p.pixels + 75 * PAINTED_BYTES, 18 * PAINTED_BYTES);
    for (size_t c = 0; c < 3; c++)
        assert_string_equal(camcl_dataset_class_names(dataset)[c], painted_names[c]);
    camcl_dataset_close(&dataset);
}

/* Everything is copied. Mean and deviation are those of the training images, labelled or not. */
static void the_callers_memory_may_change(void **state)
{
    double sum[3] = { 0 };
    (void)state;
    for (size_t i = 0; i < 60 * PAINTED_BYTES; i++)
        sum[i % 3] += p.pixels[i];
    camcl_dataset *dataset = open_data();
    const uint8_t first = p.pixels[0];
    memset(&p, 0xee, sizeof p);
    assert_int_equal(camcl_dataset_pixels(dataset, CAMCL_TRAIN_IMAGES)[0], first);
    assert_string_equal(camcl_dataset_class_names(dataset)[2], "blue");
    for (size_t c = 0; c < 3; c++)
        assert_true(fabs(camcl_dataset_get_info(dataset)->mean[c] - sum[c] / (60 * 64) / 255) < 1e-6);
    camcl_dataset_close(&dataset);
}

static void little_is_enough(void **state)
{
    (void)state;
    p.data.class_names = NULL;
    p.data.train.labels = NULL;
    p.data.validation = p.data.test = (camcl_memory_images){ NULL, NULL, 0 };
    camcl_dataset *dataset = open_data();
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    assert_true(info->train_count == 60 && info->unlabeled_count == 60 && info->validation_count == 0 && info->test_count == 0);
    assert_string_equal(camcl_dataset_class_names(dataset)[2], "2");
    assert_null(camcl_dataset_file(dataset, CAMCL_TRAIN_IMAGES, 0));
    camcl_dataset_close(&dataset);
}

/* A run knows its data again by it. */
static void the_fingerprint_sees_every_change(void **state)
{
    (void)state;
    camcl_dataset *dataset = open_data();
    const camcl_fingerprint before = camcl_dataset_fingerprint(dataset);
    camcl_dataset_close(&dataset);
    dataset = open_data();
    camcl_fingerprint now = camcl_dataset_fingerprint(dataset);
    assert_true(now.names == before.names && now.sizes == before.sizes && now.labels == before.labels);
    camcl_dataset_close(&dataset);
    p.pixels[92 * PAINTED_BYTES] ^= 1;
    dataset = open_data();
    now = camcl_dataset_fingerprint(dataset);
    assert_true(now.sizes != before.sizes && now.labels == before.labels);
    camcl_dataset_close(&dataset);
    p.pixels[92 * PAINTED_BYTES] ^= 1;
    p.labels[92] = (p.labels[92] + 1) % 3;
    dataset = open_data();
    now = camcl_dataset_fingerprint(dataset);
    assert_true(now.sizes == before.sizes && now.labels != before.labels);
    camcl_dataset_close(&dataset);
}

/* ---- what is refused */

static void shapes_that_cannot_be(void **state)
{
    static const uint32_t sides[] = { 0, (1 << 15) + 1, UINT32_MAX };
    (void)state;
    for (size_t i = 0; i < CC_COUNT(sides); i++) {
        camcl_memory_data data = p.data;
        data.height = sides[i];
        refused(&data, CAMCL_BAD_DATA, "sides are 1 to 32768");
        data = p.data;
        data.width = sides[i];
        refused(&data, CAMCL_BAD_DATA, "sides are 1 to 32768");
        data = p.data;
        data.channels = sides[i];
        refused(&data, CAMCL_BAD_DATA, "channels (1 to 4");
        data = p.data;
        data.classes = i ? UINT32_MAX - (uint32_t)i : 0;
        refused(&data, CAMCL_BAD_DATA, "classes (1 to");
    }
}

static void images_that_cannot_be(void **state)
{
    (void)state;
    camcl_memory_data data = p.data;
    data.train.count = 0;
    refused(&data, CAMCL_BAD_DATA, "no training images");
    data = p.data;
    data.train.pixels = NULL;
    refused(&data, CAMCL_BAD_DATA, "60 training images without pixels");
    data = p.data;
    data.test.pixels = NULL;
    refused(&data, CAMCL_BAD_DATA, "18 test images without pixels");
    data = p.data;
    data.validation.labels = NULL;
    refused(&data, CAMCL_BAD_DATA, "validation images without labels");
    /* More than can be: noticed before a byte is read. */
    data = p.data;
    data.train.labels = NULL;
    data.train.count = SIZE_MAX;
    refused(&data, CAMCL_UNSUPPORTED, "more than 2^31 - 1");
    data.train.count = INT32_MAX;
    refused(&data, CAMCL_UNSUPPORTED, "more than 2^31 - 1"); /* with the validation images */
#ifndef __SANITIZE_ADDRESS__                                 /* which ends a program that asks for too much */
    data.validation.count = 0;
    data.height = data.width = 1 << 15;
    data.channels = 4;
    refused(&data, CAMCL_NO_MEMORY, "");
#endif
}

static void labels_that_cannot_be(void **state)
{
    static const struct {
        size_t image;
        int32_t label;
        const char *mention;
    } rows[] = { { 59, 3, "label 3 of training image 59 (labels are 0 to 2, or -1 for none)" },
                 { 0, -2, "label -2 of training image 0" },
                 { 1, INT32_MIN, "label -2147483648 of training image 1" },
                 { 74, -1, "label -1 of validation image 14 (labels are 0 to 2)" },
                 { 75, INT32_MAX, "label 2147483647 of test image 0" } };
    (void)state;
    for (size_t i = 0; i < CC_COUNT(rows); i++) {
        const int32_t before = p.labels[rows[i].image];
        p.labels[rows[i].image] = rows[i].label;
        refused(&p.data, CAMCL_BAD_DATA, rows[i].mention);
        p.labels[rows[i].image] = before;
    }
}

static void names_that_cannot_be(void **state)
{
    const char *names[3] = { "a", NULL, "c" };
    (void)state;
    p.data.class_names = names;
    refused(&p.data, CAMCL_BAD_DATA, "class 1 has no name");
    names[1] = "";
    refused(&p.data, CAMCL_BAD_DATA, "class 1 has no name");
    names[1] = "c";
    refused(&p.data, CAMCL_BAD_DATA, "two classes are called 'c'");
}

static void missing_arguments(void **state)
{
    (void)state;
    refused(NULL, CAMCL_BAD_CONFIG, "camcl_dataset_from_memory: data is NULL");
    assert_int_equal(camcl_dataset_from_memory(&p.data, NULL, &err), CAMCL_BAD_CONFIG);
    p.data.size = 3;
    refused(&p.data, CAMCL_BAD_CONFIG, "camcl_memory_data_init");
}

/* Who reads a run's configuration has not got the run's images. */
static void nobody_opens_it_by_name(void **state)
{
    camcl_dataset *dataset = NULL;
    camcl_dataset_spec spec;
    (void)state;
    camcl_dataset_spec_init(&spec);
    spec.dataset = "memory";
    assert_int_equal(camcl_dataset_open(&spec, &dataset, &err), CAMCL_UNSUPPORTED);
    assert_non_null(strstr(err.message, "only the program that has its images in memory"));
    assert_null(dataset);
}

int main(void)
{
#define MADE(test) cmocka_unit_test_setup(test, make)
    const struct CMUnitTest tests[] = {
        MADE(labelled_images_come_first), MADE(the_callers_memory_may_change),
        MADE(little_is_enough),           MADE(the_fingerprint_sees_every_change),
        MADE(shapes_that_cannot_be),      MADE(images_that_cannot_be),
        MADE(labels_that_cannot_be),      MADE(names_that_cannot_be),
        MADE(missing_arguments),          MADE(nobody_opens_it_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
