/* Fused neighbours: a convolution and the node that reads it, a batch norm of evaluation or a sum of two, in one launch over the output.
 * Here alone a pass looks at two nodes at once, and knows them by their kinds. */
#include "base/memory.h"
#include "model/pass_internal.h"
#include "ops/record.h"

/* ---- planning */

/* The node that reads this one, if there is but one that reads it once; else CC_NONE. */
static size_t find_only_reader(const cc_graph *graph, size_t node)
{
    size_t reader = CC_NONE;
    for (size_t i = node + 1; i < graph->node_count; i++) {
        const size_t times = cc_node_reads(&graph->nodes[i], node);
        if (times == 0) continue;
        if (times > 1 || reader != CC_NONE) return CC_NONE;
        reader = i;
    }
    return reader;
}

/* Whether a convolution may also compute its reader. A sum always qualifies, because nothing else needs the convolution's own output. A
 * batch norm qualifies if its statistics are known and no gradients of its parameters are computed. */
static bool may_fuse(const cc_pass *pass, size_t conv, size_t reader)
{
    const cc_graph *graph = pass->model->graph;
    if (reader == CC_NONE || graph->nodes[reader].inputs[0] != conv || graph->nodes[reader].input_count > 2) return false;
    if (graph->nodes[reader].kind == &cc_node_add) return true;
    return graph->nodes[reader].kind == &cc_node_batch_norm && !pass->spec.train && pass->spec.frozen_from &&
           conv >= pass->spec.frozen_from;
}

static cc_conv2d_affine_desc desc_of(const cc_pass *pass, size_t conv, size_t reader)
{
    const cc_node *node = cc_pass_node(pass, conv);
    return (cc_conv2d_affine_desc){ cc_node_conv_desc(node, &pass->nodes[node->inputs[0]].shape), cc_pass_node(pass, reader)->activation };
}

/* The variant that computes the convolution together with the reader, or NULL: the one that extends the convolution's own variant. */
static camcl_status find_variants(cc_pass *pass, const cc_conv2d_affine_desc *desc, const cc_variant **plain, const cc_variant **fused,
                                  camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_model_choose(pass->model, CC_FORWARD, &desc->conv, plain, err));
    *fused = cc_operation_find(&cc_conv2d_affine_operation, CC_FORWARD, (*plain)->name);
    const camcl_device *device = pass->model->device;
    if (*fused && (!(*fused)->supports(camcl_device_get_info(device), desc) || !cc_variant_fits(device, *fused, desc))) *fused = NULL;
    return CAMCL_OK;
}

camcl_status cc_pass_plan_fusion(cc_pass *pass, camcl_error *err)
{
    const cc_graph *graph = pass->model->graph;
    for (size_t conv = 0; conv < graph->node_count; conv++) {
        if (graph->nodes[conv].kind != &cc_node_conv) continue;
        const size_t reader = find_only_reader(graph, conv);
        const cc_variant *plain, *fused;
        if (!may_fuse(pass, conv, reader)) continue;
        const cc_conv2d_affine_desc desc = desc_of(pass, conv, reader);
        CC_RETURN_IF_FAILED(find_variants(pass, &desc, &plain, &fused, err));
        if (fused == NULL) continue;
        pass->nodes[conv].deferred = true;
        pass->nodes[reader].fused = conv;
    }
    return CAMCL_OK;
}

/* ---- recording */

/* Scale and shift of a batch norm in evaluation, and what it saves. */
static camcl_status fold(cc_pass *pass, size_t self, cc_tensor *scale, cc_tensor *shift, camcl_error *err)
{
    const cc_node *node = cc_pass_node(pass, self);
    const cc_node_state *state = &pass->nodes[self];
    const cc_batch_norm_desc norm = cc_node_batch_norm_desc(node, &state->shape);
    CC_RETURN_IF_FAILED(cc_pass_tensor(pass, "scale", self, 1, &norm.c, scale, err));
    CC_RETURN_IF_FAILED(cc_pass_tensor(pass, "shift", self, 1, &norm.c, shift, err));
    return cc_batch_norm_fold(pass->tape, &norm, cc_pass_value(pass, self, CC_ROLE_WEIGHT), cc_pass_value(pass, self, CC_ROLE_BIAS),
                              cc_pass_value(pass, self, CC_ROLE_RUNNING_MEAN), cc_pass_value(pass, self, CC_ROLE_RUNNING_VAR),
                              state->saved[0], state->saved[1], *scale, *shift, err);
}

camcl_status cc_pass_forward_fused(cc_pass *pass, size_t self, camcl_error *err)
{
    const cc_node *node = cc_pass_node(pass, self);
    const cc_node_state *state = &pass->nodes[self];
    const size_t conv = state->fused;
    const cc_conv2d_affine_desc desc = desc_of(pass, conv, self);
    cc_tensor w, scale = { pass->model->ones, CC_F32, 1, { node->channels } },
                 shift = { pass->model->zeros, CC_F32, 1, { node->channels } };
    const cc_variant *plain, *fused;
    CC_RETURN_IF_FAILED(find_variants(pass, &desc, &plain, &fused, err));
    if (fused == NULL)
        return cc_fail(err, CAMCL_FAILED, "forward pass: the kernel plan changed since it was planned (report this as a defect)");
    CC_RETURN_IF_FAILED(cc_weights_packed(pass->weights, cc_pass_node(pass, conv)->params[CC_ROLE_WEIGHT], plain, &desc.conv, &w, err));
    if (node->kind == &cc_node_batch_norm) CC_RETURN_IF_FAILED(fold(pass, self, &scale, &shift, err));
    pass->nodes[conv].output = state->output;
    cc_tensor io[] = { cc_pass_input(pass, conv, 0), w, scale, shift, cc_pass_input(pass, self, 1), state->output };
    return cc_variant_record(fused, pass->tape, &desc, io, 6, false, err);
}
