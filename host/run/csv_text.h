/* Writing CSV as RFC 4180 has it. */
#ifndef CC_RUN_CSV_TEXT_H
#define CC_RUN_CSV_TEXT_H

#include "base/text.h"

/* Appends a field, in quotes where it needs them. */
void cc_csv_add_field(cc_text *text, const char *value);

#endif
