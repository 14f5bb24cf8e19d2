/* An operation: its variants, and what the plan, stored timings, `tune` and `bench` have to know of it. registry.c is the list of all. */
#ifndef CC_OPS_OPERATION_H
#define CC_OPS_OPERATION_H

#include "ops/variant.h"

struct cc_gemm_desc; /* gemm.h */

/* Of one call, any direction: floating-point operations, a multiply-add counting as two, and bytes of the tensors read and written. */
typedef struct cc_cost {
    double flops, bytes;
} cc_cost;

/* Of operations whose variant is chosen for each shape, kept in the plan, and timed. `desc` is the operation's descriptor, `policy` the
 * value of device.conv. */
typedef struct cc_op_choice {
    /* The default for this device and shape among the variants that the policy allows. Never NULL. */
    const cc_variant *(*builtin)(const camcl_device_info *info, const char *policy, cc_direction direction, const void *desc);
    /* Whether the policy allows the variant, which supports desc, and timing it is worth the while. */
    bool (*competes)(const camcl_device_info *info, const char *policy, const cc_variant *variant, const void *desc);
    /* Type and shape of the tensors that a variant is given, without buffers; an optional one is none. io has room for CC_CHOICE_OPERANDS.
     * Returns how many; *output is the index of the one that is written; io[1] is the weight operand of directions that have one. */
    size_t (*operands)(cc_direction direction, const void *desc, cc_tensor *io, size_t *output);
    /* The batch, where time grows with it, so that few images tell the order; NULL: shapes are timed as they are. */
    size_t *(*images)(void *desc);
    /* The matrix product inside the variant "gemm", forward. */
    void (*product)(const void *desc, struct cc_gemm_desc *out);
    /* The variant that does what `name` did in plans of the first version of camcl; NULL: the one of that name. */
    const char *(*successor)(const camcl_device_info *info, cc_direction direction, const void *desc, const char *name);
} cc_op_choice;
enum { CC_CHOICE_OPERANDS = 4 };

struct cc_operation {
    const char *name;
    /* Ends with NULL. A file that serves several operations has one list: the operation's variants are those that point here. Per direction
     * the general one comes first. */
    const cc_variant_list *lists;
    /* The shape in words, what follows "NAME DIRECTION " in the plan's key, and back, text behind it left alone; false: it is none. NULL:
     * keys of this operation have no shape. */
    void (*write_key)(const void *desc, char *text, size_t size);
    bool (*read_key)(const char *text, void *desc);
    cc_cost (*cost)(const void *desc); /* NULL: its launches tell */
    const cc_op_choice *choice;        /* NULL: the first that supports the shape, from the last of the list on */
};

/* The row of an operation without a choice, in the file that has its variants: cc_<file>_variants. */
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
