/* The parameters of kernels. The build reads the declarations in cl/ and writes for each kernel its cc_kernel and a struct with one member
 * per parameter (device/kernel_bindings.h), so that call sites name what they pass. A wrong name does not compile. An argument that is
 * missing, or of another kind than declared, is refused when the launch is recorded. */
#ifndef CC_DEVICE_KERNEL_H
#define CC_DEVICE_KERNEL_H

#include <stdint.h>

#include "device/device.h"

/* CC_KERNEL_READ: __global const T *; CC_KERNEL_WRITE: __global T *, written and maybe read; CC_KERNEL_INT: int; CC_KERNEL_FLOAT: float. */
typedef enum cc_kernel_param_kind { CC_KERNEL_READ, CC_KERNEL_WRITE, CC_KERNEL_INT, CC_KERNEL_FLOAT } cc_kernel_param_kind;
typedef struct cc_kernel_param {
    const char *name;
    cc_kernel_param_kind kind;
} cc_kernel_param;
typedef struct cc_kernel {
    const char *program; /* file below cl/, without ".cl": "conv2d/tile" */
    const char *name;    /* __kernel function in it */
    const cc_kernel_param *params;
    size_t count; /* at least 1 */
} cc_kernel;

/* Every kernel in cl/, ending with NULL. Borrowed, static. */
extern const cc_kernel *const cc_kernels[];
/* The lines of cl/bundles.txt, ending with NULL: names of programs that may be built as one, each line ending with NULL. */
extern const char *const *const cc_bundles[];
/* NULL: there is none of this name. */
const cc_kernel *cc_kernel_find(const char *name);

typedef enum cc_arg_kind { CC_ARG_NONE, CC_ARG_READ, CC_ARG_WRITE, CC_ARG_READ_WRITE, CC_ARG_INT, CC_ARG_FLOAT } cc_arg_kind;
typedef struct cc_arg {
    cc_arg_kind kind;
    union {
        cc_buffer *buffer; /* CC_ARG_READ, CC_ARG_WRITE, CC_ARG_READ_WRITE; borrowed */
        int64_t i;         /* CC_ARG_INT; the kernel's int is narrower: see cc_kernel_check */
        float f;           /* CC_ARG_FLOAT */
    };
} cc_arg;
#define CC_IN(b) ((cc_arg){ .kind = CC_ARG_READ, .buffer = (b) })
#define CC_OUT(b) ((cc_arg){ .kind = CC_ARG_WRITE, .buffer = (b) })
#define CC_INOUT(b) ((cc_arg){ .kind = CC_ARG_READ_WRITE, .buffer = (b) })
#define CC_FLOAT(v) ((cc_arg){ .kind = CC_ARG_FLOAT, .f = (float)(v) })
/* An argument from a size, a signed integer or a truth value, without loss. A floating-point number does not compile. */
/* clang-format off */
#define CC_INT(v)                                                                                                                          \
    (_Generic((v), bool: cc_arg_of_signed, int: cc_arg_of_signed, long: cc_arg_of_signed, long long: cc_arg_of_signed,                     \
              unsigned: cc_arg_of_unsigned, unsigned long: cc_arg_of_unsigned, unsigned long long: cc_arg_of_unsigned)(v))
/* clang-format on */
static inline cc_arg cc_arg_of_signed(int64_t value) { return (cc_arg){ .kind = CC_ARG_INT, .i = value }; }
/* A larger value becomes INT64_MAX, which cc_kernel_check refuses as well. */
static inline cc_arg cc_arg_of_unsigned(uint64_t value)
{
    return (cc_arg){ .kind = CC_ARG_INT, .i = value > INT64_MAX ? INT64_MAX : (int64_t)value };
}
static inline bool cc_arg_is_buffer(const cc_arg *arg)
{
    return arg->kind == CC_ARG_READ || arg->kind == CC_ARG_WRITE || arg->kind == CC_ARG_READ_WRITE;
}

/* A kernel of device/kernel_bindings.h and its arguments, by the names of its parameters: two arguments for functions that take
 * `const cc_kernel *kernel, const cc_arg *args`. The list lives as long as the enclosing block. */
#define CC_BIND(kernel, ...) &cc_kernel_##kernel, (const cc_args_##kernel){ .by_name = { __VA_ARGS__ } }.list

/* Compares args[0..kernel->count) with the parameters. An argument that is missing or of another kind is a defect of the caller and
 * CAMCL_FAILED. An integer that does not fit a kernel's 32 bits is CAMCL_UNSUPPORTED. */
camcl_status cc_kernel_check(const cc_kernel *kernel, const cc_arg *args, camcl_error *err);

#endif
