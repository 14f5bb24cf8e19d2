/* What a run remembers of its data: enough to know them again in another place, and to say what became different. */
#ifndef CC_RUN_DATA_IDENTITY_H
#define CC_RUN_DATA_IDENTITY_H

#include "base/diag.h"
#include "camcl/dataset.h"

/* The data set's fingerprint, its counts and its class names as a JSON object, for the state. The same data give the same text. The caller
 * frees *text. */
camcl_status cc_data_identity(const camcl_dataset *dataset, char **text, camcl_error *err);
/* Compares two such texts: of the data that the state `path` was saved with, and of the data that there are now. CAMCL_BAD_DATA if they
 * differ, or `before` is no such text: the message names the first difference, the detail all of them. */
camcl_status cc_data_identity_check(const char *path, const char *before, const char *now, camcl_error *err);

#endif
