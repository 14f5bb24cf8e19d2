/* Inference on memory buffers (camcl/session.h). */
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/memory.h"
#include "base/options.h"
#include "camcl/session.h"
#include "infer/float_images.h"
#include "infer/loaded.h"

enum { MOST_BATCH = 4096, USUAL_BATCH = 32, MOST_SIDE = 1 << 15 };

/* What is planned apart from one another. */
typedef enum plan { PREDICT, CAM_OF_ARG_MAX, CAM_OF_TARGET, PLANS } plan;

struct camcl_session {
    camcl_model *model;
    camcl_session_options options;
    size_t image_size;
    float mean[CAMCL_MAX_CHANNELS], std[CAMCL_MAX_CHANNELS];
    cc_session *plans[PLANS][2]; /* of bytes, of floats; NULL until they are needed */
};

static camcl_status complete(const camcl_model_info *info, camcl_session_options *o, camcl_error *err)
{
    if (o->batch == 0) o->batch = USUAL_BATCH;
    if (o->height == 0) o->height = info->image_size;
    if (o->width == 0) o->width = info->image_size;
    if (o->layer == 0) o->layer = info->stages;
    if (o->batch > MOST_BATCH)
        return cc_fail(err, CAMCL_BAD_CONFIG, "session: batches of %zu images (1 to %d can be planned)", o->batch, (int)MOST_BATCH);
    if (o->height > MOST_SIDE || o->width > MOST_SIDE)
        return cc_fail(err, CAMCL_BAD_CONFIG, "session: images of %zu x %zu pixels (sides are 1 to %d)", o->width, o->height,
                       (int)MOST_SIDE);
    if (o->layer > info->stages)
        return cc_fail(err, CAMCL_BAD_CONFIG, "session: layer %zu: %s has stages 1..%zu (choose one of them)", o->layer, info->arch,
                       info->stages);
    return CAMCL_OK;
}

camcl_status camcl_session_create(camcl_model *model, const camcl_session_options *options, camcl_session **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    camcl_session *s = NULL;
    CC_CHECK_GIVEN(out, err);
    *out = NULL;
    CC_CHECK_GIVEN(model, err);
    const camcl_model_info *info = camcl_model_get_info(model);
    CC_TRY(CC_NEW(1, &s, err));
    CC_TRY(CC_TAKE_OPTIONS(camcl_session_options, relu, options, &s->options, err));
    CC_TRY(complete(info, &s->options, err));
    s->model = model;
    s->image_size = info->image_size;
    memcpy(s->mean, info->mean, sizeof s->mean);
    memcpy(s->std, info->std, sizeof s->std);
    *out = s;
    s = NULL;
cleanup:
    camcl_session_destroy(&s);
    return status;
}

void camcl_session_destroy(camcl_session **handle)
{
    if (handle == NULL || *handle == NULL) return;
    for (size_t i = 0; i < PLANS; i++)
        for (size_t k = 0; k < 2; k++)
            cc_session_destroy(&(*handle)->plans[i][k]);
    free(*handle);
    *handle = NULL;
}

/* ---- a call */

static camcl_status check_buffer(const camcl_session *s, const camcl_buffer *images, camcl_error *err)
{
    const size_t values = s->options.height * s->options.width * camcl_model_get_info(s->model)->channels;
    if (images->count == 0) return CAMCL_OK;
    if ((images->bytes != NULL) == (images->floats != NULL))
        return cc_fail(err, CAMCL_BAD_DATA, "images: %s (give one of the two)",
                       images->bytes ? "both bytes and floats are given" : "neither bytes nor floats are given");
    for (size_t i = 0; images->floats && i < images->count; i++) {
        const size_t at = cc_find_not_finite(images->floats + i * values, values);
        if (at < values)
            return cc_fail(err, CAMCL_BAD_DATA, "images: value %zu of image %zu is not finite (0 is black, 1 is white)", at, i);
    }
    return CAMCL_OK;
}

static camcl_status get_plan(camcl_session *s, plan which, const camcl_buffer *images, cc_session **out, camcl_error *err)
{
    cc_session **place = &s->plans[which][images->floats != NULL];
    const cc_session_spec spec = { .kind = which == PREDICT ? CC_SESSION_PROBABILITIES : CC_SESSION_CAMS,
                                   .batch = s->options.batch,
                                   .image_size = s->image_size,
                                   .cam_layer = s->options.layer,
                                   .cam_relu = s->options.relu,
                                   .cam_class = which == CAM_OF_TARGET,
                                   .height = s->options.height,
                                   .width = s->options.width,
                                   .floats = images->floats != NULL,
                                   .mean = s->mean,
                                   .std = s->std };
    if (*place == NULL) CC_RETURN_IF_FAILED(cc_session_create(cc_loaded_network(s->model), &spec, NULL, NULL, place, err));
    *out = *place;
    return CAMCL_OK;
}

static cc_session_input input_of(const camcl_buffer *images)
{
    return (cc_session_input){ .n = images->count, .pixels = images->bytes, .values = images->floats };
}

camcl_status camcl_session_predict(camcl_session *s, const camcl_buffer *images, float *probabilities, camcl_error *err)
{
    cc_session *session;
    CC_CHECK_GIVEN_AS(s, "session", err);
    CC_CHECK_GIVEN(images, err);
    CC_RETURN_IF_FAILED(check_buffer(s, images, err));
    if (images->count == 0) return CAMCL_OK;
    CC_CHECK_GIVEN(probabilities, err);
    CC_RETURN_IF_FAILED(get_plan(s, PREDICT, images, &session, err));
    const cc_session_input input = input_of(images);
    CC_RETURN_IF_FAILED(cc_session_run(session, &input, &(cc_session_output){ .probabilities = probabilities }, err));
    return cc_loaded_check("prediction", probabilities, images->count * camcl_model_get_info(s->model)->classes, err);
}

static camcl_status check_targets(const camcl_session *s, const int32_t *targets, size_t n, camcl_error *err)
{
    const size_t classes = camcl_model_get_info(s->model)->classes;
    for (size_t i = 0; targets && i < n; i++)
        if (targets[i] < 0 || (size_t)targets[i] >= classes)
            return cc_fail(err, CAMCL_BAD_CONFIG, "class %d of image %zu: the model has classes 0..%zu (choose one of them)",
                           (int)targets[i], i, classes - 1);
    return CAMCL_OK;
}

camcl_status camcl_session_cam(camcl_session *s, const camcl_buffer *images, const int32_t *targets, float *maps, float *raw,
                               int32_t *explained, int32_t *predicted, camcl_error *err)
{
    cc_session *session;
    CC_CHECK_GIVEN_AS(s, "session", err);
    CC_CHECK_GIVEN(images, err);
    CC_RETURN_IF_FAILED(check_buffer(s, images, err));
    if (images->count == 0) return CAMCL_OK;
    CC_CHECK_GIVEN(maps, err);
    CC_RETURN_IF_FAILED(check_targets(s, targets, images->count, err));
    CC_RETURN_IF_FAILED(get_plan(s, targets ? CAM_OF_TARGET : CAM_OF_ARG_MAX, images, &session, err));
    cc_session_input input = input_of(images);
    input.cam_classes = targets;
    const cc_session_output output = { .maps = maps, .raw = raw, .explained = explained, .predicted = predicted };
    CC_RETURN_IF_FAILED(cc_session_run(session, &input, &output, err));
    return cc_loaded_check("Grad-CAM", maps, images->count * s->image_size * s->image_size, err);
}
