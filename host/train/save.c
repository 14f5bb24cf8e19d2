/* Saving and restoring a run. A save writes the state first. best.safetensors and last.safetensors are derived from the state, so a resume
 * writes them again if the process was killed, or the disk was full, before both of them were saved. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "config/written.h"
#include "run/data_identity.h"
#include "run/state_check.h"
#include "train/run.h"

/* What the kernel plan and with it the bits depend on. */
void cc_run_identify_device(const camcl_device *device, char *text, size_t size)
{
    const camcl_device_info *info = camcl_device_get_info(device);
    snprintf(text, size, "%s | %s | %s | conv = %s", info->platform, info->name, info->driver, cc_device_conv(device));
}

static camcl_status read_flat(cc_buffer *buffer, size_t n, float **out, camcl_error *err)
{
    if (*out == NULL) CC_RETURN_IF_FAILED(CC_NEW(n, out, err));
    return cc_buffer_read(buffer, 0, *out, n * sizeof **out, err);
}

static cc_run_shape shape_of(const cc_run *run)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(run->dataset);
    const cc_step_spec *step = &run->settings.step;
    return (cc_run_shape){ run->model->graph,
                           step->ema > 0,
                           step->objective.kind,
                           { info->classes, step->batch_labeled, step->batch_unlabeled, info->train_count, step->pool } };
}

static camcl_status gather_weights(cc_run *run, camcl_error *err)
{
    cc_run_state *s = &run->state;
    const cc_graph *g = run->model->graph;
    CC_RETURN_IF_FAILED(
        cc_snapshot_take(&s->now, run->model, (int64_t)(s->step * cc_step_train_passes(&run->settings.step.objective)), err));
    /* The loss was finite, but the update that followed may have overflowed. */
    CC_RETURN_IF_FAILED(cc_run_check_finite(run, "the weights", s->now.weights, g->trained, err));
    CC_RETURN_IF_FAILED(cc_run_check_finite(run, "the running statistics", s->now.statistics, g->statistics, err));
    if (cc_step_average(run->step) == NULL) return CAMCL_OK;
    if (cc_run_averages_statistics(run))
        CC_RETURN_IF_FAILED(read_flat(cc_step_average_statistics(run->step), g->statistics, &s->average.statistics, err));
    s->average.batches = s->now.batches;
    return read_flat(cc_step_average(run->step), g->trained, &s->average.weights, err);
}

/* Everything that is on the device or in the configuration into run->state. */
static camcl_status gather(cc_run *run, camcl_error *err)
{
    cc_run_state *s = &run->state;
    const cc_graph *g = run->model->graph;
    const cc_run_shape shape = shape_of(run);
    char device[640];
    CC_RETURN_IF_FAILED(gather_weights(run, err));
    CC_RETURN_IF_FAILED(read_flat(cc_step_velocity(run->step), g->trained, &s->velocity, err));
    CC_RETURN_IF_FAILED(cc_run_state_take_objective(s, &shape, run->step, err));
    free(s->plan);
    free(s->device);
    free(s->config);
    free(s->data);
    free(s->team);
    s->plan = s->device = s->config = s->data = s->team = NULL;
    cc_run_identify_device(run->device, device, sizeof device);
    CC_RETURN_IF_FAILED(cc_plan_format(&run->model->plan, &s->plan, err));
    CC_RETURN_IF_FAILED(cc_copy_text(device, &s->device, err));
    CC_RETURN_IF_FAILED(cc_copy_text(run->data, &s->data, err));
    if (run->team.plans) CC_RETURN_IF_FAILED(cc_copy_text(run->team.plans, &s->team, err));
    return camcl_config_write(run->config, &s->config, err);
}

/* ---- what is derived from the state */

/* The content of last.safetensors: the average, if there is one. Borrows the state's memory. */
static cc_snapshot last_model(const cc_run_state *s)
{
    cc_snapshot last = s->now;
    if (s->average.weights) last.weights = s->average.weights;
    if (s->average.statistics) last.statistics = s->average.statistics;
    return last;
}

