/* Opening a run: device, data, split, model, tapes, run directory. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "model/fit.h"
#include "run/data_identity.h"
#include "train/team_internal.h"
#include "tune/tune.h"

/* ---- run directory */

static camcl_status write_config(cc_run *run, camcl_error *err)
{
    char *text = NULL;
    CC_RETURN_IF_FAILED(camcl_config_write(run->config, &text, err));
    camcl_status status = cc_file_write_text(cc_run_dir_file(run->dir, CC_RUN_CONFIG), text, err);
    free(text);
    return status;
}

static camcl_status write_split(cc_run *run, camcl_error *err)
{
    cc_text text = CC_TEXT_INIT;
    cc_split_write(&run->split, &text);
    return cc_file_write_built(cc_run_dir_file(run->dir, CC_RUN_SPLITS), &text, err);
}

/* A finished run that goes on is not finished any more: if it stops before its new end, the next --resume must not take it for complete. */
static camcl_status forget_result(const cc_run *run, camcl_error *err)
{
    const char *path = cc_run_dir_file(run->dir, CC_RUN_RESULT);
    if (remove(path) != 0 && errno != ENOENT) return cc_fail_errno(err, "remove", path, errno);
    return CAMCL_OK;
}

/* ---- data */

static void report_loading(void *context, const camcl_reading *reading)
{
    const cc_run *run = context;
    run->options->loading(run->options->context, reading);
}

/* Reading own pictures may take minutes. */
static camcl_status read_data(cc_run *run, camcl_error *err)
{
    camcl_dataset_spec spec = camcl_dataset_spec_from(run->config);
    spec.context = run;
    spec.progress = run->options->loading ? report_loading : NULL;
    spec.stop = run->options->stop;
    const camcl_status status = camcl_dataset_open(&spec, &run->own_dataset, err);
    run->dataset = run->own_dataset;
    return status;
}

static camcl_status find_data(cc_run *run, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    run->dataset = run->options->dataset;
    if (run->dataset == NULL) status = read_data(run, err);
    if (status == CAMCL_STOPPED || (status == CAMCL_OK && cc_run_wants_stop(run)))
        return cc_fail(err, CAMCL_STOPPED, "training: stopped while the data were read (%s)",
                       run->resuming ? "the run is as it was: go on with --resume" : "nothing was begun: start it again");
    CC_RETURN_IF_FAILED(status);
    return cc_data_identity(run->dataset, &run->data, err);
}

static camcl_status open_data(cc_run *run, camcl_error *err)
{
    const cc_split_spec split = cc_split_spec_from(run->config);
    CC_RETURN_IF_FAILED(find_data(run, err));
    if (run->resuming) CC_RETURN_IF_FAILED(cc_run_check_data(run, err));
    const cc_split_data data = cc_split_data_of(run->dataset);
    CC_RETURN_IF_FAILED(cc_settings_from(run->config, camcl_dataset_get_info(run->dataset), &run->settings, err));
    CC_RETURN_IF_FAILED(cc_split_count(&data, &split, &run->counts, err));
    run->settings.step.pool = run->counts.unlabeled;
    if (!cc_objective_learns_unlabeled(run->settings.step.objective.kind) || run->counts.unlabeled) return CAMCL_OK;
    const bool all = split.labeled == CC_LABELED_ALL;
    return cc_fail(err, CAMCL_BAD_CONFIG, "ssl.mode = %s: there are no unlabelled images (%s, or set ssl.mode = supervised)",
                   camcl_config_string(run->config, "ssl.mode"),
                   all ? "add pictures without a label, set data.labeled to a number or data.reuse_labeled = yes"
                       : "raise data.ratio or data.unlabeled");
}

static camcl_status draw_split(cc_run *run, camcl_error *err)
{
    const cc_split_data data = cc_split_data_of(run->dataset);
    const cc_split_spec split = cc_split_spec_from(run->config);
    return cc_split_make(&data, &split, &run->split, err);
}

