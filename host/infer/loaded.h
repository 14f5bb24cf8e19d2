/* A model for users (camcl/model.h) of weights in memory. */
#ifndef CC_INFER_LOADED_H
#define CC_INFER_LOADED_H

#include "camcl/model.h"
#include "infer/session.h"
#include "run/checkpoint.h"

/* card and weights are copied; `name` stands for their file in messages. Errors as camcl_model_open. The caller owns *out. */
camcl_status cc_loaded_create(camcl_device *device, const cc_model_card *card, const cc_snapshot *weights, const char *name,
                              camcl_model **out, camcl_error *err);
/* Borrowed. */
cc_model *cc_loaded_network(const camcl_model *model);
/* Finite weights may be so large that what comes out is not: such a picture has no answer. CAMCL_NOT_FINITE. */
camcl_status cc_loaded_check(const char *what, const float *values, size_t n, camcl_error *err);

#endif
