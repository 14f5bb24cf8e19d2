/* What a training shows on a terminal. */
#define _XOPEN_SOURCE 700 /* pseudo-terminals, which glibc keeps from plain POSIX */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/program.h"
#include "support/runs.h"

#define BEGIN "\r\033[?7l"
#define END "\033[K\033[?7h"

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

/* A line that the terminal wrapped could not be written over by the next: what is too long is cut, and what matters stands before that. */
static void progress_stays_on_one_line(void **state)
{
    static screen s;
    pthread_t reader;
    size_t lines = 0;
    s.master = posix_openpt(O_RDWR | O_NOCTTY);
    if (s.master < 0) skip();
    assert_int_equal(grantpt(s.master), 0);
    assert_int_equal(unlockpt(s.master), 0);
    assert_int_equal(pthread_create(&reader, NULL, read_all, &s), 0);
    outcome result = program_run(*state, "train '%s/small.ini' 'output.dir=%s/seen' train.epochs=1 ssl.mode=gradcam >'%s'", (char *)*state,
                                 (char *)*state, ptsname(s.master));
    assert_int_equal(pthread_join(reader, NULL), 0);
    close(s.master);
    assert_int_equal(result.status, 0);
    outcome_free(&result);
    for (const char *at = s.text; (at = strstr(at, "  ETA ")) != NULL; at++) {
        const char *begin = at, *end = strpbrk(at, "\r\n");
        while (begin > s.text && *begin != '\r')
            begin--;
        if (strncmp(begin, "\rreading", 8) == 0) continue; /* short */
        assert_int_equal(strncmp(begin, BEGIN "epoch ", strlen(BEGIN "epoch ")), 0);
        assert_non_null(end);
        assert_true((size_t)(end - begin) > strlen(END));
        assert_int_equal(strncmp(end - strlen(END), END, strlen(END)), 0);
        const char *mask = strstr(begin, " mask ");
        assert_true(mask && mask + strlen(" mask 100 %") - begin < (ptrdiff_t)(80 + strlen(BEGIN)));
        lines++;
    }
    if (lines == 0) fail_msg("no progress: %s", s.text);
    assert_non_null(strstr(s.text, "test: top-1"));
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = { cmocka_unit_test(progress_stays_on_one_line) };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
