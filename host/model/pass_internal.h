/* A pass from the inside, for the files that record its directions. */
#ifndef CC_MODEL_PASS_INTERNAL_H
#define CC_MODEL_PASS_INTERNAL_H

#include "model/pass.h"

typedef struct cc_node_state {
    cc_tensor output, mean, invstd;
    cc_tensor gradient; /* of the output; no buffer until something was written */
    bool fused;         /* a batch norm that its convolution applied: its input was never stored */
} cc_node_state;

struct cc_pass {
    cc_model *model;
    cc_tape *tape;
    cc_pass_spec spec;
    cc_node_state *nodes;
};

/* A tensor on the pass's tape, named after the node and its parameters. */
camcl_status cc_pass_tensor(cc_pass *pass, const char *what, size_t node, unsigned rank, const size_t *dim, cc_tensor *out,
                            camcl_error *err);
/* Sets the parameter's flag and returns what it was: whether to add to its gradient. */
bool cc_mark_written(bool *written, size_t param);

static inline cc_conv2d_desc cc_conv_desc_of(const cc_node *node, const cc_tensor *x)
{
    return (
        cc_conv2d_desc){ x->dim[0], x->dim[1], x->dim[2], x->dim[3], node->channels, node->window, node->window, node->stride, node->pad };
}

static inline cc_pool_desc cc_pool_desc_of(const cc_node *node, const cc_tensor *x)
{
    return (cc_pool_desc){ x->dim[0], x->dim[1], x->dim[2], x->dim[3], node->window, node->stride, node->pad };
}

/* eps and momentum are PyTorch's defaults for BatchNorm2d. */
static inline cc_batch_norm_desc cc_batch_norm_desc_of(const cc_node *node, const cc_tensor *x)
{
    size_t c = x->dim[x->rank - 1];
    return (cc_batch_norm_desc){ cc_tensor_count(x) / c, c, 1e-5f, 0.1f, node->slope };
}

#endif
