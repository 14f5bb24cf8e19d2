/* The table of node kinds, and what their shapes have in common. */
#include "base/memory.h"
#include "model/node.h"

const cc_node_kind *const cc_node_kinds[] = {
    &cc_node_input, &cc_node_conv,     &cc_node_batch_norm,          &cc_node_activation,
    &cc_node_add,   &cc_node_max_pool, &cc_node_global_average_pool, &cc_node_linear,
};
const size_t cc_node_kind_count = CC_COUNT(cc_node_kinds);

camcl_status cc_node_expect_rank(const cc_node *node, const cc_node_shape *input, unsigned rank, camcl_error *err)
{
    if (input->rank == rank) return CAMCL_OK;
    return cc_fail(err, CAMCL_FAILED, "model: %s takes inputs of rank %u, not %u (report this as a defect)", node->kind->name, rank,
                   input->rank);
}

size_t cc_node_positions(const cc_node *node, size_t size)
{
    const size_t padded = size + 2 * node->pad;
    return padded < node->window ? 0 : (padded - node->window) / node->stride + 1;
}
