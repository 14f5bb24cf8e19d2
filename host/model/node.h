/* Node kinds. Each kind is a row and has a file of its own, node_<name>.c, with the row and the function that adds such a node to a
 * graph. Passes use the rows and know no kind by name. nodes.h declares the functions that add nodes. */
#ifndef CC_MODEL_NODE_H
#define CC_MODEL_NODE_H

#include "model/graph.h"

enum { CC_MAX_SAVED = 2 };

typedef struct cc_pass cc_pass;       /* pass.h */
typedef struct cc_tangent cc_tangent; /* pass_internal.h */
typedef struct cc_onnx cc_onnx;       /* onnx.h */

struct cc_node_kind {
    const char *name; /* one word */
    size_t least_inputs, most_inputs;
    /* Whether, in evaluation, the node without its activation is linear in its inputs. Tangents are computed only for such nodes, and
     * only if the activation is piecewise linear. */
    bool piecewise_linear;
    /* The names of the tensors, [channels] each, that forward saves for backward beside the node's output. */
    const char *saved[CC_MAX_SAVED];
    /* The output's shape. A window that does not fit in its input gives a dimension of 0. */
    camcl_status (*infer)(const cc_node *node, const cc_node_shape *inputs, cc_node_shape *out, camcl_error *err);
    /* Records the computation of the output. The tensors of the output and of `saved` exist already. */
    camcl_status (*forward)(cc_pass *pass, size_t self, camcl_error *err);
    /* Records the gradients of the inputs and, with `written` (cc_pass_backward), of the node's parameters. */
    camcl_status (*backward)(cc_pass *pass, size_t self, bool *written, camcl_error *err);
    /* Records the tangent of the output, and the gradient of the directional derivative with respect to the node's parameters
     * (cc_pass_tangent). NULL: the kind has no tangent, and ssl.cam_gradient = exact is refused if such a node lies above the stage. */
    camcl_status (*tangent)(cc_tangent *tangent, size_t self, camcl_error *err);
    /* Writes the node, as it is in evaluation, as operators of ONNX. NULL: networks that have such a node cannot be exported. */
    void (*onnx)(cc_onnx *onnx, const cc_node *node);
};

/* For infer: CAMCL_FAILED unless the input's rank is `rank` (4: [N,H,W,C], 2: [N,C]). */
camcl_status cc_node_expect_rank(const cc_node *node, const cc_node_shape *input, unsigned rank, camcl_error *err);
/* Positions of the node's window along a side of `size` pixels; 0 where it does not fit. */
size_t cc_node_positions(const cc_node *node, size_t size);

extern const cc_node_kind cc_node_input, cc_node_conv, cc_node_batch_norm, cc_node_activation, cc_node_add, cc_node_max_pool,
    cc_node_global_average_pool, cc_node_linear;

/* All of them. */
extern const cc_node_kind *const cc_node_kinds[];
extern const size_t cc_node_kind_count;

#endif
