/* The registry of kernel variants. For each operation and direction there is a list of variants, general first; the default choice,
 * the plan, the tests, `bench` and `selftest` all walk this list, so none escapes any of them. */
#ifndef CC_OPS_REGISTRY_H
#define CC_OPS_REGISTRY_H

#include "tensor/tensor.h"

typedef enum cc_direction { CC_FORWARD, CC_BACKWARD_DATA, CC_BACKWARD_WEIGHT, CC_BACKWARD, CC_TANGENT } cc_direction;
const char *cc_direction_name(cc_direction direction);

/* One way to do one direction of one operation. `desc` is the operation's descriptor, `io` its tensors in the order that its header
 * gives. An output marked (add) there is overwritten, or added to when `add`. */
typedef struct cc_variant {
    const char *op; /* "conv2d", "batch_norm", ...: the stem of ops/<op>.c and cl/<op>.cl */
    cc_direction direction;
    const char *name;   /* "general", "tile", "gemm", ... unique within op and direction */
    const char *family; /* convolutions: which device.conv value allows it: direct | winograd | gemm; else "" */
    bool (*supports)(const camcl_device_info *info, const void *desc);
    camcl_status (*record)(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err);
    /* Private weight layout; NULL: the variant takes the master layout. pack records master -> packed. */
    size_t (*packed_bytes)(const camcl_device_info *info, const void *desc);
    camcl_status (*pack)(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed, camcl_error *err);
    /* Layouts with equal ids and equal packed_bytes hold the same content, so that passes share one copy. */
    const char *layout;
} cc_variant;

/* Every variant of every operation. Borrowed, static. Built from the lists that each ops/<op>.c exports. */
size_t cc_registry_count(void);
const cc_variant *cc_registry_at(size_t index);
const cc_variant *cc_registry_find(const char *op, cc_direction direction, const char *name);

#endif
