/* Configuration: defaults, files, overrides, presets, every class of error, round trips, and random bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <iniparser.h>
#include <pthread.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/words.h"
#include "camcl/config.h"
#include "config/use_mode.h"
#include "config/written.h"

static char folder[] = "/tmp/camcl-config-XXXXXX";
static char path[128];

static int make_folder(void **state)
{
    (void)state;
    unsetenv("CAMCL_DEVICE");
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(path, sizeof path, "%s/test.ini", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void write_bytes(const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static camcl_config *create(void)
{
    camcl_config *config;
    camcl_error err;
    assert_int_equal(camcl_config_create(&config, &err), CAMCL_OK);
    return config;
}

static camcl_config *loaded(const char *text)
{
    camcl_error err = { 0 };
    camcl_config *config = create();
    write_bytes(text, strlen(text));
    if (camcl_config_load(config, path, &err) != CAMCL_OK) fail_msg("%s", err.message);
    return config;
}

static void set(camcl_config *config, const char *key, const char *value)
{
    camcl_error err = { 0 };
    if (camcl_config_set(config, key, value, NULL, &err) != CAMCL_OK) fail_msg("%s", err.message);
}

/* Every one of the '|'-separated parts must be in the message. */
static void assert_message(const camcl_error *err, camcl_status status, const char *parts)
{
    assert_int_equal(err->status, status);
    assert_null(strchr(err->message, '\n'));
    char copy[512];
    snprintf(copy, sizeof copy, "%s", parts);
    for (char *save, *part = strtok_r(copy, "@", &save); part; part = strtok_r(NULL, "@", &save)) {
        if (!strstr(err->message, part)) fail_msg("\"%s\" is not in: %s", part, err->message);
    }
}

static void assert_file_refused_bytes(const char *text, size_t size, const char *parts)
{
    camcl_error err = { 0 };
    camcl_config *config = create();
    write_bytes(text, size);
    assert_int_equal(camcl_config_load(config, path, &err), CAMCL_BAD_CONFIG);
    assert_message(&err, CAMCL_BAD_CONFIG, parts);
    assert_non_null(strstr(err.message, path));
    camcl_config_destroy(&config);
}

static void assert_file_refused(const char *text, const char *parts) { assert_file_refused_bytes(text, strlen(text), parts); }

static void assert_refused(const char *key, const char *value, const char *parts)
{
    camcl_error err = { 0 };
    camcl_config *config = create();
    if (camcl_config_set(config, key, value, NULL, &err) == CAMCL_OK) fail_msg("%s = %s was taken", key, value);
    assert_message(&err, CAMCL_BAD_CONFIG, parts);
    camcl_config_destroy(&config);
}

/* `sets` is "key=value key=value ..."; finish must return `status`. */
static void assert_finish(const char *sets, camcl_status status, const char *parts)
{
    camcl_error err = { 0 };
    camcl_config *config = create();
    char copy[512];
    snprintf(copy, sizeof copy, "%s", sets);
    for (char *save, *one = strtok_r(copy, " ", &save); one; one = strtok_r(NULL, " ", &save)) {
        if (camcl_config_override(config, one, &err) != CAMCL_OK) fail_msg("%s", err.message);
    }
    assert_int_equal(camcl_config_finish(config, &err), status);
    if (status != CAMCL_OK) assert_message(&err, status, parts);
    camcl_config_destroy(&config);
}

/* ---- values */

/* The contract's list, typed here a second time: a slip in the schema must not go unseen. */
static const char *const defaults[][2] = {
    { "device.select", "auto" },
    { "device.share", "auto" },
    { "device.conv", "auto" },
    { "device.tune", "cache" },
    { "device.cache_dir", "" },
    { "device.memory", "arena" },
    { "data.dataset", "cifar10" },
    { "data.root", "data" },
    { "data.labeled", "500" },
    { "data.balanced", "yes" },
    { "data.ratio", "1.0" },
    { "data.unlabeled", "auto" },
    { "data.reuse_labeled", "no" },
    { "data.validation", "5000" },
    { "data.resident", "auto" },
    { "data.image_size", "0" },
    { "data.fit", "stretch" },
    { "data.corrupt", "refuse" },
    { "data.test_share", "0.15" },
    { "data.mean", "auto" },
    { "data.std", "auto" },
    { "data.shuffle", "yes" },
    { "data.seed", "1" },
    { "model.arch", "resnet18" },
    { "model.stem", "cifar" },
    { "model.width", "0" },
    { "model.init", "" },
    { "ssl.preset", "corrected" },
    { "ssl.mode", "gradcam" },
    { "ssl.cam_layer", "3" },
    { "ssl.alpha", "1" },
    { "ssl.beta", "1" },
    { "ssl.ramp", "0.4" },
    { "ssl.temperature", "0.4" },
    { "ssl.fairness", "0.001" },
    { "ssl.threshold", "0.85" },
    { "ssl.threshold_end", "0.95" },
    { "ssl.cam_relu", "no" },
    { "ssl.confidence", "softmax" },
    { "ssl.batch_norm", "joint" },
    { "ssl.cam_class", "shared" },
    { "ssl.cam_target", "detached" },
    { "ssl.cam_gradient", "first-order" },
    { "ssl.reduction", "confident" },
    { "augment.weak", "flip" },
    { "augment.strong", "crop-rotate" },
    { "augment.randaugment", "2" },
    { "augment.scale_min", "0.08" },
    { "augment.ratio_max", "1.333" },
    { "augment.flip_horizontal", "yes" },
    { "augment.flip_vertical", "yes" },
    { "augment.crop_min", "0.75" },
    { "augment.rotations", "quarter" },
    { "augment.per_image", "yes" },
    { "optim.lr", "0.03" },
    { "optim.momentum", "0.9" },
    { "optim.nesterov", "no" },
    { "optim.weight_decay", "5e-4" },
    { "optim.schedule", "cosine" },
    { "optim.lr_step", "30" },
    { "optim.lr_gamma", "0.1" },
    { "optim.warmup", "0" },
    { "optim.ema", "0" },
    { "train.epochs", "100" },
    { "train.epoch_steps", "0" },
    { "train.batch_labeled", "32" },
    { "train.batch_unlabeled", "32" },
    { "train.eval_every", "1" },
    { "train.seed", "1" },
    { "output.dir", "" },
    { "output.save_every", "1" },
    { "output.cams_every", "0" },
    { "output.tensorboard", "no" },
};

static void test_defaults(void **state)
{
    (void)state;
    camcl_config *config = create();
    size_t count;
    camcl_config_schema(&count);
    assert_int_equal(count, CC_COUNT(defaults));
    for (size_t i = 0; i < CC_COUNT(defaults); i++) {
        assert_string_equal(camcl_config_string(config, defaults[i][0]), defaults[i][1]);
        const bool by_mode = strcmp(defaults[i][0], "ssl.beta") == 0;
        assert_string_equal(camcl_config_origin(config, defaults[i][0]), by_mode ? "ssl.mode" : "default");
    }
    assert_int_equal(camcl_config_finish(config, NULL), CAMCL_OK);
    assert_int_equal(camcl_config_int(config, "data.labeled"), 500);
    assert_true(camcl_config_double(config, "optim.weight_decay") == 5e-4);
    assert_true(camcl_config_double(config, "train.epochs") == 100);
    assert_true(camcl_config_bool(config, "data.shuffle"));
    assert_false(camcl_config_bool(config, "optim.nesterov"));
    assert_int_equal(camcl_config_numbers(config, "data.mean", NULL, 0), 0);
    assert_null(camcl_config_warning(config, 0));
    camcl_config_destroy(&config);
    assert_null(config);
    camcl_config_destroy(&config);
}

