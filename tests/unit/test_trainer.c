/* Training step by step, with public headers alone: the bits of whole runs, saving and loading, stopping, and what is refused. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "camcl/camcl.h"
#include "support/ok.h"
#include "support/painted.h"
#include "support/process_memory.h"
#include "support/program.h"
#include "support/scratch.h"

static camcl_error err;

enum { STEPS = 12, EPOCH_STEPS = 4 };

/* Everything that a training takes. */
typedef struct bench {
    camcl_device *device;
    camcl_dataset *data;
    camcl_config *config;
} bench;

static bench set_up(void)
{
    bench b = { NULL, painted_data(), painted_config() };
    OK(camcl_device_open(NULL, &b.device, &err));
    return b;
}

static void tear_down(bench *b)
{
    camcl_config_destroy(&b->config);
    camcl_dataset_close(&b->data);
    camcl_device_close(&b->device);
}

static camcl_trainer *create(const bench *b)
{
    camcl_trainer *trainer = NULL;
    OK(camcl_trainer_create(b->device, b->data, b->config, NULL, &trainer, &err));
    return trainer;
}

static void set(const bench *b, const char *key, const char *value) { OK(camcl_config_set(b->config, key, value, "test", &err)); }

static double value(const camcl_evaluation *e, const char *metric) { return camcl_evaluation_get(e, metric); }

static void same_file(const char *a, const char *b)
{
    size_t size = 0, other = 0;
    char *one = scratch_read(a, &size), *two = scratch_read(b, &other);
    assert_non_null(one);
    assert_non_null(two);
    if (size != other || memcmp(one, two, size) != 0) fail_msg("%s and %s differ", a, b);
    free(one);
    free(two);
}

static bool differ(const char *a, const char *b)
{
    size_t size = 0, other = 0;
    char *one = scratch_read(a, &size), *two = scratch_read(b, &other);
    assert_non_null(one);
    assert_non_null(two);
    const bool different = size != other || memcmp(one, two, size) != 0;
    free(one);
    free(two);
    return different;
}

/* ---- whole runs and steps are one training */

typedef struct watcher {
    size_t evaluations, stop_after; /* stop_after 0: never */
    bool best;
} watcher;

static bool watch(void *context, const camcl_evaluated *e)
{
    watcher *w = context;
    size_t metrics;
    const camcl_metric *list = camcl_metric_list(&metrics);
    w->evaluations++;
    w->best = e->best;
    assert_int_equal(e->training->step, w->evaluations * EPOCH_STEPS);
    assert_true(isfinite(e->training->loss) && isfinite(e->training->loss_c) && e->training->mask_rate > 0);
    assert_int_equal(e->validation->n, 15);
    for (size_t i = 0; i < metrics; i++)
        if (list[i].trivial_classes < PAINTED_CLASSES) assert_true(isfinite(e->validation->values[i]));
    return w->evaluations != w->stop_after;
}

static void make_run(const bench *b, const char *dir, watcher *w, camcl_status wanted)
{
    camcl_train_options options;
    camcl_train_result result;
    camcl_train_options_init(&options);
    options.resume = true;
    options.dataset = b->data;
    options.context = w;
    options.evaluated = watch;
    set(b, "output.dir", dir);
    const camcl_status status = camcl_train(b->config, &options, &result, &err);
    if (status != wanted) fail_msg("%s: %s", camcl_status_name(status), err.message);
    if (status == CAMCL_OK) assert_int_equal(result.test.n, 18);
}

