/* What the rows of its nodes say of a whole graph: shapes, and whether tangents pass. */
#ifndef CC_MODEL_GRAPH_WALK_H
#define CC_MODEL_GRAPH_WALK_H

#include "model/graph.h"

/* The shapes [node_count] of all nodes for a batch of images of this size. CAMCL_BAD_CONFIG when the images are too small. */
camcl_status cc_graph_infer(const cc_graph *graph, size_t batch, size_t height, size_t width, cc_node_shape *shapes, camcl_error *err);
/* Whether the tangent pass can go from the output of node `from` to the logits: CAMCL_UNSUPPORTED names the kind of node it cannot pass. */
camcl_status cc_graph_check_tangent(const cc_graph *graph, size_t from, camcl_error *err);

#endif
