/* What the typed functions of ops.h and the variants behind them share. */
#ifndef CC_OPS_RECORD_H
#define CC_OPS_RECORD_H

#include "ops/operation.h"

/* Records with the last variant of (op, direction) that supports device and desc and whose work-groups fit the device: later variants
 * are more specialised. CAMCL_UNSUPPORTED when there is none. */
camcl_status cc_op_record(cc_tape *tape, const cc_operation *op, cc_direction direction, const void *desc, const cc_tensor *io,
                          size_t count, bool add, camcl_error *err);

/* Writes the name that plans, stored timings and profiles use: "conv2d forward n32 h32 ...", "linear forward n32 in512 out10", or, for
 * operations without a choice, "batch_norm forward". */
void cc_op_key(const cc_operation *op, cc_direction direction, const void *desc, char *text, size_t size);
/* "KEY = VARIANT": the label of a variant's launches. */
void cc_variant_label(const cc_variant *variant, const void *desc, char *text, size_t size);
/* False if the variant was recorded for this device before and its work-groups did not fit the device (cc_device_is_unfit). */
bool cc_variant_fits(const camcl_device *device, const cc_variant *variant, const void *desc);
/* Records with this variant and labels its launches with cc_variant_label. */
camcl_status cc_variant_record(const cc_variant *variant, cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add,
                               camcl_error *err);

/* What a variant expects of one of its tensors: exactly `elements` elements; at least as many, if it uses rows of a larger tensor; or
 * exactly as many unless the tensor is none. CC_APART, which most outputs have, adds that no other operand may be the same tensor. */
typedef enum cc_need { CC_EXACT, CC_AT_LEAST, CC_OPTIONAL, CC_APART = 4 } cc_need;
typedef struct cc_operand {
    const char *name;
    cc_dtype dtype;
    size_t elements;
    unsigned need; /* a cc_need, or one with CC_APART */
} cc_operand;
/* Checks io[0..count) against what the variant expects; a mismatch is a defect of the caller and CAMCL_FAILED. A tensor of 2^31
 * elements or more is CAMCL_UNSUPPORTED, since kernels count in int. */
camcl_status cc_op_check(const char *op, const cc_operand *expected, size_t expected_count, const cc_tensor *io, size_t count,
                         camcl_error *err);
#define CC_CHECK_OPERANDS(op, io, count, err, ...)                                                                                         \
    cc_op_check(op, (const cc_operand[]){ __VA_ARGS__ }, sizeof((const cc_operand[]){ __VA_ARGS__ }) / sizeof(cc_operand), io, count, err)
/* For variants with no output that can be added to: CAMCL_FAILED when `add`. */
camcl_status cc_op_check_no_add(const char *op, bool add, camcl_error *err);
/* CAMCL_FAILED unless the scalar lies in its buffer. */
camcl_status cc_op_check_scalar(const char *op, cc_device_scalar scalar, camcl_error *err);

/* Whether few long work-items suit the device, as they suit CPUs. Mesa's llvmpipe is treated as a GPU although it runs on CPUs: it
 * silently ends the loops of a work-item after 65535 iterations in total. */
bool cc_likes_long_items(const camcl_device_info *info);

/* The options of cl/vector.clh for a whole vector register of a CPU. Static. */
const char *cc_vector_options(const camcl_device_info *info);

/* How kernels with cl/vector.clh are built for rows of c floats: `width` floats per vector, those of a register (CPUs), 4 or 1, divides c;
 * `lanes` work-items share a sum, 1 on CPUs, 64 elsewhere (1 where a work-group cannot have that many). Few combinations, so few programs.
 */
typedef struct cc_shape {
    size_t width, lanes;
    const char *options;
} cc_shape;
cc_shape cc_row_shape(const camcl_device_info *info, size_t c);

/* For kernels over n rows without vectors: one work-item per row, or with `sums` one work-group that takes them all. */
cc_launch cc_rows_launch(const cc_tape *tape, size_t n, bool sums);
/* For kernels that sum over rows for each class: one such work-group per class. */
cc_launch cc_classes_launch(const cc_tape *tape, size_t classes);

/* How many work-items share `total` equal pieces of work, and how many pieces each takes (the last one maybe fewer). On CPUs a few
 * contiguous ranges per core, each of at least `grain` pieces; on GPUs one piece each. Depends on nothing but its arguments. */
typedef struct cc_work_split {
    size_t items, each;
} cc_work_split;
cc_work_split cc_split_work(const camcl_device_info *info, size_t total, size_t grain);

static inline bool cc_supports_all(const camcl_device_info *info, const void *desc)
{
    (void)info;
    (void)desc;
    return true;
}

#endif
