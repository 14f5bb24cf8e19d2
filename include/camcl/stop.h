/* Asking long work to end early. */
#ifndef CAMCL_STOP_H
#define CAMCL_STOP_H

#include <stdbool.h>

#include "camcl/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A request that long work looks at: training, reading pictures, timing kernels, the self-test. Any number of calls may look at one. All
 * functions but creation and destruction may be called from any thread at any time, and from a signal handler. */
typedef struct camcl_stop camcl_stop;

/* Nothing is requested at first. The caller owns *out, and keeps it until the work that looks at it has returned. */
camcl_status camcl_stop_create(camcl_stop **out, camcl_error *err);
/* NULL, or a pointer to NULL, is fine. */
void camcl_stop_destroy(camcl_stop **stop);

/* The work ends as soon as it can be left in good order, and returns CAMCL_STOPPED. Requesting again changes nothing. */
void camcl_stop_request(camcl_stop *stop);
/* Takes the request back, so that the next call works again. */
void camcl_stop_clear(camcl_stop *stop);
/* Whether a stop is requested. stop NULL: no. */
bool camcl_stop_requested(const camcl_stop *stop);

#ifdef __cplusplus
}
#endif
#endif