static camcl_status create_samplers(cc_run *run, camcl_error *err)
{
    const cc_settings *s = &run->settings;
    size_t b = s->step.batch_labeled, u = s->step.batch_unlabeled;
    CC_RETURN_IF_FAILED(CC_NEW(cc_max_size(b, u), &run->sources, err));
    CC_RETURN_IF_FAILED(cc_draws_create(&s->augment, b, cc_objective_learns_unlabeled(s->step.objective.kind) ? u : 0,
                                        cc_objective_has_cams(&s->step.objective), &run->draws, err));
    CC_RETURN_IF_FAILED(cc_sampler_create(run->split.labeled, run->split.labeled_count, run->loop.seed, CC_RNG_ORDER_LABELED,
                                          run->loop.shuffle, &run->labeled, err));
    if (!cc_objective_learns_unlabeled(s->step.objective.kind)) return CAMCL_OK;
    return cc_sampler_create(run->split.unlabeled, run->split.unlabeled_count, run->loop.seed, CC_RNG_ORDER_UNLABELED, run->loop.shuffle,
                             &run->unlabeled, err);
}

/* ---- model and tapes */

static camcl_status record_exchange(cc_tape *tape, cc_buffer *a, cc_buffer *b, camcl_error *err)
{
    cc_buffer *spare;
    const size_t bytes = cc_buffer_bytes(a);
    CC_RETURN_IF_FAILED(cc_tape_buffer(tape, bytes, "spare weights", &spare, err));
    CC_RETURN_IF_FAILED(cc_tape_copy(tape, a, 0, spare, 0, bytes, err));
    CC_RETURN_IF_FAILED(cc_tape_copy(tape, b, 0, a, 0, bytes, err));
    return cc_tape_copy(tape, spare, 0, b, 0, bytes, err);
}

static camcl_status record_swap(cc_run *run, camcl_error *err)
{
    const cc_weights *w = run->model->main;
    if (cc_step_average(run->step) == NULL) return CAMCL_OK;
    CC_RETURN_IF_FAILED(cc_tape_create(run->arena, "exchange of weights and average", &run->swap, err));
    CC_RETURN_IF_FAILED(record_exchange(run->swap, w->trained, cc_step_average(run->step), err));
    if (!cc_run_averages_statistics(run)) return CAMCL_OK;
    return record_exchange(run->swap, w->statistics, cc_step_average_statistics(run->step), err);
}

static camcl_status record_tapes(void *context, cc_arena *arena, camcl_error *err)
{
    cc_run *run = context;
    cc_step_destroy(&run->step);
    cc_session_destroy(&run->validation);
    CC_RETURN_IF_FAILED(cc_step_create(run->model, run->train_images, &run->settings.step, arena, &run->step, err));
    const size_t size = run->settings.step.image_size;
    const cc_session_spec validation = { .kind = CC_SESSION_EVALUATION,
                                         .batch = cc_session_batch(CC_SESSION_EVALUATION, run->split.validation_count, size),
                                         .image_size = size };
    if (run->split.validation_count && !run->follows)
        CC_RETURN_IF_FAILED(cc_session_create(run->model, &validation, run->train_images, arena, &run->validation, err));
    CC_RETURN_IF_FAILED(record_swap(run, err));
    CC_RETURN_IF_FAILED(cc_weights_record_packing(run->model->main, err));
    const size_t programs = cc_device_count_uncompiled(run->device);
    if (programs == 0) return CAMCL_OK;
    return cc_run_say(run, err, "kernels: compiling %zu program%s, once for this device and driver", programs, programs == 1 ? "" : "s");
}

static camcl_status say_line(void *context, const char *line, camcl_error *err) { return cc_run_say(context, err, "%s", line); }

static camcl_status commit_tapes(cc_run *run, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_arena_create(run->device, &run->arena, err));
    const cc_recording recording = { record_tapes, say_line, run };
    return cc_team_of_device(run, 0, cc_model_commit(run->model, run->arena, &recording, err), err);
}

typedef struct tune_report {
    cc_run *run;
    double said;
} tune_report;

static void report_tuning(void *context, const camcl_tune_progress *p)
{
    tune_report *report = context;
    if (p->wrong[0]) (void)cc_run_say(report->run, NULL, "kernels: %s: %s: wrong results on this device, not used", p->key, p->wrong);
    if (p->seconds - report->said < 5) return;
    report->said = p->seconds;
    (void)cc_run_say(report->run, NULL, "timing kernels: %zu of %zu, %.0f s to go", p->done, p->total, p->eta);
}

