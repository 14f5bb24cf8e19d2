/* Values of an evaluation, apart from how they are computed. */
#ifndef CC_BASE_EVALUATION_H
#define CC_BASE_EVALUATION_H

#include "camcl/evaluation.h"

/* No image, and no value available. */
camcl_evaluation cc_evaluation_nothing(void);
/* Where the metric of this name has its value; NULL: there is no such metric. */
double *cc_evaluation_at(camcl_evaluation *evaluation, const char *name);

#endif
