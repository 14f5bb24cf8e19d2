/* Streams. The C library itself must find that writing or reading fails, when it gets to it: a stream whose turn it is leads to a full
 * device from then on, or to a file that cannot be read. Standard error is left alone: messages are read there. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "faults/inject.h"
#include "faults/real.h"

#define DECLARE(type, name, parameters)                                                                                                    \
    type __real_##name parameters;                                                                                                         \
    type __wrap_##name parameters;

DECLARE(FILE *, fopen, (const char *path, const char *mode))
DECLARE(FILE *, fdopen, (int file, const char *mode))
DECLARE(int, fclose, (FILE * stream))
DECLARE(int, fflush, (FILE * stream))
DECLARE(size_t, fwrite, (const void *data, size_t size, size_t count, FILE *stream))
DECLARE(int, fputs, (const char *text, FILE *stream))
DECLARE(int, fputc, (int c, FILE *stream))
DECLARE(int, putc, (int c, FILE *stream))
DECLARE(int, puts, (const char *text))
DECLARE(int, putchar, (int c))
DECLARE(size_t, fread, (void *data, size_t size, size_t count, FILE *stream))
DECLARE(char *, fgets, (char *text, int size, FILE *stream))
DECLARE(int, fprintf, (FILE * stream, const char *format, ...))
DECLARE(int, printf, (const char *format, ...))

/* Not by dup2() with O_CLOEXEC files of the C library's: the descriptor stays what it was. */
static void lead_to(FILE *stream, const char *path, int flags)
{
    const int other = __real_open(path, flags | O_CLOEXEC);
    if (other < 0 || dup2(other, fileno(stream)) < 0) perror(path);
    __real_close(other);
}

/* A stream of open_memstream() has no descriptor; what fails there is memory. */
static bool is_file(FILE *stream) { return fileno(stream) >= 0; }

#define BEFORE_WRITE(name, stream)                                                                                                         \
    do {                                                                                                                                   \
        if (is_file(stream) && (stream) != stderr &&                                                                                       \
            FAULT_FAILS((stream) == stdout ? FAULT_OUTPUT : FAULT_WRITE, name, fault_path(fileno(stream))))                                \
            lead_to(stream, "/dev/full", O_WRONLY);                                                                                        \
    } while (0)

size_t __wrap_fwrite(const void *data, size_t size, size_t count, FILE *stream)
{
    BEFORE_WRITE("fwrite", stream);
    return __real_fwrite(data, size, count, stream);
}

int __wrap_fputs(const char *text, FILE *stream)
{
    BEFORE_WRITE("fputs", stream);
    return __real_fputs(text, stream);
}

int __wrap_fputc(int c, FILE *stream)
{
    BEFORE_WRITE("fputc", stream);
    return __real_fputc(c, stream);
}

int __wrap_putc(int c, FILE *stream)
{
    BEFORE_WRITE("putc", stream);
    return __real_putc(c, stream);
}

int __wrap_puts(const char *text)
{
    BEFORE_WRITE("puts", stdout);
    return __real_puts(text);
}

int __wrap_putchar(int c)
{
    BEFORE_WRITE("putchar", stdout);
    return __real_putchar(c);
}

int __wrap_fprintf(FILE *stream, const char *format, ...)
{
    BEFORE_WRITE("fprintf", stream);
    va_list list;
    va_start(list, format);
    const int done = vfprintf(stream, format, list);
    va_end(list);
    return done;
}

int __wrap_printf(const char *format, ...)
{
    BEFORE_WRITE("printf", stdout);
    va_list list;
    va_start(list, format);
    const int done = vfprintf(stdout, format, list);
    va_end(list);
    return done;
}

int __wrap_fflush(FILE *stream)
{
    if (stream) BEFORE_WRITE("fflush", stream);
    return __real_fflush(stream);
}

size_t __wrap_fread(void *data, size_t size, size_t count, FILE *stream)
{
    if (FAULT_FAILS(FAULT_READ, "fread", fault_path(fileno(stream)))) lead_to(stream, "/", O_RDONLY);
    return __real_fread(data, size, count, stream);
}

char *__wrap_fgets(char *text, int size, FILE *stream)
{
    if (FAULT_FAILS(FAULT_READ, "fgets", fault_path(fileno(stream)))) lead_to(stream, "/", O_RDONLY);
    return __real_fgets(text, size, stream);
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
    if (FAULT_FAILS(*mode == 'r' ? FAULT_READ : FAULT_WRITE, "fopen", path)) {
        errno = *mode == 'r' ? EACCES : ENOSPC;
        return NULL;
    }
    FILE *stream = __real_fopen(path, mode);
    if (stream) held_add("stream", stream, 1);
    return stream;
}

FILE *__wrap_fdopen(int file, const char *mode)
{
    if (FAULT_FAILS(FAULT_WRITE, "fdopen", fault_path(file))) {
        errno = ENOMEM;
        return NULL;
    }
    FILE *stream = __real_fdopen(file, mode);
    if (stream == NULL) return NULL;
    file_is_stream(file);
    held_add("stream", stream, 1);
    return stream;
}

int __wrap_fclose(FILE *stream)
{
    if (!is_file(stream)) return __real_fclose(stream);
    const fault_kind kind = fault_of_file(fileno(stream));
    const bool fails = FAULT_FAILS(kind, "fclose", fault_path(fileno(stream)));
    if (fails && kind == FAULT_WRITE) lead_to(stream, "/dev/full", O_WRONLY);
    held_remove("stream", stream);
    const int done = __real_fclose(stream);
    if (!fails) return done;
    errno = EIO;
    return EOF;
}
