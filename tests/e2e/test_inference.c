/* eval, predict, cam, report and bench from outside, on the checkpoint of a small run. */
#include <math.h>
#include <setjmp.h>
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
#include "unit/jpeg_samples.h"

enum { CLASSES = 10, TEST_IMAGES = 2000 };

/* One trained run for all tests: a few epochs of a supervised network, so that its classes differ from image to image. */
static int setup(void **state)
{
    if (runs_setup(state) != 0) return -1;
    outcome result =
        program_run(*state,
                    "train --quiet '%s/small.ini' 'output.dir=%s/run' ssl.mode=supervised data.labeled=500 train.batch_labeled=32 "
                    "train.epoch_steps=30 optim.lr=0.1 output.save_every=3",
                    (char *)*state, (char *)*state);
    if (result.status != 0) fprintf(stderr, "%s", result.err);
    int failed = result.status != 0;
    outcome_free(&result);
    return failed;
}

/* The path of best.safetensors, good until 64 more paths are made. */
static const char *checkpoint(void **state) { return scratch_path(*state, "run/best.safetensors"); }

/* ---- eval */

static const char *const eval_members[] = {
    "split", "n", "loss", "top1", "top3", "top5", "ece", "interval", "classes", "reliability", NULL
};

static cc_json *evaluate(void **state, const char *more)
{
    char *out = program_prints(*state, "eval '%s' --json %s", checkpoint(state), more);
    cc_json *json = json_parse_text(out);
    assert_members(json, eval_members);
    free(out);
    return json;
}

static void test_eval(void **state)
{
    cc_json *result = json_load(scratch_path(*state, "run"), "result.json"), *json = evaluate(state, "");
    const cc_json *test = cc_json_get(result, "test");
    assert_string_equal(cc_json_string(cc_json_get(json, "split")), "test");
    assert_true((size_t)json_number_at(json, "n") == TEST_IMAGES);
    static const char *const figures[] = { "top1", "top3", "top5" };
    for (size_t i = 0; i < 3; i++)
        assert_true(fabs(json_number_at(json, figures[i]) - json_number_at(test, figures[i])) < 1e-6);
    assert_true(fabs(json_number_at(json, "loss") - json_number_at(test, "loss")) < 1e-4);
    cc_json_free(&json);

    /* Validation images are those of the run's split: the best row says what comes out. */
    json = evaluate(state, "--split validation");
    assert_true((size_t)json_number_at(json, "n") == 50);
    assert_true(fabs(json_number_at(json, "top1") - json_number_at(cc_json_get(result, "best"), "val_top1")) < 1e-6);
    cc_json_free(&json);
    json = evaluate(state, "--split train");
    assert_string_equal(cc_json_string(cc_json_get(json, "split")), "train");
    assert_true((size_t)json_number_at(json, "n") == 500);
    cc_json_free(&json);
    cc_json_free(&result);

    char *out = program_prints(*state, "eval '%s'", checkpoint(state));
    assert_memory_equal(out, "test: 2000 images", 17);
    free(out);
    program_fails(*state, 2, "--split other|validation", "eval '%s' --split other", checkpoint(state));
}

/* Overrides win over what the run had: another size or normalisation gives other figures, another split seed other images. */
static void test_eval_overrides(void **state)
{
    static const char *const keys[] = { "data.image_size=24", "data.mean=0.9,0.9,0.9", "data.std=1,1,1", "data.seed=9 --split validation" };
    cc_json *plain = evaluate(state, ""), *validation = evaluate(state, "--split validation");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        cc_json *json = evaluate(state, keys[i]), *before = i == 3 ? validation : plain;
        if (!(fabs(json_number_at(json, "loss") - json_number_at(before, "loss")) > 1e-4)) fail_msg("%s changes nothing", keys[i]);
        cc_json_free(&json);
    }
    cc_json *same = evaluate(state, "device.memory=separate data.image_size=16");
    assert_true(fabs(json_number_at(same, "loss") - json_number_at(plain, "loss")) < 1e-4);
    cc_json_free(&same);
    cc_json_free(&plain);
    cc_json_free(&validation);
    program_fails(*state, 2, "data.mean|3 channels", "eval '%s' data.mean=1,2", checkpoint(state));
    program_fails(*state, 1, "mnist", "eval '%s' data.dataset=mnist data.root=nowhere", checkpoint(state));
}

