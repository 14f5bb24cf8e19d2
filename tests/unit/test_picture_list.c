/* Lists of pictures: what CSV may hold, where paths lead, and the line of whatever is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "dataset/csv.h"
#include "support/scratch.h"
#include "support/tree.h"

/* The list that a test writes, in its folder. */
static const char *list_path(void **state) { return scratch_path(*state, "list.csv"); }

static void write_list(void **state, const char *text) { tree_file(*state, "list.csv", text); }

static camcl_dataset *open_list(void **state)
{
    const camcl_dataset_spec spec = { .dataset = "list", .root = list_path(state) };
    return tree_open(&spec);
}

static void refused(void **state, const char *text, const char *part, const char *other)
{
    const camcl_dataset_spec spec = { .dataset = "list", .root = list_path(state) };
    write_list(state, text);
    tree_refused(&spec, CAMCL_BAD_DATA, part, other);
}

/* a.png .. f.png with values 10 .. 60 */
static void write_pictures(void **state)
{
    char name[8];
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "%c.png", 'a' + i);
        tree_picture(*state, name, 4, (uint8_t)(10 * (i + 1)));
    }
}

/* ---- CSV ---- */

/* All rows as "field|field;" */
static void assert_rows(void **state, const char *text, size_t size, const char *expected)
{
    const char *path = scratch_path(*state, "rows.csv");
    cc_csv csv;
    cc_csv_row row = { NULL, 0, 0, 0 };
    cc_text rows = CC_TEXT_INIT;
    bool more = true;
    camcl_error err = { 0 };
    scratch_write(path, text, size);
    camcl_status status = cc_csv_open(path, &csv, &err);
    while (status == CAMCL_OK && more) {
        status = cc_csv_next(&csv, &row, &more, &err);
        for (size_t i = 0; i < row.count && status == CAMCL_OK; i++)
            cc_text_add(&rows, "%s%s", row.fields[i], i + 1 < row.count ? "|" : ";");
    }
    if (status != CAMCL_OK) cc_text_add(&rows, "!%s", err.message + strlen(path) + 1);
    assert_string_equal(rows.data ? rows.data : "", expected);
    assert_true(status == CAMCL_OK || status == CAMCL_BAD_DATA);
    cc_text_free(&rows);
    cc_csv_row_free(&row);
    cc_csv_close(&csv);
}

