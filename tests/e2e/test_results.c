/* What a run measures and shows beside its scores: pseudo-labels by class, precision and recall, calibration, pictures. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "camcl/image.h"
#include "run/pseudo_labels.h"
#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"

enum { TEST_IMAGES = 2000, BATCH = 8, STEPS = 4 };

/* The path of a run in a buffer of its own, as many more paths are made from it. */
static const char *path_of(const char *folder, const char *name)
{
    static char paths[8][512];
    static size_t used;
    char *path = paths[used++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* The run that small.ini with these keys makes. */
static const char *train(const char *folder, const char *name, const char *keys)
{
    const char *run = path_of(folder, name);
    free(program_prints(folder, "train --quiet '%s/small.ini' 'output.dir=%s' %s", folder, run, keys));
    return run;
}

static void assert_near(double value, double expected, const char *what)
{
    if (!(fabs(value - expected) < 1e-4)) fail_msg("%s is %.9g, should be %.9g", what, value, expected);
}

static const cc_json *list_of(const cc_json *object, const char *name)
{
    const cc_json *list = cc_json_get(object, name);
    if (list == NULL || list->kind != CC_JSON_ARRAY) fail_msg("no list %s", name);
    return list;
}

/* ---- pseudo-labels */

/* The file adds up to the columns of metrics.csv that count the same images without their classes. */
static void pseudo_labels_add_up(void **state)
{
    const char *run = train(*state, "pseudo", "train.epochs=4 optim.lr=0.05");
    cc_pseudo_labels l;
    assert_int_equal(cc_pseudo_labels_read(scratch_path(run, "pseudo_labels.csv"), 0, NULL, &l, NULL), CAMCL_OK);
    metrics_table *m = metrics_load(run);
    assert_int_equal(l.count, m->rows);
    assert_int_equal(l.classes, 10);
    assert_string_equal(l.names[1], "ring");
    size_t some = 0;
    for (size_t r = 0; r < l.count; r++) {
        double sums[CC_PSEUDO_SUMS] = { 0 };
        assert_true(l.evaluations[r].step == (uint64_t)metrics_number(m, r, "step") && l.evaluations[r].epoch == r + 1);
        assert_true(l.evaluations[r].seen == STEPS * BATCH);
        for (size_t c = 0; c < l.classes; c++) {
            const double *n = l.counts + (r * l.classes + c) * CC_PSEUDO_SUMS;
            assert_true(n[CC_PSEUDO_RIGHT] <= n[CC_PSEUDO_KNOWN] && n[CC_PSEUDO_KNOWN] <= n[CC_PSEUDO_CONFIDENT]);
            for (size_t k = 0; k < CC_PSEUDO_SUMS; k++)
                sums[k] += n[k];
            some += n[CC_PSEUDO_CONFIDENT] > 0;
        }
        assert_near(100 * sums[CC_PSEUDO_CONFIDENT] / (STEPS * BATCH), metrics_number(m, r, "mask_rate"), "the mask rate");
        if (sums[CC_PSEUDO_KNOWN] > 0)
            assert_near(100 * sums[CC_PSEUDO_RIGHT] / sums[CC_PSEUDO_KNOWN], metrics_number(m, r, "pseudo_acc"), "the share right");
    }
    assert_true(some > l.count); /* of several classes */
    free(m);
    cc_pseudo_labels_free(&l);
    run = train(*state, "supervised", "ssl.mode=supervised");
    assert_int_not_equal(access(scratch_path(run, "pseudo_labels.csv"), F_OK), 0);
}

/* ---- the test set in detail */

static void check_interval(const cc_json *interval, double low, double high)
{
    assert_int_equal(interval->count, 2);
    assert_near(interval->items[0].number, low, "the lower end");
    assert_near(interval->items[1].number, high, "the upper end");
}

static void wilson(double percent, double n, double *low, double *high)
{
    const double p = percent / 100, z2 = 3.841458820694124, middle = p + z2 / (2 * n),
                 half = sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n)));
    *low = 100 * (middle - half) / (1 + z2 / n);
    *high = 100 * (middle + half) / (1 + z2 / n);
}