/* Every default of every row must pass the row's own check; what a further default depends on is a key, and its words are values of it. */
static void test_schema_accepts_its_defaults(void **state)
{
    (void)state;
    size_t count, further = 0;
    const camcl_config_key *schema = camcl_config_schema(&count);
    camcl_config *config = create();
    for (size_t i = 0; i < count; i++) {
        char name[96];
        snprintf(name, sizeof name, "%s.%s", schema[i].section, schema[i].name);
        assert_ptr_equal(camcl_config_find(name), &schema[i]);
        set(config, name, schema[i].initial);
        for (const camcl_config_default *d = schema[i].defaults; d && d->key; d++, further++) {
            const char *words = d->words, *word;
            size_t length;
            set(config, name, d->value);
            assert_true(d->why && *d->why);
            while (cc_words_next(&words, &word, &length)) {
                char one[64];
                snprintf(one, sizeof one, "%.*s", (int)length, word);
                set(config, d->key, one);
            }
        }
        assert_non_null(schema[i].help);
    }
    assert_true(further >= 11);
    camcl_config_destroy(&config);
}

/* From every key, following what its defaults depend on ends before it has passed every key. */
static size_t depth_of(const camcl_config_key *key, size_t most)
{
    size_t depth = 0;
    if (most == 0) fail_msg("the defaults of %s.%s lead in a circle", key->section, key->name);
    for (const camcl_config_default *d = key->defaults; d && d->key; d++) {
        const size_t below = 1 + depth_of(camcl_config_find(d->key), most - 1);
        if (below > depth) depth = below;
    }
    return depth;
}

static void test_defaults_depend_in_no_circle(void **state)
{
    (void)state;
    size_t count, deepest = 0;
    const camcl_config_key *schema = camcl_config_schema(&count);
    for (size_t i = 0; i < count; i++) {
        const size_t depth = depth_of(&schema[i], count);
        if (depth > deepest) deepest = depth;
    }
    assert_int_equal(deepest, 2); /* data.balanced, data.labeled, data.dataset */
}

/* One's own pictures come with the labels that they have; whatever is set wins, before or after. */
static void test_defaults_of_own_pictures(void **state)
{
    (void)state;
    static const char *const sets[] = { "folder", "list" };
    for (size_t i = 0; i < CC_COUNT(sets); i++) {
        camcl_config *config = create();
        char *text = NULL, line[160];
        set(config, "data.dataset", sets[i]);
        assert_string_equal(camcl_config_string(config, "data.labeled"), "all");
        assert_string_equal(camcl_config_string(config, "data.validation"), "auto");
        assert_false(camcl_config_bool(config, "data.balanced"));
        assert_string_equal(camcl_config_origin(config, "data.labeled"), "data.dataset");
        assert_string_equal(camcl_config_origin(config, "data.balanced"), "data.labeled");
        assert_string_equal(camcl_config_origin(config, "data.unlabeled"), "default");
        assert_int_equal(camcl_config_finish(config, NULL), CAMCL_OK);
        assert_int_equal(camcl_config_describe(config, &text, NULL), CAMCL_OK);
        snprintf(line, sizeof line, "; set by data.dataset = %s: every label of one's own pictures is used\n", sets[i]);
        assert_non_null(strstr(text, line));
        assert_non_null(strstr(text, "default 500, all with data.dataset = folder | list | memory;"));
        assert_non_null(strstr(text, "; set by data.labeled = all: classes have as many labels as they have\n"));
        free(text);
        set(config, "data.labeled", "30");
        assert_string_equal(camcl_config_default_of(config, "data.labeled"), "all");
        assert_string_equal(camcl_config_default_of(config, "data.balanced"), "yes");
        assert_true(camcl_config_bool(config, "data.balanced"));
        assert_string_equal(camcl_config_origin(config, "data.balanced"), "default");
        set(config, "data.balanced", "no");
        assert_false(camcl_config_bool(config, "data.balanced"));
        assert_string_equal(camcl_config_origin(config, "data.balanced"), "command line");
        camcl_config_destroy(&config);
    }
}

/* ~/ is the home folder in every path key, from a file or the command line; ~user, and ~ elsewhere, are left alone. */
static void test_home_folder(void **state)
{
    (void)state;
    camcl_error err;
    const char *before = getenv("HOME");
    char *kept = before ? strdup(before) : NULL, *text = NULL;
    setenv("HOME", "/home/some one", 1);
    camcl_config *config = loaded("[data]\nroot = ~/pictures/~/x\n[output]\ndir = ~\n[device]\nselect = ~/gpu\n");
    assert_string_equal(camcl_config_string(config, "data.root"), "/home/some one/pictures/~/x");
    assert_string_equal(camcl_config_string(config, "output.dir"), "/home/some one");
    assert_string_equal(camcl_config_string(config, "device.select"), "~/gpu");
    assert_int_equal(camcl_config_override(config, "model.init=~//w.safetensors", NULL), CAMCL_OK);
    assert_string_equal(camcl_config_string(config, "model.init"), "/home/some one/w.safetensors");
    set(config, "device.cache_dir", "~other/x");
    assert_string_equal(camcl_config_string(config, "device.cache_dir"), "~other/x");
    assert_int_equal(camcl_path_expand("./~/x", &text, NULL), CAMCL_OK);
    assert_string_equal(text, "./~/x");
    free(text);
    unsetenv("HOME");
    assert_int_equal(camcl_config_override(config, "data.root=~/x", &err), CAMCL_BAD_CONFIG);
    assert_message(&err, CAMCL_BAD_CONFIG, "command line: data.root: ~/x: the home folder is not known@set HOME");
    assert_string_equal(camcl_config_string(config, "data.root"), "/home/some one/pictures/~/x");
    camcl_config_destroy(&config);
    if (kept) setenv("HOME", kept, 1);
    free(kept);
}

/* Where scaled pictures and compiled kernels are kept. */
static void test_cache_folder(void **state)
{
    (void)state;
    const char *before = getenv("XDG_CACHE_HOME");
    char *kept = before ? strdup(before) : NULL;
    setenv("XDG_CACHE_HOME", "/some/cache", 1);
    camcl_config *config = create();
    assert_string_equal(camcl_config_cache_dir(config), "/some/cache/camcl");
    set(config, "device.cache_dir", "else/where");
    assert_string_equal(camcl_config_cache_dir(config), "else/where");
    camcl_config_destroy(&config);
    unsetenv("XDG_CACHE_HOME");
    if (kept) setenv("XDG_CACHE_HOME", kept, 1);
    free(kept);
}

