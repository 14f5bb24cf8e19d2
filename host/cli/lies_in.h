/* Whether one place lies in another. */
#ifndef CLI_LIES_IN_H
#define CLI_LIES_IN_H

#include <stdbool.h>

/* Whether `path`, which need not exist yet, is `folder` or lies below it, links followed. false where that cannot be found out. */
bool cli_lies_in(const char *path, const char *folder);

#endif
