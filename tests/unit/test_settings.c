/* Each configuration key reaches the place that acts on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "run/settings.h"
#include "train/loop_settings.h"

static camcl_error err;

static const camcl_dataset_info rgb = { .name = "made up",
                                        .height = 32,
                                        .width = 32,
                                        .channels = 3,
                                        .classes = 10,
                                        .train_count = 100,
                                        .test_count = 10,
                                        .mean = { 0.5f, 0.25f, 0.125f },
                                        .std = { 0.25f, 0.5f, 1.0f } };

static camcl_config *configuration(void)
{
    camcl_config *config = NULL;
    unsetenv("CAMCL_DEVICE");
    assert_int_equal(camcl_config_create(&config, &err), CAMCL_OK);
    return config;
}

static void set(camcl_config *config, const char *key, const char *value)
{
    if (camcl_config_set(config, key, value, NULL, &err) != CAMCL_OK) fail_msg("%s", err.message);
}

/* ---- every key of the schema once: a value other than its default, and what it must change */

/* Everything that settings.c and loop_settings.c make of a configuration. */
typedef struct everything {
    camcl_device_options device;
    camcl_dataset_spec dataset;
    cc_split_spec split;
    cc_settings settings;
    cc_loop_settings loop;
} everything;

/* Fields as text, so that one place lists them and a difference can be shown. */
static void show(const everything *e, char *text, size_t size)
{
    const cc_settings *s = &e->settings;
    const cc_objective *o = &s->step.objective;
    snprintf(
        text, size,
        "select %s\ncache %s\nconv %s\ntune %s\nseparate %d\ndataset %s\nroot %s\nside %u\nfit %d\nskip %d\nshare %.9g\ndraw %llu\n"
        "pixels %s\nlabeled %zu\nvalidation %zu\nunlabeled %d\nratio "
        "%.9g\nunlabeled_count %zu\n"
        "split seed %llu\nbalanced %d\nreuse %d\narch %s\nstem %s\nwidth %zu\nclasses %zu\nchannels %zu\nmode %s\ntemperature "
        "%.9g\nfairness %.9g\nramp %.9g\nconfidence %d\njoint "
        "%d\nshared "
        "%d\nattached %d\n"
        "whole %d\nexact %d\nrelu %d\nlayer %zu\nalpha %.9g\nbeta %.9g\nbatch_labeled %zu\nbatch_unlabeled %zu\nsize %zu %zu\nmomentum "
        "%.9g\ndecay "
        "%.9g\n"
        "ema %.9g\nnesterov %d\nweak %d\nstrong %d\noperations %zu\nscale_min %.9g\nratio_max %.9g\nflip_h %d\nflip_v %d\ncrop "
        "%.9g\nrotations %u %d %d %d %d\nper_image %d\nseed %llu %llu\nkind %d\nlr %.9g\ngamma %.9g\n"
        "step_epochs %llu\nwarmup %llu\nepochs %llu\nepoch_steps %llu\nsteps %llu\nthreshold %.9g\nend %.9g\nmean %.9g %.9g %.9g\nstd %.9g "
        "%.9g %.9g\n"
        "eval %llu\nsave %llu\ncams %llu\nshuffle %d\ntensorboard %d\n",
        e->device.select, e->device.cache_dir, e->device.conv, e->device.tune, e->device.separate_memory, e->dataset.dataset,
        e->dataset.root, (unsigned)e->dataset.image_size, (int)e->dataset.fit, e->dataset.skip_corrupt, e->dataset.test_share,
        (unsigned long long)e->dataset.seed, e->dataset.cache_dir, e->split.labeled, e->split.validation, (int)e->split.unlabeled,
        e->split.ratio, e->split.unlabeled_count, (unsigned long long)e->split.seed, e->split.balanced, e->split.reuse_labeled,
        s->graph.arch, s->graph.stem, s->graph.width, s->graph.classes, s->graph.channels, o->kind->name, (double)o->temperature,
        (double)o->fairness, e->loop.schedule.ramp, (int)o->confidence, o->joint, o->shared_class, o->attached, o->whole_batch, o->exact,
        o->cam_relu, o->cam_layer, (double)o->alpha, (double)o->beta, s->step.batch_labeled, s->step.batch_unlabeled, s->step.image_size,
        s->augment.size, (double)s->step.momentum, (double)s->step.weight_decay, (double)s->step.ema, s->step.nesterov,
        (int)s->augment.views.weak, (int)s->step.views.strong, s->step.views.operations, s->augment.scale_min, s->augment.ratio_max,
        s->augment.flip_horizontal, s->augment.flip_vertical, s->augment.crop_min, (unsigned)s->augment.rotations.count,
        (int)s->augment.rotations.turns[0], (int)s->augment.rotations.turns[1], (int)s->augment.rotations.turns[2],
        (int)s->augment.rotations.turns[3], s->augment.per_image, (unsigned long long)e->loop.seed, (unsigned long long)s->augment.seed,
        (int)e->loop.schedule.kind, e->loop.schedule.lr, e->loop.schedule.gamma, (unsigned long long)e->loop.schedule.step_epochs,
        (unsigned long long)e->loop.schedule.warmup, (unsigned long long)e->loop.schedule.epochs,
        (unsigned long long)e->loop.schedule.epoch_steps, (unsigned long long)e->loop.schedule.steps, e->loop.schedule.threshold,
        e->loop.schedule.threshold_end, (double)s->mean[0], (double)s->mean[1], (double)s->mean[2], (double)s->std[0], (double)s->std[1],
        (double)s->std[2], (unsigned long long)e->loop.eval_every, (unsigned long long)e->loop.save_every,
        (unsigned long long)e->loop.cams_every, e->loop.shuffle, e->loop.tensorboard);
}