/* device.tune = full: missing timings are made first. A plan that was saved with the state is not changed. A device that a program opened
 * has a tune mode of its own. */
static camcl_status tune(cc_run *run, camcl_error *err)
{
    tune_report report = { run, 0 };
    const camcl_tune_options options = { .stop = run->options->stop, .context = &report, .progress = report_tuning };
    camcl_tune_result result;
    if (run->own_device == NULL || !camcl_config_is(run->config, "device.tune", "full") || run->model->plan.count > 0) return CAMCL_OK;
    CC_RETURN_IF_FAILED(cc_tune_run(run->device, &run->settings, &options, &result, err));
    return cc_run_say(run, err, "kernels: %zu timed in %.0f s, %zu known before", result.timed, result.seconds, result.known);
}

static camcl_status initial_weights(cc_run *run, camcl_error *err)
{
    const char *init = camcl_config_string(run->config, "model.init");
    cc_init_report report;
    CC_RETURN_IF_FAILED(cc_run_draw_start(run, &report, err));
    if (*init) {
        char done[960];
        cc_init_describe(&report, run->model->graph->spec.classes, done, sizeof done);
        CC_RETURN_IF_FAILED(cc_run_say(run, err, "model: weights from %s: %s", init, done));
    }
    if (cc_step_average(run->step) == NULL) return CAMCL_OK;
    camcl_status status = CAMCL_OK;
    cc_snapshot start = { NULL, NULL, 0 };
    CC_TRY(cc_snapshot_take(&start, run->model, 0, err));
    CC_TRY(cc_run_write_average(run, &start, err));
cleanup:
    cc_snapshot_free(&start);
    return status;
}

static camcl_status make_card(cc_run *run, camcl_error *err)
{
    run->card.graph = run->model->graph->spec;
    run->card.fit = camcl_dataset_spec_from(run->config).fit;
    run->card.image_size = run->settings.step.image_size;
    memcpy(run->card.mean, run->settings.mean, sizeof run->card.mean);
    memcpy(run->card.std, run->settings.std, sizeof run->card.std);
    snprintf(run->card.dataset, sizeof run->card.dataset, "%s", camcl_dataset_get_info(run->dataset)->name);
    return cc_model_card_set_names(&run->card, camcl_dataset_class_names(run->dataset), err);
}

static camcl_status prepare_training(cc_run *run, camcl_error *err)
{
    cc_world_busy(run->team.world);
    CC_RETURN_IF_FAILED(cc_team_place_images(run, err));
    CC_RETURN_IF_FAILED(create_samplers(run, err));
    CC_RETURN_IF_FAILED(make_card(run, err));
    CC_RETURN_IF_FAILED(tune(run, err));
    CC_RETURN_IF_FAILED(cc_team_divide(run, err));
    /* Said again: the division exchanged something, and compiling may take long. */
    cc_world_busy(run->team.world);
    CC_RETURN_IF_FAILED(commit_tapes(run, err));
    CC_RETURN_IF_FAILED(cc_team_commit(run, err));
    CC_RETURN_IF_FAILED(cc_team_describe(run, err));
    /* How much memory is needed is said before it is used, so that it is the last line on the screen if the system or a driver then ends
     * the process. */
    CC_RETURN_IF_FAILED(cc_run_say_model(run, err));
    return cc_arena_touch(run->arena, err);
}

/* ---- a new run */

/* Who mistyped output.dir must read it before the data are read. The log gets the line when there is one. */
#define NOTHING_SAVED "no run was saved in %s yet: starting from the beginning"

/* Draws the split and writes the first files. splits.json comes first, because cc_run_dir_open recognises a run that saved nothing yet by
 * it. */
static camcl_status begin(cc_run *run, camcl_error *err)
{
    CC_RETURN_IF_FAILED(draw_split(run, err));
    CC_RETURN_IF_FAILED(write_split(run, err));
    CC_RETURN_IF_FAILED(write_config(run, err));
    return run->options->resume ? cc_run_dir_log(run->dir, err, NOTHING_SAVED, cc_run_dir_path(run->dir)) : CAMCL_OK;
}

