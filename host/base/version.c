#include "camcl/version.h"

const char *camcl_version(void) { return CAMCL_VERSION; }
