/* Printing for all commands. */
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

camcl_status cli_usage(camcl_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    for (char *p = err->message; *p; p++) {
        if ((unsigned char)*p < 0x20) *p = '?';
    }
    err->detail[0] = '\0';
    return err->status = CAMCL_BAD_CONFIG;
}

/* The length of the UTF-8 sequence at p, or 0 if it is invalid (overlong forms and surrogates included). */
static size_t utf8_length(const unsigned char *p)
{
    static const struct {
        unsigned char low, high, second_low, second_high;
        size_t length;
    } rows[] = {
        { 0x20, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
        { 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
        { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (p[0] < rows[i].low || p[0] > rows[i].high) continue;
        if (rows[i].length > 1 && (p[1] < rows[i].second_low || p[1] > rows[i].second_high)) return 0;
        for (size_t k = 2; k < rows[i].length; k++) {
            if (p[k] < 0x80 || p[k] > 0xbf) return 0;
        }
        return rows[i].length;
    }
    return 0;
}

static void put_visible(FILE *file, const unsigned char *text, size_t size)
{
    for (size_t i = 0, n; i < size; i += n) {
        const size_t valid = utf8_length(text + i);
        const bool shown = valid && text[i] != 0x7f && !(text[i] == 0xc2 && text[i + 1] < 0xa0);
        n = shown ? valid : 1;
        if (shown)
            fwrite(text + i, 1, n, file);
        else
            fprintf(file, "\\x%02x", text[i]);
    }
}

void cli_text(FILE *file, const char *text) { put_visible(file, (const unsigned char *)text, strlen(text)); }

int cli_fail(const camcl_error *err)
{
    fflush(stdout);
    fputs("camcl: ", stderr);
    cli_text(stderr, err->message);
    fputc('\n', stderr);
    for (const char *line = err->detail; *line;) {
        size_t n = strcspn(line, "\n");
        fputs("    ", stderr);
        put_visible(stderr, (const unsigned char *)line, n);
        fputc('\n', stderr);
        line += n + (line[n] == '\n');
    }
    return camcl_exit_status(err->status);
}

void cli_json_string(const char *text)
{
    if (text == NULL) {
        fputs("null", stdout);
        return;
    }
    putchar('"');
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        size_t n = utf8_length(p);
        if (*p < 0x20)
            printf("\\u%04x", *p);
        else if (*p == '"' || *p == '\\')
            printf("\\%c", *p);
        else if (n)
            fwrite(p, 1, n, stdout);
        else
            fputs("\\ufffd", stdout);
        p += n ? n : 1;
    }
    putchar('"');
}

void cli_json_number(double value)
{
    if (isfinite(value))
        printf("%.9g", value);
    else
        fputs("null", stdout);
}

void cli_bytes(size_t bytes, char *out, size_t size)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 1024 && unit < 4) {
        value /= 1024;
        unit++;
    }
    snprintf(out, size, value < 10 && unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

static const char *program;

void cli_set_program(const char *name) { program = name; }

/* Shows the progress of compilation in one line, which is erased at the end. */
static void show_compiling(void *context, size_t done, size_t total)
{
    (void)context;
    fprintf(stderr, "\r\033[K");
    if (done < total) fprintf(stderr, "camcl: compiling kernels, once for this device and driver: %zu of %zu programs", done, total);
    fflush(stderr);
}

camcl_kernel_compiler cli_kernel_compiler(void)
{
    return (camcl_kernel_compiler){ program, NULL, isatty(STDERR_FILENO) ? show_compiling : NULL };
}
