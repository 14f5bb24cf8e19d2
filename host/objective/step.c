#include "objective/step_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "objective/consistency.h"

/* ---- inputs */

static camcl_status create_inputs(cc_step *step, camcl_error *err)
{
    camcl_device *device = step->model->device;
    const cc_inputs_spec inputs = {
        step->spec.views, step->spec.batch_labeled, uses_unlabeled(step) ? step->spec.batch_unlabeled : 0, step->spec.image_size,
        step->own,        uses_cams(step)
    };
    CC_RETURN_IF_FAILED(cc_inputs_create(device, step->data, &inputs, &step->inputs, err));
    CC_RETURN_IF_FAILED(cc_tensor_create(device, "hyper-parameters", CC_F32, CC_DIMS(HYPER_COUNT), &step->hyper, err));
    for (size_t i = 0; i < sum_count(step); i++)
        CC_RETURN_IF_FAILED(cc_tensor_create(device, "sums", CC_F32, CC_DIMS(SUM_FLOATS), &step->sums[i], err));
    const size_t report = SUM_FLOATS * SUMS_MOST + (uses_unlabeled(step) ? 3 * step->spec.batch_unlabeled : 0);
    CC_RETURN_IF_FAILED(cc_tensor_create(device, "report", CC_F32, CC_DIMS(report), &step->report, err));
    return CC_NEW(step->model->graph->param_count, &step->written, err);
}

static camcl_status create_weights(cc_step *step, camcl_error *err)
{
    camcl_device *device = step->model->device;
    const size_t bytes = step->model->graph->trained * sizeof(float), statistics = step->model->graph->statistics * sizeof(float);
    CC_RETURN_IF_FAILED(cc_buffer_create(device, bytes, "momentum", &step->velocity, err));
    if (has_teacher(step)) {
        CC_RETURN_IF_FAILED(cc_model_create_weights(step->model, "teacher", &step->teacher, err));
        step->average = step->teacher->trained;
    } else if (step->spec.ema > 0) {
        CC_RETURN_IF_FAILED(cc_buffer_create(device, bytes, "EMA of the weights", &step->average, err));
    }
    if (step->average == NULL) return CAMCL_OK;
    return cc_buffer_create(device, statistics, "EMA of the running statistics", &step->average_statistics, err);
}

static camcl_status create_state(cc_step *step, camcl_error *err)
{
    const cc_objective_kind *kind = step->spec.objective.kind;
    const cc_objective_sizes sizes = cc_step_sizes(step);
    for (size_t i = 0; i < kind->state_count; i++) {
        const cc_objective_state *s = &kind->states[i];
        const size_t count = s->count(&sizes);
        void *values = NULL;
        CC_RETURN_IF_FAILED(cc_tensor_create(step->model->device, s->name, s->dtype, CC_DIMS(count), &step->state[i], err));
        const size_t bytes = cc_tensor_bytes(&step->state[i]);
        CC_RETURN_IF_FAILED(cc_calloc(bytes, 1, &values, err));
        if (s->initialise) s->initialise(&sizes, values);
        const camcl_status status = cc_buffer_write(step->state[i].buffer, 0, values, bytes, err);
        free(values);
        CC_RETURN_IF_FAILED(status);
    }
    return CAMCL_OK;
}

static camcl_status image_tensor(cc_step *step, const char *name, size_t rows, cc_tensor *out, camcl_error *err)
{
    size_t s = step->spec.image_size;
    return cc_tensor_on_tape(step->tape, name, CC_F32, CC_DIMS(rows, s, s, cc_resident_channels(step->data)), out, err);
}

