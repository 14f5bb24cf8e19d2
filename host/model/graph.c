/* ResNets with torchvision's structure and names (He, Zhang, Ren, Sun: "Deep residual learning for image recognition", CVPR 2016; in
 * bottlenecks the stride sits on the 3x3 convolution), and wide residual networks (Zagoruyko, Komodakis: "Wide residual networks", BMVC
 * 2016) as semi-supervised learning uses them: pre-activation, leaky ReLU 0.1. */
#include "model/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef struct builder {
    cc_graph *graph;
    size_t align;
    camcl_status status; /* the first failure; later calls do nothing */
    camcl_error *err;
} builder;

static size_t add_param(builder *b, cc_param_kind kind, unsigned rank, const size_t *dim, const char *name, const char *suffix)
{
    cc_graph *g = b->graph;
    if (b->status == CAMCL_OK) b->status = cc_grow((void **)&g->params, &g->param_capacity, g->param_count + 1, sizeof *g->params, b->err);
    if (b->status != CAMCL_OK) return CC_NONE;
    cc_param *p = &g->params[g->param_count];
    memset(p, 0, sizeof *p);
    snprintf(p->name, sizeof p->name, "%s.%s", name, suffix);
    p->kind = kind;
    p->rank = rank;
    p->count = 1;
    for (unsigned i = 0; i < rank; i++) {
        p->dim[i] = dim[i];
        p->count *= dim[i];
    }
    size_t *end = cc_param_is_statistic(p) ? &g->statistics : &g->trained;
    p->offset = *end;
    *end += cc_round_up(p->count, b->align);
    return g->param_count++;
}

static size_t add_node(builder *b, const cc_node *node)
{
    cc_graph *g = b->graph;
    if (b->status == CAMCL_OK) b->status = cc_grow((void **)&g->nodes, &g->node_capacity, g->node_count + 1, sizeof *g->nodes, b->err);
    if (b->status != CAMCL_OK) return 0;
    g->nodes[g->node_count] = *node;
    return g->node_count++;
}

/* After a failed add_node the list may be empty. */
static size_t channels_of(const builder *b, size_t node) { return b->status == CAMCL_OK ? b->graph->nodes[node].channels : 1; }

static const cc_node no_node = {
    .residual = CC_NONE, .slope = 1, .weight = CC_NONE, .bias = CC_NONE, .running_mean = CC_NONE, .running_var = CC_NONE
};

static size_t conv(builder *b, size_t input, const char *name, size_t channels, size_t window, size_t stride)
{
    cc_node node = no_node;
    size_t in = channels_of(b, input);
    node.kind = CC_NODE_CONV;
    node.input = input;
    node.channels = channels;
    node.window = window;
    node.stride = stride;
    node.pad = window / 2;
    node.weight = add_param(b, CC_PARAM_CONV, 4, (size_t[]){ channels, in, window, window }, name, "weight");
    return add_node(b, &node);
}

static size_t batch_norm(builder *b, size_t input, const char *name, size_t residual, float slope)
{
    cc_node node = no_node;
    size_t c = channels_of(b, input);
    node.kind = CC_NODE_BATCH_NORM;
    node.input = input;
    node.residual = residual;
    node.channels = c;
    node.slope = slope;
    node.weight = add_param(b, CC_PARAM_GAMMA, 1, &c, name, "weight");
    node.bias = add_param(b, CC_PARAM_BETA, 1, &c, name, "bias");
    node.running_mean = add_param(b, CC_PARAM_RUNNING_MEAN, 1, &c, name, "running_mean");
    node.running_var = add_param(b, CC_PARAM_RUNNING_VAR, 1, &c, name, "running_var");
    return add_node(b, &node);
}

static size_t pool(builder *b, cc_node_kind kind, size_t input, size_t window, size_t stride, size_t pad)
{
    cc_node node = no_node;
    node.kind = kind;
    node.input = input;
    node.channels = channels_of(b, input);
    node.window = window;
    node.stride = stride;
    node.pad = pad;
    return add_node(b, &node);
}

/* The projection of a block's input where shape changes, else the input itself. */
static size_t shortcut(builder *b, size_t input, const char *block, size_t channels, size_t stride)
{
    char name[64];
    if (stride == 1 && channels_of(b, input) == channels) return input;
    snprintf(name, sizeof name, "%s.downsample.0", block);
    size_t x = conv(b, input, name, channels, 1, stride);
    snprintf(name, sizeof name, "%s.downsample.1", block);
    return batch_norm(b, x, name, CC_NONE, 1);
}

/* windows[i] is the kernel size of the block's i-th convolution; the stride sits on the first 3x3. */
static size_t residual_block(builder *b, size_t input, const char *block, const size_t *windows, size_t convs, size_t width,
                             size_t channels, size_t stride)
{
    char name[64];
    size_t x = input, strided = convs == 3 ? 1 : 0, side = shortcut(b, input, block, channels, stride);
    for (size_t i = 0; i < convs; i++) {
        bool last = i + 1 == convs;
        snprintf(name, sizeof name, "%s.conv%zu", block, i + 1);
        x = conv(b, x, name, last ? channels : width, windows[i], i == strided ? stride : 1);
        snprintf(name, sizeof name, "%s.bn%zu", block, i + 1);
        x = batch_norm(b, x, name, last ? side : CC_NONE, 0);
    }
    return x;
}

static size_t add(builder *b, size_t input, size_t residual)
{
    cc_node node = no_node;
    node.kind = CC_NODE_ADD;
    node.input = input;
    node.residual = residual;
    node.channels = channels_of(b, input);
    return add_node(b, &node);
}

