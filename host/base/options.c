#include "base/options.h"

#include <string.h>

#include "base/memory.h"

enum { MOST = 1 << 16 }; /* bytes; no struct will be that large, memory that nobody initialised often claims it */

static camcl_status check_size(size_t size, const char *name, camcl_error *err)
{
    if (size >= sizeof size && size <= MOST) return CAMCL_OK;
    return cc_fail(err, CAMCL_BAD_CONFIG, "%s: its size says %zu bytes (initialise it with %s_init)", name, size, name);
}

camcl_status cc_options_take(void *own, size_t own_size, size_t first, const void *given, const char *name, camcl_error *err)
{
    size_t size;
    memset(own, 0, own_size);
    if (given) {
        memcpy(&size, given, sizeof size);
        if (size == 0) size = first;
        CC_RETURN_IF_FAILED(check_size(size, name, err));
        for (size_t i = own_size; i < size; i++)
            if (((const unsigned char *)given)[i])
                return cc_fail(err, CAMCL_UNSUPPORTED,
                               "%s: it sets members that this version of libcamcl, " CAMCL_VERSION
                               ", does not know (install the version for "
                               "which the program was compiled)",
                               name);
        memcpy(own, given, cc_min_size(size, own_size));
    }
    memcpy(own, &own_size, sizeof own_size);
    return CAMCL_OK;
}