/* Loads the views into rows of one tensor (joint) or into one tensor each. */
static camcl_status record_images(cc_step *step, camcl_error *err)
{
    const size_t b = step->own.labeled, u = step->own.unlabeled;
    const size_t row[CC_VIEW_COUNT] = { 0, weak_is_joint(step) ? b : 0, first_strong_row(step, b, u) };
    if (is_joint(step)) {
        CC_RETURN_IF_FAILED(image_tensor(step, "images", row[CC_VIEW_STRONG] + u, &step->images[CC_VIEW_LABELED], err));
        step->images[CC_VIEW_WEAK] = step->images[CC_VIEW_STRONG] = step->images[CC_VIEW_LABELED];
    } else {
        CC_RETURN_IF_FAILED(image_tensor(step, "labelled images", b, &step->images[CC_VIEW_LABELED], err));
        if (u) CC_RETURN_IF_FAILED(image_tensor(step, "strong views", u, &step->images[CC_VIEW_STRONG], err));
    }
    if (u && !weak_is_joint(step)) CC_RETURN_IF_FAILED(image_tensor(step, "weak views", u, &step->images[CC_VIEW_WEAK], err));
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(step->tape, "labels", CC_I32, CC_DIMS(step->spec.batch_labeled), &step->labels, err));
    CC_RETURN_IF_FAILED(cc_inputs_load_labeled(&step->inputs, step->tape, step->images[CC_VIEW_LABELED], row[CC_VIEW_LABELED], err));
    CC_RETURN_IF_FAILED(cc_inputs_labels(&step->inputs, step->tape, step->labels, err));
    if (u == 0) return CAMCL_OK;
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(step->tape, "hidden labels", CC_I32, CC_DIMS(step->spec.batch_unlabeled), &step->truth, err));
    CC_RETURN_IF_FAILED(cc_inputs_load_weak(&step->inputs, step->tape, step->images[CC_VIEW_WEAK], row[CC_VIEW_WEAK], err));
    CC_RETURN_IF_FAILED(cc_inputs_hidden_labels(&step->inputs, step->tape, step->truth, err));
    return cc_inputs_load_strong(&step->inputs, step->tape, step->images[CC_VIEW_WEAK], row[CC_VIEW_WEAK], step->images[CC_VIEW_STRONG],
                                 row[CC_VIEW_STRONG], err);
}

/* ---- losses */

static cc_device_scalar sum(const cc_step *step, int which, size_t index) { return (cc_device_scalar){ step->sums[which].buffer, index }; }

/* The divisor of L_u and L_c: the number of confident images, or of all unlabelled images. */
static cc_device_scalar denominator(const cc_step *step) { return sum(step, SUMS_CONFIDENCE, step->spec.objective.whole_batch ? 2 : 0); }

/* Leaves the logits of the whole batch. rows, own_rows: of the batch, and of the device's part of it. */
static camcl_status record_forward(cc_step *step, cc_view view, cc_weights *weights, size_t rows, size_t own_rows, camcl_error *err)
{
    const size_t size = step->spec.image_size;
    const cc_pass_spec spec = { .batch = own_rows, .height = size, .width = size, .train = true, .whole_batch = step->shared ? rows : 0 };
    CC_RETURN_IF_FAILED(cc_pass_create(weights, step->tape, &spec, &step->passes[view], err));
    CC_RETURN_IF_FAILED(cc_pass_forward(step->passes[view], step->images[view], err));
    const cc_tensor own = cc_pass_output(step->passes[view], cc_pass_last(step->passes[view]));
    return cc_step_gather_logits(step, view, own, &step->views.logits[view], err);
}

/* The targets of the unlabelled images, from the weak rows of `logits` on. */
static camcl_status record_targets(cc_step *step, size_t row0, cc_tensor logits, camcl_error *err)
{
    cc_objective_scope *scope = &step->scope;
    *scope = (cc_objective_scope){ .tape = step->tape,
                                   .options = &step->spec.objective,
                                   .sizes = cc_step_sizes(step),
                                   .threshold = { step->hyper.buffer, HYPER_THRESHOLD },
                                   .lowest = { step->hyper.buffer, HYPER_LOWEST },
                                   .alpha = { step->hyper.buffer, HYPER_ALPHA },
                                   .truth = step->truth,
                                   .transforms = step->inputs.all[CC_VIEW_WEAK],
                                   .weak = { logits, row0 },
                                   .confidence_sums = step->sums[SUMS_CONFIDENCE],
                                   .loss_sums = step->sums[SUMS_U],
                                   .sums = &step->sums[SUMS_OWN],
                                   .state = step->state,
                                   .denominator = denominator(step) };
    CC_RETURN_IF_FAILED(step->spec.objective.kind->targets(scope, err));
    step->views.pseudo = scope->pseudo;
    step->views.mask = scope->weight;
    return CAMCL_OK;
}

