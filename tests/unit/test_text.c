/* Texts as they are shown to people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"

static void visible_text_steers_no_terminal(void **state)
{
    (void)state;
    static const struct {
        const char *value, *shown;
        size_t most;
    } cases[] = {
        { "plain, 'quoted' \"text\"", "plain, 'quoted' \"text\"", 64 },
        { "\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m", 64 },
        { "a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f", 64 },
        { "K\xc3\xa4"
          "fer",
          "K\xc3\xa4"
          "fer",
          64 },
        { "\xc2\x9b"
          "2J",
          "\\xc2\\x9b"
          "2J",
          64 }, /* CSI in eight bits */
        { "\xc2\xa0", "\xc2\xa0", 64 },
        { "\xff\xc3", "\\xff\\xc3", 64 },
        { "abcdef", "abc...", 3 },
        { "abc", "abc", 3 },
        { "\xc3\xa4\xc3\xa4\xc3\xa4", "\xc3\xa4\xc3\xa4...", 3 }, /* never half a letter */
    };
    for (size_t i = 0; i < CC_COUNT(cases); i++) {
        cc_text text = CC_TEXT_INIT;
        cc_text_add_visible(&text, cases[i].value, cases[i].most);
        assert_string_equal(text.data, cases[i].shown);
        cc_text_free(&text);
    }
}

static void shell_words(void **state)
{
    (void)state;
    static const struct {
        const char *word, *quoted, *as_needed;
    } cases[] = {
        { "runs/a-1_b.ini", "'runs/a-1_b.ini'", "runs/a-1_b.ini" },
        { "optim.lr=1e+5", "'optim.lr=1e+5'", "optim.lr=1e+5" },
        { "my run", "'my run'", "'my run'" },
        { "it's", "'it'\\''s'", "'it'\\''s'" },
        { "~/a", "'~/a'", "'~/a'" },
        { "$HOME", "'$HOME'", "'$HOME'" },
        { "", "''", "''" },
    };
    for (size_t i = 0; i < CC_COUNT(cases); i++) {
        cc_text quoted = CC_TEXT_INIT, as_needed = CC_TEXT_INIT;
        cc_text_add_quoted(&quoted, cases[i].word);
        cc_text_add_shell_word(&as_needed, cases[i].word);
        assert_string_equal(quoted.data, cases[i].quoted);
        assert_string_equal(as_needed.data, cases[i].as_needed);
        cc_text_free(&quoted);
        cc_text_free(&as_needed);
    }
}

static void numbers_are_written_for_people(void **state)
{
    (void)state;
    static const struct {
        size_t number;
        const char *shown;
    } counts[] = { { 0, "0" }, { 999, "999" }, { 1000, "1,000" }, { 12345, "12,345" }, { 1234567, "1,234,567" } };
    const size_t mib = (size_t)1 << 20;
    const struct {
        size_t bytes;
        const char *shown;
    } amounts[] = { { 0, "0.0 MiB" },
                    { 3 * mib + mib / 4, "3.2 MiB" },
                    { 9 * mib + mib / 2 - 1, "9.5 MiB" },
                    { 9 * mib + mib / 2, "10 MiB" },
                    { 1505 * mib - mib / 2, "1,505 MiB" },
                    { 1505 * mib + mib / 2 - 1, "1,505 MiB" } };
    for (size_t i = 0; i < CC_COUNT(counts); i++) {
        cc_text text = CC_TEXT_INIT;
        cc_text_add_count(&text, counts[i].number);
        assert_string_equal(text.data, counts[i].shown);
        cc_text_free(&text);
    }
    for (size_t i = 0; i < CC_COUNT(amounts); i++) {
        cc_text text = CC_TEXT_INIT;
        cc_text_add_mebibytes(&text, amounts[i].bytes);
        assert_string_equal(text.data, amounts[i].shown);
        cc_text_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(visible_text_steers_no_terminal), cmocka_unit_test(shell_words),
                                        cmocka_unit_test(numbers_are_written_for_people) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
