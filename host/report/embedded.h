/* The files of page/, which the build puts into the program. */
#ifndef CC_REPORT_EMBEDDED_H
#define CC_REPORT_EMBEDDED_H

#include "base/embedded.h"

extern const cc_embedded_file cc_report_page_files[];

#endif
