/* A checkpoint loaded onto a device: evaluation, prediction and Grad-CAM with it (camcl/model.h). */
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/memory.h"
#include "camcl/model.h"
#include "infer/classes.h"
#include "infer/float_images.h"
#include "infer/loaded.h"
#include "infer/session_cache.h"

struct camcl_model {
    camcl_model_info info;
    cc_model_card card;
    cc_model *model;
    cc_session_cache sessions;
};

static camcl_model_info info_of(const camcl_model *m)
{
    const cc_graph *g = m->model->graph;
    camcl_model_info info = { .arch = g->spec.arch,
                              .stem = g->spec.stem,
                              .width = g->spec.width,
                              .classes = g->spec.classes,
                              .channels = g->spec.channels,
                              .image_size = m->card.image_size,
                              .stages = g->stages,
                              .class_names = (const char *const *)m->card.class_names,
                              .step = m->card.step,
                              .dataset = m->card.dataset,
                              .fit = m->card.fit };
    memcpy(info.mean, m->card.mean, sizeof info.mean);
    memcpy(info.std, m->card.std, sizeof info.std);
    for (size_t i = 0; i < g->param_count; i++)
        if (!cc_param_is_statistic(&g->params[i])) info.parameters += g->params[i].count;
    return info;
}

/* The model's card is set. */
static camcl_status load_weights(camcl_model *m, const cc_snapshot *weights, const char *name, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_snapshot_check(weights, m->model->graph, name, err));
    CC_RETURN_IF_FAILED(cc_snapshot_apply(weights, m->model, err));
    m->info = info_of(m);
    return CAMCL_OK;
}

camcl_status cc_loaded_create(camcl_device *device, const cc_model_card *card, const cc_snapshot *weights, const char *name,
                              camcl_model **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    camcl_model *m = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &m, err));
    m->card = *card;
    m->card.class_names = NULL;
    CC_TRY(cc_model_card_set_names(&m->card, (const char *const *)card->class_names, err));
    CC_TRY(cc_model_create(device, &m->card.graph, &m->model, err));
    CC_TRY(load_weights(m, weights, name, err));
    *out = m;
    m = NULL;
cleanup:
    camcl_model_close(&m);
    return status;
}

cc_model *cc_loaded_network(const camcl_model *model) { return model->model; }

camcl_status camcl_model_open(const char *checkpoint, camcl_device *device, camcl_model **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    camcl_model *m = NULL;
    cc_safetensors *file = NULL;
    cc_snapshot weights = { NULL, NULL, 0 };
    CC_CHECK_GIVEN(out, err);
    *out = NULL;
    CC_CHECK_GIVEN(checkpoint, err);
    CC_CHECK_GIVEN(device, err);
    CC_TRY(CC_NEW(1, &m, err));
    CC_TRY(cc_checkpoint_read(checkpoint, &file, &m->card, err));
    CC_TRY(cc_model_create(device, &m->card.graph, &m->model, err));
    CC_TRY(cc_snapshot_from_file(file, "", m->model->graph, &weights, err));
    CC_TRY(load_weights(m, &weights, checkpoint, err));
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
    camcl_model *m = handle ? *handle : NULL;
    if (m == NULL) return;
    cc_session_cache_drop(&m->sessions);
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
    cc_session_cache_drop(&m->sessions);
}

