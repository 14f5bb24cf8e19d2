/* Strong views of test images as the network sees them in training, and whether its CAM follows T: the figure of the paper (arXiv
 * 2108.13673). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/fit.h"
#include "objective/cam.h"
#include "objective/inputs.h"
#include "train/gallery.h"

#define FIGURE_SEED 1

bool cc_gallery_find_views(const cc_gallery_views *views, size_t i, size_t *place)
{
    for (*place = 0; *place < views->count; ++*place)
        if (views->entries[*place] == i) return true;
    return false;
}

/* Which of the images that are spread over the classes: these are spread evenly, too. */
static size_t entry_of(const cc_gallery *g, size_t n, size_t place) { return place * g->spread / n; }

/* ---- recording */

typedef struct recorder {
    const cc_run *run;
    size_t n;
    cc_resident *images;
    cc_inputs inputs;
    cc_draws draws;
    cc_tape *tape;
    cc_tensor weak, strong, weak_map, target, strong_map, explained;
} recorder;

static camcl_status record_maps(recorder *r, cc_cam *weak, cc_cam *strong, camcl_error *err)
{
    const cc_objective *o = &r->run->settings.step.objective;
    const size_t size = r->run->settings.step.image_size;
    const cc_cam_spec spec = { .batch = r->n, .image_size = size, .layer = o->cam_layer, .relu = o->cam_relu, .forward_only = true };
    CC_RETURN_IF_FAILED(cc_cam_record(weak, r->run->model, r->tape, &spec, r->weak, CC_NO_TENSOR, err));
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(r->tape, "target CAM", CC_F32, 3, weak->map.dim, &r->target, err));
    CC_RETURN_IF_FAILED(cc_view_transform_forward(r->tape, &r->inputs.between, weak->map, r->target, err));
    const cc_tensor classes = o->shared_class ? weak->classes : CC_NO_TENSOR;
    CC_RETURN_IF_FAILED(cc_cam_record(strong, r->run->model, r->tape, &spec, r->strong, classes, err));
    r->weak_map = weak->map;
    r->strong_map = strong->map;
    r->explained = weak->classes;
    return CAMCL_OK;
}

static camcl_status record(void *context, cc_arena *arena, camcl_error *err)
{
    recorder *r = context;
    const size_t size = r->run->settings.step.image_size, channels = cc_resident_channels(r->images);
    cc_cam weak = { .pass = NULL }, strong = { .pass = NULL };
    CC_RETURN_IF_FAILED(cc_tape_create(arena, "views", &r->tape, err));
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(r->tape, "weak views", CC_F32, CC_DIMS(r->n, size, size, channels), &r->weak, err));
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(r->tape, "strong views", CC_F32, CC_DIMS(r->n, size, size, channels), &r->strong, err));
    CC_RETURN_IF_FAILED(cc_inputs_load_weak(&r->inputs, r->tape, r->weak, 0, err));
    CC_RETURN_IF_FAILED(cc_inputs_load_strong(&r->inputs, r->tape, r->weak, 0, r->strong, 0, err));
    camcl_status status = record_maps(r, &weak, &strong, err);
    cc_cam_release(&weak);
    cc_cam_release(&strong);
    const cc_tensor kept[] = { r->weak, r->strong, r->weak_map, r->target, r->strong_map, r->explained };
    for (size_t i = 0; status == CAMCL_OK && i < CC_COUNT(kept); i++)
        cc_tape_keep(r->tape, kept[i].buffer);
    return status;
}

/* ---- inputs */

/* Copies the images to the device, one behind the other. */
static camcl_status place_images(recorder *r, const cc_gallery *g, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const camcl_dataset_info *info = camcl_dataset_get_info(r->run->dataset);
    const size_t image = (size_t)info->height * info->width * info->channels;
    const uint8_t *all = camcl_dataset_pixels(r->run->dataset, g->part);
    uint8_t *pixels = NULL;
    CC_TRY(CC_NEW(r->n * image, &pixels, err));
    for (size_t i = 0; i < r->n; i++)
        memcpy(pixels + i * image, all + g->images[entry_of(g, r->n, i)] * image, image);
    const cc_resident_spec spec = { .pixels = pixels,
                                    .count = r->n,
                                    .height = info->height,
                                    .width = info->width,
                                    .channels = info->channels,
                                    .mean = r->run->settings.mean,
                                    .std = r->run->settings.std,
                                    .name = "images" };
    CC_TRY(cc_resident_create(r->run->device, &spec, &r->images, err));
cleanup:
    free(pixels);
    return status;
}

