/* A pass runs a graph over one batch with a given set of weights: it owns the activations, records forward and backward launches on a tape,
 * and leaves it to the tape's arena how long each activation lives. */
#ifndef CC_MODEL_PASS_H
#define CC_MODEL_PASS_H

#include "model/model.h"

typedef struct cc_pass_spec {
    size_t batch, height, width; /* of the input [batch,height,width,channels] */
    bool train;                  /* batch norm with the batch's statistics, running ones updated; else with the running ones */
    /* Evaluation: no parameter gradients will be asked of this node and those after it, so that a convolution may apply the batch norm
     * that follows it and its own output need not be kept. 0: of any. */
    size_t frozen_from;
} cc_pass_spec;

typedef struct cc_pass cc_pass;

/* Plans the pass: shapes (CAMCL_BAD_CONFIG when the images are too small) and fused neighbours. The weights are those that it reads, and
 * whose running statistics it updates; they say whose plan and gradients it uses. The caller owns *out and must keep it until backward was
 * recorded. Weights and tape must outlive it. */
camcl_status cc_pass_create(cc_weights *weights, cc_tape *tape, const cc_pass_spec *spec, cc_pass **out, camcl_error *err);
void cc_pass_destroy(cc_pass **pass);

/* Records the whole forward pass from `input`. */
camcl_status cc_pass_forward(cc_pass *pass, cc_tensor input, camcl_error *err);
/* The output of a node: [N,H,W,C], or [N,C] behind the global pooling. That of a convolution that was computed together with the batch norm
 * or the sum after it is the latter's. */
cc_tensor cc_pass_output(const cc_pass *pass, size_t node);
size_t cc_pass_last(const cc_pass *pass); /* the node of the logits */

/* Sets d loss / d output of a node, the start of a backward pass, which may use the tensor for others; forgets all other gradients. */
void cc_pass_set_gradient(cc_pass *pass, size_t node, cc_tensor gradient);
/* The gradient of a node's output after a backward pass reached it; with parameter gradients, what lies above where the pass stopped may
 * have been overwritten. */
cc_tensor cc_pass_gradient(const cc_pass *pass, size_t node);

/* Records backward from `from` (its gradient is set) down to, not including, `stop`: afterwards gradient(stop) is complete. With `written`
 * (one flag per parameter), parameter gradients go to model->grads: overwritten where the flag is false, which is then set, else added to.
 * Without it none are formed. stop = 0 goes down to the image, whose gradient is not formed. */
camcl_status cc_pass_backward(cc_pass *pass, size_t from, size_t stop, bool *written, camcl_error *err);

/* Records the tangent pass from node `from` in the given direction [as its output] up to the logits of an eval-mode pass, and adds the
 * gradient of the directional derivative of the explained logits to the parameters above `from` (model->grads, flags as in
 * cc_pass_backward). A backward pass of the explained logits down to `from` must have been recorded, and its gradients not been forgotten
 * since. CAMCL_UNSUPPORTED where cc_graph_check_tangent says so. */
camcl_status cc_pass_tangent(cc_pass *pass, size_t from, cc_tensor direction, bool *written, camcl_error *err);

#endif
