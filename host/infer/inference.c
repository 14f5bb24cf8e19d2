/* Evaluation, prediction and Grad-CAM with a checkpoint. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "camcl/model.h"
#include "dataset/split.h"
#include "objective/cam.h"
#include "run/checkpoint.h"
#include "infer/classes.h"
#include "infer/evaluator.h"
#include "run/settings.h"

enum { CAM_BATCH = 32 };

struct camcl_model {
    camcl_model_info info;
    cc_model_card card;
    cc_model *model;
};

camcl_status camcl_model_open(const char *checkpoint, camcl_device *device, camcl_model **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    camcl_model *m = NULL;
    cc_safetensors *file = NULL;
    cc_snapshot weights = { NULL, NULL, 0 };
    *out = NULL;
    CC_TRY(CC_NEW(1, &m, err));
    CC_TRY(cc_checkpoint_read(checkpoint, &file, &m->card, err));
    CC_TRY(cc_model_create(device, &m->card.graph, &m->model, err));
    CC_TRY(cc_snapshot_from_file(file, "", m->model->graph, &weights, err));
    CC_TRY(cc_snapshot_check(&weights, m->model->graph, checkpoint, err));
    CC_TRY(cc_snapshot_apply(&weights, m->model, err));
    const cc_graph *g = m->model->graph;
    m->info = (camcl_model_info){ .arch = g->spec.arch,
                                  .stem = g->spec.stem,
                                  .width = g->spec.width,
                                  .classes = g->spec.classes,
                                  .channels = g->spec.channels,
                                  .image_size = m->card.image_size,
                                  .stages = g->stages,
                                  .class_names = (const char *const *)m->card.class_names,
                                  .step = m->card.step,
                                  .dataset = m->card.dataset };
    memcpy(m->info.mean, m->card.mean, sizeof m->info.mean);
    memcpy(m->info.std, m->card.std, sizeof m->info.std);
    for (size_t i = 0; i < g->param_count; i++)
        if (!cc_param_is_statistic(&g->params[i])) m->info.parameters += g->params[i].count;
    *out = m;
    m = NULL;
cleanup:
    cc_safetensors_free(&file);
    cc_snapshot_free(&weights);
    camcl_model_close(&m);
    return status;
}

void camcl_model_close(camcl_model **handle)
{
    camcl_model *m = *handle;
    if (m == NULL) return;
    cc_model_destroy(&m->model);
    cc_model_card_free(&m->card);
    free(m);
    *handle = NULL;
}

const camcl_model_info *camcl_model_get_info(const camcl_model *model) { return &model->info; }

void camcl_model_set_input(camcl_model *m, const float *mean, const float *std, size_t image_size)
{
    if (mean) memcpy(m->info.mean, mean, m->info.channels * sizeof *mean);
    if (std) memcpy(m->info.std, std, m->info.channels * sizeof *std);
    if (image_size) m->info.image_size = image_size;
}

camcl_status camcl_model_labels(const camcl_model *m, const camcl_dataset *dataset, camcl_dataset_part part, int32_t **labels,
                                camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    const cc_classes theirs = { camcl_dataset_class_names(dataset), info->classes }, ours = { m->info.class_names, m->info.classes };
    const int32_t *given = camcl_dataset_labels(dataset, part);
    const size_t count = part == CAMCL_TEST_IMAGES ? info->test_count : info->train_count;
    int32_t *map = NULL, *mapped = NULL;
    if (labels) *labels = NULL;
    if (info->channels != m->info.channels)
        return cc_fail(err, CAMCL_BAD_DATA, "%s: it has %u channels, the model %zu (set data.dataset to what the model was trained on)",
                       info->name, (unsigned)info->channels, m->info.channels);
    CC_TRY(CC_NEW(theirs.count, &map, err));
    CC_TRY(cc_classes_match(&theirs, &ours, info->name, map, err));
    if (labels == NULL) goto cleanup;
    CC_TRY(CC_NEW(count, &mapped, err));
    for (size_t i = 0; i < count; i++)
        mapped[i] = given[i] < 0 ? given[i] : map[given[i]];
    *labels = mapped;
cleanup:
    free(map);
    return status;
}

static camcl_status make_resident(const camcl_model *m, const camcl_images *images, cc_resident **out, camcl_error *err)
{
    if (images->channels != m->info.channels)
        return cc_fail(err, CAMCL_BAD_DATA,
                       "images: they have %zu channels, the model takes %zu (give images of the kind that it was trained on)",
                       images->channels, m->info.channels);
    if (images->count == 0 || images->height == 0 || images->width == 0)
        return cc_fail(err, CAMCL_BAD_DATA, "images: %zu of %zu x %zu pixels (give at least one that is not empty)", images->count,
                       images->width, images->height);
    cc_images_spec spec = { images->pixels,   images->labels, images->count, images->height, images->width,
                            images->channels, m->info.mean,   m->info.std,   "images" };
    return cc_resident_create(m->model->device, &spec, out, err);
}

/* Kernels look these up unchecked. */
static camcl_status check_evaluation(const camcl_model *m, const camcl_images *images, const uint32_t *indices, size_t n, camcl_error *err)
{
    for (size_t i = 0; indices && i < n; i++)
        if (indices[i] >= images->count)
            return cc_fail(err, CAMCL_BAD_DATA, "evaluation: index %u of %zu images (choose from 0 on)", (unsigned)indices[i],
                           images->count);
    for (size_t i = 0; images->labels && i < images->count; i++)
        if (images->labels[i] >= (int32_t)m->info.classes)
            return cc_fail(err, CAMCL_BAD_DATA,
                           "evaluation: label %d of image %zu: the model has classes 0..%zu (use the data that it was trained for)",
                           (int)images->labels[i], i, m->info.classes - 1);
    return CAMCL_OK;
}

