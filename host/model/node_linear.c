/* The linear layer, with bias. */
#include "model/pass_internal.h"
#include "model/nodes.h"
#include "model/onnx.h"

size_t cc_graph_builder_linear(cc_graph_builder *builder, size_t input, const char *name, size_t outputs)
{
    const cc_node node = cc_node_of(&cc_node_linear, &input, 1, outputs);
    const size_t dim[] = { outputs, cc_graph_builder_channels(builder, input) }, self = cc_graph_builder_node(builder, &node);
    cc_graph_builder_param(builder, self, CC_ROLE_WEIGHT, CC_INIT_FAN_IN, name, "weight", 2, dim);
    cc_graph_builder_param(builder, self, CC_ROLE_BIAS, CC_INIT_FAN_IN, name, "bias", 1, &outputs);
    return self;
}

static camcl_status infer(const cc_node *node, const cc_node_shape *x, cc_node_shape *out, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_node_expect_rank(node, x, 2, err));
    *out = (cc_node_shape){ 2, { x->dim[0], node->channels } };
    return CAMCL_OK;
}

static cc_linear_desc desc_of(const cc_pass *pass, size_t self)
{
    const cc_node *node = cc_pass_node(pass, self);
    const size_t *x = pass->nodes[node->inputs[0]].shape.dim;
    return (cc_linear_desc){ x[0], x[1], node->channels };
}

static camcl_status forward(cc_pass *pass, size_t self, camcl_error *err)
{
    const cc_linear_desc desc = desc_of(pass, self);
    cc_tensor io[] = { cc_pass_input(pass, self, 0), cc_pass_value(pass, self, CC_ROLE_WEIGHT), cc_pass_value(pass, self, CC_ROLE_BIAS),
                       pass->nodes[self].output };
    return cc_model_linear(pass->model, pass->tape, CC_FORWARD, &desc, io, 4, false, err);
}

static camcl_status backward(cc_pass *pass, size_t self, bool *written, camcl_error *err)
{
    const cc_linear_desc desc = desc_of(pass, self);
    const cc_tensor dy = pass->nodes[self].gradient;
    cc_tensor dx;
    bool add;
    if (written) {
        bool before = cc_pass_mark_written(pass, self, CC_ROLE_WEIGHT, written);
        cc_pass_mark_written(pass, self, CC_ROLE_BIAS, written);
        cc_tensor io[] = { cc_pass_input(pass, self, 0), dy, cc_pass_param_gradient(pass, self, CC_ROLE_WEIGHT),
                           cc_pass_param_gradient(pass, self, CC_ROLE_BIAS) };
        CC_RETURN_IF_FAILED(cc_model_linear(pass->model, pass->tape, CC_BACKWARD_WEIGHT, &desc, io, 4, before, err));
    }
    CC_RETURN_IF_FAILED(cc_pass_input_gradient(pass, self, 0, &dx, &add, err));
    cc_tensor io[] = { dy, cc_pass_value(pass, self, CC_ROLE_WEIGHT), dx };
    return cc_model_linear(pass->model, pass->tape, CC_BACKWARD_DATA, &desc, io, 3, add, err);
}

static camcl_status tangent(cc_tangent *s, size_t self, camcl_error *err)
{
    cc_pass *pass = s->pass;
    const cc_linear_desc desc = desc_of(pass, self);
    const cc_tensor t = cc_tangent_input(s, self, 0), none = CC_NO_TENSOR;
    cc_tensor gradient[] = { t, pass->nodes[self].gradient, cc_pass_param_gradient(pass, self, CC_ROLE_WEIGHT), none };
    CC_RETURN_IF_FAILED(cc_model_linear(pass->model, pass->tape, CC_BACKWARD_WEIGHT, &desc, gradient, 4,
                                        cc_pass_mark_written(pass, self, CC_ROLE_WEIGHT, s->written), err));
    if (self == cc_pass_last(pass)) return CAMCL_OK; /* nobody asks for the tangent of the logits */
    CC_RETURN_IF_FAILED(cc_tangent_output(s, self, err));
    cc_tensor apply[] = { t, cc_pass_value(pass, self, CC_ROLE_WEIGHT), none, s->t[self] };
    return cc_model_linear(pass->model, pass->tape, CC_FORWARD, &desc, apply, 4, false, err);
}

static void onnx(cc_onnx *o, const cc_node *node)
{
    (void)node;
    cc_onnx_begin(o, "Gemm");
    cc_onnx_param(o, CC_ROLE_WEIGHT);
    cc_onnx_param(o, CC_ROLE_BIAS);
    cc_onnx_integer(o, "transB", 1);
}

const cc_node_kind cc_node_linear = {
    .name = "linear",
    .least_inputs = 1,
    .most_inputs = 1,
    .piecewise_linear = true,
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .tangent = tangent,
    .onnx = onnx,
};
