/* A configuration as plain values, as far as training, inference and tuning share it. The layers below get these values and never see
 * the configuration. */
#ifndef CC_RUN_SETTINGS_H
#define CC_RUN_SETTINGS_H

#include "camcl/config.h"
#include "camcl/dataset.h"
#include "camcl/device.h"
#include "feed/augment.h"
#include "dataset/split.h"
#include "objective/step.h"

typedef struct cc_settings {
    cc_graph_spec graph;
    cc_step_spec step;
    cc_augment_options augment;
    float mean[CAMCL_MAX_CHANNELS], std[CAMCL_MAX_CHANNELS];
} cc_settings;

camcl_device_options cc_device_options_from(const camcl_config *config);
cc_split_spec cc_split_spec_from(const camcl_config *config);
/* Reads the settings. mean and std come from the configuration, or else from the data set. CAMCL_BAD_CONFIG if images are not square or
 * the number of values is not the number of channels. */
camcl_status cc_settings_from(const camcl_config *config, const camcl_dataset_info *data, cc_settings *out, camcl_error *err);

#endif
