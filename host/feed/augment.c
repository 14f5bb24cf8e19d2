#include "feed/augment.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "feed/randaugment.h"

/* ---- weak views */

/* By up to an eighth of the side, either way. */
static void draw_shift(cc_rng *rng, int32_t size, int32_t *low, int32_t *high)
{
    const int32_t most = size / 8;
    *low = (int32_t)cc_rng_below(rng, (uint32_t)(2 * most + 1)) - most;
    *high = *low + size;
}

/* As torchvision's RandomResizedCrop: ten times, an area and an aspect ratio, uniform in its logarithm, until the crop lies in the picture;
 * else the whole picture, which is square. The crop is of the picture before it is flipped, the window of what the flips make of it. */
static void draw_crop(cc_rng *rng, const cc_augment_options *options, cc_transform *t)
{
    const int32_t size = (int32_t)options->size;
    const double area = (double)size * size, logarithm = log(options->ratio_max);
    for (int i = 0; i < 10; i++) {
        const double share = options->scale_min + (1 - options->scale_min) * cc_rng_unit(rng);
        const double ratio = exp((2 * cc_rng_unit(rng) - 1) * logarithm);
        const double width = nearbyint(sqrt(area * share * ratio)), height = nearbyint(sqrt(area * share / ratio));
        if (width < 1 || height < 1 || width > size || height > size) continue;
        const int32_t w = (int32_t)width, h = (int32_t)height;
        const int32_t y = (int32_t)cc_rng_below(rng, (uint32_t)(size - h + 1)), x = (int32_t)cc_rng_below(rng, (uint32_t)(size - w + 1));
        t->y0 = t->flip_v ? size - y - h : y;
        t->x0 = t->flip_h ? size - x - w : x;
        t->y1 = t->y0 + h;
        t->x1 = t->x0 + w;
        return;
    }
}

static cc_transform draw_view(const cc_augment_options *options, cc_weak_view kind, cc_rng *rng, uint32_t source)
{
    const int32_t size = (int32_t)options->size;
    /* Both numbers are always drawn, so that turning one kind of flip off does not change the other. */
    const bool horizontal = cc_rng_below(rng, 2) != 0, vertical = cc_rng_below(rng, 2) != 0;
    cc_transform t = { .source = (int32_t)source,
                       .flip_h = options->flip_horizontal && horizontal,
                       .flip_v = options->flip_vertical && vertical,
                       .y1 = size,
                       .x1 = size };
    if (kind == CC_WEAK_FLIP_SHIFT) {
        draw_shift(rng, size, &t.y0, &t.y1);
        draw_shift(rng, size, &t.x0, &t.x1);
    }
    if (kind == CC_WEAK_RESIZED_CROP) draw_crop(rng, options, &t);
    return t;
}

void cc_augment_weak(const cc_augment_options *options, cc_rng_stream stream, uint64_t step, size_t batch, const uint32_t *sources,
                     cc_transform *out)
{
    for (size_t i = 0; i < batch; i++) {
        cc_rng rng = cc_rng_at(options->seed, stream, step * batch + i);
        out[i] = draw_view(options, options->views.weak, &rng, sources[i]);
    }
}

/* ---- crop and turns */

/* ceil(share * size), at least 1. A decimal share such as 0.7 has no exact binary form, so a product that exceeds a whole number by less
 * than the rounding error counts as that whole number. */
static uint32_t least_side(double share, size_t size)
{
    const double exact = share * (double)size, least = ceil(exact - 1e-9 * (double)size);
    return least < 1.0 ? 1 : least > (double)size ? (uint32_t)size : (uint32_t)least;
}

static void draw_side(cc_rng *rng, uint32_t size, uint32_t least, int32_t *low, int32_t *high)
{
    const uint32_t lo = cc_rng_below(rng, size - least + 1); /* floor((1-share) size) = size - ceil(share size) */
    *low = (int32_t)lo;
    *high = (int32_t)(lo + least + cc_rng_below(rng, size - lo - least + 1));
}