static void steps_give_the_bits_of_a_run(void **state)
{
    static const char *const averages[] = { "0", "0.9" };
    bench b = set_up();
    for (size_t i = 0; i < 2; i++) {
        char name[16];
        snprintf(name, sizeof name, "run%zu", i);
        const char *dir = scratch_path(*state, name), *last = scratch_path(*state, "last"), *best = scratch_path(*state, "best");
        watcher w = { 0, 0, false };
        camcl_evaluation e;
        set(&b, "optim.ema", averages[i]);
        make_run(&b, dir, &w, CAMCL_OK);
        assert_int_equal(w.evaluations, 3);
        camcl_trainer *trainer = create(&b);
        while (camcl_trainer_get_progress(trainer)->step < STEPS) {
            OK(camcl_trainer_step(trainer, EPOCH_STEPS, &err));
            OK(camcl_trainer_evaluate(trainer, CAMCL_SPLIT_VALIDATION, &e, &err));
        }
        OK(camcl_trainer_write_model(trainer, CAMCL_LAST_WEIGHTS, last, &err));
        OK(camcl_trainer_write_model(trainer, CAMCL_BEST_WEIGHTS, best, &err));
        same_file(last, scratch_path(dir, "last.safetensors"));
        same_file(best, scratch_path(dir, "best.safetensors"));
        camcl_trainer_destroy(&trainer);
    }
    assert_true(differ(scratch_path(*state, "run0/last.safetensors"), scratch_path(*state, "run1/last.safetensors")));
    tear_down(&b);
}

/* A callback may stop the run, which then goes on as if nothing had been. */
static void who_sees_an_evaluation_may_stop(void **state)
{
    const char *whole = scratch_path(*state, "whole"), *dir = scratch_path(*state, "stopped");
    bench b = set_up();
    watcher w = { 0, 0, false };
    make_run(&b, whole, &w, CAMCL_OK);
    w = (watcher){ 0, 1, false };
    make_run(&b, dir, &w, CAMCL_STOPPED);
    assert_non_null(strstr(err.message, "after step 4 of 12"));
    assert_true(w.evaluations == 1 && w.best);
    w.stop_after = 0;
    make_run(&b, dir, &w, CAMCL_OK);
    assert_int_equal(w.evaluations, 3);
    same_file(scratch_path(dir, "last.safetensors"), scratch_path(whole, "last.safetensors"));
    tear_down(&b);
}

/* A run on data from memory knows them again. */
static void a_run_refuses_other_data(void **state)
{
    const char *dir = scratch_path(*state, "run");
    bench b = set_up();
    watcher w = { 0, 1, false };
    camcl_train_result result;
    make_run(&b, dir, &w, CAMCL_STOPPED);
    painted *other = malloc(sizeof *other);
    painted_make(other);
    other->labels[0] = 1;
    camcl_dataset *mine = b.data;
    OK(camcl_dataset_from_memory(&other->data, &b.data, &err));
    make_run(&b, dir, &w, CAMCL_BAD_DATA);
    assert_non_null(strstr(err.message, "labels differ"));
    camcl_dataset_close(&b.data);
    b.data = mine;
    free(other);
    /* Without the program's data there are none. */
    camcl_train_options options;
    camcl_train_options_init(&options);
    options.resume = true;
    set(&b, "data.dataset", "memory");
    FAILS(camcl_train(b.config, &options, &result, &err), CAMCL_UNSUPPORTED, "only the program that has its images in memory");
    set(&b, "data.dataset", "cifar10");
    options.dataset = b.data;
    FAILS(camcl_train(b.config, &options, &result, &err), CAMCL_BAD_CONFIG, "the data set that was given is memory");
    tear_down(&b);
}

/* ---- figures */

