/* What a run leaves at its end: the test set's verdict, the report page. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/evaluation.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "dataset/test_images.h"
#include "report/data.h"
#include "train/run.h"

camcl_status cc_run_test_session(const cc_run *run, cc_session_spec spec, cc_session **out, camcl_error *err)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(run->dataset);
    spec.image_size = run->settings.step.image_size;
    spec.height = info->height;
    spec.width = info->width;
    spec.mean = run->settings.mean;
    spec.std = run->settings.std;
    return cc_session_create(run->model, &spec, NULL, NULL, out, err);
}

/* ---- the test set */

/* What the best weights make of the test images. */
typedef struct test_result {
    camcl_evaluation evaluation;
    camcl_breakdown breakdown;
    float *logits; /* [test->count,classes]; NULL without test images */
} test_result;

static void free_test(test_result *result)
{
    camcl_breakdown_free(&result->breakdown);
    free(result->logits);
}

static camcl_status stopped(const cc_run *run, camcl_error *err)
{
    const uint64_t steps = run->loop.schedule.steps;
    return cc_fail(err, CAMCL_STOPPED,
                   "training: stopped after step %" PRIu64 " of %" PRIu64 ", before the test images were done (saved; go on with --resume)",
                   steps, steps);
}

/* The model holds the best weights. */
static camcl_status evaluate_test(cc_run *run, const cc_test_images *test, test_result *out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const camcl_dataset_info *info = camcl_dataset_get_info(run->dataset);
    const int32_t *labels = camcl_dataset_labels(run->dataset, test->part);
    const cc_session_spec spec = { .kind = CC_SESSION_EVALUATION,
                                   .batch = cc_session_batch(CC_SESSION_EVALUATION, test->count, run->settings.step.image_size) };
    const cc_session_input images = { .indices = test->indices,
                                      .n = test->count,
                                      .pixels = camcl_dataset_pixels(run->dataset, test->part),
                                      .labels = labels,
                                      .stop = run->options->stop };
    cc_session *session = NULL;
    CC_TRY(CC_NEW(test->count * info->classes, &out->logits, err));
    CC_TRY(cc_run_test_session(run, spec, &session, err));
    status = cc_session_run(session, &images, &(cc_session_output){ .evaluation = &out->evaluation, .logits = out->logits }, err);
    if (status == CAMCL_STOPPED) status = stopped(run, err);
    if (status != CAMCL_OK) goto cleanup;
    CC_TRY(camcl_breakdown_make(out->logits, labels, test->indices, test->count, info->classes, &out->breakdown, err));
    CC_TRY(cc_confusion_write(cc_run_dir_file(run->dir, CC_RUN_CONFUSION), info->classes, camcl_dataset_class_names(run->dataset),
                              out->breakdown.confusion, err));
cleanup:
    cc_session_destroy(&session);
    return status;
}

static cc_result result_of(const cc_run *run, const test_result *test, double seconds)
{
    const camcl_config *c = run->config;
    cc_result r = cc_result_nothing();
    r.best_epoch = (double)run->state.best_epoch;
    r.best_val_top1 = run->state.best_score;
    r.test = test->evaluation;
    r.has_reliability = test->logits != NULL;
    memcpy(r.reliability, test->breakdown.reliability, sizeof r.reliability);
    r.seconds = seconds;
    snprintf(r.device, sizeof r.device, "%s", camcl_device_get_info(run->device)->name);
    if (run->team.all > 1) snprintf(r.device + strlen(r.device), sizeof r.device - strlen(r.device), " and %zu more", run->team.all - 1);
    snprintf(r.mode, sizeof r.mode, "%s", camcl_config_string(c, "ssl.mode"));
    snprintf(r.arch, sizeof r.arch, "%s", camcl_config_string(c, "model.arch"));
    snprintf(r.preset, sizeof r.preset, "%s", camcl_config_string(c, "ssl.preset"));
    r.width = (double)run->model->graph->spec.width;
    r.labeled = (double)run->split.labeled_count;
    r.unlabeled = run->unlabeled ? (double)run->split.unlabeled_count : 0;
    return r;
}

/* ---- the end */

