/* Inference sessions on memory buffers: bytes and floats, any number of images, CAMs of chosen classes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "camcl/camcl.h"
#include "support/devices.h"
#include "support/ok.h"
#include "support/painted.h"

static camcl_error err;

enum { MOST = 13, BATCH = 4, S = PAINTED_SIDE, AREA = S * S };

static uint8_t bytes[MOST * PAINTED_BYTES];
static float floats[MOST * PAINTED_BYTES];

static void paint(void)
{
    int32_t labels[MOST];
    painted_images(bytes, labels, MOST, 7);
    for (size_t i = 0; i < sizeof bytes; i++)
        floats[i] = (float)bytes[i] / 255;
}

/* A model of initial weights; image_size is the side of its input. */
static camcl_model *make_model(camcl_device *device, const char *image_size)
{
    camcl_model *model = NULL;
    camcl_trainer *trainer = NULL;
    camcl_dataset *data = painted_data();
    camcl_config *config = painted_config();
    OK(camcl_config_set(config, "data.image_size", image_size, "test", &err));
    OK(camcl_config_set(config, "ssl.mode", "supervised", "test", &err));
    OK(camcl_trainer_create(device, data, config, NULL, &trainer, &err));
    OK(camcl_trainer_open_model(trainer, CAMCL_LAST_WEIGHTS, &model, &err));
    camcl_trainer_destroy(&trainer);
    camcl_config_destroy(&config);
    camcl_dataset_close(&data);
    return model;
}

static camcl_session *open_session_for(camcl_model *model, bool relu)
{
    camcl_session *session = NULL;
    camcl_session_options options;
    camcl_session_options_init(&options);
    options.batch = BATCH;
    options.height = options.width = S;
    options.layer = 2;
    options.relu = relu;
    OK(camcl_session_create(model, &options, &session, &err));
    return session;
}

static camcl_session *open_session(camcl_model *model) { return open_session_for(model, false); }

static void same(const float *a, const float *b, size_t n, float tolerance, const char *what)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(a[i] - b[i]) <= tolerance)) fail_msg("%s: value %zu is %g and %g", what, i, (double)a[i], (double)b[i]);
}

/* ---- predictions */

static void any_number_of_images(camcl_device *device, void *context)
{
    float whole[MOST * 3], part[MOST * 3], expected[MOST * 3];
    (void)context;
    paint();
    camcl_model *model = make_model(device, "0");
    camcl_session *session = open_session(model);
    const camcl_images images = { bytes, NULL, MOST, S, S, 3 };
    OK(camcl_model_predict(model, &images, expected, &err));
    OK(camcl_session_predict(session, &(camcl_buffer){ .bytes = bytes, .count = MOST }, whole, &err));
    same(whole, expected, MOST * 3, 1e-5f, "session and model");
    for (size_t n = 0; n <= MOST; n++) {
        memset(part, 0xff, sizeof part);
        const camcl_buffer last = { .bytes = bytes + (MOST - n) * PAINTED_BYTES, .count = n };
        OK(camcl_session_predict(session, &last, part, &err));
        same(part, whole + (MOST - n) * 3, n * 3, 1e-6f, "all and the last ones");
        assert_true(n == MOST || isnan(part[n * 3])); /* nothing is written behind them */
    }
    camcl_session_destroy(&session);
    camcl_model_close(&model);
}

/* A float means what a byte divided by 255 means, also where images are resized. */
static void floats_are_like_bytes(camcl_device *device, void *context)
{
    static const char *const sizes[] = { "0", "12", "5" };
    float of_bytes[MOST * 3], of_floats[MOST * 3];
    (void)context;
    paint();
    for (size_t i = 0; i < CC_COUNT(sizes); i++) {
        camcl_model *model = make_model(device, sizes[i]);
        camcl_session *session = open_session(model);
        OK(camcl_session_predict(session, &(camcl_buffer){ .bytes = bytes, .count = MOST }, of_bytes, &err));
        OK(camcl_session_predict(session, &(camcl_buffer){ .floats = floats, .count = MOST }, of_floats, &err));
        same(of_floats, of_bytes, MOST * 3, 1e-5f, sizes[i]);
        /* That the images matter. */
        float other[3];
        OK(camcl_session_predict(session, &(camcl_buffer){ .floats = floats + 1, .count = 1 }, other, &err));
        assert_true(memcmp(other, of_floats, sizeof other) != 0);
        camcl_session_destroy(&session);
        camcl_model_close(&model);
    }
}

