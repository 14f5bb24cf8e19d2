#include "feed/augment.h"

#include <assert.h>
#include <math.h>

void cc_augment_flips(const cc_augment_options *options, cc_rng_stream stream, uint64_t step, size_t batch, const uint32_t *sources,
                      cc_transform *out)
{
    for (size_t i = 0; i < batch; i++) {
        cc_rng rng = cc_rng_at(options->seed, stream, step * batch + i);
        /* Both numbers are always drawn, so that turning one kind of flip off does not change the other. */
        const bool horizontal = cc_rng_below(&rng, 2) != 0, vertical = cc_rng_below(&rng, 2) != 0;
        out[i] = (cc_transform){ .source = (int32_t)sources[i],
                                 .flip_h = options->flip_horizontal && horizontal,
                                 .flip_v = options->flip_vertical && vertical,
                                 .y1 = (int32_t)options->size,
                                 .x1 = (int32_t)options->size };
    }
}

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

static int32_t draw_turns(cc_rng *rng, cc_rotations rotations)
{
    const int32_t turns = (int32_t)cc_rng_below(rng, 4);
    switch (rotations) {
    case CC_ROTATIONS_QUARTER: return turns;
    case CC_ROTATIONS_PAPER_CODE: return turns == 3 ? 0 : turns; /* its fourth angle is 360 degrees */
    case CC_ROTATIONS_NONE: break;
    }
    return 0;
}

static cc_transform draw(const cc_augment_options *options, uint64_t index)
{
    cc_rng rng = cc_rng_at(options->seed, CC_RNG_TRANSFORM, index);
    const uint32_t size = (uint32_t)options->size, least = least_side(options->crop_min, options->size);
    cc_transform t = { .source = -1 };
    draw_side(&rng, size, least, &t.y0, &t.y1);
    draw_side(&rng, size, least, &t.x0, &t.x1);
    t.turns = draw_turns(&rng, options->rotations);
    return t;
}

void cc_augment_strong(const cc_augment_options *options, uint64_t step, size_t batch, cc_transform *out)
{
    assert(options->size > 0 && options->size <= INT32_MAX && options->crop_min >= 0.0 && options->crop_min <= 1.0);
    for (size_t i = 0; i < batch; i++)
        out[i] = i > 0 && !options->per_image ? out[0] : draw(options, options->per_image ? step * batch + i : step);
}