bool cc_run_is_finished(const cc_run *run)
{
    static const cc_run_file files[] = { CC_RUN_RESULT, CC_RUN_REPORT, CC_RUN_CONFIG, CC_RUN_SPLITS };
    if (run->state.step != run->loop.schedule.steps) return false;
    for (size_t i = 0; i < CC_COUNT(files); i++)
        if (!cc_run_dir_has(run->dir, files[i])) return false;
    if (cc_dataset_test_images(run->dataset).count && !cc_run_dir_has(run->dir, CC_RUN_CONFUSION)) return false;
    return cc_run_has_cams(run) && cc_run_has_models(run);
}

/* Adds the metrics of this unit that the number of classes allows, one behind the other. */
static void add_values(cc_text *text, const camcl_evaluation *test, camcl_unit unit, size_t classes)
{
    size_t count;
    const camcl_metric *metrics = camcl_metric_list(&count);
    for (size_t i = 0; i < count; i++) {
        if (metrics[i].unit != unit || classes <= metrics[i].trivial_classes) continue;
        cc_text_add(text, unit == CAMCL_NATS ? "%s%s %.4f" : "%s%s %.2f %%", text->length ? ", " : "", metrics[i].label, test->values[i]);
    }
}

static camcl_status say_test(cc_run *run, const camcl_evaluation *test, camcl_error *err)
{
    cc_text text = CC_TEXT_INIT;
    if (cc_dataset_test_images(run->dataset).count == 0)
        cc_text_add(&text, "no images");
    else if (test->n == 0)
        cc_text_add(&text, "no image has a label");
    else {
        add_values(&text, test, CAMCL_PERCENT, run->model->graph->spec.classes);
        add_values(&text, test, CAMCL_NATS, run->model->graph->spec.classes);
        add_values(&text, test, CAMCL_POINTS, run->model->graph->spec.classes);
    }
    char score[48] = "no validation images";
    if (run->counts.validation) snprintf(score, sizeof score, "validation %.2f %%", run->state.best_score);
    camcl_status status = cc_run_say(run, err, "test: %s (weights of epoch %llu, %s)", text.failed ? "" : text.data,
                                     (unsigned long long)run->state.best_epoch, score);
    cc_text_free(&text);
    return status;
}

/* What was trained is tested; the model holds the best weights. */
static camcl_status write_results(cc_run *run, const test_result *test, camcl_train_result *result, camcl_error *err)
{
    const double seconds = run->state.seconds + cc_seconds() - run->started_at;
    const cc_result written = result_of(run, test, seconds);
    CC_RETURN_IF_FAILED(cc_report_write_with(cc_run_dir_path(run->dir), &written, err));
    CC_RETURN_IF_FAILED(cc_result_write(cc_run_dir_file(run->dir, CC_RUN_RESULT), &written, test->logits ? &test->breakdown : NULL,
                                        camcl_dataset_class_names(run->dataset), err));
    *result = (camcl_train_result){
        .best_epoch = run->state.best_epoch, .best_val_top1 = run->state.best_score, .test = test->evaluation, .seconds = seconds
    };
    return CAMCL_OK;
}

camcl_status cc_run_finish(cc_run *run, camcl_train_result *result, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const cc_test_images images = cc_dataset_test_images(run->dataset);
    test_result test = { .evaluation = cc_evaluation_nothing() };
    /* The training step's memory is not needed any more, and the test images may need it. */
    cc_arena_destroy(&run->arena);
    cc_step_destroy(&run->step);
    cc_session_destroy(&run->validation);
    cc_resident_destroy(&run->train_images);
    CC_TRY(cc_snapshot_apply(&run->state.best, run->model, err));
    if (images.count) CC_TRY(evaluate_test(run, &images, &test, err));
    CC_TRY(cc_run_write_last_cams(run, test.logits, err));
    CC_TRY(write_results(run, &test, result, err));
    /* Last of all, so that a run that is finished twice shows its pictures to TensorBoard once. */
    CC_TRY(cc_run_show_cams(run, err));
    status = say_test(run, &test.evaluation, err);
cleanup:
    free_test(&test);
    return status;
}
