/* Tuning for settings whose data set is open. */
#ifndef CC_TUNE_TUNE_H
#define CC_TUNE_TUNE_H

#include "camcl/tune.h"
#include "run/settings.h"

/* As camcl_tune, for the mode of settings->step.objective alone. */
camcl_status cc_tune_run(camcl_device *device, const cc_settings *settings, const camcl_tune_options *options, camcl_tune_result *result,
                         camcl_error *err);

#endif
