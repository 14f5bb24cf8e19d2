/* SHA-256 of a file. */
#ifndef CC_DATASET_CHECKSUM_H
#define CC_DATASET_CHECKSUM_H

#include <stdbool.h>

#include "base/diag.h"
#include "camcl/stop.h"

enum { CC_CHECKSUM_DIGITS = 64 };

/* Whether this build can. */
bool cc_can_checksum(void);
/* Reads the open file from its start to its end and writes its SHA-256, lower-case hexadecimal digits, to `digits`. `path` is for messages;
 * stop may be NULL. CAMCL_IO, CAMCL_STOPPED, or CAMCL_UNSUPPORTED where this build has no nettle. */
camcl_status cc_checksum(int file, const char *path, const camcl_stop *stop, char digits[CC_CHECKSUM_DIGITS + 1], camcl_error *err);

#endif
