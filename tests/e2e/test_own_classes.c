/* Training on a folder of pictures whose classes are of any size: how they are shared out, what is said of them, and what the run leaves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "camcl/image.h"
#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"

/* Pictures of one colour, which is the class's, and a little of their own. */
static void make_class(const char *root, const char *folder, int count, uint8_t value)
{
    char name[64];
    camcl_error err = { 0 };
    assert_int_equal(cc_make_folders(scratch_path(root, folder), &err), CAMCL_OK);
    for (int i = 0; i < count; i++) {
        uint8_t pixels[16 * 16 * 3];
        for (size_t k = 0; k < sizeof pixels; k++)
            pixels[k] = (uint8_t)(value + (k * (size_t)(i + 3) * 7) % 40);
        const camcl_image image = { 16, 16, 3, pixels };
        snprintf(name, sizeof name, "%s/%02d.png", folder, i);
        const camcl_status status = camcl_image_write_png(scratch_path(root, name), &image, &err);
        if (status == CAMCL_UNSUPPORTED) skip(); /* a build without PNG */
        assert_int_equal(status, CAMCL_OK);
    }
}

/* No test picture of an emu, and few training pictures. */
static const char *make_pictures(const char *folder)
{
    static char root[512];
    snprintf(root, sizeof root, "%s/pictures", folder);
    if (cc_file_exists(root)) return root;
    make_class(root, "train/cat", 24, 10);
    make_class(root, "train/dog", 12, 90);
    make_class(root, "train/emu", 4, 170);
    make_class(root, "test/cat", 20, 10);
    make_class(root, "test/dog", 3, 90);
    return root;
}

/* small.ini's keys for another data set are replaced. */
#define OWN "data.dataset=folder 'data.root=%s' train.epochs=1 train.epoch_steps=2 "

static void assert_count(const char *run, const char *pool, size_t count)
{
    cc_json *splits = json_load(run, "splits.json");
    const cc_json *list = cc_json_get(splits, pool);
    assert_non_null(list);
    assert_int_equal(list->count, count);
    cc_json_free(&splits);
}

static size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;
    for (; (text = strstr(text, part)) != NULL; text++)
        count++;
    return count;
}

/* Images of the gallery whose file begins with this; mistakes are no part of it. */
static size_t spread_of(const cc_json *index, const char *file)
{
    const cc_json *images = cc_json_get(index, "images");
    size_t count = 0;
    for (size_t i = 0; i < images->count; i++)
        count += strcmp(cc_json_string(cc_json_get(&images->items[i], "why")), "spread") == 0 &&
                 strncmp(cc_json_string(cc_json_get(&images->items[i], "file")), file, strlen(file)) == 0;
    return count;
}

static void every_label_is_used(void **state)
{
    const char *folder = *state, *root = make_pictures(folder), *run = scratch_path(folder, "all");
    char *out = program_prints(folder,
                               "train '%s/small.ini' 'output.dir=%s' " OWN "data.labeled=all data.validation=auto data.unlabeled=auto "
                               "ssl.mode=supervised",
                               folder, run, root);
    /* A tenth of 40 is 4: by share 2.4, 1.2 and 0.4, and an emu has to be among them. */
    if (!strstr(out, "labelled 36 (3 to 22 per class), unlabelled 0, validation 4, test 23\n")) fail_msg("%s", out);
    assert_int_equal(occurrences(out, "test: no picture of emu\n"), 1);
    assert_null(strstr(out, "labelled: no picture"));
    assert_null(strstr(out, "nan"));
    free(out);
    assert_count(run, "labeled", 36);
    assert_count(run, "validation", 4);
    /* The three dogs are the last test pictures, and all in the gallery. */
    assert_true(cc_file_exists(scratch_path(run, "cams/00022_image.png")));
    assert_true(cc_file_exists(scratch_path(run, "cams/00020_overlay.png")));
    cc_json *index = json_load(scratch_path(run, "cams"), "index.json");
    assert_int_equal(spread_of(index, "00012") + spread_of(index, "00022"), 2);
    assert_int_equal(spread_of(index, "00013"), 0);
    assert_int_equal(spread_of(index, ""), 16);
    cc_json_free(&index);
    static const char *const splits[][2] = { { "test", ": 23 images" }, { "validation", ": 4 images" }, { "train", ": 36 images" } };
    for (size_t i = 0; i < CC_COUNT(splits); i++) {
        out = program_prints(folder, "eval '%s/best.safetensors' --split %s", run, splits[i][0]);
        if (!strstr(out, splits[i][1])) fail_msg("%s: %s", splits[i][0], out);
        free(out);
    }
    out = program_prints(folder, "train '%s/config.ini' --resume", run);
    assert_non_null(strstr(out, "nothing to do"));
    free(out);
}

