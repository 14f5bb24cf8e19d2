/* camcl data inspect, from outside and without any device. */
#include <math.h>
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

#include "camcl/image.h"
#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"

static int setup(void **state)
{
    if (runs_setup(state) != 0) return -1;
    return setenv("OCL_ICD_VENDORS", scratch_path(*state, "no-drivers"), 1) || mkdir(scratch_path(*state, "no-drivers"), 0777);
}

static void folder_of(const char *folder, const char *name) { assert_int_equal(mkdir(scratch_path(folder, name), 0777), 0); }

/* A picture of one colour. */
static void write_picture(const char *folder, const char *name, uint32_t width, uint32_t height, const uint8_t colour[3])
{
    camcl_image image = CAMCL_IMAGE_INIT;
    camcl_error err = { 0 };
    assert_int_equal(camcl_image_create(width, height, 3, &image, &err), CAMCL_OK);
    for (size_t i = 0; i < (size_t)width * height * 3; i++)
        image.pixels[i] = colour[i % 3];
    camcl_status status = camcl_image_write_png(scratch_path(folder, name), &image, &err);
    camcl_image_free(&image);
    if (status == CAMCL_UNSUPPORTED) {
        print_message("this build writes no PNG\n");
        skip();
    }
    assert_int_equal(status, CAMCL_OK);
}

static const uint8_t red[] = { 200, 10, 20 }, blue[] = { 10, 20, 200 };

/* own/ with 6 red cats of different widths, 3 blue dogs in a sub-folder, a test picture of each, 2 pictures without a label, one that is
 * damaged and two files that are no pictures; own.ini names it. */
static void make_pictures(const char *folder)
{
    static const char *const folders[] = { "own",      "own/train",    "own/train/cat", "own/train/dog", "own/train/dog/deep",
                                           "own/test", "own/test/cat", "own/test/dog",  "own/unlabeled" };
    char name[64], text[512];
    if (access(scratch_path(folder, "own"), F_OK) == 0) return;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        folder_of(folder, folders[i]);
    for (uint32_t i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "own/train/cat/%u.png", (unsigned)i);
        write_picture(folder, name, 10 + 10 * i, 8, red);
    }
    for (uint32_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "own/train/dog/deep/%u.png", (unsigned)i);
        write_picture(folder, name, 40, 30, blue);
    }
    write_picture(folder, "own/test/cat/a.png", 12, 100, red);
    write_picture(folder, "own/test/dog/a.png", 12, 12, blue);
    write_picture(folder, "own/unlabeled/a.png", 12, 12, blue);
    write_picture(folder, "own/unlabeled/b.png", 12, 12, red);
    scratch_write(scratch_path(folder, "own/train/cat/damaged.png"), "\x89PNG\r\n\x1a\nno more", 15);
    scratch_write(scratch_path(folder, "own/train/cat/notes.txt"), "x", 1);
    scratch_write(scratch_path(folder, "own/train/dog/notes.txt"), "x", 1);
    int n = snprintf(text, sizeof text,
                     "[device]\ncache_dir = %s/cache\n[data]\ndataset = folder\nroot = %s/own\nimage_size = 8\nvalidation = 0\n", folder,
                     folder);
    scratch_write(scratch_path(folder, "own.ini"), text, (size_t)n);
}

static void assert_counts(const cc_json *row, int labeled, int unlabeled, int validation, int test)
{
    assert_int_equal((int)json_number_at(row, "labeled"), labeled);
    assert_int_equal((int)json_number_at(row, "unlabeled"), unlabeled);
    assert_int_equal((int)json_number_at(row, "validation"), validation);
    assert_int_equal((int)json_number_at(row, "test"), test);
}

static void assert_range(const cc_json *range, int least, int median, int most)
{
    assert_int_equal((int)json_number_at(range, "min"), least);
    assert_int_equal((int)json_number_at(range, "median"), median);
    assert_int_equal((int)json_number_at(range, "max"), most);
}

static const cc_json *kind_of(const cc_json *left_out, const char *kind)
{
    for (size_t i = 0; i < left_out->count; i++)
        if (strcmp(cc_json_string(cc_json_get(&left_out->items[i], "kind")), kind) == 0) return &left_out->items[i];
    fail_msg("nothing of kind \"%s\" was left out", kind);
    return NULL;
}

