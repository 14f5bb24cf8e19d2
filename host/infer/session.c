#include "infer/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "infer/float_images.h"
#include "infer/metric.h"
#include "model/fit.h"
#include "objective/cam.h"

struct cc_session {
    cc_session_spec spec;
    cc_model *model;
    cc_arena *arena; /* its own; NULL: the tape is on the caller's */
    cc_tape *tape;
    cc_resident *images;
    cc_resident *staged;                         /* images in host memory: room for a batch */
    cc_tensor transforms;                        /* [batch,8] i32 */
    cc_tensor placed;                            /* the same with places on the device as sources; the same tensor if those agree */
    cc_transform *chosen, *places;               /* [batch] what transforms and placed hold */
    cc_tensor input;                             /* [batch,S,S,C] of images as floats: what they become is uploaded */
    float *loaded;                               /* [batch,S,S,C] scratch, likewise */
    float *normalise;                            /* [2C] mean and std, likewise */
    uint8_t *gathered;                           /* [batch,height,width,channels], of images in host memory that are chosen by index */
    int32_t *batch_labels;                       /* [batch] scratch */
    float *batch_logits;                         /* [batch,classes] scratch */
    cc_tally *tally;                             /* evaluation */
    cc_tensor logits, labels, sums;              /* evaluation: [batch,classes], [batch] i32, [CC_DEVICE_SUMS] */
    cc_tensor probabilities;                     /* [batch,classes] */
    cc_tensor maps, explained, predicted, asked; /* CAMs: [batch,S,S], [batch] i32 each */
    cc_tensor raw;                               /* CAMs before min-max scaling: [batch,S,S] */
};

size_t cc_session_batch(cc_session_kind kind, size_t n, size_t image_size)
{
    enum { MOST = 250, MOST_EXPLAINED = 32, PIXELS = MOST * 64 * 64 };
    if (kind == CC_SESSION_PROBABILITIES || kind == CC_SESSION_CAMS) return cc_max_size(1, cc_min_size(n, MOST_EXPLAINED));
    return cc_max_size(1, cc_min_size(cc_min_size(n, MOST), PIXELS / (image_size * image_size)));
}

static size_t classes_of(const cc_session *s) { return s->model->graph->spec.classes; }

static cc_rows_desc rows_of(const cc_session *s) { return (cc_rows_desc){ 0, s->spec.batch, classes_of(s) }; }

/* ---- kinds: what is recorded behind the loading of a batch, and read after each run */

static camcl_status record_pass(cc_session *s, cc_tensor images, cc_tensor *logits, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const cc_pass_spec spec = { .batch = s->spec.batch, .height = s->spec.image_size, .width = s->spec.image_size, .frozen_from = 1 };
    cc_pass *pass = NULL;
    CC_TRY(cc_pass_create(s->model->main, s->tape, &spec, &pass, err));
    CC_TRY(cc_pass_forward(pass, images, err));
    *logits = cc_pass_output(pass, cc_pass_last(pass));
cleanup:
    cc_pass_destroy(&pass);
    return status;
}

static camcl_status record_forward(cc_session *s, cc_tensor images, camcl_error *err)
{
    cc_tensor logits;
    return record_pass(s, images, &logits, err);
}

static camcl_status read_nothing(cc_session *s, size_t first, size_t rows, const cc_session_output *out, camcl_error *err)
{
    (void)first;
    (void)rows;
    (void)out;
    return cc_device_finish(s->model->device, err);
}

static camcl_status record_evaluation(cc_session *s, cc_tensor images, camcl_error *err)
{
    const cc_rows_desc rows = rows_of(s);
    CC_RETURN_IF_FAILED(cc_tally_create(rows.classes, &s->tally, err));
    CC_RETURN_IF_FAILED(cc_tensor_create(s->model->device, "sums", CC_F32, CC_DIMS(CC_DEVICE_SUMS), &s->sums, err));
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(s->tape, "labels", CC_I32, CC_DIMS(rows.n), &s->labels, err));
    CC_RETURN_IF_FAILED(cc_resident_labels(s->images, s->tape, rows.n, s->transforms, s->labels, err));
    if (cc_tally_wants_rows(s->tally)) cc_tape_keep(s->tape, s->labels.buffer);
    CC_RETURN_IF_FAILED(CC_NEW(rows.n * rows.classes, &s->batch_logits, err));
    CC_RETURN_IF_FAILED(record_pass(s, images, &s->logits, err));
    cc_tape_keep(s->tape, s->logits.buffer);
    return cc_evaluate_rows(s->tape, &rows, s->logits, s->labels, s->sums, err);
}

