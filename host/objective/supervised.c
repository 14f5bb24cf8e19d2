/* Labelled images alone: the baseline. */
#include "objective/objective.h"

const cc_objective_kind cc_objective_supervised = { .name = "supervised", .traits = CC_OBJECTIVE_TRAITS_supervised, .benchmarked = true };
