/* How much memory this process can still get. */
#ifndef CC_BASE_MEMORY_LEFT_H
#define CC_BASE_MEMORY_LEFT_H

#include <stddef.h>

/* The smallest of what the process's own limits (ulimit), its control groups (containers) and the machine leave; *what names that one.
 * SIZE_MAX where the system does not say. `root` is put before /proc and /sys: "", but for tests. */
size_t cc_memory_left(const char *root, const char **what);

/* Bytes that can be had without others being pushed out into swap, within the same limits; half of all memory where the machine does not
 * say. */
size_t cc_memory_available(const char *root);

#endif
