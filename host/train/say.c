/* What a run says while it opens: lines for train.log and for whoever called. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "dataset/test_images.h"
#include "ops/choice/gemm_sets.h"
#include "train/run.h"

camcl_status cc_run_say(cc_run *run, camcl_error *err, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (run->options->message) run->options->message(run->options->context, line);
    run->logging = run->logging || run->dir;
    return run->dir ? cc_run_dir_log(run->dir, err, "%s", line) : CAMCL_OK;
}

/* Classes of which a pool has no image; nothing where it has one of each. */
static camcl_status say_missing(cc_run *run, const char *pool, const int32_t *labels, const uint32_t *indices, size_t count,
                                camcl_error *err)
{
    cc_text names = CC_TEXT_INIT;
    camcl_status status = cc_missing_classes(labels, indices, count, camcl_dataset_get_info(run->dataset)->classes,
                                             camcl_dataset_class_names(run->dataset), &names, err);
    if (status == CAMCL_OK && names.length) status = cc_run_say(run, err, "%s: no picture of %s", pool, names.data);
    cc_text_free(&names);
    return status;
}

static camcl_status say_split(cc_run *run, camcl_error *err)
{
    cc_text line = CC_TEXT_INIT;
    const camcl_dataset_info *info = camcl_dataset_get_info(run->dataset);
    const cc_split_data data = cc_split_data_of(run->dataset);
    const cc_split_spec spec = cc_split_spec_from(run->config);
    const cc_test_images test = cc_dataset_test_images(run->dataset);
    cc_split_describe(&run->split, &data, test.count, &line);
    camcl_status status = line.failed ? cc_fail(err, CAMCL_NO_MEMORY, "memory: no room for a line about the split (close other programs)")
                                      : cc_run_say(run, err, "data: %s (seed %" PRIu64 "): %s", info->name, spec.seed, line.data);
    cc_text_free(&line);
    if (status == CAMCL_OK) status = say_missing(run, "labelled", data.labels, run->split.labeled, run->split.labeled_count, err);
    if (status == CAMCL_OK && run->split.validation_count)
        status = say_missing(run, "validation", data.labels, run->split.validation, run->split.validation_count, err);
    if (status == CAMCL_OK && test.count)
        status = say_missing(run, "test", camcl_dataset_labels(run->dataset, test.part), test.indices, test.count, err);
    return status;
}

camcl_status cc_run_say_data(cc_run *run, camcl_error *err)
{
    const char *summary = camcl_dataset_summary(run->dataset);
    if (*summary) CC_RETURN_IF_FAILED(cc_run_say(run, err, "data: %s", summary));
    CC_RETURN_IF_FAILED(say_split(run, err));
    if (!run->resuming || run->state.data) return CAMCL_OK;
    return cc_run_say(run, err,
                      "data: the saved state does not tell which data the run began with (make sure that they are the same; from the "
                      "next save on it tells)");
}

camcl_status cc_run_say_model(cc_run *run, camcl_error *err)
{
    const cc_graph *g = run->model->graph;
    size_t parameters = 0;
    for (size_t i = 0; i < g->param_count; i++)
        if (!cc_param_is_statistic(&g->params[i])) parameters += g->params[i].count;
    CC_RETURN_IF_FAILED(cc_run_say(run, err, "model: %s, stem %s, width %zu: %zu parameters; %.0f MiB of device memory", g->spec.arch,
                                   g->spec.stem, g->spec.width, parameters, (double)cc_device_bytes(run->device) / 1048576));
    for (size_t i = 0; run->dir && i < run->model->plan.count; i++) {
        const cc_plan_entry *entry = &run->model->plan.entries[i];
        char parameters_of_gemm[256] = "";
        for (size_t set = 0; strcmp(entry->key, CC_GEMM_SETS_KEY) == 0 && cc_gemm_set_name(set); set++)
            if (strcmp(cc_gemm_set_name(set), entry->variant) == 0)
                cc_gemm_set_describe(set, parameters_of_gemm, sizeof parameters_of_gemm);
        CC_RETURN_IF_FAILED(cc_run_dir_log(run->dir, err, "plan: %s = %s%s%s", entry->key, entry->variant, *parameters_of_gemm ? ": " : "",
                                           parameters_of_gemm));
    }
    return CAMCL_OK;
}

