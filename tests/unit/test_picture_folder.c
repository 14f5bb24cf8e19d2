/* Folders of pictures: every layout that is read, and what each wrong one is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "support/scratch.h"
#include "support/tree.h"

static camcl_dataset_spec spec_of(const char *root) { return (camcl_dataset_spec){ .dataset = "folder", .root = root, .seed = 1 }; }

static camcl_dataset *open_folder(const char *root)
{
    const camcl_dataset_spec spec = spec_of(root);
    return tree_open(&spec);
}

static void refused(const char *root, const char *part, const char *other)
{
    const camcl_dataset_spec spec = spec_of(root);
    tree_refused(&spec, CAMCL_BAD_DATA, part, other);
}

/* Numbers of images: labelled (held out ones among them), unlabelled, of a validation set, of a test set. */
static void assert_counts(const camcl_dataset *dataset, uint32_t labelled, uint32_t unlabelled, uint32_t validation, uint32_t test)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    assert_int_equal(info->train_count, labelled + unlabelled + validation);
    assert_int_equal(info->unlabeled_count, unlabelled);
    assert_int_equal(info->validation_count, validation);
    assert_int_equal(info->test_count, test);
}

/* Every image of the part is the file at its place, with its label; `expected` ends with NULL. */
typedef struct image_of {
    const char *file;
    int label;
    uint8_t value;
} image_of;
static void assert_images(const camcl_dataset *dataset, camcl_dataset_part part, const image_of *expected)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    const size_t bytes = (size_t)info->height * info->width * info->channels;
    size_t i = 0;
    for (; expected[i].file; i++) {
        assert_string_equal(camcl_dataset_file(dataset, part, i), expected[i].file);
        assert_int_equal(camcl_dataset_labels(dataset, part)[i], expected[i].label);
        assert_int_equal(camcl_dataset_pixels(dataset, part)[i * bytes], expected[i].value);
    }
    assert_int_equal(part == CAMCL_TRAIN_IMAGES ? info->train_count : info->test_count, i);
}

static void every_part_is_read(void **state)
{
    const char *root = *state;
    if (pictures_missing()) skip();
    tree_picture(root, "train/cat/b.png", 4, 40);
    tree_picture(root, "train/cat/a.PNG", 4, 30);
    tree_picture(root, "train/cat/deep/er/c.png", 4, 50);
    tree_picture(root, "train/ant/z.png", 4, 20);
    tree_picture(root, "test/ant/q.png", 4, 10);
    tree_picture(root, "test/cat/2019/r.png", 4, 11);
    tree_picture(root, "val/cat/v.png", 4, 200);
    tree_picture(root, "unlabeled/u.png", 4, 90);
    tree_picture(root, "unlabeled/cat/w.png", 4, 91);
    camcl_dataset *dataset = open_folder(root);
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    assert_int_equal(info->classes, 2);
    assert_string_equal(camcl_dataset_class_names(dataset)[0], "ant");
    assert_string_equal(camcl_dataset_class_names(dataset)[1], "cat");
    assert_counts(dataset, 4, 2, 1, 2);
    assert_int_equal(info->held_out_count, 0);
    static const image_of train[] = { { "train/ant/z.png", 0, 20 },      { "train/cat/a.PNG", 1, 30 },
                                      { "train/cat/b.png", 1, 40 },      { "train/cat/deep/er/c.png", 1, 50 },
                                      { "unlabeled/cat/w.png", -1, 91 }, { "unlabeled/u.png", -1, 90 },
                                      { "val/cat/v.png", 1, 200 },       { NULL, 0, 0 } };
    static const image_of test[] = { { "test/ant/q.png", 0, 10 }, { "test/cat/2019/r.png", 1, 11 }, { NULL, 0, 0 } };
    assert_images(dataset, CAMCL_TRAIN_IMAGES, train);
    assert_images(dataset, CAMCL_TEST_IMAGES, test);
    /* 20, 30, 40, 50, 91, 90: the validation picture is not seen */
    const double mean = 321.0 / 6, squares = (20 * 20 + 30 * 30 + 40 * 40 + 50 * 50 + 91 * 91 + 90 * 90) / 6.0;
    assert_true(fabs(info->mean[0] - mean / 255) < 1e-6);
    assert_true(fabs(info->std[2] - sqrt(squares - mean * mean) / 255) < 1e-6);
    camcl_dataset_close(&dataset);
}

