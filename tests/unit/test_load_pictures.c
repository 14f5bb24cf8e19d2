/* Own pictures become a data set: at their place, by every processor, from the files or from kept pixels, and whatever is wrong with a file
 * is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "camcl/dataset.h"
#include "camcl/image.h"
#include "dataset/picture_set.h"
#include "support/scratch.h"
#include "unit/jpeg_samples.h"

/* ---- pictures made here */

static void make_folder(const char *root, const char *name)
{
    const char *path = scratch_path(root, name);
    if (mkdir(path, 0777) != 0) assert_int_equal(access(path, F_OK), 0);
}

static void make_png(const char *root, const char *name, uint32_t width, uint32_t height, uint8_t shade)
{
    camcl_image image = CAMCL_IMAGE_INIT;
    assert_int_equal(camcl_image_create(width, height, 3, &image, NULL), CAMCL_OK);
    for (size_t i = 0; i < (size_t)width * height * 3; i++)
        image.pixels[i] = (uint8_t)(shade + i * 5 + i / 7 * 3);
    assert_int_equal(camcl_image_write_png(scratch_path(root, name), &image, NULL), CAMCL_OK);
    camcl_image_free(&image);
}

static void make_bad(const char *root, const char *name)
{
    static const char bad[] = "\x89PNG\r\n\x1a\n and no more";
    scratch_write(scratch_path(root, name), bad, sizeof bad - 1);
}

/* Two classes of three and two training pictures and one test picture each, of several sizes and formats. */
static const char *const names[2][8] = {
    { "train/cat/a.png", "train/cat/b.jpg", "train/cat/c.png", "train/dog/a.png", "train/dog/b.png" },
    { "test/cat/t.png", "test/dog/t.jpg" },
};
static const int32_t labels[2][8] = { { 0, 0, 0, 1, 1 }, { 0, 1 } };
static const size_t counts[2] = { 5, 2 };

static void make_folders(const char *root)
{
    static const char *const folders[] = { "train", "train/cat", "train/dog", "test", "test/cat", "test/dog" };
    for (size_t i = 0; i < CC_COUNT(folders); i++)
        make_folder(root, folders[i]);
}

static void make_mixed(const char *root)
{
    make_folders(root);
    make_png(root, "train/cat/a.png", 20, 10, 1);
    scratch_write(scratch_path(root, "train/cat/b.jpg"), jpeg_rgb, sizeof jpeg_rgb);
    make_png(root, "train/cat/c.png", 8, 8, 50);
    make_png(root, "train/dog/a.png", 3, 30, 90);
    make_png(root, "train/dog/b.png", 100, 90, 130);
    make_png(root, "test/cat/t.png", 9, 8, 170);
    scratch_write(scratch_path(root, "test/dog/t.jpg"), jpeg_rgb, sizeof jpeg_rgb);
}

/* All of one size. */
static void make_even(const char *root, uint32_t width, uint32_t height)
{
    make_folders(root);
    for (int part = 0; part < 2; part++)
        for (size_t i = 0; i < counts[part]; i++)
            make_png(root, names[part][i], width, height, (uint8_t)(part * 100 + (int)i * 13));
}

/* ---- opening them */

static camcl_dataset_spec spec_of(const char *root)
{
    return (camcl_dataset_spec){ .dataset = "folder", .root = root, .image_size = 8, .test_share = 0.15, .seed = 1 };
}

static camcl_dataset *open_spec(const camcl_dataset_spec *spec)
{
    camcl_dataset *dataset = NULL;
    camcl_error err = { 0 };
    const camcl_status status = camcl_dataset_open(spec, &dataset, &err);
    if (status != CAMCL_OK) print_error("%s\n%s\n", err.message, err.detail);
    assert_int_equal(status, CAMCL_OK);
    return dataset;
}

static void assert_refused(const camcl_dataset_spec *spec, camcl_status expected, const char *const *parts, camcl_error *err)
{
    camcl_dataset *dataset = NULL;
    *err = (camcl_error){ 0 };
    assert_int_equal(camcl_dataset_open(spec, &dataset, err), expected);
    assert_null(dataset);
    for (; *parts; parts++) {
        if (!strstr(err->message, *parts)) print_error("lacks '%s': %s\n", *parts, err->message);
        assert_non_null(strstr(err->message, *parts));
    }
}
#define REFUSED(spec, status, err, ...) assert_refused((spec), (status), (const char *const[]){ __VA_ARGS__, NULL }, (err))