static void test_json(void **state)
{
    static const char *const members[] = { "dataset", "root",  "classes", "without_label", "sizes",         "formats", "left_out",
                                           "summary", "image", "mean",    "std",           "contact_sheet", NULL };
    const char *folder = *state;
    make_pictures(folder);
    char *out = program_prints(folder, "data inspect --json '%s/own.ini' -o '%s/sheet.png'", folder, folder);
    cc_json *json = json_parse_text(out);
    assert_members(json, members);
    const cc_json *classes = cc_json_get(json, "classes"), *left = cc_json_get(json, "left_out"), *sizes = cc_json_get(json, "sizes");
    assert_int_equal(classes->count, 2);
    assert_string_equal(cc_json_string(cc_json_get(&classes->items[0], "label")), "cat");
    assert_counts(&classes->items[0], 6, 0, 0, 1);
    assert_counts(&classes->items[1], 3, 0, 0, 1);
    assert_counts(cc_json_get(json, "without_label"), 0, 2, 0, 0);
    /* Widths 10 20 30 40 50 60, 40 40 40, 12 12 12 12; heights 8 x 6, 30 x 3, 100, 12 12 12. */
    assert_range(cc_json_get(sizes, "width"), 10, 30, 60);
    assert_range(cc_json_get(sizes, "height"), 8, 12, 100);
    assert_int_equal((int)json_number_at(cc_json_get(json, "formats"), "PNG"), 13);
    assert_int_equal((int)json_number_at(kind_of(left, ".txt"), "count"), 2);
    assert_int_equal((int)json_number_at(kind_of(left, "cannot be read"), "count"), 1);
    assert_non_null(strstr(cc_json_string(cc_json_get(kind_of(left, "cannot be read"), "example")), "damaged.png"));
    assert_int_equal((int)json_number_at(cc_json_get(json, "image"), "width"), 8);
    /* Of the training images, that is 7 red ones and 4 blue ones, equally large by now. */
    const cc_json *mean = cc_json_get(json, "mean");
    double value;
    assert_int_equal(mean->count, 3);
    assert_true(cc_json_number(&mean->items[0], &value) && fabs(value - (7 * 200 + 4 * 10) / 11.0 / 255) < 1e-5);
    cc_json_free(&json);
    free(out);
}

static void test_text(void **state)
{
    static const char *const parts[] = { "cat",        "dog",    "(no label)",  "labelled",
                                         "validation", "2 .txt", "damaged.png", "width 10 to 60, median 30",
                                         "sheet.png" };
    const char *folder = *state;
    make_pictures(folder);
    char *out = program_prints(folder, "data inspect '%s/own.ini' -o '%s/sheet.png'", folder, folder);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strstr(out, parts[i]) == NULL) fail_msg("\"%s\" is not in: %s", parts[i], out);
    /* Each thing that was found has its line. */
    assert_non_null(strstr(out, "\nleft out: "));
    assert_non_null(strstr(out, "\ntook "));
    /* A training would stop at the damaged one, unless it is told to leave it out. */
    assert_non_null(strstr(out, "training refuses what cannot be read"));
    free(out);
    out = program_prints(folder, "data inspect '%s/own.ini' -o '%s/sheet.png' data.corrupt=skip", folder, folder);
    assert_non_null(strstr(out, "damaged.png"));
    assert_null(strstr(out, "training refuses"));
    free(out);
    /* The other pools: three of the nine pictures for validation. */
    out = program_prints(folder, "data inspect '%s/own.ini' -o '%s/sheet.png' data.validation=3 --json", folder, folder);
    cc_json *json = json_parse_text(out);
    const cc_json *classes = cc_json_get(json, "classes");
    assert_counts(&classes->items[0], 4, 0, 2, 1);
    assert_counts(&classes->items[1], 2, 0, 1, 1);
    cc_json_free(&json);
    free(out);
}

static void assert_colour(const camcl_image *image, uint32_t x, uint32_t y, const uint8_t *colour)
{
    const uint8_t *pixel = image->pixels + ((size_t)y * image->width + x) * 3;
    if (memcmp(pixel, colour, 3) != 0)
        fail_msg("%u, %u: %u %u %u, not %u %u %u", (unsigned)x, (unsigned)y, pixel[0], pixel[1], pixel[2], colour[0], colour[1], colour[2]);
}

