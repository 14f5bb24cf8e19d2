/* The inside of camcl_config, for the files of this folder. */
#ifndef CC_CONFIG_VALUES_H
#define CC_CONFIG_VALUES_H

#include "camcl/config.h"

typedef struct cc_value {
    char *text;   /* NULL: not set, the default or the preset is in force */
    char *origin; /* NULL if text is NULL */
} cc_value;

struct camcl_config {
    cc_value *values; /* one for each row of the schema */
};

cc_value *cc_value_of(const camcl_config *config, const camcl_config_key *key);
/* The text in force: set, else by preset, else the default. Never NULL. */
const char *cc_value_text(const camcl_config *config, const camcl_config_key *key);

/* The reverse of camcl_config_write, from text that lies inside another file, which `file` names in messages: sets the text's keys. A key
 * that is not known or holds a value out of its range, or a line of another form: CAMCL_BAD_DATA. */
camcl_status cc_config_read_written(camcl_config *config, const char *file, const char *text, camcl_error *err);

#endif