/* eval and result.json say the same, and parts add up to the whole. */
static void details_of_the_test_set(void **state)
{
    const char *run = path_of(*state, "pseudo");
    char *out = program_prints(*state, "eval '%s/best.safetensors' --json", run);
    cc_json *json = json_parse_text(out), *result = json_load(run, "result.json");
    const cc_json *test = cc_json_get(result, "test");
    double low, high, images = 0, right = 0, gap = 0, in_bins = 0;
    const double top1 = json_number_at(json, "top1"), ece = json_number_at(json, "ece");
    assert_near(top1, json_number_at(test, "top1"), "top-1");
    assert_near(ece, json_number_at(test, "ece"), "the calibration error");
    assert_true(json_number_at(json, "n") == TEST_IMAGES && json_number_at(test, "n") == TEST_IMAGES);
    wilson(top1, TEST_IMAGES, &low, &high);
    check_interval(list_of(cc_json_get(json, "interval"), "top1"), low, high);
    check_interval(list_of(cc_json_get(result, "interval"), "top1"), low, high);
    assert_null(cc_json_get(cc_json_get(json, "interval"), "ece")); /* not a share of images */

    const cc_json *classes = list_of(json, "classes"), *saved = list_of(result, "classes");
    assert_true(classes->count == 10 && saved->count == 10);
    for (size_t c = 0; c < 10; c++) {
        const cc_json *one = &classes->items[c];
        const double n = json_number_at(one, "n"), hits = json_number_at(one, "right");
        assert_string_equal(cc_json_string(cc_json_get(one, "class")), cc_json_string(cc_json_get(&saved->items[c], "class")));
        assert_near(hits, json_number_at(&saved->items[c], "right"), "right ones of a class");
        assert_near(json_number_at(one, "recall"), 100 * hits / n, "a recall");
        wilson(100 * hits / n, n, &low, &high);
        check_interval(list_of(one, "recall_interval"), low, high);
        if (json_number_at(one, "predicted") == 0) assert_int_equal(cc_json_get(one, "precision")->kind, CC_JSON_NULL);
        images += n;
        right += hits;
    }
    assert_near(images, TEST_IMAGES, "the images of all classes");
    assert_near(100 * right / images, top1, "top-1 from the classes");

    const cc_json *bins = list_of(json, "reliability");
    assert_true(bins->count == 15 && list_of(result, "reliability")->count == 15);
    for (size_t b = 0; b < 15; b++) {
        const double n = json_number_at(&bins->items[b], "n");
        in_bins += n;
        if (n == 0) {
            assert_int_equal(cc_json_get(&bins->items[b], "accuracy")->kind, CC_JSON_NULL);
            continue;
        }
        const double confidence = json_number_at(&bins->items[b], "confidence");
        assert_true(confidence > 100.0 * (double)b / 15 - 1e-6 && confidence < 100.0 * (double)(b + 1) / 15 + 1e-6);
        gap += n * fabs(confidence - json_number_at(&bins->items[b], "accuracy"));
    }
    assert_near(in_bins, TEST_IMAGES, "the images of all bins");
    assert_near(gap / TEST_IMAGES, ece, "the calibration error from the bins");
    cc_json_free(&json);
    cc_json_free(&result);
    free(out);

    out = program_prints(*state, "eval '%s/best.safetensors'", run);
    assert_non_null(strstr(out, "calibration error "));
    assert_non_null(strstr(out, "\nclass     images  precision    recall\n"));
    assert_non_null(strstr(out, "\ncrescent     200"));
    free(out);
}

/* ---- pictures */

static const cc_json *entry_of(const cc_json *index, const char *file, const char *why)
{
    const cc_json *images = list_of(index, "images");
    for (size_t i = 0; i < images->count; i++)
        if (strcmp(cc_json_string(cc_json_get(&images->items[i], "file")), file) == 0 &&
            strcmp(cc_json_string(cc_json_get(&images->items[i], "why")), why) == 0)
            return &images->items[i];
    return NULL;
}

static const char *picture(const char *run, const char *file, const char *part)
{
    char name[64];
    snprintf(name, sizeof name, "cams/%s_%s.png", file, part);
    return scratch_path(run, name);
}

static size_t check_listed(const char *run, const cc_json *entry)
{
    const cc_json *list = list_of(entry, "pictures");
    for (size_t i = 0; i < list->count; i++) {
        const char *path = picture(run, cc_json_string(cc_json_get(entry, "file")), cc_json_string(&list->items[i]));
        if (access(path, F_OK) != 0) fail_msg("%s is missing", path);
    }
    return list->count;
}

