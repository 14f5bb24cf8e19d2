/* Training step by step (camcl/trainer.h). */
#include <inttypes.h>
#include <stdlib.h>

#include "base/arguments.h"
#include "base/evaluation.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/options.h"
#include "dataset/test_images.h"
#include "infer/loaded.h"
#include "train/run.h"

/* ---- life */

/* A trainer is a run whose options are fewer. */
static camcl_status open_trainer(const char *path, camcl_device *device, const camcl_dataset *dataset, const camcl_config *config,
                                 const camcl_trainer_options *given, camcl_trainer **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    camcl_trainer_options options;
    cc_run *run = NULL;
    CC_TRY(CC_TAKE_OPTIONS(camcl_trainer_options, message, given, &options, err));
    const camcl_train_options run_options = {
        .stop = options.stop, .context = options.context, .progress = options.progress, .message = options.message, .dataset = dataset
    };
    CC_TRY(CC_NEW(1, &run, err));
    CC_TRY(cc_run_open_stepwise(run, path, device, config, &run_options, err));
    *out = run;
    run = NULL;
cleanup:
    camcl_trainer_destroy(&run);
    return status;
}

camcl_status camcl_trainer_create(camcl_device *device, const camcl_dataset *dataset, const camcl_config *config,
                                  const camcl_trainer_options *options, camcl_trainer **out, camcl_error *err)
{
    CC_CHECK_GIVEN(out, err);
    *out = NULL;
    CC_CHECK_GIVEN(device, err);
    CC_CHECK_GIVEN(dataset, err);
    CC_CHECK_GIVEN(config, err);
    return open_trainer(NULL, device, dataset, config, options, out, err);
}

camcl_status camcl_trainer_load(const char *path, camcl_device *device, const camcl_dataset *dataset, const camcl_config *config,
                                const camcl_trainer_options *options, camcl_trainer **out, camcl_error *err)
{
    CC_CHECK_GIVEN(out, err);
    *out = NULL;
    CC_CHECK_GIVEN(path, err);
    CC_CHECK_GIVEN(device, err);
    CC_CHECK_GIVEN(dataset, err);
    return open_trainer(path, device, dataset, config, options, out, err);
}

void camcl_trainer_destroy(camcl_trainer **trainer)
{
    if (trainer == NULL || *trainer == NULL) return;
    cc_run_close(*trainer);
    free(*trainer);
    *trainer = NULL;
}

/* ---- training */

const camcl_progress *camcl_trainer_get_progress(const camcl_trainer *trainer) { return trainer ? &trainer->progress : NULL; }

camcl_status camcl_trainer_step(camcl_trainer *t, uint64_t count, camcl_error *err)
{
    CC_CHECK_GIVEN_AS(t, "trainer", err);
    const uint64_t steps = t->loop.schedule.steps;
    t->interval_started_at = cc_seconds();
    CC_RETURN_IF_FAILED(cc_run_steps(t, count, err));
    CC_RETURN_IF_FAILED(cc_run_collect(t, err));
    t->progress = cc_run_progress(t, t->figures);
    if (t->state.step == steps || !cc_run_wants_stop(t)) return CAMCL_OK;
    return cc_fail(err, CAMCL_STOPPED, "training: stopped after step %" PRIu64 " of %" PRIu64 " (save it, or go on)", t->state.step, steps);
}

/* ---- evaluation */

/* The images of a split other than the validation set. */
static cc_test_images images_of(const camcl_trainer *t, camcl_split split)
{
    if (split == CAMCL_SPLIT_TRAIN) return (cc_test_images){ CAMCL_TRAIN_IMAGES, t->split.labeled, t->split.labeled_count };
    if (split == CAMCL_SPLIT_UNLABELED) return (cc_test_images){ CAMCL_TRAIN_IMAGES, t->split.unlabeled, t->split.unlabeled_count };
    return cc_dataset_test_images(t->dataset);
}

