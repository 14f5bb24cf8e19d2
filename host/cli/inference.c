#include "inference.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool cli_was_given(const camcl_config *config, const char *key) { return strcmp(camcl_config_origin(config, key), "command line") == 0; }

/* Returns the path of this file in the checkpoint's folder; the caller frees. NULL if memory is out. */
static char *beside(const char *checkpoint, const char *name)
{
    const char *slash = strrchr(checkpoint, '/');
    size_t folder = slash ? (size_t)(slash - checkpoint) + 1 : 0;
    char *path = malloc(folder + strlen(name) + 1);
    if (path == NULL) return NULL;
    memcpy(path, checkpoint, folder);
    memcpy(path + folder, name, strlen(name) + 1);
    return path;
}

/* A link that leads nowhere is there, and is to be complained of. */
static bool is_absent(const char *path)
{
    struct stat info;
    return lstat(path, &info) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

static camcl_status configure(cli_session *s, const char *checkpoint, const cli_list *overrides, camcl_error *err)
{
    char *path = beside(checkpoint, "config.ini");
    if (path == NULL)
        return cli_error(err, CAMCL_NO_MEMORY, "%s: no memory to read the config.ini beside it (close other programs)", checkpoint);
    camcl_status status = camcl_config_create(&s->config, err);
    s->alone = is_absent(path);
    if (status == CAMCL_OK && !s->alone) status = camcl_config_load_run(s->config, path, err);
    for (size_t i = 0; status == CAMCL_OK && i < overrides->count; i++)
        status = camcl_config_override(s->config, overrides->items[i], err);
    if (status == CAMCL_OK) status = camcl_config_finish(s->config, err);
    free(path);
    return status;
}

/* Normalisation, size and fit given on the command line replace the checkpoint's. */
static camcl_status override_input(cli_session *s, camcl_error *err)
{
    const camcl_model_info *info = camcl_model_get_info(s->model);
    static const char *const keys[] = { "data.mean", "data.std" };
    float values[2][CAMCL_MAX_CHANNELS];
    bool given[2] = { false, false };
    for (int k = 0; k < 2; k++) {
        double numbers[CAMCL_MAX_CHANNELS];
        if (!cli_was_given(s->config, keys[k]) || camcl_config_is(s->config, keys[k], "auto")) continue;
        if (camcl_config_numbers(s->config, keys[k], numbers, CAMCL_MAX_CHANNELS) != info->channels)
            return cli_usage(err, "%s = %s: the model has %zu channels (give one value for each)", keys[k],
                             camcl_config_string(s->config, keys[k]), info->channels);
        for (size_t c = 0; c < info->channels; c++)
            values[k][c] = (float)numbers[c];
        given[k] = true;
    }
    size_t size = cli_was_given(s->config, "data.image_size") ? (size_t)camcl_config_int(s->config, "data.image_size") : 0;
    camcl_model_set_input(s->model, given[0] ? values[0] : NULL, given[1] ? values[1] : NULL, size);
    s->fit = cli_was_given(s->config, "data.fit") ? camcl_dataset_spec_from(s->config).fit : info->fit;
    return CAMCL_OK;
}

/* A run's folder is what the other commands are given, so it is tried here, too. */
static camcl_status refuse_folder(const char *checkpoint, camcl_error *err)
{
    struct stat info;
    if (stat(checkpoint, &info) != 0 || !S_ISDIR(info.st_mode)) return CAMCL_OK;
    return cli_error(err, CAMCL_IO, "%s: a folder, not a checkpoint (give the file of weights, of a run its best.safetensors)", checkpoint);
}

camcl_status cli_session_open(cli_session *s, const char *checkpoint, const cli_list *overrides, camcl_error *err)
{
    memset(s, 0, sizeof *s);
    s->checkpoint = checkpoint;
    camcl_status status = refuse_folder(checkpoint, err);
    if (status == CAMCL_OK) status = configure(s, checkpoint, overrides, err);
    if (status != CAMCL_OK) return status;
    status = cli_open_device(s->config, &s->device, err);
    if (status == CAMCL_OK) status = camcl_model_open(checkpoint, s->device, &s->model, err);
    return status == CAMCL_OK ? override_input(s, err) : status;
}

/* The data set of a checkpoint without a config.ini: never the default. */
static camcl_status name_data(cli_session *s, camcl_error *err)
{
    const char *dataset = camcl_model_get_info(s->model)->dataset;
    if (!cli_was_given(s->config, "data.dataset")) {
        if (*dataset == '\0')
            return cli_error(err, CAMCL_BAD_DATA,
                             "%s: which data set it was trained on is unknown: it does not say, and there is no config.ini beside it (give "
                             "data.dataset=NAME, or copy the run's config.ini beside it)",
                             s->checkpoint);
        camcl_status status = camcl_config_set(s->config, "data.dataset", dataset, s->checkpoint, err);
        if (status == CAMCL_OK) status = camcl_config_finish(s->config, err);
        if (status != CAMCL_OK) return status;
    }
    const bool own = camcl_config_is(s->config, "data.dataset", "folder") || camcl_config_is(s->config, "data.dataset", "list");
    if (own && !cli_was_given(s->config, "data.root"))
        return cli_error(err, CAMCL_BAD_DATA,
                         "%s: where its data set lies is unknown: there is no config.ini beside it (give data.root=PATH, or copy the run's "
                         "config.ini beside it)",
                         s->checkpoint);
    return CAMCL_OK;
}

camcl_status cli_session_data(cli_session *s, camcl_error *err)
{
    camcl_status status = s->alone ? name_data(s, err) : CAMCL_OK;
    if (status != CAMCL_OK) return status;
    const camcl_model_info *info = camcl_model_get_info(s->model);
    camcl_dataset_spec spec = camcl_dataset_spec_from(s->config);
    if (s->alone && !cli_was_given(s->config, "data.image_size")) spec.image_size = (uint32_t)info->image_size;
    spec.fit = s->fit;
    status = cli_open_data(&spec, &s->dataset, err);
    return status == CAMCL_OK ? camcl_model_labels(s->model, s->dataset, CAMCL_TEST_IMAGES, NULL, err) : status;
}

static bool were_given(const camcl_config *config, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!cli_was_given(config, keys[i])) return false;
    return true;
}

