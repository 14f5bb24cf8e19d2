/* The image: computes nothing, a pass is given its output. */
#include "model/node.h"
#include "model/nodes.h"

const cc_node_kind cc_node_input = { .name = "input", .piecewise_linear = true };

size_t cc_graph_builder_image(cc_graph_builder *builder)
{
    const cc_node node = cc_node_of(&cc_node_input, NULL, 0, cc_graph_builder_spec(builder)->channels);
    return cc_graph_builder_node(builder, &node);
}
