/* Why a file of weights is not taken, and which network it holds instead. */
#ifndef CC_RUN_INIT_MISFIT_H
#define CC_RUN_INIT_MISFIT_H

#include "run/init_names.h"

/* CAMCL_BAD_DATA with what does not fit `names`, the way that fits best; `head` counts the head's parameters as well. If the file holds
 * another network whole, the message says which keys choose it. The detail has at most ten lines of each kind. */
camcl_status cc_init_fail(const char *path, const cc_safetensors *file, const cc_graph *graph, const cc_init_names *names, bool head,
                          camcl_error *err);

#endif
