#include "model/pass_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "ops/record.h"

camcl_status cc_pass_create(cc_model *model, cc_tape *tape, const cc_pass_spec *spec, cc_pass **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_pass *pass = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &pass, err));
    pass->model = model;
    pass->tape = tape;
    pass->spec = *spec;
    CC_TRY(CC_NEW(model->graph->node_count, &pass->nodes, err));
    *out = pass;
    pass = NULL;
cleanup:
    cc_pass_destroy(&pass);
    return status;
}

void cc_pass_destroy(cc_pass **pass)
{
    if (*pass == NULL) return;
    free((*pass)->nodes);
    free(*pass);
    *pass = NULL;
}

cc_tensor cc_pass_output(const cc_pass *pass, size_t node) { return pass->nodes[node].output; }
cc_tensor cc_pass_gradient(const cc_pass *pass, size_t node) { return pass->nodes[node].gradient; }
size_t cc_pass_last(const cc_pass *pass) { return pass->model->graph->node_count - 1; }

void cc_pass_set_gradient(cc_pass *pass, size_t node, cc_tensor gradient)
{
    for (size_t i = 0; i < pass->model->graph->node_count; i++)
        pass->nodes[i].gradient = CC_NO_TENSOR;
    pass->nodes[node].gradient = gradient;
}

/* ---- shapes */

static void output_shape(const cc_node *node, const cc_tensor *x, unsigned *rank, size_t dim[4])
{
    *rank = 4;
    memcpy(dim, x->dim, 4 * sizeof *dim);
    dim[3] = node->channels;
    if (node->kind == CC_NODE_CONV) {
        cc_conv2d_desc d = cc_conv_desc_of(node, x);
        dim[1] = cc_conv2d_out_h(&d);
        dim[2] = cc_conv2d_out_w(&d);
    } else if (node->kind == CC_NODE_MAX_POOL) {
        cc_pool_desc d = cc_pool_desc_of(node, x);
        dim[1] = cc_pool_out_h(&d);
        dim[2] = cc_pool_out_w(&d);
    } else if (node->kind == CC_NODE_GLOBAL_AVERAGE_POOL || node->kind == CC_NODE_LINEAR) {
        *rank = 2;
        dim[1] = node->channels;
    }
}

camcl_status cc_pass_tensor(cc_pass *pass, const char *what, size_t node, unsigned rank, const size_t *dim, cc_tensor *out,
                            camcl_error *err)
{
    const cc_node *n = &pass->model->graph->nodes[node];
    char name[160];
    snprintf(name, sizeof name, "%s of node %zu%s%s", what, node, n->weight == CC_NONE ? "" : ", ",
             n->weight == CC_NONE ? "" : pass->model->graph->params[n->weight].name);
    return cc_tensor_on_tape(pass->tape, name, CC_F32, rank, dim, out, err);
}

/* ---- forward */

static camcl_status forward_conv(cc_pass *pass, const cc_node *node, cc_tensor x, cc_tensor y, camcl_error *err)
{
    cc_conv2d_desc desc = cc_conv_desc_of(node, &x);
    const cc_variant *variant;
    cc_tensor w;
    CC_RETURN_IF_FAILED(cc_model_choose(pass->model, CC_FORWARD, &desc, &variant, err));
    CC_RETURN_IF_FAILED(cc_model_weight(pass->model, node->weight, variant, &desc, &w, err));
    return cc_variant_record(variant, pass->tape, &desc, (cc_tensor[]){ x, w, y }, 3, false, err);
}

/* The node that reads this one, if there is but one; else CC_NONE. */
static size_t find_only_reader(const cc_graph *graph, size_t node)
{
    size_t reader = CC_NONE;
    for (size_t i = node + 1; i < graph->node_count; i++) {
        if (graph->nodes[i].input != node && graph->nodes[i].residual != node) continue;
        if (reader != CC_NONE) return CC_NONE;
        reader = i;
    }
    return reader;
}

/* Whether a convolution may do what its reader does: a sum always, since nothing else needs the convolution's own output; a batch norm
 * where its statistics are known and nobody asks for its parameters' gradients. */
static bool may_fuse(const cc_pass *pass, size_t conv, size_t reader)
{
    const cc_graph *graph = pass->model->graph;
    if (reader == CC_NONE || graph->nodes[reader].input != conv) return false;
    if (graph->nodes[reader].kind == CC_NODE_ADD) return true;
    return graph->nodes[reader].kind == CC_NODE_BATCH_NORM && !pass->spec.train && pass->spec.frozen_from && conv >= pass->spec.frozen_from;
}

