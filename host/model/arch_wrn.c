/* Wide residual networks (Zagoruyko, Komodakis: "Wide residual networks", BMVC 2016) as semi-supervised learning uses them: batch norm and
 * leaky ReLU 0.1 before each convolution. */
#include <stdio.h>

#include "model/arch.h"
#include "model/node.h"
#include "model/nodes.h"

static const cc_activation leaky_relu = { CC_ACTIVATION_LEAKY_RELU, 0.1f };

static size_t norm(cc_graph_builder *b, size_t input, const char *name)
{
    return cc_graph_builder_batch_norm(b, input, CC_NONE, name, cc_batch_norm_default(leaky_relu));
}

/* The shortcut's projection sees the activated input. */
static size_t wide_block(cc_graph_builder *b, size_t input, const char *block, size_t channels, size_t stride)
{
    char name[64];
    snprintf(name, sizeof name, "%s.bn1", block);
    size_t h = norm(b, input, name), side = input;
    if (stride != 1 || cc_graph_builder_channels(b, input) != channels) {
        snprintf(name, sizeof name, "%s.shortcut", block);
        side = cc_graph_builder_conv(b, h, name, (cc_conv_attributes){ channels, 1, stride, 1 });
    }
    snprintf(name, sizeof name, "%s.conv1", block);
    size_t x = cc_graph_builder_conv(b, h, name, (cc_conv_attributes){ channels, 3, stride, 1 });
    snprintf(name, sizeof name, "%s.bn2", block);
    x = norm(b, x, name);
    snprintf(name, sizeof name, "%s.conv2", block);
    x = cc_graph_builder_conv(b, x, name, (cc_conv_attributes){ channels, 3, 1, 1 });
    return cc_graph_builder_add(b, (size_t[]){ x, side }, 2);
}

/* WRN-28-k: three stages of four blocks, 16 channels in the stem, 16 k channels in the first stage. */
static void build(cc_graph_builder *b)
{
    const cc_graph_spec *spec = cc_graph_builder_spec(b);
    size_t x = cc_graph_builder_conv(b, cc_graph_builder_image(b), "conv1", (cc_conv_attributes){ 16, 3, 1, 1 });
    for (size_t stage = 0; stage < 3; stage++) {
        for (size_t i = 0; i < 4; i++) {
            char name[32];
            snprintf(name, sizeof name, "layer%zu.%zu", stage + 1, i);
            x = wide_block(b, x, name, spec->width << stage, stage > 0 && i == 0 ? 2 : 1);
        }
        cc_graph_builder_end_stage(b, x);
    }
    x = norm(b, x, "bn");
    x = cc_graph_builder_global_average_pool(b, x);
    cc_graph_builder_linear(b, x, "fc", spec->classes);
}

void cc_arch_build_wrn28_2(cc_graph_builder *builder) { build(builder); }
void cc_arch_build_wrn28_8(cc_graph_builder *builder) { build(builder); }
