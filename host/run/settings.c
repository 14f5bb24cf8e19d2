#include "run/settings.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "config/value.h"
#include "dataset/dataset.h"

camcl_device_options cc_device_options_from(const camcl_config *config)
{
    return (camcl_device_options){
        .size = sizeof(camcl_device_options),
        .select = camcl_config_string(config, "device.select"),
        .cache_dir = camcl_config_string(config, "device.cache_dir"),
        .conv = camcl_config_string(config, "device.conv"),
        .tune = camcl_config_string(config, "device.tune"),
        .separate_memory = camcl_config_is(config, "device.memory", "separate"),
    };
}

static const cc_word_value fits[] = { { "stretch", CAMCL_FIT_STRETCH }, { "crop", CAMCL_FIT_CROP }, { "pad", CAMCL_FIT_PAD } };
static const cc_word_value weak_views[] = { { "flip", CC_WEAK_FLIP },
                                            { "flip-shift", CC_WEAK_FLIP_SHIFT },
                                            { "resized-crop", CC_WEAK_RESIZED_CROP } };
static const cc_word_value strong_views[] = { { "crop-rotate", CC_STRONG_CROP_ROTATE },
                                              { "randaugment", CC_STRONG_RANDAUGMENT },
                                              { "weak", CC_STRONG_WEAK } };

void camcl_dataset_spec_fill(camcl_dataset_spec *spec, const camcl_config *config)
{
    if (spec == NULL || config == NULL) return;
    const camcl_dataset_spec own = {
        .size = spec->size,
        .dataset = camcl_config_string(config, "data.dataset"),
        .root = camcl_config_string(config, "data.root"),
        .image_size = (uint32_t)camcl_config_int(config, "data.image_size"),
        .fit = (camcl_fit)cc_value_of_word(config, "data.fit", fits, CC_COUNT(fits)),
        .skip_corrupt = camcl_config_is(config, "data.corrupt", "skip"),
        .test_share = camcl_config_double(config, "data.test_share"),
        .seed = (uint64_t)camcl_config_int(config, "data.seed"),
        .cache_dir = camcl_config_cache_dir(config),
    };
    memcpy(spec, &own, cc_min_size(own.size, sizeof own));
}

cc_split_spec cc_split_spec_from(const camcl_config *config)
{
    /* Of one's own pictures only the files tell. */
    const bool own = cc_dataset_known(camcl_config_string(config, "data.dataset")) == NULL;
    cc_split_spec spec = {
        .labeled = camcl_config_is(config, "data.labeled", "all") ? CC_LABELED_ALL : (size_t)camcl_config_int(config, "data.labeled"),
        .validation =
            camcl_config_is(config, "data.validation", "auto") ? CC_VALIDATION_AUTO : (size_t)camcl_config_int(config, "data.validation"),
        .unlabeled = camcl_config_is(config, "data.unlabeled", "auto")  ? (own ? CC_UNLABELED_ALL : CC_UNLABELED_AUTO)
                     : camcl_config_is(config, "data.unlabeled", "all") ? CC_UNLABELED_ALL
                                                                        : CC_UNLABELED_COUNT,
        .ratio = camcl_config_double(config, "data.ratio"),
        .seed = (uint64_t)camcl_config_int(config, "data.seed"),
        .balanced = camcl_config_bool(config, "data.balanced"),
        .reuse_labeled = camcl_config_bool(config, "data.reuse_labeled"),
    };
    if (spec.unlabeled == CC_UNLABELED_COUNT) spec.unlabeled_count = (size_t)camcl_config_int(config, "data.unlabeled");
    return spec;
}

static cc_objective objective_from(const camcl_config *config)
{
    const cc_objective_kind *kind = cc_objective_find(camcl_config_string(config, "ssl.mode"));
    assert(kind && "the schema's words are the catalogue's");
    return (cc_objective){
        .kind = kind,
        .confidence = camcl_config_is(config, "ssl.confidence", "logit") ? CC_CONFIDENCE_LOGIT : CC_CONFIDENCE_SOFTMAX,
        .joint = camcl_config_is(config, "ssl.batch_norm", "joint"),
        .shared_class = camcl_config_is(config, "ssl.cam_class", "shared"),
        .attached = camcl_config_is(config, "ssl.cam_target", "attached"),
        .exact = camcl_config_is(config, "ssl.cam_gradient", "exact"),
        .whole_batch = camcl_config_is(config, "ssl.reduction", "batch"),
        .cam_relu = camcl_config_bool(config, "ssl.cam_relu"),
        .cam_layer = (size_t)camcl_config_int(config, "ssl.cam_layer"),
        .alpha = (float)camcl_config_double(config, "ssl.alpha"),
        .beta = (float)camcl_config_double(config, "ssl.beta"),
        .temperature = (float)camcl_config_double(config, "ssl.temperature"),
        .fairness = (float)camcl_config_double(config, "ssl.fairness"),
    };
}

static cc_view_spec views_from(const camcl_config *config)
{
    return (cc_view_spec){
        .weak = (cc_weak_view)cc_value_of_word(config, "augment.weak", weak_views, CC_COUNT(weak_views)),
        .strong = (cc_strong_view)cc_value_of_word(config, "augment.strong", strong_views, CC_COUNT(strong_views)),
        .operations = (size_t)camcl_config_int(config, "augment.randaugment"),
    };
}

