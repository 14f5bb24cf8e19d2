/* The library as a C program uses it: public headers alone, from the list of devices to a CAM; and it never prints. */
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "camcl/config.h"
#include "camcl/dataset.h"
#include "camcl/device.h"
#include "camcl/image.h"
#include "camcl/model.h"
#include "camcl/report.h"
#include "camcl/trainer.h"
#include "camcl/tune.h"
#include "support/ok.h"
#include "support/scratch.h"
#include "support/stopper.h"

static camcl_error err;

/* ---- silence: stdout and stderr go to a file while a test runs */

static int saved_out = -1, saved_err = -1;

static int quiet_setup(void **state)
{
    if (scratch_setup(state) != 0) return -1;
    char path[4096];
    snprintf(path, sizeof path, "%s/printed", (char *)*state);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0666);
    fflush(NULL);
    saved_out = dup(STDOUT_FILENO);
    saved_err = dup(STDERR_FILENO);
    return file < 0 || saved_out < 0 || saved_err < 0 || dup2(file, STDOUT_FILENO) < 0 || dup2(file, STDERR_FILENO) < 0 || close(file) != 0;
}

/* Puts stdout and stderr back, and shows what went to the file: cmocka's own lines about the test, or what the library should not print. */
static int quiet_teardown(void **state)
{
    size_t size = 0;
    fflush(NULL);
    dup2(saved_out, STDOUT_FILENO);
    dup2(saved_err, STDERR_FILENO);
    close(saved_out);
    close(saved_err);
    char *text = scratch_read(scratch_path(*state, "printed"), &size);
    if (text) fwrite(text, 1, size, stdout);
    fflush(stdout);
    free(text);
    return scratch_teardown(state);
}

/* How many bytes the library has printed so far. */
static size_t printed(void **state)
{
    size_t size = 0;
    fflush(NULL);
    free(scratch_read(scratch_path(*state, "printed"), &size));
    return size;
}

/* ---- a small run */

typedef struct listener {
    size_t messages, reports;
    camcl_progress last;
} listener;

static void on_progress(void *context, const camcl_progress *p)
{
    listener *l = context;
    l->reports++;
    l->last = *p;
}

static void on_message(void *context, const char *line)
{
    listener *l = context;
    assert_true(strlen(line) > 0 && strchr(line, '\n') == NULL);
    l->messages++;
}

static const char *const small[][2] = {
    { "data.dataset", "shapes" },     { "data.labeled", "20" },    { "data.unlabeled", "40" },      { "data.validation", "10" },
    { "model.width", "2" },           { "train.epochs", "1" },     { "train.epoch_steps", "2" },    { "train.batch_labeled", "4" },
    { "train.batch_unlabeled", "4" }, { "ssl.threshold", "0.01" }, { "ssl.threshold_end", "0.01" },
};

static camcl_config *small_config(const char *dir)
{
    camcl_config *config = NULL;
    OK(camcl_config_create(&config, &err));
    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++)
        OK(camcl_config_set(config, small[i][0], small[i][1], "test", &err));
    OK(camcl_config_set(config, "output.dir", dir, "test", &err));
    return config;
}

static double value(const camcl_evaluation *e, const char *metric) { return camcl_evaluation_get(e, metric); }

static bool in_percent(double value) { return value >= 0 && value <= 100; }

static void has_file(const char *dir, const char *name)
{
    size_t size = 0;
    char *text = scratch_read(scratch_path(dir, name), &size);
    if (text == NULL || size == 0) fail_msg("%s is missing or empty", name);
    free(text);
}

/* ---- using what was trained */

static void check_info(const camcl_model_info *info)
{
    assert_string_equal(info->arch, "resnet18");
    assert_string_equal(info->stem, "cifar");
    assert_int_equal(info->width, 2);
    assert_int_equal(info->classes, 10);
    assert_int_equal(info->channels, 3);
    assert_int_equal(info->image_size, 32);
    assert_int_equal(info->stages, 4);
    assert_int_equal(info->step, 5);
    assert_true(info->parameters > 10000 && info->parameters < 20000);
    for (size_t i = 0; i < info->classes; i++)
        assert_true(strlen(info->class_names[i]) > 0);
    for (size_t c = 0; c < 3; c++)
        assert_true(info->mean[c] > 0 && info->mean[c] < 1 && info->std[c] > 0 && info->std[c] < 1);
}