/* The variant that computes a convolution together with the node that reads it, or NULL. */
static camcl_status find_fused(cc_pass *pass, size_t conv, const cc_variant **variant, const cc_variant **fused, camcl_error *err)
{
    const cc_graph *graph = pass->model->graph;
    const cc_node *node = &graph->nodes[conv];
    const size_t reader = find_only_reader(graph, conv);
    *fused = NULL;
    if (!may_fuse(pass, conv, reader)) return CAMCL_OK;
    cc_conv2d_affine_desc desc = { cc_conv_desc_of(node, &pass->nodes[node->input].output), graph->nodes[reader].slope };
    CC_RETURN_IF_FAILED(cc_model_choose(pass->model, CC_FORWARD, &desc.conv, variant, err));
    const cc_variant *found = cc_registry_find("conv2d_affine", CC_FORWARD, (*variant)->name);
    if (found && found->supports(camcl_device_get_info(pass->model->device), &desc)) *fused = found;
    return CAMCL_OK;
}

/* Scale and shift of a batch norm in evaluation. */
static camcl_status fold(cc_pass *pass, size_t self, cc_tensor *scale, cc_tensor *shift, camcl_error *err)
{
    const cc_node *node = &pass->model->graph->nodes[self];
    const cc_tensor *v = pass->model->values;
    cc_node_state *state = &pass->nodes[self];
    cc_batch_norm_desc norm = cc_batch_norm_desc_of(node, &state->output);
    CC_RETURN_IF_FAILED(cc_pass_tensor(pass, "mean", self, 1, &norm.c, &state->mean, err));
    CC_RETURN_IF_FAILED(cc_pass_tensor(pass, "inverse deviation", self, 1, &norm.c, &state->invstd, err));
    CC_RETURN_IF_FAILED(cc_pass_tensor(pass, "scale", self, 1, &norm.c, scale, err));
    CC_RETURN_IF_FAILED(cc_pass_tensor(pass, "shift", self, 1, &norm.c, shift, err));
    state->fused = true;
    return cc_batch_norm_fold(pass->tape, &norm, v[node->weight], v[node->bias], v[node->running_mean], v[node->running_var], state->mean,
                              state->invstd, *scale, *shift, err);
}

/* Node `self` and the convolution before it, which has waited for this. */
static camcl_status forward_fused(cc_pass *pass, size_t self, camcl_error *err)
{
    const cc_node *node = &pass->model->graph->nodes[self], *conv = &pass->model->graph->nodes[node->input];
    cc_node_state *state = &pass->nodes[self];
    cc_tensor x = pass->nodes[conv->input].output, residual = node->residual == CC_NONE ? CC_NO_TENSOR : pass->nodes[node->residual].output,
              w, scale = { pass->model->ones, CC_F32, 1, { node->channels } },
              shift = { pass->model->zeros, CC_F32, 1, { node->channels } };
    cc_conv2d_affine_desc desc = { cc_conv_desc_of(conv, &x), node->slope };
    const cc_variant *variant, *fused;
    CC_RETURN_IF_FAILED(find_fused(pass, node->input, &variant, &fused, err));
    CC_RETURN_IF_FAILED(cc_model_weight(pass->model, conv->weight, variant, &desc.conv, &w, err));
    if (node->kind == CC_NODE_BATCH_NORM) CC_RETURN_IF_FAILED(fold(pass, self, &scale, &shift, err));
    pass->nodes[node->input].output = state->output;
    return cc_variant_record(fused, pass->tape, &desc, (cc_tensor[]){ x, w, scale, shift, residual, state->output }, 6, false, err);
}

static camcl_status forward_batch_norm(cc_pass *pass, const cc_node *node, cc_node_state *state, cc_tensor x, camcl_error *err)
{
    const cc_tensor *v = pass->model->values;
    cc_batch_norm_desc desc = cc_batch_norm_desc_of(node, &x);
    size_t self = (size_t)(state - pass->nodes);
    cc_tensor residual = node->residual == CC_NONE ? CC_NO_TENSOR : pass->nodes[node->residual].output;
    CC_RETURN_IF_FAILED(cc_pass_tensor(pass, "mean", self, 1, &desc.c, &state->mean, err));
    CC_RETURN_IF_FAILED(cc_pass_tensor(pass, "inverse deviation", self, 1, &desc.c, &state->invstd, err));
    return (pass->spec.train ? cc_batch_norm_forward_train : cc_batch_norm_forward_eval)(
        pass->tape, &desc, x, residual, v[node->weight], v[node->bias], v[node->running_mean], v[node->running_var], state->mean,
        state->invstd, state->output, err);
}