/* The checkpoint knows sizes and normalisation itself, also without config.ini. */
static void test_eval_elsewhere(void **state)
{
    size_t size;
    char *data = scratch_read(checkpoint(state), &size), alone[512], cache[512];
    snprintf(alone, sizeof alone, "%s/alone.safetensors", (char *)*state);
    snprintf(cache, sizeof cache, "%s/cache", (char *)*state);
    scratch_write(alone, data, size);
    free(data);
    char *out = program_prints(*state, "eval '%s' --json data.dataset=shapes 'device.cache_dir=%s'", alone, cache);
    cc_json *json = json_parse_text(out), *plain = evaluate(state, "");
    assert_true(fabs(json_number_at(json, "loss") - json_number_at(plain, "loss")) < 1e-6);
    cc_json_free(&json);
    cc_json_free(&plain);
    free(out);
}

/* NumPy's format by the book: magic, version 1.0, header length, a dict, padding to 64 bytes, float32 in C order. */
static void test_logits(void **state)
{
    const char *path = scratch_path(*state, "logits.npy");
    char keys[600];
    snprintf(keys, sizeof keys, "--logits '%s'", path);
    cc_json *json = evaluate(state, keys);
    size_t size;
    char *file = scratch_read(scratch_path(*state, "logits.npy"), &size);
    assert_non_null(file);
    assert_memory_equal(file, "\x93NUMPY\x01\x00", 8);
    const size_t header = (unsigned char)file[8] + 256u * (unsigned char)file[9];
    assert_int_equal((10 + header) % 64, 0);
    assert_int_equal(size, 10 + header + TEST_IMAGES * CLASSES * sizeof(float));
    assert_int_equal(file[9 + header], '\n');
    file[9 + header] = '\0';
    assert_non_null(strstr(file + 10, "'descr': '<f4'"));
    assert_non_null(strstr(file + 10, "'fortran_order': False"));
    assert_non_null(strstr(file + 10, "'shape': (2000, 10)"));

    /* Labels are not needed to see that rows are images: softmax of rows, and the arg-max of image 0 and 7 as predicted by cam. */
    float *logits = malloc(TEST_IMAGES * CLASSES * sizeof *logits);
    assert_non_null(logits);
    memcpy(logits, file + 10 + header, TEST_IMAGES * CLASSES * sizeof *logits);
    static const size_t images[] = { 0, 7, 1999 };
    char *out = program_prints(*state, "cam '%s' --index 0 7 1999 -o '%s/logit-cams'", checkpoint(state), (char *)*state), *line = out;
    for (size_t i = 0; i < 3; i++) {
        const float *row = logits + images[i] * CLASSES;
        size_t best = 0;
        for (size_t c = 1; c < CLASSES; c++)
            if (row[c] > row[best]) best = c;
        static const char *const names[CLASSES] = { "disc", "ring",  "triangle", "square", "hexagon",
                                                    "star", "cross", "crescent", "arrow",  "heart" };
        char expected[64];
        snprintf(expected, sizeof expected, "%05zu: explains %s, predicted %s", images[i], names[best], names[best]);
        if (strncmp(line, expected, strlen(expected)) != 0) fail_msg("the logits say \"%s\", cam says: %s", expected, line);
        line = strchr(line, '\n') + 1;
    }
    free(out);
    free(logits);
    free(file);
    cc_json_free(&json);
}

/* ---- pictures */

static void write_png(const char *path, uint32_t width, uint32_t height, uint32_t channels)
{
    camcl_image image = CAMCL_IMAGE_INIT;
    camcl_error err = { 0 };
    assert_int_equal(camcl_image_create(width, height, channels, &image, &err), CAMCL_OK);
    for (uint32_t i = 0; i < width * height * channels; i++)
        image.pixels[i] = (uint8_t)(i * 37 % 251);
    if (camcl_image_write_png(path, &image, &err) == CAMCL_UNSUPPORTED) {
        print_message("this build writes no PNG\n");
        camcl_image_free(&image);
        skip();
    }
    camcl_image_free(&image);
}

