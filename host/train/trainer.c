/* The training loop. */
#include "camcl/trainer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arguments.h"
#include "base/evaluation.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/options.h"
#include "run/state_check.h"
#include "train/run.h"

bool cc_run_wants_stop(const cc_run *run) { return camcl_stop_requested(run->options->stop); }

/* ---- one step */

static camcl_status feed(cc_run *run, uint64_t k, cc_readback **sums, camcl_error *err)
{
    const cc_settings *s = &run->settings;
    size_t b = s->step.batch_labeled, u = s->step.batch_unlabeled;
    cc_sampler_batch(run->labeled, k, b, run->sources);
    cc_draw_labeled(&s->augment, k, run->sources, &run->draws);
    if (run->unlabeled) {
        cc_sampler_batch(run->unlabeled, k, u, run->sources);
        cc_draw_unlabeled(&s->augment, k, run->sources, &run->draws);
    }
    cc_step_input input =
        cc_step_input_of(&run->draws, (float)cc_schedule_lr(&run->loop.schedule, k), (float)cc_schedule_threshold(&run->loop.schedule, k));
    input.ramp = (float)cc_schedule_ramp(&run->loop.schedule, k);
    return cc_team_step(run, &input, sums, err);
}

/* Reads back the sums of the oldest step in flight and adds them to the interval's. */
static camcl_status collect(cc_run *run, camcl_error *err)
{
    const cc_objective *objective = &run->settings.step.objective;
    cc_step_sums sums;
    double loss_s, loss_u, loss_c;
    if (run->state.pseudo) CC_RETURN_IF_FAILED(cc_step_count_pseudo(run->step, run->in_flight[0], run->state.pseudo, err));
    cc_readback *oldest = run->in_flight[0];
    uint64_t k = run->in_flight_step[0];
    run->in_flight_count--;
    memmove(run->in_flight, run->in_flight + 1, run->in_flight_count * sizeof *run->in_flight);
    memmove(run->in_flight_step, run->in_flight_step + 1, run->in_flight_count * sizeof *run->in_flight_step);
    CC_RETURN_IF_FAILED(cc_step_read(&oldest, &sums, err));
    cc_step_losses(objective, &sums, &loss_s, &loss_u, &loss_c);
    const double off = (double)objective->alpha - (double)cc_step_alpha(objective, (float)cc_schedule_ramp(&run->loop.schedule, k));
    const double further = cc_step_further(objective, &sums) - off * loss_u, loss = loss_s + loss_u + loss_c + further;
    if (!isfinite(loss)) return cc_run_fail_diverged(run, "the loss", loss, k, err);
    const size_t images = run->settings.step.batch_labeled + (run->unlabeled ? run->settings.step.batch_unlabeled : 0);
    cc_interval_add(&run->state.interval, &(cc_interval_step){ objective->kind, &sums, loss_s, loss_u, loss_c, images, further });
    return CAMCL_OK;
}

camcl_status cc_run_collect(cc_run *run, camcl_error *err)
{
    while (run->in_flight_count)
        CC_RETURN_IF_FAILED(collect(run, err));
    double now = cc_seconds();
    run->state.interval.sums[CC_SUM_SECONDS] += now - run->interval_started_at;
    run->interval_started_at = now;
    return CAMCL_OK;
}

/* ---- reporting */

/* A figure of the training set by the name of its column. */
static double figure(const cc_run *run, const cc_interval *interval, const char *column)
{
    size_t count;
    const cc_training_figure *figures = cc_training_figures(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(figures[i].column, column) == 0) return cc_training_figure_value(&figures[i], &run->settings.step.objective, interval);
    return NAN;
}