static void a_validation_set_alone_is_the_test_set(void **state)
{
    static const char *const names[] = { "val", "valid", "validation", "VAL" };
    if (pictures_missing()) skip();
    for (int i = 0; i < 4; i++) {
        char root[2] = { (char)('0' + i), '\0' }, folder[32];
        const char *path = scratch_path(*state, root);
        snprintf(folder, sizeof folder, "%s/a", names[i]);
        tree_pictures(path, "Train/a", 2, 0);
        tree_pictures(path, "Train/b", 2, 0);
        tree_pictures(path, folder, 3, 0);
        const camcl_dataset_spec spec = { .dataset = "folder", .root = path, .test_share = 0.5 };
        camcl_dataset *dataset = tree_open(&spec);
        assert_counts(dataset, 4, 0, 0, 3);
        assert_int_equal(camcl_dataset_get_info(dataset)->held_out_count, 0); /* only where no test set is given */
        camcl_dataset_close(&dataset);
    }
    tree_pictures(*state, "0/valid/a", 1, 0);
    refused(scratch_path(*state, "0"), "/val and ", "are for the same");
}

static void a_test_set_is_held_out_of_classes_alone(void **state)
{
    if (pictures_missing()) skip();
    tree_pictures(*state, "a", 20, 0);
    tree_pictures(*state, "b", 3, 100);
    tree_pictures(*state, "one", 1, 150);
    tree_pictures(*state, "unlabelled", 2, 200);
    camcl_dataset_spec spec = { .dataset = "folder", .root = *state, .test_share = 0.15, .seed = 7 };
    camcl_dataset *dataset = tree_open(&spec), *again = tree_open(&spec);
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    assert_int_equal(info->classes, 3);
    assert_counts(dataset, 24, 2, 0, 0);
    /* 15 % of 24 are 3.6, so 4: of a 3, of b 0.45, of one 0.15; b is next, and the only picture of `one` stays */
    assert_int_equal(info->held_out_count, 4);
    const uint32_t *held = camcl_dataset_held_out(dataset);
    for (uint32_t i = 0; i < 4; i++)
        assert_true(i == 0 || held[i] > held[i - 1]);
    assert_true(held[2] < 20 && held[3] >= 20 && held[3] < 23);
    assert_memory_equal(held, camcl_dataset_held_out(again), 4 * sizeof *held);
    /* mean and std do not see them */
    double sum = 0;
    for (uint32_t i = 0, next = 0; i < 26; i++) {
        if (next < 4 && held[next] == i)
            next++;
        else
            sum += camcl_dataset_pixels(dataset, CAMCL_TRAIN_IMAGES)[i * 48];
    }
    assert_true(fabs(info->mean[1] - sum / 22 / 255) < 1e-6);
    camcl_dataset_close(&again);
    spec.seed = 8;
    again = tree_open(&spec);
    assert_memory_not_equal(held, camcl_dataset_held_out(again), 4 * sizeof *held);
    camcl_dataset_close(&again);
    spec.test_share = 0;
    again = tree_open(&spec);
    assert_int_equal(camcl_dataset_get_info(again)->held_out_count, 0);
    assert_null(camcl_dataset_held_out(again));
    camcl_dataset_close(&again);
    camcl_dataset_close(&dataset);
    static const double wrong[] = { -0.1, 1, 2, NAN };
    for (int i = 0; i < 4; i++) {
        spec.test_share = wrong[i];
        tree_refused(&spec, CAMCL_BAD_CONFIG, "test share", "0..1");
    }
}

