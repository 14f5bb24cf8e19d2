/* The paper's objective: pseudo-labels, and CAMs that follow the transform. It is pseudo-label with ssl.beta above 0. */
#include "objective/objective.h"

const cc_objective_kind cc_objective_gradcam = { .name = "gradcam",
                                                 .traits = CC_OBJECTIVE_TRAITS_gradcam,
                                                 .masked = true,
                                                 .benchmarked = true,
                                                 .targets = cc_objective_hard_targets,
                                                 .loss = cc_objective_cross_entropy };