/* The images that are wrong with the highest confidence, in falling order. */
static void worst_mistakes(void **state)
{
    const char *run = path_of(*state, "pseudo");
    cc_json *index = json_load(scratch_path(run, "cams"), "index.json");
    const cc_json *images = list_of(index, "images");
    size_t mistakes = 0, spread = 0, views = 0;
    double last = 1;
    for (size_t i = 0; i < images->count; i++) {
        const cc_json *one = &images->items[i];
        const char *why = cc_json_string(cc_json_get(one, "why")), *class = cc_json_string(cc_json_get(one, "class"));
        const double confidence = json_number_at(one, "confidence");
        const size_t pictures = check_listed(run, one);
        if (strcmp(why, "spread") == 0) {
            views += cc_json_get(one, "distance") != NULL;
            assert_int_equal(pictures, cc_json_get(one, "distance") ? 8 : 4);
            spread++;
            continue;
        }
        assert_string_equal(why, "mistake");
        assert_string_not_equal(class, cc_json_string(cc_json_get(one, "predicted")));
        assert_true(confidence <= last + 1e-6);
        assert_int_equal(pictures, 3);
        last = confidence;
        mistakes++;
    }
    assert_true(spread == 16 && mistakes == 6 && views == 6);
    for (size_t i = 0; i < images->count; i++) { /* none of the gallery is a worse mistake than those that are listed */
        const cc_json *one = &images->items[i];
        const char *file = cc_json_string(cc_json_get(one, "file"));
        const bool wrong = strcmp(cc_json_string(cc_json_get(one, "class")), cc_json_string(cc_json_get(one, "predicted"))) != 0;
        if (wrong && json_number_at(one, "confidence") > last + 1e-6) assert_non_null(entry_of(index, file, "mistake"));
    }
    cc_json_free(&index);
    /* The trained map is another than that of the first weights. */
    size_t a, b;
    char *before = scratch_read(picture(run, "00000", "before"), &a), *after = scratch_read(picture(run, "00000", "overlay"), &b);
    assert_true(before && after && (a != b || memcmp(before, after, a) != 0));
    free(before);
    free(after);
}

static camcl_image read_picture(const char *run, const char *file, const char *part)
{
    camcl_image image = CAMCL_IMAGE_INIT;
    assert_int_equal(camcl_image_read(picture(run, file, part), &image, NULL), CAMCL_OK);
    return image;
}

/* The greatest difference of a picture's bytes from another's, turned counter-clockwise `turns` times. */
static int difference(const camcl_image *image, const camcl_image *turned, int turns)
{
    const size_t s = image->width;
    int most = 0;
    assert_true(image->height == s && turned->width == s && turned->height == s);
    for (size_t y = 0; y < s; y++)
        for (size_t x = 0; x < s; x++) {
            size_t from_y = y, from_x = x;
            for (int t = 0; t < turns; t++) {
                const size_t old = from_y;
                from_y = from_x;
                from_x = s - 1 - old;
            }
            for (size_t c = 0; c < 3; c++) {
                const int d = abs(image->pixels[(from_y * s + from_x) * 3 + c] - turned->pixels[(y * s + x) * 3 + c]);
                most = d > most ? d : most;
            }
        }
    return most;
}

/* Without crops and flips, T turns: the strong view is the image, turned, and the target is the weak view's map, turned in the same way. */
static void targets_follow_the_image(void **state)
{
    static const char *const files[] = { "00000", "00002", "00005", "00008", "00010", "00013" };
    const char *run = train(*state, "turned",
                            "data.image_size=32 augment.crop_min=1 augment.flip_horizontal=no augment.flip_vertical=no "
                            "augment.rotations=quarter augment.per_image=yes train.epochs=1");
    size_t moved = 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        camcl_image image = read_picture(run, files[i], "image"), seen = read_picture(run, files[i], "seen");
        camcl_image weak = read_picture(run, files[i], "weak"), target = read_picture(run, files[i], "target");
        int turns = 0;
        while (turns < 4 && difference(&image, &seen, turns) > 1)
            turns++;
        if (turns == 4) fail_msg("%s: the strong view is not the image, turned", files[i]);
        if (difference(&weak, &target, turns) > 2) fail_msg("%s: the target is not the weak view's map in %d turns", files[i], turns);
        moved += turns > 0;
        camcl_image_free(&image);
        camcl_image_free(&seen);
        camcl_image_free(&weak);
        camcl_image_free(&target);
    }
    assert_true(moved > 0);

    /* Where T does nothing, the strong view's own map is the target. */
    run = train(*state, "still",
                "data.image_size=32 augment.crop_min=1 augment.flip_horizontal=no augment.flip_vertical=no augment.rotations=none "
                "train.epochs=1");
    cc_json *index = json_load(scratch_path(run, "cams"), "index.json");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const cc_json *entry = entry_of(index, files[i], "spread");
        assert_non_null(entry);
        assert_near(json_number_at(entry, "distance"), 0, "the difference");
        camcl_image overlay = read_picture(run, files[i], "overlay"), weak = read_picture(run, files[i], "weak"),
                    strong = read_picture(run, files[i], "strong");
        assert_true(difference(&overlay, &weak, 0) <= 1 && difference(&weak, &strong, 0) <= 1);
        camcl_image_free(&overlay);
        camcl_image_free(&weak);
        camcl_image_free(&strong);
    }
    cc_json_free(&index);
}

