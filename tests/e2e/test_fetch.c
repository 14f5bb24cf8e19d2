/* camcl data fetch, from a web server on this machine. CAMCL_PROGRAM has toy/published_toy.c in place of the published data sets. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "camcl/version.h"
#include "support/http_server.h"
#include "support/program.h"
#include "support/scratch.h"
#include "support/terminal.h"

/* The file of the toy's data set cifar10, which is one of mnist's, too. */
#define NAME "train-images-idx3-ubyte"
enum { SIZE = 16 + 60 * 784, TESTS = 20 };

static http_server server;
static char served[4096], requests[4096];

/* ---- the data set */

static void put_number(unsigned char *at, unsigned value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (24 - 8 * i));
}

static void write_images(const char *name, unsigned count)
{
    static unsigned char data[SIZE];
    const size_t pixels = (size_t)count * 784;
    put_number(data, 0x803);
    put_number(data + 4, count);
    put_number(data + 8, 28);
    put_number(data + 12, 28);
    for (size_t i = 0; i < pixels; i++)
        data[16 + i] = (unsigned char)((i * 7 + i / 784) % 251);
    scratch_write(scratch_path(served, name), data, 16 + pixels);
}

static void write_labels(const char *name, unsigned count)
{
    unsigned char data[8 + 60];
    put_number(data, 0x801);
    put_number(data + 4, count);
    for (unsigned i = 0; i < count; i++)
        data[8 + i] = (unsigned char)(i % 10);
    scratch_write(scratch_path(served, name), data, 8 + count);
}

static int setup(void **state)
{
    if (scratch_setup(state) != 0) return -1;
    snprintf(served, sizeof served, "%s/served", (char *)*state);
    snprintf(requests, sizeof requests, "%s/requests", (char *)*state);
    if (mkdir(served, 0777) != 0 || mkdir(scratch_path(served, "mnist"), 0777) != 0) return -1;
    write_images(NAME, 60);
    write_images("mnist/" NAME, 60);
    write_labels("mnist/train-labels-idx1-ubyte", 60);
    write_images("mnist/t10k-images-idx3-ubyte", TESTS);
    write_labels("mnist/t10k-labels-idx1-ubyte", TESTS);
    server = http_server_start(served, requests);
    return 0;
}

static int teardown(void **state)
{
    http_server_stop(&server);
    return scratch_teardown(state);
}

/* ---- what is asked, and what comes of it */

/* CAMCL_MIRROR is this server in these ways, separated by blanks. */
static void ask(const char *ways)
{
    char copy[128], mirrors[1024] = "";
    snprintf(copy, sizeof copy, "%s", ways);
    for (char *way = strtok(copy, " "); way; way = strtok(NULL, " ")) {
        const size_t used = strlen(mirrors);
        snprintf(mirrors + used, sizeof mirrors - used, "%shttp://127.0.0.1:%d/%s", used ? "  " : "", server.port, way);
    }
    setenv("CAMCL_MIRROR", mirrors, 1);
    unlink(requests);
}

static void assert_requests(const char *expected)
{
    size_t size;
    char *text = scratch_read(requests, &size);
    assert_string_equal(text ? text : "", expected);
    free(text);
}

static void assert_same_content(const char *path, const char *original)
{
    size_t size, expected;
    char *got = scratch_read(path, &size), *want = scratch_read(original, &expected);
    assert_non_null(got);
    assert_int_equal(size, expected);
    assert_memory_equal(got, want, size);
    free(got);
    free(want);
}

/* A new folder, with the first `part` bytes of the file as an earlier try left them. */
static const char *folder_with(const char *folder, const char *name, size_t part)
{
    const char *path = scratch_path(folder, name);
    assert_int_equal(mkdir(path, 0777), 0);
    size_t size;
    char *data = scratch_read(scratch_path(served, NAME), &size);
    if (part) scratch_write(scratch_path(path, NAME ".part"), data, part);
    free(data);
    return path;
}

static void assert_fetched(const char *folder)
{
    assert_same_content(scratch_path(folder, NAME), scratch_path(served, NAME));
    assert_int_equal(scratch_entries(folder), 1);
}

