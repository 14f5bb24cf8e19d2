/* A pass from the inside, for node kinds and the files that record its directions. */
#ifndef CC_MODEL_PASS_INTERNAL_H
#define CC_MODEL_PASS_INTERNAL_H

#include "model/node.h"
#include "model/pass.h"

typedef struct cc_node_state {
    cc_node_shape shape; /* of the output */
    cc_tensor output;
    cc_tensor saved[CC_MAX_SAVED]; /* what the kind's row names */
    cc_tensor gradient;            /* of the output; no buffer until something was written */
    size_t fused;                  /* the convolution that is computed together with this node and does not store its own output; CC_NONE */
    bool deferred;                 /* a convolution that waits for the node which has it as `fused` */
} cc_node_state;

struct cc_pass {
    cc_model *model;
    cc_weights *weights;
    cc_tape *tape;
    cc_pass_spec spec;
    cc_node_state *nodes;
};

static inline const cc_node *cc_pass_node(const cc_pass *pass, size_t self) { return &pass->model->graph->nodes[self]; }
/* The node's input of this index, no tensor where it has fewer. */
static inline cc_tensor cc_pass_input(const cc_pass *pass, size_t self, size_t index)
{
    const cc_node *node = cc_pass_node(pass, self);
    return index < node->input_count ? pass->nodes[node->inputs[index]].output : CC_NO_TENSOR;
}
/* A parameter or statistic of the node, in the master layout, and the gradient of a parameter. */
static inline cc_tensor cc_pass_value(const cc_pass *pass, size_t self, cc_param_role role)
{
    return pass->weights->values[cc_pass_node(pass, self)->params[role]];
}
static inline cc_tensor cc_pass_param_gradient(const cc_pass *pass, size_t self, cc_param_role role)
{
    return pass->model->grads[cc_pass_node(pass, self)->params[role]];
}

/* A tensor on the pass's tape, named after the node and its weight. */
camcl_status cc_pass_tensor(cc_pass *pass, const char *what, size_t node, unsigned rank, const size_t *dim, cc_tensor *out,
                            camcl_error *err);
/* The tensor for the gradient of one of the node's inputs: a new tensor (*add = false), or the tensor that already holds a part of this
 * gradient (*add = true). */
camcl_status cc_pass_input_gradient(cc_pass *pass, size_t self, size_t index, cc_tensor *out, bool *add, camcl_error *err);
/* Whether the backward pass of this node may overwrite the gradient of the node's output with the gradient of an input. It may not if an
 * earlier node, whose backward pass is still to be recorded, shares the tensor. It may not in passes without parameter gradients either,
 * because the exact CAM gradient reads the gradients of such a pass again. */
bool cc_pass_may_use_gradient(const cc_pass *pass, size_t self, const bool *written);
/* Sets the flag of the node's parameter and returns what it was: whether to add to its gradient. */
bool cc_pass_mark_written(const cc_pass *pass, size_t self, cc_param_role role, bool *written);

/* ---- fuse.c: fused neighbours */

/* Finds the convolutions that are computed together with the node that reads them, and notes them in `fused` and `deferred`. */
camcl_status cc_pass_plan_fusion(cc_pass *pass, camcl_error *err);
/* Records node `self` together with its `fused` convolution, which was deferred until now. The output and the saved tensors of `self`
 * exist already. */
camcl_status cc_pass_forward_fused(cc_pass *pass, size_t self, camcl_error *err);

/* ---- tangent.c */

struct cc_tangent {
    cc_pass *pass;
    bool *written;
    cc_tensor *t; /* per node: tangent of its output; no buffer below the start */
};
/* The tangent of the node's input of this index, no tensor where it has fewer. */
static inline cc_tensor cc_tangent_input(const cc_tangent *tangent, size_t self, size_t index)
{
    const cc_node *node = cc_pass_node(tangent->pass, self);
    return index < node->input_count ? tangent->t[node->inputs[index]] : CC_NO_TENSOR;
}
/* Makes t[self]. */
camcl_status cc_tangent_output(cc_tangent *tangent, size_t self, camcl_error *err);

/* ---- descriptors that fuse.c shares with the node kinds; x: the input's, or for batch norm the output's, shape */

cc_conv2d_desc cc_node_conv_desc(const cc_node *node, const cc_node_shape *x);
cc_batch_norm_desc cc_node_batch_norm_desc(const cc_node *node, const cc_node_shape *x);

#endif