static camcl_status start(cc_run *run, camcl_error *err)
{
    CC_RETURN_IF_FAILED(begin(run, err));
    CC_RETURN_IF_FAILED(cc_run_say(run, err, "device: %s", camcl_device_reason(run->device)));
    CC_RETURN_IF_FAILED(cc_run_say_data(run, err));
    CC_RETURN_IF_FAILED(cc_run_brief(run, err));
    CC_RETURN_IF_FAILED(prepare_training(run, err));
    CC_RETURN_IF_FAILED(cc_run_restore_rows(run, err));
    CC_RETURN_IF_FAILED(cc_run_drop_pseudo(run, err));
    CC_RETURN_IF_FAILED(initial_weights(run, err));
    CC_RETURN_IF_FAILED(cc_team_follow(run, err));
    return cc_run_note_start(run, err);
}

/* ---- a run that goes on */

/* The directory of a run that is resumed changes only here, after everything that can fail for reasons of its own has succeeded. If there
 * are steps left to train, the run is not finished any more, and result.json is removed before anything else changes. */
static camcl_status restore_files(cc_run *run, camcl_error *err)
{
    if (run->state.step < run->loop.schedule.steps) CC_RETURN_IF_FAILED(forget_result(run, err));
    CC_RETURN_IF_FAILED(write_config(run, err));
    CC_RETURN_IF_FAILED(write_split(run, err));
    CC_RETURN_IF_FAILED(cc_run_restore_models(run, err));
    CC_RETURN_IF_FAILED(cc_run_drop_pseudo(run, err));
    return cc_run_restore_rows(run, err);
}

static camcl_status go_on(cc_run *run, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_run_say(run, err, "device: %s", camcl_device_reason(run->device)));
    CC_RETURN_IF_FAILED(cc_run_take_plan(run, err));
    CC_RETURN_IF_FAILED(cc_run_say_data(run, err));
    CC_RETURN_IF_FAILED(cc_run_brief(run, err));
    CC_RETURN_IF_FAILED(prepare_training(run, err));
    CC_RETURN_IF_FAILED(cc_run_apply_state(run, err));
    CC_RETURN_IF_FAILED(cc_team_follow(run, err));
    CC_RETURN_IF_FAILED(restore_files(run, err));
    CC_RETURN_IF_FAILED(cc_run_say(run, err, "resuming after step %" PRIu64 " of %" PRIu64, run->state.step, run->loop.schedule.steps));
    return cc_run_say_jumps(run, err);
}

/* ---- either */

static camcl_status open_dir(cc_run *run, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_run_dir_open(camcl_config_string(run->config, "output.dir"), run->options->resume, &run->dir, err));
    run->state_path = cc_run_dir_file(run->dir, CC_RUN_STATE);
    run->resuming = cc_run_dir_has(run->dir, CC_RUN_STATE);
    return run->resuming ? cc_run_read_texts(run, err) : CAMCL_OK;
}

/* The directory of a run that goes on is held while its data are read. That of a new run is only looked at, because a run that cannot start
 * must not leave one behind. */
static camcl_status find_dir(cc_run *run, camcl_error *err)
{
    bool has_state;
    const char *path = camcl_config_string(run->config, "output.dir");
    if (*path == '\0') return cc_fail(err, CAMCL_BAD_CONFIG, "output.dir: it is empty (say where the run goes)");
    CC_RETURN_IF_FAILED(cc_run_dir_check(path, run->options->resume, &has_state, err));
    if (has_state) return open_dir(run, err);
    return run->options->resume ? cc_run_say(run, err, NOTHING_SAVED, path) : CAMCL_OK;
}

/* A directory that is made now may have got a state from another process while the data were read. */
static camcl_status make_dir(cc_run *run, camcl_error *err)
{
    if (run->dir) return CAMCL_OK;
    CC_RETURN_IF_FAILED(open_dir(run, err));
    return run->resuming ? cc_run_check_data(run, err) : CAMCL_OK;
}

