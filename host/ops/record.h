/* What the typed functions of ops.h share. */
#ifndef CC_OPS_RECORD_H
#define CC_OPS_RECORD_H

#include "ops/registry.h"

/* Records with the first variant of (op, direction) in the registry order, last to first, that supports the device and desc: later entries
 * are the more special ones. CAMCL_UNSUPPORTED when there is none. */
camcl_status cc_op_record(cc_tape *tape, const char *op, cc_direction direction, const void *desc, const cc_tensor *io, size_t count, bool add,
                          camcl_error *err);

#endif
