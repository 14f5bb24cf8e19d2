/* A data set's fingerprint: what is the same has the same, and each kind of change shows in its own part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "camcl/dataset.h"
#include "camcl/image.h"
#include "support/scratch.h"

enum { NAMES = 1, SIZES = 2, LABELS = 4 };

static camcl_fingerprint print_of(const camcl_dataset_spec *spec)
{
    camcl_dataset *dataset = NULL;
    camcl_error err = { 0 };
    const camcl_status status = camcl_dataset_open(spec, &dataset, &err);
    if (status != CAMCL_OK) print_error("%s\n", err.message);
    assert_int_equal(status, CAMCL_OK);
    const camcl_fingerprint print = camcl_dataset_fingerprint(dataset);
    camcl_dataset_close(&dataset);
    return print;
}

/* Which parts differ. */
static int differences(camcl_fingerprint a, camcl_fingerprint b)
{
    return (a.names != b.names) * NAMES | (a.sizes != b.sizes) * SIZES | (a.labels != b.labels) * LABELS;
}

/* ---- pictures */

static const char *const files[] = { "train/cat/a.png", "train/cat/b.png", "train/dog/c.png", "train/dog/d.png",
                                     "unlabeled/e.png", "test/cat/f.png",  "test/dog/g.png" };
static const char *const folders[] = { "", "train", "train/cat", "train/dog", "unlabeled", "test", "test/cat", "test/dog" };

static void make_picture(const char *path, uint32_t side, uint8_t shade)
{
    camcl_image image = CAMCL_IMAGE_INIT;
    assert_int_equal(camcl_image_create(side, side, 3, &image, NULL), CAMCL_OK);
    for (uint32_t i = 0; i < side * side * 3; i++)
        image.pixels[i] = (uint8_t)(shade + i * i);
    assert_int_equal(camcl_image_write_png(path, &image, NULL), CAMCL_OK);
    camcl_image_free(&image);
}

static void make_tree(const char *root)
{
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        assert_int_equal(mkdir(scratch_path(root, folders[i]), 0777), 0);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        make_picture(scratch_path(root, files[i]), (uint32_t)(5 + i), (uint8_t)i);
}

static camcl_fingerprint print_of_tree(const char *root)
{
    const camcl_dataset_spec spec = { .dataset = "folder", .root = root, .image_size = 4 };
    return print_of(&spec);
}

static void move(const char *root, const char *from, const char *to)
{
    assert_int_equal(rename(scratch_path(root, from), scratch_path(root, to)), 0);
}

static void each_change_of_pictures_shows(void **state)
{
    const char *root = scratch_path(*state, "here"), *there = scratch_path(*state, "there");
    make_tree(root);
    make_tree(there);
    const camcl_fingerprint print = print_of_tree(root);
    /* in another folder, and scaled in another way */
    const camcl_dataset_spec other = { .dataset = "folder", .root = there, .image_size = 9, .fit = CAMCL_FIT_PAD };
    assert_int_equal(differences(print, print_of(&other)), 0);
    /* a name that keeps its place */
    move(root, "train/cat/b.png", "train/cat/bb.png");
    assert_int_equal(differences(print, print_of_tree(root)), NAMES);
    move(root, "train/cat/bb.png", "train/cat/b.png");
    /* two pictures change places */
    move(root, "train/cat/a.png", "x");
    move(root, "train/cat/b.png", "train/cat/a.png");
    move(root, "x", "train/cat/b.png");
    assert_int_equal(differences(print, print_of_tree(root)), SIZES);
    /* another picture of the same name, in each pool */
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        make_picture(scratch_path(there, files[i]), 50, 0);
        assert_int_equal(differences(print, print_of_tree(there)), SIZES);
        make_picture(scratch_path(there, files[i]), (uint32_t)(5 + i), (uint8_t)i);
    }
    assert_int_equal(differences(print, print_of_tree(there)), 0);
    /* a picture goes to another class: the order of the files stays */
    move(there, "train/cat/b.png", "train/dog/b.png");
    assert_int_equal(differences(print, print_of_tree(there)), NAMES | LABELS);
    move(there, "train/dog/b.png", "train/cat/b.png");
    /* one goes, one comes */
    move(there, "test/dog/g.png", "unlabeled/g.png");
    make_picture(scratch_path(there, "test/dog/g.png"), 11, 6);
    assert_int_equal(differences(print, print_of_tree(there)), NAMES | SIZES | LABELS);
}

static void class_names_count(void **state)
{
    const char *root = scratch_path(*state, "here");
    make_tree(root);
    const camcl_fingerprint print = print_of_tree(root);
    move(root, "train/dog", "train/doe");
    move(root, "test/dog", "test/doe");
    assert_int_equal(differences(print, print_of_tree(root)), NAMES | LABELS);
}

/* ---- images that are no files */

static void drawn_images_have_one_too(void **state)
{
    (void)state;
    camcl_dataset_spec spec = { .dataset = "shapes", .shapes_train = 500, .shapes_test = 30 };
    const camcl_fingerprint print = print_of(&spec);
    assert_int_equal(differences(print, print_of(&spec)), 0);
    spec.shapes_seed = 5;
    assert_int_equal(differences(print, print_of(&spec)) & ~LABELS, SIZES);
    spec.shapes_seed = 0;
    spec.shapes_train = 501;
    assert_int_equal(differences(print, print_of(&spec)), SIZES | LABELS);
}

/* ---- the hash of many bytes */

static void every_byte_of_many_counts(void **state)
{
    (void)state;
    enum { SIZE = 40 };
    uint8_t bytes[SIZE + 1], shifted[SIZE + 2];
    for (uint8_t i = 0; i <= SIZE; i++)
        bytes[i] = (uint8_t)(i * 7 + 1);
    memcpy(shifted + 1, bytes, sizeof bytes);
    for (size_t size = 0; size <= SIZE; size++) {
        const uint64_t hash = cc_hash_bulk(CC_HASH_START, bytes, size);
        for (size_t i = 0; i < size; i++) {
            bytes[i] ^= 1;
            assert_true(cc_hash_bulk(CC_HASH_START, bytes, size) != hash);
            bytes[i] ^= 1;
        }
        assert_true(cc_hash_bulk(CC_HASH_START, bytes, size + 1) != hash);
        assert_true(cc_hash_bulk(CC_HASH_START, shifted + 1, size) == hash); /* at an odd address */
    }
    /* Stored in runs' states, so the same on every machine. */
    assert_true(cc_hash_bulk(CC_HASH_START, bytes, 20) == UINT64_C(0x10468fdf26f7cfb2));
    assert_true(cc_hash_number(CC_HASH_START, UINT64_C(0x0102030405060708)) == cc_hash(CC_HASH_START, "\x08\7\6\5\4\3\2\1", 8));
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(each_change_of_pictures_shows),
        IN_SCRATCH(class_names_count),
        cmocka_unit_test(drawn_images_have_one_too),
        cmocka_unit_test(every_byte_of_many_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