/* Brings the images batch by batch, since those of the test set need not be on the device. */
static camcl_status evaluate(camcl_trainer *t, const cc_test_images *images, camcl_evaluation *out, camcl_error *err)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(t->dataset);
    const size_t size = t->settings.step.image_size;
    const cc_session_spec spec = { .kind = CC_SESSION_EVALUATION,
                                   .batch = cc_session_batch(CC_SESSION_EVALUATION, images->count, size),
                                   .image_size = size,
                                   .height = info->height,
                                   .width = info->width,
                                   .mean = t->settings.mean,
                                   .std = t->settings.std };
    const cc_session_input input = { .indices = images->indices,
                                     .n = images->count,
                                     .pixels = camcl_dataset_pixels(t->dataset, images->part),
                                     .labels = camcl_dataset_labels(t->dataset, images->part) };
    cc_session *session;
    CC_RETURN_IF_FAILED(cc_session_cache_get(&t->evaluations, t->model, &spec, &session, err));
    CC_RETURN_IF_FAILED(cc_model_refresh(t->model, err));
    return cc_session_run(session, &input, &(cc_session_output){ .evaluation = out }, err);
}

camcl_status camcl_trainer_evaluate(camcl_trainer *t, camcl_split split, camcl_evaluation *out, camcl_error *err)
{
    bool best;
    CC_CHECK_GIVEN_AS(t, "trainer", err);
    CC_CHECK_GIVEN(out, err);
    *out = cc_evaluation_nothing();
    if ((unsigned)split > CAMCL_SPLIT_UNLABELED)
        return cc_fail(err, CAMCL_BAD_CONFIG, "camcl_trainer_evaluate: split %d: there is none (choose a CAMCL_SPLIT_...)", (int)split);
    if (split == CAMCL_SPLIT_VALIDATION) {
        CC_RETURN_IF_FAILED(cc_run_validate(t, NULL, out, &best, err));
        cc_run_begin_interval(t);
        return CAMCL_OK;
    }
    const cc_test_images images = images_of(t, split);
    if (images.count == 0) return CAMCL_OK;
    CC_RETURN_IF_FAILED(cc_run_swap_average(t, err));
    return cc_run_swap_back(t, evaluate(t, &images, out, err), err);
}

/* ---- what is kept */

camcl_status camcl_trainer_save(camcl_trainer *t, const char *path, camcl_error *err)
{
    CC_CHECK_GIVEN_AS(t, "trainer", err);
    CC_CHECK_GIVEN(path, err);
    return cc_run_save_state(t, path, err);
}

/* Weights and the card that belongs to them, borrowed. */
static camcl_status choose(camcl_trainer *t, camcl_weights weights, cc_snapshot *out, camcl_error *err)
{
    if (weights == CAMCL_LAST_WEIGHTS) {
        t->card.step = t->state.step;
        return cc_run_last_model(t, out, err);
    }
    if (weights != CAMCL_BEST_WEIGHTS)
        return cc_fail(err, CAMCL_BAD_CONFIG, "weights %d: there are none (choose CAMCL_BEST_WEIGHTS or CAMCL_LAST_WEIGHTS)", (int)weights);
    if (!t->state.has_best)
        return cc_fail(err, CAMCL_BAD_CONFIG, "best weights: none yet (evaluate CAMCL_SPLIT_VALIDATION first, or take the last ones)");
    t->card.step = t->state.best_step;
    *out = t->state.best;
    return CAMCL_OK;
}

camcl_status camcl_trainer_write_model(camcl_trainer *t, camcl_weights weights, const char *path, camcl_error *err)
{
    cc_snapshot chosen;
    CC_CHECK_GIVEN_AS(t, "trainer", err);
    CC_CHECK_GIVEN(path, err);
    CC_RETURN_IF_FAILED(choose(t, weights, &chosen, err));
    return cc_checkpoint_write(path, t->model->graph, &t->card, &chosen, err);
}

camcl_status camcl_trainer_open_model(camcl_trainer *t, camcl_weights weights, camcl_model **out, camcl_error *err)
{
    cc_snapshot chosen;
    CC_CHECK_GIVEN(out, err);
    *out = NULL;
    CC_CHECK_GIVEN_AS(t, "trainer", err);
    CC_RETURN_IF_FAILED(choose(t, weights, &chosen, err));
    return cc_loaded_create(t->device, &t->card, &chosen, "training", out, err);
}
