/* The files of configs/, which the build puts into the program. */
#ifndef CC_CONFIG_TEMPLATES_H
#define CC_CONFIG_TEMPLATES_H

#include "base/embedded.h"

extern const cc_embedded_file cc_config_files[];

#endif
