/* README.md and docs/: every command is run as it stands there, in the order of the page, in a folder that stands for the source folder.
 * `shorter` makes long commands short, and `not_run` names what cannot be run in a test; a page needs no row of either, so that nothing new
 * goes untested. What is quoted in the text is held against the program: `build/camcl ...` is run, too, the options and keys of `camcl ...`
 * and of commands that are not run must be known, as must keys and values, and the files behind links must be there. */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "camcl/config.h"
#include "support/page.h"
#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"
#include "support/source_folder.h"
#include "support/tree.h"

#define SMALL "model.width=8 train.epochs=2 train.epoch_steps=20 train.batch_labeled=8 train.batch_unlabeled=8 optim.warmup=0"
#define DRAWN SMALL " data.dataset=shapes data.labeled=100 data.validation=100 data.image_size=16"

/* What is put behind the arguments of build/camcl: the first row counts whose page is this one or NULL, and whose pattern, one of the
 * shell's, fits the arguments. */
static const source_shorter shorter[] = {
    { "docs/own-pictures.md", "train *", SMALL " data.image_size=32" },
    { NULL, "train *", DRAWN },
    { NULL, "bench *", "model.width=8 data.image_size=16 train.batch_labeled=8 train.batch_unlabeled=8" },
    { NULL, "tune*", "model.width=8 data.image_size=16 train.batch_labeled=8 train.batch_unlabeled=8 --quiet" },
};

/* Commands that cannot be run here: those that begin so. */
static const struct {
    const char *page, *start, *why;
} not_run[] = {
    { NULL, "build/camcl selftest", "it takes half a minute; e2e.test_tune runs it" },
    { "docs/own-pictures.md", "python3 -c", "it downloads; what it makes is there before" },
    { "docs/c-library.md", "cc ", "program.c is the reader's" },
    { "docs/commands.md", "build/camcl data fetch", "it downloads; e2e.test_fetch has a server of its own" },
    { "docs/commands.md", "build/camcl train runs/cifar10-gradcam --resume device.select=cpu", "there may be no such device" },
    { "docs/drivers.md", "build/camcl train configs/quickstart.ini device.select=cpu", "there may be no such device" },
    { "docs/drivers.md", "sudo ", "it needs root and the network" },
    { "docs/drivers.md", "echo libnvidia-opencl.so.1 | sudo", "it needs root" },
    { "docs/drivers.md", "brew ", "it needs macOS and the network" },
    { "docs/drivers.md", "RUSTICL_ENABLE=radeonsi", "it needs Mesa's driver and an AMD GPU" },
    { "docs/drivers.md", "OCL_ICD_VENDORS=", "it needs NVIDIA's driver and GPU" },
    { "docs/drivers.md", "CAMCL_DEVICE=0:0", "there may be no such device, and peaks take long" },
    { "docs/several-devices.md", "build/camcl train configs/quickstart.ini", "the device may not be divisible; e2e.test_devices does it" },
    { "docs/several-devices.md", "mpirun ", "it needs MPI and machines of these names; e2e.test_devices starts ranks" },
    { "docs/new-device.md", "tests/device/kit.sh", "it builds a second time; unit.test_kit has it" },
    { "docs/new-device.md", "cd camcl-kit", "the kit is not there" },
    { "docs/new-device.md", "./run.sh", "the kit is not there; unit.test_kit has it" },
    { "docs/pytorch.md", "python3 ", "it needs packages; tests/python/test_pytorch_page.py runs it where they are" },
    { "docs/pytorch.md", "tensorboard ", "it needs the package, and does not end" },
    { "docs/pytorch.md", "build/camcl export", "a build without ONNX lacks it; tests/python/test_pytorch_page.py runs it" },
};
static bool used[CC_COUNT(not_run)];

/* What must be there after a page's last command. */
static const struct {
    const char *page, *name;
    size_t lines; /* at least; 0: whatever it is */
} left[] = {
    { "docs/own-pictures.md", "contact-sheet.png", 0 },
    { "docs/own-pictures.md", "runs/own-supervised/report.html", 0 },
    { "docs/own-pictures.md", "runs/own-pictures/report.html", 0 },
    { "docs/own-pictures.md", "runs/own-pictures/best.safetensors", 0 },
    { "docs/own-pictures.md", "cams/beetle-00_cam.png", 0 },
    { "docs/own-pictures.md", "cams/river-03_overlay.png", 0 },
    { "docs/own-pictures.md", "runs/own-second/result.json", 0 },
    { "docs/own-pictures.md", "answers.csv", 13 },
    { "docs/own-pictures.md", "confident.csv", 7 },
};

static bool starts_with(const char *text, const char *start) { return strncmp(text, start, strlen(start)) == 0; }

