/* The sum of two or more nodes. */
#include "model/pass_internal.h"
#include "model/nodes.h"
#include "model/onnx.h"

size_t cc_graph_builder_add(cc_graph_builder *builder, const size_t *inputs, size_t count)
{
    const cc_node node = cc_node_of(&cc_node_add, inputs, count, count ? cc_graph_builder_channels(builder, inputs[0]) : 0);
    return cc_graph_builder_node(builder, &node);
}

static camcl_status infer(const cc_node *node, const cc_node_shape *inputs, cc_node_shape *out, camcl_error *err)
{
    *out = inputs[0];
    for (size_t i = 1; i < node->input_count; i++)
        if (!cc_node_shapes_equal(&inputs[i], out))
            return cc_fail(err, CAMCL_FAILED, "model: the terms of a sum have different shapes (report this as a defect)");
    return CAMCL_OK;
}

static cc_pointwise_desc desc_of(const cc_pass *pass, size_t self)
{
    const cc_node_shape *shape = &pass->nodes[self].shape;
    cc_pointwise_desc desc = { 1, CC_NO_ACTIVATION };
    for (unsigned i = 0; i < shape->rank; i++)
        desc.count *= shape->dim[i];
    return desc;
}

/* y = the sum of all terms, two at a time from the left: a partial sum has a tensor of its own. */
static camcl_status sum(cc_pass *pass, size_t self, const cc_tensor *terms, cc_tensor y, camcl_error *err)
{
    const cc_pointwise_desc desc = desc_of(pass, self);
    const size_t count = cc_pass_node(pass, self)->input_count;
    const cc_node_shape *shape = &pass->nodes[self].shape;
    cc_tensor so_far = terms[0];
    for (size_t i = 1; i < count; i++) {
        cc_tensor next = y;
        if (i + 1 < count) CC_RETURN_IF_FAILED(cc_pass_tensor(pass, "partial sum", self, shape->rank, shape->dim, &next, err));
        CC_RETURN_IF_FAILED(cc_add_forward(pass->tape, &desc, so_far, terms[i], next, err));
        so_far = next;
    }
    return CAMCL_OK;
}

static camcl_status forward(cc_pass *pass, size_t self, camcl_error *err)
{
    cc_tensor terms[CC_MAX_INPUTS];
    for (size_t i = 0; i < CC_MAX_INPUTS; i++)
        terms[i] = cc_pass_input(pass, self, i);
    return sum(pass, self, terms, pass->nodes[self].output, err);
}

/* Whether a node from `other` on, before the sum `self`, reads `term`. The backward pass of such a node adds to the gradient of `term`
 * before the gradient of `other` has been used, or while it is used. */
static bool grows_too_early(const cc_graph *graph, size_t self, size_t term, size_t other)
{
    for (size_t i = other; i < self; i++)
        if (cc_node_reads(&graph->nodes[i], term)) return true;
    return false;
}

/* Whether all terms of a sum may use the tensor of the sum's gradient as their own gradient. */
static bool may_share_gradient(const cc_pass *pass, size_t self, const bool *written)
{
    const cc_graph *graph = pass->model->graph;
    const cc_node *node = cc_pass_node(pass, self);
    bool may = cc_pass_may_use_gradient(pass, self, written);
    for (size_t i = 0; i < node->input_count; i++) {
        may = may && pass->nodes[node->inputs[i]].gradient.buffer == NULL && cc_node_reads(node, node->inputs[i]) == 1;
        for (size_t k = 0; k < node->input_count; k++)
            may = may && !(i != k && grows_too_early(graph, self, node->inputs[i], node->inputs[k]));
    }
    return may;
}

/* Takes the terms in pairs: the kernel has two outputs, which must not be the same tensor. */
static camcl_status backward(cc_pass *pass, size_t self, bool *written, camcl_error *err)
{
    const cc_node *node = cc_pass_node(pass, self);
    const cc_node_state *state = &pass->nodes[self];
    const cc_pointwise_desc desc = desc_of(pass, self);
    if (may_share_gradient(pass, self, written)) {
        for (size_t i = 0; i < node->input_count; i++)
            pass->nodes[node->inputs[i]].gradient = state->gradient;
        return CAMCL_OK;
    }
    for (size_t i = 0, taken; i < node->input_count; i += taken) {
        cc_tensor da, db = CC_NO_TENSOR;
        bool add_a, add_b = false;
        taken = i + 1 < node->input_count && node->inputs[i + 1] != node->inputs[i] ? 2 : 1;
        CC_RETURN_IF_FAILED(cc_pass_input_gradient(pass, self, i, &da, &add_a, err));
        if (taken == 2) CC_RETURN_IF_FAILED(cc_pass_input_gradient(pass, self, i + 1, &db, &add_b, err));
        CC_RETURN_IF_FAILED(cc_add_backward(pass->tape, &desc, state->output, state->gradient, da, add_a, db, add_b, err));
    }
    return CAMCL_OK;
}

static camcl_status tangent(cc_tangent *s, size_t self, camcl_error *err)
{
    cc_tensor terms[CC_MAX_INPUTS];
    for (size_t i = 0; i < CC_MAX_INPUTS; i++)
        terms[i] = cc_tangent_input(s, self, i);
    CC_RETURN_IF_FAILED(cc_tangent_output(s, self, err));
    return sum(s->pass, self, terms, s->t[self], err);
}

static void onnx(cc_onnx *o, const cc_node *node)
{
    cc_onnx_begin(o, node->input_count == 2 ? "Add" : "Sum");
    for (size_t i = 1; i < node->input_count; i++)
        cc_onnx_input(o, i);
}

const cc_node_kind cc_node_add = {
    .name = "sum",
    .least_inputs = 2,
    .most_inputs = CC_MAX_INPUTS,
    .piecewise_linear = true,
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .tangent = tangent,
    .onnx = onnx,
};
