/* Convolution without bias. */
#include "model/pass_internal.h"
#include "model/nodes.h"
#include "model/onnx.h"
#include "ops/record.h"

size_t cc_graph_builder_conv(cc_graph_builder *builder, size_t input, const char *name, cc_conv_attributes attributes)
{
    const size_t groups = attributes.groups ? attributes.groups : 1;
    const size_t dim[] = { attributes.channels, cc_graph_builder_channels(builder, input) / groups, attributes.window, attributes.window };
    cc_node node = cc_node_of(&cc_node_conv, &input, 1, attributes.channels);
    node.window = attributes.window;
    node.stride = attributes.stride;
    node.pad = attributes.window / 2;
    node.groups = groups;
    const size_t self = cc_graph_builder_node(builder, &node);
    cc_graph_builder_param(builder, self, CC_ROLE_WEIGHT, CC_INIT_FAN_OUT, name, "weight", 4, dim);
    return self;
}

cc_conv2d_desc cc_node_conv_desc(const cc_node *node, const cc_node_shape *x)
{
    return (cc_conv2d_desc){ x->dim[0],    x->dim[1],    x->dim[2],    x->dim[3], node->channels,
                             node->window, node->window, node->stride, node->pad, node->groups };
}

static camcl_status infer(const cc_node *node, const cc_node_shape *x, cc_node_shape *out, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_node_expect_rank(node, x, 4, err));
    if (x->dim[3] % node->groups || node->channels % node->groups)
        return cc_fail(err, CAMCL_FAILED,
                       "model: %zu and %zu channels of a convolution do not fall into %zu groups (report this as a defect)", x->dim[3],
                       node->channels, node->groups);
    *out = (cc_node_shape){ 4, { x->dim[0], cc_node_positions(node, x->dim[1]), cc_node_positions(node, x->dim[2]), node->channels } };
    return CAMCL_OK;
}

static cc_conv2d_desc desc_of(const cc_pass *pass, size_t self)
{
    const cc_node *node = cc_pass_node(pass, self);
    return cc_node_conv_desc(node, &pass->nodes[node->inputs[0]].shape);
}

/* y = conv(x, w): of the node's input, or of its tangent. */
static camcl_status apply(cc_pass *pass, size_t self, cc_tensor x, cc_tensor y, camcl_error *err)
{
    const cc_conv2d_desc desc = desc_of(pass, self);
    const cc_variant *variant;
    cc_tensor w;
    CC_RETURN_IF_FAILED(cc_model_choose(pass->model, CC_FORWARD, &desc, &variant, err));
    CC_RETURN_IF_FAILED(cc_weights_packed(pass->weights, cc_pass_node(pass, self)->params[CC_ROLE_WEIGHT], variant, &desc, &w, err));
    return cc_variant_record(variant, pass->tape, &desc, (cc_tensor[]){ x, w, y }, 3, false, err);
}

static camcl_status forward(cc_pass *pass, size_t self, camcl_error *err)
{
    return apply(pass, self, cc_pass_input(pass, self, 0), pass->nodes[self].output, err);
}

/* dw (+)= wgrad(x, dy): of the node's input, or of its tangent. */
static camcl_status weight_gradient(cc_pass *pass, size_t self, cc_tensor x, bool *written, camcl_error *err)
{
    const cc_conv2d_desc desc = desc_of(pass, self);
    const cc_variant *variant;
    CC_RETURN_IF_FAILED(cc_model_choose(pass->model, CC_BACKWARD_WEIGHT, &desc, &variant, err));
    cc_tensor io[] = { x, pass->nodes[self].gradient, cc_pass_param_gradient(pass, self, CC_ROLE_WEIGHT) };
    return cc_variant_record(variant, pass->tape, &desc, io, 3, cc_pass_mark_written(pass, self, CC_ROLE_WEIGHT, written), err);
}

static camcl_status backward(cc_pass *pass, size_t self, bool *written, camcl_error *err)
{
    const cc_node *node = cc_pass_node(pass, self);
    const cc_conv2d_desc desc = desc_of(pass, self);
    const cc_variant *variant;
    if (written) CC_RETURN_IF_FAILED(weight_gradient(pass, self, cc_pass_input(pass, self, 0), written, err));
    if (node->inputs[0] == 0) return CAMCL_OK; /* nobody asks for the image's gradient */
    cc_tensor dx, w;
    bool add;
    CC_RETURN_IF_FAILED(cc_model_choose(pass->model, CC_BACKWARD_DATA, &desc, &variant, err));
    CC_RETURN_IF_FAILED(cc_weights_packed(pass->weights, node->params[CC_ROLE_WEIGHT], variant, &desc, &w, err));
    CC_RETURN_IF_FAILED(cc_pass_input_gradient(pass, self, 0, &dx, &add, err));
    return cc_variant_record(variant, pass->tape, &desc, (cc_tensor[]){ pass->nodes[self].gradient, w, dx }, 3, add, err);
}

static camcl_status tangent(cc_tangent *s, size_t self, camcl_error *err)
{
    cc_tensor t = cc_tangent_input(s, self, 0);
    CC_RETURN_IF_FAILED(weight_gradient(s->pass, self, t, s->written, err));
    CC_RETURN_IF_FAILED(cc_tangent_output(s, self, err));
    return apply(s->pass, self, t, s->t[self], err);
}

static void onnx(cc_onnx *o, const cc_node *node)
{
    cc_onnx_begin(o, "Conv");
    cc_onnx_param(o, CC_ROLE_WEIGHT);
    cc_onnx_window(o, node);
    cc_onnx_integer(o, "group", (int64_t)node->groups);
}

const cc_node_kind cc_node_conv = {
    .name = "convolution",
    .least_inputs = 1,
    .most_inputs = 1,
    .piecewise_linear = true,
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .tangent = tangent,
    .onnx = onnx,
};