static void everything_else_is_counted(void **state)
{
    const char *root = *state;
    if (pictures_missing()) skip();
    tree_pictures(root, "train/a", 2, 0);
    tree_pictures(root, "train/b", 2, 0);
    tree_pictures(root, "train/b/batch2", 2, 0);
    tree_pictures(root, "test/a", 1, 0);
    tree_file(root, "train/a/1.gif", "x");
    tree_file(root, "train/b/2.GIF", "x");
    tree_file(root, "train/b/batch2/3.tif", "x");
    tree_file(root, "train/classes.txt", "x");
    tree_file(root, "README", "x");
    tree_file(root, "unlabeled/4.bmp", "x");
    tree_picture(root, "unlabeled/5.png", 4, 0);
    tree_picture(root, "train/stray.png", 4, 0);
    tree_picture(root, "top.png", 4, 0);
    tree_pictures(root, "extra/a", 3, 0);
    tree_pictures(root, ".cache/a", 3, 0);
    camcl_dataset *dataset = open_folder(root);
    size_t count;
    assert_counts(dataset, 6, 1, 0, 1);
    assert_int_equal(tree_left_out(dataset, ".gif"), 2);
    assert_int_equal(tree_left_out(dataset, ".tif"), 1);
    assert_int_equal(tree_left_out(dataset, ".txt"), 1);
    assert_int_equal(tree_left_out(dataset, ".bmp"), 1);
    assert_int_equal(tree_left_out(dataset, "no extension"), 1);
    assert_int_equal(tree_left_out(dataset, "a picture without a class folder"), 2);
    assert_int_equal(tree_left_out(dataset, "a folder that is no part of the data set"), 1);
    camcl_dataset_left_out(dataset, &count);
    assert_int_equal(count, 7);
    camcl_dataset_close(&dataset);
}

static void roots_that_are_none_are_told_apart(void **state)
{
    const char *root = *state;
    if (pictures_missing()) skip();
    refused(scratch_path(root, "nowhere"), "nowhere: no such folder", "data.root");
    tree_file(root, "list.csv", "path,label\n");
    refused(scratch_path(root, "list.csv"), "list.csv is no folder", "unpack an archive; data.dataset = list");
    tree_folder(root, "empty");
    refused(scratch_path(root, "empty"), "holds no folders of classes", "CLASS/");
    tree_pictures(root, "loose", 3, 0);
    refused(scratch_path(root, "loose"), "3 pictures directly in it, which have no class", "CLASS/");
    tree_pictures(root, "direct/train", 2, 0);
    refused(scratch_path(root, "direct"), "2 pictures directly in it, which have no class", "train/CLASS/");
    tree_pictures(root, "kaggle/train/a", 1, 0);
    tree_pictures(root, "kaggle/train/b", 1, 0);
    tree_pictures(root, "kaggle/test", 5, 0);
    refused(scratch_path(root, "kaggle"), "kaggle/test holds no folders of classes, and 5 pictures", "test/CLASS/");
    tree_pictures(root, "untrained/test/a", 1, 0);
    tree_pictures(root, "untrained/a", 1, 0);
    refused(scratch_path(root, "untrained"), "untrained/test", "untrained/train");
    tree_pictures(root, "nested/inner/train/a", 1, 0);
    refused(scratch_path(root, "nested"), "train/ is not in", "nested/inner)");
    tree_pictures(root, "single/a", 1, 0);
    refused(scratch_path(root, "single"), "one class only, 'a'", "two are needed; data.root is the folder in which");
}

static void classes_without_pictures_are_named(void **state)
{
    const char *root = *state;
    if (pictures_missing()) skip();
    tree_pictures(root, "train/a", 2, 0);
    tree_folder(root, "train/b");
    refused(root, "train/b holds no pictures", "PNG");
    tree_file(root, "train/b/1.gif", "x");
    tree_file(root, "train/b/x/2.gif", "x");
    tree_file(root, "train/b/x/Thumbs.db", "x");
    refused(root, "train/b holds no pictures, but 2 .gif, 1 .db", "PNG");
    tree_pictures(root, "train/b", 1, 0);
    tree_folder(root, "test/a");
    tree_folder(root, "test/b");
    refused(root, "test holds no pictures in any class", "fill or remove");
    tree_pictures(root, "test/a", 1, 0); /* b may be missing from the test set, or be empty there */
    camcl_dataset *dataset = open_folder(root);
    assert_counts(dataset, 3, 0, 0, 1);
    camcl_dataset_close(&dataset);
    tree_file(root, "test/b/1.gif", "x");
    refused(root, "test/b holds no pictures, but 1 .gif", "PNG");
    unlink(scratch_path(root, "test/b/1.gif"));
    tree_pictures(root, "test/dog", 1, 0);
    refused(root, "test/dog has no counterpart among the training classes", "train/dog");
    assert_int_equal(rename(scratch_path(root, "test/dog"), scratch_path(root, "train/unlabeled")), 0);
    refused(root, "train/unlabeled would be a class", "move it");
    assert_int_equal(rename(scratch_path(root, "train/unlabeled"), scratch_path(root, "train/\xe9t\xe9")), 0);
    refused(root, "is not UTF-8", "rename");
}

