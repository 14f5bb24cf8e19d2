/* Images of a parity file on a tape, and L_c by itself on it, composed as ssl/step.c does. What fails, fails the running test. */
#ifndef TESTS_SUPPORT_CONSISTENCY_H
#define TESTS_SUPPORT_CONSISTENCY_H

#include "feed/randaugment.h"
#include "feed/views.h"
#include "objective/cam.h"
#include "objective/view_transform.h"
#include "support/parity.h"

typedef struct scene {
    parity_net *net;
    cc_arena *arena;
    cc_tape *tape;
    cc_tensor plain;  /* [pool,8] i32: the images in order */
    cc_tensor images; /* [pool,S,S,3] */
    cc_tensor labels; /* [pool] i32 */
    cc_tensor sums;   /* [4] */
    bool *written;
} scene;

/* Records the loading of the net's images and labels on a tape of its own; the caller adds to it and commits the arena. */
void scene_open(scene *s, parity_net *net);
void scene_close(scene *s);
/* Runs the tape with the images of a seed. */
void scene_run(scene *s, size_t seed);

typedef struct consistency_spec {
    size_t layer; /* stage */
    bool exact, attached;
    bool one_view;     /* one T for all images, else one per image */
    bool forward_only; /* no gradient */
    bool affine;       /* T turns and shears CAMs by other angles than the views, and not all pixels count */
} consistency_spec;

typedef struct consistency {
    cc_cam weak, strong;
    cc_tensor views;           /* [pool,8] i32: crop and turns of the strong views */
    cc_view_transform between; /* T: the same, or affine */
    cc_affine *maps;           /* [pool], affine only, as `rows` [pool,S] */
    cc_counted_row *rows;
    cc_tensor mask;   /* [pool] f32: ones */
    cc_tensor target; /* [pool,S,S] f32: T(weak's map) */
} consistency;

/* Records L_c (its sum and count go to s->sums) and its gradient; keeps the maps to be read. Classes [pool] i32 to explain, or none: each
 * image's own arg-max. Release after the arena is committed. */
void consistency_record(consistency *k, scene *s, const consistency_spec *spec, cc_tensor weak_classes, cc_tensor strong_classes);
void consistency_release(consistency *k);

#endif
