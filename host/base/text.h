/* A string that grows. After an allocation failure it stays as it was and `failed` is set: check once at the end. */
#ifndef CC_BASE_TEXT_H
#define CC_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

typedef struct cc_text {
    char *data;              /* NUL-terminated, or NULL while empty */
    size_t length, capacity;
    bool failed;
} cc_text;

#define CC_TEXT_INIT { NULL, 0, 0, false }

void cc_text_add(cc_text *text, const char *format, ...) CC_PRINTF(2, 3);
void cc_text_add_bytes(cc_text *text, const void *bytes, size_t n);
/* A JSON string literal with quotes and escapes (value NULL: null); a JSON number with %.9g (null if not finite). */
void cc_text_add_json_string(cc_text *text, const char *value);
void cc_text_add_json_number(cc_text *text, double value);
void cc_text_free(cc_text *text);

/* Edit distance, for "did you mean". */
unsigned cc_edit_distance(const char *a, const char *b);

#endif
