/* The tangent of the network above a node: what the exact Grad-CAM gradient needs of second order. Where that part is
 * piecewise linear in eval mode, which each node's row says, the directional derivative is one more forward pass in which batch norm only
 * scales and activations apply the primal's masks. At each layer, with t = incoming tangent and g = gradient of the explained logits with
 * respect to the layer's output (kept from the CAM's backward pass): dW += wgrad(t, g);   dgamma += sum t g act' / sqrt(var + eps); biases
 * and betas get nothing. */
#include <stdlib.h>

#include "base/memory.h"
#include "model/pass_internal.h"
#include "model/graph_walk.h"

camcl_status cc_tangent_output(cc_tangent *tangent, size_t self, camcl_error *err)
{
    const cc_node_shape *shape = &tangent->pass->nodes[self].shape;
    return cc_pass_tensor(tangent->pass, "tangent", self, shape->rank, shape->dim, &tangent->t[self], err);
}

camcl_status cc_pass_tangent(cc_pass *pass, size_t from, cc_tensor direction, bool *written, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_tangent s = { pass, written, NULL };
    size_t last = cc_pass_last(pass);
    CC_TRY(cc_graph_check_tangent(pass->model->graph, from, err));
    CC_TRY(CC_NEW(last + 1, &s.t, err));
    s.t[from] = direction;
    for (size_t i = from + 1; i <= last; i++)
        CC_TRY(cc_pass_node(pass, i)->kind->tangent(&s, i, err));
cleanup:
    free(s.t);
    return status;
}
