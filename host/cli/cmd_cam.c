/* camcl cam: Grad-CAM maps and overlays of picture files or of images of the data set. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cam_drawing.h"
#include "cam_source.h"
#include "lies_in.h"
#include "npy.h"

typedef struct job {
    cli_session session;
    cli_cam_source source;
    size_t layer, side;
    int32_t target;                 /* class to explain; -1: each image's own arg-max */
    float *maps, *raw;              /* [room of a block, side, side]; raw: NULL without --npy */
    int32_t *explained, *predicted; /* [room] */
    cli_file npy;                   /* stream NULL without --npy */
    size_t rows;                    /* of the array, or of the JSON, so far */
} job;

/* Reads a class given by number or by name; -1: each image's own arg-max. */
static camcl_status parse_class(const char *text, const camcl_model_info *info, int32_t *out, camcl_error *err)
{
    *out = -1;
    if (text == NULL) return CAMCL_OK;
    for (size_t c = 0; c < info->classes; c++)
        if (strcasecmp(text, info->class_names[c]) == 0) *out = (int32_t)c;
    for (size_t c = 0; c < info->classes; c++) /* names may differ in nothing but their case */
        if (strcmp(text, info->class_names[c]) == 0) *out = (int32_t)c;
    char *end;
    long number = strtol(text, &end, 10);
    if (*out < 0 && isdigit((unsigned char)*text) && *end == '\0' && number < (long)info->classes) *out = (int32_t)number;
    if (*out >= 0) return CAMCL_OK;
    cli_usage(err, "--class %s: no such class (a number from 0 to %zu, or a name from the list below)", text, info->classes - 1);
    for (size_t c = 0, used = 0; c < info->classes && used + 64 < sizeof err->detail; c++)
        used += (size_t)snprintf(err->detail + used, sizeof err->detail - used, "%zu %s\n", c, info->class_names[c]);
    return err->status;
}

/* folder/name and suffix; the caller frees. The folders of a name that has some are made. */
static camcl_status place(const char *folder, const char *name, const char *suffix, char **out, camcl_error *err)
{
    const size_t room = strlen(folder) + strlen(name) + strlen(suffix) + 2;
    camcl_status status = CAMCL_OK;
    *out = malloc(room);
    if (*out == NULL) return cli_error(err, CAMCL_NO_MEMORY, "cam: no memory for a path (close other programs)");
    snprintf(*out, room, "%s/%s%s", folder, name, suffix);
    char *slash = strrchr(*out + strlen(folder) + 1, '/');
    if (slash) {
        *slash = '\0';
        status = cli_make_folders(*out, err);
        *slash = '/';
    }
    if (status == CAMCL_OK) return CAMCL_OK;
    free(*out);
    *out = NULL;
    return status;
}

static camcl_status write_picture(const char *folder, const char *name, const char *suffix, const camcl_image *image, camcl_error *err)
{
    char *path;
    camcl_status status = place(folder, name, suffix, &path, err);
    if (status == CAMCL_OK) status = camcl_image_write_png(path, image, err);
    free(path);
    return status;
}

static bool is_blank(const float *map, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (map[i] != 0) return false;
    return true;
}

static void json_path(const char *key, const char *folder, const char *name, const char *suffix)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s%s", folder, name, suffix);
    printf(", \"%s\": ", key);
    cli_json_string(path);
}

static void tell_json(const job *j, size_t i, const char *name)
{
    const camcl_model_info *info = camcl_model_get_info(j->session.model);
    const size_t pixels = j->side * j->side;
    printf("%s\n {\"name\": ", j->rows > 1 ? "," : "");
    cli_json_string(name);
    printf(", \"layer\": %zu, \"explained\": %d, \"explained_label\": ", j->layer, (int)j->explained[i]);
    cli_json_string(info->class_names[j->explained[i]]);
    printf(", \"predicted\": %d, \"predicted_label\": ", (int)j->predicted[i]);
    cli_json_string(info->class_names[j->predicted[i]]);
    printf(", \"blank\": %s", is_blank(j->maps + i * pixels, pixels) ? "true" : "false");
    json_path("map", j->source.args->folder, name, "_cam.png");
    json_path("overlay", j->source.args->folder, name, "_overlay.png");
    printf("}");
}

static void tell(const job *j, size_t i, const char *name)
{
    const camcl_model_info *info = camcl_model_get_info(j->session.model);
    const size_t pixels = j->side * j->side;
    const char *const texts[] = { name,
                                  ": explains ",
                                  info->class_names[j->explained[i]],
                                  ", predicted ",
                                  info->class_names[j->predicted[i]],
                                  " -> ",
                                  j->source.args->folder,
                                  "/",
                                  name,
                                  "_overlay.png" };
    for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
        cli_text(stdout, texts[k]);
    printf("%s\n", is_blank(j->maps + i * pixels, pixels) ? " (blank: the map is constant, nothing stands out)" : "");
}

