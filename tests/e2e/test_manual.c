/* Manual pages and completions, as the build made them in the folder CAMCL_MANUAL: each command, option and key is there, and the shells
 * and man accept them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "camcl/config.h"
#include "camcl/version.h"
#include "cli/cli.h"
#include "support/program.h"
#include "support/scratch.h"

static const char *folder;

/* The file below the folder; the caller frees. */
static char *load(const char *name)
{
    size_t size;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *text = scratch_read(path, &size);
    if (text == NULL) fail_msg("%s is missing", path);
    return text;
}

/* The text of a page, as people read it: without roff's escapes. */
static char *load_page(const char *name)
{
    char *text = load(name), *to = text;
    for (const char *at = text; *at; at++) {
        if (*at != '\\') {
            *to++ = *at;
        } else if (at[1] == 'f') {
            at += 2;
        } else {
            at++;
            if (*at == '-') *to++ = '-';
        }
    }
    *to = '\0';
    return text;
}

static void assert_has(const char *text, const char *part, const char *where)
{
    if (strstr(text, part) == NULL) fail_msg("\"%s\" is not in %s", part, where);
}

/* Runs a shell command; its exit status. */
static int run(const char *command, ...) CC_PRINTF(1, 2);
static int run(const char *command, ...)
{
    char text[8192];
    va_list list;
    va_start(list, command);
    vsnprintf(text, sizeof text, command, list);
    va_end(list);
    return system(text);
}

static bool is_installed(const char *program) { return run("command -v %s >/dev/null 2>&1", program) == 0; }

/* ---- what is in them */

static void every_command_is_there(void **state)
{
    (void)state;
    size_t count;
    const cli_command *commands = cli_commands(&count);
    char *page = load_page("man1/camcl.1"), *bash = load("completions/camcl.bash"), *zsh = load("completions/_camcl"),
         *fish = load("completions/camcl.fish");
    for (size_t i = 0; i < count; i++) {
        char text[256];
        snprintf(text, sizeof text, "\ncamcl %s", commands[i].name);
        assert_has(page, text, "camcl.1");
        snprintf(text, sizeof text, "\n    %s)\n        options='--help", commands[i].name);
        assert_has(bash, text, "camcl.bash");
        snprintf(text, sizeof text, "\n    (%s)\n        _arguments ", commands[i].name);
        assert_has(zsh, text, "_camcl");
        snprintf(text, sizeof text, "\ncomplete -c camcl -n __fish_use_subcommand -f -a %s -d ", commands[i].name);
        assert_has(fish, text, "camcl.fish");
        snprintf(text, sizeof text, "man1/camcl-%s.1", commands[i].name);
        char *own = load_page(text);
        assert_has(own, commands[i].summary, text);
        free(own);
    }
    assert_has(page, camcl_version(), "camcl.1");
    free(page);
    free(bash);
    free(zsh);
    free(fish);
}

static void every_key_is_there(void **state)
{
    (void)state;
    size_t count;
    const camcl_config_key *schema = camcl_config_schema(&count);
    char *page = load_page("man5/camcl.ini.5"), *bash = load("completions/camcl.bash"), *zsh = load("completions/_camcl"),
         *fish = load("completions/camcl.fish");
    for (size_t i = 0; i < count; i++) {
        const camcl_config_key *key = &schema[i];
        char text[512];
        snprintf(text, sizeof text, "\n.SH [%s]\n", key->section);
        const char *section = strstr(page, text);
        if (section == NULL) fail_msg("%s is not in camcl.ini.5", key->section);
        snprintf(text, sizeof text, "\n.TP\n%s\n", key->name);
        assert_has(section, text, "its section of camcl.ini.5");
        snprintf(text, sizeof text, "\n%s.%s\n", key->section, key->name);
        if (i > 0 && i + 1 < count) assert_has(bash, text, "camcl.bash");
        snprintf(text, sizeof text, "\n    '%s.%s:", key->section, key->name);
        assert_has(zsh, text, "_camcl");
        snprintf(text, sizeof text, "\"%s.%s$ending\"", key->section, key->name);
        assert_has(fish, text, "camcl.fish");
    }
    free(page);
    free(bash);
    free(zsh);
    free(fish);
}

/* ---- the commands' options: those that the parser knows are those that the help, and so pages and completions, describe */

/* The next option of the parser's tables, "{ "--json", NULL, FLAG, ...", from *at on; and the one in front of "-o". */
static bool next_option(const char **at, char *name, size_t size)
{
    const char *found = strstr(*at, "{ \"--");
    if (found == NULL) return false;
    snprintf(name, size, "%.*s", (int)strcspn(found + 3, "\""), found + 3);
    *at = found + 5;
    return true;
}

