#include "base/arguments.h"

camcl_status cc_check_given(const void *pointer, const char *function, const char *argument, camcl_error *err)
{
    if (pointer) return CAMCL_OK;
    return cc_fail(err, CAMCL_BAD_CONFIG, "%s: %s is NULL (give one)", function, argument);
}
