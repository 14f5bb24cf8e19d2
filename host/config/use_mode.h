/* A configuration for another mode. */
#ifndef CC_CONFIG_USE_MODE_H
#define CC_CONFIG_USE_MODE_H

#include "camcl/config.h"

/* Sets ssl.mode. If it was another, ssl.beta, which was meant for that one, is the new mode's default again. */
camcl_status cc_config_use_mode(camcl_config *config, const char *mode, camcl_error *err);

#endif
