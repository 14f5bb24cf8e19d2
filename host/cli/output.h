/* What commands print: errors, JSON, texts from outside, sizes. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stddef.h>
#include <stdio.h>

#include "camcl/device.h"
#include "camcl/status.h"

/* Remembers the name that this program was started with; borrowed. */
void cli_set_program(const char *name);
/* That name, or "camcl". */
const char *cli_program(void);
/* Options that make this program compile its own kernels in helper processes. If stderr is a terminal, progress is shown there. */
camcl_kernel_compiler cli_kernel_compiler(void);

/* Prints "camcl: message" and the indented detail to stderr; returns the exit status for err->status. */
int cli_fail(const camcl_error *err);
/* The lines of an error's detail, indented. */
void cli_print_detail(FILE *file, const char *detail);
/* Fills err with the status and returns it. */
camcl_status cli_error(camcl_error *err, camcl_status status, const char *format, ...);
/* The same with CAMCL_BAD_CONFIG; control characters become '?'. */
camcl_status cli_usage(camcl_error *err, const char *format, ...);
/* As of cc_fail in host/base/diag.h. */
#ifdef __clang_analyzer__
#define cli_error(err, status, ...) ((cli_error)(err, status, __VA_ARGS__), (status))
#define cli_usage(err, ...) ((cli_usage)(err, __VA_ARGS__), CAMCL_BAD_CONFIG)
#endif

/* Prints text from outside so that it cannot control a terminal: control characters and bytes that are not UTF-8 become \xNN. */
void cli_text(FILE *file, const char *text);
/* How many characters cli_text prints. */
size_t cli_text_width(const char *text);
/* cli_text, then blanks up to `width` characters. */
void cli_cell(FILE *file, const char *text, size_t width);
/* Prints a field of a CSV file as RFC 4180 has it: in quotes where it holds a comma, a quote, a line end, or a blank at either end.
 * On a terminal it is made visible as by cli_text. */
void cli_csv_field(FILE *file, const char *text);
/* Prints text to stdout as a JSON string with quotes and escapes. Bytes that are not UTF-8 are replaced; NULL prints null. */
void cli_json_string(const char *text);
/* Prints value with nine digits, or null if it is NaN or infinite, because JSON has no such numbers. */
void cli_json_number(double value);
/* The same to any file. */
void cli_number(FILE *file, double value);
/* Writes a size such as "7.6 GiB" to out. */
void cli_bytes(size_t bytes, char *out, size_t size);

#endif