static size_t linear(builder *b, size_t input, const char *name, size_t out)
{
    cc_node node = no_node;
    node.kind = CC_NODE_LINEAR;
    node.input = input;
    node.channels = out;
    node.weight = add_param(b, CC_PARAM_LINEAR, 2, (size_t[]){ out, channels_of(b, input) }, name, "weight");
    node.bias = add_param(b, CC_PARAM_BIAS, 1, &out, name, "bias");
    return add_node(b, &node);
}

static const float wide_slope = 0.1f;

typedef struct resnet_layout {
    const char *arch;
    size_t blocks[4];
    bool bottleneck;
} resnet_layout;

static const resnet_layout layouts[] = {
    { "resnet18", { 2, 2, 2, 2 }, false },
    { "resnet34", { 3, 4, 6, 3 }, false },
    { "resnet50", { 3, 4, 6, 3 }, true },
};

static size_t image(builder *b)
{
    cc_node node = no_node;
    node.kind = CC_NODE_INPUT;
    node.input = CC_NONE;
    node.channels = b->graph->spec.channels;
    return add_node(b, &node);
}

/* Batch norm and activation come before each convolution; the shortcut's projection sees the activated input. */
static size_t wide_block(builder *b, size_t input, const char *block, size_t channels, size_t stride)
{
    char name[64];
    snprintf(name, sizeof name, "%s.bn1", block);
    size_t h = batch_norm(b, input, name, CC_NONE, wide_slope), side = input;
    if (stride != 1 || channels_of(b, input) != channels) {
        snprintf(name, sizeof name, "%s.shortcut", block);
        side = conv(b, h, name, channels, 1, stride);
    }
    snprintf(name, sizeof name, "%s.conv1", block);
    size_t x = conv(b, h, name, channels, 3, stride);
    snprintf(name, sizeof name, "%s.bn2", block);
    x = batch_norm(b, x, name, CC_NONE, wide_slope);
    snprintf(name, sizeof name, "%s.conv2", block);
    return add(b, conv(b, x, name, channels, 3, 1), side);
}

/* WRN-28-k: three stages of four blocks, 16 channels in the stem; spec.width = 16 k channels in the first stage. */
static void build_wide_resnet(builder *b)
{
    cc_graph *g = b->graph;
    size_t x = conv(b, image(b), "conv1", 16, 3, 1);
    for (size_t stage = 0; stage < 3; stage++) {
        for (size_t i = 0; i < 4; i++) {
            char name[32];
            snprintf(name, sizeof name, "layer%zu.%zu", stage + 1, i);
            x = wide_block(b, x, name, g->spec.width << stage, stage > 0 && i == 0 ? 2 : 1);
        }
        g->stage_end[stage] = x;
    }
    g->stages = 3;
    x = batch_norm(b, x, "bn", CC_NONE, wide_slope);
    x = pool(b, CC_NODE_GLOBAL_AVERAGE_POOL, x, 0, 1, 0);
    linear(b, x, "fc", g->spec.classes);
}

static void build_resnet(builder *b, const resnet_layout *layout)
{
    static const size_t basic[] = { 3, 3 }, bottleneck[] = { 1, 3, 1 };
    cc_graph *g = b->graph;
    size_t x = image(b);
    bool imagenet = strcmp(g->spec.stem, "imagenet") == 0;
    x = conv(b, x, "conv1", g->spec.width, imagenet ? 7 : 3, imagenet ? 2 : 1);
    x = batch_norm(b, x, "bn1", CC_NONE, 0);
    if (imagenet) x = pool(b, CC_NODE_MAX_POOL, x, 3, 2, 1);
    for (size_t stage = 0; stage < 4; stage++) {
        size_t width = g->spec.width << stage;
        for (size_t i = 0; i < layout->blocks[stage]; i++) {
            char name[32];
            size_t stride = stage > 0 && i == 0 ? 2 : 1;
            snprintf(name, sizeof name, "layer%zu.%zu", stage + 1, i);
            x = layout->bottleneck ? residual_block(b, x, name, bottleneck, 3, width, 4 * width, stride)
                                   : residual_block(b, x, name, basic, 2, width, width, stride);
        }
        g->stage_end[stage] = x;
    }
    g->stages = 4;
    x = pool(b, CC_NODE_GLOBAL_AVERAGE_POOL, x, 0, 1, 0);
    linear(b, x, "fc", g->spec.classes);
}

camcl_status cc_graph_build(const cc_graph_spec *spec, size_t align, cc_graph **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_graph *graph = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &graph, err));
    graph->spec = *spec;
    builder b = { graph, align, CAMCL_OK, err };
    const resnet_layout *layout = NULL;
    for (size_t i = 0; i < CC_COUNT(layouts); i++)
        if (strcmp(layouts[i].arch, spec->arch) == 0) layout = &layouts[i];
    size_t widening = strcmp(spec->arch, "wrn28-2") == 0 ? 2 : strcmp(spec->arch, "wrn28-8") == 0 ? 8 : 0;
    if (layout == NULL && widening == 0) {
        status = cc_fail(err, CAMCL_UNSUPPORTED, "model.arch = %s: not known (resnet18, resnet34, resnet50, wrn28-2 and wrn28-8 are)",
                         spec->arch);
        goto cleanup;
    }
    if (graph->spec.width == 0) graph->spec.width = layout ? 64 : 16 * widening;
    if (layout)
        build_resnet(&b, layout);
    else
        build_wide_resnet(&b);
    CC_TRY(b.status);
    *out = graph;
    graph = NULL;
cleanup:
    cc_graph_destroy(&graph);
    return status;
}

void cc_graph_destroy(cc_graph **graph)
{
    if (*graph == NULL) return;
    free((*graph)->nodes);
    free((*graph)->params);
    free(*graph);
    *graph = NULL;
}