/* What is not in the checkpoint and decides which images the split has. A test set that came with the data depends on nothing. */
static camcl_status check_alone(const cli_session *s, camcl_split split, camcl_error *err)
{
    static const char *const pools[] = { "data.labeled", "data.validation", "data.seed" }, *const held_out[] = { "data.test_share",
                                                                                                                 "data.seed" };
    const bool came = camcl_dataset_get_info(s->dataset)->held_out_count == 0;
    if (split == CAMCL_SPLIT_TEST && (came || were_given(s->config, held_out, sizeof held_out / sizeof held_out[0]))) return CAMCL_OK;
    if (split != CAMCL_SPLIT_TEST && were_given(s->config, pools, sizeof pools / sizeof pools[0])) return CAMCL_OK;
    return cli_error(
        err, CAMCL_BAD_DATA,
        "%s: which images it was trained on is unknown: there is no config.ini beside it (copy the run's config.ini beside it, or "
        "give %s)",
        s->checkpoint,
        split != CAMCL_SPLIT_TEST
            ? came ? "data.labeled, data.validation and data.seed, or choose --split test" : "data.labeled, data.validation and data.seed"
            : "data.test_share and data.seed");
}

/* The images must be those that the run drew, unless the command line chooses others. A test set that came with the data is not drawn. */
static camcl_status check_drawn(const cli_session *s, camcl_split split, const uint32_t *indices, size_t count, camcl_error *err)
{
    static const char *const choice[] = { "data.dataset",    "data.root",     "data.labeled", "data.unlabeled",  "data.ratio",
                                          "data.validation", "data.balanced", "data.seed",    "data.test_share", "data.reuse_labeled" };
    camcl_status status = CAMCL_OK;
    for (size_t i = 0; i < sizeof choice / sizeof choice[0]; i++)
        if (cli_was_given(s->config, choice[i])) return CAMCL_OK;
    char *splits = beside(s->checkpoint, "splits.json");
    if (splits == NULL)
        return cli_error(err, CAMCL_NO_MEMORY, "%s: no memory to read the splits.json beside it (close other programs)", s->checkpoint);
    if (!is_absent(splits)) status = camcl_split_check(splits, split, indices, count, err);
    free(splits);
    return status;
}

camcl_status cli_session_indices(const cli_session *s, camcl_split split, camcl_dataset_part *part, uint32_t **indices, size_t *count,
                                 camcl_error *err)
{
    camcl_status status = s->alone ? check_alone(s, split, err) : CAMCL_OK;
    if (status == CAMCL_OK) status = camcl_split_indices(s->config, s->dataset, split, part, indices, count, err);
    if (status == CAMCL_OK && !s->alone && *part == CAMCL_TRAIN_IMAGES) status = check_drawn(s, split, *indices, *count, err);
    return status;
}

void cli_session_close(cli_session *s)
{
    camcl_dataset_close(&s->dataset);
    camcl_model_close(&s->model);
    camcl_device_close(&s->device);
    camcl_config_destroy(&s->config);
}

camcl_status cli_parse_split(const char *name, camcl_split *split, camcl_error *err)
{
    static const char *const names[] = { "test", "validation", "train" };
    for (int i = 0; i < 3; i++)
        if (strcmp(name, names[i]) == 0) {
            *split = (camcl_split)i;
            return CAMCL_OK;
        }
    return cli_usage(err, "--split %s: no such split (test, validation or train)", name);
}

camcl_images cli_images_of(const camcl_dataset *dataset, camcl_dataset_part part)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    return (camcl_images){ camcl_dataset_pixels(dataset, part),
                           camcl_dataset_labels(dataset, part),
                           part == CAMCL_TEST_IMAGES ? info->test_count : info->train_count,
                           info->height,
                           info->width,
                           info->channels };
}