/* Who mistyped model.init, or has not got the file yet, learns of it before pictures are read and kernels compiled. Whether the weights fit
 * the network is seen when there is one. */
static camcl_status check_init(const cc_run *run, camcl_error *err)
{
    const char *init = camcl_config_string(run->config, "model.init");
    cc_safetensors *file = NULL;
    if (run->resuming || *init == '\0') return CAMCL_OK;
    camcl_status status = cc_safetensors_read(init, &file, err);
    cc_safetensors_free(&file);
    if (status != CAMCL_IO) return status;
    cc_context(err, "model.init");
    cc_detail(err, "it names the weights to start from; an empty one, model.init= on the command line, trains from random weights");
    return status;
}

/* A configuration that names no data set takes the one that is given, so that its other defaults, and those who read it later, know it. */
static camcl_status name_data(cc_run *run, camcl_error *err)
{
    static const char key[] = "data.dataset";
    if (run->options->dataset == NULL) return CAMCL_OK;
    const char *name = camcl_dataset_get_info(run->options->dataset)->name;
    if (strcmp(camcl_config_origin(run->config, key), "default") == 0)
        CC_RETURN_IF_FAILED(camcl_config_set(run->config, key, name, "the data set that was given", err));
    if (camcl_config_is(run->config, key, name)) return CAMCL_OK;
    return cc_fail(err, CAMCL_BAD_CONFIG, "data.dataset = %s: the data set that was given is %s (set it to %s, or leave it out)",
                   camcl_config_string(run->config, key), name, name);
}

/* Data and network, before anything is on the device. */
static camcl_status open_model(cc_run *run, camcl_error *err)
{
    CC_RETURN_IF_FAILED(open_data(run, err));
    CC_RETURN_IF_FAILED(cc_run_check_ranks(run, err));
    run->loop = cc_loop_settings_from(run->config, run->counts.labeled);
    return cc_team_create_models(run, err);
}

static camcl_status open_inputs(cc_run *run, camcl_error *err)
{
    CC_RETURN_IF_FAILED(name_data(run, err));
    camcl_device_options device = cc_device_options_from(run->config);
    device.compiler = run->options->compiler;
    CC_RETURN_IF_FAILED(camcl_config_finish(run->config, err));
    CC_RETURN_IF_FAILED(find_dir(run, err));
    CC_RETURN_IF_FAILED(check_init(run, err));
    CC_RETURN_IF_FAILED(cc_team_open(run, &device, &run->own_device, err));
    CC_RETURN_IF_FAILED(open_model(run, err));
    return make_dir(run, err);
}

static camcl_status open_run(cc_run *run, camcl_error *err)
{
    CC_RETURN_IF_FAILED(open_inputs(run, err));
    if (run->resuming) CC_RETURN_IF_FAILED(cc_run_read_state(run, err));
    const cc_columns columns = cc_columns_of(run->settings.step.objective.kind);
    CC_RETURN_IF_FAILED(cc_metrics_read(cc_run_dir_file(run->dir, CC_RUN_METRICS), &columns, &run->metrics, err));
    CC_RETURN_IF_FAILED(cc_run_open_pseudo(run, err));
    if (!run->resuming) return start(run, err);
    run->finished_before = cc_run_is_finished(run);
    if (!run->finished_before) return go_on(run, err);
    CC_RETURN_IF_FAILED(cc_run_brief(run, err));
    /* A finished run stays unchanged: not even a line is added to its log. */
    if (run->options->message) run->options->message(run->options->context, "this run is finished already: nothing to do");
    return CAMCL_OK;
}

/* ---- a process that follows another: it has no directory, and gets from the first one what that reads from its own */

static camcl_status open_follower(cc_run *run, camcl_error *err)
{
    CC_RETURN_IF_FAILED(name_data(run, err));
    camcl_device_options device = cc_device_options_from(run->config);
    device.compiler = run->options->compiler;
    CC_RETURN_IF_FAILED(camcl_config_finish(run->config, err));
    CC_RETURN_IF_FAILED(cc_team_open(run, &device, &run->own_device, err));
    CC_RETURN_IF_FAILED(open_model(run, err));
    CC_RETURN_IF_FAILED(cc_run_brief(run, err));
    if (run->finished_before) return CAMCL_OK;
    CC_RETURN_IF_FAILED(prepare_training(run, err));
    return cc_team_follow(run, err);
}