static void check_evaluate(camcl_model *model, const camcl_images *images)
{
    enum { N = 7 };
    static const uint32_t chosen[N] = { 3, 250, 0, 299, 17, 18, 3 };
    static float logits[300 * 10];
    float some[N * 10];
    camcl_evaluation e, part;
    OK(camcl_model_evaluate(model, images, NULL, 0, &e, logits, &err));
    assert_int_equal(e.n, 300);
    assert_true(isfinite(value(&e, "loss")) && value(&e, "loss") > 0);
    assert_true(in_percent(value(&e, "top1")) && in_percent(value(&e, "top5")) && value(&e, "top1") <= value(&e, "top3") &&
                value(&e, "top3") <= value(&e, "top5"));
    OK(camcl_model_evaluate(model, images, chosen, N, &part, some, &err));
    assert_int_equal(part.n, N);
    for (size_t i = 0; i < N; i++)
        for (size_t c = 0; c < 10; c++)
            assert_true(fabs((double)some[i * 10 + c] - (double)logits[chosen[i] * 10 + c]) <= 1e-4);
    const uint32_t beyond[] = { 0, 300 };
    FAILS(camcl_model_evaluate(model, images, beyond, 2, &part, NULL, &err), CAMCL_BAD_DATA, "index 300");
    int32_t labels[300] = { 0 };
    camcl_images other = *images;
    other.labels = labels;
    labels[299] = 10;
    FAILS(camcl_model_evaluate(model, &other, NULL, 0, &part, NULL, &err), CAMCL_BAD_DATA, "label 10");
    other.labels = NULL;
    OK(camcl_model_evaluate(model, &other, chosen, N, &part, some, &err));
    assert_int_equal(part.n, 0);
    other.count = 0;
    FAILS(camcl_model_evaluate(model, &other, NULL, 0, &part, NULL, &err), CAMCL_BAD_DATA, "images");
    other = *images;
    other.channels = 1;
    FAILS(camcl_model_evaluate(model, &other, NULL, 0, &part, NULL, &err), CAMCL_BAD_DATA, "channels");
}

enum { PICTURES = 33 }; /* more than fit in one batch */

static void check_predict(camcl_model *model, const camcl_images *images, int32_t arg_max[PICTURES])
{
    float p[PICTURES * 10];
    camcl_images few = *images;
    few.count = PICTURES;
    few.labels = NULL;
    OK(camcl_model_predict(model, &few, p, &err));
    for (size_t i = 0; i < PICTURES; i++) {
        double sum = 0;
        size_t best = 0;
        for (size_t c = 0; c < 10; c++) {
            assert_true(p[i * 10 + c] >= 0 && p[i * 10 + c] <= 1);
            sum += p[i * 10 + c];
            if (p[i * 10 + c] > p[i * 10 + best]) best = c;
        }
        assert_true(fabs(sum - 1) < 1e-5);
        arg_max[i] = (int32_t)best;
    }
    few.count = 0;
    FAILS(camcl_model_predict(model, &few, p, &err), CAMCL_BAD_DATA, "images");
}

static void check_cam(camcl_model *model, const camcl_images *images, const int32_t arg_max[PICTURES])
{
    static float maps[PICTURES * 32 * 32];
    int32_t explained[PICTURES], predicted[PICTURES];
    camcl_images few = *images;
    few.count = PICTURES;
    for (int target = -1; target < 10; target += 10) {
        OK(camcl_model_cam(model, &few, 3, false, target, maps, explained, predicted, &err));
        for (size_t i = 0; i < PICTURES; i++) {
            float least = 2, most = -1;
            assert_int_equal(predicted[i], arg_max[i]);
            assert_int_equal(explained[i], target < 0 ? arg_max[i] : target);
            for (size_t k = 0; k < 32 * 32; k++) {
                float v = maps[i * 32 * 32 + k];
                assert_true(v >= 0 && v <= 1);
                least = v < least ? v : least;
                most = v > most ? v : most;
            }
            /* From 0 to 1, or 0 everywhere. */
            assert_true(least <= 0 && (most >= 1 || most <= 0));
        }
    }
    FAILS(camcl_model_cam(model, &few, 5, false, -1, maps, explained, predicted, &err), CAMCL_BAD_CONFIG, "1..4");
    FAILS(camcl_model_cam(model, &few, 0, false, -1, maps, explained, predicted, &err), CAMCL_BAD_CONFIG, "1..4");
    FAILS(camcl_model_cam(model, &few, 3, false, 10, maps, explained, predicted, &err), CAMCL_BAD_CONFIG, "0..9");
}

