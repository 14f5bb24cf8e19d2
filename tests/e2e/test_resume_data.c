/* A run knows its data: other data are refused with what changed, the same data elsewhere are not. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
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

enum { SIDE = 16, TRAIN = 8, TEST = 3 };

#define KEYS                                                                                                                               \
    "data.dataset=folder data.labeled=6 data.validation=3 data.unlabeled=all data.image_size=16 train.batch_labeled=2 "                    \
    "train.batch_unlabeled=2 train.epoch_steps=2 optim.schedule=constant ssl.threshold=0.3 ssl.threshold_end=0.3"

static const char *const classes[] = { "bird", "cat", "dog" };

/* A picture of noise in the colour of its class. */
static void draw(const char *path, size_t class, unsigned seed)
{
    camcl_image image;
    assert_int_equal(camcl_image_create(SIDE, SIDE, 3, &image, NULL), CAMCL_OK);
    for (size_t i = 0; i < (size_t)SIDE * SIDE * 3; i++) {
        seed = seed * 1664525u + 1013904223u;
        image.pixels[i] = (uint8_t)((seed >> 24) / 2 + (i % 3 == class ? 127 : 0));
    }
    assert_int_equal(camcl_image_write_png(path, &image, NULL), CAMCL_OK);
    camcl_image_free(&image);
}

static void draw_plain(const char *path)
{
    camcl_image image;
    assert_int_equal(camcl_image_create(SIDE, SIDE, 3, &image, NULL), CAMCL_OK);
    assert_int_equal(camcl_image_write_png(path, &image, NULL), CAMCL_OK);
    camcl_image_free(&image);
}

static void draw_part(const char *root, const char *part, size_t count)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", root, part);
    assert_int_equal(mkdir(path, 0777), 0);
    for (size_t c = 0; c < sizeof classes / sizeof classes[0]; c++) {
        snprintf(path, sizeof path, "%s/%s/%s", root, part, classes[c]);
        assert_int_equal(mkdir(path, 0777), 0);
        for (size_t i = 0; i < count; i++) {
            snprintf(path, sizeof path, "%s/%s/%s/%zu.png", root, part, classes[c], i);
            draw(path, c, (unsigned)(100 * c + i));
        }
    }
}

/* folder/data with pictures, folder/run trained on it for two epochs. */
static void begin(const char *folder)
{
    static bool begun;
    if (begun) return;
    const char *root = scratch_path(folder, "data");
    assert_int_equal(mkdir(root, 0777), 0);
    draw_part(root, "train", TRAIN);
    draw_part(root, "test", TEST);
    free(program_prints(folder, "train '%s/small.ini' 'data.root=%s' 'output.dir=%s/run' train.epochs=2 --quiet " KEYS, folder, root,
                        folder));
    begun = true;
}

/* Resuming is refused with these words, and leaves the run as it was. */
static void refused(const char *folder, const char *parts)
{
    const uint64_t before = folder_fingerprint(scratch_path(folder, "run"));
    program_fails(folder, 1, parts, "train '%s/small.ini' 'data.root=%s/data' 'output.dir=%s/run' train.epochs=3 --resume --quiet " KEYS,
                  folder, folder, folder);
    assert_true(folder_fingerprint(scratch_path(folder, "run")) == before);
}

static void move(const char *folder, const char *from, const char *to)
{
    char path[600];
    snprintf(path, sizeof path, "%s", scratch_path(folder, from));
    assert_int_equal(rename(path, scratch_path(folder, to)), 0);
}

