/* Finding pictures: what a tree of folders may hold, all of it found, counted or refused, and nothing opened that is no folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "camcl/pictures.h"
#include "dataset/walk.h"
#include "support/scratch.h"

static void make_folder(const char *root, const char *name) { assert_int_equal(mkdir(scratch_path(root, name), 0777), 0); }

static void make_file(const char *root, const char *name) { scratch_write(scratch_path(root, name), "x", 1); }

static void link_to(const char *target, const char *root, const char *name)
{
    assert_int_equal(symlink(target, scratch_path(root, name)), 0);
}

static camcl_picture_list *list_one(const char *path)
{
    camcl_picture_list *list = NULL;
    camcl_error err = { 0 };
    camcl_status status = camcl_pictures_list(&path, 1, &list, &err);
    if (status != CAMCL_OK) print_error("%s\n", err.message);
    assert_int_equal(status, CAMCL_OK);
    return list;
}

/* The list has exactly these, in this order; `expected` ends with NULL. */
static void assert_relatives(const camcl_picture_list *list, const char *const *expected)
{
    size_t i = 0;
    for (; expected[i]; i++) {
        assert_true(i < camcl_pictures_count(list));
        assert_string_equal(camcl_pictures_relative(list, i), expected[i]);
    }
    assert_int_equal(camcl_pictures_count(list), i);
}

static uint32_t left_out(const camcl_picture_list *list, const char *kind)
{
    size_t count;
    const camcl_left_out *rows = camcl_pictures_left_out(list, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].kind, kind) == 0) return rows[i].count;
    return 0;
}

static uint32_t left_out_in_all(const camcl_picture_list *list)
{
    size_t count;
    uint32_t sum = 0;
    const camcl_left_out *rows = camcl_pictures_left_out(list, &count);
    for (size_t i = 0; i < count; i++)
        sum += rows[i].count;
    return sum;
}

static void pictures_are_found_at_any_depth_in_byte_order(void **state)
{
    static const char *const folders[] = { "b", "b/x", "b/x/y", "Z", ".hidden", "empty" };
    static const char *const files[] = { "c.png",    "B.JPG",         "a.webp",   "b/2.jpeg",     "b/10.jpe", "b/x/y/deep.JfIf",
                                         "Z/1.webp", ".hidden/x.png", ".dot.png", "\xff\xfe.png", "b.png" };
    static const char *const expected[] = { "B.JPG",           "Z/1.webp", "a.webp", "b/10.jpe",     "b/2.jpeg",
                                            "b/x/y/deep.JfIf", "b.png",    "c.png",  "\xff\xfe.png", NULL };
    size_t count = 1;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        make_folder(*state, folders[i]);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        make_file(*state, files[i]);
    camcl_picture_list *list = list_one(*state);
    assert_relatives(list, expected);
    assert_string_equal(camcl_pictures_path(list, 4), scratch_path(*state, "b/2.jpeg"));
    assert_null(camcl_pictures_left_out(list, &count));
    assert_int_equal(count, 0);
    camcl_pictures_free(&list);
    assert_null(list);
    camcl_pictures_free(&list);
    list = list_one(scratch_path(*state, "b/")); /* a slash at the end is no part of the paths below */
    assert_string_equal(camcl_pictures_relative(list, 0), "10.jpe");
    camcl_pictures_free(&list);
}

static void what_is_no_picture_is_counted_by_kind(void **state)
{
    static const char *const files[] = { "1.gif", "2.GIF", "3.gif", "README", "x.tar.gz", "end.", "a.png.bak", "holiday.in Rome", "png" };
    size_t count;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        make_file(*state, files[i]);
    make_folder(*state, "no.png");
    make_file(*state, "no.png/4.gif");
    camcl_picture_list *list = list_one(*state);
    assert_int_equal(camcl_pictures_count(list), 0);
    assert_int_equal(left_out(list, ".gif"), 4);
    assert_int_equal(left_out(list, ".gz"), 1);
    assert_int_equal(left_out(list, ".bak"), 1);
    assert_int_equal(left_out(list, "no extension"), 4);
    assert_int_equal(left_out_in_all(list), 10);
    const camcl_left_out *rows = camcl_pictures_left_out(list, &count);
    assert_string_equal(rows[0].kind, ".gif");
    assert_string_equal(rows[0].example, scratch_path(*state, "1.gif"));
    camcl_pictures_free(&list);
}

