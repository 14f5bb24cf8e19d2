/* Mean teacher (Tarvainen & Valpola, arXiv 1703.01780). L_u is the mean squared difference between the student's probabilities of one view
 * and the teacher's of the other. The teacher is the average of the student's weights. */
#include "objective/objective.h"

const cc_objective_kind cc_objective_mean_teacher = { .name = "mean-teacher",
                                                      .traits = CC_OBJECTIVE_TRAITS_mean_teacher,
                                                      .ramped = true,
                                                      .targets = cc_objective_all_targets,
                                                      .loss = cc_objective_squared_error };