/* ---- what is named, but not run */

typedef struct place {
    const char *page;
    size_t line;
} place;

/* "…" and "..." stand for something, as do words of capitals. */
static bool stands_for_something(const char *word)
{
    return *word == '\0' || strstr(word, "...") || strstr(word, "\xe2\x80\xa6") ||
           strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_,") == strlen(word);
}

/* One word behind the command's name: an option must be in the command's help, section.key=value must have a key. */
static void check_word(place at, const char *help, char *word)
{
    char *value = strchr(word, '=');
    if (value) *value = '\0';
    if (*word == '-' && strcmp(word, "-") != 0 && !strstr(help, word))
        fail_msg("%s:%zu: the command has no option %s\n%s", at.page, at.line, word, help);
    if (*word != '-' && value && strchr(word, '.') && camcl_config_find(word) == NULL)
        fail_msg("%s:%zu: there is no key %s", at.page, at.line, word);
}

/* "camcl COMMAND ...": looks at its words as far as a comment, a pipe or another command. Of other programs nothing is known. */
static void check_command(const char *folder, place at, const char *line)
{
    if (!starts_with(line, "camcl ") && !starts_with(line, "build/camcl ")) return;
    char *copy = strdup(line), *rest = NULL;
    assert_non_null(copy);
    copy[strcspn(copy, "#|;&><")] = '\0';
    strtok_r(copy, " \n", &rest);
    const char *name = strtok_r(NULL, " \n", &rest);
    if (name && *name != '-' && strcmp(name, "help") != 0 && !stands_for_something(name)) {
        outcome help = program_run(folder, "help '%s'", name);
        if (help.status != 0) fail_msg("%s:%zu: camcl has no command %s", at.page, at.line, name);
        for (char *word; (word = strtok_r(NULL, " \n", &rest)) != NULL;)
            check_word(at, help.out, word);
        outcome_free(&help);
    }
    free(copy);
}

static void check_value(place at, const char *key, const char *value)
{
    camcl_error err;
    camcl_config *config = NULL;
    if (strcmp(key, "section.key") == 0) return;
    if (camcl_config_find(key) == NULL) fail_msg("%s:%zu: there is no key %s", at.page, at.line, key);
    if (stands_for_something(value)) return;
    assert_int_equal(camcl_config_create(&config, &err), CAMCL_OK);
    if (camcl_config_set(config, key, value, NULL, &err) != CAMCL_OK) fail_msg("%s:%zu: %s", at.page, at.line, err.message);
    camcl_config_destroy(&config);
}

/* Whether the word begins with the name of a section and is no file's name. */
static bool should_be_key(const char *word)
{
    size_t count;
    const camcl_config_key *keys = camcl_config_schema(&count);
    const size_t length = strcspn(word, ".");
    for (size_t i = 0; i < count; i++)
        if (word[length] && strncmp(keys[i].section, word, length) == 0 && keys[i].section[length] == '\0')
            return strcmp(word, "train.log") != 0;
    return false;
}

/* `section.key`, `section.key = value`, or one or more of `section.key=value`. */
static void check_keys(place at, const char *quote)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_.";
    char *copy = strdup(quote), *rest = NULL;
    assert_non_null(copy);
    const size_t length = strspn(copy, letters);
    if (copy[length] == '\0') {
        if (should_be_key(copy)) check_value(at, copy, "");
    } else if (memchr(copy, '.', length) && starts_with(copy + length, " = ")) {
        copy[length] = '\0';
        check_value(at, copy, copy + length + 3);
    } else
        for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
            const size_t name = strspn(word, letters);
            if (!memchr(word, '.', name) || word[name] != '=') break;
            word[name] = '\0';
            check_value(at, word, word + name + 1);
        }
    free(copy);
}

static void check_link(place at, const char *target)
{
    char path[512];
    const char *name = strrchr(at.page, '/');
    if (strstr(target, "://") || starts_with(target, "mailto:") || *target == '#') return;
    const int folder = name ? (int)(name - at.page) : 1;
    snprintf(path, sizeof path, "%.*s/%.*s", folder, name ? at.page : ".", (int)strcspn(target, "#"), target);
    if (access(path, F_OK) != 0) fail_msg("%s:%zu: there is no %s", at.page, at.line, path);
}

/* ---- commands */

static bool is_run(const char *page, const char *command)
{
    for (size_t i = 0; i < CC_COUNT(not_run); i++) {
        if (not_run[i].page && strcmp(not_run[i].page, page) != 0) continue;
        if (!starts_with(command, not_run[i].start)) continue;
        used[i] = true;
        return false;
    }
    return true;
}