static void the_number_of_kinds_is_bounded(void **state)
{
    char name[32];
    size_t count;
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "file.%03d", i);
        make_file(*state, name);
    }
    camcl_picture_list *list = list_one(*state);
    camcl_pictures_left_out(list, &count);
    assert_int_equal(count, 65);
    assert_int_equal(left_out(list, "others"), 300 - 64);
    camcl_pictures_free(&list);
}

static void links_are_followed_and_loops_end(void **state)
{
    static const char *const expected[] = { "a/1.png", "a/further/2.png", "once.png", NULL };
    make_folder(*state, "t");
    make_folder(*state, "t/a");
    make_folder(*state, "elsewhere");
    make_file(*state, "t/a/1.png");
    make_file(*state, "elsewhere/2.png");
    link_to("../../elsewhere", *state, "t/a/further");
    link_to("../elsewhere", *state, "t/b"); /* the same folder again */
    link_to("..", *state, "t/a/loop");
    link_to(".", *state, "t/self");
    link_to("t", *state, "top");
    link_to("../top", *state, "elsewhere/back");
    link_to("gone.png", *state, "t/dangling.png");
    link_to("round.png", *state, "t/round.png");
    link_to("../elsewhere/2.png", *state, "t/once.png");
    camcl_picture_list *list = list_one(scratch_path(*state, "t"));
    assert_relatives(list, expected);
    assert_int_equal(left_out(list, "a broken link"), 2);
    assert_int_equal(left_out_in_all(list), 2);
    camcl_pictures_free(&list);
}

static void pipes_sockets_and_devices_are_never_opened(void **state)
{
    const char *folder = *state;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", scratch_path(folder, "socket.png"));
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(mkfifo(scratch_path(folder, "pipe.png"), 0600), 0);
    link_to("/dev/null", folder, "null.jpg");
    link_to("pipe.png", folder, "linked.webp");
    alarm(20); /* opening a pipe that nobody writes to would wait for ever */
    camcl_picture_list *list = list_one(folder);
    alarm(0);
    assert_int_equal(camcl_pictures_count(list), 0);
    assert_int_equal(left_out(list, "a named pipe"), 2);
    assert_int_equal(left_out(list, "a socket"), 1);
    assert_int_equal(left_out(list, "a device"), 1);
    camcl_pictures_free(&list);
    close(listener);
}

static void folders_without_rights_are_refused_or_counted(void **state)
{
    const char *folder = *state, *closed = scratch_path(folder, "closed"), *blind = scratch_path(folder, "blind");
    make_folder(folder, "closed");
    make_file(folder, "closed/1.png");
    make_folder(folder, "blind");
    make_file(folder, "blind/2.png");
    make_file(folder, "blind/notes.txt");
    make_file(folder, "3.png");
    chmod(folder, 0755);
    chmod(closed, 0);
    chmod(blind, 0444); /* its names can be read, but nothing below it can be looked at */
    bool is_root = geteuid() == 0;
    if (is_root) assert_int_equal(seteuid(65534), 0);
    camcl_picture_list *list = list_one(folder), *none = NULL;
    camcl_error err = { 0 };
    camcl_status status = camcl_pictures_list(&closed, 1, &none, &err);
    if (is_root) assert_int_equal(seteuid(0), 0);
    chmod(closed, 0755);
    chmod(blind, 0755);
    assert_int_equal(status, CAMCL_IO);
    assert_null(none);
    assert_non_null(strstr(err.message, "closed"));
    assert_non_null(strstr(err.message, "ermission"));
    static const char *const found[] = { "3.png", "blind/2.png", NULL }; /* reading 2.png says what is wrong */
    assert_relatives(list, found);
    assert_int_equal(left_out(list, "a folder that cannot be opened"), 1);
    assert_int_equal(left_out(list, ".txt"), 1);
    camcl_pictures_free(&list);
}