/* The weak views in a pass of their own, and the targets. */
static camcl_status record_weak(cc_step *step, camcl_error *err)
{
    cc_weights *weights = has_teacher(step) ? step->teacher : step->model->main;
    CC_RETURN_IF_FAILED(record_forward(step, CC_VIEW_WEAK, weights, step->spec.batch_unlabeled, step->own.unlabeled, err));
    return record_targets(step, 0, step->views.logits[CC_VIEW_WEAK], err);
}

static camcl_status record_labeled_loss(cc_step *step, cc_tensor logits, cc_tensor dlogits, camcl_error *err)
{
    cc_rows_desc rows = { 0, step->spec.batch_labeled, step->model->graph->spec.classes };
    CC_RETURN_IF_FAILED(cc_cross_entropy_forward(step->tape, &rows, logits, step->labels, CC_NO_TENSOR, step->sums[SUMS_S], err));
    return cc_cross_entropy_backward(step->tape, &rows, logits, step->labels, CC_NO_TENSOR, 1, sum(step, SUMS_S, 1), dlogits, err);
}

static camcl_status record_unlabeled_loss(cc_step *step, size_t row0, cc_tensor logits, cc_tensor dlogits, camcl_error *err)
{
    step->scope.strong = (cc_view_logits){ logits, row0 };
    step->scope.dlogits = dlogits;
    return step->spec.objective.kind->loss(&step->scope, err);
}

static camcl_status logits_gradient(cc_step *step, size_t rows, cc_tensor *out, camcl_error *err)
{
    return cc_tensor_on_tape(step->tape, "gradient of the logits", CC_F32, CC_DIMS(rows, step->model->graph->spec.classes), out, err);
}

static camcl_status record_backward(cc_step *step, cc_view view, cc_tensor dlogits, camcl_error *err)
{
    cc_pass *pass = step->passes[view];
    cc_tensor own;
    CC_RETURN_IF_FAILED(cc_step_own_rows(step, view, dlogits, &own, err));
    cc_pass_set_gradient(pass, cc_pass_last(pass), own);
    return cc_pass_backward(pass, cc_pass_last(pass), 0, step->written, err);
}

/* One pass over [labelled; weak; strong], or with a teacher over [labelled; strong]. The logits of the weak rows get no gradient, but their
 * activations do, because all rows share the batch statistics. */
static camcl_status record_joint(cc_step *step, camcl_error *err)
{
    const size_t b = step->spec.batch_labeled, u = step->spec.batch_unlabeled, strong = first_strong_row(step, b, u), rows = strong + u;
    const size_t own_rows = first_strong_row(step, step->own.labeled, step->own.unlabeled) + step->own.unlabeled;
    cc_tensor dlogits;
    if (has_teacher(step)) CC_RETURN_IF_FAILED(record_weak(step, err));
    CC_RETURN_IF_FAILED(record_forward(step, CC_VIEW_LABELED, step->model->main, rows, own_rows, err));
    cc_tensor logits = step->views.logits[CC_VIEW_STRONG] = step->views.logits[CC_VIEW_LABELED];
    if (!has_teacher(step)) {
        step->views.logits[CC_VIEW_WEAK] = logits;
        CC_RETURN_IF_FAILED(record_targets(step, b, logits, err));
    }
    CC_RETURN_IF_FAILED(logits_gradient(step, rows, &dlogits, err));
    CC_RETURN_IF_FAILED(cc_tape_zero(step->tape, dlogits.buffer, err));
    CC_RETURN_IF_FAILED(record_labeled_loss(step, logits, dlogits, err));
    CC_RETURN_IF_FAILED(record_unlabeled_loss(step, strong, logits, dlogits, err));
    return record_backward(step, CC_VIEW_LABELED, dlogits, err);
}

/* A pass for each view. The backward pass follows as soon as its loss is known, so that its activations can be freed. The result is the
 * same as with one backward pass at the end: the weights do not change before the update, and gradients are sums. */
