/* L_u is the cross-entropy of the strong view with the weak view's most likely class, over confident images. */
#include "objective/objective.h"

const cc_objective_kind cc_objective_pseudo_label = { .name = "pseudo-label",
                                                      .traits = CC_OBJECTIVE_TRAITS_pseudo_label,
                                                      .masked = true,
                                                      .benchmarked = true,
                                                      .targets = cc_objective_hard_targets,
                                                      .loss = cc_objective_cross_entropy };
