/* Labelled images alone: the baseline. */
#include "objective/objective.h"

const cc_objective_kind cc_objective_supervised = { .name = "supervised", .benchmarked = true };
