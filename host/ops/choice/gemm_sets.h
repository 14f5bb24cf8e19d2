/* CLBlast's parameters by timing: by the sum of the times of some products. Stored and planned as CC_GEMM_SETS_KEY = name of the set. */
#ifndef CC_OPS_CHOICE_GEMM_SETS_H
#define CC_OPS_CHOICE_GEMM_SETS_H

#include "ops/choice/state.h"
#include "ops/gemm.h"

#define CC_GEMM_SETS_KEY "clblast Xgemm"
/* Whether all sets that the device supports were timed. */
bool cc_gemm_sets_known(const cc_choice *choice);
/* Index of the fastest set; 0, the default, where not all were timed or it is within 5 %. */
size_t cc_gemm_sets_fastest(const cc_choice *choice);
/* The same among the sets that this process can still use. If CLBlast's default can no longer be used (cc_gemm_has_default), the fastest
 * of the other sets, or 0 if no timings of them are known. */
size_t cc_gemm_sets_choose(const cc_choice *choice);
/* Afterwards cc_gemm_sets_choose's set is in use. CAMCL_UNSUPPORTED if the default was never timed and can no longer be used. */
camcl_status cc_gemm_sets_time(cc_choice *choice, const cc_gemm_desc *products, size_t count, camcl_error *err);

#endif
