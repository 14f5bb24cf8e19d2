#include "config/older.h"

#include <string.h>

#include "base/words.h"
#include "config/config_internal.h"

/* Of these sections a run's configuration has every key of its version; a file that people write hardly ever has. */
#define COMPLETE "ssl | optim | train"
/* Keys of these sections that came later. */
#define LATER "ramp | temperature | fairness"

static bool is_of_a_run_before_beta_went_by_mode(const camcl_config *config)
{
    size_t count;
    const camcl_config_key *schema = camcl_config_schema(&count);
    for (size_t i = 0; i < count; i++) {
        const bool set = cc_value_of(config, &schema[i])->text != NULL, later = cc_words_have(LATER, schema[i].name);
        if (cc_words_have(COMPLETE, schema[i].section) && set == later) return false;
    }
    return true;
}

camcl_status cc_config_read_older(camcl_config *config, camcl_error *err)
{
    if (!is_of_a_run_before_beta_went_by_mode(config) || camcl_config_is(config, "ssl.mode", "gradcam")) return CAMCL_OK;
    return camcl_config_set(config, "ssl.beta", "0", camcl_config_origin(config, "ssl.beta"), err);
}
