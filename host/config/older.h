/* Configurations of runs of older versions, in which a key meant something else. */
#ifndef CC_CONFIG_OLDER_H
#define CC_CONFIG_OLDER_H

#include "camcl/config.h"

/* After the keys of one file were set in an empty configuration: ssl.beta meant nothing outside gradcam, and runs noted it all the same, so
 * that it becomes 0 there. */
camcl_status cc_config_read_older(camcl_config *config, camcl_error *err);

#endif
