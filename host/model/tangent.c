/* The tangent of the network above a node: what the exact Grad-CAM gradient needs of second order (METHOD section 3). In eval mode that
 * part is piecewise linear, so the directional derivative is one more forward pass in which batch norm only scales and activations apply
 * the primal's masks. At each layer, with t = incoming tangent and g = gradient of the explained logits with respect to the layer's output
 * (kept from the CAM's backward pass): dW += wgrad(t, g);   dgamma += sum t g act' / sqrt(var + eps);   biases and betas get nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/pass_internal.h"
#include "ops/record.h"

typedef struct tangent {
    cc_pass *pass;
    bool *written;
    cc_tensor *t; /* per node: tangent of its output; no buffer below the start */
} tangent;

static camcl_status tensor_like(tangent *s, size_t node, cc_tensor *out, camcl_error *err)
{
    const cc_tensor *y = &s->pass->nodes[node].output;
    return cc_pass_tensor(s->pass, "tangent", node, y->rank, y->dim, out, err);
}

static camcl_status through_conv(tangent *s, size_t i, camcl_error *err)
{
    cc_pass *pass = s->pass;
    const cc_node *node = &pass->model->graph->nodes[i];
    cc_tensor t = s->t[node->input], w;
    cc_conv2d_desc desc = cc_conv_desc_of(node, &t);
    const cc_variant *variant;
    CC_RETURN_IF_FAILED(cc_model_choose(pass->model, CC_BACKWARD_WEIGHT, &desc, &variant, err));
    cc_tensor io[] = { t, pass->nodes[i].gradient, pass->model->grads[node->weight] };
    CC_RETURN_IF_FAILED(cc_variant_record(variant, pass->tape, &desc, io, 3, cc_mark_written(s->written, node->weight), err));
    CC_RETURN_IF_FAILED(cc_model_choose(pass->model, CC_FORWARD, &desc, &variant, err));
    CC_RETURN_IF_FAILED(cc_model_weight(pass->model, node->weight, variant, &desc, &w, err));
    CC_RETURN_IF_FAILED(tensor_like(s, i, &s->t[i], err));
    return cc_variant_record(variant, pass->tape, &desc, (cc_tensor[]){ t, w, s->t[i] }, 3, false, err);
}

/* Batch norm's eval-mode backward kernels serve twice: with t in the place of dy, dx is gamma act' t / sqrt(var + eps), the tangent; with t
 * in the place of x and a mean of 0, dgamma is sum g act' t / sqrt(var + eps). */
static camcl_status through_batch_norm(tangent *s, size_t i, camcl_error *err)
{
    cc_pass *pass = s->pass;
    const cc_model *m = pass->model;
    const cc_node *node = &m->graph->nodes[i];
    const cc_node_state *state = &pass->nodes[i];
    cc_tensor t = s->t[node->input], x = pass->nodes[node->input].output, gamma = m->values[node->weight], zero, unused,
              none = CC_NO_TENSOR;
    cc_batch_norm_desc desc = cc_batch_norm_desc_of(node, &x);
    cc_batch_norm_add params = { .dparams = cc_mark_written(s->written, node->weight) }, nothing = { false, false, false };
    CC_RETURN_IF_FAILED(cc_pass_tensor(pass, "zero mean", i, 1, &desc.c, &zero, err));
    CC_RETURN_IF_FAILED(cc_pass_tensor(pass, "unused gradient", i, 1, &desc.c, &unused, err));
    CC_RETURN_IF_FAILED(cc_tape_zero(pass->tape, zero.buffer, err));
    CC_RETURN_IF_FAILED(cc_tape_zero(pass->tape, unused.buffer, err));
    CC_RETURN_IF_FAILED(cc_batch_norm_backward_eval(pass->tape, &desc, t, state->output, state->gradient, gamma, zero, state->invstd, none,
                                                    none, m->grads[node->weight], unused, params, err));
    CC_RETURN_IF_FAILED(tensor_like(s, i, &s->t[i], err));
    CC_RETURN_IF_FAILED(cc_batch_norm_backward_eval(pass->tape, &desc, x, state->output, t, gamma, state->mean, state->invstd, s->t[i],
                                                    none, none, none, nothing, err));
    if (node->residual == CC_NONE) return CAMCL_OK;
    cc_pointwise_desc sum = { cc_tensor_count(&state->output), node->slope };
    return cc_add_backward(pass->tape, &sum, state->output, s->t[node->residual], s->t[i], true, none, false, err);
}

static camcl_status through_linear(tangent *s, size_t i, camcl_error *err)
{
    cc_pass *pass = s->pass;
    const cc_node *node = &pass->model->graph->nodes[i];
    cc_tensor t = s->t[node->input];
    cc_linear_desc desc = { t.dim[0], t.dim[1], node->channels };
    cc_tensor io[] = { t, pass->nodes[i].gradient, pass->model->grads[node->weight], CC_NO_TENSOR };
    return cc_model_linear(pass->model, pass->tape, CC_BACKWARD_WEIGHT, &desc, io, 4, cc_mark_written(s->written, node->weight), err);
}

static camcl_status through_node(tangent *s, size_t i, camcl_error *err)
{
    cc_pass *pass = s->pass;
    const cc_node *node = &pass->model->graph->nodes[i];
    cc_tensor t = s->t[node->input];
    cc_pool_desc pool = cc_pool_desc_of(node, &t);
    cc_pointwise_desc sum = { cc_tensor_count(&pass->nodes[i].output), 1 };
    switch (node->kind) {
    case CC_NODE_CONV: return through_conv(s, i, err);
    case CC_NODE_BATCH_NORM: return through_batch_norm(s, i, err);
    case CC_NODE_LINEAR: return through_linear(s, i, err);
    case CC_NODE_ADD:
        CC_RETURN_IF_FAILED(tensor_like(s, i, &s->t[i], err));
        return cc_add_forward(pass->tape, &sum, t, s->t[node->residual], s->t[i], err);
    case CC_NODE_GLOBAL_AVERAGE_POOL:
        CC_RETURN_IF_FAILED(tensor_like(s, i, &s->t[i], err));
        return cc_global_average_pool_forward(pass->tape, &pool, t, s->t[i], err);
    case CC_NODE_MAX_POOL: /* lies below every stage */
    case CC_NODE_INPUT: break;
    }
    return cc_fail(err, CAMCL_UNSUPPORTED,
                   "exact CAM gradient: this network has a layer above the stage that it cannot pass (use ssl.cam_gradient = first-order)");
}

camcl_status cc_pass_tangent(cc_pass *pass, size_t from, cc_tensor direction, bool *written, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    tangent s = { pass, written, NULL };
    size_t last = cc_pass_last(pass);
    CC_TRY(CC_NEW(last + 1, &s.t, err));
    s.t[from] = direction;
    for (size_t i = from + 1; i <= last; i++)
        CC_TRY(through_node(&s, i, err));
cleanup:
    free(s.t);
    return status;
}
