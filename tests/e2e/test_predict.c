/* camcl predict over files and folders, from outside, on the checkpoint of a small run. */
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

enum { CLASSES = 10, SIDE = 16 };

static int setup(void **state)
{
    if (runs_setup(state) != 0) return -1;
    outcome result = program_run(*state, "train --quiet '%s/small.ini' 'output.dir=%s/run' ssl.mode=supervised train.epochs=1",
                                 (char *)*state, (char *)*state);
    if (result.status != 0) fprintf(stderr, "%s", result.err);
    int failed = result.status != 0;
    outcome_free(&result);
    return failed;
}

static const char *checkpoint(void **state) { return scratch_path(*state, "run/best.safetensors"); }

/* ---- pictures to predict */

/* A pattern that differs from seed to seed. */
static camcl_image pattern(uint32_t width, uint32_t height, uint32_t seed)
{
    camcl_image image = CAMCL_IMAGE_INIT;
    camcl_error err = { 0 };
    assert_int_equal(camcl_image_create(width, height, 3, &image, &err), CAMCL_OK);
    for (uint32_t i = 0; i < width * height * 3; i++)
        image.pixels[i] = (uint8_t)((i * (37 + 12 * seed) + (i / 48) * seed * 31) % 251);
    return image;
}

/* Writes and frees it. */
static void write_picture(const char *folder, const char *name, camcl_image image)
{
    camcl_error err = { 0 };
    camcl_status status = camcl_image_write_png(scratch_path(folder, name), &image, &err);
    camcl_image_free(&image);
    if (status == CAMCL_UNSUPPORTED) {
        print_message("this build writes no PNG\n");
        skip();
    }
    if (status != CAMCL_OK) fail_msg("%s", err.message);
}

static const char *make_folder(const char *folder, const char *name)
{
    const char *path = scratch_path(folder, name);
    assert_int_equal(mkdir(path, 0777), 0);
    return path;
}

/* folder/NAME/ with pictures a.png, b/c.PNG and b/d/e.png, a file that is none, and a hidden one. */
static void make_tree(const char *folder, const char *name)
{
    char path[256];
    static const char *const folders[] = { "", "/b", "/b/d" }, *const files[] = { "/a.png", "/b/c.PNG", "/b/d/e.png", "/.hidden.png" };
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", name, folders[i]);
        make_folder(folder, path);
    }
    for (uint32_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s%s", name, files[i]);
        write_picture(folder, path, pattern(SIDE, SIDE, i));
    }
    snprintf(path, sizeof path, "%s/b/notes.txt", name);
    scratch_write(scratch_path(folder, path), "no picture\n", 11);
}

/* ---- answers */

static const cc_json *answer(const cc_json *json, size_t i)
{
    assert_true(i < json->count);
    return &json->items[i];
}

static double probability(const cc_json *item) { return json_number_at(item, "probability"); }

static void assert_file(const cc_json *item, const char *folder, const char *name)
{
    assert_string_equal(cc_json_string(cc_json_get(item, "file")), scratch_path(folder, name));
}

/* The answer to one picture with more arguments. */
static double predict_one(void **state, const char *name, const char *more)
{
    char *out = program_prints(*state, "predict --json '%s' '%s' %s", checkpoint(state), scratch_path(*state, name), more);
    cc_json *json = json_parse_text(out);
    double value = probability(answer(json, 0));
    cc_json_free(&json);
    free(out);
    return value;
}

/* ---- tests */

static void test_folder(void **state)
{
    const char *folder = *state;
    make_tree(folder, "tree");
    outcome result = program_run(folder, "predict --json '%s' '%s/tree' '%s/tree/b/d/e.png'", checkpoint(state), folder, folder);
    assert_int_equal(result.status, 0);
    cc_json *json = json_parse_text(result.out);
    assert_int_equal(json->count, 4);
    assert_file(answer(json, 0), folder, "tree/a.png");
    assert_file(answer(json, 1), folder, "tree/b/c.PNG");
    assert_file(answer(json, 2), folder, "tree/b/d/e.png");
    assert_file(answer(json, 3), folder, "tree/b/d/e.png");
    assert_true(probability(answer(json, 2)) == probability(answer(json, 3)));
    assert_true(fabs(probability(answer(json, 0)) - probability(answer(json, 1))) > 1e-6);
    /* What is left out is said once, by kind. */
    assert_non_null(strstr(result.err, "left out"));
    assert_non_null(strstr(result.err, "1 .txt"));
    assert_non_null(strstr(result.err, "notes.txt"));
    cc_json_free(&json);
    outcome_free(&result);

    /* The checkpoint is a file, not the run, and comes first. */
    program_fails(folder, 1, "tree: a folder, not a checkpoint", "predict '%s/tree' '%s'", folder, checkpoint(state));

    make_folder(folder, "empty");
    program_fails(folder, 1, "empty: no picture", "predict '%s' '%s/empty'", checkpoint(state), folder);
}