static void use_model(const char *checkpoint, const camcl_config *config)
{
    camcl_device *device = NULL;
    camcl_dataset *data = NULL;
    camcl_model *model = NULL;
    camcl_device_options options = { 0 };
    camcl_dataset_spec spec = { .dataset = "shapes" };
    int32_t arg_max[PICTURES];
    OK(camcl_device_open(&options, &device, &err));
    assert_true(strlen(camcl_device_reason(device)) > 0);
    FAILS(camcl_model_open("no/such/file", device, &model, &err), CAMCL_IO, "no/such/file");
    assert_null(model);
    OK(camcl_model_open(checkpoint, device, &model, &err));
    check_info(camcl_model_get_info(model));
    OK(camcl_dataset_open(&spec, &data, &err));
    const camcl_dataset_info *info = camcl_dataset_get_info(data);
    camcl_images images = { camcl_dataset_pixels(data, CAMCL_TEST_IMAGES),
                            camcl_dataset_labels(data, CAMCL_TEST_IMAGES),
                            300,
                            info->height,
                            info->width,
                            info->channels };
    check_evaluate(model, &images);
    check_predict(model, &images, arg_max);
    check_cam(model, &images, arg_max);
    const struct {
        camcl_split split;
        size_t count;
    } splits[] = { { CAMCL_SPLIT_TEST, 2000 }, { CAMCL_SPLIT_VALIDATION, 10 }, { CAMCL_SPLIT_TRAIN, 20 } };
    for (size_t i = 0; i < 3; i++) {
        camcl_dataset_part part;
        uint32_t *indices = NULL;
        size_t count = 0;
        OK(camcl_split_indices(config, data, splits[i].split, &part, &indices, &count, &err));
        assert_int_equal(count, splits[i].count);
        assert_int_equal(part, i == 0 ? CAMCL_TEST_IMAGES : CAMCL_TRAIN_IMAGES);
        free(indices);
    }
    camcl_dataset_close(&data);
    camcl_model_close(&model);
    camcl_device_close(&device);
    assert_true(data == NULL && model == NULL && device == NULL);
}

/* ---- tests */

static void devices_are_listed(void **state)
{
    camcl_device_info *infos = NULL;
    size_t count = 0, usable = 0;
    OK(camcl_device_list(&infos, &count, &err));
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        size_t index = count;
        if (!infos[i].usable) continue;
        usable++;
        assert_true(strlen(infos[i].name) > 0 && strlen(infos[i].platform) > 0 && strchr(infos[i].selector, ':') != NULL);
        assert_true(infos[i].compute_units > 0 && infos[i].global_mem > 0 && infos[i].max_alloc > 0 &&
                    infos[i].max_alloc <= infos[i].global_mem);
        OK(camcl_device_select(infos, count, infos[i].selector, &index, &err));
        assert_int_equal(index, i);
    }
    assert_true(usable > 0);
    free(infos);
    camcl_device *device = NULL;
    camcl_device_options options = { .select = "no such device anywhere" };
    FAILS(camcl_device_open(&options, &device, &err), CAMCL_NO_DEVICE, "no such device anywhere");
    assert_null(device);
    camcl_device_close(&device);
    assert_int_equal(printed(state), 0);
}