static camcl_status record_separate(cc_step *step, camcl_error *err)
{
    size_t b = step->spec.batch_labeled, u = step->spec.batch_unlabeled;
    cc_tensor dlogits;
    CC_RETURN_IF_FAILED(record_forward(step, CC_VIEW_LABELED, step->model->main, b, step->own.labeled, err));
    CC_RETURN_IF_FAILED(logits_gradient(step, b, &dlogits, err));
    CC_RETURN_IF_FAILED(record_labeled_loss(step, step->views.logits[CC_VIEW_LABELED], dlogits, err));
    CC_RETURN_IF_FAILED(record_backward(step, CC_VIEW_LABELED, dlogits, err));
    if (!uses_unlabeled(step)) return CAMCL_OK;
    CC_RETURN_IF_FAILED(record_weak(step, err));
    CC_RETURN_IF_FAILED(record_forward(step, CC_VIEW_STRONG, step->model->main, u, step->own.unlabeled, err));
    CC_RETURN_IF_FAILED(logits_gradient(step, u, &dlogits, err));
    CC_RETURN_IF_FAILED(record_unlabeled_loss(step, 0, step->views.logits[CC_VIEW_STRONG], dlogits, err));
    return record_backward(step, CC_VIEW_STRONG, dlogits, err);
}

/* ---- Grad-CAM consistency */

/* Returns the rows of one unlabelled view as a tensor of its own. */
static camcl_status view_of(cc_step *step, cc_view view, cc_tensor *out, camcl_error *err)
{
    const size_t b = step->own.labeled, u = step->own.unlabeled;
    const bool joint = view == CC_VIEW_WEAK ? weak_is_joint(step) : is_joint(step);
    *out = step->images[view];
    if (!joint) return CAMCL_OK;
    CC_RETURN_IF_FAILED(image_tensor(step, view == CC_VIEW_WEAK ? "weak views" : "strong views", u, out, err));
    size_t bytes = cc_tensor_bytes(out), row0 = view == CC_VIEW_STRONG ? first_strong_row(step, b, u) : b;
    return cc_tape_copy(step->tape, step->images[CC_VIEW_LABELED].buffer, row0 * (bytes / u), out->buffer, 0, bytes, err);
}

static camcl_status record_consistency(cc_step *step, camcl_error *err)
{
    cc_consistency_maps maps;
    if (has_teacher(step))
        CC_RETURN_IF_FAILED(cc_tape_copy(step->tape, step->model->main->statistics, 0, step->teacher->statistics, 0,
                                         step->model->graph->statistics * sizeof(float), err));
    cc_consistency_spec spec = { .options = &step->spec.objective,
                                 .target_weights = has_teacher(step) ? step->teacher : step->model->main,
                                 .batch = step->own.unlabeled,
                                 .image_size = step->spec.image_size,
                                 .between = step->inputs.between,
                                 .denominator = denominator(step),
                                 .sums = step->sums[SUMS_C] };
    CC_RETURN_IF_FAILED(cc_step_own_images(step, "own pseudo-labels", step->scope.pseudo, &spec.pseudo, err));
    CC_RETURN_IF_FAILED(cc_step_own_images(step, "own weights", step->scope.weight, &spec.weight, err));
    CC_RETURN_IF_FAILED(view_of(step, CC_VIEW_WEAK, &spec.weak, err));
    CC_RETURN_IF_FAILED(view_of(step, CC_VIEW_STRONG, &spec.strong, err));
    CC_RETURN_IF_FAILED(cc_consistency_record(step->model, step->tape, &spec, step->written, &maps, err));
    step->views.cam_weak = maps.weak;
    step->views.cam_target = maps.target;
    step->views.cam_strong = maps.strong;
    return CAMCL_OK;
}

/* ---- update and report */

/* average = ema * average + (1 - ema) * values. The running statistics are averaged as the weights are: those of the latest weights would
 * not fit the averaged ones. (Public code of FixMatch has batch norms of momentum 0.001, which move as slowly as the average.) */
static camcl_status record_average(cc_step *step, camcl_error *err)
{
    const cc_model *m = step->model;
    const size_t count = m->graph->trained, statistics = m->graph->statistics;
    const cc_tensor w = { m->main->trained, CC_F32, 1, { count } }, s = { m->main->statistics, CC_F32, 1, { statistics } },
                    average = { step->average, CC_F32, 1, { count } }, average_s = { step->average_statistics, CC_F32, 1, { statistics } };
    CC_RETURN_IF_FAILED(cc_ema_update(step->update, count, step->spec.ema, w, average, err));
    return cc_ema_update(step->update, statistics, step->spec.ema, s, average_s, err);
}