/* Bad files stand in no good one's way, in any form of output. */
static void test_bad_files(void **state)
{
    const char *folder = *state;
    make_folder(folder, "mixed");
    write_picture(folder, "mixed/good1.png", pattern(20, 10, 1));
    write_picture(folder, "mixed/good2.png", pattern(10, 20, 2));
    size_t size;
    char *data = scratch_read(scratch_path(folder, "mixed/good1.png"), &size);
    scratch_write(scratch_path(folder, "mixed/bad.png"), data, size / 2);
    free(data);
    static const char *const forms[] = { "", "--json", "--csv", "--json --top 3" };
    for (size_t i = 0; i < 4; i++) {
        outcome result = program_run(folder, "predict %s '%s' '%s/nowhere.png' '%s/mixed'", forms[i], checkpoint(state), folder, folder);
        assert_int_equal(result.status, 1);
        assert_non_null(strstr(result.out, "good1.png"));
        assert_non_null(strstr(result.out, "good2.png"));
        assert_null(strstr(result.out, "bad.png"));
        assert_null(strstr(result.out, "nowhere.png"));
        assert_non_null(strstr(result.err, "bad.png"));
        assert_non_null(strstr(result.err, "nowhere.png"));
        assert_non_null(strstr(result.err, "2 of 4 pictures"));
        if (strstr(forms[i], "json")) {
            cc_json *json = json_parse_text(result.out);
            assert_int_equal(json->count, 2);
            cc_json_free(&json);
        }
        outcome_free(&result);
    }
    outcome result = program_run(folder, "predict --json '%s' '%s/mixed/bad.png'", checkpoint(state), folder);
    assert_int_equal(result.status, 1);
    cc_json *json = json_parse_text(result.out);
    assert_int_equal(json->kind, CC_JSON_ARRAY);
    assert_int_equal(json->count, 0);
    cc_json_free(&json);
    outcome_free(&result);
}

static void test_top(void **state)
{
    static const char *const members[] = { "file", "class", "label", "probability", "top", NULL }, *const inner[] = { "class", "label",
                                                                                                                      "probability", NULL };
    const char *folder = *state;
    write_picture(folder, "top.png", pattern(SIDE, SIDE, 5));
    char *out = program_prints(folder, "predict --json --top 99 '%s' '%s/top.png'", checkpoint(state), folder);
    cc_json *json = json_parse_text(out);
    const cc_json *item = answer(json, 0), *top = cc_json_get(item, "top");
    assert_members(item, members);
    assert_int_equal(top->count, CLASSES); /* there are no more */
    double sum = 0, before = 1;
    bool seen[CLASSES] = { false };
    for (size_t i = 0; i < CLASSES; i++) {
        const double value = probability(&top->items[i]);
        const size_t class = (size_t)json_number_at(&top->items[i], "class");
        assert_members(&top->items[i], inner);
        assert_true(value <= before && class < CLASSES && !seen[class]);
        seen[class] = true;
        sum += before = value;
    }
    assert_true(fabs(sum - 1) < 1e-5);
    assert_true(json_number_at(&top->items[0], "class") == json_number_at(item, "class"));
    assert_true(probability(&top->items[0]) == probability(item));
    char second[64];
    snprintf(second, sizeof second, "%s", cc_json_string(cc_json_get(&top->items[1], "label")));
    cc_json_free(&json);
    free(out);

    out = program_prints(folder, "predict --csv --top 2 '%s' '%s/top.png'", checkpoint(state), folder);
    static const char header[] = "path,label,probability,label2,probability2\n";
    assert_memory_equal(out, header, sizeof header - 1);
    char expected[80];
    snprintf(expected, sizeof expected, ",%s,", second);
    assert_non_null(strstr(out + sizeof header, expected));
    free(out);
    out = program_prints(folder, "predict --top=2 '%s' '%s/top.png'", checkpoint(state), folder);
    assert_non_null(strstr(out, second));
    free(out);
    program_fails(folder, 2, "--top 0|from 1 on", "predict --top 0 '%s' '%s/top.png'", checkpoint(state), folder);
    program_fails(folder, 2, "--json and --csv", "predict --csv --json '%s' '%s/top.png'", checkpoint(state), folder);
}

