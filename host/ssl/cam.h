/* Grad-CAMs of a batch: one eval-mode forward, one backward of the explained logits that stops at the stage, weights, map, resize,
 * min-max. */
#ifndef CC_SSL_CAM_H
#define CC_SSL_CAM_H

#include "model/pass.h"

typedef struct cc_cam_spec {
    size_t batch, image_size, layer;
    bool relu;
    bool exact;        /* cc_cam_record_backward also differentiates the CAM's weights */
    bool forward_only; /* cc_cam_record_backward will not be called */
} cc_cam_spec;

typedef struct cc_cam {
    cc_pass *pass; /* owned */
    cc_cam_spec spec;
    size_t stage;                  /* the node that ends the stage */
    cc_tensor classes;             /* [N] i32: what is explained */
    cc_tensor weights;             /* m [N,C] */
    cc_tensor raw;                 /* [N,h,w] */
    cc_tensor resized, range, map; /* [N,S,S], [N,4], [N,S,S] */
} cc_cam;

/* Records everything up to cam->map. `classes` [N] i32 says what to explain; without a buffer each image explains its own arg-max.
 * Release with cc_cam_release. */
camcl_status cc_cam_record(cc_cam *cam, cc_model *model, cc_tape *tape, const cc_cam_spec *spec, cc_tensor images, cc_tensor classes,
                           camcl_error *err);
/* Records the gradient: from dmap = d loss / d map [N,S,S] through min-max, resize and the CAM into the eval-mode network below the stage,
 * weights m held constant (first-order); with spec.exact also what the weights contribute, to the parameters above the stage; parameter
 * gradients as in cc_pass_backward. */
camcl_status cc_cam_record_backward(cc_cam *cam, cc_tape *tape, cc_tensor dmap, bool *written, camcl_error *err);
void cc_cam_release(cc_cam *cam);

#endif