static void assert_says(const camcl_dataset *dataset, const char *part)
{
    const char *summary = camcl_dataset_summary(dataset);
    if (!strstr(summary, part)) print_error("lacks '%s': %s\n", part, summary);
    assert_non_null(strstr(summary, part));
}

static void assert_image(const camcl_dataset *dataset, const camcl_dataset_spec *spec, camcl_dataset_part part, size_t index,
                         const char *name)
{
    camcl_image image = CAMCL_IMAGE_INIT;
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    const size_t bytes = (size_t)info->height * info->width * 3;
    assert_string_equal(camcl_dataset_file(dataset, part, index), name);
    assert_int_equal(camcl_image_read_fit(scratch_path(spec->root, name), spec->image_size, spec->fit, &image, NULL), CAMCL_OK);
    assert_int_equal(image.width, info->width);
    assert_int_equal(image.height, info->height);
    assert_memory_equal(camcl_dataset_pixels(dataset, part) + index * bytes, image.pixels, bytes);
    camcl_image_free(&image);
}

static void assert_mixed(const camcl_dataset *dataset, const camcl_dataset_spec *spec)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    assert_int_equal(info->train_count, 5);
    assert_int_equal(info->test_count, 2);
    assert_int_equal(info->channels, 3);
    assert_int_equal(info->unlabeled_count + info->validation_count + info->held_out_count, 0);
    for (int part = 0; part < 2; part++)
        for (size_t i = 0; i < counts[part]; i++) {
            assert_image(dataset, spec, (camcl_dataset_part)part, i, names[part][i]);
            assert_int_equal(camcl_dataset_labels(dataset, (camcl_dataset_part)part)[i], labels[part][i]);
        }
}

static void open_and_check(const camcl_dataset_spec *spec, const char *said)
{
    camcl_dataset *dataset = open_spec(spec);
    assert_mixed(dataset, spec);
    assert_says(dataset, said);
    camcl_dataset_close(&dataset);
}

static void pictures_are_fitted_and_read_in_order(void **state)
{
    static const camcl_fit fits[] = { CAMCL_FIT_STRETCH, CAMCL_FIT_CROP, CAMCL_FIT_PAD };
    camcl_dataset_spec spec = spec_of(*state);
    make_mixed(*state);
    for (size_t i = 0; i < CC_COUNT(fits); i++) {
        spec.fit = fits[i];
        open_and_check(&spec, "7 pictures read (5 PNG, 2 JPEG); 0.0 MiB of pixels in memory");
    }
}

/* ---- sizes */

static void one_size_is_kept(void **state)
{
    camcl_dataset_spec spec = spec_of(*state);
    spec.image_size = 0;
    make_even(*state, 12, 7);
    camcl_dataset *dataset = open_spec(&spec);
    assert_int_equal(camcl_dataset_get_info(dataset)->width, 12);
    assert_int_equal(camcl_dataset_get_info(dataset)->height, 7);
    assert_mixed(dataset, &spec);
    camcl_dataset_close(&dataset);
}

static void different_sizes_are_refused_without_a_size(void **state)
{
    camcl_error err;
    camcl_dataset_spec spec = spec_of(*state);
    spec.image_size = 0;
    make_mixed(*state);
    REFUSED(&spec, CAMCL_BAD_DATA, &err, "train/cat/a.png has 20 x 10 pixels", "train/cat/b.jpg has 16 x 8", "data.image_size=224",
            "data.fit");
    make_even(*state, 12, 7);
    make_png(*state, "test/dog/t.jpg", 7, 12, 0);
    REFUSED(&spec, CAMCL_BAD_DATA, &err, "train/cat/a.png has 12 x 7", "test/dog/t.jpg has 7 x 12");
}

/* ---- pictures that cannot be read */