static void a_run_from_start_to_use(void **state)
{
    static const char *const files[] = { "config.ini",       "splits.json",      "metrics.csv",       "train.log",  "result.json",
                                         "best.safetensors", "last.safetensors", "state.safetensors", "report.html" };
    const char *dir = scratch_path(*state, "run"), *page = scratch_path(*state, "page.html");
    listener l = { 0 };
    camcl_config *config = small_config(dir);
    camcl_train_options options = { .context = &l, .progress = on_progress, .message = on_message };
    camcl_train_result r;
    OK(camcl_config_set(config, "train.epoch_steps", "5", "test", &err));
    OK(camcl_config_finish(config, &err));
    OK(camcl_train(config, &options, &r, &err));
    assert_false(r.was_finished);
    assert_int_equal(r.best_epoch, 1);
    assert_true(in_percent(r.best_val_top1) && in_percent(value(&r.test, "top1")) && value(&r.test, "top1") <= value(&r.test, "top3") &&
                value(&r.test, "top3") <= value(&r.test, "top5") && in_percent(value(&r.test, "top5")));
    assert_true(isfinite(value(&r.test, "loss")) && value(&r.test, "loss") > 0 && r.seconds > 0);
    assert_true(l.messages > 0);
    assert_true(l.reports > 0 && l.last.steps == 5 && l.last.epochs == 1 && l.last.step >= 1 && isfinite(l.last.loss) && l.last.lr > 0);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        has_file(dir, files[i]);
    /* What exists is not overwritten; what is finished stays so. */
    FAILS(camcl_train(config, &options, &r, &err), CAMCL_EXISTS, dir);
    camcl_train_options again = { .resume = true };
    size_t before = 0, after = 0;
    free(scratch_read(scratch_path(dir, "train.log"), &before));
    OK(camcl_train(config, &again, &r, &err));
    assert_true(r.was_finished);
    free(scratch_read(scratch_path(dir, "train.log"), &after));
    assert_int_equal(after, before);
    OK(camcl_config_set(config, "optim.lr", "0.5", "test", &err));
    FAILS(camcl_train(config, &again, &r, &err), CAMCL_BAD_CONFIG, "");
    const char *const runs[] = { dir };
    OK(camcl_report_write(runs, 1, page, &err));
    use_model(scratch_path(dir, "best.safetensors"), config);
    camcl_config_destroy(&config);
    has_file(*state, "page.html");
    assert_int_equal(printed(state), 0);
}

/* Who forgets camcl_config_finish gets its objections all the same. */
static void contradictions_are_refused(void **state)
{
    camcl_config *config = small_config(scratch_path(*state, "run"));
    camcl_train_options options = { 0 };
    camcl_train_result r;
    size_t size;
    OK(camcl_config_set(config, "optim.nesterov", "yes", "test", &err));
    OK(camcl_config_set(config, "optim.momentum", "0", "test", &err));
    FAILS(camcl_train(config, &options, &r, &err), CAMCL_BAD_CONFIG, "nesterov");
    assert_null(scratch_read(scratch_path(*state, "run/config.ini"), &size));
    camcl_config_destroy(&config);
    assert_int_equal(printed(state), 0);
}

/* Who asks for a stop before the data are read gets no run, and a run that was there stays as it was. */
static void stopped_before_the_data_are_read(void **state)
{
    const char *dir = scratch_path(*state, "run");
    stopper s = stopper_at("");
    camcl_stop_request(s.stop);
    camcl_config *config = small_config(dir);
    camcl_train_options options = { .resume = true, .stop = s.stop };
    camcl_train_result r;
    size_t size;
    FAILS(camcl_train(config, &options, &r, &err), CAMCL_STOPPED, "nothing was begun");
    assert_null(scratch_read(scratch_path(dir, "train.log"), &size));
    camcl_config_destroy(&config);
    camcl_stop_destroy(&s.stop);
    assert_int_equal(printed(state), 0);
}

/* A finished run is given more epochs, and stopped before it has done them: it is not finished then. */
static void a_longer_run_is_finished_at_its_new_end(void **state)
{
    const char *dir = scratch_path(*state, "run");
    stopper s = stopper_at("resuming after step");
    camcl_config *config = small_config(dir);
    camcl_train_options options = { .resume = true };
    camcl_train_result r;
    OK(camcl_config_set(config, "ssl.mode", "supervised", "test", &err));
    OK(camcl_train(config, &options, &r, &err));
    assert_false(r.was_finished);
    OK(camcl_config_set(config, "train.epochs", "2", "test", &err));
    options.stop = s.stop;
    options.context = &s;
    options.message = stop_at_message;
    FAILS(camcl_train(config, &options, &r, &err), CAMCL_STOPPED, "step 2 of 4");
    options.stop = NULL;
    OK(camcl_train(config, &options, &r, &err));
    assert_false(r.was_finished);
    assert_true(in_percent(value(&r.test, "top1")));
    has_file(dir, "result.json");
    OK(camcl_train(config, &options, &r, &err));
    assert_true(r.was_finished);
    camcl_config_destroy(&config);
    camcl_stop_destroy(&s.stop);
    assert_int_equal(printed(state), 0);
}

/* ---- pictures while a run goes on */

