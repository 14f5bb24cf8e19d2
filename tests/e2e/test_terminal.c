/* What a training shows on a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"
#include "support/terminal.h"

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
        const char *folder = *state;
        const unsigned short columns = cases[i].columns;
        char last[256];
        const char *text = terminal_shows(folder, columns, "train '%s/small.ini' 'output.dir=%s/seen%d' train.epochs=1 ssl.mode=gradcam",
                                          folder, folder, columns);
        if (text == NULL) skip();
        terminal_check_lines(text, columns, "reading", last, sizeof last);
        assert_non_null(strstr(text, "test: top-1"));
        for (size_t k = 0; k < 4; k++) {
            const char *shown = cases[i].shown[k], *left_out = cases[i].left_out[k];
            if (shown && !strstr(last, shown)) fail_msg("\"%s\" is not in: %s", shown, last);
            if (left_out && strstr(last, left_out)) fail_msg("\"%s\" is in: %s", left_out, last);
        }
    }
}

/* No line of the listing is wider than the terminal, and as it stands there it is a configuration. */
static void listing_fits_the_terminal(void **state)
{
    const char *text = terminal_shows(*state, 80, "config 'data.root=x ; y' optim.lr=0.125"), *copy = scratch_path(*state, "seen.ini");
    char lines[1 << 16], arguments[4200];
    size_t size = 0, begin = 0;
    if (text == NULL) skip();
    for (; *text; text++) {
        if (*text == '\r') continue; /* the terminal's, before each line end */
        lines[size++] = *text;
        assert_true(size < sizeof lines);
        if (*text != '\n') continue;
        if (size - begin > 80) fail_msg("%zu characters: %.*s", size - begin - 1, (int)(size - begin - 1), lines + begin);
        begin = size;
    }
    scratch_write(copy, lines, size);
    snprintf(arguments, sizeof arguments, "config '%s' data.root optim.lr ssl.mode", copy);
    char *out = program_prints(*state, "%s", arguments);
    assert_non_null(strstr(out, "root            = \"x ; y\" "));
    assert_non_null(strstr(out, "lr              = 0.125 "));
    assert_non_null(strstr(out, "mode            = gradcam "));
    free(out);
}

/* A pipe or a file gets whole lines, and nothing that moves a cursor. */
static void a_pipe_gets_plain_lines(void **state)
{
    char *out = program_prints(*state, "train '%s/small.ini' 'output.dir=%s/piped' train.epochs=1 2>&1", (char *)*state, (char *)*state);
    assert_null(strpbrk(out, "\r\033"));
    assert_non_null(strstr(out, "test: top-1"));
    free(out);
}

/* A program that is started without standard streams writes what it would print into none of the run's files. */
static void closed_streams_get_nothing(void **state)
{
    const char *folder = *state;
    size_t size;
    outcome result = program_run(folder, "train '%s/small.ini' 'output.dir=%s/closed' train.epochs=2 <&- >&- 2>&-", folder, folder);
    assert_int_equal(result.status, 1);
    outcome_free(&result);
    char *log = scratch_read(scratch_path(folder, "closed/train.log"), &size);
    assert_non_null(log);
    assert_non_null(strstr(log, "test: top-1"));
    for (char *rest = log, *line; (line = strtok_r(rest, "\n", &rest)) != NULL;)
        if (strlen(line) < 20 || line[4] != '-' || line[7] != '-' || line[13] != ':') fail_msg("without a time: %s", line);
    free(log);
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = { cmocka_unit_test(progress_fits_the_terminal), cmocka_unit_test(listing_fits_the_terminal),
                                        cmocka_unit_test(a_pipe_gets_plain_lines), cmocka_unit_test(closed_streams_get_nothing) };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