static void test_predict(void **state)
{
    const char *folder = *state;
    static const char *const members[] = { "file", "class", "label", "probability", NULL };
    static const char *const files[] = { "colour.png", "grey picture.png", "photo.jpg", "again.png" };
    write_png(scratch_path(folder, files[0]), 16, 16, 3);
    write_png(scratch_path(folder, files[1]), 40, 25, 1);
    write_png(scratch_path(folder, files[3]), 16, 16, 3);
    scratch_write(scratch_path(folder, files[2]), jpeg_rgb, sizeof jpeg_rgb);
    char *out = program_prints(folder, "predict --json '%s' '%s/%s' '%s/%s' '%s/%s' '%s/%s'", checkpoint(state), folder, files[0], folder,
                               files[1], folder, files[2], folder, files[3]);
    cc_json *json = json_parse_text(out);
    assert_int_equal(json->kind, CC_JSON_ARRAY);
    assert_int_equal(json->count, 4);
    for (size_t i = 0; i < 4; i++) {
        const cc_json *item = &json->items[i];
        assert_members(item, members);
        assert_string_equal(cc_json_string(cc_json_get(item, "file")), scratch_path(folder, files[i]));
        const double probability = json_number_at(item, "probability");
        assert_true(probability >= 1.0 / CLASSES && probability <= 1);
        assert_true(json_number_at(item, "class") < CLASSES);
        assert_non_null(cc_json_string(cc_json_get(item, "label")));
    }
    /* The same picture gets the same answer wherever it stands. */
    assert_true(fabs(json_number_at(&json->items[0], "probability") - json_number_at(&json->items[3], "probability")) < 1e-6);
    cc_json_free(&json);
    free(out);
    out = program_prints(folder, "predict '%s' '%s/%s'", checkpoint(state), folder, files[0]);
    assert_non_null(strstr(out, "colour.png  "));
    assert_non_null(strstr(out, "%"));
    free(out);
    program_fails(folder, 1, "missing.png", "predict '%s' '%s/missing.png'", checkpoint(state), folder);
    program_fails(folder, 1, "small.ini|not a picture", "predict '%s' '%s/small.ini'", checkpoint(state), folder);
    program_fails(folder, 2, "PATH", "predict '%s'", checkpoint(state));
}

static void check_pictures(const char *folder, const char *name, uint32_t width, uint32_t height)
{
    static const char *const suffixes[] = { "_cam.png", "_overlay.png" };
    for (size_t i = 0; i < 2; i++) {
        char file[128];
        camcl_image image = CAMCL_IMAGE_INIT;
        camcl_error err = { 0 };
        snprintf(file, sizeof file, "%s%s", name, suffixes[i]);
        if (camcl_image_read(scratch_path(folder, file), &image, &err) != CAMCL_OK) fail_msg("%s", err.message);
        /* Enlarged by a whole factor at most, never cut or squeezed. */
        assert_true(image.width % width == 0 && image.height % height == 0 && image.width / width == image.height / height);
        camcl_image_free(&image);
    }
}

static void test_cam_of_files(void **state)
{
    const char *folder = *state;
    char made[512];
    snprintf(made, sizeof made, "%s/cams-of-files", folder);
    write_png(scratch_path(folder, "one.picture.png"), 24, 18, 3);
    scratch_write(scratch_path(folder, "two.jpg"), jpeg_rgb, sizeof jpeg_rgb);
    free(program_prints(folder, "cam '%s' '%s/one.picture.png' '%s/two.jpg' -o '%s'", checkpoint(state), folder, folder, made));
    check_pictures(made, "one.picture", 24, 18);
    check_pictures(made, "two", 16, 8);
    assert_int_equal(scratch_entries(made), 4);
    program_fails(folder, 2, "two", "cam '%s' '%s/two.jpg' '%s/./two.jpg' -o '%s'", checkpoint(state), folder, folder, made);
    program_fails(folder, 1, "missing.png", "cam '%s' '%s/missing.png' -o '%s'", checkpoint(state), folder, made);
}

/* NumPy's array of float32 [N,16,16]; the caller frees. */
static float *load_maps(const char *folder, size_t n)
{
    size_t size;
    char shape[64], *file = scratch_read(scratch_path(folder, "cams.npy"), &size);
    assert_non_null(file);
    assert_memory_equal(file, "\x93NUMPY\x01\x00", 8);
    const size_t header = 10 + (unsigned char)file[8] + 256u * (unsigned char)file[9], bytes = n * 16 * 16 * sizeof(float);
    assert_int_equal(header % 64, 0);
    assert_int_equal(size, header + bytes);
    snprintf(shape, sizeof shape, "'shape': (%zu, 16, 16)", n);
    file[header - 1] = '\0';
    assert_non_null(strstr(file + 10, "'descr': '<f4'"));
    assert_non_null(strstr(file + 10, shape));
    float *maps = malloc(bytes);
    assert_non_null(maps);
    memcpy(maps, file + header, bytes);
    free(file);
    return maps;
}