/* The mean difference of the bytes of `run`'s first overlay and the overlay of its last model's CAM. */
static double overlay_difference(const char *run)
{
    camcl_device *device = NULL;
    camcl_dataset *data = NULL;
    camcl_model *model = NULL;
    camcl_device_options options = { 0 };
    camcl_dataset_spec spec = { .dataset = "shapes" };
    camcl_image image = { .width = 32, .height = 32, .channels = 3 };
    camcl_image large = CAMCL_IMAGE_INIT, expected = CAMCL_IMAGE_INIT, written = CAMCL_IMAGE_INIT;
    static float map[32 * 32];
    int32_t explained, predicted;
    double sum = 0;
    OK(camcl_device_open(&options, &device, &err));
    OK(camcl_dataset_open(&spec, &data, &err));
    OK(camcl_model_open(scratch_path(run, "last.safetensors"), device, &model, &err));
    const camcl_images first = { camcl_dataset_pixels(data, CAMCL_TEST_IMAGES), NULL, 1, 32, 32, 3 };
    OK(camcl_model_cam(model, &first, 3, false, -1, map, &explained, &predicted, &err));
    OK(camcl_image_read(scratch_path(run, "cams/00000_overlay.png"), &written, &err));
    image.pixels = (uint8_t *)(uintptr_t)first.pixels;
    OK(camcl_image_enlarge(&image, written.width / 32, &large, &err));
    OK(camcl_image_overlay(&large, map, 32, 32, 0.5f, &expected, &err));
    const size_t bytes = (size_t)expected.width * expected.height * 3;
    assert_true(written.width == expected.width && written.height == expected.height && written.channels == 3);
    for (size_t i = 0; i < bytes; i++)
        sum += abs(written.pixels[i] - expected.pixels[i]);
    camcl_image_free(&large);
    camcl_image_free(&expected);
    camcl_image_free(&written);
    camcl_dataset_close(&data);
    camcl_model_close(&model);
    camcl_device_close(&device);
    return sum / (double)bytes;
}

/* With an EMA, pictures show the averaged weights, which are the ones that are evaluated and kept in last.safetensors. */
static void pictures_of_a_run_in_progress(void **state)
{
    const char *dir = scratch_path(*state, "run");
    stopper s = stopper_at("epoch 1/2");
    camcl_config *config = small_config(dir);
    camcl_train_options options = { .stop = s.stop, .context = &s, .message = stop_at_message };
    camcl_train_result r;
    OK(camcl_config_set(config, "train.epochs", "2", "test", &err));
    OK(camcl_config_set(config, "optim.ema", "0.9", "test", &err));
    OK(camcl_config_set(config, "optim.lr", "0.3", "test", &err));
    OK(camcl_config_set(config, "output.cams_every", "1", "test", &err));
    FAILS(camcl_train(config, &options, &r, &err), CAMCL_STOPPED, "step 2 of 4");
    camcl_config_destroy(&config);
    camcl_stop_destroy(&s.stop);
    camcl_image image = CAMCL_IMAGE_INIT;
    if (camcl_image_read(scratch_path(dir, "cams/00000_overlay.png"), &image, &err) == CAMCL_UNSUPPORTED) skip(); /* a build without PNG */
    camcl_image_free(&image);
    const double difference = overlay_difference(dir);
    if (!(difference < 0.5)) fail_msg("the pictures differ from the last model's by %g", difference);
    assert_int_equal(printed(state), 0);
}

/* ---- a data set that shrinks between start and resumption */

static const char *picture_path(const char *folder, int class, int i)
{
    char name[64];
    snprintf(name, sizeof name, "%s/%d/%02d.png", i < 12 ? "train" : "test", class, i);
    return scratch_path(folder, name);
}

static void make_folder(const char *root)
{
    static const char *const folders[] = { "", "train", "test", "train/0", "train/1", "test/0", "test/1" };
    char command[4300];
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        snprintf(command, sizeof command, "mkdir -p '%s'", scratch_path(root, folders[i]));
        assert_int_equal(system(command), 0);
    }
    for (int class = 0; class < 2; class ++)
        for (int i = 0; i < 14; i++) {
            camcl_image image = CAMCL_IMAGE_INIT;
            OK(camcl_image_create(8, 8, 3, &image, &err));
            for (size_t k = 0; k < 8 * 8 * 3; k++)
                image.pixels[k] = (uint8_t)(k * (size_t)(i + 3) * 7 + (size_t) class * 101);
            camcl_status status = camcl_image_write_png(picture_path(root, class, i), &image, &err);
            camcl_image_free(&image);
            if (status == CAMCL_UNSUPPORTED) skip(); /* a build without PNG */
            assert_int_equal(status, CAMCL_OK);
        }
}