/* A row for each class, a place for each of its labelled images. */
static void test_contact_sheet(void **state)
{
    static const uint8_t white[] = { 255, 255, 255 };
    enum { PLACE = 8 + 2 };
    const char *folder = *state;
    char here[512];
    camcl_image sheet = CAMCL_IMAGE_INIT;
    camcl_error err = { 0 };
    make_pictures(folder);
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(folder), 0);
    free(program_prints(folder, "data inspect own.ini"));
    assert_int_equal(chdir(here), 0);
    assert_int_equal(camcl_image_read(scratch_path(folder, "contact-sheet.png"), &sheet, &err), CAMCL_OK);
    assert_int_equal(sheet.height, 2 * PLACE + 2);
    assert_true(sheet.width >= 6 * PLACE + 2);
    for (uint32_t i = 0; i < 6; i++) {
        assert_colour(&sheet, i * PLACE + 6, 6, red);
        assert_colour(&sheet, i * PLACE + 6, PLACE + 6, i < 3 ? blue : white);
    }
    assert_colour(&sheet, 6 * PLACE + 6, 6, white);
    camcl_image_free(&sheet);
    program_fails(folder, 1, "no-such", "data inspect '%s/own.ini' -o '%s/no-such/sheet.png'", folder, folder);
    program_fails(folder, 2, "contact sheet|lies in|-o", "data inspect '%s/own.ini' -o '%s/own/train/cat/sheet.png'", folder, folder);
    program_fails(folder, 1, "own.ini|exists and is not a PNG picture", "data inspect '%s/own.ini' -o '%s/own.ini'", folder, folder);
}

/* A drawn data set has no files. */
static void test_drawn(void **state)
{
    const char *folder = *state;
    char *out = program_prints(folder, "data inspect '%s/small.ini' --json -o '%s/drawn.png'", folder, folder);
    cc_json *json = json_parse_text(out);
    const cc_json *classes = cc_json_get(json, "classes");
    int labeled = 0, unlabeled = 0, test = 0;
    assert_int_equal(classes->count, 10);
    for (size_t i = 0; i < 10; i++) {
        labeled += (int)json_number_at(&classes->items[i], "labeled");
        unlabeled += (int)json_number_at(&classes->items[i], "unlabeled");
        test += (int)json_number_at(&classes->items[i], "test");
    }
    assert_int_equal(labeled, 40);
    assert_int_equal(unlabeled, 60);
    assert_int_equal(test, 2000);
    assert_range(cc_json_get(cc_json_get(json, "sizes"), "width"), 32, 32, 32);
    assert_int_equal(cc_json_get(json, "formats")->count, 0);
    assert_int_equal(cc_json_get(json, "left_out")->count, 0);
    cc_json_free(&json);
    free(out);
}

/* Writing beyond a limit of file sizes, here stdout, fails as on a full disk instead of ending the program. */
static void test_limit_of_file_sizes(void **state)
{
    const char *folder = *state;
    scratch_limit_files(200);
    signal(SIGXFSZ, SIG_DFL); /* as the program gets it */
    outcome result = program_run(folder, "data inspect '%s/own.ini' -o '%s/sheet.png'", folder, folder);
    scratch_unlimit_files();
    assert_int_equal(result.status, 1);
    if (!strstr(result.err, "standard output: File too large")) fail_msg("%s", result.err);
    outcome_free(&result);
}

static void test_usage(void **state)
{
    const char *folder = *state;
    outcome result = program_run(folder, "data");
    assert_int_equal(result.status, 2);
    assert_int_equal(result.out_size, 0);
    assert_non_null(strstr(result.err, "usage: camcl data inspect CONFIG"));
    outcome_free(&result);
    program_fails(folder, 2, "inspct|did you mean inspect?", "data inspct x");
    program_fails(folder, 2, "CONFIG is missing", "data inspect");
    program_fails(folder, 2, "nowhere.ini", "data inspect '%s/nowhere.ini'", folder);
    program_fails(folder, 1, "nowhere", "data inspect '%s/small.ini' data.dataset=folder data.root=nowhere", folder);
    char *out = program_prints(folder, "help data");
    assert_non_null(strstr(out, "contact-sheet.png"));
    free(out);
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),          cmocka_unit_test(test_text),
        cmocka_unit_test(test_contact_sheet), cmocka_unit_test(test_limit_of_file_sizes),
        cmocka_unit_test(test_drawn),         cmocka_unit_test(test_usage),
    };
    return cmocka_run_group_tests(tests, setup, runs_teardown);
}