static void test_file_and_overrides(void **state)
{
    (void)state;
    camcl_config *config = loaded("# a comment\n; another\n\n[Optim]\nLR = 0.5 ; after a value\nmomentum=0   # too\r\n"
                                  "\tweight_decay\t=\t1e-3\n[data]\nroot = \"a;b #c\"\nmean = 0.5, 0.25 ,1\nunlabeled = 40\n"
                                  "shuffle = Off\n[optim]\nnesterov = TRUE\n[device]\nselect = 'Some, Device: X'\n[output]\ndir =\n");
    char origin[160];
    double numbers[3];
    snprintf(origin, sizeof origin, "%s:5", path);
    assert_true(camcl_config_double(config, "optim.lr") == 0.5);
    assert_string_equal(camcl_config_origin(config, "optim.lr"), origin);
    assert_true(camcl_config_double(config, "optim.momentum") == 0);
    assert_true(camcl_config_double(config, "optim.weight_decay") == 1e-3);
    assert_true(camcl_config_bool(config, "optim.nesterov"));
    assert_string_equal(camcl_config_string(config, "data.root"), "a;b #c");
    assert_int_equal(camcl_config_numbers(config, "data.mean", numbers, 3), 3);
    assert_true(numbers[0] == 0.5 && numbers[1] == 0.25 && numbers[2] == 1);
    assert_int_equal(camcl_config_int(config, "data.unlabeled"), 40);
    assert_false(camcl_config_bool(config, "data.shuffle"));
    assert_string_equal(camcl_config_string(config, "device.select"), "Some, Device: X");
    assert_string_equal(camcl_config_string(config, "output.dir"), "");
    assert_int_equal(camcl_config_override(config, "optim.lr=0.25", NULL), CAMCL_OK);
    assert_true(camcl_config_double(config, "optim.lr") == 0.25);
    assert_string_equal(camcl_config_origin(config, "optim.lr"), "command line");
    assert_int_equal(camcl_config_override(config, "data.root=x=y", NULL), CAMCL_OK);
    assert_string_equal(camcl_config_string(config, "data.root"), "x=y");
    camcl_config_destroy(&config);
}

static void test_device_from_environment(void **state)
{
    (void)state;
    setenv("CAMCL_DEVICE", "Iris", 1);
    camcl_config *config = create();
    assert_string_equal(camcl_config_string(config, "device.select"), "Iris");
    assert_string_equal(camcl_config_origin(config, "device.select"), "CAMCL_DEVICE");
    write_bytes("[device]\nselect = cpu\n", 22);
    assert_int_equal(camcl_config_load(config, path, NULL), CAMCL_OK);
    assert_string_equal(camcl_config_string(config, "device.select"), "cpu");
    camcl_config_destroy(&config);
    setenv("CAMCL_DEVICE", "", 1);
    config = create();
    assert_string_equal(camcl_config_string(config, "device.select"), "auto");
    camcl_config_destroy(&config);
    unsetenv("CAMCL_DEVICE");
}

static void test_presets(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        { "ssl.confidence", "softmax", "logit" },
        { "ssl.batch_norm", "joint", "separate" },
        { "ssl.cam_class", "shared", "own" },
        { "ssl.cam_target", "detached", "attached" },
        { "ssl.cam_gradient", "first-order", "first-order" },
        { "ssl.reduction", "confident", "confident" },
        { "augment.rotations", "quarter", "paper-code" },
        { "augment.per_image", "yes", "no" },
    };
    camcl_config *config = create();
    for (size_t i = 0; i < CC_COUNT(rows); i++)
        assert_string_equal(camcl_config_string(config, rows[i][0]), rows[i][1]);
    set(config, "ssl.preset", "paper-code");
    for (size_t i = 0; i < CC_COUNT(rows); i++) {
        assert_string_equal(camcl_config_string(config, rows[i][0]), rows[i][2]);
        assert_string_equal(camcl_config_origin(config, rows[i][0]), "ssl.preset");
    }
    assert_false(camcl_config_bool(config, "augment.per_image"));
    /* The preset is of the first three modes. */
    set(config, "ssl.mode", "mean-teacher");
    set(config, "ssl.beta", "1");
    for (size_t i = 0; i < CC_COUNT(rows); i++) {
        const bool reduction = strcmp(rows[i][0], "ssl.reduction") == 0;
        assert_string_equal(camcl_config_string(config, rows[i][0]), reduction ? "batch" : rows[i][1]);
        assert_string_equal(camcl_config_origin(config, rows[i][0]), "ssl.mode");
    }
    assert_int_equal(camcl_config_finish(config, NULL), CAMCL_OK);
    camcl_config_destroy(&config);
    /* An override wins whether it comes before or after the preset. */
    config = create();
    set(config, "ssl.batch_norm", "joint");
    set(config, "ssl.preset", "paper-code");
    set(config, "ssl.confidence", "softmax");
    assert_string_equal(camcl_config_string(config, "ssl.batch_norm"), "joint");
    assert_string_equal(camcl_config_string(config, "ssl.confidence"), "softmax");
    assert_string_equal(camcl_config_string(config, "ssl.cam_class"), "own");
    assert_int_equal(camcl_config_finish(config, NULL), CAMCL_OK);
    camcl_config_destroy(&config);
}

/* ---- errors */

static void test_unknown_names(void **state)
{
    (void)state;
    assert_file_refused("[ssl]\n\nalhpa = 1\n", ":3:@ssl.alhpa@unknown key@did you mean ssl.alpha@number, 0 to 1000000");
    assert_file_refused("[optim]\nalpha = 1\n", ":2:@optim.alpha@did you mean ssl.alpha");
    assert_file_refused("[sl]\nmode = gradcam\n", ":2:@unknown section [sl]@did you mean ssl.mode@supervised | pseudo-label");
    assert_file_refused("[train]\nepoch = 3\n", "did you mean train.epochs");
    assert_file_refused("[data]\nzzzzzzzzzz = 3\n", "unknown key@camcl config lists every key");
    assert_file_refused("[a]\nb.c = 3\n", "a.b.c@unknown section [a]");
    assert_refused("mode", "gradcam", "command line: mode: unknown key@did you mean ssl.mode");
    assert_refused("lr", "1", "did you mean optim.lr");
    assert_refused("", "1", "unknown key");
    assert_refused(".", "1", "unknown");
    camcl_error err;
    camcl_config *config = create();
    assert_int_equal(camcl_config_override(config, "ssl.mode", &err), CAMCL_BAD_CONFIG);
    assert_message(&err, CAMCL_BAD_CONFIG, "ssl.mode: no value@section.key=value");
    assert_int_equal(camcl_config_set(config, "ssl.alhpa", "1", NULL, &err), CAMCL_BAD_CONFIG);
    assert_non_null(strstr(err.detail, "cam_layer"));
    assert_int_equal(camcl_config_set(config, "sl.alhpa", "1", NULL, &err), CAMCL_BAD_CONFIG);
    assert_string_equal(err.detail, "sections: device data model ssl augment optim train output\n");
    assert_int_equal(camcl_config_set(config, "ssl.alhpa", "1", NULL, NULL), CAMCL_BAD_CONFIG);
    camcl_config_destroy(&config);
}

