/* Pieces of HTML text for the report page. Nothing here depends on the locale. */
#ifndef CC_REPORT_HTML_H
#define CC_REPORT_HTML_H

#include "base/text.h"

/* Appends text for element content and attribute values. Bytes that are not UTF-8 and control characters become U+FFFD. */
void cc_html_escape(cc_text *out, const char *text);
/* JSON for the content of a <script> element: what could end the element or break a line of it is written as \uXXXX. These characters
 * stand only inside of JSON's strings, where that means the same. */
void cc_html_add_json(cc_text *out, const char *json, size_t length);

void cc_html_number(cc_text *out, double value, int decimals); /* NaN: an en dash */
void cc_html_duration(cc_text *out, double seconds);           /* "2 min 34 s" */

#endif
