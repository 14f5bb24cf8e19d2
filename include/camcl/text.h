/* Writing texts that programs read (JSON) and texts from outside that people read. Functions of their arguments alone: any thread may call
 * them. */
#ifndef CAMCL_TEXT_H
#define CAMCL_TEXT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Takes the next `count` bytes of the output. */
typedef void (*camcl_sink)(void *context, const char *bytes, size_t count);

/* value as a JSON string literal with quotes and escapes. NULL becomes null; a byte that is not UTF-8 becomes U+FFFD. */
void camcl_write_json_string(const char *value, camcl_sink sink, void *context);
/* value as a JSON number with nine digits, whatever the locale; null if it is NaN or infinite, because JSON has no such numbers. */
void camcl_write_json_number(double value, camcl_sink sink, void *context);
/* `size` bytes of text so that they cannot control a terminal: control characters (C0, DEL, C1) and bytes that are not UTF-8 become \xNN.
 */
void camcl_write_visible(const char *text, size_t size, camcl_sink sink, void *context);

#ifdef __cplusplus
}
#endif
#endif
