/* A network as a static list of nodes in order of computation, and the table of its parameters. Says nothing of batch sizes, devices or
 * memory. */
#ifndef CC_MODEL_GRAPH_H
#define CC_MODEL_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

typedef enum cc_node_kind {
    CC_NODE_INPUT,
    CC_NODE_CONV,       /* convolution without bias */
    CC_NODE_BATCH_NORM, /* act(batch norm(input) + residual) */
    CC_NODE_ADD,        /* input + residual */
    CC_NODE_MAX_POOL,
    CC_NODE_GLOBAL_AVERAGE_POOL,
    CC_NODE_LINEAR
} cc_node_kind;

#define CC_NONE ((size_t)-1)

typedef struct cc_node {
    cc_node_kind kind;
    size_t input;               /* node; CC_NONE for the input */
    size_t residual;            /* node added before the activation, or CC_NONE */
    size_t channels;            /* of the output */
    size_t window, stride, pad; /* convolution, pooling */
    float slope;                /* activation: 1 none, 0 ReLU, else leaky ReLU */
    /* Parameters, CC_NONE where the kind has none: convolution, linear: weight (and bias); batch norm: weight = gamma, bias = beta, and
     * statistics. */
    size_t weight, bias, running_mean, running_var;
} cc_node;

typedef enum cc_param_kind {
    CC_PARAM_CONV,
    CC_PARAM_GAMMA,
    CC_PARAM_BETA,
    CC_PARAM_LINEAR,
    CC_PARAM_BIAS,
    CC_PARAM_RUNNING_MEAN,
    CC_PARAM_RUNNING_VAR
} cc_param_kind;

typedef struct cc_param {
    char name[96]; /* torchvision's */
    cc_param_kind kind;
    unsigned rank;
    size_t dim[4]; /* torchvision's shape: convolution [K,C,R,S], linear [O,I] */
    size_t count;
    size_t offset; /* floats from the start of the flat vector it lives in (trained parameters / statistics) */
} cc_param;

typedef struct cc_graph_spec {
    char arch[32], stem[16];         /* resnet18 | resnet34 | resnet50 | wrn28-2 | wrn28-8; cifar | imagenet (ResNets only) */
    size_t width, classes, channels; /* first stage (0: the architecture's own), outputs, of the input image */
} cc_graph_spec;

enum { CC_MAX_STAGES = 4 };

typedef struct cc_graph {
    cc_graph_spec spec; /* width resolved */
    cc_node *nodes;
    size_t node_count, node_capacity;
    cc_param *params;
    size_t param_count, param_capacity;
    size_t stage_end[CC_MAX_STAGES]; /* node that ends stage 1.. */
    size_t stages;
    size_t trained, statistics; /* floats in the two flat vectors, including alignment gaps */
} cc_graph;

/* `align`: floats to which each parameter's offset is rounded up. The caller owns *out. */
camcl_status cc_graph_build(const cc_graph_spec *spec, size_t align, cc_graph **out, camcl_error *err);
void cc_graph_destroy(cc_graph **graph);
static inline int cc_param_is_statistic(const cc_param *param) { return param->kind >= CC_PARAM_RUNNING_MEAN; }

#endif
