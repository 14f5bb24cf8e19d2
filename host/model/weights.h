/* A set of weights on a device: what a pass runs over. A model has one main set, which is trained; others, a teacher's for example, are
 * created beside it and have the same layout. */
#ifndef CC_MODEL_WEIGHTS_H
#define CC_MODEL_WEIGHTS_H

#include <stdint.h>

#include "model/graph.h"
#include "ops/ops.h"

typedef struct cc_model cc_model;                 /* model.h */
typedef struct cc_packed_weight cc_packed_weight; /* a copy in the private layout of a kernel variant */

typedef struct cc_weights {
    cc_model *model; /* whose set it is */
    camcl_device *device;
    const cc_graph *graph;
    /* Flat vectors; parameter i's tensor is values[i], a part of one of them. Convolutions lie as [R,S,C,K]. */
    cc_buffer *trained, *statistics;
    cc_tensor *values;
    cc_packed_weight *packed;
    size_t packed_count, packed_capacity;
    cc_arena *pack_arena; /* NULL: to be recorded again */
    cc_tape *pack_tape;
} cc_weights;

/* For cc_model_create_weights (model.h), which knows the model's device and graph. All 0 until they are initialised, set or copied. `name`
 * ("teacher") is for reports of memory. The caller owns *out; the model must outlive it. */
camcl_status cc_weights_create(cc_model *model, camcl_device *device, const cc_graph *graph, const char *name, cc_weights **out,
                               camcl_error *err);
void cc_weights_destroy(cc_weights **weights);

/* Kaiming initialisation: convolutions normal with variance 2/(K R S) (fan out, ReLU), linear uniform in +-1/sqrt(I) (weight and bias),
 * batch norm gamma 1, beta 0, running mean 0, variance 1. A function of seed alone. Refreshes the packed copies. */
camcl_status cc_weights_init(cc_weights *weights, uint64_t seed, camcl_error *err);
/* The same for one parameter (a redrawn head), without the refresh. */
camcl_status cc_weights_init_param(cc_weights *weights, size_t param, uint64_t seed, camcl_error *err);
/* Weights and statistics of another set of the same model; refreshes the packed copies. Waits for the device. */
camcl_status cc_weights_copy(cc_weights *to, const cc_weights *from, camcl_error *err);

/* One parameter or statistic in torchvision's layout, float32, count of cc_param. Waits for the device. After writing, call
 * cc_weights_refresh. */
camcl_status cc_weights_get(const cc_weights *weights, size_t param, float *out, camcl_error *err);
camcl_status cc_weights_set(cc_weights *weights, size_t param, const float *in, camcl_error *err);

/* The weights of a convolution in the variant's layout: the master itself or a packed copy, shared by all passes over this set that want
 * the same layout. */
camcl_status cc_weights_packed(cc_weights *weights, size_t param, const cc_variant *variant, const cc_conv2d_desc *desc, cc_tensor *out,
                               camcl_error *err);
/* Brings the packed copies up to date; to be called after weights changed and after new tapes were recorded. Does not wait. */
camcl_status cc_weights_refresh(cc_weights *weights, camcl_error *err);
/* Records what cc_weights_refresh will launch, so that its kernels can be compiled together with others. */
camcl_status cc_weights_record_packing(cc_weights *weights, camcl_error *err);

#endif
