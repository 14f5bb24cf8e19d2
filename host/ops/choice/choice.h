/* The choice of a variant, and of CLBlast's parameters, for a device. */
#ifndef CC_OPS_CHOICE_CHOICE_H
#define CC_OPS_CHOICE_CHOICE_H

#include "ops/problem.h"

/* Chooses as the device's option device.tune says: the fastest variant by timings (with mode full, missing timings are made first), else
 * the built-in default. */
camcl_status cc_choose_variant(camcl_device *device, const cc_problem *problem, const cc_variant **out, camcl_error *err);
/* An index as in cc_gemm_use: the fastest of CLBlast's parameters by timings, else its own. */
camcl_status cc_choose_gemm(camcl_device *device, size_t *set, camcl_error *err);

#endif