static everything made_from(const camcl_config *config)
{
    everything e = { .device = cc_device_options_from(config),
                     .dataset = camcl_dataset_spec_from(config),
                     .split = cc_split_spec_from(config) };
    e.loop = cc_loop_settings_from(config, e.split.labeled);
    if (cc_settings_from(config, &rgb, &e.settings, &err) != CAMCL_OK) fail_msg("%s", err.message);
    return e;
}

/* The lines of `after` that `before` does not have. */
static void difference(const char *before, const char *after, char *out)
{
    *out = '\0';
    while (*after) {
        size_t a = strcspn(after, "\n"), b = strcspn(before, "\n");
        if (a != b || memcmp(after, before, a) != 0) sprintf(out + strlen(out), "%.*s;", (int)a, after);
        after += a + 1;
        before += b + 1;
    }
}

static const struct {
    const char *key, *value, *changes;
} keys[] = {
    { "device.select", "0:1", "select 0:1;" },
    { "device.share", "3, 1", NULL },
    { "device.conv", "gemm", "conv gemm;" },
    { "device.tune", "off", "tune off;" },
    { "device.cache_dir", "some/where", "cache some/where;pixels some/where;" },
    { "device.memory", "separate", "separate 1;" },
    { "data.dataset", "mnist", "dataset mnist;" },
    { "data.root", "else/where", "root else/where;" },
    { "data.labeled", "321", "labeled 321;epoch_steps 11;steps 1100;" },
    { "data.balanced", "no", "balanced 0;" },
    { "data.reuse_labeled", "yes", "reuse 1;" },
    { "data.ratio", "2.5", "ratio 2.5;" },
    { "data.unlabeled", "77", "unlabeled 2;unlabeled_count 77;" },
    { "data.validation", "40", "validation 40;" },
    { "data.resident", "64", NULL },
    { "data.image_size", "48", "side 48;size 48 48;" },
    { "data.fit", "pad", "fit 2;" },
    { "data.corrupt", "skip", "skip 1;" },
    { "data.test_share", "0.25", "share 0.25;" },
    { "data.mean", "0.1, 0.2,0.3", "mean 0.100000001 0.200000003 0.300000012;" },
    { "data.std", "4,5,6", "std 4 5 6;" },
    { "data.shuffle", "no", "shuffle 0;" },
    { "data.seed", "9007199254740992", "draw 9007199254740992;split seed 9007199254740992;" },
    { "model.arch", "resnet50", "arch resnet50;" },
    { "model.stem", "imagenet", "stem imagenet;" },
    { "model.width", "24", "width 24;" },
    { "model.init", "weights.safetensors", NULL },
    { "ssl.preset", "paper-code", "confidence 0;joint 0;shared 0;attached 1;rotations 4 0 1 2 0;per_image 0;" },
    { "ssl.mode", "supervised", "mode supervised;beta 0;" },
    { "ssl.cam_layer", "2", "layer 2;" },
    { "ssl.alpha", "0.5", "alpha 0.5;" },
    { "ssl.beta", "0.125", "beta 0.125;" },
    { "ssl.ramp", "0.25", "ramp 0.25;" },
    { "ssl.temperature", "0.5", "temperature 0.5;" },
    { "ssl.fairness", "0.125", "fairness 0.125;" },
    { "ssl.threshold", "0.75", "threshold 0.75;" },
    { "ssl.threshold_end", "0.8125", "end 0.8125;" },
    { "ssl.cam_relu", "yes", "relu 1;" },
    { "ssl.confidence", "logit", "confidence 0;" },
    { "ssl.batch_norm", "separate", "joint 0;" },
    { "ssl.cam_class", "own", "shared 0;" },
    { "ssl.cam_target", "attached", "attached 1;" },
    { "ssl.cam_gradient", "exact", "exact 1;" },
    { "ssl.reduction", "batch", "whole 1;" },
    { "augment.flip_horizontal", "no", "flip_h 0;" },
    { "augment.flip_vertical", "no", "flip_v 0;" },
    { "augment.crop_min", "0.5", "crop 0.5;" },
    { "augment.rotations", "none", "rotations 1 0 0 0 0;" },
    { "augment.weak", "flip-shift", "weak 1;" },
    { "augment.strong", "randaugment", "strong 1;" },
    { "augment.randaugment", "3", "operations 3;" },
    { "augment.scale_min", "0.5", "scale_min 0.5;" },
    { "augment.ratio_max", "2", "ratio_max 2;" },
    { "augment.per_image", "no", "per_image 0;" },
    { "optim.lr", "0.25", "lr 0.25;" },
    { "optim.momentum", "0.5", "momentum 0.5;" },
    { "optim.nesterov", "yes", "nesterov 1;" },
    { "optim.weight_decay", "0.0625", "decay 0.0625;" },
    { "optim.schedule", "step", "kind 2;" },
    { "optim.lr_step", "7", "step_epochs 7;" },
    { "optim.lr_gamma", "0.5", "gamma 0.5;" },
    { "optim.warmup", "13", "warmup 13;" },
    { "optim.ema", "0.75", "ema 0.75;" },
    { "train.epochs", "3", "epochs 3;steps 48;" },
    { "train.epoch_steps", "4", "epoch_steps 4;steps 400;" },
    { "train.batch_labeled", "100", "batch_labeled 100;epoch_steps 5;steps 500;" },
    { "train.batch_unlabeled", "96", "batch_unlabeled 96;" },
    { "train.eval_every", "5", "eval 5;" },
    { "train.seed", "42", "seed 42 42;" },
    { "output.dir", "runs/x", NULL },
    { "output.save_every", "6", "save 6;" },
    { "output.cams_every", "8", "cams 8;" },
    { "output.tensorboard", "yes", "tensorboard 1;" },
};