camcl_status camcl_model_labels(const camcl_model *m, const camcl_dataset *dataset, camcl_dataset_part part, int32_t **labels,
                                camcl_error *err)
{
    CC_CHECK_GIVEN_AS(m, "model", err);
    CC_CHECK_GIVEN(dataset, err);
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

/* ---- using it */

static camcl_status check_images(const camcl_model *m, const camcl_images *images, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_check_given(images, "camcl_model", "images", err));
    if (images->channels != m->info.channels)
        return cc_fail(err, CAMCL_BAD_DATA,
                       "images: they have %zu channels, the model takes %zu (give images of the kind that it was trained on)",
                       images->channels, m->info.channels);
    if (images->count == 0 || images->height == 0 || images->width == 0)
        return cc_fail(err, CAMCL_BAD_DATA, "images: %zu of %zu x %zu pixels (give at least one that is not empty)", images->count,
                       images->width, images->height);
    if (images->pixels == NULL) return cc_fail(err, CAMCL_BAD_DATA, "images: %zu without pixels (give their bytes)", images->count);
    return CAMCL_OK;
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

camcl_status cc_loaded_check(const char *what, const float *values, size_t n, camcl_error *err)
{
    if (cc_find_not_finite(values, n) == n) return CAMCL_OK;
    return cc_fail(err, CAMCL_NOT_FINITE,
                   "%s: the network's output is not finite (take weights from before training diverged; check data.mean and data.std)",
                   what);
}

/* A session for n such images; the rest of the spec is set. */
static camcl_status open_session(camcl_model *m, const camcl_images *images, size_t n, cc_session_spec spec, cc_session **out,
                                 camcl_error *err)
{
    spec.image_size = m->info.image_size;
    spec.batch = cc_session_batch(spec.kind, n, spec.image_size);
    spec.height = images->height;
    spec.width = images->width;
    spec.mean = m->info.mean;
    spec.std = m->info.std;
    return cc_session_cache_get(&m->sessions, m->model, &spec, out, err);
}

camcl_status camcl_model_evaluate(camcl_model *m, const camcl_images *images, const uint32_t *indices, size_t n, camcl_evaluation *out,
                                  float *logits, camcl_error *err)
{
    cc_session *session;
    CC_CHECK_GIVEN_AS(m, "model", err);
    CC_CHECK_GIVEN(out, err);
    CC_RETURN_IF_FAILED(check_images(m, images, err));
    if (indices == NULL) n = images->count;
    CC_RETURN_IF_FAILED(check_evaluation(m, images, indices, n, err));
    CC_RETURN_IF_FAILED(open_session(m, images, n, (cc_session_spec){ .kind = CC_SESSION_EVALUATION }, &session, err));
    const cc_session_input input = { .indices = indices, .n = n, .pixels = images->pixels, .labels = images->labels };
    return cc_session_run(session, &input, &(cc_session_output){ .evaluation = out, .logits = logits }, err);
}

camcl_status camcl_model_predict(camcl_model *m, const camcl_images *images, float *probabilities, camcl_error *err)
{
    cc_session *session;
    CC_CHECK_GIVEN_AS(m, "model", err);
    CC_CHECK_GIVEN(probabilities, err);
    CC_RETURN_IF_FAILED(check_images(m, images, err));
    CC_RETURN_IF_FAILED(open_session(m, images, images->count, (cc_session_spec){ .kind = CC_SESSION_PROBABILITIES }, &session, err));
    const cc_session_input input = { .n = images->count, .pixels = images->pixels };
    CC_RETURN_IF_FAILED(cc_session_run(session, &input, &(cc_session_output){ .probabilities = probabilities }, err));
    return cc_loaded_check("prediction", probabilities, images->count * m->info.classes, err);
}

camcl_status camcl_model_cam(camcl_model *m, const camcl_images *images, size_t layer, bool relu, int32_t target, float *maps,
                             int32_t *explained, int32_t *predicted, camcl_error *err)
{
    return camcl_model_cam_raw(m, images, layer, relu, target, maps, NULL, explained, predicted, err);
}

camcl_status camcl_model_cam_raw(camcl_model *m, const camcl_images *images, size_t layer, bool relu, int32_t target, float *maps,
                                 float *raw, int32_t *explained, int32_t *predicted, camcl_error *err)
{
    cc_session *session;
    CC_CHECK_GIVEN_AS(m, "model", err);
    CC_CHECK_GIVEN(maps, err);
    CC_RETURN_IF_FAILED(check_images(m, images, err));
    if (layer < 1 || layer > m->info.stages)
        return cc_fail(err, CAMCL_BAD_CONFIG, "layer %zu: %s has stages 1..%zu (choose one of them)", layer, m->info.arch, m->info.stages);
    if (target >= (int32_t)m->info.classes)
        return cc_fail(err, CAMCL_BAD_CONFIG, "class %d: the model has classes 0..%zu (choose one of them)", (int)target,
                       m->info.classes - 1);
    const cc_session_spec spec = { .kind = CC_SESSION_CAMS, .cam_layer = layer, .cam_relu = relu, .cam_class = target >= 0 };
    CC_RETURN_IF_FAILED(open_session(m, images, images->count, spec, &session, err));
    const cc_session_input input = { .n = images->count, .pixels = images->pixels, .cam_class = target };
    const cc_session_output output = { .maps = maps, .raw = raw, .explained = explained, .predicted = predicted };
    CC_RETURN_IF_FAILED(cc_session_run(session, &input, &output, err));
    return cc_loaded_check("Grad-CAM", maps, images->count * m->info.image_size * m->info.image_size, err);
}
