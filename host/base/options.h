/* Option structs that can grow. Each begins with `size_t size`, which its inline init function sets to what sizeof was where the caller was
 * compiled. So the library knows which members a caller has, whatever was added since. */
#ifndef CC_BASE_OPTIONS_H
#define CC_BASE_OPTIONS_H

#include <stddef.h>

#include "base/diag.h"

/* Copies `given` to `own`, both of which begin with a size. Members that the caller does not have become zero, which must mean what was
 * done before there were such members. given->size 0 stands for the members up to `first` bytes. A caller may also be newer than the
 * library: what it sets beyond the library's own size is CAMCL_UNSUPPORTED. `name` is that of the type. given NULL: all zeros. */
camcl_status cc_options_take(void *own, size_t own_size, size_t first, const void *given, const char *name, camcl_error *err);

/* The same, typed: CC_TAKE_OPTIONS(camcl_tune_options, progress, options, &own, err), where `last` is the last member that the struct had
 * in version 0.1. */
#define CC_TAKE_OPTIONS(type, last, given, own, err)                                                                                       \
    cc_options_take((own), sizeof(type), offsetof(type, last) + sizeof(((const type *)0)->last), (given), #type, (err))

#endif
