/* Host work in independent pieces, on all processors. */
#ifndef CC_BASE_PARALLEL_H
#define CC_BASE_PARALLEL_H

#include <stdbool.h>
#include <stddef.h>

/* Calls piece(context, i) once for each i in 0 .. count-1, in no particular order, on as many threads as there are processors. Returns
 * when all calls have returned. A piece must not touch memory that another piece writes. The function cannot fail: if no thread can be
 * started, the calling thread does all the work. */
void cc_parallel(size_t count, void (*piece)(void *context, size_t index), void *context);

/* The same for work that takes long, under the eyes of the calling thread, which does none of the work itself: it calls watch(context,
 * done) about ten times a second and once more at the end, with the number of calls that have returned. Once watch returns false, no
 * further piece is begun, and the function returns false after those in progress. */
bool cc_parallel_watched(size_t count, void (*piece)(void *context, size_t index), bool (*watch)(void *context, size_t done),
                         void *context);

#endif
