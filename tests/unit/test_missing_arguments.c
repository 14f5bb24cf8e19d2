/* Every public function that can fail, without an argument that it needs: it says which, and touches nothing. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "camcl/camcl.h"
#include "support/scratch.h"

static camcl_error err;

/* The call lacks `argument`; its function is named in front of it. */
#define LACKS(argument, function, ...)                                                                                                     \
    do {                                                                                                                                   \
        memset(&err, 0, sizeof err);                                                                                                       \
        const camcl_status got_ = function(__VA_ARGS__);                                                                                   \
        if (got_ != CAMCL_BAD_CONFIG || strcmp(err.message, #function ": " argument " is NULL (give one)") != 0)                           \
            fail_msg("%s without %s: %s, \"%s\"", #function, argument, camcl_status_name(got_), err.message);                              \
    } while (0)

/* Something that is not NULL, and that nobody may look into. */
#define SOME(type) ((type *)(uintptr_t)16)

static void configurations(void **state)
{
    camcl_config *config = NULL;
    char *text = NULL;
    (void)state;
    LACKS("config", camcl_config_create, NULL, &err);
    LACKS("config", camcl_config_copy, NULL, &config, &err);
    assert_null(config);
    assert_int_equal(camcl_config_create(&config, &err), CAMCL_OK);
    LACKS("out", camcl_config_copy, config, NULL, &err);
    LACKS("path", camcl_config_load, config, NULL, &err);
    LACKS("config", camcl_config_load, NULL, "x", &err);
    LACKS("path", camcl_config_load_run, config, NULL, &err);
    LACKS("config", camcl_config_set, NULL, "optim.lr", "1", NULL, &err);
    LACKS("key", camcl_config_set, config, NULL, "1", NULL, &err);
    LACKS("value", camcl_config_set, config, "optim.lr", NULL, NULL, &err);
    LACKS("argument", camcl_config_override, config, NULL, &err);
    LACKS("config", camcl_config_finish, NULL, &err);
    LACKS("config", camcl_config_write, NULL, &text, &err);
    LACKS("text", camcl_config_write, config, NULL, &err);
    LACKS("text", camcl_config_describe, config, NULL, &err);
    LACKS("text", camcl_config_reference, NULL, &err);
    LACKS("saved", camcl_config_check_resume, NULL, config, &err);
    LACKS("wanted", camcl_config_check_resume, config, NULL, &err);
    LACKS("path", camcl_config_default_dir, NULL, &text, &err);
    LACKS("path", camcl_path_expand, NULL, &text, &err);
    assert_null(text);
    camcl_config_destroy(&config);
    camcl_config_destroy(&config);
    camcl_config_destroy(NULL);
}

static void devices(void **state)
{
    size_t count;
    camcl_device_info *infos = NULL;
    camcl_peak peak;
    camcl_tune_result tuned;
    camcl_selftest_result checked;
    camcl_step_time time;
    camcl_step_profile profile;
    camcl_device **list = NULL;
    (void)state;
    LACKS("infos", camcl_device_list, NULL, &count, &err);
    LACKS("count", camcl_device_list, &infos, NULL, &err);
    LACKS("selector", camcl_device_select, NULL, 0, NULL, &count, &err);
    LACKS("index", camcl_device_select, NULL, 0, "auto", NULL, &err);
    LACKS("device", camcl_device_open, NULL, NULL, &err);
    LACKS("devices", camcl_device_open_all, NULL, NULL, &count, &err);
    LACKS("count", camcl_device_open_all, NULL, &list, NULL, &err);
    LACKS("devices", camcl_bench_step_together, NULL, 1, SOME(camcl_config), "infer", 1, &time, &err);
    LACKS("config", camcl_bench_step_together, (camcl_device *const[]){ SOME(camcl_device) }, 1, NULL, "infer", 1, &time, &err);
    LACKS("device", camcl_bench_peak, NULL, &peak, &err);
    LACKS("out", camcl_bench_peak, SOME(camcl_device), NULL, &err);
    LACKS("config", camcl_bench_step, SOME(camcl_device), NULL, "infer", 1, &time, &err);
    LACKS("name", camcl_bench_step, SOME(camcl_device), SOME(camcl_config), NULL, 1, &time, &err);
    LACKS("out", camcl_bench_ops, SOME(camcl_device), SOME(camcl_config), "infer", NULL, &err);
    LACKS("device", camcl_bench_ops, NULL, SOME(camcl_config), "infer", &profile, &err);
    LACKS("config", camcl_tune, SOME(camcl_device), NULL, NULL, &tuned, &err);
    LACKS("result", camcl_tune, SOME(camcl_device), SOME(camcl_config), NULL, NULL, &err);
    LACKS("device", camcl_selftest, NULL, NULL, NULL, NULL, &checked, &err);
    LACKS("result", camcl_selftest, SOME(camcl_device), NULL, NULL, NULL, NULL, &err);
    camcl_device *none = NULL;
    camcl_device_close(&none);
    camcl_device_close(NULL);
    camcl_device_close_all(NULL, 0);
    camcl_device_close_all(&list, 0);
}

static void data(void **state)
{
    camcl_dataset_part part;
    uint32_t *indices = NULL;
    int32_t *labels = NULL;
    size_t count;
    camcl_picture_list *list = NULL;
    uint8_t pixel;
    (void)state;
    LACKS("out", camcl_dataset_open, SOME(camcl_dataset_spec), NULL, &err);
    LACKS("splits", camcl_split_check, NULL, CAMCL_SPLIT_TEST, NULL, 0, &err);
    LACKS("indices", camcl_split_check, "splits.json", CAMCL_SPLIT_TEST, NULL, 1, &err);
    LACKS("config", camcl_split_indices, NULL, SOME(camcl_dataset), CAMCL_SPLIT_TEST, &part, &indices, &count, &err);
    LACKS("dataset", camcl_split_indices, SOME(camcl_config), NULL, CAMCL_SPLIT_TEST, &part, &indices, &count, &err);
    LACKS("count", camcl_split_indices, SOME(camcl_config), SOME(camcl_dataset), CAMCL_SPLIT_TEST, &part, &indices, NULL, &err);
    LACKS("model", camcl_model_labels, NULL, SOME(camcl_dataset), CAMCL_TEST_IMAGES, &labels, &err);
    LACKS("dataset", camcl_model_labels, SOME(camcl_model), NULL, CAMCL_TEST_IMAGES, &labels, &err);
    LACKS("paths", camcl_pictures_list, NULL, 1, &list, &err);
    LACKS("out", camcl_pictures_list, SOME(const char *), 1, NULL, &err);
    LACKS("errors", camcl_pictures_read, SOME(const char *), 1, 8, CAMCL_FIT_CROP, 3, &pixel, NULL, &err);
    camcl_breakdown breakdown;
    LACKS("out", camcl_breakdown_make, SOME(const float), SOME(const int32_t), NULL, 1, 2, NULL, &err);
    LACKS("logits", camcl_breakdown_make, NULL, SOME(const int32_t), NULL, 1, 2, &breakdown, &err);
    LACKS("labels", camcl_breakdown_make, SOME(const float), NULL, NULL, 1, 2, &breakdown, &err);
    LACKS("spec", camcl_fetch, NULL, &err);
    camcl_fetch_spec nothing;
    camcl_fetch_spec_init(&nothing);
    assert_int_equal(camcl_fetch(&nothing, &err), CAMCL_BAD_CONFIG);
    LACKS("checkpoint", camcl_export_onnx, NULL, "x", &err);
    LACKS("path", camcl_export_onnx, "x", NULL, &err);
    LACKS("run_dirs", camcl_report_write, NULL, 1, NULL, &err);
    camcl_pictures_free(&list);
    camcl_pictures_free(NULL);
    camcl_dataset_close(NULL);
}

static void models(void **state)
{
    camcl_model *model = NULL;
    camcl_evaluation e;
    float values[1];
    int32_t classes[1];
    (void)state;
    LACKS("checkpoint", camcl_model_open, NULL, SOME(camcl_device), &model, &err);
    LACKS("device", camcl_model_open, "x", NULL, &model, &err);
    LACKS("out", camcl_model_open, "x", SOME(camcl_device), NULL, &err);
    LACKS("model", camcl_model_evaluate, NULL, SOME(camcl_images), NULL, 0, &e, NULL, &err);
    LACKS("out", camcl_model_evaluate, SOME(camcl_model), SOME(camcl_images), NULL, 0, NULL, NULL, &err);
    LACKS("model", camcl_model_predict, NULL, SOME(camcl_images), values, &err);
    LACKS("probabilities", camcl_model_predict, SOME(camcl_model), SOME(camcl_images), NULL, &err);
    LACKS("model", camcl_model_cam_raw, NULL, SOME(camcl_images), 1, false, -1, values, NULL, classes, classes, &err);
    LACKS("maps", camcl_model_cam_raw, SOME(camcl_model), SOME(camcl_images), 1, false, -1, NULL, NULL, classes, classes, &err);
    assert_int_equal(camcl_model_cam(NULL, SOME(camcl_images), 1, false, -1, values, classes, classes, &err), CAMCL_BAD_CONFIG);
    assert_null(model);
    camcl_model_close(NULL);
}

static void pictures(void **state)
{
    camcl_image image = CAMCL_IMAGE_INIT, out = CAMCL_IMAGE_INIT;
    uint8_t *bytes = NULL;
    float map = 0;
    (void)state;
    assert_int_equal(camcl_image_create(1, 1, 3, &image, &err), CAMCL_OK);
    LACKS("out", camcl_image_create, 1, 1, 3, NULL, &err);
    LACKS("path", camcl_image_read, NULL, &out, &err);
    LACKS("out", camcl_image_read, "x", NULL, &err);
    LACKS("data", camcl_image_decode, NULL, 1, "x", &out, &err);
    LACKS("path", camcl_image_read_fit, NULL, 8, CAMCL_FIT_CROP, &out, &err);
    LACKS("out", camcl_image_probe, "x", NULL, &err);
    LACKS("image", camcl_image_scale, NULL, 8, 8, &out, &err);
    LACKS("out", camcl_image_fit, &image, 8, CAMCL_FIT_PAD, NULL, &err);
    LACKS("path", camcl_image_write_png, NULL, &image, &err);
    LACKS("size", camcl_image_encode_png, &image, &bytes, NULL, &err);
    LACKS("image", camcl_image_resize, NULL, 8, 8, &out, &err);
    LACKS("out", camcl_image_enlarge, &image, 2, NULL, &err);
    LACKS("map", camcl_image_from_map, NULL, 1, 1, &out, &err);
    LACKS("map", camcl_image_overlay, &image, NULL, 1, 1, 0.5f, &out, &err);
    LACKS("image", camcl_image_overlay, NULL, &map, 1, 1, 0.5f, &out, &err);
    assert_true(out.pixels == NULL && bytes == NULL);
    camcl_image_free(&image);
}

/* ---- none is forgotten */

static bool is_tested(const char *sources, const char *function)
{
    char call[128];
    snprintf(call, sizeof call, ", %s,", function); /* LACKS("x", camcl_f, ... */
    if (strstr(sources, call)) return true;
    snprintf(call, sizeof call, "%s(NULL, ", function);
    return strstr(sources, call) != NULL;
}

/* Whether a declaration of this function has no pointer but the error, so that nothing can be missing. */
static bool needs_nothing(const char *declaration, const char *end)
{
    size_t stars = 0;
    for (; declaration < end; declaration++)
        stars += *declaration == '*';
    return stars <= 1;
}

/* Functions that return a status, by the headers, are called somewhere in these tests without something. */
static void no_function_is_left_out(void **state)
{
    static const char *const tests[] = { "test_missing_arguments", "test_trainer", "test_buffers" };
    char *sources = calloc(1, 1 << 20);
    size_t functions = 0;
    (void)state;
    assert_non_null(sources);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        char path[128];
        size_t size;
        snprintf(path, sizeof path, "tests/unit/%s.c", tests[i]);
        char *text = scratch_read(path, &size);
        assert_non_null(text);
        strcat(sources, text);
        free(text);
    }
    DIR *headers = opendir("include/camcl");
    assert_non_null(headers);
    for (struct dirent *entry; (entry = readdir(headers)) != NULL;) {
        char path[512];
        size_t size;
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "include/camcl/%s", entry->d_name);
        char *text = scratch_read(path, &size);
        assert_non_null(text);
        for (char *at = text; (at = strstr(at, "\ncamcl_status camcl_")) != NULL;) {
            char name[96];
            at += strlen("\ncamcl_status ");
            snprintf(name, sizeof name, "%.*s", (int)strcspn(at, "("), at);
            functions++;
            if (!needs_nothing(at, strchr(at, ';')) && !is_tested(sources, name) && strcmp(name, "camcl_stop_create") != 0 &&
                strcmp(name, "camcl_dataset_from_memory") != 0)
                fail_msg("%s: no test calls it without an argument", name);
        }
        free(text);
    }
    closedir(headers);
    assert_true(functions > 50);
    free(sources);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configurations), cmocka_unit_test(devices), cmocka_unit_test(data),
        cmocka_unit_test(pictures),       cmocka_unit_test(models),  cmocka_unit_test(no_function_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
