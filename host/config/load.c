/* Reading a configuration from a file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/memory.h"
#include "camcl/config.h"
#include "config/ini.h"
#include "config/older.h"

static camcl_status load(camcl_config *config, const char *path, bool machine_too, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    char *origin = NULL;
    cc_ini ini;
    CC_RETURN_IF_FAILED(cc_ini_read(path, &ini, err));
    size_t room = strlen(path) + 32;
    CC_TRY(CC_NEW(room, &origin, err));
    for (size_t i = 0; i < ini.count; i++) {
        const cc_ini_entry *entry = &ini.entries[i];
        bool machine = strncmp(entry->name, "device.", 7) == 0 || strncmp(entry->name, "output.", 7) == 0;
        if (machine && !machine_too) continue;
        snprintf(origin, room, "%s:%zu", path, entry->line);
        CC_TRY(camcl_config_set(config, entry->name, entry->value, origin, err));
    }
    CC_TRY(cc_config_read_older(config, err));
cleanup:
    free(origin);
    cc_ini_free(&ini);
    return status;
}

camcl_status camcl_config_load(camcl_config *config, const char *path, camcl_error *err)
{
    CC_CHECK_GIVEN(config, err);
    CC_CHECK_GIVEN(path, err);
    return load(config, path, true, err);
}

camcl_status camcl_config_load_run(camcl_config *config, const char *path, camcl_error *err)
{
    CC_CHECK_GIVEN(config, err);
    CC_CHECK_GIVEN(path, err);
    return load(config, path, false, err);
}