/* ---- CAMs */

static void cams_of_chosen_classes(camcl_device *device, void *context)
{
    static float maps[MOST * AREA], raw[MOST * AREA], expected[MOST * AREA], of_floats[MOST * AREA];
    int32_t targets[MOST], explained[MOST], predicted[MOST], ours[MOST], theirs[MOST];
    (void)context;
    paint();
    camcl_model *model = make_model(device, "0");
    camcl_session *session = open_session(model);
    const camcl_buffer buffer = { .bytes = bytes, .count = MOST };
    const camcl_images images = { bytes, NULL, MOST, S, S, 3 };
    OK(camcl_session_cam(session, &buffer, NULL, maps, raw, explained, predicted, &err));
    OK(camcl_model_cam(model, &images, 2, false, -1, expected, ours, theirs, &err));
    same(maps, expected, MOST * AREA, 1e-3f, "maps of the arg-max");
    for (size_t i = 0; i < MOST; i++) {
        assert_int_equal(explained[i], predicted[i]);
        assert_int_equal(predicted[i], theirs[i]);
        targets[i] = (int32_t)(i * 2 % 3);
    }
    OK(camcl_session_cam(session, &(camcl_buffer){ .floats = floats, .count = MOST }, targets, of_floats, NULL, explained, NULL, &err));
    OK(camcl_session_cam(session, &buffer, targets, maps, NULL, NULL, NULL, &err));
    same(of_floats, maps, MOST * AREA, 1e-3f, "maps of bytes and floats");
    for (int32_t c = 0; c < 3; c++) {
        OK(camcl_model_cam(model, &images, 2, false, c, expected, ours, theirs, &err));
        for (size_t i = 0; i < MOST; i++) {
            assert_int_equal(explained[i], targets[i]);
            if (targets[i] == c) same(maps + i * AREA, expected + i * AREA, AREA, 1e-3f, "maps of a class");
        }
    }
    camcl_session_destroy(&session);
    camcl_model_close(&model);
}

static float least(const float *values, size_t n)
{
    float found = INFINITY;
    for (size_t i = 0; i < n; i++)
        found = fminf(found, values[i]);
    return found;
}

/* With relu a map has only what speaks for the class. The model plans for both kinds of maps, and gives each call its own. */
static void cams_of_what_speaks_for_the_class(camcl_device *device, void *context)
{
    static float maps[3][MOST * AREA], raw[3][MOST * AREA], of_session[MOST * AREA], raw_of_session[MOST * AREA];
    int32_t explained[MOST], predicted[MOST];
    (void)context;
    paint();
    camcl_model *model = make_model(device, "0");
    const camcl_images images = { bytes, NULL, MOST, S, S, 3 };
    for (int i = 0; i < 3; i++)
        OK(camcl_model_cam_raw(model, &images, 2, i == 1, 0, maps[i], raw[i], explained, predicted, &err));
    assert_memory_equal(maps[0], maps[2], sizeof maps[0]);
    assert_memory_not_equal(maps[0], maps[1], sizeof maps[0]);
    assert_true(least(raw[0], MOST * AREA) < 0 && least(raw[1], MOST * AREA) >= 0);
    OK(camcl_model_cam(model, &images, 2, true, 0, maps[2], explained, predicted, &err));
    assert_memory_equal(maps[1], maps[2], sizeof maps[1]);
    for (int relu = 0; relu < 2; relu++) {
        const int32_t targets[MOST] = { 0 };
        camcl_session *session = open_session_for(model, relu);
        const camcl_buffer buffer = { .bytes = bytes, .count = MOST };
        OK(camcl_session_cam(session, &buffer, targets, of_session, raw_of_session, NULL, NULL, &err));
        same(of_session, maps[relu], MOST * AREA, 1e-3f, "maps of session and model");
        assert_true((least(raw_of_session, MOST * AREA) >= 0) == relu);
        camcl_session_destroy(&session);
    }
    camcl_model_close(&model);
}

/* ---- what is refused */

