/* Inference on memory buffers: planned once, for batches of any size. */
#ifndef CAMCL_SESSION_H
#define CAMCL_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "camcl/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A session belongs to the thread that uses its model's device.
 *
 * A model with one size of images and of batches, for programs that classify again and again: a camera's pictures, requests to a server.
 * What a kind of call needs (predictions, CAMs; of bytes, of floats) is planned at its first use and kept until the session ends, with its
 * device memory. Any number of images can be given at a time: they run in batches of the planned size, of which the last is filled up. So
 * a call takes about as long for one image as for a whole batch, and what comes out for an image does not depend on how many others are in
 * the call, up to rounding. (camcl_model_predict and its kin plan for the number of images that each call brings.) */
typedef struct camcl_session camcl_session;

typedef struct camcl_session_options {
    size_t size;  /* set by camcl_session_options_init */
    size_t batch; /* images per pass, up to 4096; 0: 32 */
    /* Sides of the images, which are resized to the network's input (bilinear, corners aligned); 0: the model's image_size. */
    size_t height, width;
    size_t layer; /* whose CAMs: the stage, 1..stages; 0: the last */
    bool relu;    /* of CAMs: only what speaks for the class */
} camcl_session_options;
/* Sets size, and everything else to zero: the defaults. */
static inline void camcl_session_options_init(camcl_session_options *options)
{
    memset(options, 0, sizeof *options);
    options->size = sizeof *options;
}

/* The model must outlive the session. Normalisation and image size are the model's at this time. options NULL: the defaults.
 * CAMCL_BAD_CONFIG for a size that cannot be. The caller owns *out; it is NULL after an error. */
camcl_status camcl_session_create(camcl_model *model, const camcl_session_options *options, camcl_session **out, camcl_error *err);
/* NULL, or a pointer to NULL, is fine. */
void camcl_session_destroy(camcl_session **session);

/* Images of a call: bytes, or floats, whichever is not NULL; [count, height, width, channels], channels in RGB order. A float means what a
 * byte divided by 255 means: 0 is black, 1 is white. They are normalised as the model's training images were. */
typedef struct camcl_buffer {
    const uint8_t *bytes;
    const float *floats;
    size_t count; /* 0: nothing is done */
} camcl_buffer;

/* probabilities [count, classes]. CAMCL_BAD_DATA if neither bytes nor floats are given, or both, or a float is not finite;
 * CAMCL_NOT_FINITE if a probability is not. */
camcl_status camcl_session_predict(camcl_session *session, const camcl_buffer *images, float *probabilities, camcl_error *err);
/* Grad-CAMs as camcl_model_cam and camcl_model_cam_raw give them. targets [count]: the class to explain of each image; NULL: each image's
 * own arg-max. maps [count,S,S], scaled to 0..1 per image, with S = the model's image_size; raw [count,S,S], explained [count] and
 * predicted [count] may be NULL. A target that is no class: CAMCL_BAD_CONFIG. */
camcl_status camcl_session_cam(camcl_session *session, const camcl_buffer *images, const int32_t *targets, float *maps, float *raw,
                               int32_t *explained, int32_t *predicted, camcl_error *err);

#ifdef __cplusplus
}
#endif
#endif