/* Everything that is made of the interval's sums, for the progress line. own [figure_count of the objective]: its figures. */
static void summarise(const cc_run *run, const cc_interval *interval, camcl_progress *p, camcl_figure *own)
{
    const cc_objective_kind *kind = run->settings.step.objective.kind;
    p->loss = figure(run, interval, "loss");
    p->loss_s = figure(run, interval, "loss_s");
    p->loss_u = figure(run, interval, "loss_u");
    p->loss_c = figure(run, interval, "loss_c");
    p->mask_rate = figure(run, interval, "mask_rate");
    p->pseudo_acc = figure(run, interval, "pseudo_acc");
    p->train_top1 = figure(run, interval, "train_top1");
    p->images_per_s = figure(run, interval, "images_per_s");
    for (size_t i = 0; i < kind->figure_count; i++)
        own[i] = (camcl_figure){ kind->figures[i].column, kind->figures[i].label, cc_objective_figure_value(&kind->figures[i], interval) };
    p->figures = own;
    p->figure_count = kind->figure_count;
}

/* interval: the run's, or a copy with the seconds until now. */
static camcl_progress progress_at(const cc_run *run, double now, const cc_interval *interval, camcl_figure *own)
{
    const cc_schedule *schedule = &run->loop.schedule;
    const uint64_t k = run->state.step, first_step = run->first_step;
    camcl_progress p = { .step = k,
                         .steps = schedule->steps,
                         .epoch = (k ? k - 1 : 0) / schedule->epoch_steps + 1,
                         .epochs = schedule->epochs,
                         .seconds = now - run->started_at,
                         .lr = cc_schedule_lr(schedule, k ? k - 1 : 0),
                         .threshold = cc_schedule_threshold(schedule, k ? k - 1 : 0) };
    p.eta = k > first_step ? p.seconds / (double)(k - first_step) * (double)(schedule->steps - k) : NAN;
    summarise(run, interval, &p, own);
    return p;
}

camcl_progress cc_run_progress(const cc_run *run, camcl_figure *own) { return progress_at(run, cc_seconds(), &run->state.interval, own); }

static void show_progress(cc_run *run)
{
    double now = cc_seconds();
    cc_interval interval = run->state.interval;
    camcl_figure own[CC_MOST_OBJECTIVE_FIGURES];
    if (run->options->progress == NULL || now - run->shown_at < 0.1 || run->state.interval.sums[CC_SUM_STEPS] == 0) return;
    interval.sums[CC_SUM_SECONDS] += now - run->interval_started_at;
    const camcl_progress p = progress_at(run, now, &interval, own);
    run->options->progress(run->options->context, &p);
    run->shown_at = now;
}

/* Says nothing during the warm-up, when few pseudo-labels are to be expected. */
static camcl_status warn_if_nothing_is_confident(cc_run *run, uint64_t epoch, camcl_error *err)
{
    if (run->state.step <= run->loop.schedule.warmup) return CAMCL_OK;
    const bool masked = run->settings.step.objective.kind->masked;
    if (!masked || run->state.interval.sums[CC_SUM_CONFIDENT] > 0 || run->state.interval.sums[CC_SUM_STEPS] == 0) return CAMCL_OK;
    return cc_run_say(run, err,
                      "epoch %" PRIu64
                      ": no unlabelled image was confident since the last evaluation, so only the labelled ones taught anything "
                      "(lower ssl.threshold, or give training more labelled images or time)",
                      epoch);
}

/* ---- evaluation */

camcl_status cc_run_swap_average(cc_run *run, camcl_error *err)
{
    if (run->swap == NULL) return CAMCL_OK;
    CC_RETURN_IF_FAILED(cc_tape_run(run->swap, err));
    return cc_model_refresh(run->model, err);
}

camcl_status cc_run_swap_back(cc_run *run, camcl_status status, camcl_error *err)
{
    const camcl_status back = cc_run_swap_average(run, status == CAMCL_OK ? err : NULL);
    return status == CAMCL_OK ? back : status;
}

