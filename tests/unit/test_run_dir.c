/* Run directories: created once, held by one process, taken over from a dead one, never overwritten. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "support/scratch.h"
#include "run/run_dir.h"

static void expect_open(const char *path, bool resume, camcl_status expected, cc_run_dir **dir)
{
    camcl_error err = { 0 };
    camcl_status status = cc_run_dir_open(path, resume, dir, &err);
    if (status != expected) fail_msg("'%s': %s: %s", path, camcl_status_name(status), err.message);
    assert_int_equal(*dir != NULL, status == CAMCL_OK);
}

static void creates_and_refuses(void **state)
{
    const char *path = scratch_path(*state, "runs/deep/one");
    cc_run_dir *dir = NULL;
    camcl_error err = { 0 };
    expect_open(path, false, CAMCL_OK, &dir);
    assert_string_equal(cc_run_dir_path(dir), path);
    assert_string_equal(cc_run_dir_file(dir, CC_RUN_STATE), scratch_path(path, "state.safetensors"));
    assert_false(cc_run_dir_has(dir, CC_RUN_STATE));
    assert_int_equal(cc_file_write_text(cc_run_dir_file(dir, CC_RUN_STATE), "x", &err), CAMCL_OK);
    assert_true(cc_run_dir_has(dir, CC_RUN_STATE));
    cc_run_dir_close(&dir);
    assert_null(dir);
    cc_run_dir_close(&dir);
    assert_int_equal(scratch_entries(path), 1); /* the lock went with its holder */

    assert_int_equal(cc_run_dir_open(path, false, &dir, &err), CAMCL_EXISTS);
    assert_null(dir);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, "add --resume or choose another output.dir"));
    assert_int_equal(scratch_entries(path), 1); /* and nothing was touched */
    expect_open(path, true, CAMCL_OK, &dir);
    assert_true(cc_run_dir_has(dir, CC_RUN_STATE));
    cc_run_dir_close(&dir);
}

static void empty_folders_and_new_resumes(void **state)
{
    cc_run_dir *dir = NULL;
    const char *empty = scratch_path(*state, "empty"), *fresh = scratch_path(*state, "fresh");
    assert_int_equal(mkdir(empty, 0777), 0);
    expect_open(empty, false, CAMCL_OK, &dir);
    cc_run_dir_close(&dir);
    expect_open(fresh, true, CAMCL_OK, &dir);
    cc_run_dir_close(&dir);
    assert_true(cc_is_folder(fresh));
}

static void refuses_bad_places(void **state)
{
    cc_run_dir *dir = NULL;
    camcl_error err = { 0 };
    const char *file = scratch_path(*state, "file");
    scratch_write(file, "x", 1);
    assert_int_equal(cc_run_dir_open(file, false, &dir, &err), CAMCL_IO);
    assert_non_null(strstr(err.message, file));
    assert_int_equal(cc_run_dir_open(scratch_path(file, "below"), true, &dir, &err), CAMCL_IO);
    assert_int_equal(cc_run_dir_open("", true, &dir, &err), CAMCL_IO);
    assert_null(dir);
}

static void put(const char *folder, const char *name, const char *text) { scratch_write(scratch_path(folder, name), text, strlen(text)); }

/* Resuming in `path` is refused, names all of `parts` (NULL at the end), and leaves the entries. */
static void expect_refused(const char *path, const char *const *parts)
{
    cc_run_dir *dir = NULL;
    camcl_error err = { 0 };
    const size_t entries = scratch_entries(path);
    assert_int_equal(cc_run_dir_open(path, true, &dir, &err), CAMCL_EXISTS);
    assert_null(dir);
    for (; *parts; parts++)
        if (!strstr(err.message, *parts)) fail_msg("\"%s\" does not mention %s", err.message, *parts);
    assert_int_equal(scratch_entries(path), entries);
}

#define REFUSED(path, ...) expect_refused(path, (const char *const[]){ path, "choose another output.dir", __VA_ARGS__, NULL })

