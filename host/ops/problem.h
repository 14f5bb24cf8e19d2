/* An operation at a shape, of those whose variant is chosen: what a key of the plan and of stored timings stands for. */
#ifndef CC_OPS_PROBLEM_H
#define CC_OPS_PROBLEM_H

#include "ops/conv2d/conv2d.h"
#include "ops/linear.h"

typedef struct cc_problem {
    const cc_operation *op;
    cc_direction direction;
    union {
        cc_conv2d_desc conv2d;
        cc_conv2d_affine_desc conv2d_affine;
        cc_linear_desc linear;
    } desc; /* of op */
} cc_problem;

/* "NAME DIRECTION SHAPE": cc_op_key of the problem. */
void cc_problem_key(const cc_problem *problem, char *text, size_t size);
/* Reads such a key back; false when it is none. Text behind it is left alone. */
bool cc_problem_read(const char *key, cc_problem *out);

#endif