static void csv_is_read_as_the_standard_has_it(void **state)
{
    static const struct {
        const char *text, *rows;
    } cases[] = {
        { "", "" },
        { "\xEF\xBB\xBF", "" },
        { "\xEF\xBB\xBF"
          "a,b\n1,2\n",
          "a|b;1|2;" },
        { "a,b\r\n1,2\r\n", "a|b;1|2;" },
        { "a,b\r1,2", "a|b;1|2;" },
        { "\n\r\n  \t\na,b\n\n1,2\n\n  ", "a|b;1|2;" },
        { ",\n,,\n", "|;||;" },
        { "a,\n,b", "a|;|b;" },
        { "\"a,b\",\"c\"\"d\"\n\"\",\"\"\"\"\n", "a,b|c\"d;|\";" },
        { "\"one\nline\r\nmore\",x\n\"\"", "one\nline\r\nmore|x;;" },
        { " a , \"b\n", "!1: a quote within a field (put the whole field in quotes, and double those within)" },
        { "a\nb\"c\"\n", "a;!2: a quote within a field (put the whole field in quotes, and double those within)" },
        { "a\n\n\"b\"c\n", "a;!3: text behind a closing quote (a quote within a field in quotes is doubled)" },
        { "a\n\"b\n\nc", "a;!2: a quote that is not closed (end the field with a quote)" },
        { "\"a\n\n\",\"b", "!3: a quote that is not closed (end the field with a quote)" },
        { "\"a\r\nb\"\r\n\"c\rd\"\r\"e\"f", "a\r\nb;c\rd;!5: text behind a closing quote (a quote within a field in quotes is doubled)" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_rows(state, cases[i].text, strlen(cases[i].text), cases[i].rows);
    assert_rows(state, "a,b\nc\0d,e\n", 10, "!2: a NUL byte (a list is a CSV file in UTF-8)");
}

static void csv_that_is_cut_anywhere_never_crashes(void **state)
{
    static const char text[] = "\xEF\xBB\xBFpath,label\r\n\"a\"\"b\",c\r\n\"x\ny\",\"\"\n";
    const char *path = scratch_path(*state, "cut.csv");
    for (size_t size = 0; size < sizeof text; size++) {
        cc_csv csv;
        cc_csv_row row = { NULL, 0, 0, 0 };
        bool more = true;
        scratch_write(path, text, size);
        assert_int_equal(cc_csv_open(path, &csv, NULL), CAMCL_OK);
        for (int rows = 0; more && cc_csv_next(&csv, &row, &more, NULL) == CAMCL_OK; rows++)
            assert_true(rows < 4);
        cc_csv_row_free(&row);
        cc_csv_close(&csv);
    }
}

/* Any fields, written as the standard has it, come back as they were. */
static void csv_comes_back_as_it_was_written(void **state)
{
    static const char alphabet[] = "ab ,\"\n\r;\xC3";
    uint32_t random = 1;
    for (int round = 0; round < 300; round++) {
        cc_text text = CC_TEXT_INIT, rows = CC_TEXT_INIT;
        for (int i = 0; i < 12; i++) {
            char field[8] = "";
            random = random * 1664525u + 1013904223u;
            const uint32_t length = (random >> 16) % sizeof field;
            for (uint32_t k = 0; k < length; k++) {
                random = random * 1664525u + 1013904223u;
                field[k] = alphabet[(random >> 16) % (sizeof alphabet - 1)];
            }
            cc_text_add(&text, "\"");
            for (const char *at = field; *at; at++)
                cc_text_add(&text, *at == '"' ? "\"\"" : "%c", *at);
            cc_text_add(&text, i % 3 == 2 ? "\"\r\n" : "\",");
            cc_text_add(&rows, i % 3 == 2 ? "%s;" : "%s|", field);
        }
        assert_rows(state, text.data, text.length, rows.data);
        cc_text_free(&text);
        cc_text_free(&rows);
    }
}

static void long_lines_are_read(void **state)
{
    enum { LONG = 3000000 };
    char *text = malloc(LONG);
    assert_non_null(text);
    memset(text, 'x', LONG);
    memcpy(text, "path,label\n", 11);
    memcpy(text + LONG - 3, ",a\n", 3);
    scratch_write(list_path(state), text, LONG);
    free(text);
    const camcl_dataset_spec spec = { .dataset = "list", .root = list_path(state) };
    tree_refused(&spec, CAMCL_BAD_DATA, "list.csv:2: a path of 2999986 bytes", "fewer");
}

/* ---- Lists ---- */

static void columns_come_in_any_order(void **state)
{
    if (pictures_missing()) skip();
    write_pictures(state);
    write_list(state, "probability,Split, label ,path\n0.9,train,cat,b.png\n0.8,,ant,a.png\n,test,cat,c.png\n,Val,ant,d.png\n,,,e.png\n"
                      "1,TRAIN,cat,./f.png\n");
    camcl_dataset *dataset = open_list(state);
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    assert_int_equal(info->classes, 2);
    assert_string_equal(camcl_dataset_class_names(dataset)[0], "ant");
    assert_int_equal(info->train_count, 5);
    assert_int_equal(info->unlabeled_count, 1);
    assert_int_equal(info->validation_count, 1);
    assert_int_equal(info->test_count, 1);
    static const int32_t labels[] = { 1, 0, 1, -1, 0 };
    static const uint8_t values[] = { 20, 10, 60, 50, 40 };
    static const char *const files[] = { "b.png", "a.png", "f.png", "e.png", "d.png" };
    assert_memory_equal(camcl_dataset_labels(dataset, CAMCL_TRAIN_IMAGES), labels, sizeof labels);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(camcl_dataset_pixels(dataset, CAMCL_TRAIN_IMAGES)[i * 48], values[i]);
        assert_string_equal(camcl_dataset_file(dataset, CAMCL_TRAIN_IMAGES, i), files[i]);
    }
    assert_int_equal(camcl_dataset_labels(dataset, CAMCL_TEST_IMAGES)[0], 1);
    assert_int_equal(camcl_dataset_pixels(dataset, CAMCL_TEST_IMAGES)[0], 30);
    camcl_dataset_close(&dataset);
}

static void paths_lead_from_the_folder_of_the_list(void **state)
{
    const char *root = *state;
    cc_text text = CC_TEXT_INIT;
    if (pictures_missing()) skip();
    tree_picture(root, "lists/deep/a b.png", 4, 1);
    tree_picture(root, "pictures/x,y.png", 4, 2);
    tree_picture(root, "home/p.png", 4, 3);
    tree_picture(root, "else/q.odd", 4, 4);
    tree_picture(root, "lists/r\xff.png", 4, 5);
    cc_text_add(&text, "path,label\ndeep//./a b.png,a\n\"../pictures/x,y.png\",b\n~/p.png,a\n%s/else/q.odd,b\nr\xff.png,b\n", root);
    cc_text_add(&text, "%s/lists//s.png,a\n", root);
    tree_picture(root, "lists/s.png", 4, 6);
    tree_file(root, "lists/my.csv", text.data);
    cc_text_free(&text);
    assert_int_equal(setenv("HOME", scratch_path(root, "home"), 1), 0);
    const camcl_dataset_spec spec = { .dataset = "list", .root = scratch_path(root, "lists/my.csv") };
    camcl_dataset *dataset = tree_open(&spec);
    const char *const files[] = {
        "deep/a b.png", "../pictures/x,y.png", scratch_path(root, "home/p.png"), scratch_path(root, "else/q.odd"), "r\xff.png", "s.png"
    };
    assert_int_equal(camcl_dataset_get_info(dataset)->train_count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(camcl_dataset_file(dataset, CAMCL_TRAIN_IMAGES, i), files[i]);
        assert_int_equal(camcl_dataset_pixels(dataset, CAMCL_TRAIN_IMAGES)[i * 48], i + 1);
    }
    camcl_dataset_close(&dataset);
}

static void a_test_set_is_held_out(void **state)
{
    char line[64];
    cc_text text = CC_TEXT_INIT;
    if (pictures_missing()) skip();
    tree_pictures(*state, "p", 20, 0);
    cc_text_add(&text, "path,label\n");
    for (int i = 0; i < 20; i++) {
        snprintf(line, sizeof line, "p/%02d.png,%s\n", i, i % 5 == 4 ? "" : i % 2 ? "odd" : "even");
        cc_text_add(&text, "%s", line);
    }
    write_list(state, text.data);
    cc_text_free(&text);
    const camcl_dataset_spec spec = { .dataset = "list", .root = list_path(state), .test_share = 0.25, .seed = 3 };
    camcl_dataset *dataset = tree_open(&spec);
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    int of_class[2] = { 0, 0 };
    assert_int_equal(info->held_out_count, 4); /* of 16 with labels, eight in each class */
    for (int i = 0; i < 4; i++)
        of_class[camcl_dataset_labels(dataset, CAMCL_TRAIN_IMAGES)[camcl_dataset_held_out(dataset)[i]]]++;
    assert_int_equal(of_class[0], 2);
    assert_int_equal(info->unlabeled_count, 4);
    camcl_dataset_close(&dataset);
}

static void wrong_lines_are_named(void **state)
{
    refused(state, "", "list.csv: empty", "path,label[,split]");
    refused(state, "\n\n", "list.csv: empty", "path,label[,split]");
    refused(state, "path,label\n", "no pictures", "first line");
    refused(state, "a.png,cat\nb.png,dog\n", "list.csv:1: no column 'path'", "names the columns");
    refused(state, "paths,label\n", ":1: no column 'path', but 'paths'", "path,label");
    refused(state, "path,lable\n", ":1: no column 'label', but 'lable'", "path,label");
    refused(state, "path;label\na.png;b\n", ":1: no column 'path'", "semicolons");
    refused(state, "path\tlabel\n", ":1: no column 'path'", "tabs");
    refused(state, "path,label,path\n", ":1: two columns 'path'", "remove");
    refused(state, "path,label\na.png,a\nb.png\n", "list.csv:3: 1 fields where the first line has 2", "quotes");
    refused(state, "path,label\na.png,a\n\nb,2.png,b\n", "list.csv:4: 3 fields where the first line has 2", "quotes");
    refused(state, "path,label\n\"a\nb.png\",a\n,b\n", "list.csv:4: no path", "");
    refused(state, "path,label,split\na.png,a,trian\n", ":2: split 'trian', did you mean 'train'", "test");
    refused(state, "path,label,split\na.png,a,\nb.png,,test\n", ":3: no label, but split 'test'", "may be without");
    refused(state, "path,label,split\na.png,a,\nb.png, ,valid\n", ":3: no label, but split 'valid'", "may be without");
    refused(state, "path,label,split\na.png,a,\nb.png,b,\nc.png,c,test\n", ":4: label 'c' has no training picture", "correct");
    refused(state, "path,label\na.png,\nb.png,\n", "no training picture has a label", "label some");
    refused(state, "path,label\na.png,a\nb.png,a\nc.png,\n", "one class only, 'a'", "(at least two are needed)");
    refused(state, "path,label\na.png,a\nb.png,b\nb.png,b\nx/../y.png,a\n./a.png,b\n.//b.png,a\n", ":4: '", "b.png' is on line 3 already");
    refused(state, "path,label\na.png,\xe9t\xe9\n", ":2: label '\xe9t\xe9' is not UTF-8", "UTF-8");
    refused(state, "path,label\na.png,\"a\n", ":2: a quote that is not closed", "quote");
}

/* Also where two lines name it in different ways; behind a link, ".." leads to other files. */
static void a_picture_is_named_once(void **state)
{
    const char *root = *state;
    cc_text text = CC_TEXT_INIT;
    if (pictures_missing()) skip();
    write_pictures(state);
    tree_picture(root, "sub/a.png", 4, 70);
    tree_picture(root, "other/deep/b.png", 4, 80);
    assert_int_equal(symlink("../other/deep", scratch_path(root, "sub/link")), 0);
    refused(state, "path,label\na.png,a\nb.png,b\nsub/../a.png,b\n", ":4: '", "sub/../a.png' is on line 2 already");
    refused(state, "path,label\nsub/x/../../b.png,a\nb.png,b\nsub/./..//b.png,b\n", ":4: '", "is on line 3 already");
    cc_text_add(&text, "path,label\na.png,a\n%s/sub/../../%s/a.png,b\n", root, strrchr(root, '/') + 1);
    refused(state, text.data, ":3: '", "a.png' is on line 2 already");
    cc_text_free(&text);
    tree_picture(root, "other/a.png", 4, 90);
    write_list(state, "path,label\nsub/link/../a.png,a\nsub/a.png,b\n../../../../../../../../../../nowhere,\n");
    camcl_dataset_spec spec = { .dataset = "list", .root = list_path(state), .skip_corrupt = 1 };
    camcl_dataset *dataset = tree_open(&spec);
    assert_int_equal(camcl_dataset_get_info(dataset)->train_count, 2);
    assert_int_equal(camcl_dataset_pixels(dataset, CAMCL_TRAIN_IMAGES)[0], 90);
    assert_int_equal(camcl_dataset_pixels(dataset, CAMCL_TRAIN_IMAGES)[48], 70);
    camcl_dataset_close(&dataset);
}

/* Opening a pipe waits for a writer, in whom nobody believes here. */
static void pipes_and_devices_are_no_pictures(void **state)
{
    if (pictures_missing()) skip();
    write_pictures(state);
    assert_int_equal(mkfifo(scratch_path(*state, "pipe.png"), 0600), 0);
    alarm(20);
    refused(state, "path,label\na.png,a\nb.png,b\npipe.png,a\n", "list.csv:4: ", "pipe.png: a named pipe");
    refused(state, "path,label\na.png,a\nb.png,b\n/dev/zero,a\n", "list.csv:4: ", "/dev/zero: a device");
    alarm(0);
}

static void files_that_are_no_list_are_told_apart(void **state)
{
    camcl_dataset_spec spec = { .dataset = "list", .root = scratch_path(*state, "gone.csv") };
    tree_refused(&spec, CAMCL_BAD_DATA, "gone.csv: no such file", "data.root");
    spec.root = *state;
    tree_refused(&spec, CAMCL_BAD_DATA, "is a folder", "folder)");
    spec.root = scratch_path(*state, "pipe");
    assert_int_equal(mkfifo(spec.root, 0600), 0);
    alarm(20);
    tree_refused(&spec, CAMCL_BAD_DATA, "pipe: it is no regular file", "CSV");
    spec.root = "/dev/zero";
    tree_refused(&spec, CAMCL_BAD_DATA, "/dev/zero: it is no regular file", "CSV");
    alarm(0);
    if (pictures_missing()) skip();
    tree_picture(*state, "a.png", 4, 0);
    spec.root = scratch_path(*state, "a.png");
    tree_refused(&spec, CAMCL_BAD_DATA, ": a NUL byte", "CSV");
}

static void pictures_that_cannot_be_read_are_named_with_their_line(void **state)
{
    if (pictures_missing()) skip();
    write_pictures(state);
    write_list(state, "path,label\na.png,a\nb.png,b\ngone.png,a\nc.png,a\n");
    camcl_dataset_spec spec = { .dataset = "list", .root = list_path(state) };
    tree_refused(&spec, CAMCL_BAD_DATA, "list.csv:4: ", "gone.png");
    spec.skip_corrupt = 1;
    camcl_dataset *dataset = tree_open(&spec);
    assert_int_equal(camcl_dataset_get_info(dataset)->train_count, 3);
    assert_int_equal(tree_left_out(dataset, "cannot be read"), 1);
    camcl_dataset_close(&dataset);
}

int main(void)
{
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(csv_is_read_as_the_standard_has_it),
        IN_SCRATCH(csv_that_is_cut_anywhere_never_crashes),
        IN_SCRATCH(csv_comes_back_as_it_was_written),
        IN_SCRATCH(long_lines_are_read),
        IN_SCRATCH(columns_come_in_any_order),
        IN_SCRATCH(paths_lead_from_the_folder_of_the_list),
        IN_SCRATCH(a_test_set_is_held_out),
        IN_SCRATCH(wrong_lines_are_named),
        IN_SCRATCH(a_picture_is_named_once),
        IN_SCRATCH(pipes_and_devices_are_no_pictures),
        IN_SCRATCH(files_that_are_no_list_are_told_apart),
        IN_SCRATCH(pictures_that_cannot_be_read_are_named_with_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