/* A name with everything that CSV has to quote. */
static void test_csv(void **state)
{
    const char *folder = *state;
    write_picture(folder, "a \"b\",\nc.png", pattern(SIDE, SIDE, 3));
    outcome result = program_run(folder, "predict --csv '%s' '%s/a \"b\",\nc.png'", checkpoint(state), folder);
    assert_int_equal(result.status, 0);
    char expected[400];
    snprintf(expected, sizeof expected, "path,label,probability\n\"%s/a \"\"b\"\",\nc.png\",", folder);
    assert_memory_equal(result.out, expected, strlen(expected));
    outcome_free(&result);
}

/* The rows of a list that predict wrote, the header left out. */
static size_t pseudo_rows(const char *folder, const char *list, char **text)
{
    static const char header[] = "path,label,probability\n";
    size_t size, rows = 0;
    *text = scratch_read(scratch_path(folder, list), &size);
    assert_non_null(*text);
    assert_memory_equal(*text, header, sizeof header - 1);
    for (const char *p = *text + sizeof header - 1; *p; p++)
        rows += *p == '\n';
    return rows;
}

static void test_pseudo(void **state)
{
    const char *folder = *state;
    char *text, lists[256];
    make_tree(folder, "unknown");
    snprintf(lists, sizeof lists, "%s", make_folder(folder, "lists"));
    outcome result =
        program_run(folder, "predict '%s' '%s/unknown' --pseudo '%s/all.csv' ssl.threshold=0", checkpoint(state), folder, lists);
    assert_int_equal(result.status, 0);
    assert_non_null(strstr(result.err, "3 of 3"));
    outcome_free(&result);
    /* Seen from the list's own folder. */
    assert_int_equal(pseudo_rows(folder, "lists/all.csv", &text), 3);
    assert_non_null(strstr(text, "\n../unknown/a.png,"));
    assert_non_null(strstr(text, "\n../unknown/b/d/e.png,"));
    free(text);
    assert_int_equal(scratch_entries(lists), 1);

    /* The run's own threshold_end is 0.3; each key of the command line wins over it, threshold_end over threshold. */
    static const struct {
        const char *keys;
        double threshold;
    } rows[] = {
        { "", 0.3 }, { "ssl.threshold=0.15", 0.15 }, { "ssl.threshold_end=1.5", 1.5 }, { "ssl.threshold=0 ssl.threshold_end=2", 2 }
    };
    char *out = program_prints(folder, "predict --json '%s' '%s/unknown'", checkpoint(state), folder);
    cc_json *json = json_parse_text(out);
    for (size_t i = 0; i < 4; i++) {
        size_t expected = 0;
        for (size_t k = 0; k < json->count; k++)
            expected += probability(answer(json, k)) >= rows[i].threshold;
        free(program_prints(folder, "predict '%s' '%s/unknown' --pseudo '%s/unknown/some.csv' %s", checkpoint(state), folder, folder,
                            rows[i].keys));
        assert_int_equal(pseudo_rows(folder, "unknown/some.csv", &text), expected);
        if (expected) assert_null(strstr(text, "unknown/"));
        free(text);
    }
    cc_json_free(&json);
    free(out);

    /* What has nothing in common with the list's folder but the root is named from there. */
    if (strncmp(folder, "/dev/", 5) != 0 && access("/dev/shm", W_OK) == 0) {
        char far[64];
        snprintf(far, sizeof far, "/dev/shm/camcl-test-%ld.csv", (long)getpid());
        free(program_prints(folder, "predict '%s' '%s/unknown/a.png' --pseudo %s ssl.threshold=0", checkpoint(state), folder, far));
        size_t size;
        text = scratch_read(far, &size);
        unlink(far);
        assert_non_null(strstr(text, "\n/"));
        free(text);
    }
    program_fails(folder, 1, "no/such", "predict '%s' '%s/unknown' --pseudo '%s/no/such/list.csv'", checkpoint(state), folder, folder);
}

