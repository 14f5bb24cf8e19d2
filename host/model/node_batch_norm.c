/* Batch norm with what follows it: act(batch norm(input) + residual). */
#include "model/pass_internal.h"
#include "model/nodes.h"
#include "model/onnx.h"

enum { INPUT, RESIDUAL };
enum { MEAN, INVSTD };

size_t cc_graph_builder_batch_norm(cc_graph_builder *builder, size_t input, size_t residual, const char *name,
                                   cc_batch_norm_attributes attributes)
{
    const size_t channels = cc_graph_builder_channels(builder, input), inputs[] = { [INPUT] = input, [RESIDUAL] = residual };
    cc_node node = cc_node_of(&cc_node_batch_norm, inputs, residual == CC_NONE ? 1 : 2, channels);
    node.activation = attributes.activation;
    node.epsilon = attributes.epsilon;
    node.momentum = attributes.momentum;
    const size_t self = cc_graph_builder_node(builder, &node);
    cc_graph_builder_param(builder, self, CC_ROLE_WEIGHT, CC_INIT_ONE, name, "weight", 1, &channels);
    cc_graph_builder_param(builder, self, CC_ROLE_BIAS, CC_INIT_ZERO, name, "bias", 1, &channels);
    cc_graph_builder_param(builder, self, CC_ROLE_RUNNING_MEAN, CC_INIT_ZERO, name, "running_mean", 1, &channels);
    cc_graph_builder_param(builder, self, CC_ROLE_RUNNING_VAR, CC_INIT_ONE, name, "running_var", 1, &channels);
    return self;
}

cc_batch_norm_desc cc_node_batch_norm_desc(const cc_node *node, const cc_node_shape *x)
{
    size_t rows = 1;
    for (unsigned i = 0; i + 1 < x->rank; i++)
        rows *= x->dim[i];
    return (cc_batch_norm_desc){ rows, node->channels, node->epsilon, node->momentum, node->activation, 0 };
}

/* With the rows of all devices that train together. */
static cc_batch_norm_desc shared_desc(const cc_pass *pass, size_t self)
{
    cc_batch_norm_desc desc = cc_node_batch_norm_desc(cc_pass_node(pass, self), &pass->nodes[self].shape);
    if (pass->spec.train) desc.all = desc.m / pass->spec.batch * pass->spec.whole_batch;
    return desc;
}

static camcl_status infer(const cc_node *node, const cc_node_shape *inputs, cc_node_shape *out, camcl_error *err)
{
    *out = inputs[INPUT];
    if (cc_node_reads(node, node->inputs[INPUT]) > 1)
        return cc_fail(err, CAMCL_FAILED, "model: a batch norm's input is its residual, too (report this as a defect)");
    if (node->input_count > RESIDUAL && cc_activation_needs(node->activation) == CC_NEEDS_X)
        return cc_fail(err, CAMCL_FAILED, "model: a batch norm with a residual cannot apply %s (report this as a defect)",
                       cc_activation_get(node->activation)->name);
    if (node->input_count > RESIDUAL && !cc_node_shapes_equal(&inputs[RESIDUAL], out))
        return cc_fail(err, CAMCL_FAILED, "model: a batch norm and its residual have different shapes (report this as a defect)");
    return CAMCL_OK;
}

static camcl_status forward(cc_pass *pass, size_t self, camcl_error *err)
{
    const cc_node_state *state = &pass->nodes[self];
    const cc_batch_norm_desc desc = shared_desc(pass, self);
    return (pass->spec.train ? cc_batch_norm_forward_train : cc_batch_norm_forward_eval)(
        pass->tape, &desc, cc_pass_input(pass, self, INPUT), cc_pass_input(pass, self, RESIDUAL), cc_pass_value(pass, self, CC_ROLE_WEIGHT),
        cc_pass_value(pass, self, CC_ROLE_BIAS), cc_pass_value(pass, self, CC_ROLE_RUNNING_MEAN),
        cc_pass_value(pass, self, CC_ROLE_RUNNING_VAR), state->saved[MEAN], state->saved[INVSTD], state->output, err);
}

typedef struct gradients {
    cc_tensor dx, dresidual, dgamma, dbeta;
    cc_batch_norm_add add;
} gradients;

static camcl_status find_input_gradients(cc_pass *pass, size_t self, const bool *written, gradients *g, camcl_error *err)
{
    const cc_node *node = cc_pass_node(pass, self);
    const cc_tensor dy = pass->nodes[self].gradient;
    if (cc_pass_may_use_gradient(pass, self, written)) {
        cc_node_state *heir = &pass->nodes[node->inputs[node->input_count - 1]];
        if (heir->gradient.buffer == NULL) heir->gradient = dy;
    }
    CC_RETURN_IF_FAILED(cc_pass_input_gradient(pass, self, INPUT, &g->dx, &g->add.dx, err));
    if (node->input_count > RESIDUAL)
        CC_RETURN_IF_FAILED(cc_pass_input_gradient(pass, self, RESIDUAL, &g->dresidual, &g->add.dresidual, err));
    g->add.dx = g->add.dx && g->dx.buffer != dy.buffer;
    g->add.dresidual = g->add.dresidual && g->dresidual.buffer != dy.buffer;
    return CAMCL_OK;
}