static camcl_status read_evaluation(cc_session *s, size_t first, size_t rows, const cc_session_output *out, camcl_error *err)
{
    const float zero[CC_DEVICE_SUMS] = { 0 };
    float sums[CC_DEVICE_SUMS];
    const size_t classes = classes_of(s);
    float *logits = out->logits ? out->logits + first * classes : s->batch_logits;
    CC_RETURN_IF_FAILED(cc_buffer_read(s->sums.buffer, 0, sums, sizeof sums, err));
    CC_RETURN_IF_FAILED(cc_buffer_upload(s->sums.buffer, 0, zero, sizeof zero, err));
    cc_tally_add_sums(s->tally, sums);
    if (out->logits || cc_tally_wants_rows(s->tally))
        CC_RETURN_IF_FAILED(cc_buffer_read(s->logits.buffer, 0, logits, rows * classes * sizeof *logits, err));
    if (!cc_tally_wants_rows(s->tally)) return CAMCL_OK;
    CC_RETURN_IF_FAILED(cc_buffer_read(s->labels.buffer, 0, s->batch_labels, rows * sizeof *s->batch_labels, err));
    cc_tally_add_rows(s->tally, logits, s->batch_labels, rows);
    return CAMCL_OK;
}

static camcl_status record_probabilities(cc_session *s, cc_tensor images, camcl_error *err)
{
    const cc_rows_desc rows = rows_of(s);
    cc_tensor logits;
    CC_RETURN_IF_FAILED(record_pass(s, images, &logits, err));
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(s->tape, "probabilities", CC_F32, CC_DIMS(rows.n, rows.classes), &s->probabilities, err));
    CC_RETURN_IF_FAILED(cc_softmax_forward(s->tape, &rows, logits, s->probabilities, err));
    cc_tape_keep(s->tape, s->probabilities.buffer);
    return CAMCL_OK;
}

static camcl_status read_probabilities(cc_session *s, size_t first, size_t rows, const cc_session_output *out, camcl_error *err)
{
    const size_t classes = classes_of(s);
    return cc_buffer_read(s->probabilities.buffer, 0, out->probabilities + first * classes, rows * classes * sizeof(float), err);
}

static camcl_status record_cams(cc_session *s, cc_tensor images, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const cc_rows_desc rows = rows_of(s);
    const cc_cam_spec spec = {
        .batch = rows.n, .image_size = s->spec.image_size, .layer = s->spec.cam_layer, .relu = s->spec.cam_relu, .forward_only = true
    };
    cc_cam cam = { .pass = NULL };
    if (s->spec.cam_class) CC_TRY(cc_tensor_create(s->model->device, "class to explain", CC_I32, CC_DIMS(rows.n), &s->asked, err));
    CC_TRY(cc_cam_record(&cam, s->model, s->tape, &spec, images, s->asked, err));
    CC_TRY(cc_tensor_on_tape(s->tape, "predicted classes", CC_I32, CC_DIMS(rows.n), &s->predicted, err));
    CC_TRY(cc_argmax_rows(s->tape, &rows, cc_pass_output(cam.pass, cc_pass_last(cam.pass)), s->predicted, err));
    s->maps = cam.map;
    s->raw = cam.resized;
    s->explained = cam.classes;
    cc_tape_keep(s->tape, s->maps.buffer);
    cc_tape_keep(s->tape, s->raw.buffer);
    cc_tape_keep(s->tape, s->explained.buffer);
    cc_tape_keep(s->tape, s->predicted.buffer);
cleanup:
    cc_cam_release(&cam);
    return status;
}

static camcl_status read_cams(cc_session *s, size_t first, size_t rows, const cc_session_output *out, camcl_error *err)
{
    const size_t pixels = s->spec.image_size * s->spec.image_size, bytes = rows * sizeof(int32_t),
                 map_bytes = rows * pixels * sizeof(float);
    CC_RETURN_IF_FAILED(cc_buffer_read(s->maps.buffer, 0, out->maps + first * pixels, map_bytes, err));
    if (out->raw) CC_RETURN_IF_FAILED(cc_buffer_read(s->raw.buffer, 0, out->raw + first * pixels, map_bytes, err));
    if (out->explained) CC_RETURN_IF_FAILED(cc_buffer_read(s->explained.buffer, 0, out->explained + first, bytes, err));
    return out->predicted ? cc_buffer_read(s->predicted.buffer, 0, out->predicted + first, bytes, err) : CAMCL_OK;
}

