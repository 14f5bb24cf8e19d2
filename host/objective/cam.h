/* Grad-CAMs of a batch: one eval-mode forward pass, one backward pass from the explained logits that stops at the stage, then channel
 * weights, map, resize and min-max scaling. */
#ifndef CC_OBJECTIVE_CAM_H
#define CC_OBJECTIVE_CAM_H

#include "model/pass.h"

typedef struct cc_cam_spec {
    size_t batch, image_size, layer;
    bool relu;
    bool exact;          /* cc_cam_record_backward also differentiates the CAM's weights */
    bool forward_only;   /* cc_cam_record_backward will not be called */
    cc_weights *weights; /* NULL: the model's main set */
} cc_cam_spec;

typedef struct cc_cam {
    cc_pass *pass; /* owned */
    cc_cam_spec spec;
    size_t stage;                  /* the node that ends the stage */
    cc_tensor classes;             /* [N] i32: the explained classes */
    cc_tensor weights;             /* m [N,C] */
    cc_tensor raw;                 /* [N,h,w] */
    cc_tensor resized, range, map; /* [N,S,S], [N,4], [N,S,S] */
} cc_cam;

/* Records everything up to cam->map. `classes` [N] i32 holds the class to explain for each image; if it has no buffer, each image's own
 * arg-max is explained. Release with cc_cam_release. */
camcl_status cc_cam_record(cc_cam *cam, cc_model *model, cc_tape *tape, const cc_cam_spec *spec, cc_tensor images, cc_tensor classes,
                           camcl_error *err);
/* Records the gradient from dmap = d loss / d map [N,S,S] through min-max, resize and the CAM into the eval-mode network below the
 * stage. The channel weights m count as constants (first-order). With spec.exact the gradient through m is added, which also reaches the
 * parameters above the stage. Parameter gradients are accumulated as by cc_pass_backward. */
camcl_status cc_cam_record_backward(cc_cam *cam, cc_tape *tape, cc_tensor dmap, bool *written, camcl_error *err);
void cc_cam_release(cc_cam *cam);

#endif