/* Results without the state that they came from would be written over by a run that begins again. */
static void results_without_a_state(void **state)
{
    static const char *const results[] = { "best.safetensors", "last.safetensors", "result.json", "confusion.csv" };
    const char *path = scratch_path(*state, "run");
    cc_run_dir *dir = NULL;
    assert_int_equal(mkdir(path, 0777), 0);
    put(path, "splits.json", "{\"labeled\": [1, 2],\n");
    put(path, "config.ini", "[data]\n");
    put(path, "train.log", "x\n");
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        expect_open(path, true, CAMCL_OK, &dir); /* begun, nothing saved */
        cc_run_dir_close(&dir);
        put(path, results[i], "x");
        REFUSED(path, results[i], "no state.safetensors", "put the state back");
        assert_int_equal(unlink(scratch_path(path, results[i])), 0);
    }
    put(path, "result.json", "{}");
    put(path, "best.safetensors", "x");
    REFUSED(path, "best.safetensors, result.json");
    put(path, "state.safetensors", "x");
    expect_open(path, true, CAMCL_OK, &dir);
    cc_run_dir_close(&dir);
}

static void folders_of_others(void **state)
{
    const char *path = scratch_path(*state, "theirs");
    cc_run_dir *dir = NULL;
    assert_int_equal(mkdir(path, 0777), 0);
    put(path, "config.ini", "[server]\nport = 1\n");
    REFUSED(path, "it has config.ini, but no run");
    put(path, "a\033[2J", "x");
    REFUSED(path, "it has a?[2J and config.ini, but no run");
    put(path, "notes.txt", "x");
    put(path, "z", "x");
    REFUSED(path, "a?[2J, config.ini, notes.txt and z,");
    put(path, "zz", "x");
    REFUSED(path, "a?[2J, config.ini, notes.txt and 2 more");
    put(path, "splits.json", "{\"train\": []}"); /* not as a run writes it */
    REFUSED(path, "and 3 more");
    put(path, "splits.json", "{\"labeled\": [4]");
    expect_open(path, true, CAMCL_OK, &dir);
    cc_run_dir_abandon(&dir); /* takes nothing away that was there before */
    assert_int_equal(scratch_entries(path), 6);
}

/* A run that could not start takes its first files along, with and without --resume. */
/* What a run asks before it reads its data. */
static void looks_without_touching(void **state)
{
    const char *none = scratch_path(*state, "none/deep"), *run = scratch_path(*state, "run");
    camcl_error err = { 0 };
    bool has_state = true;
    cc_run_dir *dir = NULL;
    for (int resume = 0; resume < 2; resume++) {
        assert_int_equal(cc_run_dir_check(none, resume, &has_state, &err), CAMCL_OK);
        assert_false(has_state);
    }
    assert_int_equal(scratch_entries(*state), 0);
    assert_int_equal(mkdir(run, 0777), 0);
    put(run, "state.safetensors", "x");
    put(run, ".camcl-1-1.tmp", "x");
    assert_int_equal(cc_run_dir_check(run, false, &has_state, &err), CAMCL_EXISTS);
    assert_non_null(strstr(err.message, "exists and is not empty"));
    assert_false(has_state);
    assert_int_equal(cc_run_dir_check(run, true, &has_state, &err), CAMCL_OK);
    assert_true(has_state);
    assert_int_equal(scratch_entries(run), 2);
    expect_open(run, true, CAMCL_OK, &dir);
    assert_int_equal(cc_run_dir_check(run, false, &has_state, &err), CAMCL_BUSY);
    cc_run_dir_close(&dir);
}

static void abandoned_runs(void **state)
{
    const char *path = scratch_path(*state, "run");
    for (int resume = 0; resume < 2; resume++) {
        cc_run_dir *dir = NULL;
        expect_open(path, resume, CAMCL_OK, &dir);
        put(path, "splits.json", "{}");
        put(path, "config.ini", "[data]\n");
        cc_run_dir_abandon(&dir);
        assert_false(cc_is_folder(path));
    }
}

/* A child that opens the directory, says so through a pipe, and then waits to be killed. */
static pid_t start_holder(const char *path)
{
    int ends[2];
    char ready = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        cc_run_dir *dir = NULL;
        ready = cc_run_dir_open(path, true, &dir, NULL) == CAMCL_OK ? 'y' : 'n';
        if (write(ends[1], &ready, 1) != 1) _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ends[0], &ready, 1), 1);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(ready, 'y');
    return child;
}