static const struct {
    const char *name;
    camcl_status (*record)(cc_session *s, cc_tensor images, camcl_error *err);
    camcl_status (*read)(cc_session *s, size_t first, size_t rows, const cc_session_output *out, camcl_error *err);
} kinds[] = {
    [CC_SESSION_FORWARD] = { "inference", record_forward, read_nothing },
    [CC_SESSION_EVALUATION] = { "evaluation", record_evaluation, read_evaluation },
    [CC_SESSION_PROBABILITIES] = { "prediction", record_probabilities, read_probabilities },
    [CC_SESSION_CAMS] = { "Grad-CAM", record_cams, read_cams },
};

/* ---- life */

static camcl_status stage_images(cc_session *s, camcl_error *err)
{
    const cc_session_spec *spec = &s->spec;
    const size_t channels = s->model->graph->spec.channels;
    const cc_resident_spec images = { .count = spec->batch,
                                      .height = spec->height,
                                      .width = spec->width,
                                      .channels = channels,
                                      .mean = spec->mean,
                                      .std = spec->std,
                                      .name = "images" };
    CC_RETURN_IF_FAILED(cc_resident_create(s->model->device, &images, &s->staged, err));
    s->images = s->staged;
    return CAMCL_OK;
}

/* Images as floats are made ready on the host. */
static camcl_status prepare_floats(cc_session *s, camcl_error *err)
{
    const size_t channels = s->model->graph->spec.channels, size = s->spec.image_size;
    CC_RETURN_IF_FAILED(CC_NEW(s->spec.batch * size * size * channels, &s->loaded, err));
    CC_RETURN_IF_FAILED(CC_NEW(2 * channels, &s->normalise, err));
    memcpy(s->normalise, s->spec.mean, channels * sizeof *s->normalise);
    memcpy(s->normalise + channels, s->spec.std, channels * sizeof *s->normalise);
    return CAMCL_OK;
}

/* What a recording made apart from the tape itself. */
static void forget_recording(cc_session *s)
{
    cc_buffer_destroy(&s->input.buffer);
    if (s->placed.buffer != s->transforms.buffer) cc_buffer_destroy(&s->placed.buffer);
    cc_buffer_destroy(&s->transforms.buffer);
    s->placed.buffer = NULL;
    cc_buffer_destroy(&s->sums.buffer);
    cc_buffer_destroy(&s->asked.buffer);
    cc_tally_destroy(&s->tally);
    free(s->batch_logits);
    s->batch_logits = NULL;
}

static camcl_status record(void *context, cc_arena *arena, camcl_error *err)
{
    cc_session *s = context;
    const size_t n = s->spec.batch, size = s->spec.image_size;
    const size_t channels = s->model->graph->spec.channels;
    cc_tensor images;
    forget_recording(s);
    CC_RETURN_IF_FAILED(cc_tape_create(arena, kinds[s->spec.kind].name, &s->tape, err));
    if (s->spec.floats) {
        CC_RETURN_IF_FAILED(cc_tensor_create(s->model->device, "images", CC_F32, CC_DIMS(n, size, size, channels), &s->input, err));
        return kinds[s->spec.kind].record(s, s->input, err);
    }
    CC_RETURN_IF_FAILED(cc_tensor_create(s->model->device, "transforms", CC_I32, CC_DIMS(n, 8), &s->transforms, err));
    s->placed = s->transforms;
    if (!cc_resident_is_whole(s->images))
        CC_RETURN_IF_FAILED(cc_tensor_create(s->model->device, "places of images", CC_I32, CC_DIMS(n, 8), &s->placed, err));
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(s->tape, "images", CC_F32, CC_DIMS(n, size, size, channels), &images, err));
    /* Rows of the batch that are not loaded must hold finite numbers, so the batch starts as zeros. */
    CC_RETURN_IF_FAILED(cc_tape_zero(s->tape, images.buffer, err));
    CC_RETURN_IF_FAILED(cc_resident_load(s->images, s->tape, n, size, CC_WINDOW_WHOLE, s->placed, images, 0, err));
    return kinds[s->spec.kind].record(s, images, err);
}

