#define _XOPEN_SOURCE 700 /* pseudo-terminals, which glibc keeps from plain POSIX */
#include "support/terminal.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/program.h"

#define ERASE "\033[K"

/* The master's side of a terminal, and what arrived there. */
typedef struct screen {
    int master;
    char text[1 << 16];
    size_t length;
} screen;

/* Ends when the program has closed its side. */
static void *read_all(void *context)
{
    screen *s = context;
    ssize_t got;
    while (s->length < sizeof s->text - 1 && (got = read(s->master, s->text + s->length, sizeof s->text - 1 - s->length)) > 0)
        s->length += (size_t)got;
    s->text[s->length] = '\0';
    return NULL;
}

const char *terminal_shows(const char *folder, unsigned short columns, const char *format, ...)
{
    static screen s;
    pthread_t reader;
    char arguments[4096];
    const struct winsize window = { .ws_row = 24, .ws_col = columns };
    va_list list;
    va_start(list, format);
    const int n = vsnprintf(arguments, sizeof arguments, format, list);
    va_end(list);
    assert_true(n > 0 && (size_t)n < sizeof arguments);
    s.length = 0;
    s.master = posix_openpt(O_RDWR | O_NOCTTY);
    if (s.master < 0) return NULL;
    assert_int_equal(grantpt(s.master), 0);
    assert_int_equal(unlockpt(s.master), 0);
    assert_int_equal(ioctl(s.master, TIOCSWINSZ, &window), 0);
    assert_int_equal(pthread_create(&reader, NULL, read_all, &s), 0);
    outcome result = program_run(folder, "%s >'%s'", arguments, ptsname(s.master));
    assert_int_equal(pthread_join(reader, NULL), 0);
    close(s.master);
    assert_int_equal(result.status, 0);
    outcome_free(&result);
    return s.text;
}

void terminal_check_lines(const char *text, size_t columns, const char *but, char *last, size_t size)
{
    *last = '\0';
    for (const char *at = text; (at = strchr(at, '\r')) != NULL;) {
        at++;
        const size_t length = strcspn(at, "\r\n\033");
        if (length == 0 || strncmp(at + length, ERASE, strlen(ERASE)) != 0) continue; /* a line end, or a message */
        if (length >= columns) fail_msg("%zu characters in %zu columns: %.*s", length, columns, (int)length, at);
        if (strncmp(at, but, strlen(but)) != 0) snprintf(last, size, "%.*s", (int)length, at);
    }
    if (*last == '\0') fail_msg("no progress: %s", text);
    /* No colours, nor anything else but erasing to the end of the line. */
    for (const char *escape = text; (escape = strchr(escape, '\033')) != NULL; escape++)
        assert_memory_equal(escape, ERASE, strlen(ERASE));
}
