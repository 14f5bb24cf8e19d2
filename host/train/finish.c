/* What a run leaves at its end: the test set's verdict, CAM pictures, the report page. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/evaluation.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "camcl/image.h"
#include "report/data.h"
#include "train/run.h"

enum { ENLARGED_SIDE = 192 };

/* A session for test images of the run, recorded with the model's weights as they are; the rest of the spec is set. */
static camcl_status open_session(const cc_run *run, cc_session_spec spec, cc_session **out, camcl_error *err)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(run->dataset);
    spec.image_size = run->settings.step.image_size;
    spec.height = info->height;
    spec.width = info->width;
    spec.mean = run->settings.mean;
    spec.std = run->settings.std;
    return cc_session_create(run->model, &spec, NULL, NULL, out, err);
}

/* ---- CAM pictures */

/* maps [n,S,S]: CAMs of the first n test images. */
static camcl_status compute_cams(const cc_run *run, size_t n, float *maps, camcl_error *err)
{
    const cc_session_spec spec = { .kind = CC_SESSION_CAMS,
                                   .batch = n,
                                   .cam_layer = run->settings.step.objective.cam_layer,
                                   .cam_relu = run->settings.step.objective.cam_relu };
    const cc_session_input images = { .n = n, .pixels = camcl_dataset_pixels(run->dataset, CAMCL_TEST_IMAGES) };
    cc_session *session;
    CC_RETURN_IF_FAILED(open_session(run, spec, &session, err));
    camcl_status status = cc_session_run(session, &images, &(cc_session_output){ .maps = maps }, err);
    cc_session_destroy(&session);
    return status;
}

/* The pictures of a run: how many, and where. */
static size_t count_pictures(const cc_run *run)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(run->dataset);
    return info->channels == 1 || info->channels == 3 ? cc_min_size(CC_GALLERY_IMAGES, info->test_count) : 0;
}

static camcl_status picture_path(const cc_run *run, size_t i, const char *what, char **path, camcl_error *err)
{
    char name[48];
    snprintf(name, sizeof name, "%05zu_%s.png", i, what);
    return cc_path_join(cc_run_dir_file(run->dir, CC_RUN_CAMS), name, path, err);
}

static camcl_status write_png(const cc_run *run, size_t i, const char *what, const camcl_image *image, camcl_error *err)
{
    char *path = NULL;
    camcl_status status = picture_path(run, i, what, &path, err);
    if (status == CAMCL_OK) status = camcl_image_write_png(path, image, err);
    free(path);
    return status;
}

/* One plane of bytes, enlarged: pixels of a data set are only read. */
static camcl_status enlarge(const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels, camcl_image *out, camcl_error *err)
{
    uint32_t factor = ENLARGED_SIDE / width > 1 ? ENLARGED_SIDE / width : 1;
    camcl_image small = { width, height, channels, (uint8_t *)(uintptr_t)pixels };
    return camcl_image_enlarge(&small, factor, out, err);
}

/* NNNNN_image.png, _overlay.png and, where the data set knows its objects, _mask.png, enlarged so that people can see something. */
static camcl_status write_pictures(const cc_run *run, size_t i, const float *map, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const camcl_dataset_info *info = camcl_dataset_get_info(run->dataset);
    const uint8_t *masks = camcl_dataset_masks(run->dataset, CAMCL_TEST_IMAGES);
    size_t area = (size_t)info->height * info->width;
    uint32_t s = (uint32_t)run->settings.step.image_size;
    camcl_image image = CAMCL_IMAGE_INIT, overlay = CAMCL_IMAGE_INIT, mask = CAMCL_IMAGE_INIT;
    CC_TRY(enlarge(camcl_dataset_pixels(run->dataset, CAMCL_TEST_IMAGES) + i * area * info->channels, info->width, info->height,
                   info->channels, &image, err));
    CC_TRY(camcl_image_overlay(&image, map, s, s, 0.5f, &overlay, err));
    CC_TRY(write_png(run, i, "image", &image, err));
    CC_TRY(write_png(run, i, "overlay", &overlay, err));
    if (masks) {
        CC_TRY(enlarge(masks + i * area, info->width, info->height, 1, &mask, err));
        CC_TRY(write_png(run, i, "mask", &mask, err));
    }
cleanup:
    camcl_image_free(&image);
    camcl_image_free(&overlay);
    camcl_image_free(&mask);
    return status;
}