static camcl_reading read_last;

/* What was heard last of the reading of pictures. */
static void listen(void *context, const camcl_reading *reading)
{
    (void)context;
    if (strcmp(reading->what, "pictures") == 0) read_last = *reading;
}

static void missing_images_are_noticed(void **state)
{
    const char *root = scratch_path(*state, "pictures");
    stopper s = stopper_at("device:");
    make_folder(root);
    camcl_config *config = small_config(scratch_path(*state, "run"));
    const char *const changes[][2] = { { "data.dataset", "folder" }, { "data.root", root },       { "data.labeled", "4" },
                                       { "data.validation", "4" },   { "data.unlabeled", "all" }, { "ssl.mode", "pseudo-label" } };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
        OK(camcl_config_set(config, changes[i][0], changes[i][1], "test", &err));
    camcl_train_options options = { .resume = true, .stop = s.stop, .context = &s, .message = stop_at_message, .loading = listen };
    camcl_train_result r;
    FAILS(camcl_train(config, &options, &r, &err), CAMCL_STOPPED, "step 1 of 2");
    assert_true(read_last.total > 0 && read_last.done == read_last.total);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(unlink(picture_path(root, 0, i)), 0);
        assert_int_equal(unlink(picture_path(root, 1, i)), 0);
    }
    options.stop = NULL;
    FAILS(camcl_train(config, &options, &r, &err), CAMCL_BAD_DATA, "24 training pictures before, 16 now");
    camcl_config_destroy(&config);
    camcl_stop_destroy(&s.stop);
    assert_int_equal(printed(state), 0);
}

/* ---- without options, and side by side */

/* NULL stands for defaults; a data set has none. */
static void options_may_be_missing(void **state)
{
    camcl_device *device = NULL;
    camcl_dataset *data = NULL;
    camcl_train_result r;
    camcl_tune_result tuned;
    OK(camcl_device_open(NULL, &device, &err));
    assert_true(strlen(camcl_device_reason(device)) > 0);
    FAILS(camcl_dataset_open(NULL, &data, &err), CAMCL_BAD_CONFIG, "data set");
    assert_null(data);
    camcl_config *config = small_config(scratch_path(*state, "run"));
    OK(camcl_config_set(config, "data.dataset", "folder", "test", &err));
    OK(camcl_config_set(config, "data.root", scratch_path(*state, "nothing"), "test", &err));
    assert_int_not_equal(camcl_train(config, NULL, &r, &err), CAMCL_OK);
    assert_int_not_equal(camcl_tune(device, config, NULL, &tuned, &err), CAMCL_OK);
    camcl_config_destroy(&config);
    camcl_device_close(&device);
    assert_int_equal(printed(state), 0);
}

/* Tuning asks the data set that will be trained on for sizes and classes, of which the configuration says nothing: without one, it would
 * have to read the one that is named, and images in memory have no name. */
static void tuning_takes_images_in_memory(void **state)
{
    enum { N = 12, SIDE = 8 };
    static uint8_t pixels[N * SIDE * SIDE * 3];
    int32_t labels[N];
    camcl_device *device = NULL;
    camcl_dataset *data = NULL;
    camcl_stop *stop = NULL;
    camcl_tune_result tuned;
    camcl_tune_options options;
    camcl_memory_data images;
    for (int i = 0; i < N; i++)
        labels[i] = i % 3;
    camcl_memory_data_init(&images);
    images.height = images.width = SIDE;
    images.channels = images.classes = 3;
    images.train = (camcl_memory_images){ .pixels = pixels, .labels = labels, .count = N };
    OK(camcl_dataset_from_memory(&images, &data, &err));
    OK(camcl_device_open(NULL, &device, &err));
    OK(camcl_stop_create(&stop, &err));
    camcl_config *config = small_config(scratch_path(*state, "run"));
    OK(camcl_config_set(config, "data.dataset", "memory", "test", &err));
    FAILS(camcl_tune(device, config, NULL, &tuned, &err), CAMCL_UNSUPPORTED, "memory");
    camcl_tune_options_init(&options);
    options.dataset = data;
    options.stop = stop;
    camcl_stop_request(stop); /* which kernels are needed is known by then, and timing them takes long */
    assert_int_equal(camcl_tune(device, config, &options, &tuned, &err), CAMCL_STOPPED);
    assert_true(tuned.total > 10);
    assert_int_equal(tuned.timed, 0);
    camcl_config_destroy(&config);
    camcl_stop_destroy(&stop);
    camcl_device_close(&device);
    camcl_dataset_close(&data);
    assert_int_equal(printed(state), 0);
}

