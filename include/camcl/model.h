/* Using a trained model: evaluation, prediction, Grad-CAM. */
#ifndef CAMCL_MODEL_H
#define CAMCL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "camcl/config.h"
#include "camcl/dataset.h"
#include "camcl/device.h"
#include "camcl/evaluation.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct camcl_model camcl_model;

typedef struct camcl_model_info {
    const char *arch, *stem;
    size_t width, classes, channels, image_size, stages; /* stages: CAM layers 1..stages */
    const char *const *class_names;                      /* [classes] */
    float mean[CAMCL_MAX_CHANNELS], std[CAMCL_MAX_CHANNELS];
    uint64_t step;       /* training steps that made these weights */
    size_t parameters;   /* trained numbers */
    const char *dataset; /* data.dataset of the run that trained the model; "" if the checkpoint does not say */
    camcl_fit fit;       /* how pictures became the network's input; CAMCL_FIT_STRETCH if the checkpoint does not say */
} camcl_model_info;

/* A model belongs to the thread that uses its device; several models on one device are fine, one call at a time.
 *
 * A model plans what a call asks for, and keeps the plan and its device memory for later calls that ask the same of as many images of the
 * same size: such a call uploads the images and runs.
 *
 * Loads a checkpoint (best.safetensors, last.safetensors) onto a device, which must outlive the model. Weights that are not finite and
 * negative running variances are CAMCL_BAD_DATA, naming the tensor. The caller owns *model. */
camcl_status camcl_model_open(const char *checkpoint, camcl_device *device, camcl_model **model, camcl_error *err);
/* Its sessions are ended before. NULL, or a pointer to NULL, is fine. */
void camcl_model_close(camcl_model **model);
/* Borrowed until the model is closed. */
const camcl_model_info *camcl_model_get_info(const camcl_model *model);
/* Replaces the normalisation or image size for the calls that follow; NULL or 0 keeps what it is. */
void camcl_model_set_input(camcl_model *model, const float *mean, const float *std, size_t image_size);

/* Images as bytes [count,height,width,channels] in host memory; labels [count] or NULL. */
typedef struct camcl_images {
    const uint8_t *pixels;
    const int32_t *labels;
    size_t count, height, width, channels;
} camcl_images;

/* The labels of a part of a data set, numbered as the model numbers its classes. Classes are matched by name; their order in the data set
 * does not matter. CAMCL_BAD_DATA if the data set has other channels or other classes than the model; the detail then lists both. If labels
 * is NULL, only this is checked. *labels has one entry per image; the caller frees it. */
camcl_status camcl_model_labels(const camcl_model *model, const camcl_dataset *dataset, camcl_dataset_part part, int32_t **labels,
                                camcl_error *err);

/* The metrics over images[indices[0..n)] (indices NULL: all). Images without a label (-1) do not count; if no image has a label, n is 0 and
 * no value is available. Labels are numbered as the model numbers its classes: see camcl_model_labels. logits
 * [n,classes] is filled unless NULL. The loss is not finite if the network's output is not. An index or label beyond images or classes:
 * CAMCL_BAD_DATA. */
camcl_status camcl_model_evaluate(camcl_model *model, const camcl_images *images, const uint32_t *indices, size_t n, camcl_evaluation *out,
                                  float *logits, camcl_error *err);
/* probabilities [count,classes]. Labels are ignored. CAMCL_NOT_FINITE if a probability is not finite. */
camcl_status camcl_model_predict(camcl_model *model, const camcl_images *images, float *probabilities, camcl_error *err);
/* Grad-CAMs, scaled to 0..1 per image: maps [count,S,S] with S = image_size. `layer` is the stage, 1..stages. target: the class to explain,
 * or -1 for each image's own arg-max; explained [count] receives what was explained, predicted [count] the arg-max. A map of zeros means
 * that the raw map was constant. CAMCL_NOT_FINITE if a map is not finite. */
camcl_status camcl_model_cam(camcl_model *model, const camcl_images *images, size_t layer, bool relu, int32_t target, float *maps,
                             int32_t *explained, int32_t *predicted, camcl_error *err);
/* camcl_model_cam that also gives the maps before they are scaled: raw [count,S,S], unless it is NULL. */
camcl_status camcl_model_cam_raw(camcl_model *model, const camcl_images *images, size_t layer, bool relu, int32_t target, float *maps,
                                 float *raw, int32_t *explained, int32_t *predicted, camcl_error *err);

/* Which part of a data set. */
typedef enum camcl_split { CAMCL_SPLIT_TEST, CAMCL_SPLIT_VALIDATION, CAMCL_SPLIT_TRAIN, CAMCL_SPLIT_UNLABELED } camcl_split;
/* The images of a split as indices into the part (training or test images) that *part names: test: all test images in official order,
 * which are training images where the test set is held out of them; validation, train, unlabelled: as the configuration's split draws them,
 * train being the labelled images. The caller frees *indices. */
camcl_status camcl_split_indices(const camcl_config *config, const camcl_dataset *dataset, camcl_split split, camcl_dataset_part *part,
                                 uint32_t **indices, size_t *count, camcl_error *err);
/* Whether `splits`, the splits.json of a run, names these training images [count] as its split: CAMCL_BAD_DATA if it names others. Splits
 * are drawn from the images that are there. Where some came or went since, others are drawn, and a trained network would be tested on
 * images that it was trained on. */
camcl_status camcl_split_check(const char *splits, camcl_split split, const uint32_t *indices, size_t count, camcl_error *err);

#ifdef __cplusplus
}
#endif
#endif
