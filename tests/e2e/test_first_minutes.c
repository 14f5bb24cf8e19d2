/* What a new user meets first: which build it is, a configuration to begin with, training without one, several seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "camcl/version.h"
#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"

static void version_names_the_libraries(void **state)
{
    char *text = program_prints(*state, "version"), *same = program_prints(*state, "--version"), line[128];
    size_t count;
    const camcl_library *libraries = camcl_libraries(&count);
    snprintf(line, sizeof line, "camcl %s", camcl_version());
    assert_memory_equal(text, line, strlen(line));
    const char *end = strchr(text, '\n'), *without = strstr(text, "without ");
    if (without == NULL || without > end) without = end;
    for (size_t i = 0; i < count; i++) {
        const char *at = strstr(text, libraries[i].name);
        assert_true(at && at < end);
        assert_int_equal(at < without, libraries[i].present);
        snprintf(line, sizeof line, "\n  %-10s  %-3s  ", libraries[i].name, libraries[i].present ? "yes" : "no");
        assert_non_null(strstr(end, line));
    }
    assert_string_equal(text, same);
    free(text);
    free(same);
    program_fails(*state, 2, "unexpected argument now", "version now");
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_names_the_libraries),
    };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