/* The picture of a map is the map between its least and its largest value. */
static void check_map(const char *folder, const char *name, const float *map)
{
    camcl_image image = CAMCL_IMAGE_INIT;
    camcl_error err = { 0 };
    float least = map[0], most = map[0];
    for (size_t i = 1; i < 16 * 16; i++) {
        if (map[i] < least) least = map[i];
        if (map[i] > most) most = map[i];
    }
    assert_true(most > least && (fabsf(least) > 1e-6f || fabsf(most - 1) > 1e-6f)); /* not scaled to 0..1 */
    assert_int_equal(camcl_image_read(scratch_path(folder, name), &image, &err), CAMCL_OK);
    /* Corners keep their values when it is enlarged. */
    const size_t corners[][3] = { { 0, 0, 0 }, { 15, image.width - 1, 0 }, { 16 * 15, 0, image.height - 1 } };
    for (size_t i = 0; i < 3; i++) {
        const float expected = 255 * (map[corners[i][0]] - least) / (most - least);
        assert_true(fabsf(image.pixels[(corners[i][2] * image.width + corners[i][1]) * image.channels] - expected) < 1.5f);
    }
    camcl_image_free(&image);
}

/* Sub-folders stay below -o, which is made with its parents; a bad picture keeps no other from being explained. */
static void test_cam_of_folders(void **state)
{
    const char *folder = *state;
    char made[512];
    snprintf(made, sizeof made, "%s/new/sub", folder);
    assert_int_equal(mkdir(scratch_path(folder, "photos"), 0777), 0);
    assert_int_equal(mkdir(scratch_path(folder, "photos/in"), 0777), 0);
    write_png(scratch_path(folder, "photos/one.png"), 24, 18, 3);
    write_png(scratch_path(folder, "photos/in/one.png"), 18, 30, 3);
    scratch_write(scratch_path(folder, "photos/in/bad.png"), "bad", 3);
    outcome result = program_run(folder, "cam '%s' '%s/photos' -o '%s' --npy", checkpoint(state), folder, made);
    assert_int_equal(result.status, 1);
    assert_non_null(strstr(result.err, "bad.png"));
    assert_non_null(strstr(result.out, "in/one: explains "));
    outcome_free(&result);
    check_pictures(made, "one", 24, 18);
    check_pictures(made, "in/one", 18, 30);
    assert_int_equal(scratch_entries(made), 4);
    /* As many maps as were drawn, in the order in which they are named. */
    float *maps = load_maps(made, 2);
    check_map(made, "in/one_cam.png", maps);
    check_map(made, "one_cam.png", maps + 16 * 16);
    free(maps);

    assert_int_equal(mkdir(scratch_path(folder, "others"), 0777), 0);
    write_png(scratch_path(folder, "others/one.png"), 24, 18, 3);
    program_fails(folder, 2, "photos/one.png|others/one.png|overwrite", "cam '%s' '%s/photos' '%s/others' -o '%s'", checkpoint(state),
                  folder, folder, made);
    program_fails(folder, 1, "small.ini", "cam '%s' '%s/others' -o '%s/small.ini/sub'", checkpoint(state), folder, folder);
    /* Maps among the pictures would be read as pictures, whether the folder is there or not, and whatever its name. */
    const size_t before = scratch_entries(scratch_path(folder, "photos"));
    program_fails(folder, 2, "which lies in|photos", "cam '%s' '%s/photos' -o '%s/photos'", checkpoint(state), folder, folder);
    program_fails(folder, 2, "which lies in|photos", "cam '%s' '%s/photos/' -o '%s/others/../photos/cams/new'", checkpoint(state), folder,
                  folder);
    assert_int_equal(scratch_entries(scratch_path(folder, "photos")), before);
    free(program_prints(folder, "cam '%s' '%s/others' -o '%s/others-cams'", checkpoint(state), folder, folder));
}

