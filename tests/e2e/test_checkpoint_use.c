/* Checkpoints away from their run, with data of other classes, and with weights that cannot serve: never a wrong figure without a word. */
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
#include "run/safetensors.h"
#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"

enum { CLASSES = 10 };

/* One trained run for all tests, long enough that classes differ. */
static int setup(void **state)
{
    if (runs_setup(state) != 0) return -1;
    outcome result = program_run(*state,
                                 "train --quiet '%s/small.ini' 'output.dir=%s/run' ssl.mode=supervised data.labeled=100 "
                                 "train.batch_labeled=32 train.epochs=1 train.epoch_steps=30 optim.lr=0.1",
                                 (char *)*state, (char *)*state);
    if (result.status != 0) fprintf(stderr, "%s", result.err);
    int failed = result.status != 0;
    outcome_free(&result);
    return failed;
}

/* ---- changing a checkpoint */

typedef struct edited_file {
    cc_safetensors *source;
    cc_st_tensor tensors[160];
    cc_st_pair pairs[16];
    size_t count, pair_count;
} edited_file;

static edited_file *edit_open(void **state)
{
    static const char *const keys[] = { "format",      "version", "arch", "stem",       "width", "classes", "channels",
                                        "class_names", "mean",    "std",  "image_size", "step",  "dataset", "fit" };
    camcl_error err = { 0 };
    edited_file *e = calloc(1, sizeof *e);
    assert_non_null(e);
    if (cc_safetensors_read(scratch_path(*state, "run/best.safetensors"), &e->source, &err) != CAMCL_OK) fail_msg("%s", err.message);
    e->count = cc_safetensors_count(e->source);
    assert_true(e->count < sizeof e->tensors / sizeof e->tensors[0]);
    for (size_t i = 0; i < e->count; i++)
        e->tensors[i] = *cc_safetensors_at(e->source, i);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *value = cc_safetensors_metadata(e->source, keys[i]);
        if (value) e->pairs[e->pair_count++] = (cc_st_pair){ keys[i], value };
    }
    return e;
}

/* value NULL takes the key away. */
static void edit_metadata(edited_file *e, const char *key, const char *value)
{
    for (size_t i = 0; i < e->pair_count; i++) {
        if (strcmp(e->pairs[i].key, key) != 0) continue;
        if (value)
            e->pairs[i].value = value;
        else
            e->pairs[i] = e->pairs[--e->pair_count];
        return;
    }
    if (value) e->pairs[e->pair_count++] = (cc_st_pair){ key, value };
}

/* A copy of the tensor's values that takes their place; *kept is to be freed after edit_save. */
static float *edit_values(edited_file *e, const char *name, float **kept)
{
    for (size_t i = 0; i < e->count; i++) {
        if (strcmp(e->tensors[i].name, name) != 0) continue;
        const size_t bytes = cc_st_elements(&e->tensors[i]) * sizeof(float);
        float *values = malloc(bytes);
        assert_non_null(values);
        memcpy(values, e->tensors[i].data, bytes);
        e->tensors[i].data = values;
        return *kept = values;
    }
    fail_msg("no tensor %s", name);
    return NULL;
}

static size_t classifier_columns(const edited_file *e)
{
    for (size_t i = 0; i < e->count; i++)
        if (strcmp(e->tensors[i].name, "fc.weight") == 0) return e->tensors[i].shape[1];
    fail_msg("no classifier");
    return 0;
}

/* Writes DIR/name and frees what was opened. */
static const char *edit_save(void **state, edited_file *e, const char *name)
{
    camcl_error err = { 0 };
    const char *path = scratch_path(*state, name);
    if (cc_safetensors_write(path, e->tensors, e->count, e->pairs, e->pair_count, &err) != CAMCL_OK) fail_msg("%s", err.message);
    cc_safetensors_free(&e->source);
    free(e);
    return path;
}

static cc_json *evaluate(void **state, const char *checkpoint, const char *more)
{
    char *out = program_prints(*state, "eval '%s' --json 'device.cache_dir=%s/cache' %s", checkpoint, (char *)*state, more);
    cc_json *json = json_parse_text(out);
    free(out);
    return json;
}

static void assert_same_figures(const cc_json *a, const cc_json *b)
{
    assert_true(fabs(json_number_at(a, "loss") - json_number_at(b, "loss")) < 1e-4);
    assert_true(fabs(json_number_at(a, "top1") - json_number_at(b, "top1")) < 1e-6);
}

/* ---- classes */

#define BACKWARDS "[\"heart\",\"arrow\",\"crescent\",\"cross\",\"star\",\"hexagon\",\"square\",\"triangle\",\"ring\",\"disc\"]"

static void swap_rows(float *values, size_t columns)
{
    for (size_t c = 0; c < CLASSES / 2; c++)
        for (size_t k = 0; k < columns; k++) {
            float *a = &values[c * columns + k], *b = &values[(CLASSES - 1 - c) * columns + k], kept = *a;
            *a = *b;
            *b = kept;
        }
}