/* Read where they are used, not through these settings. */
static bool read_elsewhere(const char *key)
{
    const char *const elsewhere[] = { "model.init", "output.dir", "data.resident", "device.share" };
    for (size_t i = 0; i < CC_COUNT(elsewhere); i++)
        if (strcmp(elsewhere[i], key) == 0) return true;
    return false;
}

static void each_key_changes_what_it_should_and_nothing_else(void **state)
{
    (void)state;
    char before[4096], after[4096], changes[4096];
    camcl_config *plain = configuration();
    everything e = made_from(plain);
    show(&e, before, sizeof before);
    for (size_t i = 0; i < CC_COUNT(keys); i++) {
        camcl_config *config = configuration();
        set(config, keys[i].key, keys[i].value);
        everything other = made_from(config);
        show(&other, after, sizeof after);
        difference(before, after, changes);
        if (strcmp(changes, keys[i].changes ? keys[i].changes : "") != 0)
            fail_msg("%s = %s changes \"%s\", should change \"%s\"", keys[i].key, keys[i].value, changes,
                     keys[i].changes ? keys[i].changes : "");
        camcl_config_destroy(&config);
    }
    camcl_config_destroy(&plain);
}

static void no_key_is_left_out(void **state)
{
    (void)state;
    size_t count;
    const camcl_config_key *schema = camcl_config_schema(&count);
    for (size_t i = 0; i < count; i++) {
        char name[96];
        size_t at = 0;
        snprintf(name, sizeof name, "%s.%s", schema[i].section, schema[i].name);
        while (at < CC_COUNT(keys) && strcmp(keys[at].key, name) != 0)
            at++;
        if (at == CC_COUNT(keys)) fail_msg("this test does not know %s", name);
        /* What changes nothing must be refused. */
        if (!keys[at].changes && !read_elsewhere(name)) fail_msg("%s has no effect", name);
    }
}

