/* Writing JSON: members of objects (with a name) and elements of arrays (name NULL), with the commas between them. */
#ifndef CC_REPORT_JSON_TEXT_H
#define CC_REPORT_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

void cc_json_begin(cc_text *out, const char *name, char bracket);           /* '{' or '['; '"' for text that needs no escapes */
void cc_json_end(cc_text *out, char bracket);                               /* '}', ']' or '"' */
void cc_json_add_string(cc_text *out, const char *name, const char *value); /* NULL: null */
void cc_json_add_number(cc_text *out, const char *name, double value);      /* not finite: null */
void cc_json_add_count(cc_text *out, const char *name, size_t value);
void cc_json_add_bool(cc_text *out, const char *name, bool value);

#endif
