/* A network as a static list of nodes in order of computation, and the table of its parameters. Says nothing of batch sizes, devices or
 * memory. Made by a graph builder (builder.h). */
#ifndef CC_MODEL_GRAPH_H
#define CC_MODEL_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "ops/activation.h"

#define CC_NONE ((size_t)-1)

enum { CC_MAX_INPUTS = 4, CC_MAX_STAGES = 4 };

/* What a parameter is to its node. From CC_ROLE_RUNNING_MEAN on: statistics, which no gradient changes. */
typedef enum cc_param_role { CC_ROLE_WEIGHT, CC_ROLE_BIAS, CC_ROLE_RUNNING_MEAN, CC_ROLE_RUNNING_VAR, CC_ROLE_COUNT } cc_param_role;

/* What a parameter is before training. */
typedef enum cc_param_init {
    CC_INIT_FAN_OUT, /* normal with variance 2/(K R S): ReLU follows, and the variance is kept in the backward pass */
    CC_INIT_FAN_IN,  /* uniform in +-1/sqrt(I), I = numbers that the node's weight takes per output */
    CC_INIT_ONE,
    CC_INIT_ZERO
} cc_param_init;

typedef struct cc_param {
    char name[96]; /* torchvision's */
    size_t node;   /* whose it is */
    cc_param_role role;
    cc_param_init init;
    unsigned rank;
    size_t dim[4]; /* torchvision's shape: convolution [K,C,R,S], linear [O,I] */
    size_t count;
    size_t offset; /* floats from the start of the flat vector it lives in (trained parameters / statistics) */
} cc_param;

static inline bool cc_param_is_statistic(const cc_param *param) { return param->role >= CC_ROLE_RUNNING_MEAN; }

typedef struct cc_node_kind cc_node_kind; /* node.h */

/* Attributes that a node's kind does not have are 0 or, where there is one, neutral. */
typedef struct cc_node {
    const cc_node_kind *kind;
    size_t inputs[CC_MAX_INPUTS]; /* earlier nodes */
    size_t input_count;
    size_t params[CC_ROLE_COUNT]; /* by role; CC_NONE where the node has none */
    size_t channels;              /* of the output */
    size_t window, stride, pad;   /* convolution, pooling */
    size_t groups;                /* convolution */
    float epsilon, momentum;      /* batch norm: added to the variance; share of a batch in the running statistics */
    cc_activation activation;     /* what the node applies to its result */
} cc_node;

typedef struct cc_graph_spec {
    char arch[32], stem[16];         /* a row of the table of architectures (arch.h), and one of its stems */
    size_t width, classes, channels; /* first stage (0: the architecture's own), outputs, of the input image */
} cc_graph_spec;

typedef struct cc_graph {
    cc_graph_spec spec; /* width resolved */
    cc_node *nodes;     /* the first is the image, the last one gives the logits */
    size_t node_count, node_capacity;
    cc_param *params;
    size_t param_count, param_capacity;
    size_t stage_end[CC_MAX_STAGES]; /* node that ends stage 1.. */
    size_t stages;
    size_t trained, statistics; /* floats in the two flat vectors, including alignment gaps */
} cc_graph;

void cc_graph_destroy(cc_graph **graph);

/* The parameter of this name, or CC_NONE. */
size_t cc_graph_find(const cc_graph *graph, const char *name);
/* How often `node` reads the output of `input`. */
size_t cc_node_reads(const cc_node *node, size_t input);

/* The shape of what a node computes: [N,H,W,C] or [N,C]. */
typedef struct cc_node_shape {
    unsigned rank;
    size_t dim[4];
} cc_node_shape;

bool cc_node_shapes_equal(const cc_node_shape *a, const cc_node_shape *b);

#endif
