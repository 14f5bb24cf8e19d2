#include "model/pass_internal.h"
#include "model/graph_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* ---- planning */

static camcl_status plan_shapes(cc_pass *pass, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const cc_graph *graph = pass->model->graph;
    cc_node_shape *shapes = NULL;
    CC_TRY(CC_NEW(graph->node_count, &shapes, err));
    CC_TRY(cc_graph_infer(graph, pass->spec.batch, pass->spec.height, pass->spec.width, shapes, err));
    for (size_t i = 0; i < graph->node_count; i++)
        pass->nodes[i] = (cc_node_state){ .shape = shapes[i], .fused = CC_NONE };
cleanup:
    free(shapes);
    return status;
}

camcl_status cc_pass_create(cc_weights *weights, cc_tape *tape, const cc_pass_spec *spec, cc_pass **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_pass *pass = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &pass, err));
    pass->model = weights->model;
    pass->weights = weights;
    pass->tape = tape;
    pass->spec = *spec;
    CC_TRY(CC_NEW(pass->model->graph->node_count, &pass->nodes, err));
    CC_TRY(plan_shapes(pass, err));
    CC_TRY(cc_pass_plan_fusion(pass, err));
    *out = pass;
    pass = NULL;
cleanup:
    cc_pass_destroy(&pass);
    return status;
}

void cc_pass_destroy(cc_pass **pass)
{
    if (*pass == NULL) return;
    free((*pass)->nodes);
    free(*pass);
    *pass = NULL;
}

cc_tensor cc_pass_output(const cc_pass *pass, size_t node) { return pass->nodes[node].output; }
cc_tensor cc_pass_gradient(const cc_pass *pass, size_t node) { return pass->nodes[node].gradient; }
size_t cc_pass_last(const cc_pass *pass) { return pass->model->graph->node_count - 1; }

void cc_pass_set_gradient(cc_pass *pass, size_t node, cc_tensor gradient)
{
    for (size_t i = 0; i < pass->model->graph->node_count; i++)
        pass->nodes[i].gradient = CC_NO_TENSOR;
    pass->nodes[node].gradient = gradient;
}

/* ---- what node kinds ask of a pass */

camcl_status cc_pass_tensor(cc_pass *pass, const char *what, size_t node, unsigned rank, const size_t *dim, cc_tensor *out,
                            camcl_error *err)
{
    const size_t weight = cc_pass_node(pass, node)->params[CC_ROLE_WEIGHT];
    char name[160];
    snprintf(name, sizeof name, "%s of node %zu%s%s", what, node, weight == CC_NONE ? "" : ", ",
             weight == CC_NONE ? "" : pass->model->graph->params[weight].name);
    return cc_tensor_on_tape(pass->tape, name, CC_F32, rank, dim, out, err);
}

camcl_status cc_pass_input_gradient(cc_pass *pass, size_t self, size_t index, cc_tensor *out, bool *add, camcl_error *err)
{
    const size_t input = cc_pass_node(pass, self)->inputs[index];
    cc_node_state *state = &pass->nodes[input];
    *add = state->gradient.buffer != NULL;
    if (!*add) CC_RETURN_IF_FAILED(cc_pass_tensor(pass, "gradient", input, state->shape.rank, state->shape.dim, &state->gradient, err));
    *out = state->gradient;
    return CAMCL_OK;
}

bool cc_pass_may_use_gradient(const cc_pass *pass, size_t self, const bool *written)
{
    for (size_t i = 0; i < self; i++)
        if (pass->nodes[i].gradient.buffer == pass->nodes[self].gradient.buffer) return false;
    return written != NULL;
}

bool cc_pass_mark_written(const cc_pass *pass, size_t self, cc_param_role role, bool *written)
{
    bool *flag = &written[cc_pass_node(pass, self)->params[role]], before = *flag;
    *flag = true;
    return before;
}

/* ---- forward */

static camcl_status forward_node(cc_pass *pass, size_t self, camcl_error *err)
{
    const cc_node *node = cc_pass_node(pass, self);
    cc_node_state *state = &pass->nodes[self];
    if (state->deferred) return CAMCL_OK; /* its reader will do it, when the residual is there, too */
    CC_RETURN_IF_FAILED(cc_pass_tensor(pass, "output", self, state->shape.rank, state->shape.dim, &state->output, err));
    for (size_t i = 0; i < CC_MAX_SAVED && node->kind->saved[i]; i++)
        CC_RETURN_IF_FAILED(cc_pass_tensor(pass, node->kind->saved[i], self, 1, &node->channels, &state->saved[i], err));
    return state->fused != CC_NONE ? cc_pass_forward_fused(pass, self, err) : node->kind->forward(pass, self, err);
}

camcl_status cc_pass_forward(cc_pass *pass, cc_tensor input, camcl_error *err)
{
    const cc_node_shape *shape = &pass->nodes[0].shape;
    if (input.rank != shape->rank || memcmp(input.dim, shape->dim, sizeof shape->dim) != 0)
        return cc_fail(err, CAMCL_FAILED, "forward pass: images of another shape than it was planned for (report this as a defect)");
    pass->nodes[0].output = input;
    for (size_t i = 1; i < pass->model->graph->node_count; i++)
        CC_RETURN_IF_FAILED(forward_node(pass, i, err));
    return CAMCL_OK;
}

/* ---- backward */

camcl_status cc_pass_backward(cc_pass *pass, size_t from, size_t stop, bool *written, camcl_error *err)
{
    for (size_t i = from; i > stop; i--)
        if (pass->nodes[i].gradient.buffer) CC_RETURN_IF_FAILED(cc_pass_node(pass, i)->kind->backward(pass, i, written, err));
    return CAMCL_OK;
}