/* The same network with its classes in another order is the same network. */
static void classes_are_matched_by_name(void **state)
{
    edited_file *e = edit_open(state);
    float *weight, *bias;
    edit_values(e, "fc.weight", &weight);
    edit_values(e, "fc.bias", &bias);
    swap_rows(weight, classifier_columns(e));
    swap_rows(bias, 1);
    edit_metadata(e, "class_names", BACKWARDS);
    const char *path = edit_save(state, e, "run/backwards.safetensors");
    cc_json *plain = evaluate(state, scratch_path(*state, "run/best.safetensors"), ""), *same = evaluate(state, path, "");
    assert_same_figures(plain, same);
    cc_json_free(&plain);
    cc_json_free(&same);
    free(weight);
    free(bias);
}

static void other_classes_are_refused(void **state)
{
    edited_file *e = edit_open(state);
    edit_metadata(e, "class_names",
                  "[\"disc\",\"ring\",\"triangle\",\"square\",\"zebra\\u001b[31m\",\"star\",\"cross\",\"crescent\",\"arrow\",\"heart\"]");
    const char *path = edit_save(state, e, "run/zebra.safetensors");
    static const char *const commands[] = { "eval", "cam --index 0" };
    for (size_t i = 0; i < 2; i++)
        program_fails(*state, 1,
                      "shapes|'hexagon'|data set: disc, ring, triangle, square, hexagon, star|model: disc, ring, triangle, square, "
                      "zebra\\x1b[31m, star",
                      "%s '%s'", commands[i], path);
    outcome result = program_run(*state, "eval '%s'", path);
    assert_null(strchr(result.err, '\x1b'));
    outcome_free(&result);
}

/* IDX files of two images, so that a data set of one channel is there. */
static void write_idx(void **state, const char *name, bool images)
{
    unsigned char file[16 + 2 * 784] = { 0, 0, 8, images ? 3 : 1, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28 };
    scratch_write(scratch_path(*state, name), file, images ? sizeof file : 10);
}

static void other_channels_are_refused(void **state)
{
    write_idx(state, "train-images-idx3-ubyte", true);
    write_idx(state, "train-labels-idx1-ubyte", false);
    write_idx(state, "t10k-images-idx3-ubyte", true);
    write_idx(state, "t10k-labels-idx1-ubyte", false);
    program_fails(*state, 1, "mnist|1 channels|the model 3", "eval '%s/run/best.safetensors' data.dataset=mnist 'data.root=%s'",
                  (char *)*state, (char *)*state);
}

/* ---- without config.ini */

static void alone_the_checkpoint_names_its_data(void **state)
{
    const char *path = edit_save(state, edit_open(state), "alone.safetensors");
    cc_json *plain = evaluate(state, scratch_path(*state, "run/best.safetensors"), ""), *same = evaluate(state, path, "");
    assert_same_figures(plain, same);
    cc_json_free(&plain);
    cc_json_free(&same);
    /* The command line wins. */
    program_fails(*state, 1, "mnist", "eval '%s' data.dataset=mnist data.root=nowhere", path);
    /* Which images were held out stands in the config.ini alone; keys that say it will do. */
    program_fails(*state, 1, "config.ini|data.seed", "eval '%s' --split validation", path);
    program_fails(*state, 1, "config.ini|data.seed", "cam '%s' --index 0 --split train data.seed=1", path);
    same = evaluate(state, path, "--split train data.labeled=100 data.validation=50 data.seed=1");
    assert_true((size_t)json_number_at(same, "n") == 100);
    cc_json_free(&same);
}

static void alone_a_folder_is_nowhere(void **state)
{
    edited_file *e = edit_open(state);
    edit_metadata(e, "dataset", "folder");
    const char *path = edit_save(state, e, "of-a-folder.safetensors");
    program_fails(*state, 1, "of-a-folder.safetensors|config.ini|data.root=", "eval '%s'", path);
    program_fails(*state, 1, "of-a-folder.safetensors|config.ini|data.root=", "cam '%s' --index 0", path);
    program_fails(*state, 1, "nowhere", "eval '%s' data.root=nowhere", path);
}

static void alone_an_old_checkpoint_has_to_be_told(void **state)
{
    edited_file *e = edit_open(state);
    edit_metadata(e, "dataset", NULL);
    const char *path = edit_save(state, e, "old.safetensors");
    program_fails(*state, 1, "old.safetensors|config.ini|data.dataset=", "eval '%s'", path);
    program_fails(*state, 1, "old.safetensors|config.ini|data.dataset=", "cam '%s' --index 0", path);
    cc_json *plain = evaluate(state, scratch_path(*state, "run/best.safetensors"), ""),
            *same = evaluate(state, path, "data.dataset=shapes");
    assert_same_figures(plain, same);
    cc_json_free(&plain);
    cc_json_free(&same);
}

static void a_config_that_cannot_be_read_is_an_error(void **state)
{
    mkdir(scratch_path(*state, "broken"), 0777);
    const char *path = edit_save(state, edit_open(state), "broken/best.safetensors"), *config = scratch_path(*state, "broken/config.ini");
    assert_int_equal(symlink("nowhere", config), 0);
    program_fails(*state, 2, "broken/config.ini", "eval '%s' data.dataset=shapes", path);
    assert_int_equal(unlink(config), 0);
    scratch_write(config, "[data]\nno sense\n", 16);
    program_fails(*state, 2, "broken/config.ini", "predict '%s' x.png", path);
}