static void figures_follow_the_steps(void **state)
{
    (void)state;
    bench b = set_up();
    camcl_trainer *trainer = create(&b);
    camcl_evaluation e;
    const camcl_progress *p = camcl_trainer_get_progress(trainer);
    assert_true(p->step == 0 && p->steps == STEPS && p->epochs == 3 && isnan(p->loss));
    OK(camcl_trainer_step(trainer, 0, &err));
    assert_true(p->step == 0 && isnan(p->loss));
    OK(camcl_trainer_step(trainer, 3, &err));
    assert_true(p->step == 3 && p->epoch == 1 && p->loss > 0 && p->loss_s > 0 && p->images_per_s > 0 && p->lr > 0);
    assert_true(p->train_top1 >= 0 && p->train_top1 <= 100 && p->seconds > 0);
    const double first = p->loss;
    static const struct {
        camcl_split split;
        size_t n;
    } splits[] = { { CAMCL_SPLIT_VALIDATION, 15 }, { CAMCL_SPLIT_TEST, 18 }, { CAMCL_SPLIT_TRAIN, 30 }, { CAMCL_SPLIT_UNLABELED, 0 } };
    for (size_t i = 0; i < 4; i++) {
        OK(camcl_trainer_evaluate(trainer, splits[i].split, &e, &err));
        assert_int_equal(e.n, splits[i].n);
        if (e.n) assert_true(value(&e, "loss") > 0 && value(&e, "top1") >= 0 && value(&e, "top1") <= 100);
    }
    assert_true(p->loss == first); /* as of the last step */
    /* Whatever is asked, training ends where it ends. */
    OK(camcl_trainer_step(trainer, UINT64_MAX, &err));
    assert_true(p->step == STEPS && p->loss != first);
    OK(camcl_trainer_step(trainer, 1, &err));
    assert_int_equal(p->step, STEPS);
    camcl_trainer_destroy(&trainer);
    tear_down(&b);
}

/* What is learnt from these images is soon enough for anybody. The model is a copy: it stays as it is while training goes on. */
static void the_model_is_usable_at_once(void **state)
{
    (void)state;
    uint8_t pixels[6 * PAINTED_BYTES];
    int32_t labels[6];
    float before[18], after[18];
    camcl_model *model = NULL;
    camcl_evaluation e;
    bench b = set_up();
    set(&b, "ssl.mode", "supervised");
    set(&b, "model.width", "8");
    set(&b, "train.epochs", "20");
    camcl_trainer *trainer = create(&b);
    FAILS(camcl_trainer_open_model(trainer, CAMCL_BEST_WEIGHTS, &model, &err), CAMCL_BAD_CONFIG, "none yet");
    OK(camcl_trainer_step(trainer, 40, &err));
    OK(camcl_trainer_open_model(trainer, CAMCL_LAST_WEIGHTS, &model, &err));
    assert_int_equal(camcl_model_get_info(model)->step, 40);
    assert_string_equal(camcl_model_get_info(model)->dataset, "memory");
    painted_images(pixels, labels, 6, 99);
    const camcl_images images = { pixels, labels, 6, PAINTED_SIDE, PAINTED_SIDE, 3 };
    OK(camcl_model_predict(model, &images, before, &err));
    OK(camcl_trainer_step(trainer, 40, &err));
    OK(camcl_model_predict(model, &images, after, &err));
    assert_memory_equal(before, after, sizeof before);
    camcl_model_close(&model);
    OK(camcl_trainer_open_model(trainer, CAMCL_LAST_WEIGHTS, &model, &err));
    camcl_trainer_destroy(&trainer);
    OK(camcl_model_evaluate(model, &images, NULL, 0, &e, NULL, &err));
    if (value(&e, "top1") < 100) fail_msg("top-1 of new images: %g %%", value(&e, "top1"));
    camcl_model_close(&model);
    tear_down(&b);
}

/* ---- saving and loading */

/* Whether the header of a safetensors file, which is text behind eight bytes, has these words. */
static bool mentions(const char *path, const char *words)
{
    size_t size = 0;
    char *file = scratch_read(path, &size);
    assert_non_null(file);
    assert_true(size > 8);
    const bool found = strstr(file + 8, words) != NULL;
    free(file);
    return found;
}