/* Deeper than any path may be long. */
static void the_depth_is_that_of_paths(void **state)
{
    char name[201];
    memset(name, 'd', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    int here = open(".", O_RDONLY), depth = PATH_MAX / 200 + 5;
    assert_int_equal(chdir(*state), 0);
    for (int i = 0; i < depth; i++) {
        scratch_write("1.png", "x", 1);
        assert_int_equal(mkdir(name, 0777), 0);
        assert_int_equal(chdir(name), 0);
    }
    assert_int_equal(fchdir(here), 0);
    camcl_picture_list *list = list_one(*state);
    assert_int_equal(left_out(list, "a folder that cannot be opened"), 1);
    assert_true(camcl_pictures_count(list) >= PATH_MAX / 201 - 2 && camcl_pictures_count(list) < (size_t)depth);
    camcl_pictures_free(&list);
    assert_int_equal(chdir(*state), 0);
    for (int i = 0; i < depth; i++)
        assert_int_equal(chdir(name), 0);
    for (int i = 0; i < depth; i++) {
        assert_int_equal(chdir(".."), 0);
        unlink("1.png");
        assert_int_equal(rmdir(name), 0);
    }
    assert_int_equal(fchdir(here), 0);
    close(here);
}

static void given_files_stand_for_themselves(void **state)
{
    static const char *const relatives[] = { "notes.txt", "gone.png", "1.png", "plain", NULL };
    camcl_picture_list *list = NULL;
    make_folder(*state, "d");
    make_file(*state, "d/1.png");
    make_file(*state, "notes.txt");
    const char *paths[] = { scratch_path(*state, "notes.txt"), scratch_path(*state, "gone.png"), scratch_path(*state, "d"), "plain" };
    assert_int_equal(camcl_pictures_list(paths, 4, &list, NULL), CAMCL_OK);
    assert_relatives(list, relatives);
    assert_string_equal(camcl_pictures_path(list, 1), paths[1]);
    assert_string_equal(camcl_pictures_path(list, 3), "plain");
    camcl_pictures_free(&list);
    assert_int_equal(camcl_pictures_list(NULL, 0, &list, NULL), CAMCL_OK);
    assert_int_equal(camcl_pictures_count(list), 0);
    camcl_pictures_free(&list);
}

static void a_folder_set_knows_many(void **state)
{
    (void)state;
    cc_folder_set set = { NULL, 0, 0 };
    bool is_new;
    for (int round = 0; round < 2; round++)
        for (unsigned i = 0; i < 5000; i++) {
            assert_int_equal(cc_folder_set_add(&set, i % 3, i * 4096u, &is_new, NULL), CAMCL_OK);
            assert_int_equal(is_new, round == 0);
        }
    assert_int_equal(set.count, 5000);
    cc_folder_set_free(&set);
}

int main(void)
{
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(pictures_are_found_at_any_depth_in_byte_order),
        IN_SCRATCH(what_is_no_picture_is_counted_by_kind),
        IN_SCRATCH(the_number_of_kinds_is_bounded),
        IN_SCRATCH(links_are_followed_and_loops_end),
        IN_SCRATCH(pipes_sockets_and_devices_are_never_opened),
        IN_SCRATCH(folders_without_rights_are_refused_or_counted),
        IN_SCRATCH(the_depth_is_that_of_paths),
        IN_SCRATCH(given_files_stand_for_themselves),
        cmocka_unit_test(a_folder_set_knows_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
