/* The inside of camcl_config, for the files of this folder. */
#ifndef CC_CONFIG_CONFIG_INTERNAL_H
#define CC_CONFIG_CONFIG_INTERNAL_H

#include "camcl/config.h"

typedef struct cc_value {
    char *text;   /* NULL: not set, a default is in force */
    char *origin; /* NULL if text is NULL */
} cc_value;

struct camcl_config {
    cc_value *values; /* one for each row of the schema */
    char *user_cache; /* the folder of an empty device.cache_dir; NULL: not known */
};

cc_value *cc_value_of(const camcl_config *config, const camcl_config_key *key);
/* The first of the key's further defaults that holds now, or NULL. */
const camcl_config_default *cc_default_in_force(const camcl_config *config, const camcl_config_key *key);
/* Whether this row of a key's further defaults, or one behind it that it comes before, says something else than the plain default. */
bool cc_default_matters(const camcl_config_key *key, const camcl_config_default *row);
/* The text in force: set, else by a further default, else the default. Never NULL. */
const char *cc_value_text(const camcl_config *config, const camcl_config_key *key);

#endif
