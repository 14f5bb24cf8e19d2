/* A pass runs a graph over one batch with a given set of weights: it owns the activations and records forward and backward launches on a
 * tape. The tape's arena decides how long the memory of each activation is kept. */
#ifndef CC_MODEL_PASS_H
#define CC_MODEL_PASS_H

#include "model/model.h"

typedef struct cc_pass_spec {
    size_t batch, height, width; /* of the input [batch,height,width,channels] */
    bool train;                  /* batch norm with the batch's statistics, running ones updated; else with the running ones */
    /* Evaluation: no parameter gradients are computed for this node and all nodes after it. There a convolution may apply the batch norm
     * that follows it, and the output of the convolution need not be kept. 0: no parameter gradients for any node. */
    size_t frozen_from;
    /* Training: images of the batch on all devices that train together, which exchange statistics at points on the tape; 0: this device is
     * alone. */
    size_t whole_batch;
} cc_pass_spec;

typedef struct cc_pass cc_pass;

/* Plans the pass: shapes (CAMCL_BAD_CONFIG when the images are too small) and fused neighbours. The pass reads `weights` and updates
 * their running statistics; it uses the plan and the gradients of the model that they belong to. The caller owns *out and must keep it
 * until the backward pass is recorded. Weights and tape must outlive it. */
camcl_status cc_pass_create(cc_weights *weights, cc_tape *tape, const cc_pass_spec *spec, cc_pass **out, camcl_error *err);
void cc_pass_destroy(cc_pass **pass);

/* Records the whole forward pass from `input`. */
camcl_status cc_pass_forward(cc_pass *pass, cc_tensor input, camcl_error *err);
/* The output of a node: [N,H,W,C], or [N,C] behind the global pooling. If a convolution was computed together with the batch norm or the
 * sum after it, the output of that node is returned. */
cc_tensor cc_pass_output(const cc_pass *pass, size_t node);
size_t cc_pass_last(const cc_pass *pass); /* the node of the logits */

/* Sets d loss / d output of a node, from which a backward pass starts, and forgets all other gradients. The backward pass may use the
 * tensor for gradients of other nodes, too. */
void cc_pass_set_gradient(cc_pass *pass, size_t node, cc_tensor gradient);
/* The gradient of a node's output after a backward pass reached the node. If the pass computed parameter gradients, the gradients of
 * nodes above the node at which it stopped may have been overwritten. */
cc_tensor cc_pass_gradient(const cc_pass *pass, size_t node);

/* Records the backward pass from node `from`, whose gradient is set, down to node `stop`, which is not included; afterwards the gradient
 * of `stop` is complete. `written` has one flag per parameter. If the flag is false, the parameter's gradient overwrites model->grads
 * and the flag is set; if it is true, the gradient is added. With `written` = NULL no parameter gradients are computed. With stop = 0
 * the pass goes down to the image, whose gradient is not computed. */
camcl_status cc_pass_backward(cc_pass *pass, size_t from, size_t stop, bool *written, camcl_error *err);

/* Records the tangent pass from node `from` in the given direction [as its output] up to the logits of an eval-mode pass, and adds the
 * gradient of the directional derivative of the explained logits to the parameters above `from` (model->grads, flags as in
 * cc_pass_backward). A backward pass of the explained logits down to `from` must have been recorded, and cc_pass_set_gradient must not
 * have been called since. CAMCL_UNSUPPORTED where cc_graph_check_tangent says so. */
camcl_status cc_pass_tangent(cc_pass *pass, size_t from, cc_tensor direction, bool *written, camcl_error *err);

#endif