/* Names that leave no room for what is put behind them are cut, between two characters. */
static void test_cam_of_long_names(void **state)
{
    const char *folder = *state;
    char name[300], made[256], drawn[600];
    snprintf(made, sizeof made, "%s/cams-of-long", folder);
    assert_int_equal(mkdir(scratch_path(folder, "long"), 0777), 0);
    memcpy(name, "long/", 5);
    memset(name + 5, 'x', 242);
    memcpy(name + 5 + 242, "\xC3\xA9yyy.png", 10);
    write_png(scratch_path(folder, name), 24, 18, 3);
    write_png(scratch_path(folder, "long/z.png"), 24, 18, 3);
    free(program_prints(folder, "cam '%s' '%s/long' -o '%s'", checkpoint(state), folder, made));
    snprintf(drawn, sizeof drawn, "%s/%.242s_overlay.png", made, name + 5);
    assert_int_equal(access(drawn, F_OK), 0);
    check_pictures(made, "z", 24, 18);
    assert_int_equal(scratch_entries(made), 4);
}

/* With crop the network sees the middle: the map is black beside it, and the picture stays as it is there. */
static void test_cam_of_crop(void **state)
{
    const char *folder = *state;
    camcl_image map = CAMCL_IMAGE_INIT, overlay = CAMCL_IMAGE_INIT, picture = CAMCL_IMAGE_INIT;
    camcl_error err = { 0 };
    write_png(scratch_path(folder, "wide.png"), 400, 200, 3);
    free(program_prints(folder, "cam '%s' '%s/wide.png' -o '%s/crops' data.fit=crop", checkpoint(state), folder, folder));
    assert_int_equal(camcl_image_read(scratch_path(folder, "wide.png"), &picture, &err), CAMCL_OK);
    assert_int_equal(camcl_image_read(scratch_path(folder, "crops/wide_cam.png"), &map, &err), CAMCL_OK);
    assert_int_equal(camcl_image_read(scratch_path(folder, "crops/wide_overlay.png"), &overlay, &err), CAMCL_OK);
    bool drawn = false;
    for (size_t i = 0; i < (size_t)400 * 200; i++) {
        const bool seen = i % 400 >= 100 && i % 400 < 300, same = memcmp(picture.pixels + 3 * i, overlay.pixels + 3 * i, 3) == 0;
        if (!seen) assert_true(same && map.pixels[3 * i] == 0);
        drawn = drawn || (seen && !same && map.pixels[3 * i] > 0);
    }
    assert_true(drawn);
    camcl_image_free(&picture);
    camcl_image_free(&map);
    camcl_image_free(&overlay);
}

static void test_cam_of_data(void **state)
{
    const char *folder = *state;
    char a[512], b[512];
    snprintf(a, sizeof a, "%s/cams-a", folder);
    snprintf(b, sizeof b, "%s/cams-b", folder);
    write_png(scratch_path(folder, "probe.png"), 2, 2, 3);
    char *out = program_prints(folder, "cam '%s' --index 3 1999 --class 4 -o '%s'", checkpoint(state), a);
    assert_non_null(strstr(out, "00003: explains hexagon"));
    assert_non_null(strstr(out, "01999: explains hexagon"));
    free(out);
    check_pictures(a, "00003", 32, 32);
    check_pictures(a, "01999", 32, 32);
    assert_int_equal(scratch_entries(a), 4);
    free(program_prints(folder, "cam '%s' --index 3 1999 --class 4 --npy -o '%s/cams-c'", checkpoint(state), folder));
    float *maps = load_maps(scratch_path(folder, "cams-c"), 2);
    check_map(scratch_path(folder, "cams-c"), "01999_cam.png", maps + 16 * 16);
    free(maps);
    /* More images than are explained at once: the last one's map is what it is alone. */
    free(program_prints(folder, "cam '%s' --index $(seq 0 34) --npy -o '%s/cams-d'", checkpoint(state), folder));
    free(program_prints(folder, "cam '%s' --index 34 --npy -o '%s/cams-e'", checkpoint(state), folder));
    maps = load_maps(scratch_path(folder, "cams-d"), 35);
    float *alone = load_maps(scratch_path(folder, "cams-e"), 1);
    for (size_t i = 0; i < 16 * 16; i++)
        assert_true(fabsf(maps[34 * 16 * 16 + i] - alone[i]) < 1e-4f);
    free(maps);
    free(alone);
    /* A class by name is the same class. */
    free(program_prints(folder, "cam '%s' --class Hexagon -o '%s' --index 3 1999", checkpoint(state), b));
    assert_same_file(a, b, "00003_cam.png");
    assert_same_file(a, b, "01999_overlay.png");
    /* Another class, stage or split gives another map. */
    static const char *const others[] = { "--class 5", "--class 4 --layer 2", "--class 4 ssl.cam_layer=1", "--class 4 --split train",
                                          "--class 4 --split validation" };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        free(program_prints(folder, "cam '%s' --index 3 %s -o '%s'", checkpoint(state), others[i], b));
        if (same_file(a, b, "00003_cam.png")) fail_msg("%s changes nothing", others[i]);
    }
    free(program_prints(folder, "cam '%s' --index 3 --layer 4 --class 4 -o '%s'", checkpoint(state), b));
    program_fails(folder, 2, "--class 10|0 to 9|heart", "cam '%s' --index 0 --class 10 -o '%s'", checkpoint(state), b);
    program_fails(folder, 2, "--class pentagon", "cam '%s' --index 0 --class pentagon -o '%s'", checkpoint(state), b);
    program_fails(folder, 2, "--layer 5|1 to 4", "cam '%s' --index 0 --layer 5 -o '%s'", checkpoint(state), b);
    program_fails(folder, 2, "--index 2000|0 to 1999", "cam '%s' --index 2000 -o '%s'", checkpoint(state), b);
    program_fails(folder, 2, "nothing to explain", "cam '%s'", checkpoint(state));
}

