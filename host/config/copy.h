/* A configuration like another one. */
#ifndef CC_CONFIG_COPY_H
#define CC_CONFIG_COPY_H

#include "camcl/config.h"

/* Copies what is set, with its origins. The caller owns *out. */
camcl_status cc_config_copy(const camcl_config *config, camcl_config **out, camcl_error *err);
/* Sets ssl.mode. If it was another, ssl.beta, which was meant for that one, is the new mode's default again. */
camcl_status cc_config_use_mode(camcl_config *config, const char *mode, camcl_error *err);

#endif
