/* Checks that involve more than one key: contradictions, values that are probably not meant, and whether a run may be resumed. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/catalogue.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "camcl/config.h"
#include "config/value.h"
#include "config/config_internal.h"
#include "base/words.h"

/* What is known of a data set before its files are opened; 0 classes: nothing. */
#define ROW(symbol, name, side, channels, classes) { name, classes, channels },
static const struct {
    const char *name;
    long long classes;
    size_t channels;
} datasets[] = { CC_DATASETS(ROW) };
#undef ROW

#define ROW(symbol, name, width, stems, stages) { name, stems, stages },
static const struct {
    const char *name, *stems;
    long long stages;
} architectures[] = { CC_ARCHITECTURES(ROW) };
#undef ROW

#define ROW(symbol, name, defaults, traits, help) { name, traits },
static const struct {
    const char *name;
    unsigned traits;
} objectives[] = { CC_OBJECTIVES(ROW) };
#undef ROW

/* Of ssl.mode. */
static unsigned objective_traits(const camcl_config *config)
{
    for (size_t i = 0; i < CC_COUNT(objectives); i++)
        if (camcl_config_is(config, "ssl.mode", objectives[i].name)) return objectives[i].traits;
    return 0;
}

static camcl_status check_data(const camcl_config *config, camcl_error *err)
{
    double numbers[CC_MOST_NUMBERS];
    size_t means = camcl_config_numbers(config, "data.mean", numbers, CC_MOST_NUMBERS);
    size_t stds = camcl_config_numbers(config, "data.std", numbers, CC_MOST_NUMBERS);
    if (means && stds && means != stds)
        return cc_fail(err, CAMCL_BAD_CONFIG, "data.mean, data.std: %zu and %zu values (give both one per channel)", means, stds);
    for (size_t i = 0; i < CC_COUNT(datasets); i++) {
        if (!datasets[i].classes || !camcl_config_is(config, "data.dataset", datasets[i].name)) continue;
        const long long classes = datasets[i].classes;
        const bool number = !camcl_config_is(config, "data.labeled", "all"), balanced = camcl_config_bool(config, "data.balanced");
        const long long labeled = number ? camcl_config_int(config, "data.labeled") : 0;
        if (balanced && labeled % classes)
            return cc_fail(err, CAMCL_BAD_CONFIG,
                           "%s: data.labeled = %lld: each of %s's %lld classes gets the same number (choose a multiple of %lld, or set "
                           "data.balanced = no)",
                           camcl_config_origin(config, "data.labeled"), labeled, datasets[i].name, classes, classes);
        size_t channels = datasets[i].channels;
        bool mean = means && means != channels, std = stds && stds != channels;
        if (mean || std)
            return cc_fail(err, CAMCL_BAD_CONFIG, "data.%s: %zu values, but %s has %zu channel%s (give one per channel, or auto)",
                           mean ? "mean" : "std", mean ? means : stds, datasets[i].name, channels, channels == 1 ? "" : "s");
    }
    return CAMCL_OK;
}

static camcl_status check_augment(const camcl_config *config, camcl_error *err)
{
    double degrees[CC_MOST_NUMBERS];
    const size_t count = camcl_config_numbers(config, "augment.rotations", degrees, CC_MOST_NUMBERS);
    for (size_t i = 0; i < count; i++)
        if (degrees[i] != 0 && degrees[i] != 90 && degrees[i] != 180 && degrees[i] != 270)
            return cc_fail(err, CAMCL_BAD_CONFIG, "%s: augment.rotations = %s: %g is no quarter turn (list 0, 90, 180 or 270)",
                           camcl_config_origin(config, "augment.rotations"), camcl_config_string(config, "augment.rotations"), degrees[i]);
    return CAMCL_OK;
}

static camcl_status check_model(const camcl_config *config, camcl_error *err)
{
    const long long layer = camcl_config_int(config, "ssl.cam_layer");
    const char *stem = camcl_config_string(config, "model.stem");
    for (size_t i = 0; i < CC_COUNT(architectures); i++) {
        const char *name = architectures[i].name, *stems = architectures[i].stems;
        if (!camcl_config_is(config, "model.arch", name)) continue;
        if (layer > architectures[i].stages)
            return cc_fail(err, CAMCL_BAD_CONFIG, "%s: ssl.cam_layer = %lld: %s has %lld stages (choose 1 to %lld)",
                           camcl_config_origin(config, "ssl.cam_layer"), layer, name, architectures[i].stages, architectures[i].stages);
        if (!cc_words_have(stems, stem))
            return cc_fail(err, CAMCL_BAD_CONFIG, "%s: model.stem = %s: %s has one stem only (set model.stem = %s)",
                           camcl_config_origin(config, "model.stem"), stem, name, stems);
    }
    return CAMCL_OK;
}