static void bad_pictures_are_named(void **state)
{
    camcl_error err;
    camcl_dataset_spec spec = spec_of(*state);
    char name[64];
    spec.cache_dir = scratch_path(*state, ".cache");
    make_mixed(*state);
    make_bad(*state, "train/cat/c.png");
    REFUSED(&spec, CAMCL_BAD_DATA, &err, "1 of 7 pictures cannot be read", "train/cat/c.png", "data.corrupt = skip");
    assert_string_equal(err.detail, "");
    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "train/dog/x%02d.png", i);
        make_bad(*state, name);
    }
    REFUSED(&spec, CAMCL_BAD_DATA, &err, "13 of 19 pictures cannot be read, the first: ", "train/cat/c.png", "data.corrupt = skip");
    /* The first stands in the message, nine more in the detail. */
    assert_null(strstr(err.detail, "train/cat/c.png"));
    assert_non_null(strstr(err.detail, "train/dog/x00.png"));
    assert_non_null(strstr(err.detail, "train/dog/x08.png"));
    assert_null(strstr(err.detail, "train/dog/x09.png"));
    assert_non_null(strstr(err.detail, "\nand 3 more"));
    /* Nothing was kept of what was refused. */
    assert_int_equal(scratch_entries(scratch_path(*state, ".cache/pictures")), 0);
}

/* What is left when cat/a and test/dog/t are dropped. */
static void check_skipped(const camcl_dataset_spec *spec, const char *said)
{
    camcl_dataset *dataset = open_spec(spec);
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    size_t count;
    const camcl_left_out *rows = camcl_dataset_left_out(dataset, &count);
    assert_int_equal(info->train_count, 4);
    assert_int_equal(info->test_count, 1);
    for (size_t i = 0; i < 4; i++) {
        assert_image(dataset, spec, CAMCL_TRAIN_IMAGES, i, names[0][i + 1]);
        assert_int_equal(camcl_dataset_labels(dataset, CAMCL_TRAIN_IMAGES)[i], labels[0][i + 1]);
    }
    assert_image(dataset, spec, CAMCL_TEST_IMAGES, 0, names[1][0]);
    assert_int_equal(count, 1);
    assert_string_equal(rows[0].kind, "cannot be read");
    assert_int_equal(rows[0].count, 2);
    assert_non_null(strstr(rows[0].example, "train/cat/a.png"));
    assert_says(dataset, "5 pictures read (4 PNG, 1 JPEG); left out: 2 that cannot be read (first: ");
    assert_says(dataset, "train/cat/a.png: ");
    assert_says(dataset, said);
    camcl_dataset_close(&dataset);
}

static void bad_pictures_can_be_left_out(void **state)
{
    camcl_error err;
    camcl_dataset_spec spec = spec_of(*state);
    spec.skip_corrupt = 1;
    make_mixed(*state);
    make_bad(*state, "train/cat/a.png");
    make_bad(*state, "test/dog/t.jpg");
    check_skipped(&spec, "in memory");
    spec.cache_dir = scratch_path(*state, ".cache");
    check_skipped(&spec, "0.0 MiB of pixels in ");
    check_skipped(&spec, "0.0 MiB of pixels of an earlier start in ");
    /* What was left out then is refused now. */
    spec.skip_corrupt = 0;
    REFUSED(&spec, CAMCL_BAD_DATA, &err, "2 of 7 pictures cannot be read");
}

/* What was noted of a picture names it where it is now. */
static void kept_pixels_of_a_folder_that_moved(void **state)
{
    camcl_dataset_spec spec = spec_of(NULL);
    char before[256];
    spec.skip_corrupt = 1;
    spec.cache_dir = scratch_path(*state, ".cache");
    make_folder(*state, "before");
    snprintf(before, sizeof before, "%s", scratch_path(*state, "before"));
    make_mixed(before);
    make_bad(before, "train/cat/a.png");
    spec.root = before;
    camcl_dataset *dataset = open_spec(&spec);
    assert_says(dataset, "before/train/cat/a.png: ");
    camcl_dataset_close(&dataset);
    spec.root = scratch_path(*state, "after");
    assert_int_equal(rename(before, spec.root), 0);
    dataset = open_spec(&spec);
    assert_says(dataset, "of an earlier start in ");
    assert_says(dataset, "after/train/cat/a.png: truncated PNG");
    assert_null(strstr(camcl_dataset_summary(dataset), "before/"));
    camcl_dataset_close(&dataset);
}