/* What predict writes is a data set: its rows, and one more of another class. */
static void test_pseudo_is_read_back(void **state)
{
    const char *folder = *state;
    char *text, more[] = "../answered/.hidden.png,other,1\n";
    make_tree(folder, "answered");
    make_folder(folder, "written");
    free(program_prints(folder, "predict '%s' '%s/answered' --pseudo '%s/written/list.csv' ssl.threshold=0", checkpoint(state), folder,
                        folder));
    assert_int_equal(pseudo_rows(folder, "written/list.csv", &text), 3);
    text = realloc(text, strlen(text) + sizeof more);
    assert_non_null(text);
    strcat(text, more);
    scratch_write(scratch_path(folder, "written/list.csv"), text, strlen(text));
    char *out = program_prints(folder,
                               "data inspect --json '%s/small.ini' data.dataset=list 'data.root=%s/written/list.csv' data.labeled=all "
                               "data.balanced=no data.unlabeled=auto data.validation=0 data.test_share=0 -o '%s/written/sheet.png'",
                               folder, folder, folder);
    cc_json *json = json_parse_text(out);
    const cc_json *classes = cc_json_get(json, "classes");
    int labeled = 0;
    for (size_t i = 0; i < classes->count; i++) {
        const char *label = cc_json_string(cc_json_get(&classes->items[i], "label"));
        labeled += (int)json_number_at(&classes->items[i], "labeled");
        assert_non_null(strstr(text, label));
    }
    assert_int_equal(labeled, 4);
    cc_json_free(&json);
    free(out);
    free(text);
}

/* An older list stays where the new one cannot be written, or what it is made of cannot be used. */
static void test_pseudo_is_whole(void **state)
{
    const char *folder = *state;
    char place[256];
    size_t size;
    snprintf(place, sizeof place, "%s", make_folder(folder, "whole"));
    make_folder(folder, "many");
    for (uint32_t i = 0; i < 40; i++) {
        char name[64];
        snprintf(name, sizeof name, "many/a-rather-long-name-for-a-picture-%02u.png", (unsigned)i);
        write_picture(folder, name, pattern(SIDE, SIDE, 1));
    }
    scratch_write(scratch_path(folder, "whole/list.csv"), "old\n", 4);
    scratch_limit_files(1024);
    outcome result = program_run(folder, "predict --csv '%s' '%s/many' --pseudo '%s/list.csv' ssl.threshold=0 >/dev/null",
                                 checkpoint(state), folder, place);
    scratch_unlimit_files();
    assert_int_equal(result.status, 1);
    assert_non_null(strstr(result.err, "list.csv"));
    outcome_free(&result);
    program_fails(folder, 1, "nowhere", "predict nowhere.safetensors '%s/many' --pseudo '%s/list.csv'", folder, place);
    char *text = scratch_read(scratch_path(folder, "whole/list.csv"), &size);
    assert_int_equal(size, 4);
    assert_memory_equal(text, "old\n", 4);
    free(text);
    assert_int_equal(scratch_entries(place), 1);
}

/* More pictures than are read at once: all are answered, each with its own answer, in their order. */
static void test_many(void **state)
{
    enum { MANY = 300, BAD = 280 };
    const char *folder = *state;
    char name[64];
    make_folder(folder, "hundreds");
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "hundreds/%03u.png", (unsigned)i);
        if (i == BAD)
            scratch_write(scratch_path(folder, name), "bad", 3);
        else
            write_picture(folder, name, pattern(SIDE, SIDE, i % 7));
    }
    outcome result = program_run(folder, "predict --json '%s' '%s/hundreds'", checkpoint(state), folder);
    assert_int_equal(result.status, 1);
    assert_non_null(strstr(result.err, "280.png"));
    cc_json *json = json_parse_text(result.out);
    assert_int_equal(json->count, MANY - 1);
    for (uint32_t i = 0, row = 0; i < MANY; i++) {
        if (i == BAD) continue;
        snprintf(name, sizeof name, "hundreds/%03u.png", (unsigned)i);
        const cc_json *item = answer(json, row++);
        assert_file(item, folder, name);
        assert_true(fabs(probability(item) - probability(answer(json, i % 7))) < 1e-5);
    }
    cc_json_free(&json);
    outcome_free(&result);
}