camcl_status cc_run_write_cams(cc_run *run, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const size_t n = count_pictures(run), pixels = run->settings.step.image_size * run->settings.step.image_size;
    float *maps = NULL;
    if (n == 0) return CAMCL_OK;
    CC_TRY(CC_NEW(n * pixels, &maps, err));
    CC_TRY(compute_cams(run, n, maps, err));
    CC_TRY(cc_make_folders(cc_run_dir_file(run->dir, CC_RUN_CAMS), err));
    for (size_t i = 0; i < n; i++)
        CC_TRY(write_pictures(run, i, maps + i * pixels, err));
cleanup:
    free(maps);
    if (status == CAMCL_UNSUPPORTED) return cc_run_say(run, err, "no CAM pictures: %s", err ? err->message : "PNG support is not built in");
    return status;
}

/* ---- the test set */

static camcl_status write_confusion(cc_run *run, const float *logits, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const camcl_dataset_info *info = camcl_dataset_get_info(run->dataset);
    const int32_t *labels = camcl_dataset_labels(run->dataset, CAMCL_TEST_IMAGES);
    uint64_t *counts = NULL;
    CC_TRY(CC_NEW((size_t)info->classes * info->classes, &counts, err));
    for (size_t i = 0; i < info->test_count; i++) {
        const float *row = logits + i * info->classes;
        size_t best = 0;
        for (size_t c = 1; c < info->classes; c++)
            if (row[c] > row[best]) best = c;
        counts[(size_t)labels[i] * info->classes + best]++;
    }
    CC_TRY(cc_confusion_write(cc_run_dir_file(run->dir, CC_RUN_CONFUSION), info->classes, camcl_dataset_class_names(run->dataset), counts,
                              err));
cleanup:
    free(counts);
    return status;
}

/* The model holds the best weights. */
static camcl_status evaluate_test(cc_run *run, camcl_evaluation *out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const camcl_dataset_info *info = camcl_dataset_get_info(run->dataset);
    const size_t n = info->test_count;
    const cc_session_spec spec = { .kind = CC_SESSION_EVALUATION,
                                   .batch = cc_session_batch(CC_SESSION_EVALUATION, n, run->settings.step.image_size) };
    const cc_session_input images = { .n = n,
                                      .pixels = camcl_dataset_pixels(run->dataset, CAMCL_TEST_IMAGES),
                                      .labels = camcl_dataset_labels(run->dataset, CAMCL_TEST_IMAGES) };
    cc_session *session = NULL;
    float *logits = NULL;
    CC_TRY(CC_NEW(n * info->classes, &logits, err));
    CC_TRY(open_session(run, spec, &session, err));
    CC_TRY(cc_session_run(session, &images, &(cc_session_output){ .evaluation = out, .logits = logits }, err));
    CC_TRY(write_confusion(run, logits, err));
cleanup:
    cc_session_destroy(&session);
    free(logits);
    return status;
}

static cc_result result_of(const cc_run *run, const camcl_evaluation *test, double seconds)
{
    const camcl_config *c = run->config;
    cc_result r = cc_result_nothing();
    r.best_epoch = (double)run->state.best_epoch;
    r.best_val_top1 = run->state.best_score;
    r.test = *test;
    r.seconds = seconds;
    snprintf(r.device, sizeof r.device, "%s", camcl_device_get_info(run->device)->name);
    snprintf(r.mode, sizeof r.mode, "%s", camcl_config_string(c, "ssl.mode"));
    snprintf(r.arch, sizeof r.arch, "%s", camcl_config_string(c, "model.arch"));
    snprintf(r.preset, sizeof r.preset, "%s", camcl_config_string(c, "ssl.preset"));
    r.width = (double)run->model->graph->spec.width;
    r.labeled = (double)run->split.labeled_count;
    r.unlabeled = run->unlabeled ? (double)run->split.unlabeled_count : 0;
    return r;
}

/* ---- the end */

