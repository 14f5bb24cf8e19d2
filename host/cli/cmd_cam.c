/* camcl cam: Grad-CAM maps and overlays of picture files or of images of the data set. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "inference.h"

enum { LEAST_SIDE = 192 }; /* smaller pictures are enlarged, so that people can see details */

/* The images to explain: the network's input as bytes, and the pictures to draw on. */
typedef struct subjects {
    size_t count;
    uint8_t *pixels; /* [count,height,width,channels] */
    size_t height, width, channels;
    camcl_image *pictures; /* [count] */
    char (*names)[256];    /* [count] */
} subjects;

static void subjects_free(subjects *s)
{
    free(s->pixels);
    cli_pictures_free(&s->pictures, s->count);
    free(s->names);
}

static camcl_status fail(camcl_error *err, camcl_status status, const char *text, const char *what)
{
    snprintf(err->message, sizeof err->message, text, what);
    err->detail[0] = '\0';
    return err->status = status;
}

static void stem_of(const char *path, char name[256])
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *dot = strrchr(base, '.');
    int length = dot && dot != base ? (int)(dot - base) : (int)strlen(base);
    snprintf(name, 256, "%.*s", length, base);
}

static camcl_status from_files(const cli_session *session, const cli_cam_args *args, subjects *s, camcl_error *err)
{
    const camcl_model_info *info = camcl_model_get_info(session->model);
    for (size_t i = 0; i < args->images.count; i++) {
        stem_of(args->images.items[i], s->names[i]);
        for (size_t k = 0; k < i; k++)
            if (strcmp(s->names[i], s->names[k]) == 0)
                return fail(err, CAMCL_BAD_CONFIG,
                            "cam: two images are called %s, one would overwrite the other (run them apart, with another -o)", s->names[i]);
    }
    s->height = s->width = info->image_size;
    s->channels = info->channels;
    return cli_read_pictures(info, &args->images, &s->pixels, &s->pictures, err);
}

static camcl_status from_data(cli_session *session, const cli_cam_args *args, subjects *s, camcl_error *err)
{
    camcl_split split;
    camcl_dataset_part part;
    uint32_t *indices = NULL;
    size_t count = 0;
    camcl_status status = cli_parse_split(args->split, &split, err);
    if (status == CAMCL_OK) status = cli_session_data(session, err);
    if (status == CAMCL_OK) status = cli_session_indices(session, split, &part, &indices, &count, err);
    if (status != CAMCL_OK) return status;
    camcl_images all = cli_images_of(session->dataset, part);
    size_t bytes = all.height * all.width * all.channels;
    s->height = all.height;
    s->width = all.width;
    s->channels = all.channels;
    s->pixels = malloc(s->count * bytes);
    s->pictures = calloc(s->count, sizeof *s->pictures);
    if (s->pixels == NULL || s->pictures == NULL)
        status = fail(err, CAMCL_NO_MEMORY, "cam: no memory for the images%s (give fewer at once)", "");
    for (size_t i = 0; status == CAMCL_OK && i < s->count; i++) {
        if (args->indices[i] >= count) {
            status = cli_usage(err, "--index %zu: the %s split has images 0 to %zu (choose one of them)", args->indices[i], args->split,
                               count - 1);
            break;
        }
        memcpy(s->pixels + i * bytes, all.pixels + indices[args->indices[i]] * bytes, bytes);
        snprintf(s->names[i], sizeof s->names[i], "%05zu", args->indices[i]);
        status = camcl_image_create((uint32_t)all.width, (uint32_t)all.height, (uint32_t)all.channels, &s->pictures[i], err);
        if (status == CAMCL_OK) memcpy(s->pictures[i].pixels, s->pixels + i * bytes, bytes);
    }
    free(indices);
    return status;
}

/* Reads a class given by number or by name; -1: each image's own arg-max. */
static camcl_status parse_class(const char *text, const camcl_model_info *info, int32_t *out, camcl_error *err)
{
    *out = -1;
    if (text == NULL) return CAMCL_OK;
    for (size_t c = 0; c < info->classes; c++)
        if (strcasecmp(text, info->class_names[c]) == 0) *out = (int32_t)c;
    char *end;
    long number = strtol(text, &end, 10);
    if (*out < 0 && isdigit((unsigned char)*text) && *end == '\0' && number < (long)info->classes) *out = (int32_t)number;
    if (*out >= 0) return CAMCL_OK;
    cli_usage(err, "--class %s: no such class (a number from 0 to %zu, or a name from the list below)", text, info->classes - 1);
    for (size_t c = 0, used = 0; c < info->classes && used + 64 < sizeof err->detail; c++)
        used += (size_t)snprintf(err->detail + used, sizeof err->detail - used, "%zu %s\n", c, info->class_names[c]);
    return err->status;
}

static camcl_status write_to(const char *folder, const char *name, const char *suffix, const camcl_image *image, camcl_error *err)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s%s", folder, name, suffix) >= (int)sizeof path)
        return fail(err, CAMCL_IO, "%s: the path is too long (choose a shorter -o)", folder);
    return camcl_image_write_png(path, image, err);
}

