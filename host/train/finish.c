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
#include "objective/cam.h"
#include "report/data.h"
#include "train/run.h"

/* ---- CAM pictures */

enum { PICTURES = 16, ENLARGED_SIDE = 192 };

typedef struct cam_pictures {
    cc_arena *arena;
    cc_resident *images;
    cc_tensor transforms;
    cc_cam cam;
    size_t count; /* pictures drawn */
    float *maps;
} cam_pictures;

static void pictures_close(cam_pictures *p)
{
    cc_cam_release(&p->cam);
    cc_arena_destroy(&p->arena);
    cc_buffer_destroy(&p->transforms.buffer);
    cc_resident_destroy(&p->images);
    free(p->maps);
}

/* The first test images, their CAMs computed with the model's weights as they are. */
static camcl_status pictures_compute(cam_pictures *p, cc_run *run, camcl_error *err)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(run->dataset);
    size_t n = p->count, s = run->settings.step.image_size;
    cc_transform host[PICTURES];
    cc_tape *tape;
    cc_tensor images;
    cc_images_spec spec = { camcl_dataset_pixels(run->dataset, CAMCL_TEST_IMAGES),
                            NULL,
                            n,
                            info->height,
                            info->width,
                            info->channels,
                            run->settings.mean,
                            run->settings.std,
                            "images of the gallery" };
    cc_cam_spec cam = { .batch = n,
                        .image_size = s,
                        .layer = run->settings.step.objective.cam_layer,
                        .relu = run->settings.step.objective.cam_relu,
                        .forward_only = true };
    for (size_t i = 0; i < n; i++)
        host[i] = (cc_transform){ (int32_t)i, 0, 0, 0, 0, (int32_t)s, (int32_t)s, 0 };
    CC_RETURN_IF_FAILED(cc_resident_create(run->device, &spec, &p->images, err));
    CC_RETURN_IF_FAILED(cc_tensor_create(run->device, "transforms", CC_I32, CC_DIMS(n, 8), &p->transforms, err));
    CC_RETURN_IF_FAILED(cc_buffer_write(p->transforms.buffer, 0, host, n * sizeof *host, err));
    CC_RETURN_IF_FAILED(cc_arena_create(run->device, &p->arena, err));
    CC_RETURN_IF_FAILED(cc_tape_create(p->arena, "CAM gallery", &tape, err));
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(tape, "images", CC_F32, CC_DIMS(n, s, s, info->channels), &images, err));
    CC_RETURN_IF_FAILED(cc_resident_load(p->images, tape, n, s, p->transforms, images, 0, err));
    CC_RETURN_IF_FAILED(cc_cam_record(&p->cam, run->model, tape, &cam, images, CC_NO_TENSOR, err));
    cc_tape_keep(tape, p->cam.map.buffer);
    CC_RETURN_IF_FAILED(cc_arena_commit(p->arena, err));
    CC_RETURN_IF_FAILED(cc_model_refresh(run->model, err));
    CC_RETURN_IF_FAILED(cc_tape_run(tape, err));
    CC_RETURN_IF_FAILED(CC_NEW(n * s * s, &p->maps, err));
    return cc_buffer_read(p->cam.map.buffer, 0, p->maps, n * s * s * sizeof(float), err);
}

/* The pictures of a run: how many, and where. */
static size_t count_pictures(const cc_run *run)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(run->dataset);
    return info->channels == 1 || info->channels == 3 ? cc_min_size(PICTURES, info->test_count) : 0;
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
    cam_pictures p = { .count = count_pictures(run) };
    size_t pixels = run->settings.step.image_size * run->settings.step.image_size;
    if (p.count == 0) return CAMCL_OK;
    CC_TRY(pictures_compute(&p, run, err));
    CC_TRY(cc_make_folders(cc_run_dir_file(run->dir, CC_RUN_CAMS), err));
    for (size_t i = 0; i < p.count; i++)
        CC_TRY(write_pictures(run, i, p.maps + i * pixels, err));
cleanup:
    pictures_close(&p);
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
    const size_t size = run->settings.step.image_size;
    const camcl_dataset_info *info = camcl_dataset_get_info(run->dataset);
    cc_images_spec spec = { camcl_dataset_pixels(run->dataset, CAMCL_TEST_IMAGES),
                            camcl_dataset_labels(run->dataset, CAMCL_TEST_IMAGES),
                            info->test_count,
                            info->height,
                            info->width,
                            info->channels,
                            run->settings.mean,
                            run->settings.std,
                            "test images" };
    cc_resident *images = NULL;
    cc_arena *arena = NULL;
    cc_evaluator *evaluator = NULL;
    float *logits = NULL;
    CC_TRY(CC_NEW((size_t)info->test_count * info->classes, &logits, err));
    CC_TRY(cc_resident_create(run->device, &spec, &images, err));
    CC_TRY(cc_arena_create(run->device, &arena, err));
    CC_TRY(cc_evaluator_create(run->model, images, size, cc_evaluator_batch(info->test_count, size), arena, &evaluator, err));
    CC_TRY(cc_arena_commit(arena, err));
    CC_TRY(cc_model_refresh(run->model, err));
    CC_TRY(cc_evaluator_run(evaluator, NULL, info->test_count, out, logits, err));
    CC_TRY(write_confusion(run, logits, err));
cleanup:
    cc_arena_destroy(&arena);
    cc_evaluator_destroy(&evaluator);
    cc_resident_destroy(&images);
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
    if (run->state.step != run->settings.schedule.steps) return false;
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
    camcl_status status = cc_run_say(run, err, "test: %s (weights of epoch %llu, validation %.2f %%)", text.failed ? "" : text.data,
                                     (unsigned long long)run->state.best_epoch, run->state.best_score);
    cc_text_free(&text);
    return status;
}

camcl_status cc_run_finish(cc_run *run, camcl_train_result *result, camcl_error *err)
{
    camcl_evaluation test = cc_evaluation_nothing();
    /* The training step's memory is not needed any more, and the test images may need it. */
    cc_arena_destroy(&run->arena);
    cc_step_destroy(&run->step);
    cc_evaluator_destroy(&run->validation);
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
