#include "ops/choice/choice.h"

#include "ops/choice/gemm_sets.h"
#include "ops/choice/race.h"

camcl_status cc_choose_variant(camcl_device *device, const cc_problem *problem, const cc_variant **out, camcl_error *err)
{
    cc_choice *choice;
    CC_RETURN_IF_FAILED(cc_choice_of(device, &choice, err));
    if (choice->mode == CC_TUNE_FULL && !cc_choice_knows(choice, problem)) {
        CC_RETURN_IF_FAILED(cc_race_time(choice, problem, err));
        cc_choice_store(choice);
    }
    *out = choice->mode == CC_TUNE_OFF ? NULL : cc_choice_fastest(choice, problem);
    if (*out == NULL) *out = cc_choice_builtin(choice, problem);
    return CAMCL_OK;
}

camcl_status cc_choose_gemm(camcl_device *device, size_t *set, camcl_error *err)
{
    cc_choice *choice;
    CC_RETURN_IF_FAILED(cc_choice_of(device, &choice, err));
    *set = choice->mode == CC_TUNE_OFF ? 0 : cc_gemm_sets_choose(choice);
    return CAMCL_OK;
}
