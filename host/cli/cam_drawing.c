#include "cam_drawing.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

enum { LEAST_SIDE = 192, MOST_SIDE = 4096 }; /* smaller pictures are enlarged, so that people can see details */

static uint32_t enlargement(const camcl_image *picture)
{
    const uint32_t least = picture->width < picture->height ? picture->width : picture->height,
                   most = picture->width < picture->height ? picture->height : picture->width;
    uint32_t factor = LEAST_SIDE / least;
    if (factor > MOST_SIDE / most) factor = MOST_SIDE / most;
    return factor ? factor : 1;
}

cli_view cli_view_of(uint32_t width, uint32_t height, uint32_t side, camcl_fit fit)
{
    cli_view v = { 0, 0, width, height, 0, 0, side, side };
    const uint32_t shorter = width < height ? width : height, longer = width < height ? height : width;
    if (fit == CAMCL_FIT_CROP) {
        v.x = (width - shorter) / 2;
        v.y = (height - shorter) / 2;
        v.width = v.height = shorter;
    } else if (fit == CAMCL_FIT_PAD) {
        uint32_t thin = (uint32_t)(((uint64_t)side * shorter + longer / 2) / longer);
        if (thin == 0) thin = 1;
        if (width < height) {
            v.map_x = (side - thin) / 2;
            v.map_width = thin;
        } else {
            v.map_y = (side - thin) / 2;
            v.map_height = thin;
        }
    }
    return v;
}

static camcl_status cut_map(const float *map, uint32_t side, const cli_view *v, float **out, camcl_error *err)
{
    *out = malloc((size_t)v->map_width * v->map_height * sizeof **out);
    if (*out == NULL) return cli_error(err, CAMCL_NO_MEMORY, "cam: no memory to draw a map (close other programs)");
    for (uint32_t y = 0; y < v->map_height; y++)
        memcpy(*out + (size_t)y * v->map_width, map + (size_t)(v->map_y + y) * side + v->map_x, v->map_width * sizeof **out);
    return CAMCL_OK;
}

/* Copies a rectangle of one size between two pictures; grey becomes RGB where *to is. */
static void copy_part(const camcl_image *from, uint32_t x, uint32_t y, camcl_image *to, uint32_t to_x, uint32_t to_y, uint32_t width,
                      uint32_t height)
{
    for (uint32_t row = 0; row < height; row++) {
        const uint8_t *source = from->pixels + ((size_t)(y + row) * from->width + x) * from->channels;
        uint8_t *target = to->pixels + ((size_t)(to_y + row) * to->width + to_x) * to->channels;
        if (from->channels == to->channels) {
            memcpy(target, source, (size_t)width * to->channels);
            continue;
        }
        for (size_t i = 0; i < (size_t)width * to->channels; i++)
            target[i] = source[i / to->channels];
    }
}

/* *out is a black picture, or `base` in RGB, with `part` at x, y. */
static camcl_status put_part(const camcl_image *base, const camcl_image *size, const camcl_image *part, uint32_t x, uint32_t y,
                             camcl_image *out, camcl_error *err)
{
    camcl_status status = camcl_image_create(size->width, size->height, part->channels, out, err);
    if (status != CAMCL_OK) return status;
    if (base) copy_part(base, 0, 0, out, 0, 0, base->width, base->height);
    copy_part(part, 0, 0, out, x, y, part->width, part->height);
    return CAMCL_OK;
}

static bool is_whole(const cli_view *v, const camcl_image *size) { return v->width == size->width && v->height == size->height; }

static camcl_status draw_grey(const float *map, const cli_view *v, const camcl_image *size, camcl_image *out, camcl_error *err)
{
    camcl_image small = CAMCL_IMAGE_INIT, scaled = CAMCL_IMAGE_INIT;
    camcl_status status = camcl_image_create(v->map_width, v->map_height, 1, &small, err);
    for (size_t i = 0; status == CAMCL_OK && i < (size_t)v->map_width * v->map_height; i++)
        small.pixels[i] = (uint8_t)(255 * map[i] + 0.5f);
    if (status == CAMCL_OK) status = camcl_image_resize(&small, v->width, v->height, is_whole(v, size) ? out : &scaled, err);
    if (status == CAMCL_OK && !is_whole(v, size)) status = put_part(NULL, size, &scaled, v->x, v->y, out, err);
    camcl_image_free(&small);
    camcl_image_free(&scaled);
    return status;
}

static camcl_status draw_overlay(const camcl_image *picture, const float *map, const cli_view *v, float opacity, camcl_image *out,
                                 camcl_error *err)
{
    camcl_image seen = CAMCL_IMAGE_INIT, drawn = CAMCL_IMAGE_INIT;
    if (is_whole(v, picture)) return camcl_image_overlay(picture, map, v->map_width, v->map_height, opacity, out, err);
    camcl_status status = camcl_image_create(v->width, v->height, picture->channels, &seen, err);
    if (status == CAMCL_OK) {
        copy_part(picture, v->x, v->y, &seen, 0, 0, v->width, v->height);
        status = camcl_image_overlay(&seen, map, v->map_width, v->map_height, opacity, &drawn, err);
    }
    if (status == CAMCL_OK) status = put_part(picture, picture, &drawn, v->x, v->y, out, err);
    camcl_image_free(&seen);
    camcl_image_free(&drawn);
    return status;
}

camcl_status cli_draw_cam(const camcl_image *picture, const float *map, uint32_t side, camcl_fit fit, float opacity, camcl_image *grey,
                          camcl_image *overlay, camcl_error *err)
{
    camcl_image large = CAMCL_IMAGE_INIT;
    const uint32_t factor = enlargement(picture);
    cli_view v = cli_view_of(picture->width, picture->height, side, fit);
    float *seen = NULL;
    v.x *= factor;
    v.y *= factor;
    v.width *= factor;
    v.height *= factor;
    camcl_status status = factor > 1 ? camcl_image_enlarge(picture, factor, &large, err) : CAMCL_OK;
    const camcl_image *shown = factor > 1 ? &large : picture;
    if (status == CAMCL_OK) status = cut_map(map, side, &v, &seen, err);
    if (status == CAMCL_OK) status = draw_grey(seen, &v, shown, grey, err);
    if (status == CAMCL_OK) status = draw_overlay(shown, seen, &v, opacity, overlay, err);
    free(seen);
    camcl_image_free(&large);
    return status;
}