/* Writes the map as grey values 0..255, and its overlay, both of the picture's size. */
static camcl_status draw(const camcl_image *picture, const float *map, size_t side, const char *folder, const char *name, camcl_error *err)
{
    camcl_image base = CAMCL_IMAGE_INIT, overlay = CAMCL_IMAGE_INIT, grey = CAMCL_IMAGE_INIT, scaled = CAMCL_IMAGE_INIT;
    uint32_t least = picture->width < picture->height ? picture->width : picture->height,
             factor = least < LEAST_SIDE ? LEAST_SIDE / least : 1;
    camcl_status status = camcl_image_enlarge(picture, factor, &base, err);
    if (status == CAMCL_OK) status = camcl_image_overlay(&base, map, (uint32_t)side, (uint32_t)side, 0.5f, &overlay, err);
    if (status == CAMCL_OK) status = camcl_image_create((uint32_t)side, (uint32_t)side, 1, &grey, err);
    if (status == CAMCL_OK) {
        for (size_t i = 0; i < side * side; i++)
            grey.pixels[i] = (uint8_t)(255 * map[i] + 0.5f);
        status = camcl_image_resize(&grey, base.width, base.height, &scaled, err);
    }
    if (status == CAMCL_OK) status = write_to(folder, name, "_cam.png", &scaled, err);
    if (status == CAMCL_OK) status = write_to(folder, name, "_overlay.png", &overlay, err);
    camcl_image_free(&base);
    camcl_image_free(&overlay);
    camcl_image_free(&grey);
    camcl_image_free(&scaled);
    return status;
}

static bool is_blank(const float *map, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (map[i] != 0) return false;
    return true;
}

static camcl_status explain(const cli_session *session, const cli_cam_args *args, const subjects *s, camcl_error *err)
{
    const camcl_model_info *info = camcl_model_get_info(session->model);
    size_t side = info->image_size, pixels = side * side,
           layer = (size_t)(args->layer ? args->layer : camcl_config_int(session->config, "ssl.cam_layer"));
    float *maps = malloc(s->count * pixels * sizeof *maps);
    int32_t *explained = malloc(s->count * sizeof *explained), *predicted = malloc(s->count * sizeof *predicted), target;
    camcl_images images = { s->pixels, NULL, s->count, s->height, s->width, s->channels };
    camcl_status status = parse_class(args->class_name, info, &target, err);
    if (status == CAMCL_OK && (maps == NULL || explained == NULL || predicted == NULL))
        status = fail(err, CAMCL_NO_MEMORY, "cam: no memory for the maps%s (give fewer images at once)", "");
    if (status == CAMCL_OK)
        status = camcl_model_cam(session->model, &images, layer, camcl_config_bool(session->config, "ssl.cam_relu"), target, maps,
                                 explained, predicted, err);
    if (status == CAMCL_OK && mkdir(args->folder, 0777) != 0 && errno != EEXIST)
        status = fail(err, CAMCL_IO, "%s: cannot make this folder (choose another -o)", args->folder);
    for (size_t i = 0; status == CAMCL_OK && i < s->count; i++) {
        status = draw(&s->pictures[i], maps + i * pixels, side, args->folder, s->names[i], err);
        if (status != CAMCL_OK) break;
        const char *const texts[] = { s->names[i],
                                      ": explains ",
                                      info->class_names[explained[i]],
                                      ", predicted ",
                                      info->class_names[predicted[i]],
                                      " -> ",
                                      args->folder,
                                      "/",
                                      s->names[i],
                                      "_overlay.png" };
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
            cli_text(stdout, texts[k]);
        printf("%s\n", is_blank(maps + i * pixels, pixels) ? " (blank: the map is constant, nothing stands out)" : "");
    }
    free(maps);
    free(explained);
    free(predicted);
    return status;
}

int cmd_cam(int argc, char **argv)
{
    cli_cam_args args = { .checkpoint = NULL };
    cli_session session = { .config = NULL };
    subjects s = { .count = 0 };
    camcl_error err = { 0 };
    camcl_status status = cli_parse_cam(argc, argv, &args, &err);
    if (status == CAMCL_OK) {
        s.count = args.images.count ? args.images.count : args.index_count;
        s.names = calloc(s.count, sizeof *s.names);
        if (s.names == NULL) status = fail(&err, CAMCL_NO_MEMORY, "cam: no memory for names%s (give fewer images at once)", "");
    }
    if (status == CAMCL_OK) status = cli_session_open(&session, args.checkpoint, &args.overrides, &err);
    if (status == CAMCL_OK) status = args.images.count ? from_files(&session, &args, &s, &err) : from_data(&session, &args, &s, &err);
    if (status == CAMCL_OK) status = explain(&session, &args, &s, &err);
    subjects_free(&s);
    cli_session_close(&session);
    cli_list_free(&args.images);
    cli_list_free(&args.overrides);
    free(args.indices);
    return status == CAMCL_OK ? 0 : cli_fail(&err);
}
