/* A kernel variant: one way to do one direction of one operation. */
#ifndef CC_OPS_VARIANT_H
#define CC_OPS_VARIANT_H

#include "tensor/tensor.h"

typedef enum cc_direction { CC_FORWARD, CC_BACKWARD_DATA, CC_BACKWARD_WEIGHT, CC_BACKWARD, CC_TANGENT } cc_direction;
const char *cc_direction_name(cc_direction direction);

typedef struct cc_operation cc_operation;

/* What the choice among variants has to know of one besides what it supports. */
typedef enum cc_variant_role {
    CC_ROLE_NONE,
    CC_ROLE_FALLBACK, /* for where nothing else runs: it is not timed against others */
    CC_ROLE_GPU,      /* its work-groups share local memory, which makes it no rival on devices that like long work-items */
    CC_ROLE_CLBLAST   /* CLBlast does the work, so that it depends on CLBlast's parameters */
} cc_variant_role;

/* One way to do one direction of one operation. `desc` is the operation's descriptor, `io` holds its tensors in the order that the
 * operation's header gives. Where the header marks an output (add), the result is added to the output if `add` is true. Otherwise the
 * result replaces the output. */
typedef struct cc_variant {
    const cc_operation *op;
    cc_direction direction;
    const char *name;   /* "general", "tile", "gemm", ... unique within op and direction */
    const char *family; /* convolutions: which device.conv value allows it: direct | winograd | gemm; else "" */
    bool (*supports)(const camcl_device_info *info, const void *desc);
    camcl_status (*record)(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err);
    /* Private weight layout; NULL: the variant reads the master layout. `pack` records the conversion of master to packed weights. */
    size_t (*packed_bytes)(const camcl_device_info *info, const void *desc);
    camcl_status (*pack)(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed, camcl_error *err);
    /* Layouts with equal ids and equal packed_bytes hold the same content, so that passes share one copy. */
    const char *layout;
    cc_variant_role role;
} cc_variant;

/* The variants that one file exports. */
typedef struct cc_variant_list {
    const cc_variant *variants;
    const size_t *count;
} cc_variant_list;
#define CC_DECLARE_VARIANTS(file)                                                                                                          \
    extern const cc_variant cc_##file##_variants[];                                                                                        \
    extern const size_t cc_##file##_variant_count

#endif
