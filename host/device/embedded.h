/* The texts of the files in cl/, which the build puts into the program. */
#ifndef CC_DEVICE_EMBEDDED_H
#define CC_DEVICE_EMBEDDED_H

#include "base/embedded.h"

extern const cc_embedded_file cc_embedded_files[];

#endif
