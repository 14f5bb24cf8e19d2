/* An activation by itself, for where none of the node kinds that have one can apply it: y = act(x). */
#include "model/pass_internal.h"
#include "model/nodes.h"
#include "model/onnx.h"

size_t cc_graph_builder_activation(cc_graph_builder *builder, size_t input, cc_activation activation)
{
    cc_node node = cc_node_of(&cc_node_activation, &input, 1, cc_graph_builder_channels(builder, input));
    node.activation = activation;
    return cc_graph_builder_node(builder, &node);
}

static camcl_status infer(const cc_node *node, const cc_node_shape *inputs, cc_node_shape *out, camcl_error *err)
{
    (void)node, (void)err;
    *out = inputs[0];
    return CAMCL_OK;
}

static cc_pointwise_desc desc_of(const cc_pass *pass, size_t self)
{
    return (cc_pointwise_desc){ cc_tensor_count(&pass->nodes[self].output), cc_pass_node(pass, self)->activation };
}

static camcl_status forward(cc_pass *pass, size_t self, camcl_error *err)
{
    const cc_pointwise_desc desc = desc_of(pass, self);
    return cc_add_forward(pass->tape, &desc, cc_pass_input(pass, self, 0), CC_NO_TENSOR, pass->nodes[self].output, err);
}

/* to (+)= act' from */
static camcl_status scale(cc_pass *pass, size_t self, cc_tensor from, cc_tensor to, bool add, camcl_error *err)
{
    const cc_pointwise_desc desc = desc_of(pass, self);
    const cc_tensor kept = cc_activation_needs(desc.activation) == CC_NEEDS_X ? cc_pass_input(pass, self, 0) : pass->nodes[self].output;
    return cc_add_backward(pass->tape, &desc, kept, from, to, add, CC_NO_TENSOR, false, err);
}

static camcl_status backward(cc_pass *pass, size_t self, bool *written, camcl_error *err)
{
    cc_tensor dx;
    bool add;
    (void)written;
    CC_RETURN_IF_FAILED(cc_pass_input_gradient(pass, self, 0, &dx, &add, err));
    return scale(pass, self, pass->nodes[self].gradient, dx, add, err);
}

static camcl_status tangent(cc_tangent *s, size_t self, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_tangent_output(s, self, err));
    return scale(s->pass, self, cc_tangent_input(s, self, 0), s->t[self], false, err);
}

static void onnx(cc_onnx *o, const cc_node *node) { cc_onnx_activation(o, node->activation); }

const cc_node_kind cc_node_activation = {
    .name = "activation",
    .least_inputs = 1,
    .most_inputs = 1,
    .piecewise_linear = true,
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .tangent = tangent,
    .onnx = onnx,
};
