/* Whether one place lies in another. */
#ifndef CLI_LIES_IN_H
#define CLI_LIES_IN_H

#include <stdbool.h>

#include "camcl/status.h"

/* *inside: whether `path`, which need not exist yet, is `folder` or lies below it, links followed. A folder that does not exist holds
 * nothing. CAMCL_IO or CAMCL_NO_MEMORY where that cannot be found out. */
camcl_status cli_lies_in(const char *path, const char *folder, bool *inside, camcl_error *err);

#endif