/* A run in a thread of its own. */
typedef struct run {
    camcl_config *config;
    camcl_train_result result;
    camcl_error err;
    camcl_status status;
} run;

static void *train(void *argument)
{
    run *r = argument;
    r->status = camcl_train(r->config, NULL, &r->result, &r->err);
    return NULL;
}

static camcl_config *seeded_config(const char *dir, const char *seed)
{
    camcl_config *config = small_config(dir);
    OK(camcl_config_set(config, "train.seed", seed, "test", &err));
    OK(camcl_config_set(config, "device.tune", "off", "test", &err));
    OK(camcl_config_finish(config, &err));
    return config;
}

static void same_weights(const char *dir, const char *other)
{
    size_t size = 0, other_size = 0;
    char *a = scratch_read(scratch_path(dir, "last.safetensors"), &size);
    char *b = scratch_read(scratch_path(other, "last.safetensors"), &other_size);
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(size, other_size);
    assert_memory_equal(a, b, size);
    free(a);
    free(b);
}

static void predict(camcl_model *model, float probabilities[40])
{
    uint8_t pixels[4 * 32 * 32 * 3];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 37 + i / 96);
    const camcl_images images = { pixels, NULL, 4, 32, 32, 3 };
    OK(camcl_model_predict(model, &images, probabilities, &err));
}

/* Two runs one after the other, then the same two at once, then their models by turns on one device. */
static void runs_leave_each_other_alone(void **state)
{
    static const char *const names[] = { "one", "two", "one-beside", "two-beside" };
    const char *dirs[4];
    run runs[4];
    pthread_t threads[2];
    memset(runs, 0, sizeof runs);
    for (int i = 0; i < 4; i++) {
        dirs[i] = scratch_path(*state, names[i]);
        runs[i].config = seeded_config(dirs[i], i % 2 ? "5" : "3");
    }
    for (int i = 0; i < 2; i++)
        train(&runs[i]);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, train, &runs[2 + i]), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < 4; i++) {
        if (runs[i].status != CAMCL_OK) fail_msg("%s: %s", names[i], runs[i].err.message);
        camcl_config_destroy(&runs[i].config);
    }
    same_weights(dirs[0], dirs[2]);
    same_weights(dirs[1], dirs[3]);
    camcl_device *device = NULL;
    camcl_model *models[2] = { NULL, NULL };
    float alone[2][40], beside[40];
    OK(camcl_device_open(NULL, &device, &err));
    for (int i = 0; i < 2; i++) {
        OK(camcl_model_open(scratch_path(dirs[i], "last.safetensors"), device, &models[0], &err));
        predict(models[0], alone[i]);
        camcl_model_close(&models[0]);
    }
    assert_memory_not_equal(alone[0], alone[1], sizeof alone[0]); /* that the seeds matter */
    for (int i = 0; i < 2; i++)
        OK(camcl_model_open(scratch_path(dirs[i], "last.safetensors"), device, &models[i], &err));
    for (int turn = 0; turn < 4; turn++) {
        predict(models[turn % 2], beside);
        assert_memory_equal(beside, alone[turn % 2], sizeof beside);
    }
    for (int i = 0; i < 2; i++)
        camcl_model_close(&models[i]);
    camcl_device_close(&device);
    assert_int_equal(printed(state), 0);
}

int main(void)
{
#define QUIET(test) cmocka_unit_test_setup_teardown(test, quiet_setup, quiet_teardown)
    const struct CMUnitTest tests[] = {
        QUIET(devices_are_listed),
        QUIET(a_run_from_start_to_use),
        QUIET(contradictions_are_refused),
        QUIET(stopped_before_the_data_are_read),
        QUIET(a_longer_run_is_finished_at_its_new_end),
        QUIET(pictures_of_a_run_in_progress),
        QUIET(missing_images_are_noticed),
        QUIET(options_may_be_missing),
        QUIET(tuning_takes_images_in_memory),
        QUIET(runs_leave_each_other_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