static void a_class_keeps_a_picture(void **state)
{
    camcl_error err;
    camcl_dataset_spec spec = spec_of(*state);
    spec.skip_corrupt = 1;
    make_mixed(*state);
    make_bad(*state, "train/dog/a.png");
    make_bad(*state, "train/dog/b.png");
    REFUSED(&spec, CAMCL_BAD_DATA, &err, "class dog: none of its 2 labelled pictures can be read", "train/dog/a.png");
    for (int part = 0; part < 2; part++)
        for (size_t i = 0; i < counts[part]; i++)
            make_bad(*state, names[part][i]);
    REFUSED(&spec, CAMCL_BAD_DATA, &err, "none of 7 pictures can be read");
    spec.image_size = 0;
    REFUSED(&spec, CAMCL_BAD_DATA, &err, "none of 7 pictures can be read");
}

/* A set as `folder` and `list` make it, of three pictures of class "a" and one of class "b". */
static void make_set(const char *root, camcl_dataset *dataset, cc_picture_set *set)
{
    static const char *const classes[] = { "a", "b" }, *const files[] = { "1.png", "2.png", "3.png", "4.png" };
    *set = (cc_picture_set)CC_PICTURE_SET_INIT;
    dataset->info.name = "list";
    assert_int_equal(cc_dataset_set_classes(dataset, classes, 2, NULL), CAMCL_OK);
    for (size_t i = 0; i < CC_COUNT(files); i++) {
        char *path;
        make_png(root, files[i], 4, 4, (uint8_t)(i * 60));
        assert_int_equal(cc_copy_text(scratch_path(root, files[i]), &path, NULL), CAMCL_OK);
        cc_picture picture = { path, path + strlen(path) - strlen(files[i]), i + 2, i == 3, CC_POOL_LABELED };
        assert_int_equal(cc_picture_set_add(set, CAMCL_TRAIN_IMAGES, picture, NULL), CAMCL_OK);
    }
    set->list = "list.csv";
}

/* A file that goes after it was listed is like one that cannot be read, except that another start may find it again. */
static void files_may_vanish(void **state)
{
    camcl_dataset_spec spec = spec_of(*state);
    spec.cache_dir = scratch_path(*state, ".cache");
    for (int skip_corrupt = 0; skip_corrupt < 2; skip_corrupt++) {
        camcl_dataset *dataset;
        cc_picture_set set;
        camcl_error err = { 0 };
        spec.skip_corrupt = skip_corrupt;
        assert_int_equal(CC_NEW(1, &dataset, NULL), CAMCL_OK);
        make_set(*state, dataset, &set);
        assert_int_equal(unlink(scratch_path(*state, "2.png")), 0);
        const camcl_status status = cc_load_pictures(dataset, &spec, &set, &err);
        if (skip_corrupt) {
            assert_int_equal(status, CAMCL_OK);
            assert_int_equal(camcl_dataset_get_info(dataset)->train_count, 3);
            assert_string_equal(camcl_dataset_file(dataset, CAMCL_TRAIN_IMAGES, 1), "3.png");
            assert_says(dataset, "left out: 1 that cannot be read (list.csv:3: ");
            assert_says(dataset, "unnamed file");
        } else {
            assert_int_equal(status, CAMCL_BAD_DATA);
            assert_non_null(strstr(err.message, "1 of 4 pictures cannot be read: list.csv:3: "));
            assert_non_null(strstr(err.message, "2.png"));
        }
        assert_int_equal(scratch_entries(scratch_path(*state, ".cache/pictures")), 0);
        cc_picture_set_free(&set);
        camcl_dataset_close(&dataset);
    }
}

/* ---- progress and stopping */

typedef struct watcher {
    pthread_t thread;
    size_t calls;
    camcl_reading last;
    camcl_stop *stop;
    bool stops;
} watcher;

