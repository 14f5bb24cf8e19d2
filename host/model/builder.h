/* Building a graph, node by node in order of computation. The first error sticks: later calls do nothing, and cc_graph_builder_finish
 * returns it. node.h declares the functions that add a node of each kind. */
#ifndef CC_MODEL_BUILDER_H
#define CC_MODEL_BUILDER_H

#include "model/graph.h"

typedef struct cc_graph_builder cc_graph_builder;

/* `align`: floats to which each parameter's offset is rounded up. err keeps the first error; both must outlive the builder. */
camcl_status cc_graph_builder_create(const cc_graph_spec *spec, size_t align, cc_graph_builder **out, camcl_error *err);
/* Hands the graph over, or the first error, and destroys the builder. The caller owns *out. A graph begins with its image and ends with
 * spec.classes outputs. */
camcl_status cc_graph_builder_finish(cc_graph_builder **builder, cc_graph **out);

const cc_graph_spec *cc_graph_builder_spec(const cc_graph_builder *builder);
/* Channels of a node's output; after an error 1. */
size_t cc_graph_builder_channels(const cc_graph_builder *builder, size_t node);
/* The node ends the next stage: 1, 2, ... */
void cc_graph_builder_end_stage(cc_graph_builder *builder, size_t node);

/* ---- for node kinds */

/* A node without parameters and with neutral attributes. */
cc_node cc_node_of(const cc_node_kind *kind, const size_t *inputs, size_t input_count, size_t channels);
/* Adds a copy of the node and returns its index, after an error 0. */
size_t cc_graph_builder_node(cc_graph_builder *builder, const cc_node *node);
/* Gives the node a parameter called NAME.SUFFIX, of torchvision's shape dim [rank]. */
void cc_graph_builder_param(cc_graph_builder *builder, size_t node, cc_param_role role, cc_param_init init, const char *name,
                            const char *suffix, unsigned rank, const size_t *dim);

#endif