camcl_status camcl_model_evaluate(camcl_model *m, const camcl_images *images, const uint32_t *indices, size_t n, camcl_evaluation *out,
                                  float *logits, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_resident *resident = NULL;
    cc_arena *arena = NULL;
    cc_evaluator *evaluator = NULL;
    if (indices == NULL) n = images->count;
    CC_TRY(check_evaluation(m, images, indices, n, err));
    CC_TRY(make_resident(m, images, &resident, err));
    CC_TRY(cc_arena_create(m->model->device, &arena, err));
    CC_TRY(cc_evaluator_create(m->model, resident, m->info.image_size, cc_evaluator_batch(n, m->info.image_size), arena, &evaluator, err));
    CC_TRY(cc_arena_commit(arena, err));
    CC_TRY(cc_model_refresh(m->model, err));
    CC_TRY(cc_evaluator_run(evaluator, indices, n, out, logits, err));
cleanup:
    cc_arena_destroy(&arena);
    cc_evaluator_destroy(&evaluator);
    cc_resident_destroy(&resident);
    return status;
}

typedef struct image_batch {
    cc_resident *resident;
    cc_arena *arena;
    cc_tape *tape;
    cc_tensor transforms, images; /* [batch,8] i32, [batch,S,S,C] */
    size_t batch, size;
} image_batch;

static void batch_close(image_batch *b)
{
    cc_arena_destroy(&b->arena);
    cc_buffer_destroy(&b->transforms.buffer);
    cc_resident_destroy(&b->resident);
}