static void pictures_that_cannot_be_read_are_refused_or_dropped(void **state)
{
    const char *root = *state;
    if (pictures_missing()) skip();
    tree_pictures(root, "train/a", 10, 0);
    tree_pictures(root, "train/b", 1, 0);
    tree_file(root, "train/a/05.png", "no picture");
    tree_file(root, "unlabeled/bad.png", "no picture");
    assert_int_equal(mkdir(scratch_path(root, "train/a/folder.png"), 0777), 0);
    camcl_dataset_spec spec = { .dataset = "folder", .root = root, .test_share = 0.99 };
    tree_refused(&spec, CAMCL_BAD_DATA, "train/a/05.png", ": ");
    spec.skip_corrupt = 1;
    camcl_dataset *dataset = tree_open(&spec);
    assert_counts(dataset, 10, 0, 0, 0);
    assert_int_equal(tree_left_out(dataset, "cannot be read"), 2);
    assert_string_equal(camcl_dataset_file(dataset, CAMCL_TRAIN_IMAGES, 5), "train/a/06.png");
    /* The draw is of what is left: 9 of class a, of which one has to stay. */
    assert_int_equal(camcl_dataset_get_info(dataset)->held_out_count, 8);
    assert_true(camcl_dataset_held_out(dataset)[7] < 9);
    camcl_dataset_close(&dataset);
    tree_file(root, "train/b/00.png", "no picture");
    tree_refused(&spec, CAMCL_BAD_DATA, "class b: none of its 1 labelled", "can be read");
    tree_pictures(root, "train/b", 1, 0);
    tree_file(root, "test/a/1.png", "no picture");
    tree_refused(&spec, CAMCL_BAD_DATA, "none of the 1 test pictures", "can be read");
    tree_pictures(root, "test/a", 1, 0);
    tree_file(root, "val/a/1.png", "no picture");
    tree_refused(&spec, CAMCL_BAD_DATA, "none of the 1 validation pictures", "can be read");
}

static void links_lead_to_no_class_twice(void **state)
{
    const char *root = *state;
    if (pictures_missing()) skip();
    tree_pictures(root, "d/train/a", 2, 0);
    tree_pictures(root, "d/train/b", 2, 0);
    tree_pictures(root, "elsewhere/c", 3, 0);
    assert_int_equal(symlink("..", scratch_path(root, "d/train/a/up")), 0);
    assert_int_equal(symlink("../../..", scratch_path(root, "d/train/a/top")), 0);
    assert_int_equal(symlink("../../elsewhere/c", scratch_path(root, "d/train/c")), 0);
    assert_int_equal(symlink("train", scratch_path(root, "d/unlabeled")), 0); /* asked for by name, so it is done */
    camcl_dataset *dataset = open_folder(scratch_path(root, "d"));
    /* a/top leads above the root, and from there to all of this again; what is in c is of class c all the same. */
    assert_counts(dataset, 7, 7, 0, 0);
    camcl_dataset_close(&dataset);
    assert_int_equal(symlink("a", scratch_path(root, "d/train/z")), 0);
    refused(scratch_path(root, "d"), "train/z leads to a folder that is read by another name", "remove the link");
}

int main(void)
{
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(every_part_is_read),
        IN_SCRATCH(a_validation_set_alone_is_the_test_set),
        IN_SCRATCH(a_test_set_is_held_out_of_classes_alone),
        IN_SCRATCH(everything_else_is_counted),
        IN_SCRATCH(roots_that_are_none_are_told_apart),
        IN_SCRATCH(classes_without_pictures_are_named),
        IN_SCRATCH(pictures_that_cannot_be_read_are_refused_or_dropped),
        IN_SCRATCH(links_lead_to_no_class_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