static cc_transform draw_crop_rotate(const cc_augment_options *options, uint64_t index)
{
    cc_rng rng = cc_rng_at(options->seed, CC_RNG_TRANSFORM, index);
    const uint32_t size = (uint32_t)options->size, least = least_side(options->crop_min, options->size);
    cc_transform t = { .source = -1 };
    draw_side(&rng, size, least, &t.y0, &t.y1);
    draw_side(&rng, size, least, &t.x0, &t.x1);
    t.turns = options->rotations.turns[cc_rng_below(&rng, options->rotations.count)];
    return t;
}

void cc_augment_crop_rotate(const cc_augment_options *options, uint64_t step, size_t batch, cc_transform *out)
{
    assert(options->size > 0 && options->size <= INT32_MAX && options->crop_min >= 0.0 && options->crop_min <= 1.0);
    for (size_t i = 0; i < batch; i++)
        out[i] = i > 0 && !options->per_image ? out[0] : draw_crop_rotate(options, options->per_image ? step * batch + i : step);
}

/* ---- a step's tables */

camcl_status cc_draws_create(const cc_augment_options *options, size_t labeled, size_t unlabeled, bool between, cc_draws *out,
                             camcl_error *err)
{
    const size_t operations = unlabeled * cc_view_operations(&options->views);
    *out = (cc_draws){ .labeled_count = labeled, .unlabeled_count = unlabeled };
    CC_RETURN_IF_FAILED(CC_NEW(labeled, &out->labeled, err));
    if (unlabeled == 0) return CAMCL_OK;
    CC_RETURN_IF_FAILED(CC_NEW(unlabeled, &out->weak, err));
    CC_RETURN_IF_FAILED(CC_NEW(unlabeled, &out->strong, err));
    if (operations) CC_RETURN_IF_FAILED(CC_NEW(operations, &out->operations, err));
    if (!between || !cc_views_are_affine(&options->views)) return CAMCL_OK;
    CC_RETURN_IF_FAILED(CC_NEW(unlabeled, &out->maps, err));
    return CC_NEW(unlabeled * options->size, &out->counted, err);
}

void cc_draws_free(cc_draws *draws)
{
    free(draws->labeled);
    free(draws->weak);
    free(draws->strong);
    free(draws->operations);
    free(draws->maps);
    free(draws->counted);
    memset(draws, 0, sizeof *draws);
}

void cc_draw_labeled(const cc_augment_options *options, uint64_t step, const uint32_t *sources, cc_draws *draws)
{
    cc_augment_weak(options, CC_RNG_FLIP_LABELED, step, draws->labeled_count, sources, draws->labeled);
}

/* A strong view with operations begins with flip and shift, whatever the weak views are. */
static void draw_strong(const cc_augment_options *options, uint64_t step, const uint32_t *sources, cc_draws *draws)
{
    const size_t batch = draws->unlabeled_count, operations = cc_view_operations(&options->views);
    for (size_t i = 0; i < batch; i++) {
        cc_rng rng = cc_rng_at(options->seed, CC_RNG_STRONG, step * batch + i);
        draws->strong[i] = draw_view(options, operations ? CC_WEAK_FLIP_SHIFT : options->views.weak, &rng, sources[i]);
        if (operations) cc_randaugment_draw(&rng, operations - 1, options->size, draws->operations + i * operations);
    }
}

void cc_draw_unlabeled(const cc_augment_options *options, uint64_t step, const uint32_t *sources, cc_draws *draws)
{
    const size_t operations = cc_view_operations(&options->views);
    cc_augment_weak(options, CC_RNG_FLIP_UNLABELED, step, draws->unlabeled_count, sources, draws->weak);
    if (cc_strong_is_own(&options->views))
        draw_strong(options, step, sources, draws);
    else
        cc_augment_crop_rotate(options, step, draws->unlabeled_count, draws->strong);
    for (size_t i = 0; draws->maps && i < draws->unlabeled_count; i++)
        cc_view_between(&options->views, options->size, &draws->weak[i], &draws->strong[i],
                        draws->operations ? draws->operations + i * operations : NULL, &draws->maps[i], draws->counted + i * options->size);
}