static camcl_status keep_if_best(cc_run *run, double score, bool *best, camcl_error *err)
{
    cc_run_state *s = &run->state;
    /* Without validation images the latest weights count as the best. */
    *best = !s->has_best || !run->validation || score > s->best_score;
    if (!*best) return CAMCL_OK;
    CC_RETURN_IF_FAILED(
        cc_snapshot_take(&s->best, run->model, (int64_t)(s->step * cc_step_train_passes(&run->settings.step.objective)), err));
    s->has_best = true;
    s->best_epoch = s->step / run->loop.schedule.epoch_steps;
    s->best_step = s->step;
    s->best_score = score;
    return CAMCL_OK;
}

static cc_metrics_row make_row(const cc_run *run, uint64_t epoch, const camcl_evaluation *validation)
{
    const cc_metrics *m = &run->metrics;
    const cc_objective *objective = &run->settings.step.objective;
    const cc_interval *interval = &run->state.interval;
    const uint64_t last = run->state.step - 1;
    size_t figure_count, metric_count;
    const cc_training_figure *figures = cc_training_figures(&figure_count);
    const camcl_metric *metrics = camcl_metric_list(&metric_count);
    cc_metrics_row row = cc_metrics_row_at(run->state.step, epoch);
    cc_metrics_set(m, &row, "lr", cc_schedule_lr(&run->loop.schedule, last));
    if (cc_objective_has_threshold(objective->kind)) cc_metrics_set(m, &row, "threshold", cc_schedule_threshold(&run->loop.schedule, last));
    for (size_t i = 0; i < figure_count; i++)
        cc_metrics_set(m, &row, figures[i].column, cc_training_figure_value(&figures[i], objective, interval));
    for (size_t i = 0; i < metric_count; i++) {
        char column[CC_COLUMN_NAME];
        cc_columns_evaluated(metrics[i].name, column);
        cc_metrics_set(m, &row, column, validation->values[i]);
    }
    for (size_t i = 0; i < objective->kind->figure_count; i++)
        cc_metrics_set(m, &row, objective->kind->figures[i].column, cc_objective_figure_value(&objective->kind->figures[i], interval));
    cc_metrics_set(m, &row, "seconds", run->state.seconds + cc_seconds() - run->started_at);
    return row;
}

static camcl_status validate(cc_run *run, const camcl_stop *stop, camcl_evaluation *out, bool *best, camcl_error *err)
{
    const cc_session_input images = { .indices = run->split.validation, .n = run->split.validation_count, .stop = stop };
    if (run->validation) CC_RETURN_IF_FAILED(cc_session_run(run->validation, &images, &(cc_session_output){ .evaluation = out }, err));
    return keep_if_best(run, camcl_evaluation_get(out, "top1"), best, err);
}

camcl_status cc_run_validate(cc_run *run, const camcl_stop *stop, camcl_evaluation *out, bool *best, camcl_error *err)
{
    *out = cc_evaluation_nothing();
    CC_RETURN_IF_FAILED(cc_run_swap_average(run, err));
    const camcl_status status = validate(run, stop, out, best, err);
    return cc_run_swap_back(run, status, err);
}

void cc_run_begin_interval(cc_run *run)
{
    memset(&run->state.interval, 0, sizeof run->state.interval);
    run->interval_started_at = cc_seconds();
}

/* Whether to go on. */
static bool tell(cc_run *run, const camcl_evaluation *validation, bool best)
{
    camcl_figure own[CC_MOST_OBJECTIVE_FIGURES];
    const camcl_progress p = cc_run_progress(run, own);
    const camcl_evaluated evaluated = { &p, validation, best };
    return run->options->evaluated == NULL || run->options->evaluated(run->options->context, &evaluated);
}

