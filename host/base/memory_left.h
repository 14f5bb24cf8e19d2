/* How much memory this process can still get: the smallest of what its own limits (ulimit), its control groups (containers) and the machine
 * leave; *what names that one. `root` is put before /proc and /sys: "", but for tests. */
#ifndef CC_BASE_MEMORY_LEFT_H
#define CC_BASE_MEMORY_LEFT_H

#include <stddef.h>

/* At the most, the machine's swap included. SIZE_MAX where the system does not say. */
size_t cc_memory_left(const char *root, const char **what);
/* Without pushing others out: no swap, and half of the machine's memory where the system does not say what is free. */
size_t cc_memory_available(const char *root, const char **what);

#endif