static cc_step_spec step_from(const camcl_config *config, size_t image_size)
{
    return (cc_step_spec){
        .objective = objective_from(config),
        .views = views_from(config),
        .batch_labeled = (size_t)camcl_config_int(config, "train.batch_labeled"),
        .batch_unlabeled = (size_t)camcl_config_int(config, "train.batch_unlabeled"),
        .image_size = image_size,
        .momentum = (float)camcl_config_double(config, "optim.momentum"),
        .weight_decay = (float)camcl_config_double(config, "optim.weight_decay"),
        .ema = (float)camcl_config_double(config, "optim.ema"),
        .nesterov = camcl_config_bool(config, "optim.nesterov"),
    };
}

_Static_assert(CC_MOST_TURNS >= CC_MOST_NUMBERS, "augment.rotations has room for every list that the key takes");

static cc_turns turns_from(const camcl_config *config)
{
    double degrees[CC_MOST_TURNS];
    cc_turns turns = { { 0, 1, 2, 3 }, 4 };
    /* Its fourth angle is 360 degrees. */
    if (camcl_config_is(config, "augment.rotations", "paper-code")) return (cc_turns){ { 0, 1, 2, 0 }, 4 };
    if (camcl_config_is(config, "augment.rotations", "none")) return (cc_turns){ { 0 }, 1 };
    if (camcl_config_is(config, "augment.rotations", "quarter")) return turns;
    turns.count = (uint32_t)camcl_config_numbers(config, "augment.rotations", degrees, CC_MOST_TURNS);
    for (uint32_t i = 0; i < turns.count; i++)
        turns.turns[i] = (int32_t)(degrees[i] / 90);
    return turns;
}

static cc_augment_options augment_from(const camcl_config *config, const cc_step_spec *step)
{
    return (cc_augment_options){
        .views = step->views,
        .flip_horizontal = camcl_config_bool(config, "augment.flip_horizontal"),
        .flip_vertical = camcl_config_bool(config, "augment.flip_vertical"),
        .scale_min = camcl_config_double(config, "augment.scale_min"),
        .ratio_max = camcl_config_double(config, "augment.ratio_max"),
        .crop_min = camcl_config_double(config, "augment.crop_min"),
        .rotations = turns_from(config),
        .per_image = camcl_config_bool(config, "augment.per_image"),
        .size = step->image_size,
        .seed = (uint64_t)camcl_config_int(config, "train.seed"),
    };
}

/* One value per channel: the configuration's, or else the data set's own. */
static camcl_status per_channel(const camcl_config *config, const char *key, const float *own, size_t channels, float *out,
                                camcl_error *err)
{
    double values[CAMCL_MAX_CHANNELS];
    memcpy(out, own, channels * sizeof *out);
    if (camcl_config_is(config, key, "auto")) return CAMCL_OK;
    size_t given = camcl_config_numbers(config, key, values, CAMCL_MAX_CHANNELS);
    if (given != channels)
        return cc_fail(err, CAMCL_BAD_CONFIG, "%s = %s: %zu values for images of %zu channels (give one per channel, or auto)", key,
                       camcl_config_string(config, key), given, channels);
    for (size_t c = 0; c < channels; c++)
        out[c] = (float)values[c];
    return CAMCL_OK;
}

camcl_status cc_settings_from(const camcl_config *config, const camcl_dataset_info *data, cc_settings *out, camcl_error *err)
{
    memset(out, 0, sizeof *out);
    size_t image_size = (size_t)camcl_config_int(config, "data.image_size");
    if (image_size == 0 && data->height != data->width)
        return cc_fail(err, CAMCL_BAD_CONFIG,
                       "data.image_size = 0: the images are %u x %u, and the network takes squares (set data.image_size to the side of a "
                       "square; data.fit says how a picture becomes one: stretch, crop or pad)",
                       (unsigned)data->width, (unsigned)data->height);
    if (image_size == 0) image_size = data->height;
    if (camcl_config_is(config, "augment.strong", "randaugment") && data->channels != 1 && data->channels != 3)
        return cc_fail(
            err, CAMCL_BAD_CONFIG,
            "augment.strong = randaugment: its operations are of grey or colour images, these have %u channels (choose crop-rotate "
            "or weak)",
            (unsigned)data->channels);
    CC_RETURN_IF_FAILED(per_channel(config, "data.mean", data->mean, data->channels, out->mean, err));
    CC_RETURN_IF_FAILED(per_channel(config, "data.std", data->std, data->channels, out->std, err));
    snprintf(out->graph.arch, sizeof out->graph.arch, "%s", camcl_config_string(config, "model.arch"));
    snprintf(out->graph.stem, sizeof out->graph.stem, "%s", camcl_config_string(config, "model.stem"));
    out->graph.width = (size_t)camcl_config_int(config, "model.width");
    out->graph.classes = data->classes;
    out->graph.channels = data->channels;
    out->step = step_from(config, image_size);
    out->augment = augment_from(config, &out->step);
    return CAMCL_OK;
}