camcl_status cc_session_create(cc_model *model, const cc_session_spec *spec, cc_resident *images, cc_arena *arena, cc_session **out,
                               camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_session *s = NULL;
    *out = NULL;
    if (spec->batch == 0 || spec->image_size == 0)
        return cc_fail(err, CAMCL_FAILED, "%s: batches of %zu images of side %zu (report this as a defect)", kinds[spec->kind].name,
                       spec->batch, spec->image_size);
    CC_TRY(CC_NEW(1, &s, err));
    s->model = model;
    s->spec = *spec;
    s->images = images;
    CC_TRY(CC_NEW(spec->batch, &s->chosen, err));
    CC_TRY(CC_NEW(spec->batch, &s->places, err));
    CC_TRY(CC_NEW(spec->batch, &s->batch_labels, err));
    if (images == NULL) CC_TRY(spec->floats ? prepare_floats(s, err) : stage_images(s, err));
    if (arena) {
        CC_TRY(record(s, arena, err));
    } else {
        CC_TRY(cc_arena_create(model->device, &s->arena, err));
        CC_TRY(cc_model_commit(model, s->arena, &(cc_recording){ record, NULL, s }, err));
        CC_TRY(cc_model_refresh(model, err));
    }
    *out = s;
    s = NULL;
cleanup:
    cc_session_destroy(&s);
    return status;
}

void cc_session_destroy(cc_session **handle)
{
    cc_session *s = *handle;
    if (s == NULL) return;
    cc_arena_destroy(&s->arena);
    cc_resident_destroy(&s->staged);
    forget_recording(s);
    free(s->chosen);
    free(s->places);
    free(s->loaded);
    free(s->normalise);
    free(s->gathered);
    free(s->batch_labels);
    free(s);
    *handle = NULL;
}

cc_tape *cc_session_tape(const cc_session *s) { return s->tape; }

/* ---- running */

/* The image of row `at` of the input. */
static size_t source_of(const cc_session_input *in, size_t at) { return in->indices ? in->indices[at] : at; }

/* Uploads a batch of images that are in host memory. */
static camcl_status upload_images(cc_session *s, const cc_session_input *in, size_t first, size_t rows, camcl_error *err)
{
    const size_t image = s->spec.height * s->spec.width * cc_resident_channels(s->images);
    const uint8_t *pixels = in->pixels + first * image;
    if (in->indices) {
        if (s->gathered == NULL) CC_RETURN_IF_FAILED(CC_NEW(s->spec.batch * image, &s->gathered, err));
        for (size_t i = 0; i < rows; i++)
            memcpy(s->gathered + i * image, in->pixels + in->indices[first + i] * image, image);
        pixels = s->gathered;
    }
    for (size_t i = 0; i < rows; i++)
        s->batch_labels[i] = in->labels ? in->labels[source_of(in, first + i)] : -1;
    return cc_resident_write(s->staged, rows, pixels, s->batch_labels, err);
}

static camcl_status upload_floats(cc_session *s, const cc_session_input *in, size_t first, size_t rows, camcl_error *err)
{
    const size_t channels = s->model->graph->spec.channels, size = s->spec.image_size;
    const cc_float_images spec = { s->spec.height, s->spec.width, channels, size, s->normalise, s->normalise + channels };
    cc_float_images_load(&spec, rows, in->values + first * spec.height * spec.width * channels, s->loaded);
    return cc_buffer_upload(s->input.buffer, 0, s->loaded, rows * size * size * channels * sizeof *s->loaded, err);
}

/* Has the batch's images on the device, where they are not there all the time, and says where they are. */
static camcl_status place_images(cc_session *s, camcl_error *err)
{
    if (cc_resident_is_whole(s->images)) return CAMCL_OK;
    memcpy(s->places, s->chosen, s->spec.batch * sizeof *s->chosen);
    CC_RETURN_IF_FAILED(cc_resident_place(s->images, s->spec.batch, s->places, err));
    return cc_buffer_upload(s->placed.buffer, 0, s->places, s->spec.batch * sizeof *s->places, err);
}

