/* FlexMatch (Zhang et al., arXiv 2110.08263). L_u is fixmatch's with a threshold for each class that is the lower, the fewer unlabelled
 * images had this class as their last confident prediction. */
#include "objective/objective.h"

enum { LAST, COUNTS };

static camcl_status targets(cc_objective_scope *scope, camcl_error *err)
{
    const cc_rows_desc rows = cc_objective_rows(scope, &scope->weak);
    CC_RETURN_IF_FAILED(cc_objective_create_targets(scope, err));
    return cc_class_thresholds(scope->tape, &rows, scope->options->confidence, scope->weak.logits, scope->threshold, scope->truth,
                               scope->transforms, scope->state[LAST], scope->state[COUNTS], scope->pseudo, scope->weight,
                               scope->confidence_sums, scope->sums[0], err);
}

/* The last confident class of each image of the training set; -1: none. */
static size_t all_images(const cc_objective_sizes *sizes) { return sizes->images; }

static void begin_last(const cc_objective_sizes *sizes, void *values)
{
    for (size_t i = 0; i < sizes->images; i++)
        ((int32_t *)values)[i] = -1;
}

/* How many images each class has; at the end, those without one: at first the whole pool. */
static size_t classes_and_none(const cc_objective_sizes *sizes) { return sizes->classes + 1; }

static void begin_counts(const cc_objective_sizes *sizes, void *values) { ((int32_t *)values)[sizes->classes] = (int32_t)sizes->pool; }

static const cc_objective_state states[] = {
    [LAST] = { "last", CC_I32, all_images, begin_last }, [COUNTS] = { "counts", CC_I32, classes_and_none, begin_counts }
};
static const cc_objective_figure figures[] = { { "class_threshold", "mean class threshold", 0, 0, 1, 1 },
                                               { "learnt", "images with a confident class", 0, 2, 3, 100 } };

const cc_objective_kind cc_objective_flexmatch = { .name = "flexmatch",
                                                   .traits = CC_OBJECTIVE_TRAITS_flexmatch,
                                                   .masked = true,
                                                   .targets = targets,
                                                   .loss = cc_objective_cross_entropy,
                                                   .states = states,
                                                   .state_count = 2,
                                                   .sum_count = 1,
                                                   .figures = figures,
                                                   .figure_count = 2 };