static void defaults(void **state)
{
    (void)state;
    camcl_config *config = configuration();
    everything e = made_from(config);
    const cc_settings *s = &e.settings;
    const cc_objective *o = &s->step.objective;
    assert_string_equal(e.device.select, "auto");
    assert_string_equal(e.device.cache_dir, "");
    assert_false(e.device.separate_memory);
    assert_int_equal(e.split.labeled, 500);
    assert_int_equal(e.split.unlabeled, CC_UNLABELED_AUTO);
    assert_ptr_equal(o->kind, &cc_objective_gradcam);
    assert_int_equal(o->confidence, CC_CONFIDENCE_SOFTMAX);
    assert_true(o->joint && o->shared_class && !o->attached && !o->whole_batch && !o->cam_relu);
    assert_int_equal(s->augment.rotations.count, 4);
    assert_int_equal(s->augment.views.weak, CC_WEAK_FLIP);
    assert_int_equal(s->augment.views.strong, CC_STRONG_CROP_ROTATE);
    assert_int_equal(e.loop.schedule.kind, CC_SCHEDULE_COSINE);
    assert_int_equal(e.loop.schedule.epoch_steps, 16); /* ceil(500 / 32) */
    assert_int_equal(e.loop.schedule.steps, 1600);
    assert_int_equal(s->step.image_size, 32);
    assert_int_equal(s->graph.width, 0); /* the architecture's own: the graph resolves it */
    assert_false(s->step.inspect);
    assert_memory_equal(s->mean, rgb.mean, 3 * sizeof *s->mean);
    assert_memory_equal(s->std, rgb.std, 3 * sizeof *s->std);
    camcl_config_destroy(&config);
}

