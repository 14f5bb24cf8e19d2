/* Lines that fit. The file belongs to the program, not to the library, so it is taken in here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/line.c"

static const char *fitted(const cli_line *line, size_t columns)
{
    static char text[256];
    cli_line_fit(line, columns, text, sizeof text);
    return text;
}

static void test_least_telling_go_first(void **state)
{
    (void)state;
    cli_line line = { .count = 0 };
    cli_line_add(&line, 2, "epoch %d", 1);
    cli_line_add(&line, 0, "step 3/4");
    cli_line_add(&line, 3, "extra");
    cli_line_add(&line, 1, "ETA 0:05");
    assert_string_equal(fitted(&line, 200), "epoch 1  step 3/4  extra  ETA 0:05");
    assert_string_equal(fitted(&line, 34), "epoch 1  step 3/4  extra  ETA 0:05");
    assert_string_equal(fitted(&line, 33), "epoch 1  step 3/4  ETA 0:05");
    assert_string_equal(fitted(&line, 26), "step 3/4  ETA 0:05");
    assert_string_equal(fitted(&line, 17), "step 3/4");
    assert_string_equal(fitted(&line, 6), "step 3");
    assert_string_equal(fitted(&line, 0), "");
}

static void test_many_and_long_fields(void **state)
{
    (void)state;
    cli_line line = { .count = 0 };
    char text[WIDEST];
    for (int i = 0; i < CLI_LINE_FIELDS + 3; i++)
        cli_line_add(&line, i, "%0*d", CLI_FIELD_SIZE + 10, 7);
    assert_int_equal(line.count, CLI_LINE_FIELDS);
    cli_line_fit(&line, WIDEST, text, sizeof text);
    assert_int_equal(strlen(text), CLI_LINE_FIELDS * (CLI_FIELD_SIZE - 1) + (CLI_LINE_FIELDS - 1) * GAP);
    assert_int_equal(strlen(fitted(&(cli_line){ .count = 0 }, 10)), 0);
}

static void test_columns_without_a_terminal(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(unsetenv("COLUMNS"), 0);
    assert_int_equal(cli_columns(file), 80);
    assert_int_equal(setenv("COLUMNS", "132", 1), 0);
    assert_int_equal(cli_columns(file), 132);
    assert_int_equal(setenv("COLUMNS", "wide", 1), 0);
    assert_int_equal(cli_columns(file), 80);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_least_telling_go_first), cmocka_unit_test(test_many_and_long_fields),
                                        cmocka_unit_test(test_columns_without_a_terminal) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