static void loading_goes_on_with_the_same_bits(void **state)
{
    const char *saved = scratch_path(*state, "saved"), *one = scratch_path(*state, "one"), *two = scratch_path(*state, "two");
    camcl_evaluation e;
    bench b = set_up();
    set(&b, "optim.ema", "0.9");
    camcl_trainer *trainer = create(&b);
    OK(camcl_trainer_step(trainer, 5, &err)); /* not at the end of an epoch, and never evaluated */
    OK(camcl_trainer_save(trainer, saved, &err));
    camcl_trainer *again = NULL;
    OK(camcl_trainer_load(saved, b.device, b.data, NULL, NULL, &again, &err));
    assert_int_equal(camcl_trainer_get_progress(again)->step, 5);
    /* What one evaluates in between is nothing to the other. */
    OK(camcl_trainer_evaluate(again, CAMCL_SPLIT_VALIDATION, &e, &err));
    OK(camcl_trainer_evaluate(again, CAMCL_SPLIT_TEST, &e, &err));
    OK(camcl_trainer_save(again, saved, &err));
    assert_false(mentions(saved, "interval.pseudo")); /* nobody would read them */
    assert_true(mentions(saved, "\"interval\""));
    camcl_trainer_destroy(&again);
    OK(camcl_trainer_load(saved, b.device, b.data, b.config, NULL, &again, &err));
    /* The two take turns on one device. */
    for (int i = 0; i < 7; i++) {
        OK(camcl_trainer_step(trainer, 1, &err));
        OK(camcl_trainer_step(again, 1, &err));
        OK(camcl_trainer_evaluate(again, CAMCL_SPLIT_TRAIN, &e, &err));
    }
    OK(camcl_trainer_write_model(trainer, CAMCL_LAST_WEIGHTS, one, &err));
    OK(camcl_trainer_write_model(again, CAMCL_LAST_WEIGHTS, two, &err));
    same_file(one, two);
    OK(camcl_trainer_write_model(again, CAMCL_BEST_WEIGHTS, two, &err)); /* of step 5 */
    assert_true(differ(one, two));
    camcl_trainer_destroy(&trainer);
    camcl_trainer_destroy(&again);
    tear_down(&b);
}

static void loading_refuses_what_does_not_fit(void **state)
{
    const char *saved = scratch_path(*state, "saved"), *garbage = scratch_path(*state, "garbage");
    bench b = set_up();
    camcl_trainer *trainer = create(&b), *none = NULL;
    OK(camcl_trainer_step(trainer, 1, &err));
    OK(camcl_trainer_save(trainer, saved, &err));
    camcl_trainer_destroy(&trainer);
    scratch_write(garbage, "garbage", 7);
    FAILS(camcl_trainer_load(garbage, b.device, b.data, NULL, NULL, &none, &err), CAMCL_BAD_DATA, "garbage");
    FAILS(camcl_trainer_load(scratch_path(*state, "no"), b.device, b.data, NULL, NULL, &none, &err), CAMCL_IO, "no");
    painted *other = malloc(sizeof *other);
    camcl_dataset *changed = NULL;
    painted_make(other);
    other->pixels[17] ^= 1;
    OK(camcl_dataset_from_memory(&other->data, &changed, &err));
    free(other);
    FAILS(camcl_trainer_load(saved, b.device, changed, NULL, NULL, &none, &err), CAMCL_BAD_DATA, "the images differ");
    camcl_dataset_close(&changed);
    set(&b, "optim.lr", "0.5");
    FAILS(camcl_trainer_load(saved, b.device, b.data, b.config, NULL, &none, &err), CAMCL_BAD_CONFIG, "");
    assert_non_null(strstr(err.detail, "optim.lr"));
    assert_null(none);
    tear_down(&b);
}

/* ---- stopping */

static camcl_stop *stop;

static void on_signal(int number)
{
    (void)number;
    camcl_stop_request(stop);
}

/* Only once: on a busy machine the steps behind it are slow enough for a report of their own. */
static void raise_a_signal(void *context, const camcl_progress *p)
{
    int *reports = context;
    (void)p;
    if ((*reports)++ == 0) raise(SIGUSR1);
}

static void *stop_soon(void *started)
{
    while (!camcl_stop_requested(started))
        sleep_milliseconds(1);
    sleep_milliseconds(20);
    camcl_stop_request(stop);
    return NULL;
}