static void test_changed(void **state)
{
    const char *folder = *state;
    begin(folder);
    const char *more = scratch_path(folder, "data/train/bird/aaa.png");
    draw(more, 0, 1);
    refused(folder,
            "state.safetensors: the data are not those of the run: 24 training pictures before, 25 now|restore the data|output.dir");
    assert_int_equal(unlink(more), 0);

    move(folder, "data/test/cat/0.png", "cat.png");
    refused(folder, "9 test pictures before, 8 now");
    move(folder, "cat.png", "data/test/cat/0.png");

    move(folder, "data/train/dog", "data/train/wolf");
    move(folder, "data/test/dog", "data/test/wolf");
    refused(folder, "class that the run had and the data lack: dog|class that the data have and the run had not: wolf");
    move(folder, "data/train/wolf", "data/train/dog");
    move(folder, "data/test/wolf", "data/test/dog");

    move(folder, "data/train/cat/3.png", "data/train/cat/33.png");
    refused(folder, "files have other names");
    move(folder, "data/train/cat/33.png", "data/train/cat/3.png");

    /* Another picture under the same name. */
    draw_plain(scratch_path(folder, "data/train/cat/3.png"));
    refused(folder, "files have other sizes");
    draw(scratch_path(folder, "data/train/cat/3.png"), 1, 103);

    /* Fewer of a class than the split needs: what changed is said, not what the split lacks. */
    char path[64];
    for (int i = 0; i < TRAIN - 1; i++) {
        snprintf(path, sizeof path, "data/train/cat/%d.png", i);
        assert_int_equal(unlink(scratch_path(folder, path)), 0);
    }
    refused(folder, "24 training pictures before, 17 now");
    for (int i = 0; i < TRAIN - 1; i++) {
        snprintf(path, sizeof path, "data/train/cat/%d.png", i);
        draw(scratch_path(folder, path), 1, 100 + (unsigned)i);
    }
}

/* The same pictures in another folder: the run goes on as if nothing had happened. */
static void test_moved(void **state)
{
    const char *folder = *state;
    begin(folder);
    free(program_prints(folder, "train '%s/small.ini' 'data.root=%s/data' 'output.dir=%s/whole' train.epochs=3 --quiet " KEYS, folder,
                        folder, folder));
    move(folder, "data", "elsewhere");
    free(program_prints(folder, "train '%s/small.ini' 'data.root=%s/elsewhere' 'output.dir=%s/run' train.epochs=3 --resume --quiet " KEYS,
                        folder, folder, folder));
    char run[512], whole[512];
    snprintf(run, sizeof run, "%s", scratch_path(folder, "run"));
    snprintf(whole, sizeof whole, "%s", scratch_path(folder, "whole"));
    assert_same_file(whole, run, "last.safetensors");
    assert_same_file(whole, run, "splits.json");
    /* config.ini says where they are now. */
    size_t size;
    char *config = scratch_read(scratch_path(run, "config.ini"), &size);
    assert_non_null(strstr(config, scratch_path(folder, "elsewhere")));
    free(config);
    /* A finished run changes nothing. */
    const uint64_t before = folder_fingerprint(run);
    free(program_prints(folder, "train '%s/small.ini' 'data.root=%s/elsewhere' 'output.dir=%s/run' train.epochs=3 --resume --quiet " KEYS,
                        folder, folder, folder));
    assert_true(folder_fingerprint(run) == before);
}

/* ---- labels in a list */

/* folder/list.csv names the pictures of folder/elsewhere/train; one of them is said to be a dog. */
static void write_list(const char *folder, bool dog)
{
    char text[4096] = "path,label\n";
    for (size_t c = 0; c < sizeof classes / sizeof classes[0]; c++)
        for (size_t i = 0; i < TRAIN; i++) {
            const size_t used = strlen(text);
            snprintf(text + used, sizeof text - used, "elsewhere/train/%s/%zu.png,%s\n", classes[c], i,
                     dog && c == 0 && i == 0 ? "dog" : classes[c]);
        }
    scratch_write(scratch_path(folder, "list.csv"), text, strlen(text));
}

