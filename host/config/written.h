/* Reading a configuration back from the text that camcl_config_write made of it. */
#ifndef CC_CONFIG_WRITTEN_H
#define CC_CONFIG_WRITTEN_H

#include "camcl/config.h"

/* The reverse of camcl_config_write, from text that lies inside another file, which `file` names in messages: sets the text's keys. A key
 * that is not known or holds a value out of its range, or a line of another form: CAMCL_BAD_DATA. */
camcl_status cc_config_read_written(camcl_config *config, const char *file, const char *text, camcl_error *err);

#endif
