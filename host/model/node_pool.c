/* Pooling: the maximum of square windows, the mean of each channel. */
#include "model/pass_internal.h"
#include "model/nodes.h"
#include "model/onnx.h"

static size_t add_pool(cc_graph_builder *builder, const cc_node_kind *kind, size_t input, size_t window, size_t stride, size_t pad)
{
    cc_node node = cc_node_of(kind, &input, 1, cc_graph_builder_channels(builder, input));
    node.window = window;
    node.stride = stride;
    node.pad = pad;
    return cc_graph_builder_node(builder, &node);
}

size_t cc_graph_builder_max_pool(cc_graph_builder *builder, size_t input, size_t window, size_t stride, size_t pad)
{
    return add_pool(builder, &cc_node_max_pool, input, window, stride, pad);
}

size_t cc_graph_builder_global_average_pool(cc_graph_builder *builder, size_t input)
{
    return add_pool(builder, &cc_node_global_average_pool, input, 0, 1, 0);
}

static cc_pool_desc desc_of(const cc_pass *pass, size_t self)
{
    const cc_node *node = cc_pass_node(pass, self);
    const size_t *x = pass->nodes[node->inputs[0]].shape.dim;
    return (cc_pool_desc){ x[0], x[1], x[2], x[3], node->window, node->stride, node->pad };
}

/* ---- maximum */

static camcl_status max_infer(const cc_node *node, const cc_node_shape *x, cc_node_shape *out, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_node_expect_rank(node, x, 4, err));
    *out = (cc_node_shape){ 4, { x->dim[0], cc_node_positions(node, x->dim[1]), cc_node_positions(node, x->dim[2]), node->channels } };
    return CAMCL_OK;
}

static camcl_status max_forward(cc_pass *pass, size_t self, camcl_error *err)
{
    const cc_pool_desc desc = desc_of(pass, self);
    return cc_max_pool_forward(pass->tape, &desc, cc_pass_input(pass, self, 0), pass->nodes[self].output, err);
}

static camcl_status max_backward(cc_pass *pass, size_t self, bool *written, camcl_error *err)
{
    (void)written;
    const cc_node_state *state = &pass->nodes[self];
    const cc_pool_desc desc = desc_of(pass, self);
    cc_tensor dx;
    bool add;
    CC_RETURN_IF_FAILED(cc_pass_input_gradient(pass, self, 0, &dx, &add, err));
    return cc_max_pool_backward(pass->tape, &desc, cc_pass_input(pass, self, 0), state->output, state->gradient, dx, add, err);
}

static void max_onnx(cc_onnx *o, const cc_node *node)
{
    cc_onnx_begin(o, "MaxPool");
    cc_onnx_window(o, node);
}

/* No tangent: there is no kernel for it, and in all architectures it lies below every stage. */
const cc_node_kind cc_node_max_pool = {
    .name = "max-pool",
    .least_inputs = 1,
    .most_inputs = 1,
    .piecewise_linear = true,
    .infer = max_infer,
    .forward = max_forward,
    .backward = max_backward,
    .onnx = max_onnx,
};

/* ---- mean */

static camcl_status mean_infer(const cc_node *node, const cc_node_shape *x, cc_node_shape *out, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_node_expect_rank(node, x, 4, err));
    *out = (cc_node_shape){ 2, { x->dim[0], node->channels } };
    return CAMCL_OK;
}

static camcl_status mean_forward(cc_pass *pass, size_t self, camcl_error *err)
{
    const cc_pool_desc desc = desc_of(pass, self);
    return cc_global_average_pool_forward(pass->tape, &desc, cc_pass_input(pass, self, 0), pass->nodes[self].output, err);
}

static camcl_status mean_backward(cc_pass *pass, size_t self, bool *written, camcl_error *err)
{
    (void)written;
    const cc_pool_desc desc = desc_of(pass, self);
    cc_tensor dx;
    bool add;
    CC_RETURN_IF_FAILED(cc_pass_input_gradient(pass, self, 0, &dx, &add, err));
    return cc_global_average_pool_backward(pass->tape, &desc, pass->nodes[self].gradient, dx, add, err);
}

static camcl_status mean_tangent(cc_tangent *s, size_t self, camcl_error *err)
{
    const cc_pool_desc desc = desc_of(s->pass, self);
    CC_RETURN_IF_FAILED(cc_tangent_output(s, self, err));
    return cc_global_average_pool_forward(s->pass->tape, &desc, cc_tangent_input(s, self, 0), s->t[self], err);
}

static void mean_onnx(cc_onnx *o, const cc_node *node)
{
    (void)node;
    cc_onnx_begin(o, "GlobalAveragePool");
    cc_onnx_begin(o, "Flatten");
}

const cc_node_kind cc_node_global_average_pool = {
    .name = "global-average-pool",
    .least_inputs = 1,
    .most_inputs = 1,
    .piecewise_linear = true,
    .infer = mean_infer,
    .forward = mean_forward,
    .backward = mean_backward,
    .tangent = mean_tangent,
    .onnx = mean_onnx,
};