/* Says which images the batch is made of, unless it is made of the same ones as the last. */
static camcl_status choose_images(cc_session *s, const cc_session_input *in, size_t first, size_t rows, camcl_error *err)
{
    const int32_t size = (int32_t)s->spec.image_size;
    bool changed = false;
    for (size_t i = 0; i < s->spec.batch; i++) {
        const size_t source = s->staged ? i : i < rows ? source_of(in, first + i) : 0;
        const cc_transform t = { i < rows ? (int32_t)source : -1, 0, 0, 0, 0, size, size, 0 };
        changed |= memcmp(&s->chosen[i], &t, sizeof t) != 0;
        s->chosen[i] = t;
    }
    if (changed) CC_RETURN_IF_FAILED(cc_buffer_upload(s->transforms.buffer, 0, s->chosen, s->spec.batch * sizeof *s->chosen, err));
    return place_images(s, err);
}

/* Kernels look indices up unchecked. */
static camcl_status check_run(const cc_session *s, const cc_session_input *in, const cc_session_output *out, camcl_error *err)
{
    const char *name = kinds[s->spec.kind].name;
    if ((s->spec.kind == CC_SESSION_PROBABILITIES && out->probabilities == NULL) || (s->spec.kind == CC_SESSION_CAMS && out->maps == NULL))
        return cc_fail(err, CAMCL_FAILED, "%s: no place for its results (report this as a defect)", name);
    if (s->spec.floats != (in->values != NULL) || (s->spec.floats && in->indices))
        return cc_fail(err, CAMCL_FAILED, "%s: its images are not floats in order (report this as a defect)", name);
    if (s->spec.floats) return CAMCL_OK;
    if ((s->staged != NULL) != (in->pixels != NULL))
        return cc_fail(err, CAMCL_FAILED, "%s: its images are %s (report this as a defect)", name,
                       s->staged ? "missing" : "on the device already");
    const size_t count = cc_resident_count(s->images);
    for (size_t i = 0; s->staged == NULL && i < in->n; i++)
        if (source_of(in, i) >= count)
            return cc_fail(err, CAMCL_FAILED, "%s: image %zu of %zu (report this as a defect)", name, source_of(in, i), count);
    return CAMCL_OK;
}

static camcl_status begin(cc_session *s, camcl_error *err)
{
    const float zero[CC_DEVICE_SUMS] = { 0 };
    if (s->tally == NULL) return CAMCL_OK;
    cc_tally_reset(s->tally);
    return cc_buffer_upload(s->sums.buffer, 0, zero, sizeof zero, err);
}

/* The classes to explain of a batch. Rows without an image explain some class, too. */
static camcl_status ask(cc_session *s, const cc_session_input *in, size_t first, size_t rows, camcl_error *err)
{
    if (!s->spec.cam_class || s->asked.buffer == NULL) return CAMCL_OK;
    for (size_t i = 0; i < s->spec.batch; i++)
        s->batch_labels[i] = in->cam_classes ? (i < rows ? in->cam_classes[first + i] : 0) : in->cam_class;
    return cc_buffer_upload(s->asked.buffer, 0, s->batch_labels, s->spec.batch * sizeof *s->batch_labels, err);
}

static camcl_status bring_batch(cc_session *s, const cc_session_input *in, size_t first, size_t rows, camcl_error *err)
{
    if (s->spec.floats) return upload_floats(s, in, first, rows, err);
    if (s->staged) CC_RETURN_IF_FAILED(upload_images(s, in, first, rows, err));
    return choose_images(s, in, first, rows, err);
}

camcl_status cc_session_run(cc_session *s, const cc_session_input *in, const cc_session_output *out, camcl_error *err)
{
    CC_RETURN_IF_FAILED(check_run(s, in, out, err));
    CC_RETURN_IF_FAILED(begin(s, err));
    for (size_t first = 0; first < in->n; first += s->spec.batch) {
        if (camcl_stop_requested(in->stop)) return cc_fail(err, CAMCL_STOPPED, "evaluation: stopped after %zu of %zu images", first, in->n);
        const size_t rows = cc_min_size(s->spec.batch, in->n - first);
        CC_RETURN_IF_FAILED(bring_batch(s, in, first, rows, err));
        CC_RETURN_IF_FAILED(ask(s, in, first, rows, err));
        CC_RETURN_IF_FAILED(cc_tape_run(s->tape, err));
        CC_RETURN_IF_FAILED(kinds[s->spec.kind].read(s, first, rows, out, err));
    }
    if (s->tally && out->evaluation) cc_tally_evaluate(s->tally, out->evaluation);
    return CAMCL_OK;
}