static void watch(void *context, const camcl_reading *reading)
{
    watcher *w = context;
    assert_true(pthread_equal(w->thread, pthread_self()));
    assert_true(reading->done <= reading->total);
    assert_true(reading->seconds >= 0);
    assert_true(reading->done == 0 ? isnan(reading->eta) : reading->eta >= 0);
    w->calls++;
    w->last = *reading;
    if (w->stops && strcmp(reading->what, "pictures") == 0) camcl_stop_request(w->stop);
}

static void progress_is_reported(void **state)
{
    watcher w = { .thread = pthread_self() };
    camcl_dataset_spec spec = spec_of(*state);
    spec.progress = watch;
    spec.context = &w;
    assert_int_equal(camcl_stop_create(&w.stop, NULL), CAMCL_OK);
    spec.stop = w.stop;
    make_mixed(*state);
    open_and_check(&spec, "; took ");
    assert_true(w.calls > 0);
    assert_string_equal(w.last.what, "pictures");
    assert_int_equal(w.last.done, 7);
    assert_int_equal(w.last.total, 7);
    assert_true(w.last.eta == 0);
    camcl_stop_destroy(&w.stop);
}

static void reading_can_be_stopped(void **state)
{
    camcl_error err;
    watcher w = { .thread = pthread_self(), .stops = true };
    camcl_dataset_spec spec = spec_of(*state);
    spec.progress = watch;
    spec.context = &w;
    assert_int_equal(camcl_stop_create(&w.stop, NULL), CAMCL_OK);
    spec.stop = w.stop;
    spec.cache_dir = scratch_path(*state, ".cache");
    make_mixed(*state);
    REFUSED(&spec, CAMCL_STOPPED, &err, "stopped while its pictures were read");
    assert_int_equal(scratch_entries(scratch_path(*state, ".cache/pictures")), 0);
    w.stops = false;
    REFUSED(&spec, CAMCL_STOPPED, &err, "stopped"); /* from the start */
    camcl_stop_clear(w.stop);
    open_and_check(&spec, "7 pictures read");
    camcl_stop_destroy(&w.stop);
}

/* ---- kept pixels */

