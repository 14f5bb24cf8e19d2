/* Kernels by name, and their arguments against their declarations. */
#include "device/kernel.h"

#include <inttypes.h>
#include <string.h>

const cc_kernel *cc_kernel_find(const char *name)
{
    for (const cc_kernel *const *kernel = cc_kernels; *kernel; kernel++)
        if (strcmp((*kernel)->name, name) == 0) return *kernel;
    return NULL;
}

static bool accepts(cc_kernel_param_kind param, cc_arg_kind arg)
{
    switch (param) {
    case CC_KERNEL_READ: return arg == CC_ARG_READ;
    case CC_KERNEL_WRITE: return arg == CC_ARG_WRITE || arg == CC_ARG_READ_WRITE;
    case CC_KERNEL_INT: return arg == CC_ARG_INT;
    case CC_KERNEL_FLOAT: return arg == CC_ARG_FLOAT;
    }
    return false;
}

camcl_status cc_kernel_check(const cc_kernel *kernel, const cc_arg *args, camcl_error *err)
{
    static const char *const takes[] = {
        [CC_KERNEL_READ] = "CC_IN", [CC_KERNEL_WRITE] = "CC_OUT or CC_INOUT", [CC_KERNEL_INT] = "CC_INT", [CC_KERNEL_FLOAT] = "CC_FLOAT"
    };
    static const char *const given[] = { [CC_ARG_NONE] = "nothing",        [CC_ARG_READ] = "CC_IN", [CC_ARG_WRITE] = "CC_OUT",
                                         [CC_ARG_READ_WRITE] = "CC_INOUT", [CC_ARG_INT] = "CC_INT", [CC_ARG_FLOAT] = "CC_FLOAT" };
    for (size_t i = 0; i < kernel->count; i++) {
        const cc_kernel_param *param = &kernel->params[i];
        const cc_arg *arg = &args[i];
        if (!accepts(param->kind, arg->kind))
            return cc_fail(err, CAMCL_FAILED, "kernel %s: argument %s takes %s and was given %s (report this as a defect)", kernel->name,
                           param->name, takes[param->kind], given[arg->kind]);
        if (cc_arg_is_buffer(arg) && arg->buffer == NULL)
            return cc_fail(err, CAMCL_FAILED, "kernel %s: argument %s was given no buffer (report this as a defect)", kernel->name,
                           param->name);
        if (arg->kind == CC_ARG_INT && (arg->i < INT32_MIN || arg->i > INT32_MAX))
            return cc_fail(err, CAMCL_UNSUPPORTED,
                           "kernel %s: argument %s would be %" PRId64 ", and kernels count in 32 bits (use smaller batches or images)",
                           kernel->name, param->name, arg->i);
    }
    return CAMCL_OK;
}