/* Whether this build can write PNG. Without libpng, a finished run has no pictures. */
static bool writes_png(void)
{
    uint8_t pixel = 0, *data = NULL;
    size_t size;
    const camcl_image image = { 1, 1, 1, &pixel };
    const camcl_status status = camcl_image_encode_png(&image, &data, &size, NULL);
    free(data);
    return status != CAMCL_UNSUPPORTED;
}

static bool has_pictures(const cc_run *run)
{
    static const char *const what[] = { "image", "overlay", "mask" };
    const size_t count = writes_png() ? count_pictures(run) : 0;
    const size_t kinds = camcl_dataset_masks(run->dataset, CAMCL_TEST_IMAGES) ? 3 : 2;
    for (size_t i = 0; i < count * kinds; i++) {
        char *path = NULL;
        bool has = picture_path(run, i / kinds, what[i % kinds], &path, NULL) == CAMCL_OK && cc_file_exists(path);
        free(path);
        if (!has) return false;
    }
    return true;
}

bool cc_run_is_finished(const cc_run *run)
{
    static const cc_run_file files[] = { CC_RUN_RESULT, CC_RUN_REPORT, CC_RUN_CONFIG, CC_RUN_SPLITS };
    if (run->state.step != run->loop.schedule.steps) return false;
    for (size_t i = 0; i < CC_COUNT(files); i++)
        if (!cc_run_dir_has(run->dir, files[i])) return false;
    if (camcl_dataset_get_info(run->dataset)->test_count && !cc_run_dir_has(run->dir, CC_RUN_CONFUSION)) return false;
    return has_pictures(run) && cc_run_has_models(run);
}

/* Adds the metrics of this unit that the number of classes allows, one behind the other. */
static void add_values(cc_text *text, const camcl_evaluation *test, camcl_unit unit, size_t classes)
{
    size_t count;
    const camcl_metric *metrics = camcl_metric_list(&count);
    for (size_t i = 0; i < count; i++) {
        if (metrics[i].unit != unit || classes <= metrics[i].trivial_classes) continue;
        cc_text_add(text, unit == CAMCL_PERCENT ? "%s%s %.2f %%" : "%s%s %.4f", text->length ? ", " : "", metrics[i].label,
                    test->values[i]);
    }
}

static camcl_status say_test(cc_run *run, const camcl_evaluation *test, camcl_error *err)
{
    cc_text text = CC_TEXT_INIT;
    add_values(&text, test, CAMCL_PERCENT, run->model->graph->spec.classes);
    add_values(&text, test, CAMCL_NATS, run->model->graph->spec.classes);
    char score[48] = "no validation images";
    if (run->counts.validation) snprintf(score, sizeof score, "validation %.2f %%", run->state.best_score);
    camcl_status status = cc_run_say(run, err, "test: %s (weights of epoch %llu, %s)", text.failed ? "" : text.data,
                                     (unsigned long long)run->state.best_epoch, score);
    cc_text_free(&text);
    return status;
}

camcl_status cc_run_finish(cc_run *run, camcl_train_result *result, camcl_error *err)
{
    camcl_evaluation test = cc_evaluation_nothing();
    /* The training step's memory is not needed any more, and the test images may need it. */
    cc_arena_destroy(&run->arena);
    cc_step_destroy(&run->step);
    cc_session_destroy(&run->validation);
    cc_resident_destroy(&run->train_images);
    CC_RETURN_IF_FAILED(cc_snapshot_apply(&run->state.best, run->model, err));
    if (camcl_dataset_get_info(run->dataset)->test_count) CC_RETURN_IF_FAILED(evaluate_test(run, &test, err));
    CC_RETURN_IF_FAILED(cc_run_write_cams(run, err));
    double seconds = run->state.seconds + cc_seconds() - run->started;
    const cc_result written = result_of(run, &test, seconds);
    CC_RETURN_IF_FAILED(cc_report_write_with(cc_run_dir_path(run->dir), &written, err));
    CC_RETURN_IF_FAILED(cc_result_write(cc_run_dir_file(run->dir, CC_RUN_RESULT), &written, err));
    *result = (camcl_train_result){
        .best_epoch = run->state.best_epoch, .best_val_top1 = run->state.best_score, .test = test, .seconds = seconds
    };
    return say_test(run, &test, err);
}
