/* An objective that only the tests have: pseudo-labels, an average over the steps of what the confidence operation counts, which is its
 * state, and a figure of this average. */
#include "objective/objective.h"

static size_t four(const cc_objective_sizes *sizes)
{
    (void)sizes;
    return 4;
}

static void begin(const cc_objective_sizes *sizes, void *values) { ((float *)values)[2] = (float)sizes->unlabeled; }

/* The average of this step goes into the sums before the figure's numbers are read back. */
static camcl_status targets(cc_objective_scope *scope, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_objective_hard_targets(scope, err));
    CC_RETURN_IF_FAILED(cc_ema_update(scope->tape, 4, 0.9f, scope->confidence_sums, scope->state[0], err));
    return cc_tape_copy(scope->tape, scope->state[0].buffer, 0, scope->sums[0].buffer, 0, 16, err);
}

static const cc_objective_state states[] = { { "average", CC_F32, four, begin } };
static const cc_objective_figure figures[] = { { "mean_mask", "mean mask", 0, 0, 2, 100 } };

const cc_objective_kind cc_objective_toy = { .name = "toy",
                                             .traits = CC_OBJECTIVE_TRAITS_toy,
                                             .targets = targets,
                                             .loss = cc_objective_cross_entropy,
                                             .states = states,
                                             .state_count = 1,
                                             .sum_count = 1,
                                             .figures = figures,
                                             .figure_count = 1 };