static void say_started(void *started, const camcl_progress *p)
{
    (void)p;
    camcl_stop_request(started);
}

static camcl_trainer *create_long(const bench *b, camcl_trainer_options *options)
{
    camcl_trainer *trainer = NULL;
    camcl_trainer_options_init(options);
    OK(camcl_stop_create(&stop, &err));
    options->stop = stop;
    set(b, "train.epochs", "1000000");
    OK(camcl_trainer_create(b->device, b->data, b->config, options, &trainer, &err));
    return trainer;
}

static void a_signal_handler_may_stop(void **state)
{
    (void)state;
    int reports = 0;
    camcl_trainer_options options;
    bench b = set_up();
    camcl_trainer *trainer = create_long(&b, &options);
    camcl_trainer_destroy(&trainer);
    options.context = &reports;
    options.progress = raise_a_signal;
    OK(camcl_trainer_create(b.device, b.data, b.config, &options, &trainer, &err));
    signal(SIGUSR1, on_signal);
    FAILS(camcl_trainer_step(trainer, UINT64_MAX, &err), CAMCL_STOPPED, "stopped after step");
    signal(SIGUSR1, SIG_DFL);
    assert_int_equal(reports, 1);
    const uint64_t at = camcl_trainer_get_progress(trainer)->step;
    assert_true(at >= 1);
    /* One step per call is done all the same, also where no more is asked for. */
    FAILS(camcl_trainer_step(trainer, 1, &err), CAMCL_STOPPED, "stopped after step");
    FAILS(camcl_trainer_step(trainer, 2, &err), CAMCL_STOPPED, "stopped after step");
    camcl_stop_clear(stop);
    OK(camcl_trainer_step(trainer, 1, &err));
    assert_int_equal(camcl_trainer_get_progress(trainer)->step, at + 3);
    camcl_trainer_destroy(&trainer);
    camcl_stop_destroy(&stop);
    tear_down(&b);
}

static void another_thread_may_stop(void **state)
{
    const char *saved = scratch_path(*state, "saved");
    pthread_t thread;
    camcl_trainer_options options;
    camcl_stop *started = NULL;
    bench b = set_up();
    OK(camcl_stop_create(&started, &err));
    camcl_trainer *trainer = create_long(&b, &options);
    camcl_trainer_destroy(&trainer);
    options.context = started;
    options.progress = say_started;
    OK(camcl_trainer_create(b.device, b.data, b.config, &options, &trainer, &err));
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, started), 0);
    FAILS(camcl_trainer_step(trainer, UINT64_MAX, &err), CAMCL_STOPPED, "stopped after step");
    assert_int_equal(pthread_join(thread, NULL), 0);
    OK(camcl_trainer_save(trainer, saved, &err));
    camcl_trainer_destroy(&trainer);
    camcl_stop_clear(stop);
    OK(camcl_trainer_load(saved, b.device, b.data, NULL, NULL, &trainer, &err));
    OK(camcl_trainer_step(trainer, 1, &err));
    camcl_trainer_destroy(&trainer);
    camcl_stop_destroy(&stop);
    camcl_stop_destroy(&started);
    tear_down(&b);
}

/* ---- what goes wrong */

static void divergence_is_noticed(void **state)
{
    const char *path = scratch_path(*state, "model");
    size_t size;
    bench b = set_up();
    set(&b, "optim.lr", "1000");
    set(&b, "train.epochs", "1000");
    camcl_trainer *trainer = create(&b);
    FAILS(camcl_trainer_step(trainer, UINT64_MAX, &err), CAMCL_NOT_FINITE, "with optim.lr = 1000 (lower it)");
    assert_int_equal(err.status, CAMCL_NOT_FINITE);
    FAILS(camcl_trainer_write_model(trainer, CAMCL_LAST_WEIGHTS, path, &err), CAMCL_NOT_FINITE, "became");
    assert_null(scratch_read(path, &size));
    camcl_trainer_destroy(&trainer);
    tear_down(&b);
}