/* A step's inputs without its labelled images, of which there must be one. */
static camcl_status draw_views(recorder *r, camcl_error *err)
{
    cc_augment_options options = r->run->settings.augment;
    const cc_inputs_spec spec = { .views = options.views,
                                  .labeled = 1,
                                  .unlabeled = r->n,
                                  .own = { 0, 1, 0, r->n },
                                  .image_size = r->run->settings.step.image_size,
                                  .cams = true };
    uint32_t sources[CC_GALLERY_VIEWS];
    options.seed = FIGURE_SEED;
    for (size_t i = 0; i < r->n; i++)
        sources[i] = (uint32_t)i;
    CC_RETURN_IF_FAILED(cc_draws_create(&options, spec.labeled, spec.unlabeled, true, &r->draws, err));
    cc_draw_labeled(&options, 0, sources, &r->draws);
    cc_draw_unlabeled(&options, 0, sources, &r->draws);
    CC_RETURN_IF_FAILED(cc_inputs_create(r->run->device, r->images, &spec, &r->inputs, err));
    const cc_step_input input = cc_step_input_of(&r->draws, 0, 0);
    return cc_inputs_send(&r->inputs, &input, err);
}

/* ---- results */

static uint8_t to_byte(float value)
{
    if (!(value > 0)) return 0;
    return value < 1 ? (uint8_t)lrintf(value * 255) : 255;
}

/* Images as the network gets them, back to bytes. */
static camcl_status read_images(const recorder *r, cc_tensor tensor, uint8_t **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const size_t channels = cc_resident_channels(r->images), count = cc_tensor_bytes(&tensor) / sizeof(float);
    const float *mean = r->run->settings.mean, *std = r->run->settings.std;
    float *values = NULL;
    CC_TRY(CC_NEW(count, &values, err));
    CC_TRY(CC_NEW(count, out, err));
    CC_TRY(cc_buffer_read(tensor.buffer, 0, values, count * sizeof *values, err));
    for (size_t i = 0; i < count; i++)
        (*out)[i] = to_byte(values[i] * std[i % channels] + mean[i % channels]);
cleanup:
    free(values);
    return status;
}

static camcl_status read_map(cc_tensor tensor, float **out, camcl_error *err)
{
    CC_RETURN_IF_FAILED(CC_NEW(cc_tensor_bytes(&tensor) / sizeof **out, out, err));
    return cc_buffer_read(tensor.buffer, 0, *out, cc_tensor_bytes(&tensor), err);
}

static bool counts(const cc_counted_row *row, size_t column)
{
    const int32_t x = (int32_t)column;
    return row->begin <= x && x < row->end && !(row->hole_begin <= x && x < row->hole_end);
}

/* Mean squared difference of the strong view's map and its target, over the pixels that count; NaN where none does. */
static double distance_of(const recorder *r, const cc_gallery_views *views, size_t i)
{
    const size_t size = r->run->settings.step.image_size;
    const cc_counted_row *rows = r->draws.counted ? r->draws.counted + i * size : NULL;
    double sum = 0, n = 0;
    for (size_t p = 0; p < size * size; p++) {
        const double d = (double)views->strong_maps[i * size * size + p] - (double)views->target[i * size * size + p];
        if (rows && !counts(&rows[p / size], p % size)) continue;
        sum += d * d;
        n += 1;
    }
    return n > 0 ? sum / n : NAN;
}

static camcl_status read_views(const recorder *r, const cc_gallery *g, cc_gallery_views *out, camcl_error *err)
{
    out->count = r->n;
    CC_RETURN_IF_FAILED(read_images(r, r->weak, &out->weak, err));
    CC_RETURN_IF_FAILED(read_images(r, r->strong, &out->strong, err));
    CC_RETURN_IF_FAILED(read_map(r->weak_map, &out->weak_maps, err));
    CC_RETURN_IF_FAILED(read_map(r->target, &out->target, err));
    CC_RETURN_IF_FAILED(read_map(r->strong_map, &out->strong_maps, err));
    for (size_t i = 0; i < r->n; i++) {
        out->entries[i] = entry_of(g, r->n, i);
        out->distance[i] = distance_of(r, out, i);
    }
    return cc_buffer_read(r->explained.buffer, 0, out->explained, r->n * sizeof *out->explained, err);
}

camcl_status cc_gallery_views_make(const cc_run *run, const cc_gallery *g, cc_gallery_views *out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    recorder r = { .run = run, .n = cc_min_size(CC_GALLERY_VIEWS, g->spread) };
    cc_arena *arena = NULL;
    *out = (cc_gallery_views){ .count = 0 };
    CC_TRY(place_images(&r, g, err));
    CC_TRY(draw_views(&r, err));
    CC_TRY(cc_arena_create(run->device, &arena, err));
    CC_TRY(cc_model_commit(run->model, arena, &(cc_recording){ record, NULL, &r }, err));
    CC_TRY(cc_model_refresh(run->model, err));
    CC_TRY(cc_tape_run(r.tape, err));
    CC_TRY(read_views(&r, g, out, err));
cleanup:
    cc_arena_destroy(&arena);
    cc_inputs_release(&r.inputs);
    cc_draws_free(&r.draws);
    cc_resident_destroy(&r.images);
    return status;
}

void cc_gallery_views_free(cc_gallery_views *views)
{
    free(views->weak);
    free(views->strong);
    free(views->weak_maps);
    free(views->target);
    free(views->strong_maps);
    *views = (cc_gallery_views){ .count = 0 };
}
