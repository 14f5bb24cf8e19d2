/* The pictures of cams/. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/memory.h"
#include "camcl/image.h"
#include "train/gallery.h"

enum { ENLARGED_SIDE = 192, MOST_SIDE = 512, NAME_BYTES = 48 }; /* MOST_SIDE: a page shows many of them */

void cc_gallery_stem(const cc_gallery *g, size_t i, char stem[CC_STEM]) { snprintf(stem, CC_STEM, "%05u", (unsigned)g->positions[i]); }

camcl_status cc_gallery_path(const cc_run *run, const char *stem, const char *part, char **path, camcl_error *err)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%.32s_%s.png", stem, part);
    return cc_path_join(cc_run_dir_file(run->dir, CC_RUN_CAMS), name, path, err);
}

bool cc_gallery_has_picture(const cc_run *run, const char *stem, const char *part)
{
    char *path = NULL;
    const bool has = cc_gallery_path(run, stem, part, &path, NULL) == CAMCL_OK && cc_file_exists(path);
    free(path);
    return has;
}

bool cc_gallery_shows_before(const cc_gallery *g, const cc_gallery_answers *answers, size_t i)
{
    return answers->before != NULL && i < g->spread;
}

/* What the pictures of an image are made of. */
typedef struct frame {
    const cc_run *run;
    char stem[CC_STEM];
    uint32_t side; /* of maps and views */
    uint32_t channels;
} frame;

static camcl_status write_png(const frame *f, const char *part, const camcl_image *image, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    char *path = NULL;
    uint8_t *data = NULL;
    size_t size;
    CC_TRY(cc_gallery_path(f->run, f->stem, part, &path, err));
    CC_TRY(camcl_image_encode_png(image, &data, &size, err));
    CC_TRY(cc_file_write_among(path, &(cc_piece){ data, size }, 1, err));
cleanup:
    free(data);
    free(path);
    return status;
}

/* In a size for people; pixels are only read. */
static camcl_status show(const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels, camcl_image *out, camcl_error *err)
{
    const uint32_t longer = width > height ? width : height, factor = ENLARGED_SIDE / width > 1 ? ENLARGED_SIDE / width : 1;
    const camcl_image own = { width, height, channels, (uint8_t *)(uintptr_t)pixels };
    if (longer <= MOST_SIDE) return camcl_image_enlarge(&own, factor, out, err);
    return camcl_image_scale(&own, (uint32_t)cc_max_size(1, (size_t)width * MOST_SIDE / longer),
                             (uint32_t)cc_max_size(1, (size_t)height * MOST_SIDE / longer), out, err);
}

/* A map over a picture that has its size for people. */
static camcl_status write_overlay(const frame *f, const char *part, const camcl_image *image, const float *map, camcl_error *err)
{
    camcl_image overlay = CAMCL_IMAGE_INIT;
    camcl_status status = camcl_image_overlay(image, map, f->side, f->side, 0.5f, &overlay, err);
    if (status == CAMCL_OK) status = write_png(f, part, &overlay, err);
    camcl_image_free(&overlay);
    return status;
}

/* _image, _overlay, where the data set knows its objects _mask, and of the gallery's images _before. */
static camcl_status write_image(const frame *f, const cc_gallery *g, const cc_gallery_answers *answers, size_t i, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const camcl_dataset_info *info = camcl_dataset_get_info(f->run->dataset);
    const uint8_t *masks = camcl_dataset_masks(f->run->dataset, g->part), *pixels = camcl_dataset_pixels(f->run->dataset, g->part);
    const size_t area = (size_t)info->height * info->width, at = g->images[i] * area, map = i * f->side * f->side;
    camcl_image image = CAMCL_IMAGE_INIT, mask = CAMCL_IMAGE_INIT;
    CC_TRY(show(pixels + at * info->channels, info->width, info->height, info->channels, &image, err));
    CC_TRY(write_png(f, "image", &image, err));
    CC_TRY(write_overlay(f, "overlay", &image, answers->maps + map, err));
    if (cc_gallery_shows_before(g, answers, i)) CC_TRY(write_overlay(f, "before", &image, answers->before + map, err));
    if (masks) {
        CC_TRY(show(masks + at, info->width, info->height, 1, &mask, err));
        CC_TRY(write_png(f, "mask", &mask, err));
    }
cleanup:
    camcl_image_free(&image);
    camcl_image_free(&mask);
    return status;
}

/* _weak: the weak view with its map. _seen: the strong view. _strong: the strong view with its map; _target: with T of the weak view's. */
static camcl_status write_views(const frame *f, const cc_gallery_views *views, size_t place, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const size_t map = place * f->side * f->side, at = map * f->channels;
    camcl_image weak = CAMCL_IMAGE_INIT, strong = CAMCL_IMAGE_INIT;
    CC_TRY(show(views->weak + at, f->side, f->side, f->channels, &weak, err));
    CC_TRY(show(views->strong + at, f->side, f->side, f->channels, &strong, err));
    CC_TRY(write_overlay(f, "weak", &weak, views->weak_maps + map, err));
    CC_TRY(write_png(f, "seen", &strong, err));
    CC_TRY(write_overlay(f, "strong", &strong, views->strong_maps + map, err));
    CC_TRY(write_overlay(f, "target", &strong, views->target + map, err));
cleanup:
    camcl_image_free(&weak);
    camcl_image_free(&strong);
    return status;
}

static frame frame_of(const cc_run *run, const cc_gallery *g, size_t i)
{
    frame f = { run, "", (uint32_t)run->settings.step.image_size, camcl_dataset_get_info(run->dataset)->channels };
    cc_gallery_stem(g, i, f.stem);
    return f;
}

camcl_status cc_gallery_write(const cc_run *run, const cc_gallery *g, const cc_gallery_answers *answers, const cc_gallery_views *views,
                              camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_make_folders(cc_run_dir_file(run->dir, CC_RUN_CAMS), err));
    for (size_t i = 0; i < g->count; i++) {
        const frame f = frame_of(run, g, i);
        size_t place;
        CC_RETURN_IF_FAILED(write_image(&f, g, answers, i, err));
        if (cc_gallery_find_views(views, i, &place)) CC_RETURN_IF_FAILED(write_views(&f, views, place, err));
    }
    CC_RETURN_IF_FAILED(cc_folder_sync(cc_run_dir_file(run->dir, CC_RUN_CAMS), err));
    return cc_gallery_write_index(run, g, answers, views, err);
}
