/* FreeMatch (Wang et al., arXiv 2205.07246). L_u is fixmatch's with a threshold for each class that follows the average confidence. A
 * further term, whose weight is ssl.fairness, keeps the confident images' predictions as spread over the classes as the average is. */
#include "objective/objective.h"

enum { THRESHOLD, PROBABILITY, HISTOGRAM };
enum { THRESHOLDS, FAIRNESS };
static const float decay = 0.999f;

static camcl_status targets(cc_objective_scope *scope, camcl_error *err)
{
    const cc_rows_desc rows = cc_objective_rows(scope, &scope->weak);
    const cc_tensor *state = scope->state;
    CC_RETURN_IF_FAILED(cc_objective_create_targets(scope, err));
    return cc_adaptive_thresholds(scope->tape, &rows, decay, scope->weak.logits, scope->truth, state[THRESHOLD], state[PROBABILITY],
                                  state[HISTOGRAM], scope->pseudo, scope->weight, scope->confidence_sums, scope->sums[THRESHOLDS], err);
}

static camcl_status loss(cc_objective_scope *scope, camcl_error *err)
{
    const cc_rows_desc rows = cc_objective_rows(scope, &scope->strong);
    cc_tensor q, slope;
    CC_RETURN_IF_FAILED(cc_objective_cross_entropy(scope, err));
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(scope->tape, "strong probabilities", CC_F32, CC_DIMS(rows.n, rows.classes), &q, err));
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(scope->tape, "slope of the fairness", CC_F32, CC_DIMS(rows.classes), &slope, err));
    CC_RETURN_IF_FAILED(cc_softmax_forward(scope->tape, &rows, scope->strong.logits, q, err));
    CC_RETURN_IF_FAILED(cc_fairness_forward(scope->tape, &rows, q, scope->weight, scope->state[PROBABILITY], scope->state[HISTOGRAM], slope,
                                            scope->sums[FAIRNESS], err));
    return cc_fairness_backward(scope->tape, &rows, q, scope->weight, slope, scope->options->fairness, scope->dlogits, err);
}

static double further(const cc_objective *options, const float own[][4]) { return (double)options->fairness * (double)own[FAIRNESS][0]; }

static void begin_threshold(const cc_objective_sizes *sizes, void *values) { *(float *)values = 1.0f / (float)sizes->classes; }

static const cc_objective_state states[] = { [THRESHOLD] = { "threshold", CC_F32, cc_objective_one, begin_threshold },
                                             [PROBABILITY] = { "probability", CC_F32, cc_objective_classes, cc_objective_uniform },
                                             [HISTOGRAM] = { "histogram", CC_F32, cc_objective_classes, cc_objective_uniform } };
static const cc_objective_figure figures[] = { { "global_threshold", "global threshold", THRESHOLDS, 0, 3, 1 },
                                               { "class_threshold", "mean class threshold", THRESHOLDS, 1, 3, 1 },
                                               { "fairness", "fairness loss", FAIRNESS, 0, 3, 1 } };

const cc_objective_kind cc_objective_freematch = { .name = "freematch",
                                                   .traits = CC_OBJECTIVE_TRAITS_freematch,
                                                   .targets = targets,
                                                   .loss = loss,
                                                   .further = further,
                                                   .states = states,
                                                   .state_count = 3,
                                                   .sum_count = 2,
                                                   .figures = figures,
                                                   .figure_count = 3 };