static camcl_status evaluate(cc_run *run, uint64_t epoch, camcl_error *err)
{
    camcl_evaluation v;
    bool best;
    CC_RETURN_IF_FAILED(warn_if_nothing_is_confident(run, epoch, err));
    CC_RETURN_IF_FAILED(cc_run_validate(run, run->options->stop, &v, &best, err));
    const cc_metrics_row row = make_row(run, epoch, &v);
    CC_RETURN_IF_FAILED(cc_run_add_row(run, &row, err));
    CC_RETURN_IF_FAILED(cc_run_append_pseudo(run, epoch, err));
    CC_RETURN_IF_FAILED(cc_run_say_row(run, &row, err));
    run->stop_wanted = !tell(run, &v, best);
    cc_run_begin_interval(run);
    return CAMCL_OK;
}

/* The pictures show the weights that are evaluated. */
static camcl_status draw_cams(cc_run *run, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_run_swap_average(run, err));
    return cc_run_swap_back(run, cc_run_write_cams(run, err), err);
}

/* ---- the loop */

camcl_status cc_run_steps(cc_run *run, uint64_t count, camcl_error *err)
{
    const cc_schedule *schedule = &run->loop.schedule;
    const uint64_t left = schedule->steps - run->state.step, end = run->state.step + (count < left ? count : left);
    while (run->state.step < end) {
        if (run->in_flight_count == CC_IN_FLIGHT) CC_RETURN_IF_FAILED(cc_team_of_first(run, collect(run, err), err));
        CC_RETURN_IF_FAILED(feed(run, run->state.step, &run->in_flight[run->in_flight_count], err));
        run->in_flight_step[run->in_flight_count++] = run->state.step++;
        show_progress(run);
        if (cc_run_wants_stop(run)) return CAMCL_OK;
    }
    return CAMCL_OK;
}

bool cc_run_owes_row(const cc_run *run)
{
    const cc_schedule *schedule = &run->loop.schedule;
    return cc_run_state_owes_row(&run->state, schedule->steps, schedule->epoch_steps, run->loop.eval_every);
}

static camcl_status end_epoch(cc_run *run, camcl_error *err)
{
    const cc_loop_settings *s = &run->loop;
    uint64_t epoch = run->state.step / s->schedule.epoch_steps;
    bool last = epoch == s->schedule.epochs;
    bool evaluates = last || epoch % s->eval_every == 0, saves = last || epoch % s->save_every == 0;
    bool draws = !last && s->cams_every && epoch % s->cams_every == 0;
    if (!evaluates && !saves && !draws) return CAMCL_OK;
    CC_RETURN_IF_FAILED(cc_run_collect(run, err));
    if (run->follows) {
        cc_run_begin_interval(run);
        return CAMCL_OK;
    }
    cc_world_busy(run->team.world);
    if (evaluates) CC_RETURN_IF_FAILED(evaluate(run, epoch, err));
    /* A run that is killed between the two draws once more after it was resumed; the other way round the pictures would be lost. */
    if (draws) CC_RETURN_IF_FAILED(draw_cams(run, err));
    if (saves) CC_RETURN_IF_FAILED(cc_run_save(run, err));
    run->interval_started_at = cc_seconds();
    return CAMCL_OK;
}

static camcl_status save(cc_run *run, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_run_collect(run, err));
    if (run->follows) return CAMCL_OK;
    cc_world_busy(run->team.world);
    return cc_run_save(run, err);
}

/* An epoch may take hours, so the state is also saved whenever none was for half an hour. */
static camcl_status save_if_long_ago(cc_run *run, camcl_error *err)
{
    if (run->follows || cc_seconds() - run->saved_at < CC_SAVE_SECONDS) return CAMCL_OK;
    CC_RETURN_IF_FAILED(save(run, err));
    run->interval_started_at = cc_seconds();
    return CAMCL_OK;
}

/* An evaluation that a requested stop breaks off is made when the run goes on. */
static camcl_status end_epoch_unless_stopped(cc_run *run, camcl_error *err)
{
    const camcl_status status = cc_team_of_first(run, end_epoch(run, err), err);
    return status == CAMCL_STOPPED ? CAMCL_OK : status;
}

