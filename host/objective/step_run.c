/* Running a step, and what is read back of it. */
#include <math.h>
#include <string.h>

#include "objective/step_internal.h"

camcl_status cc_step_begin(cc_step *step, const cc_step_input *input, camcl_error *err)
{
    const float hyper[HYPER_COUNT] = { [HYPER_LR] = input->lr,
                                       [HYPER_THRESHOLD] = input->threshold,
                                       [HYPER_LOWEST] = -INFINITY,
                                       [HYPER_ALPHA] = cc_step_alpha(&step->spec.objective, input->ramp) };
    CC_RETURN_IF_FAILED(cc_inputs_send(&step->inputs, input, err));
    CC_RETURN_IF_FAILED(cc_buffer_upload(step->hyper.buffer, 0, hyper, sizeof hyper, err));
    return step->teacher ? cc_weights_refresh(step->teacher, err) : CAMCL_OK;
}

camcl_status cc_step_end(cc_step *step, cc_readback **sums, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_tape_run(step->update, err));
    CC_RETURN_IF_FAILED(cc_model_refresh(step->model, err));
    return sums ? cc_readback_start(step->report.buffer, 0, cc_tensor_bytes(&step->report), sums, err) : CAMCL_OK;
}

camcl_status cc_step_run(cc_step *step, const cc_step_input *input, cc_readback **sums, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_step_begin(step, input, err));
    CC_RETURN_IF_FAILED(cc_tape_run(step->tape, err));
    return cc_step_end(step, sums, err);
}

camcl_status cc_step_read(cc_readback **sums, cc_step_sums *out, camcl_error *err)
{
    const void *data;
    camcl_status status = cc_readback_wait(*sums, &data, err);
    if (status == CAMCL_OK) {
        float f[SUMS_MOST][SUM_FLOATS];
        memcpy(f, data, sizeof f);
        *out = (cc_step_sums){ .loss_s = f[SUMS_S][0],
                               .count_s = f[SUMS_S][1],
                               .correct_s = f[SUMS_S][2],
                               .confident = f[SUMS_CONFIDENCE][0],
                               .confident_correct = f[SUMS_CONFIDENCE][1],
                               .unlabeled = f[SUMS_CONFIDENCE][2],
                               .confident_unknown = f[SUMS_CONFIDENCE][3],
                               .loss_u = f[SUMS_U][0],
                               .loss_c = f[SUMS_C][0] };
        memcpy(out->own, f[SUMS_OWN], sizeof out->own);
    }
    cc_readback_destroy(sums);
    return status;
}

bool cc_step_has_pseudo_labels(const cc_step *step) { return step->scope.pseudo.buffer && step->scope.weight.buffer; }

camcl_status cc_step_count_pseudo(const cc_step *step, cc_readback *sums, double *counts, camcl_error *err)
{
    const size_t u = step->spec.batch_unlabeled, classes = step->model->graph->spec.classes;
    const void *data;
    if (!cc_step_has_pseudo_labels(step)) return CAMCL_OK;
    CC_RETURN_IF_FAILED(cc_readback_wait(sums, &data, err));
    const char *rows = (const char *)data + REPORTED_SUMS_BYTES;
    for (size_t i = 0; i < u; i++) {
        int32_t pseudo, truth;
        float weight;
        memcpy(&pseudo, rows + i * sizeof pseudo, sizeof pseudo);
        memcpy(&weight, rows + (u + i) * sizeof weight, sizeof weight);
        memcpy(&truth, rows + (2 * u + i) * sizeof truth, sizeof truth);
        if (pseudo < 0 || (size_t)pseudo >= classes) continue;
        double *of_class = counts + (size_t)pseudo * CC_PSEUDO_SUMS;
        of_class[CC_PSEUDO_CONFIDENT] += (double)weight;
        if (truth >= 0) of_class[CC_PSEUDO_KNOWN] += (double)weight;
        if (truth == pseudo) of_class[CC_PSEUDO_RIGHT] += (double)weight;
    }
    return CAMCL_OK;
}

void cc_step_losses(const cc_objective *objective, const cc_step_sums *sums, double *loss_s, double *loss_u, double *loss_c)
{
    double n = objective->whole_batch ? sums->unlabeled : sums->confident;
    *loss_s = sums->loss_s / sums->count_s;
    *loss_u = sums->loss_u / (n > 1 ? n : 1);
    *loss_c = sums->loss_c / (n > 1 ? n : 1);
}

float cc_step_alpha(const cc_objective *objective, float ramp)
{
    return objective->kind->ramped ? objective->alpha * ramp : objective->alpha;
}

double cc_step_further(const cc_objective *objective, const cc_step_sums *sums)
{
    return objective->kind->further ? objective->kind->further(objective, sums->own) : 0;
}

cc_buffer *cc_step_velocity(const cc_step *step) { return step->velocity; }
cc_buffer *cc_step_average(const cc_step *step) { return step->average; }

cc_buffer *cc_step_average_statistics(const cc_step *step) { return step->average_statistics; }
cc_tape *cc_step_tape(const cc_step *step, size_t index) { return index == 0 ? step->tape : step->update; }
const cc_tensor *cc_step_state(const cc_step *step) { return step->state; }

cc_objective_sizes cc_step_sizes(const cc_step *step)
{
    const size_t images = cc_resident_count(step->data);
    return (cc_objective_sizes){ step->model->graph->spec.classes, step->spec.batch_labeled, step->spec.batch_unlabeled, images,
                                 step->spec.pool ? step->spec.pool : images };
}

const cc_step_views *cc_step_look(const cc_step *step) { return &step->views; }

unsigned cc_step_train_passes(const cc_objective *objective)
{
    return !cc_objective_learns_unlabeled(objective->kind) || objective->joint ? 1 : cc_objective_has_teacher(objective->kind) ? 2 : 3;
}