static void test_bad_values(void **state)
{
    (void)state;
    assert_file_refused("[ssl]\nmode = gradcan\n", ":2: ssl.mode = gradcan: unknown value@did you mean gradcam?@supervised | pseudo-label");
    assert_file_refused("[train]\nepochs = ten\n", ":2:@train.epochs = ten@not a whole number@1 to 1000000000");
    assert_file_refused("[train]\nepochs =\n", ":2:@the value is missing");
    assert_file_refused("[train]\nepochs = \"\"\n", "the value is missing");
    static const char *const not_int[] = { "1.0", "1e3", "0x10", "1 2", "7a", "--1", "+", "99999999999999999999", "1;2", "nan" };
    for (size_t i = 0; i < CC_COUNT(not_int); i++)
        assert_refused("train.epochs", not_int[i], "train.epochs@not a whole number");
    static const char *const not_number[] = { "nan", "inf", "-inf", "1e999", "0x1p3", "1,5", "1.5.2", "1e", ".", "-", "0.5f", "INFINITY" };
    for (size_t i = 0; i < CC_COUNT(not_number); i++)
        assert_refused("optim.lr", not_number[i], "optim.lr@not a number");
    static const char *const not_bool[] = { "maybe", "2", "y", "yes no" };
    for (size_t i = 0; i < CC_COUNT(not_bool); i++)
        assert_refused("optim.nesterov", not_bool[i], "neither yes nor no@yes | no");
    static const char *const not_numbers[] = { "1,,2", ",1", "1,", "1 2", "a", "1;2", "auto,1" };
    for (size_t i = 0; i < CC_COUNT(not_numbers); i++)
        assert_refused("data.mean", not_numbers[i], "not numbers");
    assert_refused("data.std", "0.5,0", "out of range@above 0");
    char many[2 * 65] = "1";
    for (size_t i = 1; i < 65; i++)
        strcat(many, ",1");
    assert_refused("data.std", many, "too many");
    assert_refused("device.share", many, "too many");
    static const char *const not_shares[] = { "3,", "fast,slow", "3;1", "" };
    for (size_t i = 0; i < CC_COUNT(not_shares); i++)
        assert_refused("device.share", not_shares[i], *not_shares[i] ? "not numbers@auto | numbers with commas" : "missing");
    assert_refused("device.share", "2,0", "out of range@above 0");
    assert_refused("device.share", "2,-1", "out of range");
    assert_refused("data.unlabeled", "some", "not a whole number@auto | all");
    assert_refused("data.root", "a\nb", "control character");
    assert_refused("data.root", "a;\"'", "both kinds");
    assert_refused("data.root", "a\\", "backslash");
    assert_refused("data.root", "", "missing");
}

/* Each numeric key takes the ends of its range and nothing beyond. */
static void test_range_ends(void **state)
{
    (void)state;
    size_t count;
    const camcl_config_key *schema = camcl_config_schema(&count);
    camcl_config *config = create();
    unsigned seen = 0;
    for (size_t i = 0; i < count; i++) {
        const camcl_config_key *key = &schema[i];
        if (key->type != CAMCL_KEY_INT && key->type != CAMCL_KEY_NUMBER && key->type != CAMCL_KEY_NUMBERS) continue;
        double step = key->type == CAMCL_KEY_INT ? 1 : 1e-3;
        struct {
            double value;
            bool good;
        } cases[] = {
            { key->minimum, !key->above_minimum },
            { key->minimum - step, false },
            { key->minimum + step, true },
            { key->maximum, !key->below_maximum },
            { key->maximum + step * (key->maximum > 1e12 ? 2 : 1), false },
            { key->maximum - step, true },
        };
        for (size_t c = 0; c < CC_COUNT(cases); c++) {
            char name[96], value[64];
            camcl_error err;
            snprintf(name, sizeof name, "%s.%s", key->section, key->name);
            snprintf(value, sizeof value, key->type == CAMCL_KEY_INT ? "%.0f" : "%.17g", cases[c].value);
            bool taken = camcl_config_set(config, name, value, NULL, &err) == CAMCL_OK;
            if (taken != cases[c].good) fail_msg("%s = %s was %s", name, value, taken ? "taken" : "refused");
            if (!taken) assert_message(&err, CAMCL_BAD_CONFIG, "out of range");
        }
        seen++;
    }
    assert_true(seen > 25);
    camcl_config_destroy(&config);
}

/* Each choice takes each of its words and no part, case or neighbour of one. */
static void test_choices(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        { "ssl.mode", "supervised pseudo-label gradcam pi-model mean-teacher uda fixmatch flexmatch freematch softmatch" },
        { "ssl.confidence", "softmax logit" },
        { "ssl.reduction", "confident batch" },
        { "augment.rotations", "quarter paper-code none" },
        { "augment.weak", "flip flip-shift resized-crop" },
        { "augment.strong", "crop-rotate randaugment weak" },
        { "model.arch", "resnet18 resnet34 resnet50 wrn28-2 wrn28-8" },
        { "optim.schedule", "constant cosine fixmatch step" },
        { "data.dataset", "shapes cifar10 cifar100 mnist fashion-mnist folder list" },
        { "device.conv", "auto direct winograd gemm" },
        { "device.tune", "off cache full" },
        { "device.memory", "arena separate" },
        { "model.stem", "cifar imagenet" },
        { "ssl.cam_gradient", "first-order exact" },
        { "ssl.cam_class", "shared own" },
        { "ssl.cam_target", "detached attached" },
        { "ssl.batch_norm", "joint separate" },
        { "ssl.preset", "corrected paper-code" },
        { "data.unlabeled", "auto all" },
        { "data.fit", "stretch crop pad" },
        { "data.corrupt", "refuse skip" },
    };
    camcl_config *config = create();
    for (size_t i = 0; i < CC_COUNT(rows); i++) {
        char copy[128];
        snprintf(copy, sizeof copy, "%s", rows[i][1]);
        for (char *save, *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
            set(config, rows[i][0], word);
            assert_true(camcl_config_is(config, rows[i][0], word));
            char half[64];
            snprintf(half, sizeof half, "%.3s", word);
            if (strcmp(half, word) != 0 && strcmp(half, "own") != 0) assert_refused(rows[i][0], half, rows[i][0]);
        }
        assert_refused(rows[i][0], "|", rows[i][0]);
        assert_refused(rows[i][0], rows[i][1], rows[i][0]);
    }
    camcl_config_destroy(&config);
}

static void test_bad_files(void **state)
{
    (void)state;
    static const char nul[] = "[ssl]\nmode = gradcam\0\n";
    char long_line[1200];
    assert_file_refused("[ssl]\nmode\n", ":2:@neither section");
    assert_file_refused("[ssl\nmode = gradcam\n", ":1:@not a section");
    assert_file_refused("[ssl] ; note\n", ":1:@not a section@on their own");
    assert_file_refused("[ssl] ; a = b\n", ":1:@not a section");
    assert_file_refused("[]\n", ":1:@not a section");
    assert_file_refused("[\n", ":1:@not a section");
    assert_file_refused("= 3\n", ":1:@neither section");
    assert_file_refused("mode = gradcam\n", ":1: mode: a key before the first section");
    assert_file_refused("[ssl]\nalpha = 1\n[optim]\nlr = 1\n[SSL]\nALPHA = 2\n", ":6: ssl.alpha: given twice, first in line 2");
    assert_file_refused("[data]\nroot = \"a\n", ":2:@the quote is not closed");
    assert_file_refused("[data]\nroot = 'a' b\n", ":2:@text after the closing quote");
    assert_file_refused("[data]\nroot = a\\\n b\n", ":2:@backslash");
    assert_file_refused("; note \\\n[data]\n", ":1:@backslash");
    assert_file_refused("\xef\xbb\xbf[data]\n", ":1:@byte order mark");
    assert_file_refused_bytes(nul, sizeof nul - 1, "NUL");
    memset(long_line, 'x', sizeof long_line);
    memcpy(long_line, "[data]\nroot = ", 14);
    assert_file_refused_bytes(long_line, sizeof long_line, ":2:@longer than 1000 bytes");
    camcl_error err;
    camcl_config *config = create();
    assert_int_equal(camcl_config_load(config, "/nonexistent/x.ini", &err), CAMCL_BAD_CONFIG);
    assert_message(&err, CAMCL_BAD_CONFIG, "configuration@/nonexistent/x.ini@No such file");
    assert_int_equal(camcl_config_load(config, folder, &err), CAMCL_BAD_CONFIG);
    assert_message(&err, CAMCL_BAD_CONFIG, folder);
    assert_int_equal(camcl_config_load(config, "/dev/null", &err), CAMCL_BAD_CONFIG);
    assert_message(&err, CAMCL_BAD_CONFIG, "regular file");
    camcl_config_destroy(&config);
}