/* ---- again */

/* A picture that is lost makes a run unfinished; a run that goes on leaves no pictures of mistakes that it does not make any more. */
static void pictures_are_whole(void **state)
{
    const char *run = path_of(*state, "pseudo");
    char listed[64][64];
    size_t count = 0;
    assert_int_equal(remove(picture(run, "00001", "before")), 0);
    free(program_prints(*state, "train --quiet '%s/small.ini' 'output.dir=%s' train.epochs=4 optim.lr=0.05 --resume", (char *)*state, run));
    assert_int_equal(access(picture(run, "00001", "before"), F_OK), 0);

    free(program_prints(*state, "train --quiet '%s/small.ini' 'output.dir=%s' train.epochs=9 optim.lr=0.05 --resume", (char *)*state, run));
    cc_json *index = json_load(scratch_path(run, "cams"), "index.json");
    const cc_json *images = list_of(index, "images");
    for (size_t i = 0; i < images->count; i++) {
        const char *file = cc_json_string(cc_json_get(&images->items[i], "file"));
        (void)check_listed(run, &images->items[i]);
        bool known = false;
        for (size_t k = 0; k < count; k++)
            known |= strcmp(listed[k], file) == 0;
        if (!known) snprintf(listed[count++], sizeof listed[0], "%s", file);
    }
    size_t expected = 1; /* index.json */
    for (size_t k = 0; k < count; k++) {
        const cc_json *spread = entry_of(index, listed[k], "spread");
        expected += list_of(spread ? spread : entry_of(index, listed[k], "mistake"), "pictures")->count;
    }
    assert_int_equal(scratch_entries(scratch_path(run, "cams")), expected);
    cc_json_free(&index);
}

/* Maps of before the training are of the weights that the run began with, or there are none. */
static void weights_to_start_from(void **state)
{
    const char *folder = *state, *init = path_of(folder, "init.safetensors");
    char keys[600];
    size_t size;
    char *weights = scratch_read(scratch_path(folder, "supervised/best.safetensors"), &size);
    scratch_write(init, weights, size);
    snprintf(keys, sizeof keys, "'model.init=%s' train.epochs=2 output.save_every=1", init);
    const char *run = train(folder, "from", keys);
    assert_int_equal(access(picture(run, "00000", "before"), F_OK), 0);
    free(weights);

    weights = scratch_read(scratch_path(folder, "turned/best.safetensors"), &size);
    scratch_write(init, weights, size);
    free(weights);
    assert_int_equal(remove(scratch_path(run, "result.json")), 0);
    outcome again = program_run(folder, "train '%s/small.ini' 'output.dir=%s' %s --resume", folder, run, keys);
    assert_int_equal(again.status, 0);
    if (strstr(again.out, "no maps of before the training: the run may have begun with other weights") == NULL)
        fail_msg("nothing is said of other weights: %s", again.out);
    outcome_free(&again);
    cc_json *index = json_load(scratch_path(run, "cams"), "index.json");
    assert_int_equal(check_listed(run, entry_of(index, "00001", "spread")), 3);
    cc_json_free(&index);
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pseudo_labels_add_up),     cmocka_unit_test(details_of_the_test_set), cmocka_unit_test(worst_mistakes),
        cmocka_unit_test(targets_follow_the_image), cmocka_unit_test(pictures_are_whole),      cmocka_unit_test(weights_to_start_from),
    };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