/* Another content of the same size, and the old time. */
static void change_behind_its_back(const char *path)
{
    struct stat info;
    size_t size;
    char *data = scratch_read(path, &size);
    assert_int_equal(stat(path, &info), 0);
    memset(data, 'x', size);
    scratch_write(path, data, size);
    free(data);
    const struct timespec times[] = { info.st_atim, info.st_mtim };
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static size_t kept_files(const char *root) { return scratch_entries(scratch_path(root, ".cache/pictures")); }

static void a_second_start_decodes_nothing(void **state)
{
    camcl_error err;
    camcl_dataset_spec spec = spec_of(*state);
    spec.cache_dir = scratch_path(*state, ".cache");
    make_mixed(*state);
    camcl_dataset *first = open_spec(&spec);
    assert_mixed(first, &spec);
    assert_says(first, "7 pictures read (5 PNG, 2 JPEG); 0.0 MiB of pixels in ");
    camcl_dataset_close(&first);
    assert_int_equal(kept_files(*state), 1);
    first = open_spec(&spec);
    const size_t bytes = 8 * 8 * 3;
    uint8_t *before;
    assert_int_equal(CC_NEW(5 * bytes, &before, NULL), CAMCL_OK);
    memcpy(before, camcl_dataset_pixels(first, CAMCL_TRAIN_IMAGES), 5 * bytes);
    camcl_dataset_close(&first);
    for (int part = 0; part < 2; part++)
        for (size_t i = 0; i < counts[part]; i++)
            change_behind_its_back(scratch_path(*state, names[part][i]));
    camcl_dataset *second = open_spec(&spec);
    assert_memory_equal(camcl_dataset_pixels(second, CAMCL_TRAIN_IMAGES), before, 5 * bytes);
    assert_says(second, "7 pictures read (5 PNG, 2 JPEG); 0.0 MiB of pixels of an earlier start in ");
    camcl_dataset_close(&second);
    free(before);
    /* A file with another time is another file. */
    assert_int_equal(utimensat(AT_FDCWD, scratch_path(*state, "test/cat/t.png"), NULL, 0), 0);
    REFUSED(&spec, CAMCL_BAD_DATA, &err, "7 of 7 pictures cannot be read");
}

static void what_changes_pixels_is_told_apart(void **state)
{
    camcl_dataset_spec spec = spec_of(*state);
    spec.cache_dir = scratch_path(*state, ".cache");
    make_mixed(*state);
    open_and_check(&spec, "pixels in ");
    spec.fit = CAMCL_FIT_PAD;
    open_and_check(&spec, "pixels in ");
    assert_int_equal(kept_files(*state), 2);
    spec.image_size = 9;
    open_and_check(&spec, "pixels in ");
    assert_int_equal(kept_files(*state), 3);
    assert_int_equal(rename(scratch_path(*state, "train/cat/c.png"), scratch_path(*state, "train/cat/d.png")), 0);
    camcl_dataset *dataset = open_spec(&spec);
    assert_image(dataset, &spec, CAMCL_TRAIN_IMAGES, 2, "train/cat/d.png");
    assert_says(dataset, "pixels in ");
    camcl_dataset_close(&dataset);
    assert_int_equal(kept_files(*state), 4);
    make_png(*state, "train/cat/d.png", 31, 7, 3);
    dataset = open_spec(&spec);
    assert_image(dataset, &spec, CAMCL_TRAIN_IMAGES, 2, "train/cat/d.png");
    camcl_dataset_close(&dataset);
    assert_int_equal(kept_files(*state), 5);
}

/* The same pictures in another folder are known. */
static void moved_pictures_are_known(void **state)
{
    const char *here = scratch_path(*state, "here"), *there = scratch_path(*state, "there");
    camcl_dataset_spec spec = spec_of(here);
    spec.cache_dir = scratch_path(*state, ".cache");
    make_folder(*state, "here");
    make_mixed(here);
    open_and_check(&spec, "pixels in ");
    assert_int_equal(rename(here, there), 0);
    spec.root = there;
    open_and_check(&spec, "of an earlier start in ");
}

/* `data inspect` leaves out what cannot be read, and training looks at the same pictures next. */
static void pixels_serve_whether_bad_pictures_are_refused_or_not(void **state)
{
    camcl_dataset_spec spec = spec_of(*state);
    camcl_error err;
    spec.cache_dir = scratch_path(*state, ".cache");
    make_mixed(*state);
    spec.skip_corrupt = 1;
    open_and_check(&spec, "pixels in ");
    spec.skip_corrupt = 0;
    open_and_check(&spec, "of an earlier start in ");
    assert_int_equal(kept_files(*state), 1);
    make_bad(*state, "train/cat/a.png");
    make_bad(*state, "test/dog/t.jpg");
    spec.skip_corrupt = 1;
    check_skipped(&spec, "pixels in ");
    spec.skip_corrupt = 0;
    REFUSED(&spec, CAMCL_BAD_DATA, &err, "2 of 7 pictures cannot be read");
    assert_non_null(strstr(err.detail, "t.jpg"));
}

/* A disk that fills up while pictures are read. */
static void a_full_disk_costs_memory(void **state)
{
    camcl_dataset_spec spec = spec_of(*state);
    spec.cache_dir = scratch_path(*state, ".cache");
    make_mixed(*state);
    scratch_limit_files(4096 + 3 * 8 * 8 * 3);
    open_and_check(&spec, "of pixels in memory: cannot write ");
    scratch_unlimit_files();
    scratch_limit_files(4096 + 7 * 8 * 8 * 3); /* room for pixels, but not for notes */
    open_and_check(&spec, "of pixels in memory: cannot write ");
    scratch_unlimit_files();
    assert_int_equal(kept_files(*state), 0);
    open_and_check(&spec, "pixels in ");
    /* The same where pictures are left out: all of them are put again. */
    spec.skip_corrupt = 1;
    make_bad(*state, "train/cat/a.png");
    make_bad(*state, "test/dog/t.jpg");
    scratch_limit_files(4096 + 7 * 8 * 8 * 3);
    check_skipped(&spec, "0.0 MiB of pixels in ");
    scratch_unlimit_files();
    spec.image_size = 5;
    scratch_limit_files(4096 + 6 * 5 * 5 * 3); /* room for pixels, but not for notes */
    check_skipped(&spec, "of pixels in memory: cannot write ");
    scratch_unlimit_files();
}

/* ---- statistics */

static void check_statistics(const camcl_dataset *dataset)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    const uint8_t *pixels = camcl_dataset_pixels(dataset, CAMCL_TRAIN_IMAGES);
    const uint32_t *held_out = camcl_dataset_held_out(dataset);
    const size_t plane = (size_t)info->height * info->width;
    size_t count = 0, held = 0;
    double sum[3] = { 0 }, squares[3] = { 0 };
    for (size_t i = 0; i < info->train_count - info->validation_count; i++) {
        if (held < info->held_out_count && held_out[held] == i) {
            held++;
            continue;
        }
        for (size_t p = 0; p < plane * 3; p++) {
            const double value = pixels[i * plane * 3 + p];
            sum[p % 3] += value;
            squares[p % 3] += value * value;
        }
        count += plane;
    }
    assert_int_equal(held, info->held_out_count);
    for (int c = 0; c < 3; c++) {
        const double mean = sum[c] / (double)count, variance = squares[c] / (double)count - mean * mean;
        assert_true(info->mean[c] == (float)(mean / 255));
        assert_true(info->std[c] == (float)(sqrt(variance) / 255));
    }
}