static void test_finish(void **state)
{
    (void)state;
    assert_finish("ssl.mode=fixmatch", CAMCL_OK, "");
    assert_finish("ssl.mode=fixmatch ssl.beta=2", CAMCL_OK, "");
    assert_finish("ssl.mode=supervised ssl.beta=0.5", CAMCL_BAD_CONFIG, "ssl.beta = 0.5@supervised has no unlabelled@ssl.beta = 0");
    assert_finish("ssl.mode=mean-teacher", CAMCL_OK, "");
    assert_finish("ssl.mode=mean-teacher optim.ema=0", CAMCL_BAD_CONFIG, "optim.ema = 0@average of the weights");
    assert_finish("ssl.mode=mean-teacher ssl.beta=1 ssl.cam_target=attached", CAMCL_BAD_CONFIG, "ssl.cam_target = attached@no gradient");
    assert_finish("ssl.mode=mean-teacher ssl.cam_target=attached", CAMCL_OK, "");
    assert_finish("ssl.mode=freematch ssl.confidence=logit", CAMCL_BAD_CONFIG, "ssl.confidence = logit@freematch@softmax");
    assert_finish("ssl.mode=softmatch ssl.confidence=logit", CAMCL_BAD_CONFIG, "softmatch");
    assert_finish("ssl.mode=flexmatch ssl.confidence=logit", CAMCL_OK, "");
    assert_finish("ssl.mode=fixmatch optim.momentum=0", CAMCL_BAD_CONFIG, "ssl.mode: optim.nesterov = yes@optim.momentum");
    assert_finish("model.arch=wrn28-2 model.stem=imagenet", CAMCL_BAD_CONFIG, "model.stem = imagenet@model.stem = cifar");
    assert_finish("model.arch=wrn28-8 ssl.cam_layer=4", CAMCL_BAD_CONFIG, "ssl.cam_layer = 4@3 stages");
    assert_finish("device.select=0:0,0:1", CAMCL_OK, "");
    assert_finish("device.select=0:0,0:1 device.share=2,1.5", CAMCL_OK, "");
    assert_finish("device.select=0:0,0:1 device.share=2", CAMCL_BAD_CONFIG, "device.share = 2@1 share for the 2 devices");
    assert_finish("device.select=0:0 device.share=2,1", CAMCL_BAD_CONFIG, "device.share = 2,1@2 shares for the 1 device");
    assert_finish("device.select=0:0,0:1,0:2 train.batch_labeled=2", CAMCL_BAD_CONFIG, "train.batch_labeled = 2@each of the 3 devices");
    assert_finish("device.select=0:0,0:1 train.batch_unlabeled=1", CAMCL_BAD_CONFIG, "train.batch_unlabeled = 1@each of the 2 devices");
    assert_finish("device.select=0:0,0:1 train.batch_unlabeled=1 ssl.mode=supervised", CAMCL_OK, "");
    assert_finish("data.labeled=505", CAMCL_BAD_CONFIG, "data.labeled = 505@cifar10@multiple of 10");
    assert_finish("data.labeled=110 data.dataset=cifar100", CAMCL_BAD_CONFIG, "multiple of 100");
    assert_finish("data.labeled=15 data.dataset=shapes", CAMCL_BAD_CONFIG, "shapes@multiple of 10");
    assert_finish("data.labeled=505 data.dataset=folder", CAMCL_OK, "");
    assert_finish("data.labeled=505 data.balanced=no", CAMCL_OK, "");
    assert_finish("data.labeled=all", CAMCL_BAD_CONFIG, "data.labeled = all: it leaves no unlabelled images@gradcam@reuse_labeled");
    assert_finish("data.labeled=all data.reuse_labeled=yes", CAMCL_OK, "");
    assert_finish("data.labeled=all ssl.mode=supervised", CAMCL_OK, "");
    assert_finish("data.dataset=list data.ratio=0", CAMCL_OK, "");
    assert_finish("data.dataset=list data.unlabeled=0", CAMCL_BAD_CONFIG, "data.unlabeled = 0@needs unlabelled");
    assert_finish("data.mean=0.5 data.std=1,1,1", CAMCL_BAD_CONFIG, "1 and 3 values");
    assert_finish("data.mean=0.5", CAMCL_BAD_CONFIG, "data.mean: 1 values@cifar10@3 channels");
    assert_finish("data.std=1,1,1 data.dataset=mnist", CAMCL_BAD_CONFIG, "data.std: 3 values@1 channel ");
    assert_finish("data.mean=0.5,0.5,0.5 data.std=1,1,1", CAMCL_OK, "");
    assert_finish("data.ratio=0", CAMCL_BAD_CONFIG, "data.ratio = 0@ssl.mode = gradcam needs unlabelled");
    assert_finish("data.unlabeled=0", CAMCL_BAD_CONFIG, "data.unlabeled = 0@needs unlabelled");
    assert_finish("data.ratio=0 data.unlabeled=all", CAMCL_OK, "");
    assert_finish("data.ratio=0 ssl.mode=supervised", CAMCL_OK, "");
    assert_finish("optim.nesterov=yes optim.momentum=0", CAMCL_BAD_CONFIG, "optim.nesterov = yes@optim.momentum");
    assert_finish("optim.nesterov=yes", CAMCL_OK, "");
    assert_finish("ssl.threshold=0.9 ssl.threshold_end=0.5", CAMCL_OK, "");
}