static void arguments_that_cannot_be(void **state)
{
    const char *path = scratch_path(*state, "no/such/folder/file");
    camcl_evaluation e;
    camcl_train_result result;
    camcl_model *model = NULL;
    camcl_trainer *none = NULL;
    camcl_trainer_options options;
    bench b = set_up();
    FAILS(camcl_trainer_create(NULL, b.data, b.config, NULL, &none, &err), CAMCL_BAD_CONFIG, "camcl_trainer_create: device is NULL");
    FAILS(camcl_trainer_create(b.device, NULL, b.config, NULL, &none, &err), CAMCL_BAD_CONFIG, "dataset is NULL");
    FAILS(camcl_trainer_create(b.device, b.data, NULL, NULL, &none, &err), CAMCL_BAD_CONFIG, "config is NULL");
    FAILS(camcl_trainer_create(b.device, b.data, b.config, NULL, NULL, &err), CAMCL_BAD_CONFIG, "out is NULL");
    FAILS(camcl_trainer_load(NULL, b.device, b.data, NULL, NULL, &none, &err), CAMCL_BAD_CONFIG, "path is NULL");
    FAILS(camcl_trainer_load(path, NULL, b.data, NULL, NULL, &none, &err), CAMCL_BAD_CONFIG, "device is NULL");
    FAILS(camcl_train(NULL, NULL, &result, &err), CAMCL_BAD_CONFIG, "config is NULL");
    FAILS(camcl_train(b.config, NULL, NULL, &err), CAMCL_BAD_CONFIG, "result is NULL");
    camcl_trainer_options_init(&options);
    options.size = (size_t)-1;
    FAILS(camcl_trainer_create(b.device, b.data, b.config, &options, &none, &err), CAMCL_BAD_CONFIG, "camcl_trainer_options_init");
    assert_null(none);
    set(&b, "data.labeled", "600");
    FAILS(camcl_trainer_create(b.device, b.data, b.config, NULL, &none, &err), CAMCL_BAD_CONFIG, "data.labeled = 600");
    set(&b, "data.labeled", "all");
    camcl_trainer *trainer = create(&b);
    FAILS(camcl_trainer_step(NULL, 1, &err), CAMCL_BAD_CONFIG, "is NULL");
    FAILS(camcl_trainer_evaluate(NULL, CAMCL_SPLIT_TEST, &e, &err), CAMCL_BAD_CONFIG, "trainer is NULL");
    FAILS(camcl_trainer_save(NULL, path, &err), CAMCL_BAD_CONFIG, "trainer is NULL");
    FAILS(camcl_trainer_write_model(NULL, CAMCL_LAST_WEIGHTS, path, &err), CAMCL_BAD_CONFIG, "trainer is NULL");
    FAILS(camcl_trainer_evaluate(trainer, (camcl_split)77, &e, &err), CAMCL_BAD_CONFIG, "split 77");
    FAILS(camcl_trainer_evaluate(trainer, CAMCL_SPLIT_TEST, NULL, &err), CAMCL_BAD_CONFIG, "out is NULL");
    FAILS(camcl_trainer_save(trainer, NULL, &err), CAMCL_BAD_CONFIG, "path is NULL");
    FAILS(camcl_trainer_save(trainer, path, &err), CAMCL_IO, "no/such/folder");
    FAILS(camcl_trainer_write_model(trainer, (camcl_weights)9, path, &err), CAMCL_BAD_CONFIG, "weights 9");
    FAILS(camcl_trainer_open_model(trainer, CAMCL_LAST_WEIGHTS, NULL, &err), CAMCL_BAD_CONFIG, "out is NULL");
    FAILS(camcl_trainer_open_model(NULL, CAMCL_LAST_WEIGHTS, &model, &err), CAMCL_BAD_CONFIG, "is NULL");
    /* Who does not want the text gets the status all the same. */
    assert_int_equal(camcl_trainer_step(NULL, 1, NULL), CAMCL_BAD_CONFIG);
    OK(camcl_trainer_step(trainer, 1, &err));
    camcl_trainer_destroy(&trainer);
    camcl_trainer_destroy(&trainer);
    camcl_trainer_destroy(NULL);
    tear_down(&b);
}

