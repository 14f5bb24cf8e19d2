/* SoftMatch (Chen et al., arXiv 2301.10921). L_u is fixmatch's with a weight for each image in place of the mask: the less, the further its
 * confidence lies below the batches' average. */
#include "objective/objective.h"

enum { PROBABILITY, MEAN, VARIANCE };
static const float decay = 0.999f;

static camcl_status targets(cc_objective_scope *scope, camcl_error *err)
{
    const cc_rows_desc rows = cc_objective_rows(scope, &scope->weak);
    const cc_tensor *state = scope->state;
    CC_RETURN_IF_FAILED(cc_objective_create_targets(scope, err));
    return cc_confidence_weights(scope->tape, &rows, decay, scope->weak.logits, scope->truth, state[PROBABILITY], state[MEAN],
                                 state[VARIANCE], scope->pseudo, scope->weight, scope->confidence_sums, scope->sums[0], err);
}

static void begin_variance(const cc_objective_sizes *sizes, void *values)
{
    (void)sizes;
    *(float *)values = 1.0f;
}

static void begin_mean(const cc_objective_sizes *sizes, void *values) { *(float *)values = 1.0f / (float)sizes->classes; }

static const cc_objective_state states[] = { [PROBABILITY] = { "probability", CC_F32, cc_objective_classes, cc_objective_uniform },
                                             [MEAN] = { "mean", CC_F32, cc_objective_one, begin_mean },
                                             [VARIANCE] = { "variance", CC_F32, cc_objective_one, begin_variance } };
static const cc_objective_figure figures[] = { { "confidence_mean", "average confidence", 0, 0, 3, 1 },
                                               { "confidence_variance", "variance of confidence", 0, 1, 3, 1 } };

const cc_objective_kind cc_objective_softmatch = { .name = "softmatch",
                                                   .traits = CC_OBJECTIVE_TRAITS_softmatch,
                                                   .targets = targets,
                                                   .loss = cc_objective_cross_entropy,
                                                   .states = states,
                                                   .state_count = 3,
                                                   .sum_count = 1,
                                                   .figures = figures,
                                                   .figure_count = 2 };