/* Each of the later modes brings its paper's settings, whatever the preset says; the first three do not know of them. */
static void test_mode_defaults(void **state)
{
    (void)state;
    static const struct {
        const char *mode, *alpha, *beta, *threshold, *threshold_end, *strong;
        bool later;
    } modes[] = {
        { "supervised", "1", "0", "0.85", "0.95", "crop-rotate", false },
        { "pseudo-label", "1", "0", "0.85", "0.95", "crop-rotate", false },
        { "gradcam", "1", "1", "0.85", "0.95", "crop-rotate", false },
        { "pi-model", "10", "0", "0.85", "0.95", "weak", true },
        { "mean-teacher", "50", "0", "0.85", "0.95", "weak", true },
        { "uda", "1", "0", "0.8", "0.8", "randaugment", true },
        { "fixmatch", "1", "0", "0.95", "0.95", "randaugment", true },
        { "flexmatch", "1", "0", "0.95", "0.95", "randaugment", true },
        { "freematch", "1", "0", "0.85", "0.95", "randaugment", true },
        { "softmatch", "1", "0", "0.85", "0.95", "randaugment", true },
    };
    for (size_t i = 0; i < 2 * CC_COUNT(modes); i++) {
        const bool paper = i & 1, later = modes[i / 2].later;
        camcl_config *config = create();
        set(config, "ssl.mode", modes[i / 2].mode);
        set(config, "ssl.preset", paper ? "paper-code" : "corrected");
        assert_string_equal(camcl_config_string(config, "ssl.alpha"), modes[i / 2].alpha);
        assert_string_equal(camcl_config_string(config, "ssl.beta"), modes[i / 2].beta);
        assert_string_equal(camcl_config_string(config, "ssl.threshold"), modes[i / 2].threshold);
        assert_string_equal(camcl_config_string(config, "ssl.threshold_end"), modes[i / 2].threshold_end);
        assert_string_equal(camcl_config_string(config, "ssl.confidence"), paper && !later ? "logit" : "softmax");
        assert_string_equal(camcl_config_string(config, "ssl.batch_norm"), paper && !later ? "separate" : "joint");
        assert_string_equal(camcl_config_string(config, "ssl.reduction"), later ? "batch" : "confident");
        assert_string_equal(camcl_config_string(config, "optim.nesterov"), later ? "yes" : "no");
        assert_string_equal(camcl_config_string(config, "optim.schedule"), later ? "fixmatch" : "cosine");
        assert_string_equal(camcl_config_string(config, "optim.ema"), later ? "0.999" : "0");
        assert_string_equal(camcl_config_string(config, "augment.weak"), later ? "flip-shift" : "flip");
        assert_string_equal(camcl_config_string(config, "augment.strong"), modes[i / 2].strong);
        assert_string_equal(camcl_config_string(config, "augment.flip_vertical"), later ? "no" : "yes");
        assert_string_equal(camcl_config_origin(config, "optim.ema"), later ? "ssl.mode" : "default");
        set(config, "optim.ema", "0.5");
        assert_string_equal(camcl_config_string(config, "optim.ema"), "0.5");
        camcl_config_destroy(&config);
    }
}

/* A copy has what was set, and where it came from. With another mode it has that mode's beta. */
static void test_copies(void **state)
{
    (void)state;
    camcl_error err;
    camcl_config *config = create(), *copy = NULL;
    set(config, "ssl.beta", "3");
    set(config, "optim.lr", "0.5");
    assert_int_equal(camcl_config_copy(config, &copy, &err), CAMCL_OK);
    assert_int_equal(cc_config_use_mode(copy, "gradcam", &err), CAMCL_OK);
    assert_string_equal(camcl_config_string(copy, "ssl.beta"), "3");
    assert_int_equal(cc_config_use_mode(copy, "fixmatch", &err), CAMCL_OK);
    assert_string_equal(camcl_config_string(copy, "ssl.beta"), "0");
    assert_string_equal(camcl_config_string(copy, "optim.lr"), "0.5");
    assert_string_equal(camcl_config_origin(copy, "optim.lr"), camcl_config_origin(config, "optim.lr"));
    assert_string_equal(camcl_config_string(copy, "optim.ema"), "0.999");
    assert_string_equal(camcl_config_string(config, "ssl.mode"), "gradcam");
    assert_string_equal(camcl_config_string(config, "ssl.beta"), "3");
    camcl_config_destroy(&copy);
    camcl_config_destroy(&config);
}

/* What camcl_config_write made before ssl.beta went by mode: every key but those that came with it, and beta = 1 in any mode. */
static char *older_text(const char *mode, bool complete)
{
    camcl_error err;
    camcl_config *config = create();
    char *text;
    set(config, "ssl.mode", mode);
    set(config, "ssl.beta", "1");
    assert_int_equal(camcl_config_write(config, &text, &err), CAMCL_OK);
    camcl_config_destroy(&config);
    static const char *const keys[] = { "ramp = ", "temperature = ", "fairness = ", "cam_relu = " };
    for (size_t i = 0; i < (complete ? 3 : 4); i++) {
        char *line = strstr(text, keys[i]);
        assert_non_null(line);
        const size_t length = strcspn(line, "\n") + 1;
        memmove(line, line + length, strlen(line + length) + 1);
    }
    return text;
}

static void test_older_beta(void **state)
{
    (void)state;
    static const struct {
        const char *mode;
        bool complete;
        const char *beta;
    } cases[] = { { "pseudo-label", true, "0" }, { "supervised", true, "0" }, { "gradcam", true, "1" }, { "pseudo-label", false, "1" } };
    for (size_t i = 0; i < CC_COUNT(cases); i++) {
        camcl_error err;
        char *text = older_text(cases[i].mode, cases[i].complete), older[400];
        camcl_config *config = create(), *saved = create();
        snprintf(older, sizeof older, "%s/older.ini", folder);
        assert_int_equal(cc_file_write_text(older, text, &err), CAMCL_OK);
        assert_int_equal(camcl_config_load(config, older, &err), CAMCL_OK);
        assert_int_equal(cc_config_read_written(saved, "state", text, &err), CAMCL_OK);
        assert_string_equal(camcl_config_string(config, "ssl.beta"), cases[i].beta);
        assert_string_equal(camcl_config_string(saved, "ssl.beta"), cases[i].beta);
        camcl_config_destroy(&config);
        camcl_config_destroy(&saved);
        unlink(older);
        free(text);
    }
}

static void test_warnings(void **state)
{
    (void)state;
    camcl_config *config = create();
    set(config, "ssl.threshold", "95");
    assert_non_null(strstr(camcl_config_warning(config, 0), "ssl.threshold:"));
    assert_null(camcl_config_warning(config, 1));
    set(config, "ssl.threshold_end", "1.5");
    assert_non_null(strstr(camcl_config_warning(config, 1), "ssl.threshold_end:"));
    set(config, "ssl.confidence", "logit");
    assert_null(camcl_config_warning(config, 0));
    set(config, "train.epochs", "1000");
    set(config, "ssl.mode", "freematch");
    assert_non_null(strstr(camcl_config_warning(config, 0), "thresholds of its own"));
    assert_null(camcl_config_warning(config, 1));
    set(config, "ssl.mode", "pi-model");
    assert_non_null(strstr(camcl_config_warning(config, 0), "every unlabelled image counts"));
    set(config, "ssl.threshold", "0.85");
    set(config, "ssl.threshold_end", "0.95");
    assert_null(camcl_config_warning(config, 0));
    set(config, "optim.ema", "0.999");
    set(config, "train.epochs", "29");
    set(config, "train.epoch_steps", "100");
    set(config, "optim.warmup", "2900");
    assert_non_null(strstr(camcl_config_warning(config, 0), "optim.ema:"));
    assert_non_null(strstr(camcl_config_warning(config, 1), "optim.warmup:"));
    set(config, "train.epochs", "31");
    assert_null(camcl_config_warning(config, 0));
    set(config, "train.epoch_steps", "0"); /* as many as the labelled images make */
    set(config, "data.labeled", "6200");
    set(config, "train.batch_labeled", "64");
    set(config, "train.epochs", "30");
    assert_non_null(strstr(camcl_config_warning(config, 0), "optim.ema:"));
    set(config, "train.epochs", "31");
    assert_null(camcl_config_warning(config, 0));
    set(config, "data.labeled", "all"); /* only the data know */
    set(config, "train.epochs", "1");
    assert_null(camcl_config_warning(config, 0));
    camcl_config_destroy(&config);
}