static camcl_status batch_open(image_batch *b, const camcl_model *m, const camcl_images *images, const char *name, camcl_error *err)
{
    size_t s = m->info.image_size;
    b->batch = cc_max_size(1, cc_min_size(images->count, CAM_BATCH));
    b->size = s;
    CC_RETURN_IF_FAILED(make_resident(m, images, &b->resident, err));
    CC_RETURN_IF_FAILED(cc_tensor_create(m->model->device, "transforms", CC_I32, CC_DIMS(b->batch, 8), &b->transforms, err));
    CC_RETURN_IF_FAILED(cc_arena_create(m->model->device, &b->arena, err));
    CC_RETURN_IF_FAILED(cc_tape_create(b->arena, name, &b->tape, err));
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(b->tape, "images", CC_F32, CC_DIMS(b->batch, s, s, m->info.channels), &b->images, err));
    CC_RETURN_IF_FAILED(cc_tape_zero(b->tape, b->images.buffer, err));
    return cc_resident_load(b->resident, b->tape, b->batch, s, b->transforms, b->images, 0, err);
}

/* Runs the tape on images first, first + 1, ...; rows behind the last image are blank. */
static camcl_status batch_run(image_batch *b, size_t first, size_t count, camcl_error *err)
{
    cc_transform host[CAM_BATCH];
    for (size_t i = 0; i < b->batch; i++)
        host[i] = (cc_transform){ first + i < count ? (int32_t)(first + i) : -1, 0, 0, 0, 0, (int32_t)b->size, (int32_t)b->size, 0 };
    CC_RETURN_IF_FAILED(cc_buffer_upload(b->transforms.buffer, 0, host, b->batch * sizeof *host, err));
    return cc_tape_run(b->tape, err);
}

/* Finite weights may be so large that what comes out is not: such a picture has no answer. */
static camcl_status check_finite(const char *what, const float *values, size_t n, camcl_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(values[i]))
            return cc_fail(
                err, CAMCL_NOT_FINITE,
                "%s: the network's output is not finite (take weights from before training diverged; check data.mean and data.std)", what);
    return CAMCL_OK;
}

camcl_status camcl_model_predict(camcl_model *m, const camcl_images *images, float *probabilities, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    image_batch b = { .resident = NULL };
    cc_pass *pass = NULL;
    cc_tensor p;
    size_t classes = m->info.classes;
    CC_TRY(batch_open(&b, m, images, "prediction", err));
    cc_pass_spec spec = { b.batch, b.size, b.size, false, 1 };
    cc_rows_desc rows = { 0, b.batch, classes };
    CC_TRY(cc_pass_create(m->model->main, b.tape, &spec, &pass, err));
    CC_TRY(cc_pass_forward(pass, b.images, err));
    CC_TRY(cc_tensor_on_tape(b.tape, "probabilities", CC_F32, CC_DIMS(b.batch, classes), &p, err));
    CC_TRY(cc_softmax_forward(b.tape, &rows, cc_pass_output(pass, cc_pass_last(pass)), p, err));
    cc_tape_keep(b.tape, p.buffer);
    CC_TRY(cc_arena_commit(b.arena, err));
    CC_TRY(cc_model_refresh(m->model, err));
    for (size_t first = 0; first < images->count; first += b.batch) {
        const size_t values = cc_min_size(b.batch, images->count - first) * classes;
        CC_TRY(batch_run(&b, first, images->count, err));
        CC_TRY(cc_buffer_read(p.buffer, 0, probabilities + first * classes, values * sizeof(float), err));
        CC_TRY(check_finite("prediction", probabilities + first * classes, values, err));
    }
cleanup:
    cc_pass_destroy(&pass);
    batch_close(&b);
    return status;
}

static camcl_status read_cams(const image_batch *b, const cc_cam *cam, cc_tensor predicted, size_t first, size_t count, float *maps,
                              int32_t *explained, int32_t *arg_max, camcl_error *err)
{
    size_t rows = cc_min_size(b->batch, count - first), pixels = b->size * b->size;
    CC_RETURN_IF_FAILED(cc_buffer_read(cam->map.buffer, 0, maps + first * pixels, rows * pixels * sizeof(float), err));
    CC_RETURN_IF_FAILED(check_finite("Grad-CAM", maps + first * pixels, rows * pixels, err));
    CC_RETURN_IF_FAILED(cc_buffer_read(cam->classes.buffer, 0, explained + first, rows * sizeof(int32_t), err));
    return cc_buffer_read(predicted.buffer, 0, arg_max + first, rows * sizeof(int32_t), err);
}

