/* An operation: its variants, and what the plan, stored timings, `tune` and `bench` have to know about it. registry.c lists all
 * operations. */
#ifndef CC_OPS_OPERATION_H
#define CC_OPS_OPERATION_H

#include "ops/variant.h"

struct cc_gemm_desc; /* gemm.h */

/* The cost of one call in any direction: floating-point operations, where a multiply-add counts as two, and bytes of the tensors that
 * are read and written. */
typedef struct cc_cost {
    double flops, bytes;
} cc_cost;

/* For operations whose variant is chosen for each shape, kept in the plan, and timed. `desc` is the operation's descriptor, `policy` the
 * value of device.conv. */
typedef struct cc_op_choice {
    /* The default for this device and shape among the variants that the policy allows. Never NULL. */
    const cc_variant *(*builtin)(const camcl_device_info *info, const char *policy, cc_direction direction, const void *desc);
    /* Whether the policy allows the variant and the variant is worth timing. The variant must support desc. */
    bool (*competes)(const camcl_device_info *info, const char *policy, const cc_variant *variant, const void *desc);
    /* Fills io with the types and shapes of the tensors that a variant is given, without buffers. Optional tensors are none. io has room
     * for CC_CHOICE_OPERANDS tensors; the number of tensors is returned. *output becomes the index of the tensor that the variant
     * writes. If the direction has a weight operand, it is io[1]. */
    size_t (*operands)(cc_direction direction, const void *desc, cc_tensor *io, size_t *output);
    /* The place of the batch size in the descriptor, for operations whose time grows with the batch: timing a few images is enough to
     * rank their variants. NULL: shapes are timed as they are. */
    size_t *(*images)(void *desc);
    /* The matrix product inside the variant "gemm", forward. */
    void (*product)(const void *desc, struct cc_gemm_desc *out);
    /* The name of the variant that replaces the variant `name` of plans of the first version of camcl. NULL: the name is the same. */
    const char *(*successor)(const camcl_device_info *info, cc_direction direction, const void *desc, const char *name);
} cc_op_choice;
enum { CC_CHOICE_OPERANDS = 4 };

struct cc_operation {
    const char *name;
    /* Ends with NULL. A file that implements several operations exports one list for all of them; the variants of this operation are
     * those whose `op` points to it. In each direction the general variant comes first. */
    const cc_variant_list *lists;
    /* write_key writes the shape in words, which follows "NAME DIRECTION " in the plan's key. read_key reads the shape back and ignores
     * text after it; false: the text is not a shape. NULL: keys of this operation have no shape. */
    void (*write_key)(const void *desc, char *text, size_t size);
    bool (*read_key)(const char *text, void *desc);
    cc_cost (*cost)(const void *desc); /* NULL: its launches tell */
    const cc_op_choice *choice;        /* NULL: the last variant of the list that supports the shape */
};

/* Defines an operation without a choice, in the file that exports its variants as cc_<file>_variants. */
#define CC_SMALL_OPERATION(id, file)                                                                                                       \
    const cc_operation cc_##id##_operation = {                                                                                             \
        .name = #id, .lists = (const cc_variant_list[]){ { cc_##file##_variants, &cc_##file##_variant_count }, { NULL, NULL } }            \
    }

size_t cc_operation_count(const cc_operation *op);
/* index < cc_operation_count */
const cc_variant *cc_operation_at(const cc_operation *op, size_t index);
/* NULL: there is none. */
const cc_variant *cc_operation_find(const cc_operation *op, cc_direction direction, const char *name);

#endif
