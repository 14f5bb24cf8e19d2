/* Pi-model (Laine & Aila, arXiv 1610.02242). L_u is the mean squared difference of two views' probabilities; gradient flows into one of
 * them. */
#include "objective/objective.h"

const cc_objective_kind cc_objective_pi_model = { .name = "pi-model",
                                                  .traits = CC_OBJECTIVE_TRAITS_pi_model,
                                                  .ramped = true,
                                                  .targets = cc_objective_all_targets,
                                                  .loss = cc_objective_squared_error };