camcl_status camcl_model_cam(camcl_model *m, const camcl_images *images, size_t layer, bool relu, int32_t target, float *maps,
                             int32_t *explained, int32_t *predicted, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    image_batch b = { .resident = NULL };
    cc_cam cam = { .pass = NULL };
    cc_tensor classes = CC_NO_TENSOR, arg_max;
    int32_t wanted[CAM_BATCH];
    if (target >= (int32_t)m->info.classes)
        return cc_fail(err, CAMCL_BAD_CONFIG, "class %d: the model has classes 0..%zu (choose one of them)", (int)target,
                       m->info.classes - 1);
    CC_TRY(batch_open(&b, m, images, "Grad-CAM", err));
    cc_rows_desc rows = { 0, b.batch, m->info.classes };
    if (target >= 0) {
        for (size_t i = 0; i < b.batch; i++)
            wanted[i] = target;
        CC_TRY(cc_tensor_create(m->model->device, "class to explain", CC_I32, CC_DIMS(b.batch), &classes, err));
        CC_TRY(cc_buffer_write(classes.buffer, 0, wanted, b.batch * sizeof *wanted, err));
    }
    cc_cam_spec spec = { .batch = b.batch, .image_size = b.size, .layer = layer, .relu = relu, .forward_only = true };
    CC_TRY(cc_cam_record(&cam, m->model, b.tape, &spec, b.images, classes, err));
    CC_TRY(cc_tensor_on_tape(b.tape, "predicted classes", CC_I32, CC_DIMS(b.batch), &arg_max, err));
    CC_TRY(cc_argmax_rows(b.tape, &rows, cc_pass_output(cam.pass, cc_pass_last(cam.pass)), arg_max, err));
    cc_tape_keep(b.tape, cam.map.buffer);
    cc_tape_keep(b.tape, cam.classes.buffer);
    cc_tape_keep(b.tape, arg_max.buffer);
    CC_TRY(cc_arena_commit(b.arena, err));
    CC_TRY(cc_model_refresh(m->model, err));
    for (size_t first = 0; first < images->count; first += b.batch) {
        CC_TRY(batch_run(&b, first, images->count, err));
        CC_TRY(read_cams(&b, &cam, arg_max, first, images->count, maps, explained, predicted, err));
    }
cleanup:
    cc_cam_release(&cam);
    batch_close(&b);
    cc_buffer_destroy(&classes.buffer);
    return status;
}

camcl_status camcl_split_indices(const camcl_config *config, const camcl_dataset *dataset, camcl_split split, camcl_dataset_part *part,
                                 uint32_t **indices, size_t *count, camcl_error *err)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    cc_split pools;
    if (split == CAMCL_SPLIT_TEST) {
        *part = CAMCL_TEST_IMAGES;
        *count = info->test_count;
        CC_RETURN_IF_FAILED(CC_NEW(*count, indices, err));
        for (size_t i = 0; i < *count; i++)
            (*indices)[i] = (uint32_t)i;
        return CAMCL_OK;
    }
    cc_split_spec spec = cc_split_spec_from(config);
    CC_RETURN_IF_FAILED(
        cc_split_make(camcl_dataset_labels(dataset, CAMCL_TRAIN_IMAGES), info->train_count, info->classes, &spec, &pools, err));
    uint32_t **pool = split == CAMCL_SPLIT_VALIDATION ? &pools.validation : &pools.labeled;
    *part = CAMCL_TRAIN_IMAGES;
    *count = split == CAMCL_SPLIT_VALIDATION ? pools.validation_count : pools.labeled_count;
    *indices = *pool;
    *pool = NULL;
    cc_split_free(&pools);
    return CAMCL_OK;
}