static off_t size_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? info.st_size : -1;
}

/* Exit 1, and stderr as every error is; stdout has what was tried. */
static void fetch_fails(const char *folder, const char *to, const char *parts)
{
    program_fails(folder, 1, parts, "data fetch cifar10 -o '%s' >/dev/null", to);
}

/* ---- tests */

static void what_is_fetched_is_read(void **state)
{
    const char *config = scratch_path(*state, "mnist.ini"), text[] = "[data]\ndataset = mnist\nlabeled = 20\nvalidation = 10\n";
    char *folder = *state;
    ask("good/");
    char *out = program_prints(folder, "data fetch mnist -o '%s/new/folder'", folder);
    assert_non_null(strstr(out, "train with: data.dataset=mnist data.root="));
    assert_null(strpbrk(out, "\r\033"));
    free(out);
    assert_int_equal(scratch_entries(scratch_path(folder, "new/folder/mnist")), 4);
    assert_same_content(scratch_path(folder, "new/folder/mnist/t10k-images-idx3-ubyte"),
                        scratch_path(served, "mnist/t10k-images-idx3-ubyte"));
    scratch_write(config, text, sizeof text - 1);
    out = program_prints(folder, "data inspect '%s' 'data.root=%s/new/folder' -o '%s/sheet.png' --json", config, folder, folder);
    assert_non_null(strstr(out, "\"dataset\": \"mnist\""));
    assert_non_null(strstr(out, "\"width\": 28"));
    free(out);
}

static void what_is_there_is_checked_and_kept(void **state)
{
    char *folder = *state;
    const char *to = folder_with(folder, "there", 0);
    ask("good");
    free(program_prints(folder, "data fetch cifar10 -o '%s'", to));
    ask("good");
    char *out = program_prints(folder, "data fetch cifar10 -o '%s/'", to);
    assert_non_null(strstr(out, NAME ": there already, 46 KiB, SHA-256 as published\n"));
    assert_requests("");
    free(out);
}

static void what_is_there_and_wrong_is_left(void **state)
{
    char *folder = *state;
    const char *to = folder_with(folder, "mine", 0), *file = scratch_path(to, NAME);
    ask("good");
    scratch_write(file, "mine", 4);
    fetch_fails(folder, to, "exists, but is not the published file: it has 4 bytes, that one 47056|move it away");
    char *data = calloc(1, SIZE);
    scratch_write(file, data, SIZE);
    fetch_fails(folder, to, "exists, but is not the published file: its SHA-256 is ");
    size_t size;
    char *now = scratch_read(file, &size);
    assert_int_equal(size, SIZE);
    assert_memory_equal(now, data, SIZE);
    assert_int_equal(scratch_entries(to), 1);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(mkdir(file, 0777), 0);
    fetch_fails(folder, to, "exists, and is no plain file");
    assert_requests("");
    free(now);
    free(data);
}

/* Half of what is left comes with each try, five times: 47056 - 23528 - 11764 - 5882 - 2941 - 1470 (of 2941). */
static void a_broken_fetch_goes_on(void **state)
{
    char *folder = *state;
    const char *to = folder_with(folder, "broken", 0);
    ask("cut");
    fetch_fails(folder, to, "no address gives this file|what came is kept, and the same command goes on from there|/cut/" NAME ": ");
    assert_requests("cut/" NAME " 0\ncut/" NAME " 23528\ncut/" NAME " 35292\ncut/" NAME " 41174\ncut/" NAME " 44115\n");
    assert_int_equal(size_of(scratch_path(to, NAME ".part")), 45585);
    assert_int_equal(scratch_entries(to), 1);
    ask("good");
    char *out = program_prints(folder, "data fetch cifar10 -o '%s'", to);
    assert_requests("good/" NAME " 45585\n");
    assert_non_null(strstr(out, " from 45 KiB on, of 46 KiB\n"));
    assert_fetched(to);
    free(out);
}