static camcl_status forward_node(cc_pass *pass, size_t i, camcl_error *err)
{
    const cc_node *node = &pass->model->graph->nodes[i];
    const cc_tensor *v = pass->model->values;
    cc_tensor x = pass->nodes[node->input].output;
    unsigned rank;
    size_t dim[4];
    output_shape(node, &x, &rank, dim);
    for (unsigned d = 0; d < rank; d++)
        if (dim[d] == 0 || dim[d] > SIZE_MAX / 2)
            return cc_fail(err, CAMCL_BAD_CONFIG, "model: images of %zu x %zu are too small for %s (raise data.image_size)",
                           pass->spec.height, pass->spec.width, pass->model->graph->spec.arch);
    if (node->kind == CC_NODE_CONV) {
        const cc_variant *variant, *fused;
        CC_RETURN_IF_FAILED(find_fused(pass, i, &variant, &fused, err));
        if (fused) { /* its reader will do it, when the residual is there, too */
            pass->nodes[i].output = (cc_tensor){ NULL, CC_F32, rank, { dim[0], dim[1], dim[2], dim[3] } };
            return CAMCL_OK;
        }
    }
    CC_RETURN_IF_FAILED(cc_pass_tensor(pass, "output", i, rank, dim, &pass->nodes[i].output, err));
    if (x.buffer == NULL) return forward_fused(pass, i, err);
    cc_tensor y = pass->nodes[i].output;
    cc_pool_desc pool = cc_pool_desc_of(node, &x);
    cc_linear_desc fc = { x.dim[0], x.dim[1], node->channels };
    cc_pointwise_desc sum = { cc_tensor_count(&y), node->slope };
    switch (node->kind) {
    case CC_NODE_CONV: return forward_conv(pass, node, x, y, err);
    case CC_NODE_BATCH_NORM: return forward_batch_norm(pass, node, &pass->nodes[i], x, err);
    case CC_NODE_ADD: return cc_add_forward(pass->tape, &sum, x, pass->nodes[node->residual].output, y, err);
    case CC_NODE_MAX_POOL: return cc_max_pool_forward(pass->tape, &pool, x, y, err);
    case CC_NODE_GLOBAL_AVERAGE_POOL: return cc_global_average_pool_forward(pass->tape, &pool, x, y, err);
    case CC_NODE_LINEAR:
        return cc_model_linear(pass->model, pass->tape, CC_FORWARD, &fc, (cc_tensor[]){ x, v[node->weight], v[node->bias], y }, 4, false,
                               err);
    case CC_NODE_INPUT: break;
    }
    return CAMCL_OK;
}

camcl_status cc_pass_forward(cc_pass *pass, cc_tensor input, camcl_error *err)
{
    pass->nodes[0].output = input;
    for (size_t i = 1; i < pass->model->graph->node_count; i++)
        CC_RETURN_IF_FAILED(forward_node(pass, i, err));
    return CAMCL_OK;
}

/* ---- backward */

/* Where the gradient of node i's output goes: a new tensor (*add = false) or the one that holds a part of it already. */
static camcl_status gradient_of(cc_pass *pass, size_t i, cc_tensor *out, bool *add, camcl_error *err)
{
    cc_node_state *state = &pass->nodes[i];
    *add = state->gradient.buffer != NULL;
    if (!*add) CC_RETURN_IF_FAILED(cc_pass_tensor(pass, "gradient", i, state->output.rank, state->output.dim, &state->gradient, err));
    *out = state->gradient;
    return CAMCL_OK;
}

bool cc_mark_written(bool *written, size_t param)
{
    bool before = written[param];
    written[param] = true;
    return before;
}