/* Whether the pictures are the user's own, of which only the files tell and which may have unlabelled ones among them. Every other data set
 * labels all its images. */
static bool are_own_pictures(const camcl_config *config)
{
    for (size_t i = 0; i < CC_COUNT(datasets); i++)
        if (camcl_config_is(config, "data.dataset", datasets[i].name)) return datasets[i].classes == 0;
    return false;
}

/* A mode that learns from unlabelled images must be able to have some. */
static camcl_status check_unlabeled(const camcl_config *config, camcl_error *err)
{
    const char *mode = camcl_config_string(config, "ssl.mode");
    if (!(objective_traits(config) & CC_OBJECTIVE_UNLABELED)) return CAMCL_OK;
    const bool automatic = camcl_config_is(config, "data.unlabeled", "auto"), own = are_own_pictures(config);
    const bool all = camcl_config_is(config, "data.unlabeled", "all") || (automatic && own), by_ratio = automatic && !own;
    const bool none = by_ratio ? camcl_config_double(config, "data.ratio") <= 0 : !all && camcl_config_int(config, "data.unlabeled") == 0;
    const char *cause = by_ratio ? "data.ratio" : "data.unlabeled";
    if (none)
        return cc_fail(err, CAMCL_BAD_CONFIG, "%s: %s = 0: ssl.mode = %s needs unlabelled images (raise it, or set ssl.mode = supervised)",
                       camcl_config_origin(config, cause), cause, mode);
    if (!own && camcl_config_is(config, "data.labeled", "all") && !camcl_config_bool(config, "data.reuse_labeled"))
        return cc_fail(err, CAMCL_BAD_CONFIG,
                       "%s: data.labeled = all: it leaves no unlabelled images for ssl.mode = %s (give a number, set data.reuse_labeled = "
                       "yes, or set ssl.mode = supervised)",
                       camcl_config_origin(config, "data.labeled"), mode);
    return CAMCL_OK;
}

/* Settings that a mode cannot have. */
static camcl_status check_mode(const camcl_config *config, camcl_error *err)
{
    const unsigned traits = objective_traits(config);
    const bool teacher = traits & CC_OBJECTIVE_TEACHER;
    const char *mode = camcl_config_string(config, "ssl.mode");
    if (!(traits & CC_OBJECTIVE_UNLABELED) && camcl_config_double(config, "ssl.beta") > 0)
        return cc_fail(err, CAMCL_BAD_CONFIG,
                       "%s: ssl.beta = %s: %s has no unlabelled images whose CAMs could agree (set ssl.beta = 0, or another ssl.mode)",
                       camcl_config_origin(config, "ssl.beta"), camcl_config_string(config, "ssl.beta"), mode);
    if (teacher && camcl_config_double(config, "optim.ema") <= 0)
        return cc_fail(err, CAMCL_BAD_CONFIG, "%s: optim.ema = 0: %s's teacher is the average of the weights (set it above 0)",
                       camcl_config_origin(config, "optim.ema"), mode);
    if (teacher && camcl_config_double(config, "ssl.beta") > 0 && camcl_config_is(config, "ssl.cam_target", "attached"))
        return cc_fail(err, CAMCL_BAD_CONFIG,
                       "%s: ssl.cam_target = attached: %s's target is the teacher's CAM, which gets no gradient (set it to detached)",
                       camcl_config_origin(config, "ssl.cam_target"), mode);
    if (traits & CC_OBJECTIVE_OWN_THRESHOLDS && camcl_config_is(config, "ssl.confidence", "logit"))
        return cc_fail(err, CAMCL_BAD_CONFIG, "%s: ssl.confidence = logit: %s's averages are those of probabilities (set it to softmax)",
                       camcl_config_origin(config, "ssl.confidence"), mode);
    return CAMCL_OK;
}

static camcl_status check_batch(const camcl_config *config, const char *key, size_t devices, camcl_error *err)
{
    const int64_t batch = camcl_config_int(config, key);
    if (batch >= (int64_t)devices) return CAMCL_OK;
    return cc_fail(err, CAMCL_BAD_CONFIG,
                   "%s: %s = %" PRId64
                   ": each of the %zu devices of device.select needs at least one image of a batch (raise it, or list fewer "
                   "devices)",
                   camcl_config_origin(config, key), key, batch, devices);
}

