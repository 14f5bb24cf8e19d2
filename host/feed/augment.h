/* The random views of a batch's images, drawn on the host: a few numbers per image, which are a pure function of (seed, step, row). */
#ifndef CC_FEED_AUGMENT_H
#define CC_FEED_AUGMENT_H

#include "base/diag.h"
#include "base/rng.h"
#include "feed/views.h"

/* Crop and turns draw their quarter turns from this list, each entry as often. */
enum { CC_MOST_TURNS = 64 };
typedef struct cc_turns {
    int32_t turns[CC_MOST_TURNS]; /* 0 .. 3 */
    uint32_t count;               /* at least 1 */
} cc_turns;

typedef struct cc_augment_options {
    cc_view_spec views;
    bool flip_horizontal, flip_vertical;
    double scale_min,
        ratio_max;   /* resized-crop: least share of the picture's area, in (0,1]; greatest width/height or height/width, >= 1 */
    double crop_min; /* crop-rotate: smallest side of a crop, as a share of the image's, in [0,1] */
    cc_turns rotations;
    bool per_image; /* false: one crop and turn for the whole batch */
    size_t size;    /* S: side of the images in pixels, > 0 */
    uint64_t seed;
} cc_augment_options;

/* out[i], i < batch: image sources[i], each enabled flip with probability 1/2, and the window that options.views.weak asks for. stream is
 * CC_RNG_FLIP_LABELED or CC_RNG_FLIP_UNLABELED. */
void cc_augment_weak(const cc_augment_options *options, cc_rng_stream stream, uint64_t step, size_t batch, const uint32_t *sources,
                     cc_transform *out);

/* out[i], i < batch: crop and turns of row i: per axis of S pixels with L = max(1, ceil(crop_min S)), lo uniform in {0 .. S-L}, then hi
 * uniform in {lo+L .. S}; and a quarter turn of the list. They are applied to a loaded image: source is -1, no flips. */
void cc_augment_crop_rotate(const cc_augment_options *options, uint64_t step, size_t batch, cc_transform *out);

/* What is drawn for one step: the tables of cc_step_input. */
typedef struct cc_draws {
    cc_transform *labeled, *weak, *strong; /* [B], [U], [U] */
    cc_picture_operation *operations;      /* [U, cc_view_operations], NULL where there are none */
    cc_affine *maps;                       /* [U] T; NULL where it is crop and turns, or nobody asks for it */
    cc_counted_row *counted;               /* [U,S], likewise */
    size_t labeled_count, unlabeled_count;
} cc_draws;

/* Tables for batches of these sizes; unlabeled 0: none of the unlabelled views. between: with T. Free them with cc_draws_free, also after a
 * failure. */
camcl_status cc_draws_create(const cc_augment_options *options, size_t labeled, size_t unlabeled, bool between, cc_draws *out,
                             camcl_error *err);
void cc_draws_free(cc_draws *draws);
/* Draws the views of a step's labelled images, and both views of its unlabelled ones with what lies between them. */
void cc_draw_labeled(const cc_augment_options *options, uint64_t step, const uint32_t *sources, cc_draws *draws);
void cc_draw_unlabeled(const cc_augment_options *options, uint64_t step, const uint32_t *sources, cc_draws *draws);

#endif
