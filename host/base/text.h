/* A string that grows. If an allocation fails, the string keeps its content and `failed` is set, so that callers need to check only
 * once, at the end. */
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
/* Append to text: value as a JSON string literal with quotes and escapes (NULL becomes null, bytes that are not UTF-8 become U+FFFD),
 * and value as a JSON number with %.9g in any locale (null if not finite). */
void cc_text_add_json_string(cc_text *text, const char *value);
void cc_text_add_json_number(cc_text *text, double value);
/* number, which was printed in the current locale, with '.' for this locale's decimal point, which may be several bytes. */
void cc_decimal_point_to_dot(char *number);
/* For people: 1505 as "1,505"; bytes as "1,505 MiB", below 10 MiB with a decimal. */
void cc_text_add_count(cc_text *text, size_t count);
void cc_text_add_mebibytes(cc_text *text, size_t bytes);
/* Text from outside, safe to show on a terminal: control characters (C0, DEL, C1) and bytes that are no UTF-8 become \xNN. At most about
 * `most` bytes of value; "..." stands for the rest. */
void cc_text_add_visible(cc_text *text, const char *value, size_t most);
/* One word of a shell's command line, in quotes; and the same in quotes only where it needs them. */
void cc_text_add_quoted(cc_text *text, const char *word);
void cc_text_add_shell_word(cc_text *text, const char *word);
void cc_text_free(cc_text *text);

/* The number of bytes of the UTF-8 sequence at data, of which `left` > 0 bytes may be read. 0 for an invalid sequence: overlong forms,
 * surrogates and values above U+10FFFF are invalid. */
size_t cc_utf8_length(const char *data, size_t left);

/* The edit distance of two words, for "did you mean". */
unsigned cc_edit_distance(const char *a, const char *b);

#endif