/* ---- report */

/* JSON names the pictures that were written; the opacity changes the overlay and nothing else. */
static void test_cam_json_and_opacity(void **state)
{
    const char *folder = *state;
    char *text = program_prints(folder, "cam '%s' --index 3 1999 --class 4 --json -o '%s/json'", checkpoint(state), folder);
    cc_json *list = json_parse_text(text);
    assert_true(list->kind == CC_JSON_ARRAY && list->count == 2);
    const cc_json *one = &list->items[1];
    assert_members(one, (const char *[]){ "name", "layer", "explained", "explained_label", "predicted", "predicted_label", "blank", "map",
                                          "overlay", NULL });
    assert_string_equal(cc_json_string(cc_json_get(one, "name")), "01999");
    assert_true(json_number_at(one, "explained") == 4 && json_number_at(one, "layer") == 3);
    assert_int_equal(access(cc_json_string(cc_json_get(one, "map")), R_OK), 0);
    assert_int_equal(access(cc_json_string(cc_json_get(one, "overlay")), R_OK), 0);
    cc_json_free(&list);
    free(text);
    free(program_prints(folder, "cam '%s' --index 3 --class 4 --opacity 90 -o '%s/strong'", checkpoint(state), folder));
    const char *plain = scratch_path(folder, "json"), *strong = scratch_path(folder, "strong");
    assert_true(same_file(plain, strong, "00003_cam.png"));
    assert_false(same_file(plain, strong, "00003_overlay.png"));
    program_fails(folder, 2, "--opacity 101|1 to 100", "cam '%s' --index 3 --opacity 101", checkpoint(state));
    program_fails(folder, 2, "--opacity 0", "cam '%s' --index 3 --opacity 0", checkpoint(state));
    /* Only JSON on stdout, also where there is nothing to say. */
    outcome nothing = program_run(folder, "cam '%s' '%s/missing.png' --json -o '%s/json'", checkpoint(state), folder, folder);
    assert_int_equal(nothing.status, 1);
    assert_string_equal(nothing.out, "[\n]\n");
    outcome_free(&nothing);
}

/* What is no file of the same kind stays as it is. */
static void test_other_files_stay(void **state)
{
    const char *folder = *state;
    size_t size;
    scratch_write(scratch_path(folder, "notes.txt"), "mine", 4);
    program_fails(folder, 1, "notes.txt|exists and is not a NumPy array", "eval '%s' --logits '%s/notes.txt'", checkpoint(state), folder);
    program_fails(folder, 1, "notes.txt|exists and is not a list that --pseudo wrote",
                  "predict '%s' '%s/notes.txt' --pseudo '%s/notes.txt'", checkpoint(state), folder, folder);
    char *text = scratch_read(scratch_path(folder, "notes.txt"), &size);
    assert_true(size == 4 && memcmp(text, "mine", 4) == 0);
    free(text);
    /* Its own kind is replaced. */
    for (int i = 0; i < 2; i++)
        free(program_prints(folder, "eval '%s' --logits '%s/again.npy'", checkpoint(state), folder));
}

