/* A session runs batches of images through a network. It is recorded once for the kind of result that is wanted, and then runs any number
 * of times without recording anything again:
 *
 *     cc_session_create(model, what is asked, images) -> cc_session_run(which images, where results go), again and again
 *
 * Callers need not know the size of batches, the padding of the last one or the order of reading back. A batch that is not full is
 * filled up with blank images, whose results are dropped. */
#ifndef CC_INFER_SESSION_H
#define CC_INFER_SESSION_H

#include "camcl/evaluation.h"
#include "camcl/stop.h"
#include "feed/resident.h"
#include "model/model.h"

typedef enum cc_session_kind {
    CC_SESSION_FORWARD,       /* an eval-mode forward pass of which nothing is read back */
    CC_SESSION_EVALUATION,    /* metrics; logits */
    CC_SESSION_PROBABILITIES, /* softmax of the logits */
    CC_SESSION_CAMS           /* Grad-CAMs of a stage; explained and predicted classes */
} cc_session_kind;

typedef struct cc_session_spec {
    cc_session_kind kind;
    size_t batch, image_size; /* images per pass (cc_session_batch), and side of the network's input */
    /* CAMs */
    size_t cam_layer; /* stage 1.. */
    bool cam_relu;
    bool cam_class; /* each run says which class to explain; else each image's own arg-max is explained */
    /* Images in host memory: their sides, and the normalisation [channels], needed during creation only. Unused with resident ones. */
    size_t height, width;
    bool floats; /* runs bring images as floats; without labels, so not for evaluations */
    const float *mean, *std;
} cc_session_spec;

typedef struct cc_session cc_session;

/* A run leaves CAM pictures of so many test images: a batch of its own. */
enum { CC_GALLERY_IMAGES = 16 };

/* Images per pass for n images of this size: enough to keep a device busy, and no more memory than training needs. */
size_t cc_session_batch(cc_session_kind kind, size_t n, size_t image_size);

/* `images`: those of a data set, borrowed, among which runs choose by index; NULL: runs bring images in host memory, which are uploaded
 * batch by batch.
 * `arena`: records on a tape of this arena; the caller commits it before the first run and keeps it until the last. NULL: the session
 * records on an arena of its own, commits it and refreshes the model. When the model's weights change, the caller calls
 * cc_model_refresh. The caller owns *out; model and images must outlive it. */
camcl_status cc_session_create(cc_model *model, const cc_session_spec *spec, cc_resident *images, cc_arena *arena, cc_session **out,
                               camcl_error *err);
void cc_session_destroy(cc_session **session);

/* Images indices[0..n), NULL: 0..n-1, of the data set, or of pixels [*,height,width,channels] with labels [*] (NULL: none is known).
 */
typedef struct cc_session_input {
    const uint32_t *indices;
    size_t n;
    const uint8_t *pixels;
    const int32_t *labels;
    const float *values; /* with spec.floats, in place of pixels, where no indices are given: [n,height,width,channels], 1 is white */
    int32_t cam_class;   /* the class to explain, with spec.cam_class */
    const int32_t *cam_classes; /* the same for each image, [n]; NULL: cam_class for all */
    const camcl_stop *stop;     /* looked at before each batch; NULL: never */
} cc_session_input;

/* Where results go, in the order of the input; NULL: not wanted. Each kind fills its own. */
typedef struct cc_session_output {
    camcl_evaluation *evaluation;
    float *logits;                  /* evaluation: [n,classes] */
    float *probabilities;           /* [n,classes] */
    float *maps, *raw;              /* CAMs [n,S,S]; raw: before min-max scaling */
    int32_t *explained, *predicted; /* CAMs: classes [n] */
} cc_session_output;

/* Waits for the results. CAMCL_STOPPED, and no evaluation, once a stop was requested. CAMCL_FAILED where an index is beyond the resident
 * images, or pixels or the place of what the kind computes is missing. Pixels that are in host memory must reach as far as the indices. A
 * label beyond the classes is never right, its loss NaN. */
camcl_status cc_session_run(cc_session *session, const cc_session_input *input, const cc_session_output *output, camcl_error *err);

/* What a batch runs, for profiles; borrowed. */
cc_tape *cc_session_tape(const cc_session *session);

#endif