static void sessions_that_cannot_be(camcl_device *device, void *context)
{
    camcl_session *session = NULL;
    camcl_session_options options;
    (void)context;
    camcl_model *model = make_model(device, "0");
    camcl_session_options_init(&options);
    FAILS(camcl_session_create(NULL, &options, &session, &err), CAMCL_BAD_CONFIG, "model is NULL");
    FAILS(camcl_session_create(model, &options, NULL, &err), CAMCL_BAD_CONFIG, "out is NULL");
    options.batch = SIZE_MAX;
    FAILS(camcl_session_create(model, &options, &session, &err), CAMCL_BAD_CONFIG, "1 to 4096");
    options.batch = 0;
    options.height = SIZE_MAX;
    FAILS(camcl_session_create(model, &options, &session, &err), CAMCL_BAD_CONFIG, "sides are 1 to");
    options.height = 0;
    options.layer = 5;
    FAILS(camcl_session_create(model, &options, &session, &err), CAMCL_BAD_CONFIG, "stages 1..4");
    assert_null(session);
    camcl_session_destroy(&session);
    camcl_session_destroy(NULL);
    camcl_model_close(&model);
    camcl_model_close(NULL);
}

static void calls_that_cannot_be(camcl_device *device, void *context)
{
    float p[3], map[AREA];
    int32_t target = 3;
    (void)context;
    paint();
    camcl_model *model = make_model(device, "0");
    camcl_session *session = open_session(model);
    const camcl_buffer one = { .bytes = bytes, .count = 1 }, both = { bytes, floats, 1 }, neither = { NULL, NULL, 1 };
    FAILS(camcl_session_predict(NULL, &one, p, &err), CAMCL_BAD_CONFIG, "is NULL");
    FAILS(camcl_session_predict(session, NULL, p, &err), CAMCL_BAD_CONFIG, "images is NULL");
    FAILS(camcl_session_predict(session, &one, NULL, &err), CAMCL_BAD_CONFIG, "probabilities is NULL");
    FAILS(camcl_session_predict(session, &both, p, &err), CAMCL_BAD_DATA, "both");
    FAILS(camcl_session_predict(session, &neither, p, &err), CAMCL_BAD_DATA, "neither");
    FAILS(camcl_session_cam(session, &one, NULL, NULL, NULL, NULL, NULL, &err), CAMCL_BAD_CONFIG, "maps is NULL");
    FAILS(camcl_session_cam(session, &one, &target, map, NULL, NULL, NULL, &err), CAMCL_BAD_CONFIG, "class 3 of image 0");
    FAILS(camcl_session_cam(NULL, &one, NULL, map, NULL, NULL, NULL, &err), CAMCL_BAD_CONFIG, "session is NULL");
    target = -1;
    FAILS(camcl_session_cam(session, &one, &target, map, NULL, NULL, NULL, &err), CAMCL_BAD_CONFIG, "class -1 of image 0");
    floats[PAINTED_BYTES + 5] = NAN;
    FAILS(camcl_session_predict(session, &(camcl_buffer){ .floats = floats, .count = 2 }, p, &err), CAMCL_BAD_DATA, "value 5 of image 1");
    /* The model's own calls. */
    const camcl_images empty = { NULL, NULL, 1, S, S, 3 };
    FAILS(camcl_model_predict(model, &empty, p, &err), CAMCL_BAD_DATA, "without pixels");
    FAILS(camcl_model_predict(model, NULL, p, &err), CAMCL_BAD_CONFIG, "images is NULL");
    FAILS(camcl_model_predict(NULL, &empty, p, &err), CAMCL_BAD_CONFIG, "is NULL");
    FAILS(camcl_model_evaluate(model, NULL, NULL, 0, NULL, NULL, &err), CAMCL_BAD_CONFIG, "out is NULL");
    camcl_session_destroy(&session);
    camcl_model_close(&model);
}

#define ON_DEVICES(name)                                                                                                                   \
    static void name##_everywhere(void **state)                                                                                            \
    {                                                                                                                                      \
        (void)state;                                                                                                                       \
        for_each_device(name, NULL);                                                                                                       \
    }
ON_DEVICES(any_number_of_images)
ON_DEVICES(floats_are_like_bytes)
ON_DEVICES(cams_of_chosen_classes)
ON_DEVICES(cams_of_what_speaks_for_the_class)
ON_DEVICES(sessions_that_cannot_be)
ON_DEVICES(calls_that_cannot_be)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_images_everywhere),    cmocka_unit_test(floats_are_like_bytes_everywhere),
        cmocka_unit_test(cams_of_chosen_classes_everywhere),  cmocka_unit_test(cams_of_what_speaks_for_the_class_everywhere),
        cmocka_unit_test(sessions_that_cannot_be_everywhere), cmocka_unit_test(calls_that_cannot_be_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