static void test_report(void **state)
{
    const char *folder = *state;
    char page[512], here[512];
    size_t size;
    free(program_prints(folder, "train --quiet '%s/small.ini' 'output.dir=%s/second' train.epochs=1", folder, folder));
    snprintf(page, sizeof page, "%s/run/report.html", folder);
    assert_int_equal(unlink(page), 0);
    free(program_prints(folder, "report '%s/run'", folder));
    char *text = scratch_read(page, &size);
    assert_non_null(text);
    assert_int_equal(strncmp(text, "<!", 2), 0);
    assert_non_null(strstr(text, "</html>"));
    assert_null(strstr(text, "src=\"http")); /* self-contained */
    free(text);

    /* Several runs: one page in the working directory. */
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(folder), 0);
    free(program_prints(folder, "report run second"));
    assert_int_equal(chdir(here), 0);
    text = scratch_read(scratch_path(folder, "report.html"), &size);
    assert_non_null(text);
    assert_non_null(strstr(text, "second"));
    free(text);
    program_fails(folder, 1, "nowhere", "report nowhere");
    program_fails(folder, 2, "RUN_DIR", "report");
}

/* ---- bench */

static void check_bench(void **state, const char *device)
{
    static const char *const members[] = { "device", "supervised", "pseudo-label", "gradcam", "infer", NULL }, *const figures[] = {
        "ms_per_step", "images_per_s", "peak_bytes", NULL
    };
    static const double images[] = { 8, 20, 20, 256 };
    char *out = program_prints(*state,
                               "bench step --json model.width=4 data.image_size=16 train.batch_labeled=8 train.batch_unlabeled=12 "
                               "'device.cache_dir=%s/cache' %s",
                               (char *)*state, device);
    cc_json *json = json_parse_text(out);
    assert_members(json, members);
    assert_non_null(cc_json_string(cc_json_get(json, "device")));
    for (size_t i = 0; i < 4; i++) {
        const cc_json *mode = cc_json_get(json, members[i + 1]);
        assert_members(mode, figures);
        const double ms = json_number_at(mode, "ms_per_step"), rate = json_number_at(mode, "images_per_s");
        assert_true(ms > 0 && json_number_at(mode, "peak_bytes") > 0);
        if (!(fabs(rate * ms / 1e3 - images[i]) < 1e-3 * images[i])) fail_msg("%s: %g ms and %g images/s", members[i + 1], ms, rate);
    }
    cc_json_free(&json);
    free(out);
}

static void test_bench(void **state)
{
    char selectors[16][16];
    size_t count = other_devices(selectors);
    check_bench(state, "");
    for (size_t i = 0; i < count; i++) {
        char key[64];
        snprintf(key, sizeof key, "device.select=%s", selectors[i]);
        check_bench(state, key);
    }
}

/* A checkpoint gives the same figures on every device, to rounding. */
static void test_other_devices(void **state)
{
    char selectors[16][16];
    size_t count = other_devices(selectors);
    if (count == 0) {
        print_message("no other device\n");
        skip();
    }
    cc_json *plain = evaluate(state, "--split train");
    for (size_t i = 0; i < count; i++) {
        char key[64];
        snprintf(key, sizeof key, "--split train device.select=%s", selectors[i]);
        cc_json *json = evaluate(state, key);
        assert_true(fabs(json_number_at(json, "loss") - json_number_at(plain, "loss")) < 1e-3);
        assert_true(fabs(json_number_at(json, "top1") - json_number_at(plain, "top1")) < 0.5);
        cc_json_free(&json);
    }
    cc_json_free(&plain);
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eval),
        cmocka_unit_test(test_eval_overrides),
        cmocka_unit_test(test_eval_elsewhere),
        cmocka_unit_test(test_logits),
        cmocka_unit_test(test_predict),
        cmocka_unit_test(test_cam_of_files),
        cmocka_unit_test(test_cam_of_folders),
        cmocka_unit_test(test_cam_of_crop),
        cmocka_unit_test(test_cam_of_data),
        cmocka_unit_test(test_cam_of_long_names),
        cmocka_unit_test(test_cam_json_and_opacity),
        cmocka_unit_test(test_other_files_stay),
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_bench),
        cmocka_unit_test(test_other_devices),
    };
    return cmocka_run_group_tests(tests, setup, runs_teardown);
}
