/* FixMatch (Sohn et al., arXiv 2001.07685). L_u is the cross-entropy of the strong view with the weak view's most likely class, over
 * confident images. It differs from pseudo-label in its settings: the threshold is fixed, and the whole batch divides. */
#include "objective/objective.h"

const cc_objective_kind cc_objective_fixmatch = { .name = "fixmatch",
                                                  .traits = CC_OBJECTIVE_TRAITS_fixmatch,
                                                  .masked = true,
                                                  .targets = cc_objective_hard_targets,
                                                  .loss = cc_objective_cross_entropy };
