/* The nodes of a network: each function adds a node of its kind to the graph that is being built, and returns the index of the node, or
 * 0 after an error. The function is defined in the file of its kind, node_<name>.c. */
#ifndef CC_MODEL_NODES_H
#define CC_MODEL_NODES_H

#include "model/builder.h"

/* The image, the first node of every graph. */
size_t cc_graph_builder_image(cc_graph_builder *builder);

/* A convolution without bias over square windows, padded by window / 2. Parameters: NAME.weight. */
typedef struct cc_conv_attributes {
    size_t channels, window, stride;
    size_t groups; /* 0: 1 */
} cc_conv_attributes;
size_t cc_graph_builder_conv(cc_graph_builder *builder, size_t input, const char *name, cc_conv_attributes attributes);

/* act(batch norm(input) + residual); `residual` is a node or CC_NONE. If the activation's derivative needs x, `residual` must be
 * CC_NONE, because the sum is not kept: cc_graph_infer refuses other graphs. After a residual, such an activation needs a node of its
 * own. Parameters: NAME.weight, .bias, .running_mean, .running_var. */
typedef struct cc_batch_norm_attributes {
    cc_activation activation;
    float epsilon, momentum; /* added to the variance; share of a batch in the running statistics */
} cc_batch_norm_attributes;
size_t cc_graph_builder_batch_norm(cc_graph_builder *builder, size_t input, size_t residual, const char *name,
                                   cc_batch_norm_attributes attributes);
/* With PyTorch's defaults for BatchNorm2d. */
static inline cc_batch_norm_attributes cc_batch_norm_default(cc_activation activation)
{
    return (cc_batch_norm_attributes){ activation, 1e-5f, 0.1f };
}

/* act(input) */
size_t cc_graph_builder_activation(cc_graph_builder *builder, size_t input, cc_activation activation);

/* The sum of two to CC_MAX_INPUTS nodes of equal shapes. */
size_t cc_graph_builder_add(cc_graph_builder *builder, const size_t *inputs, size_t count);

size_t cc_graph_builder_max_pool(cc_graph_builder *builder, size_t input, size_t window, size_t stride, size_t pad);
/* The mean over each channel: [N,H,W,C] -> [N,C]. */
size_t cc_graph_builder_global_average_pool(cc_graph_builder *builder, size_t input);

/* [N,I] -> [N,outputs]. Parameters: NAME.weight, NAME.bias. */
size_t cc_graph_builder_linear(cc_graph_builder *builder, size_t input, const char *name, size_t outputs);

#endif
