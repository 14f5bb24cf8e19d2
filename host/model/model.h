/* A network on a device: parameters, their gradients, private weight layouts, and the choice of kernels. */
#ifndef CC_MODEL_MODEL_H
#define CC_MODEL_MODEL_H

#include "model/graph.h"
#include "ops/ops.h"

/* Which kernel serves which convolution and linear layer, and CLBlast's parameters: chosen once, then kept, printed, saved with a
 * run and set again. Plain data. */
typedef struct cc_plan_entry {
    char key[112], variant[32];
} cc_plan_entry;
typedef struct cc_plan {
    cc_plan_entry *entries;
    size_t count, capacity;
} cc_plan;

/* One "key = variant" line each; the caller frees *text. Parsing replaces what the plan holds. */
camcl_status cc_plan_format(const cc_plan *plan, char **text, camcl_error *err);
camcl_status cc_plan_parse(cc_plan *plan, const char *text, camcl_error *err);
void cc_plan_clear(cc_plan *plan);

/* What a key of the plan stands for. */
typedef struct cc_problem {
    cc_direction direction;
    bool linear; /* fc, else conv */
    cc_conv2d_desc conv;
    cc_linear_desc fc;
} cc_problem;

/* Reads the key (cc_op_key) of a convolution or a linear layer back; false when it is none. Text behind it is left alone. */
bool cc_plan_read_key(const char *key, cc_problem *out);

typedef struct cc_packed_weight cc_packed_weight;

typedef struct cc_model {
    camcl_device *device;
    cc_graph *graph;
    /* Flat vectors; parameter i's tensor is values[i], its gradient grads[i] (none for statistics). Convolutions lie as [R,S,C,K]. */
    cc_buffer *weights, *gradients, *statistics;
    cc_tensor *values, *grads;
    cc_buffer *ones, *zeros; /* as many as the widest layer has channels */
    cc_plan plan;
    cc_packed_weight *packed;
    size_t packed_count, packed_capacity;
    cc_arena *pack_arena; /* NULL: to be recorded again */
    cc_tape *pack_tape;
    bool gemm_ready; /* gemm_set is known: the plan's parameters of CLBlast, an index as in cc_gemm_use */
    size_t gemm_set;
} cc_model;

/* Weights are uninitialised (zero) until cc_model_init or cc_model_set. The caller owns *out; the device must outlive it. */
camcl_status cc_model_create(camcl_device *device, const cc_graph_spec *spec, cc_model **out, camcl_error *err);
void cc_model_destroy(cc_model **model);

/* Kaiming initialisation: convolutions normal with variance 2/(K R S) (fan out, ReLU), linear uniform in +-1/sqrt(I) (weight and bias),
 * batch norm gamma 1, beta 0, running mean 0, variance 1. A function of seed alone. */
camcl_status cc_model_init(cc_model *model, uint64_t seed, camcl_error *err);
/* The same for one parameter (a redrawn head). */
camcl_status cc_model_init_param(cc_model *model, size_t param, uint64_t seed, camcl_error *err);

/* One parameter or statistic in torchvision's layout, float32, count of cc_param. `from` is &model->values[i], or a tensor of the same
 * layout elsewhere: see cc_model_read_flat. Waits for the device. After writing, call cc_model_refresh. */
camcl_status cc_model_get(const cc_model *model, size_t param, float *out, camcl_error *err);
camcl_status cc_model_get_gradient(const cc_model *model, size_t param, float *out, camcl_error *err);
camcl_status cc_model_set(cc_model *model, size_t param, const float *in, camcl_error *err);
/* Converts between torchvision's layout and the flat vectors' one on the host. */
void cc_param_to_flat(const cc_param *param, const float *torch, float *flat);
void cc_param_from_flat(const cc_param *param, const float *flat, float *torch);

/* The variant that serves this convolution: the plan's, else, as the device's tune mode has it, the fastest by timings (made first where
 * they are missing and the mode is full), else the built-in default; it is then added to the plan. */
camcl_status cc_model_choose(cc_model *model, cc_direction direction, const cc_conv2d_desc *desc, const cc_variant **out, camcl_error *err);
/* Records a linear layer (io as in ops/variants.h) with the variant that is chosen in the same way. */
camcl_status cc_model_linear(cc_model *model, cc_tape *tape, cc_direction direction, const cc_linear_desc *desc, const cc_tensor *io,
                             size_t count, bool add_output, camcl_error *err);
/* The weights of a convolution in the variant's layout: the master itself or a packed copy, shared by all that want the same layout. */
camcl_status cc_model_weight(cc_model *model, size_t param, const cc_variant *variant, const cc_conv2d_desc *desc, cc_tensor *out,
                             camcl_error *err);
/* Brings the packed copies up to date; to be called after weights changed and after new tapes were recorded. Does not wait. */
camcl_status cc_model_refresh(cc_model *model, camcl_error *err);
/* Records what cc_model_refresh will launch, so that its kernels can be compiled together with others. */
camcl_status cc_model_record_packing(cc_model *model, camcl_error *err);

#endif
