/* A string that grows. After an allocation failure it stays as it was and `failed` is set: check once at the end. */
#ifndef CC_BASE_TEXT_H
#define CC_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

typedef struct cc_text {
    char *data; /* NUL-terminated, or NULL while empty */
    size_t length, capacity;
    bool failed;
} cc_text;

#define CC_TEXT_INIT                                                                                                                       \
    {                                                                                                                                      \
        NULL, 0, 0, false                                                                                                                  \
    }

void cc_text_add(cc_text *text, const char *format, ...) CC_PRINTF(2, 3);
void cc_text_add_bytes(cc_text *text, const void *bytes, size_t n);
/* A JSON string literal with quotes and escapes (value NULL: null; bytes that are no UTF-8 become U+FFFD); a JSON number
 * with %.9g, whatever the locale (null if not finite). */
void cc_text_add_json_string(cc_text *text, const char *value);
void cc_text_add_json_number(cc_text *text, double value);
void cc_text_free(cc_text *text);

/* Bytes of the UTF-8 sequence at data (of which `left` > 0 bytes may be read), or 0 when it is no valid one: overlong
 * forms, surrogates and values above U+10FFFF are not. */
size_t cc_utf8_length(const char *data, size_t left);

/* Edit distance, for "did you mean". */
unsigned cc_edit_distance(const char *a, const char *b);

#endif