static bool has_word_nan(const char *text)
{
    for (const char *p = text; (p = strstr(p, "nan")) != NULL; p++)
        if ((p == text || !strchr("abcdefghijklmnopqrstuvwxyz", p[-1])) && (p[3] == '\0' || !strchr("abcdefghijklmnopqrstuvwxyz", p[3])))
            return true;
    return false;
}

static void run_script(const char *folder, place at, const char *script)
{
    char *out, *said;
    const int status = source_folder_run(folder, script, &out, &said);
    if (status != 0 || has_word_nan(out)) fail_msg("%s:%zu: exit status %d\n%s\n%s", at.page, at.line, status, said, out);
    free(out);
    free(said);
}

/* A block's commands in one shell, without those that cannot be run; returns how many are left. A command may go on behind a backslash. */
static size_t run_block(const char *folder, place at, char *block)
{
    cc_text script = CC_TEXT_INIT;
    size_t count = 0;
    bool goes_on = false, leaves_out = false;
    place here = at;
    for (char *line = block, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, here.line++) {
        *end = '\0';
        const char *command = line + strspn(line, " ");
        const bool begins = !goes_on && *command && *command != '#';
        if (!goes_on) leaves_out = begins && !is_run(at.page, command);
        if (begins && leaves_out) check_command(folder, here, command);
        if (begins && !leaves_out) count++;
        cc_text_add(&script, "%s\n", leaves_out ? "" : line);
        goes_on = end > line && end[-1] == '\\';
    }
    assert_false(script.failed);
    if (count) run_script(folder, at, script.data);
    cc_text_free(&script);
    return count;
}

static size_t run_quote(const char *folder, place at, const char *quote)
{
    if (starts_with(quote, "build/camcl ") && is_run(at.page, quote)) {
        run_script(folder, at, quote);
        return 1;
    }
    check_command(folder, at, quote);
    check_keys(at, quote);
    return 0;
}

/* ---- pages */

static void check_left(const char *folder, const char *page)
{
    for (size_t i = 0; i < CC_COUNT(left); i++) {
        if (strcmp(left[i].page, page) != 0) continue;
        size_t size, lines = 0;
        char *text = scratch_read(scratch_path(folder, left[i].name), &size);
        if (text == NULL) fail_msg("%s: %s is not there after it", page, left[i].name);
        for (size_t k = 0; k < size; k++)
            lines += text[k] == '\n';
        free(text);
        if (lines < left[i].lines) fail_msg("%s: %s has only %zu lines", page, left[i].name, lines);
    }
}

static void every_command_works(void **state)
{
    const char *path = *state;
    if (pictures_missing() || default_device_is_slow()) skip();
    char *folder = source_folder_create(path, shorter, CC_COUNT(shorter));
    doc_page *p = page_read(path);
    size_t count = 0;
    for (size_t i = 0; i < p->count; i++) {
        const place at = { path, p->parts[i].line };
        if (p->parts[i].kind == PAGE_COMMANDS) count += run_block(folder, at, p->parts[i].text);
        if (p->parts[i].kind == PAGE_QUOTE) count += run_quote(folder, at, p->parts[i].text);
        if (p->parts[i].kind == PAGE_LINK) check_link(at, p->parts[i].text);
    }
    check_left(folder, path);
    print_message("%zu commands\n", count);
    page_free(&p);
    source_folder_destroy(&folder);
}

/* But for rows of pages that are not there. */
static void every_row_is_of_use(void **state)
{
    (void)state;
    if (pictures_missing() || default_device_is_slow()) skip();
    for (size_t i = 0; i < CC_COUNT(not_run); i++)
        if (!used[i] && (not_run[i].page == NULL || access(not_run[i].page, F_OK) == 0))
            fail_msg("%s has no command that begins with %s", not_run[i].page ? not_run[i].page : "no page", not_run[i].start);
}

int main(void)
{
    enum { MOST_PAGES = 64 };
    struct CMUnitTest tests[MOST_PAGES + 1];
    glob_t pages;
    size_t count = 0;
    if (!program_is_named()) return 1;
    if (glob("README.md", 0, NULL, &pages) != 0 || glob("docs/*.md", GLOB_APPEND, NULL, &pages) != 0 || pages.gl_pathc > MOST_PAGES) {
        fprintf(stderr, "no README.md and docs/ here, or too many pages\n");
        return 1;
    }
    for (; count < pages.gl_pathc; count++)
        tests[count] =
            (struct CMUnitTest){ .name = pages.gl_pathv[count], .test_func = every_command_works, .initial_state = pages.gl_pathv[count] };
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(every_row_is_of_use);
    const int failed = _cmocka_run_group_tests("docs", tests, count, source_folders_setup, source_folders_teardown);
    globfree(&pages);
    return failed;
}