/* ---- again and again, and side by side */

/* Each trainer has buffers of megabytes on a device whose memory is the host's: a hundred that were not freed would be seen. The leak
 * sanitizer sees less. */
static void a_hundred_trainers_leave_nothing(void **state)
{
    enum { TRAINERS = 100, WARM = 20 };
    (void)state;
    size_t warm = 0;
    bench b = set_up();
    for (int i = 0; i < TRAINERS; i++) {
        camcl_model *model = NULL;
        camcl_trainer *trainer = create(&b);
        if (i % 10 == 0) {
            OK(camcl_trainer_step(trainer, 1, &err));
            OK(camcl_trainer_open_model(trainer, CAMCL_LAST_WEIGHTS, &model, &err));
        }
        camcl_trainer_destroy(&trainer);
        camcl_model_close(&model);
        if (i == WARM) warm = process_resident_memory();
    }
    const double grown = ((double)process_resident_memory() - (double)warm) / 1048576;
    tear_down(&b);
#ifndef __SANITIZE_ADDRESS__ /* which keeps what was freed for a while */
    if (grown > 8) fail_msg("80 trainers took %.1f MiB for good", grown);
#else
    (void)grown;
#endif
}

typedef struct worker {
    pthread_t thread;
    const char *path;
    camcl_status status;
    camcl_error err;
} worker;

static camcl_status train_alone(const char *path, camcl_error *error)
{
    camcl_device *device = NULL;
    camcl_trainer *trainer = NULL;
    camcl_dataset *data = painted_data();
    camcl_config *config = painted_config();
    camcl_status status = camcl_device_open(NULL, &device, error);
    if (status == CAMCL_OK) status = camcl_trainer_create(device, data, config, NULL, &trainer, error);
    for (int i = 0; status == CAMCL_OK && i < STEPS; i++)
        status = camcl_trainer_step(trainer, 1, error);
    if (status == CAMCL_OK) status = camcl_trainer_write_model(trainer, CAMCL_LAST_WEIGHTS, path, error);
    camcl_trainer_destroy(&trainer);
    camcl_config_destroy(&config);
    camcl_dataset_close(&data);
    camcl_device_close(&device);
    return status;
}

static void *work(void *context)
{
    worker *w = context;
    w->status = train_alone(w->path, &w->err);
    return NULL;
}

static void two_threads_leave_each_other_alone(void **state)
{
    worker workers[2] = { { .path = scratch_path(*state, "one") }, { .path = scratch_path(*state, "two") } };
    const char *alone = scratch_path(*state, "alone");
    if (train_alone(alone, &err) != CAMCL_OK) fail_msg("%s", err.message);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        if (workers[i].status != CAMCL_OK) fail_msg("%s", workers[i].err.message);
        same_file(workers[i].path, alone);
    }
}

int main(void)
{
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(steps_give_the_bits_of_a_run),
        IN_SCRATCH(who_sees_an_evaluation_may_stop),
        IN_SCRATCH(a_run_refuses_other_data),
        IN_SCRATCH(figures_follow_the_steps),
        IN_SCRATCH(the_model_is_usable_at_once),
        IN_SCRATCH(loading_goes_on_with_the_same_bits),
        IN_SCRATCH(loading_refuses_what_does_not_fit),
        IN_SCRATCH(a_signal_handler_may_stop),
        IN_SCRATCH(another_thread_may_stop),
        IN_SCRATCH(divergence_is_noticed),
        IN_SCRATCH(arguments_that_cannot_be),
        IN_SCRATCH(a_hundred_trainers_leave_nothing),
        IN_SCRATCH(two_threads_leave_each_other_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