/* ---- writing and comparing */

static void test_round_trip(void **state)
{
    (void)state;
    static const char *const sets[][2] = {
        { "device.select", "Odd; name #1, 'x'" },
        { "device.cache_dir", "/a b/c" },
        { "data.root", "rel;a/tive" },
        { "data.labeled", "+50" },
        { "data.unlabeled", "all" },
        { "data.mean", "0.1, 0.2, 0.3" },
        { "data.std", "1,1,1" },
        { "data.shuffle", "off" },
        { "data.seed", "9007199254740992" },
        { "model.init", "w.safetensors" },
        { "ssl.preset", "paper-code" },
        { "ssl.confidence", "softmax" },
        { "optim.lr", "1e-3" },
        { "output.dir", "\"quoted\"" },
        { "ssl.threshold", "-3" },
    };
    camcl_config *config = create();
    char *text = NULL, *again = NULL, *absolute = NULL;
    for (size_t i = 0; i < CC_COUNT(sets); i++)
        set(config, sets[i][0], sets[i][1]);
    assert_int_equal(camcl_config_write(config, &text, NULL), CAMCL_OK);
    camcl_config *copy = loaded(text);
    assert_string_equal(camcl_config_string(copy, "device.select"), "Odd; name #1, 'x'");
    assert_string_equal(camcl_config_string(copy, "ssl.batch_norm"), "separate");
    assert_string_equal(camcl_config_string(copy, "ssl.confidence"), "softmax");
    assert_string_equal(camcl_config_string(copy, "device.cache_dir"), "/a b/c");
    assert_int_equal(cc_path_absolute("rel;a/tive", &absolute, NULL), CAMCL_OK);
    assert_string_equal(camcl_config_string(copy, "data.root"), absolute);
    assert_int_equal(*camcl_config_string(copy, "model.init"), '/');
    assert_int_equal(*camcl_config_string(copy, "output.dir"), '/');
    assert_int_equal(camcl_config_int(copy, "data.seed"), 9007199254740992LL);
    /* Every key stands in the file, and writing it again gives the same bytes. */
    size_t count;
    const camcl_config_key *schema = camcl_config_schema(&count);
    for (size_t i = 0; i < count; i++) {
        char name[96];
        snprintf(name, sizeof name, "%s.%s", schema[i].section, schema[i].name);
        assert_non_null(strstr(camcl_config_origin(copy, name), path));
    }
    assert_int_equal(camcl_config_write(copy, &again, NULL), CAMCL_OK);
    assert_string_equal(text, again);
    assert_int_equal(camcl_config_check_resume(copy, config, NULL), CAMCL_OK);
    /* The same text inside a run's state. */
    camcl_config *inner = NULL;
    free(again);
    assert_int_equal(camcl_config_create(&inner, NULL), CAMCL_OK);
    assert_int_equal(cc_config_read_written(inner, "state", text, NULL), CAMCL_OK);
    assert_int_equal(camcl_config_write(inner, &again, NULL), CAMCL_OK);
    assert_string_equal(text, again);
    camcl_config_destroy(&inner);
    free(text);
    free(again);
    free(absolute);
    camcl_config_destroy(&copy);
    camcl_config_destroy(&config);
}

/* The listing for people is itself a file with the same values. */
static void test_describe(void **state)
{
    (void)state;
    camcl_config *config = create();
    char *text = NULL;
    set(config, "data.root", "x # y");
    set(config, "optim.lr", "0.125");
    assert_int_equal(camcl_config_describe(config, &text, NULL), CAMCL_OK);
    camcl_config *copy = loaded(text);
    assert_string_equal(camcl_config_string(copy, "data.root"), "x # y");
    assert_string_equal(camcl_config_string(copy, "optim.lr"), "0.125");
    assert_string_equal(camcl_config_string(copy, "ssl.mode"), "gradcam");
    assert_non_null(strstr(text, "set by command line"));
    free(text);
    assert_int_equal(camcl_config_reference(&text, NULL), CAMCL_OK);
    size_t count, rows = 0;
    const camcl_config_key *schema = camcl_config_schema(&count);
    for (size_t i = 0; i < count; i++) {
        char cell[64];
        snprintf(cell, sizeof cell, "| `%s` |", schema[i].name);
        rows += strstr(text, cell) != NULL;
    }
    assert_int_equal(rows, count);
    free(text);
    camcl_config_destroy(&copy);
    camcl_config_destroy(&config);
}

static void test_load_run(void **state)
{
    (void)state;
    camcl_config *config = create();
    camcl_error err;
    const char *text = "[device]\nselect = gpu\n[data]\nlabeled = 70\n[output]\ndir = /x\n";
    write_bytes(text, strlen(text));
    assert_int_equal(camcl_config_load_run(config, path, &err), CAMCL_OK);
    assert_string_equal(camcl_config_string(config, "device.select"), "auto");
    assert_string_equal(camcl_config_string(config, "output.dir"), "");
    assert_int_equal(camcl_config_int(config, "data.labeled"), 70);
    camcl_config_destroy(&config);
}

static void test_resume(void **state)
{
    (void)state;
    camcl_error err;
    camcl_config *saved = create(), *wanted = create();
    set(wanted, "optim.weight_decay", "0.0005");
    set(wanted, "data.ratio", "1");
    set(wanted, "data.root", "moved/data");
    set(wanted, "data.resident", "64");
    set(wanted, "data.shuffle", "true");
    set(wanted, "device.select", "cpu");
    set(wanted, "output.dir", "elsewhere");
    set(wanted, "output.cams_every", "3");
    set(wanted, "train.epochs", "101");
    assert_int_equal(camcl_config_check_resume(saved, wanted, &err), CAMCL_OK);
    set(wanted, "train.epochs", "99");
    assert_int_equal(camcl_config_check_resume(saved, wanted, &err), CAMCL_BAD_CONFIG);
    assert_string_equal(err.detail, "train.epochs: the run has 100, now 99\n");
    set(wanted, "train.epochs", "100");
    set(wanted, "ssl.preset", "paper-code");
    set(wanted, "data.mean", "0,0,0");
    set(wanted, "model.init", "w");
    set(saved, "model.init", "./w");
    assert_int_equal(camcl_config_check_resume(saved, wanted, &err), CAMCL_BAD_CONFIG);
    assert_message(&err, CAMCL_BAD_CONFIG, "resume: the configuration is not the run's");
    assert_non_null(strstr(err.detail, "ssl.confidence: the run has softmax, now logit\n"));
    assert_non_null(strstr(err.detail, "augment.per_image: the run has yes, now no\n"));
    assert_non_null(strstr(err.detail, "data.mean: the run has auto, now 0,0,0\n"));
    assert_null(strstr(err.detail, "data.root"));
    assert_null(strstr(err.detail, "model.init"));
    set(saved, "model.init", "");
    assert_int_equal(camcl_config_check_resume(saved, wanted, &err), CAMCL_BAD_CONFIG);
    assert_non_null(strstr(err.detail, "model.init: the run has nothing, now w\n"));
    camcl_config_destroy(&saved);
    camcl_config_destroy(&wanted);
}

