#include "ops/choice/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void destroy(void *object)
{
    cc_choice *choice = object;
    cc_timings_free(&choice->timings);
    free(choice);
}

camcl_status cc_choice_of(camcl_device *device, cc_choice **out, camcl_error *err)
{
    *out = cc_device_attached(device);
    if (*out) return CAMCL_OK;
    const char *tune = cc_device_tune(device);
    cc_choice *choice = NULL;
    CC_RETURN_IF_FAILED(CC_NEW(1, &choice, err));
    choice->device = device;
    snprintf(choice->policy, sizeof choice->policy, "%s", cc_device_conv(device));
    choice->mode = strcmp(tune, "off") == 0 ? CC_TUNE_OFF : strcmp(tune, "full") == 0 ? CC_TUNE_FULL : CC_TUNE_CACHE;
    if (choice->mode != CC_TUNE_OFF) cc_timings_load(&choice->timings, camcl_device_get_info(device), cc_device_cache_dir(device));
    cc_device_attach(device, choice, destroy);
    *out = choice;
    return CAMCL_OK;
}

void cc_choice_store(cc_choice *choice)
{
    cc_timings_store(&choice->timings, camcl_device_get_info(choice->device), cc_device_cache_dir(choice->device));
}

camcl_status cc_choice_check_stop(const cc_choice *choice, camcl_error *err)
{
    if (!camcl_stop_requested(choice->stop)) return CAMCL_OK;
    return cc_fail(err, CAMCL_STOPPED, "timing of kernels: stopped (what was timed is kept: camcl tune goes on from there)");
}
