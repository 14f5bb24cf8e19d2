/* The image: computes nothing, a pass is given its output. */
#include "model/node.h"
#include "model/nodes.h"
#include "model/onnx.h"

/* Normalised there; camcl does that while it loads the images. */
static void onnx(cc_onnx *o, const cc_node *node)
{
    (void)node;
    cc_onnx_begin(o, "Sub");
    cc_onnx_constant(o, CC_ONNX_MEAN);
    cc_onnx_begin(o, "Div");
    cc_onnx_constant(o, CC_ONNX_STD);
}

const cc_node_kind cc_node_input = { .name = "input", .piecewise_linear = true, .onnx = onnx };

size_t cc_graph_builder_image(cc_graph_builder *builder)
{
    const cc_node node = cc_node_of(&cc_node_input, NULL, 0, cc_graph_builder_spec(builder)->channels);
    return cc_graph_builder_node(builder, &node);
}