static camcl_status check_share(const camcl_config *config, camcl_error *err)
{
    const char *text = camcl_config_string(config, "device.share"), *select = camcl_config_string(config, "device.select");
    const size_t devices = cc_list_count(select), shares = cc_list_count(text);
    CC_RETURN_IF_FAILED(check_batch(config, "train.batch_labeled", devices, err));
    /* Supervised training has no unlabelled batch. */
    if (!camcl_config_is(config, "ssl.mode", "supervised")) CC_RETURN_IF_FAILED(check_batch(config, "train.batch_unlabeled", devices, err));
    if (strcmp(text, "auto") == 0 || shares == devices) return CAMCL_OK;
    return cc_fail(
        err, CAMCL_BAD_CONFIG, "%s: device.share = %s: %zu share%s for the %zu device%s of device.select = %s (one for each, or auto)",
        camcl_config_origin(config, "device.share"), text, shares, shares == 1 ? "" : "s", devices, devices == 1 ? "" : "s", select);
}

camcl_status camcl_config_finish(const camcl_config *config, camcl_error *err)
{
    CC_CHECK_GIVEN(config, err);
    CC_RETURN_IF_FAILED(check_model(config, err));
    CC_RETURN_IF_FAILED(check_share(config, err));
    CC_RETURN_IF_FAILED(check_data(config, err));
    CC_RETURN_IF_FAILED(check_augment(config, err));
    CC_RETURN_IF_FAILED(check_unlabeled(config, err));
    CC_RETURN_IF_FAILED(check_mode(config, err));
    if (camcl_config_bool(config, "optim.nesterov") && camcl_config_double(config, "optim.momentum") <= 0)
        return cc_fail(err, CAMCL_BAD_CONFIG,
                       "%s: optim.nesterov = yes: there is no momentum to look ahead with (set optim.momentum above 0)",
                       camcl_config_origin(config, "optim.nesterov"));
    return CAMCL_OK;
}

static bool differs_from_default(const camcl_config *config, const char *key)
{
    double given = 0, standard = 0;
    return cc_parse_number(camcl_config_string(config, key), &given) && cc_parse_number(camcl_config_default_of(config, key), &standard) &&
           (given < standard || given > standard);
}

/* Steps of the training; 0 where only the data say how many labelled images there are. */
static double steps_of(const camcl_config *config)
{
    const double batch = (double)camcl_config_int(config, "train.batch_labeled"),
                 each = (double)camcl_config_int(config, "train.epoch_steps");
    double labeled = 0;
    if (each > 0) return each * (double)camcl_config_int(config, "train.epochs");
    if (!cc_parse_number(camcl_config_string(config, "data.labeled"), &labeled)) return 0;
    return ceil(labeled / batch) * (double)camcl_config_int(config, "train.epochs");
}

/* Why a threshold has no effect in a mode; NULL where it has one, or where nothing needs one. */
static const char *unused_threshold(unsigned traits)
{
    if (traits & CC_OBJECTIVE_ALL_IMAGES) return "ssl.threshold: has no effect in this mode, in which every unlabelled image counts";
    if (traits & CC_OBJECTIVE_OWN_THRESHOLDS) return "ssl.threshold: has no effect in this mode, which finds thresholds of its own";
    return NULL;
}

/* Of the averaged weights, decay^steps are the weights that the training began with. */
#define LEAST_AVERAGES 3

const char *camcl_config_warning(const camcl_config *config, size_t index)
{
    const unsigned traits = objective_traits(config);
    const char *found[4], *unused = unused_threshold(traits);
    const double steps = steps_of(config), ema = camcl_config_double(config, "optim.ema");
    size_t count = 0;
    if (steps > 0 && ema > 0 && steps * (1 - ema) < LEAST_AVERAGES)
        found[count++] = "optim.ema: so short a training leaves much of the first weights in the average, which is what is evaluated "
                         "(train longer, set optim.ema to 0.99, or to 0 for no average)";
    if (steps > 0 && (double)camcl_config_int(config, "optim.warmup") >= steps)
        found[count++] = "optim.warmup: not shorter than the training, so the learning rate never reaches optim.lr (lower it)";
    if (unused) {
        if (differs_from_default(config, "ssl.threshold") || differs_from_default(config, "ssl.threshold_end")) found[count++] = unused;
    } else if (traits & CC_OBJECTIVE_UNLABELED && camcl_config_is(config, "ssl.confidence", "softmax")) {
        if (camcl_config_double(config, "ssl.threshold") > 1)
            found[count++] = "ssl.threshold: above 1, no image is confident at first (ssl.confidence = softmax means 0 to 1)";
        if (camcl_config_double(config, "ssl.threshold_end") > 1)
            found[count++] = "ssl.threshold_end: above 1, no image is confident in the end (ssl.confidence = softmax means 0 to 1)";
    }
    return index < count ? found[index] : NULL;
}

