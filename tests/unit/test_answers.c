/* What camcl predict writes. It belongs to the program, not to the library, so its files are taken in here. */
#include "cli/pseudo.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "cli/answers.c"
#include "cli/whole_file.h"
#include "support/scratch.h"

static void test_paths_of_lists(void **state)
{
    (void)state;
    static const char *const rows[][4] = {
        /* list's folder, picture's folder, name, path in the list */
        { "/data/lists", "/data/lists", "a.png", "a.png" },
        { "/data/lists", "/data/lists/x/y", "a.png", "x/y/a.png" },
        { "/data/lists", "/data/photos", "a.png", "../photos/a.png" },
        { "/data/lists/new", "/data", "a.png", "../../a.png" },
        { "/data/list", "/data/lists", "a.png", "../lists/a.png" },
        { "/data/lists", "/data/list", "a.png", "../list/a.png" },
        { "/data", "/photos/x", "a.png", "/photos/x/a.png" },
        { "/data", "/", "a.png", "/a.png" },
        { "/", "/photos", "a.png", "photos/a.png" },
        { "/", "/", "a.png", "a.png" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *path = path_between(rows[i][0], rows[i][1], rows[i][2]);
        assert_string_equal(path, rows[i][3]);
        free(path);
    }
}

static void test_csv_fields(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        { "plain", "plain" },     { "", "" },
        { "a,b", "\"a,b\"" },     { "a\"b", "\"a\"\"b\"" },
        { "\"", "\"\"\"\"" },     { "\"\"", "\"\"\"\"\"\"" },
        { "a\nb", "\"a\nb\"" },   { "a\rb", "\"a\rb\"" },
        { " a", "\" a\"" },       { "a\t", "\"a\t\"" },
        { "a b;c'd", "a b;c'd" }, { "\xff\x01", "\xff\x01" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[32];
        FILE *file = tmpfile();
        assert_non_null(file);
        cli_csv_field(file, rows[i][0]);
        rewind(file);
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        fclose(file);
        assert_string_equal(text, rows[i][1]);
    }
}

static void test_rank(void **state)
{
    (void)state;
    static const float probabilities[] = { 0.1f, 0.3f, 0.05f, 0.3f, 0.25f };
    static const size_t expected[] = { 1, 3, 4, 0, 2 };
    const camcl_model_info info = { .classes = 5 };
    for (size_t top = 1; top <= 5; top++) {
        size_t ranked[5];
        const cli_answers answers = { .info = &info, .top = top, .ranked = ranked };
        rank(&answers, probabilities);
        assert_memory_equal(ranked, expected, top * sizeof *ranked);
    }
    assert_int_equal(cli_best_class(probabilities, 5), 1);
}

static void test_width(void **state)
{
    (void)state;
    assert_int_equal(cli_text_width("abc"), 3);
    assert_int_equal(cli_text_width("\xc3\xa4\xe2\x82\xac"), 2); /* two letters of two and three bytes */
    assert_int_equal(cli_text_width("\x1b"), 4);                 /* shown as \x1b */
}

static void write_whole(const char *path, bool commit)
{
    camcl_error err = { 0 };
    cli_file file;
    assert_int_equal(cli_file_open(&file, path, &err), CAMCL_OK);
    fputs("new", file.stream);
    if (commit) assert_int_equal(cli_file_commit(&file, &err), CAMCL_OK);
    cli_file_abandon(&file);
}

static void test_whole_files(void **state)
{
    const char *folder = *state, *path = scratch_path(folder, "file");
    size_t size;
    camcl_error err = { 0 };
    cli_file file;
    scratch_write(path, "before", 6);
    write_whole(path, false);
    char *text = scratch_read(path, &size);
    assert_string_equal(text, "before");
    free(text);
    write_whole(path, true);
    text = scratch_read(path, &size);
    assert_string_equal(text, "new");
    free(text);
    assert_int_equal(scratch_entries(folder), 1);
    write_whole("/dev/null", true); /* is not replaced */
    struct stat info;
    assert_true(stat("/dev/null", &info) == 0 && S_ISCHR(info.st_mode));
    assert_int_equal(cli_file_open(&file, folder, &err), CAMCL_IO);
    assert_int_equal(cli_file_open(&file, scratch_path(folder, "no/such/file"), &err), CAMCL_IO);
    assert_non_null(strstr(err.message, "no/such/file"));
    assert_null(file.stream);

    assert_int_equal(cli_make_folders(scratch_path(folder, "a/b//c"), &err), CAMCL_OK);
    assert_int_equal(cli_make_folders(scratch_path(folder, "a/b/"), &err), CAMCL_OK);
    assert_true(cli_is_folder(scratch_path(folder, "a/b/c")));
    assert_int_equal(cli_make_folders(scratch_path(folder, "file/b"), &err), CAMCL_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_of_lists),
        cmocka_unit_test(test_csv_fields),
        cmocka_unit_test(test_rank),
        cmocka_unit_test(test_width),
        cmocka_unit_test_setup_teardown(test_whole_files, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
