/* The choice of a variant, and of CLBlast's parameters, for a device. */
#ifndef CC_OPS_CHOICE_CHOICE_H
#define CC_OPS_CHOICE_CHOICE_H

#include "ops/problem.h"

/* As the device's device.tune has it: the fastest by timings (made first where they are missing and the mode is full), else the built-in
 * default. */
camcl_status cc_choose_variant(camcl_device *device, const cc_problem *problem, const cc_variant **out, camcl_error *err);
/* An index as in cc_gemm_use: the fastest of CLBlast's parameters by timings, else its own. */
camcl_status cc_choose_gemm(camcl_device *device, size_t *set, camcl_error *err);

#endif