static camcl_status backward_conv(cc_pass *pass, const cc_node *node, cc_tensor x, cc_tensor dy, bool *written, camcl_error *err)
{
    cc_conv2d_desc desc = cc_conv_desc_of(node, &x);
    const cc_variant *variant;
    if (written) {
        CC_RETURN_IF_FAILED(cc_model_choose(pass->model, CC_BACKWARD_WEIGHT, &desc, &variant, err));
        cc_tensor io[] = { x, dy, pass->model->grads[node->weight] };
        CC_RETURN_IF_FAILED(cc_variant_record(variant, pass->tape, &desc, io, 3, cc_mark_written(written, node->weight), err));
    }
    if (node->input == 0) return CAMCL_OK; /* nobody asks for the image's gradient */
    cc_tensor dx, w;
    bool add;
    CC_RETURN_IF_FAILED(cc_model_choose(pass->model, CC_BACKWARD_DATA, &desc, &variant, err));
    CC_RETURN_IF_FAILED(cc_model_weight(pass->model, node->weight, variant, &desc, &w, err));
    CC_RETURN_IF_FAILED(gradient_of(pass, node->input, &dx, &add, err));
    return cc_variant_record(variant, pass->tape, &desc, (cc_tensor[]){ dy, w, dx }, 3, add, err);
}

/* Whether nobody reads the gradient of `self` after this node, so that what is made of it may take its place: not where a node that is
 * still to come shares it, nor in passes without parameter gradients, whose gradients the exact CAM gradient reads once more. */
static bool may_replace_gradient(const cc_pass *pass, size_t self, const bool *written)
{
    for (size_t i = 0; i < self; i++)
        if (pass->nodes[i].gradient.buffer == pass->nodes[self].gradient.buffer) return false;
    return written != NULL;
}

static camcl_status backward_batch_norm(cc_pass *pass, size_t self, cc_tensor x, bool *written, camcl_error *err)
{
    const cc_node *node = &pass->model->graph->nodes[self];
    cc_node_state *state = &pass->nodes[self];
    const cc_model *m = pass->model;
    cc_batch_norm_desc desc = cc_batch_norm_desc_of(node, &x);
    cc_tensor dx, dresidual = CC_NO_TENSOR, dgamma = CC_NO_TENSOR, dbeta = CC_NO_TENSOR;
    cc_batch_norm_add add = { false, false, false };
    if (state->fused && written)
        return cc_fail(err, CAMCL_FAILED, "backward pass: parameter gradients asked of frozen nodes (report this as a defect)");
    if (may_replace_gradient(pass, self, written)) {
        const size_t heir = node->residual == CC_NONE ? node->input : node->residual;
        if (pass->nodes[heir].gradient.buffer == NULL) pass->nodes[heir].gradient = state->gradient;
    }
    CC_RETURN_IF_FAILED(gradient_of(pass, node->input, &dx, &add.dx, err));
    if (node->residual != CC_NONE) CC_RETURN_IF_FAILED(gradient_of(pass, node->residual, &dresidual, &add.dresidual, err));
    add.dx = add.dx && dx.buffer != state->gradient.buffer;
    add.dresidual = add.dresidual && dresidual.buffer != state->gradient.buffer;
    if (written) {
        dgamma = m->grads[node->weight];
        dbeta = m->grads[node->bias];
        add.dparams = cc_mark_written(written, node->weight);
        cc_mark_written(written, node->bias);
    } else if (pass->spec.train) {
        /* Their values are needed for dx all the same. */
        CC_RETURN_IF_FAILED(cc_tensor_on_tape(pass->tape, "unused", CC_F32, CC_DIMS(desc.c), &dgamma, err));
        CC_RETURN_IF_FAILED(cc_tensor_on_tape(pass->tape, "unused", CC_F32, CC_DIMS(desc.c), &dbeta, err));
    }
    const cc_tensor gamma = m->values[node->weight];
    if (!pass->spec.train)
        return cc_batch_norm_backward_eval(pass->tape, &desc, x, state->output, state->gradient, gamma, state->mean, state->invstd, dx,
                                           dresidual, dgamma, dbeta, add, err);
    return cc_batch_norm_backward_train(pass->tape, &desc, x, node->residual == CC_NONE ? CC_NO_TENSOR : state->output, state->gradient,
                                        gamma, m->values[node->bias], state->mean, state->invstd, dx, dresidual, dgamma, dbeta, add, err);
}

