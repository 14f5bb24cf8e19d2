/* What a training shows on a terminal. */
#define _XOPEN_SOURCE 700 /* pseudo-terminals, which glibc keeps from plain POSIX */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
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
#include "support/runs.h"

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

/* Trains with its stdout on a terminal of this width; what arrived there is good until the next call. false: no terminal to be had. */
static bool watch(const char *folder, unsigned short columns, const char **text)
{
    static screen s;
    pthread_t reader;
    const struct winsize window = { .ws_row = 24, .ws_col = columns };
    s.length = 0;
    s.master = posix_openpt(O_RDWR | O_NOCTTY);
    if (s.master < 0) return false;
    assert_int_equal(grantpt(s.master), 0);
    assert_int_equal(unlockpt(s.master), 0);
    assert_int_equal(ioctl(s.master, TIOCSWINSZ, &window), 0);
    assert_int_equal(pthread_create(&reader, NULL, read_all, &s), 0);
    outcome result = program_run(folder, "train '%s/small.ini' 'output.dir=%s/seen%d' train.epochs=1 ssl.mode=gradcam >'%s'", folder,
                                 folder, columns, ptsname(s.master));
    assert_int_equal(pthread_join(reader, NULL), 0);
    close(s.master);
    assert_int_equal(result.status, 0);
    outcome_free(&result);
    *text = s.text;
    return true;
}

/* Every line that is drawn over another leaves the last column free, and so cannot leave rows behind. The last one goes to `last`. */
static void check_lines(const char *text, size_t columns, char *last, size_t size)
{
    *last = '\0';
    for (const char *at = text; (at = strchr(at, '\r')) != NULL;) {
        at++;
        const size_t length = strcspn(at, "\r\n\033");
        if (length == 0 || strncmp(at + length, ERASE, strlen(ERASE)) != 0) continue; /* a line end, or a message */
        if (length >= columns) fail_msg("%zu characters in %zu columns: %.*s", length, columns, (int)length, at);
        if (strncmp(at, "reading", strlen("reading")) != 0) snprintf(last, size, "%.*s", (int)length, at);
    }
    if (*last == '\0') fail_msg("no progress: %s", text);
    /* No colours, nor anything else but erasing to the end of the line. */
    for (const char *escape = text; (escape = strchr(escape, '\033')) != NULL; escape++)
        assert_memory_equal(escape, ERASE, strlen(ERASE));
    assert_non_null(strstr(text, "test: top-1"));
}

static void progress_fits_the_terminal(void **state)
{
    static const struct {
        unsigned short columns;
        const char *shown[4], *left_out[4];
    } cases[] = {
        { 200, { "epoch 1/1", "images/s", "(s ", "step 4/4" }, { NULL } },
        { 80, { "epoch 1/1", "step 4/4  ETA 0:00", "loss ", "mask " }, { "(s " } },
        { 40, { "step 4/4  ETA 0:00  loss " }, { "(s ", "images/s", "epoch" } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *text;
        char last[256];
        if (!watch(*state, cases[i].columns, &text)) skip();
        check_lines(text, cases[i].columns, last, sizeof last);
        for (size_t k = 0; k < 4; k++) {
            const char *shown = cases[i].shown[k], *left_out = cases[i].left_out[k];
            if (shown && !strstr(last, shown)) fail_msg("\"%s\" is not in: %s", shown, last);
            if (left_out && strstr(last, left_out)) fail_msg("\"%s\" is in: %s", left_out, last);
        }
    }
}

/* A pipe or a file gets whole lines, and nothing that moves a cursor. */
static void a_pipe_gets_plain_lines(void **state)
{
    char *out = program_prints(*state, "train '%s/small.ini' 'output.dir=%s/piped' train.epochs=1 2>&1", (char *)*state, (char *)*state);
    assert_null(strpbrk(out, "\r\033"));
    assert_non_null(strstr(out, "test: top-1"));
    free(out);
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = { cmocka_unit_test(progress_fits_the_terminal), cmocka_unit_test(a_pipe_gets_plain_lines) };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
