#include "cam_source.h"

#include <stdlib.h>
#include <string.h>

#include "cam_names.h"

enum { DATA_BLOCK = 32 };

static bool of_files(const cli_cam_source *s) { return s->args->paths.count > 0; }

static size_t image_bytes(const camcl_images *images) { return images->height * images->width * images->channels; }

static camcl_status open_files(cli_cam_source *s, camcl_error *err)
{
    camcl_status status = cli_pictures_open(&s->pictures, s->session, &s->args->paths, err);
    if (status != CAMCL_OK) return status;
    s->count = s->pictures.count;
    s->room = s->pictures.room;
    return cli_cam_names(s->pictures.list, &s->names, err);
}

static camcl_status open_data(cli_cam_source *s, camcl_error *err)
{
    camcl_split split;
    camcl_dataset_part part;
    size_t in_split = 0;
    camcl_status status = cli_parse_split(s->args->split, &split, err);
    if (status == CAMCL_OK) status = cli_session_data(s->session, err);
    if (status == CAMCL_OK) status = cli_session_indices(s->session, split, &part, &s->indices, &in_split, err);
    if (status != CAMCL_OK) return status;
    s->data = cli_images_of(s->session->dataset, part);
    s->count = s->args->index_count;
    s->room = s->count < DATA_BLOCK ? s->count : DATA_BLOCK;
    for (size_t i = 0; i < s->count; i++)
        if (s->args->indices[i] >= in_split)
            return in_split
                       ? cli_usage(err, "--index %zu: the %s split has images 0 to %zu (choose one of them)", s->args->indices[i],
                                   s->args->split, in_split - 1)
                       : cli_usage(err, "--index %zu: the %s split is empty (choose another --split)", s->args->indices[i], s->args->split);
    s->gathered = malloc(s->room * image_bytes(&s->data));
    return s->gathered ? CAMCL_OK : cli_error(err, CAMCL_NO_MEMORY, "cam: no memory for %zu images (close other programs)", s->room);
}

camcl_status cli_cam_source_open(cli_cam_source *s, cli_session *session, const cli_cam_args *args, camcl_error *err)
{
    *s = (cli_cam_source){ .session = session, .args = args };
    return of_files(s) ? open_files(s, err) : open_data(s, err);
}

static size_t index_in_data(const cli_cam_source *s, size_t i) { return s->indices[s->args->indices[s->first + i]]; }

camcl_status cli_cam_source_next(cli_cam_source *s, camcl_error *err)
{
    s->first += s->block.count;
    if (of_files(s)) {
        camcl_status status = cli_pictures_next(&s->pictures, err);
        s->block = cli_pictures_block(&s->pictures);
        return status;
    }
    const size_t bytes = image_bytes(&s->data);
    s->block = s->data;
    s->block.pixels = s->gathered;
    s->block.labels = NULL;
    s->block.count = s->count - s->first < s->room ? s->count - s->first : s->room;
    for (size_t i = 0; i < s->block.count; i++)
        memcpy(s->gathered + i * bytes, s->data.pixels + index_in_data(s, i) * bytes, bytes);
    return CAMCL_OK;
}

bool cli_cam_source_good(const cli_cam_source *s, size_t i) { return !of_files(s) || cli_pictures_good(&s->pictures, i); }

const char *cli_cam_source_name(cli_cam_source *s, size_t i)
{
    if (of_files(s)) return s->names[s->first + i];
    snprintf(s->name, sizeof s->name, "%05zu", s->args->indices[s->first + i]);
    return s->name;
}

camcl_status cli_cam_source_picture(const cli_cam_source *s, size_t i, camcl_image *out, camcl_error *err)
{
    if (of_files(s)) return camcl_image_read(s->pictures.files[i], out, err);
    const size_t bytes = image_bytes(&s->block);
    camcl_status status = camcl_image_create((uint32_t)s->block.width, (uint32_t)s->block.height, (uint32_t)s->block.channels, out, err);
    if (status == CAMCL_OK) memcpy(out->pixels, s->gathered + i * bytes, bytes);
    return status;
}

/* Images of a data set are stretched to the network's side where they are not squares of it already. */
camcl_fit cli_cam_source_fit(const cli_cam_source *s) { return of_files(s) ? s->pictures.fit : CAMCL_FIT_STRETCH; }

void cli_cam_source_close(cli_cam_source *s)
{
    cli_cam_names_free(&s->names, s->count);
    cli_pictures_close(&s->pictures);
    free(s->indices);
    free(s->gathered);
}