/* Runs after the pictures moved. */
static void test_labels(void **state)
{
    const char *folder = *state, *run = scratch_path(folder, "listed");
    write_list(folder, false);
    free(program_prints(folder,
                        "train '%s/small.ini' " KEYS " data.dataset=list 'data.root=%s/list.csv' 'output.dir=%s' train.epochs=1 --quiet",
                        folder, folder, run));
    write_list(folder, true);
    const uint64_t before = folder_fingerprint(run);
    program_fails(folder, 1, "the data are not those of the run: labels differ",
                  "train '%s/small.ini' " KEYS " data.dataset=list 'data.root=%s/list.csv' 'output.dir=%s' train.epochs=2 --resume --quiet",
                  folder, folder, run);
    assert_true(folder_fingerprint(run) == before);
    /* The pictures that are held out as the test set belong to the split. */
    cc_json *splits = json_load(run, "splits.json");
    assert_true(cc_json_get(splits, "test")->count > 0);
    cc_json_free(&splits);
    write_list(folder, false);
    free(program_prints(
        folder, "train '%s/small.ini' " KEYS " data.dataset=list 'data.root=%s/list.csv' 'output.dir=%s' train.epochs=2 --resume --quiet",
        folder, folder, run));
}

/* ---- stopped while the data are read */

/* A folder that takes long to read: many names of one large picture. */
static void draw_much(const char *root)
{
    enum { LARGE = 1500, MANY = 500 };
    char path[600], first[700];
    camcl_image image;
    assert_int_equal(mkdir(root, 0777), 0);
    assert_int_equal(camcl_image_create(LARGE, LARGE, 3, &image, NULL), CAMCL_OK);
    for (size_t i = 0; i < (size_t)LARGE * LARGE * 3; i++)
        image.pixels[i] = (uint8_t)(i * i >> 9);
    for (size_t c = 0; c < 2; c++) {
        snprintf(path, sizeof path, "%s/%s", root, classes[c]);
        assert_int_equal(mkdir(path, 0777), 0);
        snprintf(first, sizeof first, "%s/first.png", path);
        assert_int_equal(camcl_image_write_png(first, &image, NULL), CAMCL_OK);
        for (size_t i = 0; i < MANY; i++) {
            snprintf(path, sizeof path, "%s/%s/%zu.png", root, classes[c], i);
            assert_int_equal(link(first, path), 0);
        }
    }
    camcl_image_free(&image);
}

static void stopped(const char *folder, const char *name, const char *more, int number, const char *says)
{
    pid_t process =
        program_start(folder, "loading", "train '%s/small.ini' " KEYS " 'data.root=%s/much' 'output.dir=%s/%s' train.epochs=4 %s", folder,
                      folder, folder, name, more);
    sleep_milliseconds(700);
    kill(process, number);
    assert_int_equal(program_wait(process), 128 + number);
    size_t size;
    char *text = scratch_read(scratch_path(folder, "loading.err"), &size);
    if (!strstr(text, "stopped while the data were read") || !strstr(text, says)) fail_msg("what was it that stopped? %s", text);
    free(text);
}

static void test_stopped(void **state)
{
    const char *folder = *state;
    draw_much(scratch_path(folder, "much"));
    stopped(folder, "new", "", SIGINT, "nothing was begun");
    assert_int_not_equal(access(scratch_path(folder, "new"), F_OK), 0);
    stopped(folder, "new", "--resume", SIGHUP, "nothing was begun");
    assert_int_not_equal(access(scratch_path(folder, "new"), F_OK), 0);
    const uint64_t before = folder_fingerprint(scratch_path(folder, "run"));
    stopped(folder, "run", "--resume", SIGTERM, "the run is as it was");
    assert_true(folder_fingerprint(scratch_path(folder, "run")) == before);
}

/* What can be refused without the data is refused before they are read. */
static void test_refused_at_once(void **state)
{
    const char *folder = *state;
    program_fails(folder, 1, "exists and is not empty", "train '%s/small.ini' " KEYS " data.root=nowhere 'output.dir=%s/run' --quiet",
                  folder, folder);
    program_fails(folder, 2, "optim.lr: the run has",
                  "train '%s/small.ini' " KEYS " data.root=nowhere 'output.dir=%s/run' optim.lr=0.5 --resume --quiet", folder, folder);
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_changed), cmocka_unit_test(test_moved), cmocka_unit_test(test_labels),
                                        cmocka_unit_test(test_stopped), cmocka_unit_test(test_refused_at_once) };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