static camcl_status find_param_gradients(cc_pass *pass, size_t self, bool *written, gradients *g, camcl_error *err)
{
    const size_t channels = cc_pass_node(pass, self)->channels;
    if (written) {
        g->dgamma = cc_pass_param_gradient(pass, self, CC_ROLE_WEIGHT);
        g->dbeta = cc_pass_param_gradient(pass, self, CC_ROLE_BIAS);
        g->add.dparams = cc_pass_mark_written(pass, self, CC_ROLE_WEIGHT, written);
        cc_pass_mark_written(pass, self, CC_ROLE_BIAS, written);
    } else if (pass->spec.train) {
        /* dx needs the sums although these gradients are not wanted. */
        CC_RETURN_IF_FAILED(cc_tensor_on_tape(pass->tape, "unused", CC_F32, CC_DIMS(channels), &g->dgamma, err));
        CC_RETURN_IF_FAILED(cc_tensor_on_tape(pass->tape, "unused", CC_F32, CC_DIMS(channels), &g->dbeta, err));
    }
    return CAMCL_OK;
}

static camcl_status backward(cc_pass *pass, size_t self, bool *written, camcl_error *err)
{
    const cc_node *node = cc_pass_node(pass, self);
    const cc_node_state *state = &pass->nodes[self];
    const cc_batch_norm_desc desc = shared_desc(pass, self);
    const cc_tensor x = cc_pass_input(pass, self, INPUT), gamma = cc_pass_value(pass, self, CC_ROLE_WEIGHT),
                    beta = cc_pass_value(pass, self, CC_ROLE_BIAS);
    gradients g = { .dx = CC_NO_TENSOR };
    if (state->fused != CC_NONE && written)
        return cc_fail(err, CAMCL_FAILED, "backward pass: parameter gradients asked of frozen nodes (report this as a defect)");
    CC_RETURN_IF_FAILED(find_input_gradients(pass, self, written, &g, err));
    CC_RETURN_IF_FAILED(find_param_gradients(pass, self, written, &g, err));
    if (!pass->spec.train)
        return cc_batch_norm_backward_eval(pass->tape, &desc, x, state->output, state->gradient, gamma, beta, state->saved[MEAN],
                                           state->saved[INVSTD], g.dx, g.dresidual, g.dgamma, g.dbeta, g.add, err);
    return cc_batch_norm_backward_train(pass->tape, &desc, x, node->input_count > RESIDUAL ? state->output : CC_NO_TENSOR, state->gradient,
                                        gamma, beta, state->saved[MEAN], state->saved[INVSTD], g.dx, g.dresidual, g.dgamma, g.dbeta, g.add,
                                        err);
}

/* The eval-mode backward kernels serve twice: with t in the place of dy, dx is gamma act' t / sqrt(var + eps), the tangent; with t in the
 * place of x and a mean of 0, dgamma is sum g act' t / sqrt(var + eps). */
static camcl_status tangent(cc_tangent *s, size_t self, camcl_error *err)
{
    cc_pass *pass = s->pass;
    const cc_node *node = cc_pass_node(pass, self);
    const cc_node_state *state = &pass->nodes[self];
    const cc_batch_norm_desc desc = cc_node_batch_norm_desc(node, &state->shape);
    const cc_tensor t = cc_tangent_input(s, self, INPUT), gamma = cc_pass_value(pass, self, CC_ROLE_WEIGHT), none = CC_NO_TENSOR;
    const cc_batch_norm_add params = { .dparams = cc_pass_mark_written(pass, self, CC_ROLE_WEIGHT, s->written) },
                            nothing = { false, false, false };
    cc_tensor zero, unused;
    CC_RETURN_IF_FAILED(cc_pass_tensor(pass, "zero mean", self, 1, &desc.c, &zero, err));
    CC_RETURN_IF_FAILED(cc_pass_tensor(pass, "unused gradient", self, 1, &desc.c, &unused, err));
    CC_RETURN_IF_FAILED(cc_tape_zero(pass->tape, zero.buffer, err));
    CC_RETURN_IF_FAILED(cc_tape_zero(pass->tape, unused.buffer, err));
    CC_RETURN_IF_FAILED(cc_batch_norm_backward_eval(pass->tape, &desc, t, state->output, state->gradient, gamma, none, zero,
                                                    state->saved[INVSTD], none, none, cc_pass_param_gradient(pass, self, CC_ROLE_WEIGHT),
                                                    unused, params, err));
    CC_RETURN_IF_FAILED(cc_tangent_output(s, self, err));
    CC_RETURN_IF_FAILED(cc_batch_norm_backward_eval(pass->tape, &desc, cc_pass_input(pass, self, INPUT), state->output, t, gamma, none,
                                                    state->saved[MEAN], state->saved[INVSTD], s->t[self], none, none, none, nothing, err));
    if (node->input_count <= RESIDUAL) return CAMCL_OK;
    const cc_pointwise_desc sum = { desc.m * desc.c, node->activation };
    return cc_add_backward(pass->tape, &sum, state->output, cc_tangent_input(s, self, RESIDUAL), s->t[self], true, none, false, err);
}

/* Programs that run ONNX fold it into the convolution by themselves. */
static void onnx(cc_onnx *o, const cc_node *node)
{
    cc_onnx_begin(o, "BatchNormalization");
    cc_onnx_param(o, CC_ROLE_WEIGHT);
    cc_onnx_param(o, CC_ROLE_BIAS);
    cc_onnx_param(o, CC_ROLE_RUNNING_MEAN);
    cc_onnx_param(o, CC_ROLE_RUNNING_VAR);
    cc_onnx_float(o, "epsilon", node->epsilon);
    if (node->input_count > RESIDUAL) {
        cc_onnx_begin(o, "Add");
        cc_onnx_input(o, RESIDUAL);
    }
    cc_onnx_activation(o, node->activation);
}

const cc_node_kind cc_node_batch_norm = {
    .name = "batch-norm",
    .least_inputs = 1,
    .most_inputs = 2,
    .piecewise_linear = true,
    .saved = { [MEAN] = "mean", [INVSTD] = "inverse deviation" },
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .tangent = tangent,
    .onnx = onnx,
};
