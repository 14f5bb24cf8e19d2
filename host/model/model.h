/* A network on a device: its graph, a main set of weights, their gradients, and the choice of kernels. */
#ifndef CC_MODEL_MODEL_H
#define CC_MODEL_MODEL_H

#include "model/weights.h"

/* Which kernel serves which convolution and linear layer, and CLBlast's parameters: chosen once, then kept, printed, saved with a
 * run and set again. Plain data. */
typedef struct cc_plan_entry {
    char key[112], variant[32];
    bool saved; /* the entry was read from a text: the run so far used the variant named there */
} cc_plan_entry;
typedef struct cc_plan {
    cc_plan_entry *entries;
    size_t count, capacity;
} cc_plan;

/* One "key = variant" line each; the caller frees *text. Parsing replaces what the plan holds. */
camcl_status cc_plan_format(const cc_plan *plan, char **text, camcl_error *err);
camcl_status cc_plan_parse(cc_plan *plan, const char *text, camcl_error *err);
void cc_plan_clear(cc_plan *plan);

/* Updates a plan that the first version of camcl made. In that version, "tile" was also the name of the variants that are now "point"
 * and "narrow". */
void cc_plan_update(cc_plan *plan, const camcl_device *device);

struct cc_model {
    camcl_device *device;
    cc_graph *graph;
    cc_weights *main; /* what is trained, evaluated and saved */
    /* Laid out as the weights: a flat vector, and the part of it for each parameter (none for statistics). */
    cc_buffer *gradients;
    cc_tensor *grads;
    cc_buffer *ones, *zeros; /* as many as the widest layer has channels */
    cc_plan plan;
    bool gemm_ready; /* gemm_set is known: the plan's parameters of CLBlast, an index as in cc_gemm_use */
    size_t gemm_set;
};

/* The main set is zero until it is initialised or set. The caller owns *out; the device must outlive it. */
camcl_status cc_model_create(camcl_device *device, const cc_graph_spec *spec, cc_model **out, camcl_error *err);
/* The same for a graph that exists already and is aligned to the device's base_align. The model becomes the owner of the graph, even if
 * this function fails. */
camcl_status cc_model_create_from(camcl_device *device, cc_graph **graph, cc_model **out, camcl_error *err);
void cc_model_destroy(cc_model **model);

/* Another set of weights for this model, a teacher's for example: see cc_weights_create. */
static inline camcl_status cc_model_create_weights(cc_model *model, const char *name, cc_weights **out, camcl_error *err)
{
    return cc_weights_create(model, model->device, model->graph, name, out, err);
}

/* The main set's, see weights.h. */
static inline camcl_status cc_model_init(cc_model *model, uint64_t seed, camcl_error *err)
{
    return cc_weights_init(model->main, seed, err);
}
static inline camcl_status cc_model_get(const cc_model *model, size_t param, float *out, camcl_error *err)
{
    return cc_weights_get(model->main, param, out, err);
}
static inline camcl_status cc_model_set(cc_model *model, size_t param, const float *in, camcl_error *err)
{
    return cc_weights_set(model->main, param, in, err);
}
static inline camcl_status cc_model_refresh(cc_model *model, camcl_error *err) { return cc_weights_refresh(model->main, err); }

/* The gradient of a parameter in torchvision's layout, float32, count of cc_param. Waits for the device. */
camcl_status cc_model_get_gradient(const cc_model *model, size_t param, float *out, camcl_error *err);

/* Chooses the variant for this convolution. A variant that the plan names is used. Otherwise the device's tune mode decides: the fastest
 * variant by timings (with mode full, missing timings are made first), else the built-in default. This choice is added to the plan.
 * Variants whose work-groups did not fit the device are left out, and another variant takes their place in the plan. */
camcl_status cc_model_choose(cc_model *model, cc_direction direction, const cc_conv2d_desc *desc, const cc_variant **out, camcl_error *err);
/* Records a linear layer (io as in ops/linear.h) with the variant that is chosen in the same way. */
camcl_status cc_model_linear(cc_model *model, cc_tape *tape, cc_direction direction, const cc_linear_desc *desc, const cc_tensor *io,
                             size_t count, bool add_output, camcl_error *err);

#endif
