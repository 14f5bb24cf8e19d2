/* Work of the host that falls into independent pieces. */
#ifndef CC_BASE_PARALLEL_H
#define CC_BASE_PARALLEL_H

#include <stddef.h>

/* Calls piece(context, 0 .. count-1), each once, on as many threads as there are processors, in no order; returns when all are done.
 * Pieces must not touch what another one writes. Cannot fail: where no thread starts, the caller does the work. */
void cc_parallel(size_t count, void (*piece)(void *context, size_t index), void *context);

#endif