static void test_default_dir(void **state)
{
    (void)state;
    static const char *const rows[][2] = { { "configs/cifar10-gradcam.ini", "runs/cifar10-gradcam" },
                                           { "a.b.ini", "runs/a.b" },
                                           { "plain", "runs/plain" },
                                           { "/x.y/.hidden", "runs/.hidden" } };
    for (size_t i = 0; i < CC_COUNT(rows); i++) {
        char *dir;
        assert_int_equal(camcl_config_default_dir(rows[i][0], &dir, NULL), CAMCL_OK);
        assert_string_equal(dir, rows[i][1]);
        free(dir);
    }
}

static void test_nearest(void **state)
{
    (void)state;
    static const char *const words[] = { "train", "eval", "predict", "report" };
    assert_string_equal(camcl_nearest("tarin", words, 4), "train");
    assert_string_equal(camcl_nearest("pred", words, 4), "predict");
    assert_string_equal(camcl_nearest("EVAL", words, 4), "eval");
    assert_null(camcl_nearest("xyzzy", words, 4));
    assert_null(camcl_nearest("", words, 4));
    assert_null(camcl_nearest("train", words, 0));
}

/* ---- hostile files: any answer will do but a crash, and a refusal has a message */

static void load_hostile(const char *data, size_t size)
{
    camcl_error err = { 0 };
    camcl_config *config = create();
    write_bytes(data, size);
    camcl_status status = camcl_config_load(config, path, &err);
    if (status != CAMCL_OK) {
        assert_int_equal(status, CAMCL_BAD_CONFIG);
        assert_true(err.message[0] != '\0');
    } else {
        /* What was taken can be written and read again. */
        char *text = NULL;
        status = camcl_config_write(config, &text, &err);
        if (status == CAMCL_OK) {
            camcl_config *copy = loaded(text);
            camcl_config_destroy(&copy);
        }
        free(text);
    }
    camcl_config_destroy(&config);
}

static void test_hostile_files(void **state)
{
    (void)state;
    static const char alphabet[] = "[]=;#\"'\\\n\r\t :.,|abcdefssl0123456789-+eE\xff\xc3\x01";
    camcl_config *config = create();
    char *valid = NULL, bytes[512];
    assert_int_equal(camcl_config_describe(config, &valid, NULL), CAMCL_OK);
    size_t size = strlen(valid);
    for (size_t n = 0; n <= size; n += 31)
        load_hostile(valid, n);
    cc_rng rng = cc_rng_at(7, CC_RNG_BENCH, 0);
    for (unsigned round = 0; round < 200; round++) {
        size_t n = cc_rng_below(&rng, sizeof bytes);
        for (size_t i = 0; i < n; i++)
            bytes[i] = round % 2 ? (char)cc_rng_u32(&rng) : alphabet[cc_rng_below(&rng, sizeof alphabet - 1)];
        load_hostile(bytes, n);
        /* A valid file with a few bytes changed gets further. */
        char *mutant = malloc(size);
        assert_non_null(mutant);
        memcpy(mutant, valid, size);
        for (unsigned change = 0; change < 3; change++)
            mutant[cc_rng_below(&rng, (uint32_t)size)] = alphabet[cc_rng_below(&rng, sizeof alphabet - 1)];
        load_hostile(mutant, size);
        free(mutant);
    }
    free(valid);
    camcl_config_destroy(&config);
}

/* ---- the host's own use of iniparser */

static unsigned complaints;
static int host_callback(const char *format, ...)
{
    (void)format;
    complaints++;
    return 0;
}

static int set_callback(void **state)
{
    iniparser_set_error_callback(host_callback);
    return make_folder(state);
}

/* After all the files above, good, bad and hostile: iniparser had nothing to say of them, and still says to the host what the host asks. */
static void test_host_keeps_its_callback(void **state)
{
    (void)state;
    assert_int_equal(complaints, 0);
    assert_null(iniparser_load("/no/such/folder/file.ini"));
    assert_int_equal(complaints, 1);
}

/* Two threads that read files at once get each their own values and their own errors. */
enum { READS = 200 };
typedef struct reader {
    char path[160];
    const char *text, *mention;
    size_t wrong;
} reader;

static void *read_often(void *argument)
{
    reader *r = argument;
    for (int i = 0; i < READS; i++) {
        camcl_config *config = NULL;
        camcl_error err = { 0 };
        if (camcl_config_create(&config, &err) != CAMCL_OK) r->wrong++;
        r->wrong += camcl_config_load(config, r->path, &err) != CAMCL_BAD_CONFIG || !strstr(err.message, r->mention) ||
                    !strstr(err.message, r->path);
        camcl_config_destroy(&config);
    }
    return NULL;
}

static void test_threads_read_at_once(void **state)
{
    (void)state;
    reader readers[] = { { .text = "[train]\nseed = 5\nepochs = none\n", .mention = ":3:" },
                         { .text = "[ssl]\nmode = gradcam\n\nnonsense\n", .mention = ":4:" } };
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        snprintf(readers[i].path, sizeof readers[i].path, "%s/reader%d.ini", folder, i);
        FILE *file = fopen(readers[i].path, "wb");
        assert_non_null(file);
        assert_true(fputs(readers[i].text, file) >= 0);
        assert_int_equal(fclose(file), 0);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_often, &readers[i]), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(unlink(readers[i].path), 0);
    }
    assert_int_equal(readers[0].wrong + readers[1].wrong, 0);
}

/* A configuration inside a state that cannot be read is damage of the state: the message names the file and the line. */
static void test_written_text_is_checked(void **state)
{
    (void)state;
    static const char *const wrong[][2] = { { "[optim]\nlr\n", "the line \"lr\"" },
                                            { "lr = 1\n", "the line \"lr = 1\"" },
                                            { "[optim]\n= 1\n", "the line \"= 1\"" },
                                            { "[optim]\nlr = fast\n", "optim.lr = fast" },
                                            { "[optim]\nlr = 0.5\nspeed = 3", "optim.speed = 3" },
                                            { "[nowhere]\nlr = 1\n", "nowhere.lr = 1" } };
    camcl_error err = { 0 };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        camcl_config *config = NULL;
        assert_int_equal(camcl_config_create(&config, NULL), CAMCL_OK);
        assert_int_equal(cc_config_read_written(config, "a/state", wrong[i][0], &err), CAMCL_BAD_DATA);
        if (strstr(err.message, "a/state: ") != err.message || !strstr(err.message, wrong[i][1])) fail_msg("%s", err.message);
        camcl_config_destroy(&config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_written_text_is_checked),
        cmocka_unit_test(test_schema_accepts_its_defaults),
        cmocka_unit_test(test_defaults_depend_in_no_circle),
        cmocka_unit_test(test_defaults_of_own_pictures),
        cmocka_unit_test(test_home_folder),
        cmocka_unit_test(test_cache_folder),
        cmocka_unit_test(test_file_and_overrides),
        cmocka_unit_test(test_device_from_environment),
        cmocka_unit_test(test_presets),
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_range_ends),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_finish),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_mode_defaults),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_older_beta),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_describe),
        cmocka_unit_test(test_load_run),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_default_dir),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_hostile_files),
        cmocka_unit_test(test_threads_read_at_once),
        cmocka_unit_test(test_host_keeps_its_callback),
    };
    return cmocka_run_group_tests(tests, set_callback, remove_folder);
}