static void statistics_are_those_of_images_to_train_on(void **state)
{
    camcl_dataset_spec spec = spec_of(*state);
    char name[64];
    make_mixed(*state);
    camcl_dataset *dataset = open_spec(&spec);
    check_statistics(dataset);
    camcl_dataset_close(&dataset);
    /* A validation set and unlabelled pictures; more than one piece of work. */
    make_folder(*state, "val");
    make_folder(*state, "val/cat");
    make_folder(*state, "val/dog");
    make_folder(*state, "unlabeled");
    make_png(*state, "val/cat/v.png", 30, 30, 0);
    make_png(*state, "val/dog/v.png", 30, 30, 250);
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "unlabeled/%03d.png", i);
        make_png(*state, name, 5, 4, (uint8_t)i);
    }
    spec.image_size = 11; /* whose bytes are no multiple of a vector */
    dataset = open_spec(&spec);
    assert_int_equal(camcl_dataset_get_info(dataset)->unlabeled_count, 200);
    assert_int_equal(camcl_dataset_get_info(dataset)->validation_count, 2);
    assert_int_equal(camcl_dataset_get_info(dataset)->train_count, 207);
    check_statistics(dataset);
    camcl_dataset_close(&dataset);
}

static void held_out_images_do_not_count(void **state)
{
    camcl_dataset_spec spec = spec_of(*state);
    char name[64];
    make_folder(*state, "cat");
    make_folder(*state, "dog");
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "%s/%03d.png", i < 120 ? "cat" : "dog", i);
        make_png(*state, name, 8, 8, (uint8_t)(i * 11));
    }
    camcl_dataset *dataset = open_spec(&spec);
    assert_int_equal(camcl_dataset_get_info(dataset)->held_out_count, 30);
    check_statistics(dataset);
    camcl_dataset_close(&dataset);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(pictures_are_fitted_and_read_in_order),
        IN_SCRATCH(one_size_is_kept),
        IN_SCRATCH(different_sizes_are_refused_without_a_size),
        IN_SCRATCH(bad_pictures_are_named),
        IN_SCRATCH(bad_pictures_can_be_left_out),
        IN_SCRATCH(kept_pixels_of_a_folder_that_moved),
        IN_SCRATCH(a_class_keeps_a_picture),
        IN_SCRATCH(files_may_vanish),
        IN_SCRATCH(progress_is_reported),
        IN_SCRATCH(reading_can_be_stopped),
        IN_SCRATCH(a_second_start_decodes_nothing),
        IN_SCRATCH(what_changes_pixels_is_told_apart),
        IN_SCRATCH(moved_pictures_are_known),
        IN_SCRATCH(pixels_serve_whether_bad_pictures_are_refused_or_not),
        IN_SCRATCH(a_full_disk_costs_memory),
        IN_SCRATCH(statistics_are_those_of_images_to_train_on),
        IN_SCRATCH(held_out_images_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