static void one_process_at_a_time(void **state)
{
    const char *path = scratch_path(*state, "run");
    cc_run_dir *dir = NULL;
    camcl_error err = { 0 };
    char who[64];
    pid_t child = start_holder(path);
    snprintf(who, sizeof who, "held by process %ld on ", (long)child);
    assert_int_equal(cc_run_dir_open(path, true, &dir, &err), CAMCL_BUSY);
    assert_null(dir);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, who));
    /* Without --resume too the reason is the other process, whether or not it has written anything. */
    expect_open(path, false, CAMCL_BUSY, &dir);
    scratch_write(scratch_path(path, "config.ini"), "x", 1);
    expect_open(path, false, CAMCL_BUSY, &dir);
    expect_open(path, true, CAMCL_BUSY, &dir);

    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(cc_file_exists(scratch_path(path, ".lock"))); /* stale, and no obstacle: */
    expect_open(path, false, CAMCL_EXISTS, &dir);
    put(path, "splits.json", "{\"labeled\": [");
    expect_open(path, true, CAMCL_OK, &dir);
    cc_run_dir *second = NULL;
    expect_open(path, true, CAMCL_BUSY, &second); /* the same process, once more */
    cc_run_dir_close(&dir);
    expect_open(path, true, CAMCL_OK, &dir);
    cc_run_dir_close(&dir);
    assert_int_equal(scratch_entries(path), 2);
}

/* A process killed before it wrote anything leaves a folder that counts as empty. */
static void killed_at_once(void **state)
{
    const char *path = scratch_path(*state, "run");
    cc_run_dir *dir = NULL;
    pid_t child = start_holder(path);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    expect_open(path, false, CAMCL_OK, &dir);
    cc_run_dir_close(&dir);
}

/* Many processes want the same new directory: one gets it. */
static void race(void **state)
{
    enum { PROCESSES = 12, ROUNDS = 10 };
    for (int round = 0; round < ROUNDS; round++) {
        char name[32];
        snprintf(name, sizeof name, "race%d", round);
        const char *path = scratch_path(*state, name);
        int go[2], results[2], won = 0;
        assert_int_equal(pipe(go), 0);
        assert_int_equal(pipe(results), 0);
        for (int i = 0; i < PROCESSES; i++) {
            if (fork() != 0) continue;
            char c;
            cc_run_dir *dir = NULL;
            close(go[1]);
            if (read(go[0], &c, 1) != 0) _exit(1); /* all start when the parent closes its end */
            camcl_status status = cc_run_dir_open(path, false, &dir, NULL);
            if (status == CAMCL_OK) status = cc_file_write_text(cc_run_dir_file(dir, CC_RUN_CONFIG), "x", NULL);
            c = status == CAMCL_OK ? 'w' : status == CAMCL_BUSY || status == CAMCL_EXISTS ? 'l' : 'e';
            cc_run_dir_close(&dir);
            _exit(write(results[1], &c, 1) == 1 ? 0 : 1);
        }
        close(go[0]);
        close(go[1]);
        for (int i = 0; i < PROCESSES; i++) {
            char c = 0;
            assert_int_equal(read(results[0], &c, 1), 1);
            assert_int_not_equal(c, 'e');
            won += c == 'w';
        }
        while (wait(NULL) > 0)
            continue;
        close(results[0]);
        close(results[1]);
        assert_int_equal(won, 1);
    }
}