static void words(void **state)
{
    (void)state;
    const struct {
        const char *key, *value;
        int want;
        size_t place;
    } cases[] = {
        { "data.unlabeled", "all", CC_UNLABELED_ALL, 0 },
        { "data.unlabeled", "0", CC_UNLABELED_COUNT, 0 },
        { "optim.schedule", "constant", CC_SCHEDULE_CONSTANT, 1 },
        { "optim.schedule", "fixmatch", CC_SCHEDULE_FIXMATCH, 1 },
        { "optim.schedule", "step", CC_SCHEDULE_STEP, 1 },
        { "augment.rotations", "quarter", 123, 2 },
        { "augment.rotations", "paper-code", 120, 2 },
        { "augment.rotations", "0,270,90, 180", 312, 2 },
        { "device.memory", "arena", 0, 3 },
        { "augment.weak", "resized-crop", CC_WEAK_RESIZED_CROP, 4 },
        { "augment.strong", "weak", CC_STRONG_WEAK, 5 },
    };
    for (size_t i = 0; i < CC_COUNT(cases); i++) {
        camcl_config *config = configuration();
        set(config, cases[i].key, cases[i].value);
        everything e = made_from(config);
        const int32_t *turns = e.settings.augment.rotations.turns;
        const int got[] = { (int)e.split.unlabeled,   (int)e.loop.schedule.kind,       100 * turns[1] + 10 * turns[2] + turns[3],
                            e.device.separate_memory, (int)e.settings.step.views.weak, (int)e.settings.augment.views.strong };
        if (got[cases[i].place] != cases[i].want) fail_msg("%s = %s", cases[i].key, cases[i].value);
        camcl_config_destroy(&config);
    }
}

static void refuse(const char *key, const char *value, const camcl_dataset_info *data, const char *const *mentions)
{
    camcl_config *config = configuration();
    cc_settings settings;
    set(config, key, value);
    assert_int_equal(cc_settings_from(config, data, &settings, &err), CAMCL_BAD_CONFIG);
    for (; *mentions; mentions++)
        if (!strstr(err.message, *mentions)) fail_msg("\"%s\" does not mention \"%s\"", err.message, *mentions);
    camcl_config_destroy(&config);
}

static void numbers_must_fit_the_channels(void **state)
{
    (void)state;
    camcl_dataset_info grey = rgb;
    grey.channels = 1;
    refuse("data.mean", "0.5", &rgb, (const char *[]){ "data.mean", "1 values", "3 channels", NULL });
    refuse("data.std", "1,2", &rgb, (const char *[]){ "data.std", "2 values", "3 channels", NULL });
    refuse("data.mean", "1,2,3,4", &rgb, (const char *[]){ "data.mean", "4 values", "3 channels", NULL });
    camcl_dataset_info four = rgb;
    four.channels = 4;
    refuse("augment.strong", "randaugment", &four, (const char *[]){ "augment.strong = randaugment", "4 channels", NULL });
    refuse("data.std", "1,2,3", &grey, (const char *[]){ "data.std", "3 values", "1 channel", NULL });
    camcl_config *config = configuration();
    cc_settings settings;
    set(config, "data.mean", "0.75");
    assert_int_equal(cc_settings_from(config, &grey, &settings, &err), CAMCL_OK);
    assert_true(settings.mean[0] >= 0.75f && settings.mean[0] <= 0.75f);
    camcl_config_destroy(&config);
}

static void images_that_are_not_square_need_a_size(void **state)
{
    (void)state;
    camcl_dataset_info wide = rgb;
    wide.width = 40;
    refuse("data.image_size", "0", &wide, (const char *[]){ "data.image_size", "40 x 32", NULL });
    camcl_config *config = configuration();
    cc_settings settings;
    set(config, "data.image_size", "36");
    assert_int_equal(cc_settings_from(config, &wide, &settings, &err), CAMCL_OK);
    assert_int_equal(settings.step.image_size, 36);
    camcl_config_destroy(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_changes_what_it_should_and_nothing_else),
        cmocka_unit_test(no_key_is_left_out),
        cmocka_unit_test(defaults),
        cmocka_unit_test(words),
        cmocka_unit_test(numbers_must_fit_the_channels),
        cmocka_unit_test(images_that_are_not_square_need_a_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