static void every_option_is_described(void **state)
{
    (void)state;
    size_t size, options = 0;
    char *source = scratch_read("host/cli/args.c", &size), name[64];
    assert_non_null(source);
    for (const char *at = source; next_option(&at, name, sizeof name);) {
        /* The parser's function says which command it is for. */
        const char *end = strstr(at, "const cli_syntax syntax = { \"");
        assert_non_null(end);
        end += strlen("const cli_syntax syntax = { \"");
        char command[32], part[256];
        snprintf(command, sizeof command, "%.*s", (int)strcspn(end, " \""), end);
        const cli_command *row = cli_find_command(command);
        assert_non_null(row);
        assert_has(row->help, name, command);
        snprintf(part, sizeof part, "man1/camcl-%s.1", command);
        char *page = load_page(part), *fish = load("completions/camcl.fish");
        assert_has(page, name, part);
        snprintf(part, sizeof part, "complete -c camcl -n '__fish_seen_subcommand_from %s' -l %s ", command, name + 2);
        assert_has(fish, part, "camcl.fish");
        free(page);
        free(fish);
        options++;
    }
    assert_true(options > 15);
    free(source);
}

/* ---- what reads them */

static void man_accepts_the_pages(void **state)
{
    if (!is_installed("man")) skip();
    const char *said = scratch_path(*state, "said");
    assert_int_equal(
        run("for page in '%s'/man*/*; do MANROFFSEQ= man --warnings -E UTF-8 -l \"$page\" >/dev/null || echo \"$page\"; done >'%s' 2>&1",
            folder, said),
        0);
    size_t size;
    char *text = scratch_read(said, &size);
    if (size) fail_msg("man says: %s", text);
    free(text);
}

static void shells_accept_the_completions(void **state)
{
    static const char *const shells[][2] = { { "bash", "camcl.bash" }, { "zsh", "_camcl" }, { "fish", "camcl.fish" } };
    size_t tried = 0;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        if (!is_installed(shells[i][0])) continue;
        tried++;
        if (run("%s -n '%s/completions/%s'", shells[i][0], folder, shells[i][1]) != 0) fail_msg("%s: %s", shells[i][0], shells[i][1]);
    }
    if (tried == 0) skip();
}

/* What bash offers for a line, blanks between. */
static void assert_bash_offers(const char *scratch, const char *line, const char *expected)
{
    const char *said = scratch_path(scratch, "offered");
    assert_int_equal(run("cd '%s' && bash -c '. \"%s/completions/camcl.bash\"; COMP_LINE=$1 COMP_POINT=${#1}; _camcl; echo "
                         "\"${COMPREPLY[*]}\"' - '%s' >'%s'",
                         scratch, folder, line, said),
                     0);
    size_t size;
    char *text = scratch_read(said, &size);
    text[strcspn(text, "\n")] = '\0';
    if (strcmp(text, expected) != 0) fail_msg("%s: \"%s\", not \"%s\"", line, text, expected);
    free(text);
}

static void bash_completes(void **state)
{
    if (!is_installed("bash")) skip();
    scratch_write(scratch_path(*state, "picture.png"), "", 0);
    assert_bash_offers(*state, "camcl pre", "predict");
    assert_bash_offers(*state, "camcl train --res", "--resume");
    assert_bash_offers(*state, "camcl eval --split ", "test validation train");
    assert_bash_offers(*state, "camcl eval --split=v", "validation");
    assert_bash_offers(*state, "camcl train ssl.mod", "ssl.mode=");
    assert_bash_offers(*state, "camcl train ssl.mode=sup", "supervised");
    assert_bash_offers(*state, "camcl train data.root=pic", "picture.png");
    assert_bash_offers(*state, "camcl predict pic", "picture.png");
    assert_bash_offers(*state, "camcl data fetch fash", "fashion-mnist");
    assert_bash_offers(*state, "camcl init own", "own-pictures");
    assert_bash_offers(*state, "camcl config optim.lr_g", "optim.lr_gamma");
    assert_bash_offers(*state, "camcl predict x --to", "--top");
    assert_bash_offers(*state, "camcl nothing ", "");
}

/* "word\tdescription" lines of fish. */
static void fish_completes(void **state)
{
    if (!is_installed("fish")) skip();
    static const char *const cases[][2] = { { "camcl pre", "predict\t" },
                                            { "camcl train --res", "--resume\t" },
                                            { "camcl eval --split v", "validation\t" },
                                            { "camcl train ssl.mode=sup", "ssl.mode=supervised\n" },
                                            { "camcl config optim.lr_g", "optim.lr_gamma\t" },
                                            { "camcl data fetch fash", "fashion-mnist\n" } };
    const char *said = scratch_path(*state, "fish");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size;
        assert_int_equal(run("cd '%s' && HOME='%s' fish -c 'source \"%s/completions/camcl.fish\"; complete -C \"%s\"' >'%s'",
                             (char *)*state, (char *)*state, folder, cases[i][0], said),
                         0);
        char *text = scratch_read(said, &size);
        if (strncmp(text, cases[i][1], strlen(cases[i][1])) != 0) fail_msg("%s: %s", cases[i][0], text);
        free(text);
    }
}

int main(void)
{
    folder = getenv("CAMCL_MANUAL");
    if (folder == NULL) {
        fprintf(stderr, "CAMCL_MANUAL is not set: it names the folder of what is tested\n");
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_is_there),
        cmocka_unit_test(every_key_is_there),
        cmocka_unit_test(every_option_is_described),
        cmocka_unit_test(man_accepts_the_pages),
        cmocka_unit_test(shells_accept_the_completions),
        cmocka_unit_test(bash_completes),
        cmocka_unit_test(fish_completes),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