/* How a picture becomes a square: the middle by crop, bars by pad; the checkpoint says which, and data.fit wins. */
static void test_fit(void **state)
{
    const char *folder = *state;
    camcl_image wide = pattern(2 * SIDE, SIDE, 4), middle = pattern(SIDE, SIDE, 0), bars = pattern(2 * SIDE, 2 * SIDE, 0);
    memset(bars.pixels, 0, (size_t)2 * SIDE * 2 * SIDE * 3);
    for (size_t y = 0; y < SIDE; y++) {
        memcpy(middle.pixels + y * SIDE * 3, wide.pixels + (y * 2 * SIDE + SIDE / 2) * 3, SIDE * 3);
        memcpy(bars.pixels + (y + SIDE / 2) * 2 * SIDE * 3, wide.pixels + y * 2 * SIDE * 3, 2 * SIDE * 3);
    }
    write_picture(folder, "wide.png", wide);
    write_picture(folder, "middle.png", middle);
    write_picture(folder, "bars.png", bars);
    const double stretched = predict_one(state, "wide.png", ""), cropped = predict_one(state, "middle.png", ""),
                 padded = predict_one(state, "bars.png", "data.image_size=32");
    assert_true(fabs(stretched - cropped) > 1e-4);
    assert_true(fabs(predict_one(state, "wide.png", "data.fit=crop") - cropped) < 1e-6);
    assert_true(fabs(predict_one(state, "wide.png", "data.fit=pad data.image_size=32") - padded) < 1e-6);

    size_t size;
    char *file = scratch_read(checkpoint(state), &size), *fit = strstr(file + 8, "\"fit\":\"stretch\"");
    assert_non_null(fit);
    memcpy(fit, "\"fit\":\"crop\"   ", 15);
    scratch_write(scratch_path(folder, "run/cropping.safetensors"), file, size);
    free(file);
    char *out = program_prints(folder, "predict --json '%s/run/cropping.safetensors' '%s/wide.png'", folder, folder);
    cc_json *json = json_parse_text(out);
    assert_true(fabs(probability(answer(json, 0)) - cropped) < 1e-6);
    cc_json_free(&json);
    free(out);
}

/* A photo that lies on its side and says so is turned before the network sees it. */
static void test_orientation(void **state)
{
    /* APP1: EXIF, big-endian, one entry: orientation (0x112), SHORT, 1 value: 6, turned by a quarter. */
    static const unsigned char app1[] = { 0xff, 0xe1, 0, 34,   'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8,
                                          0,    1,    1, 0x12, 0,   3,   0,   0,   0, 1, 0,   6,   0, 0,  0, 0, 0, 0 };
    const char *folder = *state;
    unsigned char tagged[sizeof jpeg_rgb + sizeof app1];
    memcpy(tagged, jpeg_rgb, 2);
    memcpy(tagged + 2, app1, sizeof app1);
    memcpy(tagged + 2 + sizeof app1, jpeg_rgb + 2, sizeof jpeg_rgb - 2);
    scratch_write(scratch_path(folder, "sideways.jpg"), tagged, sizeof tagged);
    scratch_write(scratch_path(folder, "plain.jpg"), jpeg_rgb, sizeof jpeg_rgb);
    camcl_image stored = CAMCL_IMAGE_INIT, turned = CAMCL_IMAGE_INIT;
    camcl_error err = { 0 };
    camcl_status status = camcl_image_read(scratch_path(folder, "plain.jpg"), &stored, &err);
    if (status == CAMCL_UNSUPPORTED) {
        print_message("this build reads no JPEG\n");
        skip();
    }
    assert_int_equal(status, CAMCL_OK);
    assert_int_equal(camcl_image_create(stored.height, stored.width, 3, &turned, &err), CAMCL_OK);
    for (size_t y = 0; y < turned.height; y++) /* clockwise */
        for (size_t x = 0; x < turned.width; x++)
            memcpy(turned.pixels + (y * turned.width + x) * 3, stored.pixels + ((stored.height - 1 - x) * stored.width + y) * 3, 3);
    camcl_image_free(&stored);
    write_picture(folder, "upright.png", turned);
    const double upright = predict_one(state, "upright.png", "");
    const bool orients = fabs(predict_one(state, "sideways.jpg", "") - upright) < 1e-6;
    camcl_image_about about;
    assert_int_equal(camcl_image_probe(scratch_path(folder, "sideways.jpg"), &about, &err), CAMCL_OK);
    if (about.width == 16) {
        print_message("this build reads no EXIF\n");
        skip();
    }
    assert_true(orients);
    assert_true(fabs(predict_one(state, "plain.jpg", "") - upright) > 1e-5);
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_top),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_pseudo),
        cmocka_unit_test(test_pseudo_is_read_back),
        cmocka_unit_test(test_pseudo_is_whole),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_fit),
        cmocka_unit_test(test_orientation),
    };
    return cmocka_run_group_tests(tests, setup, runs_teardown);
}