static camcl_status record_update(cc_step *step, camcl_error *err)
{
    cc_model *m = step->model;
    size_t count = m->graph->trained;
    cc_sgd_desc sgd = { count, step->spec.momentum, step->spec.weight_decay, step->spec.nesterov };
    cc_tensor grad = { m->gradients, CC_F32, 1, { count } }, w = { m->main->trained, CC_F32, 1, { count } },
              v = { step->velocity, CC_F32, 1, { count } };
    CC_RETURN_IF_FAILED(cc_sgd_update(step->update, &sgd, (cc_device_scalar){ step->hyper.buffer, HYPER_LR }, grad, w, v, err));
    return step->average ? record_average(step, err) : CAMCL_OK;
}

static camcl_status record_report(cc_step *step, camcl_error *err)
{
    const cc_tensor *const rows[] = { &step->scope.pseudo, &step->scope.weight, &step->truth };
    const size_t bytes = step->spec.batch_unlabeled * sizeof(float);
    for (size_t i = 0; i < sum_count(step); i++)
        CC_RETURN_IF_FAILED(cc_tape_copy(step->tape, step->sums[i].buffer, 0, step->report.buffer, i * SUM_BYTES, SUM_BYTES, err));
    for (size_t i = 0; i < CC_COUNT(rows) && cc_step_has_pseudo_labels(step); i++)
        CC_RETURN_IF_FAILED(cc_tape_copy(step->tape, rows[i]->buffer, 0, step->report.buffer, REPORTED_SUMS_BYTES + i * bytes, bytes, err));
    return CAMCL_OK;
}

static void keep_views(cc_step *step)
{
    const cc_step_views *v = &step->views;
    const cc_tensor all[] = { v->logits[CC_VIEW_LABELED],
                              v->logits[CC_VIEW_WEAK],
                              v->logits[CC_VIEW_STRONG],
                              v->pseudo,
                              v->mask,
                              v->cam_weak,
                              v->cam_target,
                              v->cam_strong };
    for (size_t i = 0; i < CC_COUNT(all); i++)
        if (all[i].buffer) cc_tape_keep(step->tape, all[i].buffer);
}

static camcl_status record(cc_step *step, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    CC_TRY(record_images(step, err));
    CC_TRY(is_joint(step) ? record_joint(step, err) : record_separate(step, err));
    if (uses_cams(step)) CC_TRY(record_consistency(step, err));
    if (step->shared) CC_TRY(cc_step_share(step, err));
    CC_TRY(record_report(step, err));
    CC_TRY(record_update(step, err));
    if (step->spec.inspect) keep_views(step);
cleanup:
    for (int i = 0; i < 3; i++)
        cc_pass_destroy(&step->passes[i]);
    return status;
}

camcl_status cc_step_create(cc_model *model, cc_resident *data, const cc_step_spec *spec, cc_arena *arena, cc_step **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_step *step = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &step, err));
    step->model = model;
    step->data = data;
    step->spec = *spec;
    step->shared = spec->own.labeled > 0;
    step->own = step->shared ? spec->own : (cc_part){ 0, spec->batch_labeled, 0, spec->batch_unlabeled };
    if (!uses_unlabeled(step)) step->own.unlabeled = 0;
    CC_TRY(cc_tape_create(arena, "training step", &step->tape, err));
    CC_TRY(cc_tape_create(arena, "update", &step->update, err));
    CC_TRY(create_inputs(step, err));
    CC_TRY(create_weights(step, err));
    CC_TRY(create_state(step, err));
    CC_TRY(record(step, err));
    if (step->teacher) CC_TRY(cc_weights_record_packing(step->teacher, err));
    *out = step;
    step = NULL;
cleanup:
    cc_step_destroy(&step);
    return status;
}

void cc_step_destroy(cc_step **handle)
{
    cc_step *step = *handle;
    if (step == NULL) return;
    cc_inputs_release(&step->inputs);
    for (int i = 0; i < SUMS_MOST; i++)
        cc_buffer_destroy(&step->sums[i].buffer);
    for (int i = 0; i < CC_MOST_OBJECTIVE_STATES; i++)
        cc_buffer_destroy(&step->state[i].buffer);
    cc_buffer_destroy(&step->hyper.buffer);
    cc_buffer_destroy(&step->report.buffer);
    cc_buffer_destroy(&step->velocity);
    if (!step->teacher) cc_buffer_destroy(&step->average);
    cc_buffer_destroy(&step->average_statistics);
    cc_weights_destroy(&step->teacher);
    free(step->written);
    free(step);
    *handle = NULL;
}
