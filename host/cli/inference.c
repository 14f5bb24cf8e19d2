#include "inference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool was_given(const camcl_config *config, const char *key) { return strcmp(camcl_config_origin(config, key), "command line") == 0; }

/* Returns the path of the config.ini in the checkpoint's folder; the caller frees. NULL if memory is out. */
static char *config_beside(const char *checkpoint)
{
    static const char name[] = "config.ini";
    const char *slash = strrchr(checkpoint, '/');
    size_t folder = slash ? (size_t)(slash - checkpoint) + 1 : 0;
    char *path = malloc(folder + sizeof name);
    if (path == NULL) return NULL;
    memcpy(path, checkpoint, folder);
    memcpy(path + folder, name, sizeof name);
    return path;
}

static bool readable(const char *path)
{
    FILE *file = path ? fopen(path, "rb") : NULL;
    if (file) fclose(file);
    return file != NULL;
}

static camcl_status configure(cli_session *s, const char *checkpoint, const cli_list *overrides, camcl_error *err)
{
    char *path = config_beside(checkpoint);
    camcl_status status = camcl_config_create(&s->config, err);
    if (status == CAMCL_OK && readable(path)) status = camcl_config_load_run(s->config, path, err);
    for (size_t i = 0; status == CAMCL_OK && i < overrides->count; i++)
        status = camcl_config_override(s->config, overrides->items[i], err);
    if (status == CAMCL_OK) status = camcl_config_finish(s->config, err);
    free(path);
    return status;
}

/* Normalisation and size given on the command line replace the checkpoint's. */
static camcl_status override_input(cli_session *s, camcl_error *err)
{
    const camcl_model_info *info = camcl_model_get_info(s->model);
    static const char *const keys[] = { "data.mean", "data.std" };
    float values[2][CAMCL_MAX_CHANNELS];
    bool given[2] = { false, false };
    for (int k = 0; k < 2; k++) {
        double numbers[CAMCL_MAX_CHANNELS];
        if (!was_given(s->config, keys[k]) || camcl_config_is(s->config, keys[k], "auto")) continue;
        if (camcl_config_numbers(s->config, keys[k], numbers, CAMCL_MAX_CHANNELS) != info->channels)
            return cli_usage(err, "%s = %s: the model has %zu channels (give one value for each)", keys[k],
                             camcl_config_string(s->config, keys[k]), info->channels);
        for (size_t c = 0; c < info->channels; c++)
            values[k][c] = (float)numbers[c];
        given[k] = true;
    }
    size_t size = was_given(s->config, "data.image_size") ? (size_t)camcl_config_int(s->config, "data.image_size") : 0;
    camcl_model_set_input(s->model, given[0] ? values[0] : NULL, given[1] ? values[1] : NULL, size);
    return CAMCL_OK;
}

camcl_status cli_session_open(cli_session *s, const char *checkpoint, const cli_list *overrides, camcl_error *err)
{
    memset(s, 0, sizeof *s);
    camcl_status status = configure(s, checkpoint, overrides, err);
    if (status != CAMCL_OK) return status;
    status = cli_open_device(s->config, &s->device, err);
    if (status == CAMCL_OK) status = camcl_model_open(checkpoint, s->device, &s->model, err);
    return status == CAMCL_OK ? override_input(s, err) : status;
}

static camcl_status fail_data(camcl_error *err, const char *format, size_t data, size_t model, const char *name)
{
    snprintf(err->message, sizeof err->message, format, name, data, model);
    err->detail[0] = '\0';
    return err->status = CAMCL_BAD_DATA;
}

camcl_status cli_session_data(cli_session *s, camcl_error *err)
{
    camcl_dataset_spec spec = { .dataset = camcl_config_string(s->config, "data.dataset"),
                                .root = camcl_config_string(s->config, "data.root") };
    const camcl_model_info *model = camcl_model_get_info(s->model);
    camcl_status status = camcl_dataset_open(&spec, &s->dataset, err);
    if (status != CAMCL_OK) return status;
    const camcl_dataset_info *data = camcl_dataset_get_info(s->dataset);
    if (data->classes != model->classes)
        return fail_data(err, "%s: it has %zu classes, the model %zu (set data.dataset to what the model was trained on)", data->classes,
                         model->classes, data->name);
    if (data->channels != model->channels)
        return fail_data(err, "%s: it has %zu channels, the model %zu (set data.dataset to what the model was trained on)", data->channels,
                         model->channels, data->name);
    return CAMCL_OK;
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

/* Rec. 601 luma, rounded. */
static void to_grey(const uint8_t *rgb, size_t pixels, uint8_t *grey)
{
    for (size_t i = 0; i < pixels; i++)
        grey[i] = (uint8_t)((299u * rgb[3 * i] + 587u * rgb[3 * i + 1] + 114u * rgb[3 * i + 2] + 500u) / 1000u);
}

static camcl_status read_picture(const camcl_model_info *info, const char *path, uint8_t *pixels, camcl_image *original, camcl_error *err)
{
    camcl_image scaled = CAMCL_IMAGE_INIT;
    size_t side = info->image_size;
    camcl_status status = camcl_image_read(path, original, err);
    if (status == CAMCL_OK) status = camcl_image_resize(original, (uint32_t)side, (uint32_t)side, &scaled, err);
    if (status == CAMCL_OK && info->channels == 1)
        to_grey(scaled.pixels, side * side, pixels);
    else if (status == CAMCL_OK)
        memcpy(pixels, scaled.pixels, side * side * 3);
    camcl_image_free(&scaled);
    return status;
}

camcl_status cli_read_pictures(const camcl_model_info *info, const cli_list *paths, uint8_t **pixels, camcl_image **originals,
                               camcl_error *err)
{
    size_t bytes = info->image_size * info->image_size * info->channels;
    camcl_image *pictures = calloc(paths->count, sizeof *pictures);
    camcl_status status = CAMCL_OK;
    *pixels = malloc(paths->count * bytes);
    if (info->channels != 1 && info->channels != 3)
        status = cli_usage(err, "pictures: the model takes %zu channels (only 1 or 3 can be read from files)", info->channels);
    else if (pictures == NULL || *pixels == NULL)
        status =
            fail_data(err, "%s: no memory for %zu images of side %zu (give fewer at once)", paths->count, info->image_size, "pictures");
    for (size_t i = 0; status == CAMCL_OK && i < paths->count; i++)
        status = read_picture(info, paths->items[i], *pixels + i * bytes, &pictures[i], err);
    if (originals && status == CAMCL_OK)
        *originals = pictures;
    else
        cli_pictures_free(&pictures, paths->count);
    return status;
}

void cli_pictures_free(camcl_image **pictures, size_t count)
{
    for (size_t i = 0; *pictures && i < count; i++)
        camcl_image_free(&(*pictures)[i]);
    free(*pictures);
    *pictures = NULL;
}
