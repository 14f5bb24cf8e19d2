/* Whole reads, writes that appear whole or not at all, folders and paths. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "support/scratch.h"

static void assert_content(const char *path, const char *expected)
{
    size_t size = 0;
    char *data = scratch_read(path, &size);
    assert_non_null(data);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(data, expected, size);
    free(data);
}

static void writes_and_reads(void **state)
{
    const char *path = scratch_path(*state, "a.bin");
    camcl_error err = { 0 };
    const cc_piece pieces[] = { { "one\0two", 7 }, { NULL, 0 }, { "three", 5 } };
    assert_int_equal(cc_file_write(path, pieces, 3, &err), CAMCL_OK);
    char *data = NULL;
    size_t size = 0;
    assert_int_equal(cc_file_read(path, &data, &size, &err), CAMCL_OK);
    assert_int_equal(size, 12);
    assert_memory_equal(data, "one\0twothree\0", 13);
    free(data);

    assert_int_equal(cc_file_write_text(path, "new", &err), CAMCL_OK);
    assert_content(path, "new");
    assert_int_equal(scratch_entries(*state), 1);
    assert_int_equal(cc_file_write(path, NULL, 0, &err), CAMCL_OK);
    assert_content(path, "");

    assert_int_equal(cc_file_write_among(path, pieces, 1, &err), CAMCL_OK);
    assert_int_equal(cc_folder_sync(*state, &err), CAMCL_OK);
    data = scratch_read(path, &size);
    assert_true(size == 7 && memcmp(data, "one\0two", 7) == 0);
    free(data);
    assert_int_equal(scratch_entries(*state), 1);
    assert_int_equal(cc_folder_sync(scratch_path(*state, "none"), &err), CAMCL_IO);
}

static void reads_large_and_pipes(void **state)
{
    const char *path = scratch_path(*state, "large");
    size_t size = 3000017, got = 0;
    char *data = malloc(size), *back = NULL;
    assert_non_null(data);
    for (size_t i = 0; i < size; i++)
        data[i] = (char)(i * 31 + i / 251);
    cc_piece piece = { data, size };
    assert_int_equal(cc_file_write(path, &piece, 1, NULL), CAMCL_OK);
    assert_int_equal(cc_file_read(path, &back, &got, NULL), CAMCL_OK);
    assert_int_equal(got, size);
    assert_memory_equal(back, data, size);
    free(back);

    const char *fifo = scratch_path(*state, "fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    pid_t child = fork();
    if (child == 0) _exit(cc_file_write(fifo, &piece, 1, NULL) == CAMCL_OK ? 0 : 1);
    assert_int_equal(cc_file_read(fifo, &back, &got, NULL), CAMCL_OK);
    assert_int_equal(got, size);
    assert_memory_equal(back, data, size);
    int code = -1;
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_int_equal(code, 0);
    struct stat info;
    assert_int_equal(stat(fifo, &info), 0);
    assert_true(S_ISFIFO(info.st_mode)); /* written through, not replaced */
    free(back);
    free(data);
}

static void reading_fails(void **state)
{
    camcl_error err = { 0 };
    char *data = NULL;
    size_t size = 1;
    const char *missing = scratch_path(*state, "missing");
    assert_int_equal(cc_file_read(missing, &data, &size, &err), CAMCL_IO);
    assert_null(data);
    assert_int_equal(size, 0);
    assert_non_null(strstr(err.message, missing));
    assert_non_null(strstr(err.message, "No such file"));
    assert_int_equal(cc_file_read(*state, &data, &size, &err), CAMCL_IO);
    assert_non_null(strstr(err.message, "name a file, not a folder"));
    assert_int_equal(cc_file_read("/dev/zero", &data, &size, &err), CAMCL_IO);
    assert_non_null(strstr(err.message, "'/dev/zero': it is a device"));
    assert_null(data);
    assert_int_equal(cc_file_read("/dev/null", &data, &size, &err), CAMCL_OK);
    assert_int_equal(size, 0);
    assert_string_equal(data, "");
    free(data);
}

static void failed_writes_change_nothing(void **state)
{
    camcl_error err = { 0 };
    const char *path = scratch_path(*state, "kept");
    char big[20000];
    memset(big, 'x', sizeof big);
    cc_piece piece = { big, sizeof big };
    assert_int_equal(cc_file_write_text(path, "old content", &err), CAMCL_OK);

    scratch_limit_files(4096);
    camcl_status status = cc_file_write(path, &piece, 1, &err);
    camcl_status fresh = cc_file_write(scratch_path(*state, "fresh"), &piece, 1, NULL);
    camcl_status among = cc_file_write_among(path, &piece, 1, NULL);
    scratch_unlimit_files();
    assert_int_equal(among, CAMCL_IO);
    assert_int_equal(status, CAMCL_IO);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, "free some space"));
    assert_int_equal(fresh, CAMCL_IO);
    assert_content(path, "old content");
    assert_int_equal(scratch_entries(*state), 1);

    const char *below = scratch_path(path, "below");
    assert_int_equal(cc_file_write(below, &piece, 1, &err), CAMCL_IO);
    assert_non_null(strstr(err.message, below));
    assert_int_equal(cc_file_write(scratch_path(*state, "no/such"), &piece, 1, &err), CAMCL_IO);
    assert_int_equal(cc_file_write(*state, &piece, 1, &err), CAMCL_IO); /* a folder is in the way */
    assert_content(path, "old content");
    assert_int_equal(scratch_entries(*state), 1);

    if (cc_file_exists("/dev/full")) {
        assert_int_equal(cc_file_write("/dev/full", &piece, 1, &err), CAMCL_IO);
        struct stat info;
        assert_int_equal(stat("/dev/full", &info), 0);
        assert_true(S_ISCHR(info.st_mode));
    }
}

