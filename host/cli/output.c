/* Printing for all commands. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "camcl/text.h"
#include "line.h"
#include "output.h"

camcl_status(cli_error)(camcl_error *err, camcl_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    err->detail[0] = '\0';
    return err->status = status;
}

camcl_status(cli_usage)(camcl_error *err, const char *format, ...)
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

static void to_file(void *file, const char *bytes, size_t count) { fwrite(bytes, 1, count, file); }

void cli_text(FILE *file, const char *text) { camcl_write_visible(text, strlen(text), to_file, file); }

static void count_characters(void *count, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        *(size_t *)count += ((unsigned char)bytes[i] & 0xc0) != 0x80;
}

size_t cli_text_width(const char *text)
{
    size_t count = 0;
    camcl_write_visible(text, strlen(text), count_characters, &count);
    return count;
}

void cli_cell(FILE *file, const char *text, size_t width)
{
    const size_t own = cli_text_width(text);
    cli_text(file, text);
    if (own < width) fprintf(file, "%*s", (int)(width - own), "");
}

void cli_csv_field(FILE *file, const char *text)
{
    const size_t length = strlen(text);
    const bool blank = length && (strchr(" \t", text[0]) || strchr(" \t", text[length - 1])), quoted = blank || strpbrk(text, ",\"\r\n"),
               terminal = isatty(fileno(file)) != 0;
    if (quoted) fputc('"', file);
    for (const char *part = text; *part;) {
        /* A quote is doubled; it begins a part. */
        if (*part == '"') fputc('"', file);
        size_t n = strcspn(part + 1, "\"") + 1;
        if (terminal)
            camcl_write_visible(part, n, to_file, file);
        else
            fwrite(part, 1, n, file);
        part += n;
    }
    if (quoted) fputc('"', file);
}

void cli_print_detail(FILE *file, const char *detail)
{
    for (const char *line = detail; *line;) {
        size_t n = strcspn(line, "\n");
        fputs("    ", file);
        camcl_write_visible(line, n, to_file, file);
        fputc('\n', file);
        line += n + (line[n] == '\n');
    }
}

static void write_error(FILE *file, const camcl_error *err)
{
    fputs("camcl: ", file);
    cli_text(file, err->message);
    fputc('\n', file);
    cli_print_detail(file, err->detail);
}

int cli_fail(const camcl_error *err)
{
    char *text = NULL;
    size_t size = 0;
    FILE *whole = open_memstream(&text, &size);
    fflush(stdout);
    /* stderr has no buffer, and other processes may write to the same place: at once, so that a line stays one. */
    if (whole) write_error(whole, err);
    if (whole && fclose(whole) == 0)
        fwrite(text, 1, size, stderr);
    else
        write_error(stderr, err);
    free(text);
    return camcl_exit_status(err->status);
}

void cli_json_string(const char *text) { camcl_write_json_string(text, to_file, stdout); }

void cli_json_number(double value) { camcl_write_json_number(value, to_file, stdout); }

void cli_number(FILE *file, double value) { camcl_write_json_number(value, to_file, file); }

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

const char *cli_program(void) { return program ? program : "camcl"; }

/* Shows the progress of compilation in one line, which is erased at the end. */
static void show_compiling(void *context, size_t done, size_t total)
{
    (void)context;
    cli_line line = { .count = 0 };
    if (done < total) {
        cli_line_add(&line, 0, "camcl: compiling kernels: %zu of %zu", done, total);
        cli_line_add(&line, 1, "(once for this device and driver)");
    }
    cli_line_draw(&line, stderr);
}

/* Says once that it takes a while, for those who read a pipe or a file. */
static void say_compiling(void *context, size_t done, size_t total)
{
    static bool said;
    (void)context;
    if (!said && done < total) fprintf(stderr, "camcl: compiling %zu kernel programs, once for this device and driver\n", total);
    said = true;
}

camcl_kernel_compiler cli_kernel_compiler(void)
{
    return (camcl_kernel_compiler){ program, NULL, isatty(STDERR_FILENO) ? show_compiling : say_compiling };
}