/* Saves and fails, if that was requested and the training has more to do. */
static camcl_status stop_if_wanted(cc_run *run, camcl_error *err)
{
    const uint64_t steps = run->loop.schedule.steps;
    bool stop;
    CC_RETURN_IF_FAILED(cc_run_agree_stop(run, &stop, err));
    if (!stop) return CAMCL_OK;
    CC_RETURN_IF_FAILED(cc_team_of_first(run, save(run, err), err));
    return cc_fail(err, CAMCL_STOPPED, "training: stopped after step %" PRIu64 " of %" PRIu64 " (saved; go on with --resume)",
                   run->state.step, steps);
}

static camcl_status loop(cc_run *run, camcl_error *err)
{
    const cc_schedule *schedule = &run->loop.schedule;
    run->interval_started_at = run->saved_at = cc_seconds();
    if (cc_run_owes_row(run)) CC_RETURN_IF_FAILED(end_epoch_unless_stopped(run, err));
    /* Those that follow do not know what is owed, so that all of them ask. */
    if (run->resuming) CC_RETURN_IF_FAILED(stop_if_wanted(run, err));
    while (run->state.step < schedule->steps) {
        CC_RETURN_IF_FAILED(cc_run_steps(run, 1, err));
        if (run->state.step % schedule->epoch_steps == 0) CC_RETURN_IF_FAILED(end_epoch_unless_stopped(run, err));
        CC_RETURN_IF_FAILED(stop_if_wanted(run, err));
        if (run->state.step < schedule->steps) CC_RETURN_IF_FAILED(cc_team_of_first(run, save_if_long_ago(run, err), err));
    }
    return CAMCL_OK;
}

/* Whether the error says already what was saved. */
static bool says_all(camcl_status status) { return status == CAMCL_OK || status == CAMCL_STOPPED || status == CAMCL_NOT_FINITE; }

static camcl_status train(cc_run *run, camcl_train_result *result, camcl_error *err)
{
    camcl_status status = loop(run, err);
    cc_world_busy(run->team.world);
    if (status == CAMCL_OK && !run->follows) status = cc_team_of_first(run, cc_run_finish(run, result, err), err);
    if (!says_all(status)) cc_run_add_way_on(run, err);
    return status;
}

/* What a finished run reached, as far as its files tell. */
static void recall(const cc_run *run, camcl_train_result *result)
{
    cc_result saved;
    result->was_finished = true;
    if (cc_result_read(cc_run_dir_file(run->dir, CC_RUN_RESULT), &saved, NULL) != CAMCL_OK) return;
    result->best_epoch = saved.best_epoch > 0 ? (uint64_t)saved.best_epoch : 0;
    result->best_val_top1 = saved.best_val_top1;
    result->test = saved.test;
    result->seconds = saved.seconds;
}

camcl_status camcl_train(const camcl_config *config, const camcl_train_options *given, camcl_train_result *result, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    camcl_train_options options;
    cc_run run = { .config = NULL };
    camcl_error own;
    if (err == NULL) err = &own; /* train.log and the other processes are told, too */
    CC_CHECK_GIVEN(result, err);
    *result = (camcl_train_result){ .best_val_top1 = NAN, .test = cc_evaluation_nothing() };
    CC_CHECK_GIVEN(config, err);
    CC_RETURN_IF_FAILED(CC_TAKE_OPTIONS(camcl_train_options, dataset, given, &options, err));
    CC_TRY(cc_run_open(&run, config, &options, err));
    if (run.finished_before) {
        if (!run.follows) recall(&run, result);
        goto cleanup;
    }
    run.started_at = cc_seconds();
    run.first_step = run.state.step;
    CC_TRY(train(&run, result, err));
cleanup:
    result->rank = cc_world_rank(run.team.world);
    result->ranks = cc_world_size(run.team.world);
    status = cc_run_leave(&run, status, err);
    result->silent = run.silent;
    if (status != CAMCL_OK && run.logging) (void)cc_run_dir_log(run.dir, NULL, "%s", err->message);
    cc_run_close(&run);
    return status;
}
