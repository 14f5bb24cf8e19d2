/* Saving and restoring a run. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "train/run.h"

/* What the kernel plan and with it the bits depend on. */
static void identify_device(const cc_run *run, char *text, size_t size)
{
    const camcl_device_info *info = camcl_device_get_info(run->device);
    snprintf(text, size, "%s | %s | %s | conv = %s", info->platform, info->name, info->driver,
             camcl_config_string(run->config, "device.conv"));
}

static bool all_finite(const float *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(values[i])) return false;
    return true;
}

static camcl_status read_flat(cc_buffer *buffer, size_t n, float **out, camcl_error *err)
{
    if (*out == NULL) CC_RETURN_IF_FAILED(CC_NEW(n, out, err));
    return cc_buffer_read(buffer, 0, *out, n * sizeof **out, err);
}

/* Everything that is on the device or in the configuration into run->state. */
static camcl_status gather(cc_run *run, camcl_error *err)
{
    cc_run_state *s = &run->state;
    const cc_graph *g = run->model->graph;
    char device[640];
    CC_RETURN_IF_FAILED(
        cc_snapshot_take(&s->now, run->model, (int64_t)(s->step * cc_step_train_passes(&run->settings.step.objective)), err));
    /* The loss was finite, but the update that followed may have overflowed. */
    if (!all_finite(s->now.weights, g->trained) || !all_finite(s->now.statistics, g->statistics))
        return cc_fail(err, CAMCL_NOT_FINITE,
                       "training: the weights became NaN or infinite by step %" PRIu64
                       " (lower optim.lr; the last good checkpoint stays in %s)",
                       s->step, cc_run_dir_path(run->dir));
    CC_RETURN_IF_FAILED(read_flat(cc_step_velocity(run->step), g->trained, &s->velocity, err));
    if (cc_step_average(run->step)) CC_RETURN_IF_FAILED(read_flat(cc_step_average(run->step), g->trained, &s->average, err));
    free(s->plan);
    free(s->device);
    free(s->config);
    s->plan = s->device = s->config = NULL;
    identify_device(run, device, sizeof device);
    CC_RETURN_IF_FAILED(cc_plan_format(&run->model->plan, &s->plan, err));
    CC_RETURN_IF_FAILED(cc_copy_text(device, &s->device, err));
    return camcl_config_write(run->config, &s->config, err);
}

camcl_status cc_run_save(cc_run *run, camcl_error *err)
{
    cc_run_state *s = &run->state;
    const cc_graph *g = run->model->graph;
    double now = cc_seconds(), before = s->seconds;
    CC_RETURN_IF_FAILED(gather(run, err));
    s->seconds = before + now - run->started;
    camcl_status status = cc_run_state_write(cc_run_dir_file(run->dir, CC_RUN_STATE), g, s, &run->split, err);
    s->seconds = before;
    CC_RETURN_IF_FAILED(status);
    cc_snapshot last = s->now;
    if (s->average) last.weights = s->average;
    run->card.step = s->step;
    CC_RETURN_IF_FAILED(cc_checkpoint_write(cc_run_dir_file(run->dir, CC_RUN_LAST), g, &run->card, &last, err));
    if (!s->has_best) return CAMCL_OK;
    run->card.step = s->best_step;
    return cc_checkpoint_write(cc_run_dir_file(run->dir, CC_RUN_BEST), g, &run->card, &s->best, err);
}

/* The saved split names images by number: a data set that shrank since would be read past its end. */
static camcl_status check_split(const cc_run *run, camcl_error *err)
{
    const cc_split *split = &run->split;
    const camcl_dataset_info *info = camcl_dataset_get_info(run->dataset);
    const uint32_t *const pools[] = { split->labeled, split->unlabeled, split->validation };
    const size_t counts[] = { split->labeled_count, split->unlabeled_count, split->validation_count };
    for (int p = 0; p < 3; p++)
        for (size_t i = 0; i < counts[p]; i++)
            if (pools[p][i] >= info->train_count)
                return cc_fail(err, CAMCL_BAD_DATA,
                               "%s: its split has image %" PRIu32 ", but %s has %" PRIu32 " training images "
                               "(restore the data that the run began with)",
                               cc_run_dir_file(run->dir, CC_RUN_STATE), pools[p][i], info->name, info->train_count);
    return CAMCL_OK;
}

camcl_status cc_run_restore(cc_run *run, bool apply, camcl_error *err)
{
    cc_run_state *s = &run->state;
    const cc_graph *g = run->model->graph;
    char device[640];
    if (!apply) {
        CC_RETURN_IF_FAILED(cc_run_state_read(cc_run_dir_file(run->dir, CC_RUN_STATE), g, run->settings.step.ema > 0, s, &run->split, err));
        CC_RETURN_IF_FAILED(check_split(run, err));
        identify_device(run, device, sizeof device);
        if (strcmp(device, s->device) == 0) return cc_plan_parse(&run->model->plan, s->plan, err);
        return cc_run_say(run, err, "resuming on another device or driver: results may differ in the last bits");
    }
    CC_RETURN_IF_FAILED(cc_snapshot_apply(&s->now, run->model, err));
    CC_RETURN_IF_FAILED(cc_buffer_write(cc_step_velocity(run->step), 0, s->velocity, g->trained * sizeof(float), err));
    if (s->average) CC_RETURN_IF_FAILED(cc_buffer_write(cc_step_average(run->step), 0, s->average, g->trained * sizeof(float), err));
    return CAMCL_OK;
}