static camcl_status write_models(cc_run *run, camcl_error *err)
{
    const cc_run_state *s = &run->state;
    const cc_snapshot last = last_model(s);
    run->card.step = s->step;
    CC_RETURN_IF_FAILED(cc_checkpoint_write(cc_run_dir_file(run->dir, CC_RUN_LAST), run->model->graph, &run->card, &last, err));
    if (!s->has_best) return CAMCL_OK;
    run->card.step = s->best_step;
    return cc_checkpoint_write(cc_run_dir_file(run->dir, CC_RUN_BEST), run->model->graph, &run->card, &s->best, err);
}

static bool same_params(const cc_graph *graph, const cc_snapshot *a, const cc_snapshot *b)
{
    for (size_t i = 0; i < graph->param_count; i++) {
        const cc_param *p = &graph->params[i];
        const bool statistic = cc_param_is_statistic(p);
        const float *x = statistic ? a->statistics : a->weights, *y = statistic ? b->statistics : b->weights;
        if (memcmp(x + p->offset, y + p->offset, p->count * sizeof *x) != 0) return false;
    }
    return a->batches == b->batches;
}

/* Whether the file is the checkpoint of this model at this step. A file that cannot be read is not. */
static bool holds_model(const cc_run *run, cc_run_file file, uint64_t step, const cc_snapshot *model)
{
    const cc_graph *g = run->model->graph;
    cc_safetensors *tensors = NULL;
    cc_model_card card;
    cc_snapshot kept = { NULL, NULL, 0 };
    if (cc_checkpoint_read(cc_run_dir_file(run->dir, file), &tensors, &card, NULL) != CAMCL_OK) return false;
    bool holds = card.step == step && cc_snapshot_from_file(tensors, "", g, &kept, NULL) == CAMCL_OK && same_params(g, &kept, model);
    cc_snapshot_free(&kept);
    cc_model_card_free(&card);
    cc_safetensors_free(&tensors);
    return holds;
}

bool cc_run_has_models(const cc_run *run)
{
    const cc_run_state *s = &run->state;
    const cc_snapshot last = last_model(s);
    return holds_model(run, CC_RUN_LAST, s->step, &last) && (!s->has_best || holds_model(run, CC_RUN_BEST, s->best_step, &s->best));
}

camcl_status cc_run_restore_models(cc_run *run, camcl_error *err)
{
    if (!cc_run_has_models(run)) CC_RETURN_IF_FAILED(write_models(run, err));
    run->saved_models = true;
    return CAMCL_OK;
}

camcl_status cc_run_last_model(cc_run *run, cc_snapshot *out, camcl_error *err)
{
    CC_RETURN_IF_FAILED(gather_weights(run, err));
    *out = last_model(&run->state);
    return CAMCL_OK;
}

camcl_status cc_run_save_state(cc_run *run, const char *path, camcl_error *err)
{
    cc_run_state *s = &run->state;
    const cc_run_shape shape = shape_of(run);
    double now = cc_seconds(), before = s->seconds;
    CC_RETURN_IF_FAILED(gather(run, err));
    s->seconds = before + now - run->started_at;
    camcl_status status = cc_run_state_write(path, &shape, s, &run->split, err);
    s->seconds = before;
    return status;
}

camcl_status cc_run_save(cc_run *run, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_run_save_state(run, cc_run_dir_file(run->dir, CC_RUN_STATE), err));
    run->saved_step = run->state.step;
    run->saved_models = false;
    run->saved_at = cc_seconds();
    CC_RETURN_IF_FAILED(write_models(run, err));
    run->saved_models = true;
    return CAMCL_OK;
}

/* ---- reading it back */

/* The wanted configuration is compared with the state's, because config.ini may be missing or edited. Who wants none gets the state's. */
static camcl_status check_config(cc_run *run, const char *path, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    camcl_config *saved = NULL;
    CC_TRY(camcl_config_create(&saved, err));
    CC_TRY(cc_config_read_written(saved, path, run->state.config, err));
    if (run->config == NULL) CC_TRY(camcl_config_copy(saved, &run->config, err));
    CC_TRY(camcl_config_check_resume(saved, run->config, err));
    run->saved_epochs = (uint64_t)camcl_config_int(saved, "train.epochs");
    run->saved_by_ratio =
        strcmp(camcl_config_origin(saved, "data.balanced"), path) != 0 && camcl_config_is(saved, "data.unlabeled", "auto");
cleanup:
    camcl_config_destroy(&saved);
    return status;
}

camcl_status cc_run_read_texts(cc_run *run, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_run_state_read_texts(run->state_path, &run->state, err));
    return check_config(run, run->state_path, err);
}