/* A leftover of a killed writer with the same process id must not be in the way. */
static void leftovers_do_not_block(void **state)
{
    char name[64];
    snprintf(name, sizeof name, CC_TEMPORARY_PREFIX "%ld-0" CC_TEMPORARY_SUFFIX, (long)getpid());
    scratch_write(scratch_path(*state, name), "half", 4);
    const char *path = scratch_path(*state, "file");
    assert_int_equal(cc_file_write_text(path, "whole", NULL), CAMCL_OK);
    assert_content(path, "whole");
    assert_content(scratch_path(*state, name), "half");
}

static void folders(void **state)
{
    camcl_error err = { 0 };
    const char *deep = scratch_path(*state, "a/b//c/");
    assert_int_equal(cc_make_folders(deep, &err), CAMCL_OK);
    assert_true(cc_is_folder(scratch_path(*state, "a/b/c")));
    assert_int_equal(cc_make_folders(deep, &err), CAMCL_OK);
    const char *file = scratch_path(*state, "a/file");
    assert_false(cc_file_exists(file));
    assert_int_equal(cc_file_write_text(file, "", &err), CAMCL_OK);
    assert_true(cc_file_exists(file));
    assert_true(cc_file_exists(deep));
    assert_false(cc_is_folder(file));
    assert_false(cc_is_folder(scratch_path(*state, "none")));
    assert_int_equal(cc_make_folders(file, &err), CAMCL_IO);
    assert_non_null(strstr(err.message, file));
    assert_int_equal(cc_make_folders(scratch_path(file, "x"), &err), CAMCL_IO);
    assert_int_equal(cc_make_folders("", &err), CAMCL_IO);
    assert_int_equal(cc_make_folders("/", &err), CAMCL_OK);
}

/* A link that leads nowhere, to itself for example, is not nothing. */
static void beginnings(void **state)
{
    const char *file = scratch_path(*state, "begins"), *loop = scratch_path(*state, "loop"), *link = scratch_path(*state, "link");
    camcl_error err;
    char head[4];
    size_t got = 7;
    assert_int_equal(cc_file_beginning(file, head, sizeof head, &got, &err), CAMCL_OK);
    assert_int_equal(got, 0);
    scratch_write(file, "abcdef", 6);
    assert_int_equal(cc_file_beginning(file, head, sizeof head, &got, &err), CAMCL_OK);
    assert_int_equal(got, 4);
    assert_memory_equal(head, "abcd", 4);
    assert_int_equal(cc_file_beginning(*state, head, sizeof head, &got, &err), CAMCL_OK); /* a folder */
    assert_int_equal(got, 0);
    assert_int_equal(symlink(loop, loop), 0);
    assert_true(cc_file_exists(loop));
    assert_int_equal(cc_file_beginning(loop, head, sizeof head, &got, &err), CAMCL_EXISTS);
    assert_non_null(strstr(err.message, loop));
    assert_int_equal(symlink("nowhere", link), 0);
    assert_int_equal(cc_file_beginning(link, head, sizeof head, &got, &err), CAMCL_EXISTS);
    assert_non_null(strstr(err.message, "a link that leads nowhere"));
    assert_int_equal(cc_file_beginning(scratch_path(loop, "x"), head, sizeof head, &got, &err), CAMCL_IO);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink("begins", link), 0);
    assert_int_equal(cc_file_beginning(link, head, sizeof head, &got, &err), CAMCL_OK);
    assert_int_equal(got, 4);
}

static void assert_absolute(const char *path, const char *expected)
{
    char *out = NULL;
    assert_int_equal(cc_path_absolute(path, &out, NULL), CAMCL_OK);
    assert_string_equal(out, expected);
    free(out);
}

static void paths(void **state)
{
    char *out = NULL, here[4096], expected[4200];
    assert_int_equal(cc_path_join("runs", "a.csv", &out, NULL), CAMCL_OK);
    assert_string_equal(out, "runs/a.csv");
    free(out);
    assert_int_equal(cc_path_join("runs/", "a.csv", &out, NULL), CAMCL_OK);
    assert_string_equal(out, "runs/a.csv");
    free(out);

    assert_absolute("/x/y", "/x/y");
    assert_non_null(getcwd(here, sizeof here));
    assert_absolute(".", here);
    assert_absolute("", here);
    assert_absolute("./", here);
    snprintf(expected, sizeof expected, "%s/x/y", here);
    assert_absolute("x/y", expected);
    assert_absolute(".//./x/y", expected);
    snprintf(expected, sizeof expected, "%s/../x", here);
    assert_absolute("../x", expected);

    const char *gone = scratch_path(*state, "gone");
    camcl_error err = { 0 };
    assert_int_equal(mkdir(gone, 0777), 0);
    assert_int_equal(chdir(gone), 0);
    assert_int_equal(rmdir(gone), 0);
    camcl_status status = cc_path_absolute("x", &out, &err);
    assert_int_equal(chdir(here), 0);
    assert_int_equal(status, CAMCL_IO);
    assert_null(out);
}

static void clock_runs(void **state)
{
    (void)state;
    double start = cc_seconds();
    nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
    double passed = cc_seconds() - start;
    assert_true(passed >= 0.02 && passed < 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_and_reads, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(reads_large_and_pipes, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(reading_fails, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(failed_writes_change_nothing, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(leftovers_do_not_block, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(folders, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(beginnings, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(paths, scratch_setup, scratch_teardown),
        cmocka_unit_test(clock_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