static camcl_status write_one(job *j, size_t i, camcl_error *err)
{
    const size_t pixels = j->side * j->side;
    const char *name = cli_cam_source_name(&j->source, i), *folder = j->source.args->folder;
    camcl_image picture = CAMCL_IMAGE_INIT, grey = CAMCL_IMAGE_INIT, overlay = CAMCL_IMAGE_INIT;
    camcl_status status = cli_cam_source_picture(&j->source, i, &picture, err);
    if (status == CAMCL_NO_MEMORY) return status;
    if (status != CAMCL_OK) {
        cli_pictures_refuse(&j->source.pictures, err);
        return CAMCL_OK;
    }
    status = cli_draw_cam(&picture, j->maps + i * pixels, (uint32_t)j->side, cli_cam_source_fit(&j->source),
                          (float)j->source.args->opacity / 100, &grey, &overlay, err);
    if (status == CAMCL_OK) status = write_picture(folder, name, "_cam.png", &grey, err);
    if (status == CAMCL_OK) status = write_picture(folder, name, "_overlay.png", &overlay, err);
    camcl_image_free(&picture);
    camcl_image_free(&grey);
    camcl_image_free(&overlay);
    if (status != CAMCL_OK) return status;
    if (j->raw) fwrite(j->raw + i * pixels, sizeof *j->raw, pixels, j->npy.stream);
    j->rows++;
    (j->source.args->json ? tell_json : tell)(j, i, name);
    return CAMCL_OK;
}

static camcl_status explain_block(job *j, camcl_error *err)
{
    const bool relu = camcl_config_bool(j->session.config, "ssl.cam_relu");
    camcl_status status = camcl_model_cam_raw(j->session.model, &j->source.block, j->layer, relu, j->target, j->maps, j->raw, j->explained,
                                              j->predicted, err);
    cli_bar_clear(&j->source.pictures.bar);
    for (size_t i = 0; status == CAMCL_OK && i < j->source.block.count; i++)
        if (cli_cam_source_good(&j->source, i)) status = write_one(j, i, err);
    return status;
}

/* Maps among the pictures would be read as pictures, and trained with, the next time. */
static camcl_status keep_apart(const cli_cam_args *args, camcl_error *err)
{
    for (size_t i = 0; i < args->paths.count; i++) {
        bool inside;
        const camcl_status status = cli_lies_in(args->folder, args->paths.items[i], &inside, err);
        if (status != CAMCL_OK) return status;
        if (inside)
            return cli_usage(err, "cam: the maps would go to %s, which lies in %s, where pictures are read (choose another folder with -o)",
                             args->folder, args->paths.items[i]);
    }
    return CAMCL_OK;
}

static camcl_status prepare(job *j, const cli_cam_args *args, camcl_error *err)
{
    const camcl_model_info *info = camcl_model_get_info(j->session.model);
    j->side = info->image_size;
    j->layer = (size_t)(args->layer ? args->layer : camcl_config_int(j->session.config, "ssl.cam_layer"));
    camcl_status status = parse_class(args->class_name, info, &j->target, err);
    if (status == CAMCL_OK) status = keep_apart(args, err);
    if (status == CAMCL_OK) status = cli_cam_source_open(&j->source, &j->session, args, err);
    if (status != CAMCL_OK) return status;
    const size_t room = j->source.room, values = room * j->side * j->side;
    j->maps = malloc(values * sizeof *j->maps);
    j->raw = args->npy ? malloc(values * sizeof *j->raw) : NULL;
    j->explained = malloc(room * sizeof *j->explained);
    j->predicted = malloc(room * sizeof *j->predicted);
    if (j->maps == NULL || (args->npy && j->raw == NULL) || j->explained == NULL || j->predicted == NULL)
        return cli_error(err, CAMCL_NO_MEMORY, "cam: no memory for %zu maps of side %zu (close other programs)", room, j->side);
    return cli_make_folders(args->folder, err);
}

/* How many rows there will be is known at the end only: pictures may turn out to be unreadable. */
static camcl_status begin_npy(job *j, camcl_error *err)
{
    char *path;
    camcl_status status = place(j->source.args->folder, "cams", ".npy", &path, err);
    if (status == CAMCL_OK) status = cli_file_open(&j->npy, path, err);
    if (status == CAMCL_OK) cli_npy_header(j->npy.stream, (const size_t[]){ 0, j->side, j->side }, 3);
    free(path);
    return status;
}

static camcl_status finish_npy(job *j, camcl_error *err)
{
    if (j->rows == 0) return CAMCL_OK;
    rewind(j->npy.stream);
    cli_npy_header(j->npy.stream, (const size_t[]){ j->rows, j->side, j->side }, 3);
    return cli_file_commit(&j->npy, err);
}

static camcl_status explain(job *j, const cli_cam_args *args, camcl_error *err)
{
    camcl_status status = prepare(j, args, err);
    if (status == CAMCL_OK && args->npy) status = begin_npy(j, err);
    if (status != CAMCL_OK) return status;
    if (args->json) printf("[");
    status = cli_cam_source_next(&j->source, err);
    while (status == CAMCL_OK && j->source.block.count > 0) {
        status = explain_block(j, err);
        if (status == CAMCL_OK) status = cli_cam_source_next(&j->source, err);
    }
    if (args->json) printf("\n]\n");
    return status == CAMCL_OK && args->npy ? finish_npy(j, err) : status;
}

int cmd_cam(int argc, char **argv)
{
    cli_cam_args args = { .checkpoint = NULL };
    job j = { .rows = 0 };
    camcl_error err = { 0 };
    int code = 0;
    camcl_status status = cli_parse_cam(argc, argv, &args, &err);
    if (status == CAMCL_OK) status = cli_session_open(&j.session, args.checkpoint, &args.overrides, &err);
    if (status == CAMCL_OK) status = explain(&j, &args, &err);
    if (status == CAMCL_OK) code = cli_pictures_finish(&j.source.pictures);
    cli_cam_source_close(&j.source);
    cli_file_abandon(&j.npy);
    cli_session_close(&j.session);
    free(j.maps);
    free(j.raw);
    free(j.explained);
    free(j.predicted);
    cli_list_free(&args.paths);
    cli_list_free(&args.overrides);
    free(args.indices);
    return status == CAMCL_OK ? code : cli_fail_or_stopped(&err);
}
