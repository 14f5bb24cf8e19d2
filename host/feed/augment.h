/* The random flips, crops and turns of a batch's images, drawn on the host: a few integers per image, which are a pure function of
 * (seed, step, row). */
#ifndef CC_FEED_AUGMENT_H
#define CC_FEED_AUGMENT_H

#include "base/rng.h"
#include "ops/ops.h"

typedef enum cc_rotations {
    CC_ROTATIONS_NONE,
    CC_ROTATIONS_QUARTER,   /* 0, 90, 180, 270 degrees, equally often */
    CC_ROTATIONS_PAPER_CODE /* 0, 90, 180, 360: no turn half of the time, never 270 */
} cc_rotations;

typedef struct cc_augment_options {
    bool flip_horizontal, flip_vertical;
    double crop_min; /* smallest side of a crop, as a share of the image's, in [0,1] */
    cc_rotations rotations;
    bool per_image; /* false: one T for the whole batch */
    size_t size;    /* S: side of the images in pixels, > 0 */
    uint64_t seed;
} cc_augment_options;

/* out[i], i < batch: image sources[i], whole, each enabled flip with probability 1/2. stream is CC_RNG_FLIP_LABELED or
 * CC_RNG_FLIP_UNLABELED. */
void cc_augment_flips(const cc_augment_options *options, cc_rng_stream stream, uint64_t step, size_t batch, const uint32_t *sources,
                      cc_transform *out);

/* out[i], i < batch: T of row i: per axis of S pixels with L = max(1, ceil(crop_min S)), lo uniform in {0 .. S-L}, then hi uniform in {lo+L
 * .. S}; and quarter turns. T is applied to a loaded image: source is -1, no flips. */
void cc_augment_strong(const cc_augment_options *options, uint64_t step, size_t batch, cc_transform *out);

#endif