static void classes_by_share_and_evenly(void **state)
{
    const char *folder = *state, *root = make_pictures(folder);
    char *out = program_prints(folder,
                               "train '%s/small.ini' 'output.dir=%s/share' " OWN "data.labeled=20 data.balanced=no data.validation=0 "
                               "data.unlabeled=auto",
                               folder, folder, root);
    if (!strstr(out, "labelled 20 (2 to 12 per class), unlabelled 20, validation 0, test 23\n")) fail_msg("%s", out);
    free(out);
    program_fails(folder, 2, "data.labeled = 15: it takes 5 images of each class: emu has 4 (at most 12 is possible",
                  "train '%s/small.ini' 'output.dir=%s/short' " OWN "data.labeled=15 data.validation=0", folder, folder, root);
    program_fails(
        folder, 2, "ssl.mode = gradcam: there are no unlabelled images (add pictures without a label, set data.labeled to a number",
        "train '%s/small.ini' 'output.dir=%s/short' " OWN "data.labeled=all data.validation=0 data.unlabeled=auto", folder, folder, root);
    program_fails(folder, 2, "data.labeled = 43: it must divide by the 3 classes (the nearest are 42 and 45",
                  "train '%s/small.ini' 'output.dir=%s/short' " OWN "data.labeled=43 data.validation=0", folder, folder, root);
}

/* Labelled images in the unlabelled pool: the run starts, and its state is taken back. */
static void labels_are_reused(void **state)
{
    const char *folder = *state, *root = make_pictures(folder), *run = scratch_path(folder, "reuse");
    char *out = program_prints(folder,
                               "train '%s/small.ini' 'output.dir=%s' " OWN "data.labeled=6 data.validation=3 data.unlabeled=10 "
                               "data.reuse_labeled=yes",
                               folder, run, root);
    if (!strstr(out, "labelled 6 (2 per class), unlabelled 16, validation 3,")) fail_msg("%s", out);
    free(out);
    assert_count(run, "unlabeled", 16);
    out = program_prints(folder, "train '%s/config.ini' --resume train.epochs=2", run);
    assert_non_null(strstr(out, "resuming after step 2 of 4"));
    free(out);
    program_fails(folder, 2, "data.reuse_labeled: the run has yes, now no", "train '%s/config.ini' --resume data.reuse_labeled=no", run);
}

static void a_class_that_is_not_validated_is_named(void **state)
{
    char root[512];
    snprintf(root, sizeof root, "%s/rare", (char *)*state);
    make_class(root, "cat", 12, 10);
    make_class(root, "emu", 1, 170);
    char *out = program_prints(*state,
                               "train '%s/small.ini' 'output.dir=%s/rare-run' " OWN "data.labeled=all data.validation=auto "
                               "data.unlabeled=auto ssl.mode=supervised",
                               (char *)*state, (char *)*state, root);
    assert_int_equal(occurrences(out, "validation: no picture of emu\n"), 1);
    assert_int_equal(occurrences(out, "test: no picture of emu\n"), 1);
    free(out);
}

/* Without a test set, one is held out of the pictures: no pool has them, the run is tested on them, its gallery shows them, and a run that
 * goes on tests on the same. */
static void a_test_set_is_held_out(void **state)
{
    const char *folder = *state;
    char root[512], run[512], before[8192];
    snprintf(root, sizeof root, "%s/flat", folder);
    snprintf(run, sizeof run, "%s/held", folder);
    make_class(root, "cat", 40, 10);
    make_class(root, "dog", 20, 90);
    make_class(root, "emu", 3, 170);
    make_class(root, "unlabeled/deep/er", 12, 50);
    char *out = program_prints(
        folder, "train '%s/small.ini' 'output.dir=%s' " OWN "data.labeled=all data.validation=auto data.unlabeled=auto", folder, run, root);
    /* 9 of 63 are held out: 6, 3 and 1 by share of which an emu is one; a tenth of what is left is for validation. */
    if (!strstr(out, "unlabelled 12, validation 5, test 10\n")) fail_msg("%s", out);
    assert_null(strstr(out, "no picture of"));
    free(out);
    assert_count(run, "test", 10);
    assert_count(run, "labeled", 48);
    assert_count(run, "unlabeled", 12);
    cc_json *splits = json_load(run, "splits.json");
    bool used[75] = { false };
    static const char *const pools[] = { "labeled", "unlabeled", "validation", "test" };
    for (size_t p = 0; p < CC_COUNT(pools); p++) {
        const cc_json *pool = cc_json_get(splits, pools[p]);
        for (size_t i = 0; i < pool->count; i++) {
            size_t image;
            assert_true(cc_json_size(&pool->items[i], &image) && image < CC_COUNT(used) && !used[image]);
            used[image] = true;
        }
    }
    cc_json_free(&splits);
    cc_json *result = json_load(run, "result.json");
    out = program_prints(folder, "eval '%s/best.safetensors' --json", run);
    cc_json *evaluated = json_parse_text(out);
    assert_true(json_number_at(evaluated, "n") == 10);
    assert_true(json_number_at(evaluated, "top1") == json_number_at(cc_json_get(result, "test"), "top1"));
    cc_json_free(&evaluated);
    cc_json_free(&result);
    free(out);
    assert_int_equal(scratch_entries(scratch_path(run, "cams")), 3 * 10 + 4 * 6 + 1); /* all are in the gallery; and index.json */
    size_t size;
    char *file = scratch_read(scratch_path(run, "splits.json"), &size);
    assert_true(size < sizeof before);
    memcpy(before, file, size + 1);
    free(file);
    free(program_prints(folder, "train '%s/config.ini' --resume train.epochs=2", run));
    file = scratch_read(scratch_path(run, "splits.json"), &size);
    assert_string_equal(file, before);
    free(file);
}

