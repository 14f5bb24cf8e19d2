/* Pieces of HTML text for the report page. Nothing here depends on the locale. */
#ifndef CC_REPORT_HTML_H
#define CC_REPORT_HTML_H

#include <stddef.h>

#include "base/text.h"

/* Appends text for element content and attribute values. Bytes that are not UTF-8 and control characters become U+FFFD. */
void cc_html_escape(cc_text *out, const char *text);
/* The same, cut to `most` characters of which the last is then an ellipsis. Returns the number of characters written. */
size_t cc_html_escape_cut(cc_text *out, const char *text, size_t most);
size_t cc_html_length(const char *text); /* characters */

void cc_html_number(cc_text *out, double value, int decimals); /* NaN: an en dash */
void cc_html_short(cc_text *out, double value);                /* three or four significant digits, "12.5k" */
void cc_html_count(cc_text *out, double value);                /* 12,345 */
void cc_html_duration(cc_text *out, double seconds);           /* "2 min 34 s" */

/* The page's style sheet, as element content of <style>. */
void cc_html_style(cc_text *out);

#endif