static void mirrors_are_tried_in_turn(void **state)
{
    static const struct {
        const char *ways, *requests;
    } cases[] = {
        { "none good", "none/" NAME " 0\ngood/" NAME " 0\n" },
        { "short wrong moved", "short/" NAME " 0\nwrong/" NAME " 0\nmoved/" NAME " 0\ngood/" NAME " 0\n" },
        { "long good", "long/" NAME " 0\ngood/" NAME " 0\n" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char name[16];
        snprintf(name, sizeof name, "turn%zu", i);
        const char *to = folder_with(*state, name, 0);
        ask(cases[i].ways);
        free(program_prints(*state, "data fetch cifar10 -o '%s'", to));
        assert_requests(cases[i].requests);
        assert_fetched(to);
    }
}

static void what_is_not_the_file_gets_no_name(void **state)
{
    static const char *const cases[][2] = {
        { "wrong", "its SHA-256 is another" },
        { "short", "another file, of 47055 bytes" },
        { "long", "another file, of more than 47056 bytes" },
        { "none", "404" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char name[16];
        snprintf(name, sizeof name, "bad%zu", i);
        const char *to = folder_with(*state, name, 0);
        ask(cases[i][0]);
        fetch_fails(*state, to, cases[i][1]);
        assert_int_equal(size_of(scratch_path(to, NAME)), -1);
        assert_true(size_of(scratch_path(to, NAME ".part")) <= SIZE - 1);
    }
}

static void without_a_network_it_says_so(void **state)
{
    const char *to = folder_with(*state, "offline", 0);
    unsetenv("CAMCL_MIRROR");
    fetch_fails(*state, to,
                "no address gives this file|check the network|http://127.0.0.1:9/first/" NAME ": |http://127.0.0.1:9/second/" NAME ": ");
    assert_int_equal(scratch_entries(to), 0);
    setenv("CAMCL_MIRROR", "file:///etc", 1);
    fetch_fails(*state, to, "file:///etc/" NAME ": ");
}

/* An earlier part that cannot be gone on from: the server knows no ranges, its bytes are others, or there are too many. */
static void a_part_of_no_use_is_dropped(void **state)
{
    char *folder = *state, junk[SIZE + 5];
    const char *a = folder_with(folder, "part-whole", 1000), *b = folder_with(folder, "part-junk", 0),
               *c = folder_with(folder, "part-long", 0);
    memset(junk, 'x', sizeof junk);
    scratch_write(scratch_path(b, NAME ".part"), junk, 2000);
    scratch_write(scratch_path(c, NAME ".part"), junk, sizeof junk);
    ask("whole");
    free(program_prints(folder, "data fetch cifar10 -o '%s'", a));
    assert_requests("whole/" NAME " 1000\nwhole/" NAME " 0\n");
    assert_fetched(a);
    ask("good");
    free(program_prints(folder, "data fetch cifar10 -o '%s'", b));
    assert_requests("good/" NAME " 2000\ngood/" NAME " 0\n");
    assert_fetched(b);
    ask("good");
    free(program_prints(folder, "data fetch cifar10 -o '%s'", c));
    assert_requests("good/" NAME " 0\n");
    assert_fetched(c);
}

/* A part that is whole, but was not renamed any more, needs no network. */
static void a_whole_part_gets_its_name(void **state)
{
    const char *to = folder_with(*state, "whole", SIZE);
    ask("good");
    char *out = program_prints(*state, "data fetch cifar10 -o '%s'", to);
    assert_null(strstr(out, "fetching"));
    assert_requests("");
    assert_fetched(to);
    free(out);
}

static void no_space_leaves_no_file(void **state)
{
    const char *to = folder_with(*state, "full", 0);
    ask("good");
    scratch_limit_files(20000);
    outcome result = program_run(*state, "data fetch cifar10 -o '%s'", to);
    scratch_unlimit_files();
    assert_int_equal(result.status, 1);
    assert_non_null(strstr(result.err, "camcl: cannot write '"));
    assert_non_null(strstr(result.err, "File too large"));
    assert_int_equal(size_of(scratch_path(to, NAME)), -1);
    outcome_free(&result);
    free(program_prints(*state, "data fetch cifar10 -o '%s'", to));
    assert_fetched(to);
    scratch_write(scratch_path(*state, "a-file"), "", 0);
    fetch_fails(*state, scratch_path(*state, "a-file"), "cannot create the folder");
}

static void a_signal_keeps_what_came(void **state)
{
    char *folder = *state;
    const char *to = folder_with(folder, "stopped", 0), *part = scratch_path(to, NAME ".part");
    ask("slow");
    const pid_t process = program_start(folder, "stopped-run", "data fetch cifar10 -o '%s'", to);
    for (int i = 0; i < 500 && size_of(part) < 5000; i++)
        sleep_milliseconds(10);
    assert_true(size_of(part) >= 5000);
    /* Meanwhile another process must not write into it. */
    fetch_fails(folder, to, "another process fetches this file");
    kill(process, SIGINT);
    assert_int_equal(program_wait(process), 128 + SIGINT);
    assert_true(size_of(part) >= 5000 && size_of(part) < SIZE);
    ask("good");
    free(program_prints(folder, "data fetch cifar10 -o '%s'", to));
    assert_fetched(to);
}

static void progress_is_one_line(void **state)
{
    static const struct {
        unsigned short columns;
        const char *shown, *left_out;
    } cases[] = { { 100, NAME "  100 %  46 KiB of 46 KiB  ", NULL }, { 24, "100 %  ETA 0:00", "KiB" } };
    for (size_t i = 0; i < 2; i++) {
        char name[16], last[256];
        snprintf(name, sizeof name, "seen%zu", i);
        const char *to = folder_with(*state, name, 0);
        ask("slow");
        const char *text = terminal_shows(*state, cases[i].columns, "data fetch cifar10 -o '%s'", to);
        if (text == NULL) skip();
        terminal_check_lines(text, cases[i].columns, "\r", last, sizeof last);
        if (!strstr(last, "ETA 0:0")) fail_msg("no time that is left in: %s", last);
        if (cases[i].left_out) assert_null(strstr(last, cases[i].left_out));
    }
}

static void names_are_checked(void **state)
{
    program_fails(*state, 2, "data fetch: cifar: |did you mean cifar10?|cifar10 | mnist", "data fetch cifar");
    program_fails(*state, 2, "NAME is missing", "data fetch");
    program_fails(*state, 2, "unexpected argument mnist", "data fetch cifar10 mnist");
    program_fails(*state, 2, "did you mean fetch?", "data fetsh cifar10");
}

/* ---- builds without the libraries */

static void without_libraries_it_says_so(void **state)
{
    program_fails(*state, 2, "this build has no |build camcl with it, or fetch http://127.0.0.1:9/first/" NAME " yourself",
                  "data fetch cifar10");
}

static bool has(const char *name)
{
    size_t count;
    const camcl_library *libraries = camcl_libraries(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(libraries[i].name, name) == 0) return libraries[i].present;
    return false;
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_fetched_is_read),
        cmocka_unit_test(what_is_there_is_checked_and_kept),
        cmocka_unit_test(what_is_there_and_wrong_is_left),
        cmocka_unit_test(a_broken_fetch_goes_on),
        cmocka_unit_test(mirrors_are_tried_in_turn),
        cmocka_unit_test(what_is_not_the_file_gets_no_name),
        cmocka_unit_test(without_a_network_it_says_so),
        cmocka_unit_test(a_part_of_no_use_is_dropped),
        cmocka_unit_test(a_whole_part_gets_its_name),
        cmocka_unit_test(no_space_leaves_no_file),
        cmocka_unit_test(a_signal_keeps_what_came),
        cmocka_unit_test(progress_is_one_line),
        cmocka_unit_test(names_are_checked),
    };
    const struct CMUnitTest lacking[] = { cmocka_unit_test(without_libraries_it_says_so), cmocka_unit_test(names_are_checked) };
    /* This machine is not reached through a proxy. */
    setenv("no_proxy", "127.0.0.1", 1);
    return has("libcurl") && has("nettle") ? cmocka_run_group_tests(tests, setup, teardown)
                                           : cmocka_run_group_tests(lacking, scratch_setup, scratch_teardown);
}