static void removes_leftovers_of_the_dead(void **state)
{
    const char *path = scratch_path(*state, "run");
    cc_run_dir *dir = NULL;
    char dead[64], living[64], own[64];
    pid_t child = fork();
    if (child == 0) _exit(0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    snprintf(dead, sizeof dead, CC_TEMPORARY_PREFIX "%ld-0" CC_TEMPORARY_SUFFIX, (long)child);
    snprintf(living, sizeof living, CC_TEMPORARY_PREFIX "%ld-0" CC_TEMPORARY_SUFFIX, (long)getppid());
    snprintf(own, sizeof own, CC_TEMPORARY_PREFIX "%ld-3" CC_TEMPORARY_SUFFIX, (long)getpid());
    assert_int_equal(cc_make_folders(scratch_path(path, "cams"), NULL), CAMCL_OK);
    put(path, "splits.json", "{\"labeled\": [");
    scratch_write(scratch_path(path, dead), "x", 1);
    scratch_write(scratch_path(path, living), "x", 1);
    scratch_write(scratch_path(path, own), "x", 1);
    scratch_write(scratch_path(path, ".camcl-tmp"), "x", 1);
    scratch_write(scratch_path(scratch_path(path, "cams"), dead), "x", 1);
    scratch_write(scratch_path(path, "metrics.csv"), "x", 1);
    expect_open(path, true, CAMCL_OK, &dir);
    assert_false(cc_file_exists(scratch_path(path, dead)));
    assert_false(cc_file_exists(scratch_path(path, own)));
    assert_true(cc_file_exists(scratch_path(path, living)));
    assert_true(cc_file_exists(scratch_path(path, ".camcl-tmp")));
    assert_true(cc_file_exists(scratch_path(path, "metrics.csv")));
    assert_int_equal(scratch_entries(scratch_path(path, "cams")), 0);
    cc_run_dir_close(&dir);
}

static void log_lines(void **state)
{
    const char *path = scratch_path(*state, "run");
    cc_run_dir *dir = NULL;
    camcl_error err = { 0 };
    size_t size = 0;
    int year, month, day, hour, minute, second, number = 0;
    expect_open(path, false, CAMCL_OK, &dir);
    assert_false(cc_run_dir_has(dir, CC_RUN_LOG));
    assert_int_equal(cc_run_dir_log(dir, &err, "epoch %d", 1), CAMCL_OK);
    assert_int_equal(cc_run_dir_log(dir, &err, "%s", "100 % done"), CAMCL_OK);
    cc_run_dir_close(&dir);
    char *text = scratch_read(scratch_path(path, "train.log"), &size);
    assert_int_equal(sscanf(text, "%d-%d-%d %d:%d:%d  epoch %d\n", &year, &month, &day, &hour, &minute, &second, &number), 7);
    assert_int_equal(number, 1);
    assert_non_null(strstr(text, "  100 % done\n"));
    free(text);

    put(path, "splits.json", "{\"labeled\": [");
    put(path, "train.log", "whole\nha"); /* as a killed process leaves it */
    expect_open(path, true, CAMCL_OK, &dir);
    assert_int_equal(cc_run_dir_log(dir, &err, "resumed"), CAMCL_OK);
    cc_run_dir_close(&dir);
    text = scratch_read(scratch_path(path, "train.log"), &size);
    assert_int_equal(strncmp(text, "whole\nha\n", 9), 0);
    assert_non_null(strstr(text + 9, "  resumed\n"));
    free(text);
}

static void log_fails_without_space(void **state)
{
    const char *path = scratch_path(*state, "run");
    cc_run_dir *dir = NULL;
    camcl_error err = { 0 };
    expect_open(path, false, CAMCL_OK, &dir);
    assert_int_equal(cc_run_dir_log(dir, &err, "first"), CAMCL_OK);
    scratch_limit_files(10);
    camcl_status status = cc_run_dir_log(dir, &err, "second");
    scratch_unlimit_files();
    assert_int_equal(status, CAMCL_IO);
    assert_non_null(strstr(err.message, "train.log"));
    cc_run_dir_close(&dir);
    assert_int_equal(mkdir(scratch_path(*state, "other"), 0777), 0);
    assert_int_equal(mkdir(scratch_path(*state, "other/train.log"), 0777), 0);
    put(scratch_path(*state, "other"), "splits.json", "{\"labeled\": [");
    expect_open(scratch_path(*state, "other"), true, CAMCL_OK, &dir);
    assert_int_equal(cc_run_dir_log(dir, &err, "x"), CAMCL_IO);
    cc_run_dir_close(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
        TEST(creates_and_refuses),
        TEST(empty_folders_and_new_resumes),
        TEST(refuses_bad_places),
        TEST(results_without_a_state),
        TEST(folders_of_others),
        TEST(looks_without_touching),
        TEST(abandoned_runs),
        TEST(one_process_at_a_time),
        TEST(killed_at_once),
        TEST(race),
        TEST(removes_leftovers_of_the_dead),
        TEST(log_lines),
        TEST(log_fails_without_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