/* The cosine of the learning rate and the line of the threshold are stretched over the length of the training. With another length, both
 * continue at other values than those at which they stopped. */
camcl_status cc_run_say_jumps(cc_run *run, camcl_error *err)
{
    const cc_schedule *now = &run->loop.schedule;
    cc_schedule before = *now;
    const uint64_t k = run->state.step;
    char lr[96] = "", threshold[96] = "", alpha[112] = "";
    before.epochs = run->saved_epochs;
    before.steps = before.epochs * before.epoch_steps;
    if (k == 0 || k >= now->steps || before.epochs == now->epochs) return CAMCL_OK;
    if (cc_schedule_lr(&before, k) != cc_schedule_lr(now, k))
        snprintf(lr, sizeof lr, " the learning rate jumps from %.3g to %.3g", cc_schedule_lr(&before, k - 1), cc_schedule_lr(now, k));
    const cc_objective_kind *kind = run->settings.step.objective.kind;
    if (cc_objective_has_threshold(kind) && cc_schedule_threshold(&before, k) != cc_schedule_threshold(now, k))
        snprintf(threshold, sizeof threshold, " the threshold jumps from %.3g to %.3g", cc_schedule_threshold(&before, k - 1),
                 cc_schedule_threshold(now, k));
    const float alpha_before = cc_step_alpha(&run->settings.step.objective, (float)cc_schedule_ramp(&before, k - 1)),
                alpha_now = cc_step_alpha(&run->settings.step.objective, (float)cc_schedule_ramp(now, k));
    if (cc_schedule_ramp(&before, k) != cc_schedule_ramp(now, k) && alpha_before != alpha_now)
        snprintf(alpha, sizeof alpha, " the weight of the unlabelled loss jumps from %.3g to %.3g", (double)alpha_before,
                 (double)alpha_now);
    if (!*lr && !*threshold && !*alpha) return CAMCL_OK;
    return cc_run_say(run, err, "%" PRIu64 " epochs instead of %" PRIu64 ":%s%s%s%s%s", now->epochs, before.epochs, lr,
                      *lr && (*threshold || *alpha) ? "," : "", threshold, *threshold && *alpha ? "," : "", alpha);
}

camcl_status cc_run_say_row(cc_run *run, const cc_metrics_row *row, camcl_error *err)
{
    static const struct {
        const char *name, *column;
    } rates[] = { { "train", "train_top1" }, { "val", "val_top1" }, { "mask", "mask_rate" }, { "pseudo", "pseudo_acc" } };
    const cc_metrics *m = &run->metrics;
    const cc_objective_kind *kind = run->settings.step.objective.kind;
    cc_text text = CC_TEXT_INIT;
    for (size_t i = 0; i < CC_COUNT(rates); i++) {
        const double value = cc_metrics_get(m, row, rates[i].column);
        if (!isnan(value)) cc_text_add(&text, "  %s %.1f %%", rates[i].name, value);
    }
    for (size_t i = 0; i < kind->figure_count; i++) {
        const double value = cc_metrics_get(m, row, kind->figures[i].column);
        if (!isnan(value)) cc_text_add(&text, "  %s %.4g", kind->figures[i].label, value);
    }
    camcl_status status = cc_run_say(run, err, "epoch %" PRIu64 "/%" PRIu64 "  step %" PRIu64 "  loss %.4f%s  %.0f images/s", row->epoch,
                                     run->loop.schedule.epochs, row->step, cc_metrics_get(m, row, "loss"), text.data ? text.data : "",
                                     cc_metrics_get(m, row, "images_per_s"));
    cc_text_free(&text);
    return status;
}