static camcl_status backward_linear(cc_pass *pass, const cc_node *node, cc_tensor x, cc_tensor dy, bool *written, camcl_error *err)
{
    const cc_model *m = pass->model;
    cc_linear_desc desc = { x.dim[0], x.dim[1], node->channels };
    cc_tensor dx;
    bool add;
    if (written) {
        bool before = cc_mark_written(written, node->weight);
        cc_mark_written(written, node->bias);
        cc_tensor io[] = { x, dy, m->grads[node->weight], m->grads[node->bias] };
        CC_RETURN_IF_FAILED(cc_model_linear(pass->model, pass->tape, CC_BACKWARD_WEIGHT, &desc, io, 4, before, err));
    }
    CC_RETURN_IF_FAILED(gradient_of(pass, node->input, &dx, &add, err));
    return cc_model_linear(pass->model, pass->tape, CC_BACKWARD_DATA, &desc, (cc_tensor[]){ dy, m->values[node->weight], dx }, 3, add, err);
}

/* Whether another node adds to the gradient of `node`, one operand of a sum, before that of `other` has been used. */
static bool grows_too_early(const cc_graph *graph, size_t sum, size_t node, size_t other)
{
    for (size_t i = other + 1; i < sum; i++)
        if (graph->nodes[i].input == node || graph->nodes[i].residual == node) return true;
    return false;
}

/* Whether both operands of a sum may take its gradient as theirs, in its own place. Passes without parameter gradients keep them apart:
 * the exact CAM gradient reads them once more. */
static bool may_share_gradient(const cc_pass *pass, size_t self, const bool *written)
{
    const cc_graph *graph = pass->model->graph;
    const cc_node *node = &graph->nodes[self];
    return written && node->slope == 1 && pass->nodes[node->input].gradient.buffer == NULL &&
           pass->nodes[node->residual].gradient.buffer == NULL && node->input != node->residual &&
           !grows_too_early(graph, self, node->input, node->residual) && !grows_too_early(graph, self, node->residual, node->input);
}

static camcl_status backward_add(cc_pass *pass, size_t self, const bool *written, camcl_error *err)
{
    const cc_node *node = &pass->model->graph->nodes[self];
    const cc_node_state *state = &pass->nodes[self];
    cc_pointwise_desc desc = { cc_tensor_count(&state->output), node->slope };
    cc_tensor da, db, dy = state->gradient;
    bool add_a, add_b;
    if (may_share_gradient(pass, self, written)) {
        pass->nodes[node->input].gradient = pass->nodes[node->residual].gradient = dy;
        return CAMCL_OK;
    }
    CC_RETURN_IF_FAILED(gradient_of(pass, node->input, &da, &add_a, err));
    CC_RETURN_IF_FAILED(gradient_of(pass, node->residual, &db, &add_b, err));
    return cc_add_backward(pass->tape, &desc, state->output, dy, da, add_a, db, add_b, err);
}

static camcl_status backward_node(cc_pass *pass, size_t i, bool *written, camcl_error *err)
{
    const cc_node *node = &pass->model->graph->nodes[i];
    cc_node_state *state = &pass->nodes[i];
    cc_tensor x = pass->nodes[node->input].output, dx;
    cc_pool_desc pool = cc_pool_desc_of(node, &x);
    bool add;
    switch (node->kind) {
    case CC_NODE_CONV: return backward_conv(pass, node, x, state->gradient, written, err);
    case CC_NODE_BATCH_NORM: return backward_batch_norm(pass, i, x, written, err);
    case CC_NODE_ADD: return backward_add(pass, i, written, err);
    case CC_NODE_LINEAR: return backward_linear(pass, node, x, state->gradient, written, err);
    case CC_NODE_MAX_POOL:
        CC_RETURN_IF_FAILED(gradient_of(pass, node->input, &dx, &add, err));
        return cc_max_pool_backward(pass->tape, &pool, x, state->output, state->gradient, dx, add, err);
    case CC_NODE_GLOBAL_AVERAGE_POOL:
        CC_RETURN_IF_FAILED(gradient_of(pass, node->input, &dx, &add, err));
        return cc_global_average_pool_backward(pass->tape, &pool, state->gradient, dx, add, err);
    case CC_NODE_INPUT: break;
    }
    return CAMCL_OK;
}

camcl_status cc_pass_backward(cc_pass *pass, size_t from, size_t stop, bool *written, camcl_error *err)
{
    for (size_t i = from; i > stop; i--)
        if (pass->nodes[i].gradient.buffer) CC_RETURN_IF_FAILED(backward_node(pass, i, written, err));
    return CAMCL_OK;
}