camcl_status cc_run_check_data(cc_run *run, camcl_error *err)
{
    if (run->state.data == NULL) return CAMCL_OK;
    return cc_data_identity_check(run->state_path, run->state.data, run->data, err);
}

/* The unlabelled pool of such a state is held against the number that data.ratio makes. */
static camcl_status count_by_ratio(cc_run *run, camcl_error *err)
{
    const cc_split_data data = cc_split_data_of(run->dataset);
    cc_split_spec spec = cc_split_spec_from(run->config);
    spec.unlabeled = CC_UNLABELED_AUTO;
    return cc_split_count(&data, &spec, &run->counts, err);
}

camcl_status cc_run_read_state(cc_run *run, camcl_error *err)
{
    const char *path = run->state_path;
    const camcl_dataset_info *info = camcl_dataset_get_info(run->dataset);
    const cc_split_data data = cc_split_data_of(run->dataset);
    const cc_run_shape shape = shape_of(run);
    cc_run_state_free(&run->state);
    CC_RETURN_IF_FAILED(cc_run_state_read(path, &shape, &run->state, &run->split, err));
    if (run->saved_by_ratio) CC_RETURN_IF_FAILED(count_by_ratio(run, err));
    /* A state from before the test pool was kept in it. */
    if (run->split.test_count == 0) CC_RETURN_IF_FAILED(cc_split_set_test(&run->split, &data, err));
    const cc_state_limits limits = { .steps = run->loop.schedule.steps,
                                     .epoch_steps = run->loop.schedule.epoch_steps,
                                     .eval_every = run->loop.eval_every,
                                     .stepwise = run->dir == NULL,
                                     .data = info->name,
                                     .images = info->train_count,
                                     .labels = camcl_dataset_labels(run->dataset, CAMCL_TRAIN_IMAGES),
                                     .split = run->counts,
                                     .reuse_labeled = camcl_config_bool(run->config, "data.reuse_labeled") };
    CC_RETURN_IF_FAILED(cc_run_state_check(path, &shape, &run->state, &run->split, &limits, err));
    run->saved_step = run->state.step;
    return CAMCL_OK;
}

camcl_status cc_run_take_plan(cc_run *run, camcl_error *err)
{
    const cc_run_state *s = &run->state;
    char device[640];
    if (strcmp(s->version, CAMCL_VERSION) != 0)
        CC_RETURN_IF_FAILED(cc_run_say(run, err, "resuming a run of camcl %s: results may differ in the last bits", s->version));
    cc_run_identify_device(run->device, device, sizeof device);
    if (strcmp(device, s->device) != 0)
        return cc_run_say(run, err, "resuming on another device or driver: results may differ in the last bits");
    camcl_status status = cc_plan_parse(&run->model->plan, s->plan, err);
    if (status != CAMCL_OK) cc_context(err, "%s", run->state_path);
    if (status == CAMCL_OK && s->first_plan) cc_plan_update(&run->model->plan, run->device);
    return status;
}

bool cc_run_averages_statistics(const cc_run *run) { return run->state.average.statistics || run->state.average.weights == NULL; }

camcl_status cc_run_write_average(cc_run *run, const cc_snapshot *average, camcl_error *err)
{
    const cc_graph *g = run->model->graph;
    CC_RETURN_IF_FAILED(cc_buffer_write(cc_step_average(run->step), 0, average->weights, g->trained * sizeof(float), err));
    if (average->statistics == NULL) return CAMCL_OK;
    return cc_buffer_write(cc_step_average_statistics(run->step), 0, average->statistics, g->statistics * sizeof(float), err);
}

camcl_status cc_run_apply_state(cc_run *run, camcl_error *err)
{
    const cc_run_state *s = &run->state;
    const cc_run_shape shape = shape_of(run);
    const size_t bytes = run->model->graph->trained * sizeof(float);
    CC_RETURN_IF_FAILED(cc_snapshot_apply(&s->now, run->model, err));
    CC_RETURN_IF_FAILED(cc_buffer_write(cc_step_velocity(run->step), 0, s->velocity, bytes, err));
    CC_RETURN_IF_FAILED(cc_run_state_apply_objective(s, &shape, run->step, err));
    return s->average.weights ? cc_run_write_average(run, &s->average, err) : CAMCL_OK;
}
