/* The paper's objective: pseudo-labels, and CAMs that follow the transform. Its L_u is pseudo-label's; L_c is what
 * ssl.beta asks for. */
#include "objective/objective.h"

const cc_objective_kind cc_objective_gradcam = { .name = "gradcam",
                                                 .unlabeled = true,
                                                 .masked = true,
                                                 .benchmarked = true,
                                                 .consistency = true,
                                                 .targets = cc_objective_hard_targets,
                                                 .loss = cc_objective_cross_entropy };
