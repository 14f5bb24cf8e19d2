/* What a step is fed with, on the device: tables that say which images it shows and how, and the loading of its views from them. */
#ifndef CC_OBJECTIVE_INPUTS_H
#define CC_OBJECTIVE_INPUTS_H

#include "feed/augment.h"
#include "feed/resident.h"
#include "objective/view_transform.h"

/* The views that a step shows: of the labelled images, and two of the unlabelled ones. What is kept for each has them as indices. */
typedef enum cc_view { CC_VIEW_LABELED, CC_VIEW_WEAK, CC_VIEW_STRONG, CC_VIEW_COUNT } cc_view;

/* The inputs of a step. Transforms name images of the training set (cc_transform): source, flips and window of the labelled and weak views.
 * Strong views are crop and turns of the weak ones, or views of the same images with source, flips and window of their own. */
typedef struct cc_step_input {
    const cc_transform *labeled, *weak, *strong; /* [batch_labeled], [batch_unlabeled], [batch_unlabeled] */
    float lr, threshold;
    float ramp; /* the share of alpha that is in force, for objectives whose alpha is ramped */
    /* Of strong views of their own; NULL where the step does not use them. */
    const cc_picture_operation *operations; /* [batch_unlabeled, views.operations + 1] with CC_STRONG_RANDAUGMENT */
    const cc_affine *maps;                  /* [batch_unlabeled]: T, for the CAM term */
    const cc_counted_row *counted;          /* [batch_unlabeled, image_size]: the pixels that count in it */
} cc_step_input;

/* All of a step's draws. */
cc_step_input cc_step_input_of(const cc_draws *draws, float lr, float threshold);

/* The part of a step's images that one of several devices takes. */
typedef struct cc_part {
    size_t labeled0, labeled, unlabeled0, unlabeled; /* the first one, and how many */
} cc_part;

typedef struct cc_inputs_spec {
    cc_view_spec views;
    size_t labeled, unlabeled, image_size; /* images of a step, on all devices; unlabeled 0: there are none */
    cc_part own;                           /* those that this device shows */
    bool cams;                             /* T is needed */
} cc_inputs_spec;

/* Labels are those of all images of a step, views and T those of the device's own. */
typedef struct cc_inputs {
    cc_inputs_spec spec;
    cc_resident *data;            /* borrowed */
    cc_tensor all[2];             /* of the labelled images, and of the weak views: [B,8], [U,8] i32, sources are images */
    cc_tensor own[CC_VIEW_COUNT]; /* [n,8] i32 of the own images, sources are places on the device; those of `all`
                                   * where the two agree */
    cc_transform *places;         /* scratch: what `own` holds, one after the other */
    cc_tensor operations;         /* [own U, views.operations + 1, 8] i32 */
    cc_view_transform between;    /* T */
} cc_inputs;

/* Release with cc_inputs_release, also after a failure. */
camcl_status cc_inputs_create(camcl_device *device, cc_resident *data, const cc_inputs_spec *spec, cc_inputs *out, camcl_error *err);
void cc_inputs_release(cc_inputs *inputs);
/* Enqueues the upload of a step's tables, and of those of its images that are not on the device. */
camcl_status cc_inputs_send(cc_inputs *inputs, const cc_step_input *input, camcl_error *err);

/* Each records one view of its images, normalised, into rows row0 .. of dst [*,S,S,C]. The strong view may be made of the weak one, which
 * lies in rows weak_row0 .. of weak [*,S,S,C]. */
camcl_status cc_inputs_load_labeled(const cc_inputs *inputs, cc_tape *tape, cc_tensor dst, size_t row0, camcl_error *err);
camcl_status cc_inputs_load_weak(const cc_inputs *inputs, cc_tape *tape, cc_tensor dst, size_t row0, camcl_error *err);
camcl_status cc_inputs_load_strong(const cc_inputs *inputs, cc_tape *tape, cc_tensor weak, size_t weak_row0, cc_tensor dst, size_t row0,
                                   camcl_error *err);
/* Records the labels of all labelled images [B] i32, and the hidden ones of all unlabelled images [U] i32, -1 where nobody knows. */
camcl_status cc_inputs_labels(const cc_inputs *inputs, cc_tape *tape, cc_tensor labels, camcl_error *err);
camcl_status cc_inputs_hidden_labels(const cc_inputs *inputs, cc_tape *tape, cc_tensor truth, camcl_error *err);

#endif
