/* The pointing game and the share of a map's mass inside the object (Zhang et al., arXiv 1608.00507; Wang et al., arXiv 1910.01279). */
#include "localisation.h"

#include <stdlib.h>
#include <string.h>

enum { AT_A_TIME = 256 /* images */ };

/* Images that are explained together, and what came of it. */
typedef struct batch {
    uint8_t *pixels;     /* [AT_A_TIME, height, width, channels] */
    float *maps;         /* [AT_A_TIME, side, side] */
    int32_t *classes[2]; /* [AT_A_TIME] each: explained, predicted */
} batch;

static void free_batch(batch *b)
{
    free(b->pixels);
    free(b->maps);
    free(b->classes[0]);
    free(b->classes[1]);
}

static bool allocate(batch *b, size_t image, size_t map)
{
    *b = (batch){ malloc(AT_A_TIME * image),
                  malloc(AT_A_TIME * map * sizeof(float)),
                  { malloc(AT_A_TIME * sizeof(int32_t)), malloc(AT_A_TIME * sizeof(int32_t)) } };
    return b->pixels && b->maps && b->classes[0] && b->classes[1];
}

/* Adds one map. Its side may differ from the mask's; a point of the map lies where its centre does. */
static void add_map(const float *map, size_t side, const uint8_t *mask, size_t height, size_t width, cli_localisation *out)
{
    double sum = 0, inside = 0;
    float highest = 0;
    bool hit = false;
    for (size_t y = 0; y < side; y++) {
        const uint8_t *row = mask + (2 * y + 1) * height / (2 * side) * width;
        for (size_t x = 0; x < side; x++) {
            const float value = map[y * side + x];
            const bool on = row[(2 * x + 1) * width / (2 * side)] != 0;
            sum += value;
            if (on) inside += value;
            if (value <= highest) continue;
            highest = value;
            hit = on;
        }
    }
    out->pointing += hit;
    if (sum > 0) out->mass += inside / sum;
}

static camcl_status localise_batch(const cli_session *s, const camcl_images *all, const uint8_t *masks, const uint32_t *indices, size_t n,
                                   bool relu, batch *b, cli_localisation *out, camcl_error *err)
{
    const size_t plane = all->height * all->width, image = plane * all->channels, side = camcl_model_get_info(s->model)->image_size;
    const camcl_images images = { b->pixels, NULL, n, all->height, all->width, all->channels };
    for (size_t i = 0; i < n; i++)
        memcpy(b->pixels + i * image, all->pixels + indices[i] * image, image);
    const camcl_status status = camcl_model_cam(s->model, &images, out->layer, relu, -1, b->maps, b->classes[0], b->classes[1], err);
    if (status != CAMCL_OK) return status;
    for (size_t i = 0; i < n; i++)
        add_map(b->maps + i * side * side, side, masks + indices[i] * plane, all->height, all->width, out);
    return CAMCL_OK;
}

/* out->layer says which. */
static camcl_status localise_stage(const cli_session *s, const camcl_images *all, const uint8_t *masks, const uint32_t *indices, size_t n,
                                   bool relu, batch *b, cli_localisation *out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    for (size_t i = 0; i < n && status == CAMCL_OK; i += AT_A_TIME)
        status = localise_batch(s, all, masks, indices + i, n - i < AT_A_TIME ? n - i : AT_A_TIME, relu, b, out, err);
    out->pointing *= 100.0 / (double)n;
    out->mass *= 100.0 / (double)n;
    return status;
}

camcl_status cli_localise_check(const cli_session *session, camcl_dataset_part part, camcl_error *err)
{
    if (camcl_dataset_masks(session->dataset, part)) return CAMCL_OK;
    return cli_error(err, CAMCL_BAD_DATA,
                     "eval: --cam needs to know where the objects are, and this data set does not say (leave --cam out; shapes says it)");
}

camcl_status cli_localise(const cli_session *session, camcl_dataset_part part, const uint32_t *indices, size_t n, bool relu,
                          cli_localisation *out, camcl_error *err)
{
    const camcl_model_info *info = camcl_model_get_info(session->model);
    const camcl_images all = cli_images_of(session->dataset, part);
    const uint8_t *masks = camcl_dataset_masks(session->dataset, part);
    camcl_status status = CAMCL_OK;
    batch b;
    if (!allocate(&b, all.height * all.width * all.channels, info->image_size * info->image_size)) {
        status = cli_error(err, CAMCL_NO_MEMORY, "eval: no memory for %d maps (leave --cam out, or close other programs)", AT_A_TIME);
    }
    /* Stage by stage, because a model keeps what it has recorded for few stages only. */
    for (size_t stage = 0; stage < info->stages && status == CAMCL_OK; stage++) {
        out[stage] = (cli_localisation){ .layer = stage + 1 };
        status = localise_stage(session, &all, masks, indices, n, relu, &b, &out[stage], err);
    }
    free_batch(&b);
    return status;
}