/* Replaces a text of the file by another one of its length. */
static void patch(const char *path, const char *from, const char *to)
{
    size_t size, length = strlen(from);
    char *data = scratch_read(path, &size);
    assert_non_null(data);
    assert_int_equal(length, strlen(to));
    for (size_t i = 0; i + length <= size; i++) {
        if (memcmp(data + i, from, length) != 0) continue;
        memcpy(data + i, to, length);
        scratch_write(path, data, size);
        free(data);
        return;
    }
    fail_msg("%s has no \"%s\"", path, from);
}

/* Before data.balanced there was no pool beside the labelled pictures of a folder, and data.unlabeled = auto went by data.ratio. A state
 * from then, which lacks the key, goes on with its six unlabelled images; a later one was drawn from other data. */
static void states_of_earlier_folders_go_on(void **state)
{
    const char *folder = *state, *root = make_pictures(folder), *run = scratch_path(folder, "early");
    const char *file = scratch_path(run, "state.safetensors");
    free(program_prints(folder,
                        "train '%s/small.ini' 'output.dir=%s' " OWN "data.labeled=6 data.validation=3 data.ratio=1.0 data.unlabeled=0006",
                        folder, run, root));
    patch(file, "unlabeled = 0006", "unlabeled = auto");
    program_fails(folder, 1, "it has 6 unlabelled images, configuration and data make it 31",
                  "train '%s/config.ini' --resume data.unlabeled=auto train.epochs=2", run);
    patch(file, "balanced = yes", "ratio = 1.0000");
    char *out = program_prints(folder, "train '%s/config.ini' --resume data.unlabeled=auto train.epochs=2", run);
    if (!strstr(out, "resuming after step 2 of 4")) fail_msg("%s", out);
    free(out);
}

/* Two classes whose names differ in their case only are two classes; other names are understood in any case. */
static void names_may_differ_in_case(void **state)
{
    const char *folder = *state, *root = scratch_path(folder, "cases"), *run = scratch_path(folder, "case");
    make_class(root, "train/Bee", 6, 10);
    make_class(root, "train/bee", 6, 200);
    make_class(root, "train/Wasp", 6, 90);
    free(program_prints(
        folder, "train '%s/small.ini' 'output.dir=%s' " OWN "data.labeled=all data.validation=0 data.unlabeled=auto ssl.mode=supervised",
        folder, run, root));
    static const char *const asked[] = { "Bee", "bee", "WASP" }, *const explained[] = { "Bee", "bee", "Wasp" };
    for (size_t i = 0; i < CC_COUNT(asked); i++) {
        char expected[32];
        snprintf(expected, sizeof expected, ": explains %s,", explained[i]);
        char *out = program_prints(folder, "cam '%s/best.safetensors' '%s/train/Bee/00.png' --class %s -o '%s/cams-%zu'", run, root,
                                   asked[i], folder, i);
        if (!strstr(out, expected)) fail_msg("%s", out);
        free(out);
    }
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_label_is_used),      cmocka_unit_test(classes_by_share_and_evenly),
        cmocka_unit_test(labels_are_reused),        cmocka_unit_test(a_class_that_is_not_validated_is_named),
        cmocka_unit_test(a_test_set_is_held_out),   cmocka_unit_test(states_of_earlier_folders_go_on),
        cmocka_unit_test(names_may_differ_in_case),
    };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