camcl_status cc_run_open(cc_run *run, const camcl_config *config, const camcl_train_options *options, camcl_error *err)
{
    memset(run, 0, sizeof *run);
    run->options = options;
    CC_RETURN_IF_FAILED(camcl_config_copy(config, &run->config, err));
    CC_RETURN_IF_FAILED(cc_run_join(run, err));
    if (run->follows) return open_follower(run, err);
    camcl_status status = open_run(run, err);
    /* A new run that could not start must remove its directory, so that the next attempt can use the same name. */
    run->abandoned = status != CAMCL_OK && !run->resuming;
    return status;
}

/* ---- a trainer that a program drives */

/* Without a pseudo_labels.csv nobody would read what is counted per class, and nobody would begin the count anew. */
static void drop_pseudo_sums(cc_run *run)
{
    free(run->state.pseudo);
    run->state.pseudo = NULL;
}

static camcl_status open_stepwise(cc_run *run, camcl_error *err)
{
    if (run->config) CC_RETURN_IF_FAILED(name_data(run, err));
    if (run->resuming) CC_RETURN_IF_FAILED(cc_run_read_texts(run, err));
    CC_RETURN_IF_FAILED(name_data(run, err));
    CC_RETURN_IF_FAILED(camcl_config_finish(run->config, err));
    CC_RETURN_IF_FAILED(check_init(run, err));
    CC_RETURN_IF_FAILED(open_model(run, err));
    if (run->resuming) {
        CC_RETURN_IF_FAILED(cc_run_read_state(run, err));
        drop_pseudo_sums(run);
        CC_RETURN_IF_FAILED(cc_run_take_plan(run, err));
    } else {
        CC_RETURN_IF_FAILED(draw_split(run, err));
    }
    CC_RETURN_IF_FAILED(cc_run_say_data(run, err));
    CC_RETURN_IF_FAILED(prepare_training(run, err));
    if (!run->resuming) return initial_weights(run, err);
    CC_RETURN_IF_FAILED(cc_run_apply_state(run, err));
    return cc_run_say_jumps(run, err);
}

camcl_status cc_run_open_stepwise(cc_run *run, const char *path, camcl_device *device, const camcl_config *config,
                                  const camcl_train_options *options, camcl_error *err)
{
    memset(run, 0, sizeof *run);
    run->own_options = *options;
    run->options = &run->own_options;
    run->device = device;
    run->state_path = path;
    run->resuming = path != NULL;
    if (config) CC_RETURN_IF_FAILED(camcl_config_copy(config, &run->config, err));
    CC_RETURN_IF_FAILED(open_stepwise(run, err));
    run->state_path = NULL;
    run->started_at = cc_seconds();
    run->first_step = run->state.step;
    run->progress = cc_run_progress(run, run->figures);
    return CAMCL_OK;
}

void cc_run_close(cc_run *run)
{
    for (size_t i = 0; i < run->in_flight_count; i++)
        cc_readback_destroy(&run->in_flight[i]);
    cc_arena_destroy(&run->arena);
    cc_step_destroy(&run->step);
    cc_session_destroy(&run->validation);
    cc_session_cache_drop(&run->evaluations);
    cc_team_close(&run->team);
    cc_sampler_destroy(&run->labeled);
    cc_sampler_destroy(&run->unlabeled);
    cc_draws_free(&run->draws);
    free(run->sources);
    cc_model_destroy(&run->model);
    cc_resident_destroy(&run->train_images);
    cc_split_free(&run->split);
    cc_run_state_free(&run->state);
    cc_metrics_free(&run->metrics);
    cc_event_file_close(&run->events);
    cc_pseudo_labels_free(&run->pseudo_labels);
    cc_model_card_free(&run->card);
    camcl_dataset_close(&run->own_dataset);
    free(run->data);
    camcl_config_destroy(&run->config);
    if (run->abandoned)
        cc_run_dir_abandon(&run->dir);
    else
        cc_run_dir_close(&run->dir);
    camcl_device_close(&run->own_device);
}