/* ---- weights that cannot serve */

static void assert_refused(void **state, const char *path, const char *parts)
{
    program_fails(*state, 1, parts, "eval '%s'", path);
    program_fails(*state, 1, parts, "predict '%s' '%s/picture.png'", path, (char *)*state);
    program_fails(*state, 1, parts, "cam '%s' '%s/picture.png' -o '%s/cams'", path, (char *)*state, (char *)*state);
}

static void write_picture(void **state, const char *name)
{
    camcl_image image = CAMCL_IMAGE_INIT;
    camcl_error err = { 0 };
    assert_int_equal(camcl_image_create(16, 16, 3, &image, &err), CAMCL_OK);
    memset(image.pixels, 77, 16 * 16 * 3);
    camcl_status status = camcl_image_write_png(scratch_path(*state, name), &image, &err);
    camcl_image_free(&image);
    if (status == CAMCL_UNSUPPORTED) skip();
    assert_int_equal(status, CAMCL_OK);
}

static void weights_that_are_not_finite_are_refused(void **state)
{
    static const struct {
        const char *tensor;
        float value;
        const char *parts;
    } cases[] = {
        { "layer2.0.conv1.weight", NAN, "'layer2.0.conv1.weight'|not finite" },
        { "fc.bias", -INFINITY, "'fc.bias'|not finite" },
        { "bn1.running_mean", INFINITY, "'bn1.running_mean'|not finite" },
        { "layer3.0.bn1.running_var", -1, "'layer3.0.bn1.running_var'|negative" },
    };
    write_picture(state, "picture.png");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        edited_file *e = edit_open(state);
        float *values;
        edit_values(e, cases[i].tensor, &values)[1] = cases[i].value;
        const char *path = edit_save(state, e, "run/damaged.safetensors");
        free(values);
        assert_refused(state, path, cases[i].parts);
        program_fails(*state, 1, cases[i].parts, "train --quiet '%s/small.ini' 'output.dir=%s/never' 'model.init=%s'", (char *)*state,
                      (char *)*state, path);
        assert_int_not_equal(access(scratch_path(*state, "never"), F_OK), 0);
    }
}

/* Finite weights whose products are not. */
static void output_that_is_not_finite_is_no_answer(void **state)
{
    edited_file *e = edit_open(state);
    float *values;
    size_t columns = classifier_columns(e);
    write_picture(state, "picture.png");
    edit_values(e, "fc.weight", &values);
    for (size_t i = 0; i < columns; i++)
        values[i] = 3e38f;
    const char *path = edit_save(state, e, "run/huge.safetensors");
    free(values);
    program_fails(*state, 1, "not finite", "predict '%s' '%s/picture.png'", path, (char *)*state);
    program_fails(*state, 1, "not finite", "cam '%s' '%s/picture.png' -o '%s/cams'", path, (char *)*state, (char *)*state);
    cc_json *json = evaluate(state, path, ""); /* not a number, as null */
    assert_int_equal(cc_json_get(json, "loss")->kind, CC_JSON_NULL);
    cc_json_free(&json);
}

/* ---- names that would steer the terminal */

static void names_do_not_steer_the_terminal(void **state)
{
    edited_file *e = edit_open(state);
    char names[CLASSES * 16 + 3] = "[";
    for (size_t c = 0; c < CLASSES; c++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s\"\\u001b[3%zum\"", c ? "," : "", c);
    strcat(names, "]");
    edit_metadata(e, "class_names", names);
    const char *path = edit_save(state, e, "run/colours.safetensors");
    write_picture(state, "\x1b[2J.png");
    char *out = program_prints(*state, "predict '%s' '%s/\x1b[2J.png'", path, (char *)*state);
    assert_null(strchr(out, '\x1b'));
    assert_non_null(strstr(out, "\\x1b[2J.png  \\x1b[3"));
    free(out);
    out = program_prints(*state, "cam '%s' '%s/\x1b[2J.png' -o '%s/cams'", path, (char *)*state, (char *)*state);
    assert_null(strchr(out, '\x1b'));
    assert_non_null(strstr(out, "\\x1b[2J: explains \\x1b[3"));
    free(out);
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_matched_by_name),
        cmocka_unit_test(other_classes_are_refused),
        cmocka_unit_test(other_channels_are_refused),
        cmocka_unit_test(alone_the_checkpoint_names_its_data),
        cmocka_unit_test(alone_a_folder_is_nowhere),
        cmocka_unit_test(alone_an_old_checkpoint_has_to_be_told),
        cmocka_unit_test(a_config_that_cannot_be_read_is_an_error),
        cmocka_unit_test(weights_that_are_not_finite_are_refused),
        cmocka_unit_test(output_that_is_not_finite_is_no_answer),
        cmocka_unit_test(names_do_not_steer_the_terminal),
    };
    return cmocka_run_group_tests(tests, setup, runs_teardown);
}