/* Whether both texts mean the same value: numbers are compared as numbers, paths as absolute paths. */
static camcl_status same_value(const camcl_config_key *key, const char *a, const char *b, bool *same, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    double number_a[CC_MOST_NUMBERS], number_b[CC_MOST_NUMBERS];
    bool yes_a, yes_b;
    char *path_a = NULL, *path_b = NULL;
    *same = strcmp(a, b) == 0;
    if (*same) return CAMCL_OK;
    size_t count;
    switch (key->type) {
    case CAMCL_KEY_TEXT:
    case CAMCL_KEY_CHOICE: break;
    case CAMCL_KEY_BOOL: *same = cc_parse_bool(a, &yes_a) && cc_parse_bool(b, &yes_b) && yes_a == yes_b; break;
    case CAMCL_KEY_INT:
    case CAMCL_KEY_NUMBER:
    case CAMCL_KEY_NUMBERS:
        count = cc_parse_numbers(a, number_a, CC_MOST_NUMBERS);
        *same = count > 0 && cc_parse_numbers(b, number_b, CC_MOST_NUMBERS) == count;
        for (size_t i = 0; i < count && *same; i++)
            *same = !(number_a[i] < number_b[i] || number_a[i] > number_b[i]);
        break;
    case CAMCL_KEY_PATH:
        if (*a == '\0' || *b == '\0') break;
        CC_TRY(cc_path_absolute(a, &path_a, err));
        CC_TRY(cc_path_absolute(b, &path_b, err));
        *same = strcmp(path_a, path_b) == 0;
        break;
    }
cleanup:
    free(path_a);
    free(path_b);
    return status;
}

/* Whether a run may go on with another value of this key. Data may move: whether they are the same is asked of the data. Where images are
 * kept changes no bit. */
static bool may_change(const camcl_config_key *key)
{
    return strcmp(key->section, "device") == 0 || strcmp(key->section, "output") == 0 ||
           (strcmp(key->section, "data") == 0 && (strcmp(key->name, "root") == 0 || strcmp(key->name, "resident") == 0));
}

camcl_status camcl_config_check_resume(const camcl_config *saved, const camcl_config *wanted, camcl_error *err)
{
    CC_CHECK_GIVEN(saved, err);
    CC_CHECK_GIVEN(wanted, err);
    camcl_status status = CAMCL_OK;
    cc_text differing = CC_TEXT_INIT;
    size_t count;
    const camcl_config_key *schema = camcl_config_schema(&count);
    for (size_t i = 0; i < count; i++) {
        const camcl_config_key *key = &schema[i];
        const char *before = cc_value_text(saved, key), *after = cc_value_text(wanted, key);
        long long epochs_before, epochs_after;
        bool same, epochs = strcmp(key->section, "train") == 0 && strcmp(key->name, "epochs") == 0;
        if (may_change(key)) continue;
        CC_TRY(same_value(key, before, after, &same, err));
        if (same) continue;
        if (epochs && cc_parse_int(before, &epochs_before) && cc_parse_int(after, &epochs_after) && epochs_after > epochs_before) continue;
        cc_text_add(&differing, "%s.%s: the run has %s, now %s\n", key->section, key->name, *before ? before : "nothing",
                    *after ? after : "nothing");
    }
    if (differing.failed) status = cc_fail(err, CAMCL_NO_MEMORY, "configuration: no memory to compare it (close other programs)");
    if (status == CAMCL_OK && differing.length > 0) {
        status =
            cc_fail(err, CAMCL_BAD_CONFIG,
                    "resume: the configuration is not the run's (only [output], [device], data.root, data.resident and a larger "
                    "train.epochs may change: restore the keys below, go on with the run's own config.ini, or choose another output.dir)");
        cc_detail(err, "%s", differing.data);
    }
cleanup:
    cc_text_free(&differing);
    return status;
}
