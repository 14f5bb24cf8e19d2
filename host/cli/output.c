/* Printing for all commands. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "camcl/text.h"
#include "output.h"

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

static void to_file(void *file, const char *bytes, size_t count) { fwrite(bytes, 1, count, file); }

void cli_text(FILE *file, const char *text) { camcl_write_visible(text, strlen(text), to_file, file); }

int cli_fail(const camcl_error *err)
{
    fflush(stdout);
    fputs("camcl: ", stderr);
    cli_text(stderr, err->message);
    fputc('\n', stderr);
    for (const char *line = err->detail; *line;) {
        size_t n = strcspn(line, "\n");
        fputs("    ", stderr);
        camcl_write_visible(line, n, to_file, stderr);
        fputc('\n', stderr);
        line += n + (line[n] == '\n');
    }
    return camcl_exit_status(err->status);
}

void cli_json_string(const char *text) { camcl_write_json_string(text, to_file, stdout); }

void cli_json_number(double value) { camcl_write_json_number(value, to_file, stdout); }

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
