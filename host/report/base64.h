/* Base64 (RFC 4648), for pictures inside of report pages. */
#ifndef CC_REPORT_BASE64_H
#define CC_REPORT_BASE64_H

#include <stddef.h>

#include "base/text.h"

/* Appends the code of n bytes, padded with '='. */
void cc_text_add_base64(cc_text *text, const void *bytes, size_t n);

#endif
