/* Walks over a graph that ask each node's row. */
#include "model/graph_walk.h"

#include "model/node.h"

camcl_status cc_graph_infer(const cc_graph *graph, size_t batch, size_t height, size_t width, cc_node_shape *shapes, camcl_error *err)
{
    shapes[0] = (cc_node_shape){ 4, { batch, height, width, graph->nodes[0].channels } };
    for (size_t i = 0; i < graph->node_count; i++) {
        const cc_node *node = &graph->nodes[i];
        cc_node_shape inputs[CC_MAX_INPUTS];
        for (size_t k = 0; k < node->input_count; k++)
            inputs[k] = shapes[node->inputs[k]];
        if (i > 0) CC_RETURN_IF_FAILED(node->kind->infer(node, inputs, &shapes[i], err));
        for (unsigned d = 0; d < shapes[i].rank; d++)
            if (shapes[i].dim[d] == 0)
                return cc_fail(err, CAMCL_BAD_CONFIG, "model: images of %zu x %zu are too small for %s (raise data.image_size)", height,
                               width, graph->spec.arch);
    }
    return CAMCL_OK;
}

camcl_status cc_graph_check_tangent(const cc_graph *graph, size_t from, camcl_error *err)
{
    for (size_t i = from + 1; i < graph->node_count; i++) {
        const cc_node *node = &graph->nodes[i];
        if (!cc_activation_get(node->activation)->piecewise_linear)
            return cc_fail(err, CAMCL_UNSUPPORTED,
                           "ssl.cam_gradient = exact: %s has an activation above the stage that is not piecewise linear, %s (set "
                           "ssl.cam_gradient = first-order, or a later ssl.cam_layer)",
                           graph->spec.arch, cc_activation_get(node->activation)->name);
        if (node->kind->tangent == NULL || !node->kind->piecewise_linear)
            return cc_fail(err, CAMCL_UNSUPPORTED,
                           "ssl.cam_gradient = exact: %s has a node above the stage that it cannot pass, %s (set ssl.cam_gradient = "
                           "first-order, or a later ssl.cam_layer)",
                           graph->spec.arch, node->kind->name);
        for (size_t k = 0; k < node->input_count; k++)
            if (node->inputs[k] < from)
                return cc_fail(err, CAMCL_UNSUPPORTED,
                               "ssl.cam_gradient = exact: in %s what lies above the stage reads what lies below it (set ssl.cam_gradient = "
                               "first-order, or another ssl.cam_layer)",
                               graph->spec.arch);
    }
    return CAMCL_OK;
}
