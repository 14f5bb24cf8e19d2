#include "model/builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/node.h"

struct cc_graph_builder {
    cc_graph *graph;
    size_t align;
    camcl_status status; /* the first failure; later calls do nothing */
    camcl_error *err;
};

camcl_status cc_graph_builder_create(const cc_graph_spec *spec, size_t align, cc_graph_builder **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_graph_builder *b = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &b, err));
    CC_TRY(CC_NEW(1, &b->graph, err));
    b->graph->spec = *spec;
    b->align = align;
    b->err = err;
    *out = b;
    b = NULL;
cleanup:
    free(b);
    return status;
}

camcl_status cc_graph_builder_finish(cc_graph_builder **builder, cc_graph **out)
{
    cc_graph_builder *b = *builder;
    cc_graph *g = b->graph;
    if (b->status == CAMCL_OK && (g->node_count < 2 || g->nodes[g->node_count - 1].channels != g->spec.classes))
        b->status =
            cc_fail(b->err, CAMCL_FAILED, "model: %s does not end with an output per class (report this as a defect)", g->spec.arch);
    if (b->status != CAMCL_OK)
        cc_graph_destroy(&g);
    else if (g->statistics == 0)
        g->statistics = b->align; /* no batch norm: device buffers are not empty */
    *out = g;
    const camcl_status status = b->status;
    free(b);
    *builder = NULL;
    return status;
}

const cc_graph_spec *cc_graph_builder_spec(const cc_graph_builder *builder) { return &builder->graph->spec; }

/* After a failure the list may be empty. */
size_t cc_graph_builder_channels(const cc_graph_builder *builder, size_t node)
{
    return builder->status == CAMCL_OK && node < builder->graph->node_count ? builder->graph->nodes[node].channels : 1;
}

void cc_graph_builder_end_stage(cc_graph_builder *builder, size_t node)
{
    cc_graph *g = builder->graph;
    if (builder->status != CAMCL_OK) return;
    if (g->stages == CC_MAX_STAGES)
        builder->status =
            cc_fail(builder->err, CAMCL_FAILED, "model: %s has more than %d stages (report this as a defect)", g->spec.arch, CC_MAX_STAGES);
    else
        g->stage_end[g->stages++] = node;
}

/* ---- nodes and parameters */

cc_node cc_node_of(const cc_node_kind *kind, const size_t *inputs, size_t input_count, size_t channels)
{
    cc_node node = { .kind = kind, .input_count = input_count, .channels = channels, .stride = 1, .groups = 1 };
    for (size_t i = 0; i < CC_ROLE_COUNT; i++)
        node.params[i] = CC_NONE;
    for (size_t i = 0; i < input_count && i < CC_MAX_INPUTS; i++)
        node.inputs[i] = inputs[i];
    return node;
}

/* The image comes first and only first; everything else reads earlier nodes, as many as its kind takes. */
static camcl_status check_inputs(const cc_graph *g, const cc_node *node, camcl_error *err)
{
    const cc_node_kind *kind = node->kind;
    bool good = (g->node_count == 0) == (node->input_count == 0) && node->input_count >= kind->least_inputs &&
                node->input_count <= kind->most_inputs && node->input_count <= CC_MAX_INPUTS;
    for (size_t i = 0; good && i < node->input_count; i++)
        good = node->inputs[i] < g->node_count;
    if (good) return CAMCL_OK;
    return cc_fail(err, CAMCL_FAILED, "model: node %zu of %s, %s, has inputs that it cannot have (report this as a defect)", g->node_count,
                   g->spec.arch, kind->name);
}

size_t cc_graph_builder_node(cc_graph_builder *builder, const cc_node *node)
{
    cc_graph *g = builder->graph;
    if (builder->status == CAMCL_OK) builder->status = check_inputs(g, node, builder->err);
    if (builder->status == CAMCL_OK)
        builder->status = cc_grow((void **)&g->nodes, &g->node_capacity, g->node_count + 1, sizeof *g->nodes, builder->err);
    if (builder->status != CAMCL_OK) return 0;
    g->nodes[g->node_count] = *node;
    return g->node_count++;
}

void cc_graph_builder_param(cc_graph_builder *builder, size_t node, cc_param_role role, cc_param_init init, const char *name,
                            const char *suffix, unsigned rank, const size_t *dim)
{
    cc_graph *g = builder->graph;
    cc_param p = { .node = node, .role = role, .init = init, .rank = rank, .count = 1 };
    if (builder->status == CAMCL_OK)
        builder->status = cc_grow((void **)&g->params, &g->param_capacity, g->param_count + 1, sizeof *g->params, builder->err);
    if (builder->status != CAMCL_OK) return;
    snprintf(p.name, sizeof p.name, "%s.%s", name, suffix);
    if (cc_graph_find(g, p.name) != CC_NONE) {
        builder->status =
            cc_fail(builder->err, CAMCL_FAILED, "model: %s has two parameters %s (report this as a defect)", g->spec.arch, p.name);
        return;
    }
    for (unsigned i = 0; i < rank; i++) {
        p.dim[i] = dim[i];
        p.count *= dim[i];
    }
    size_t *end = cc_param_is_statistic(&p) ? &g->statistics : &g->trained;
    p.offset = *end;
    *end += cc_round_up(p.count, builder->align);
    g->nodes[node].params[role] = g->param_count;
    g->params[g->param_count++] = p;
}
