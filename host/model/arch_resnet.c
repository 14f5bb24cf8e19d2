/* ResNets with torchvision's structure and names (He, Zhang, Ren, Sun: "Deep residual learning for image recognition", CVPR 2016; in
 * bottlenecks the stride sits on the 3x3 convolution). */
#include <stdio.h>
#include <string.h>

#include "model/arch.h"
#include "model/node.h"
#include "model/nodes.h"

static const cc_activation relu = { CC_ACTIVATION_RELU, 0 }, no_activation = { CC_ACTIVATION_NONE, 0 };

/* The projection of a block's input where shape changes, else the input itself. */
static size_t shortcut(cc_graph_builder *b, size_t input, const char *block, size_t channels, size_t stride)
{
    char name[64];
    if (stride == 1 && cc_graph_builder_channels(b, input) == channels) return input;
    snprintf(name, sizeof name, "%s.downsample.0", block);
    size_t x = cc_graph_builder_conv(b, input, name, (cc_conv_attributes){ channels, 1, stride, 1 });
    snprintf(name, sizeof name, "%s.downsample.1", block);
    return cc_graph_builder_batch_norm(b, x, CC_NONE, name, cc_batch_norm_default(no_activation));
}

typedef struct layout {
    size_t blocks[4];  /* per stage */
    size_t windows[3]; /* kernel sizes of a block's convolutions */
    size_t convs;
    size_t strided;   /* the convolution that has the block's stride: the first 3x3 */
    size_t expansion; /* channels of the block's output / of its inner convolutions */
} layout;

static size_t residual_block(cc_graph_builder *b, const layout *l, size_t input, const char *block, size_t width, size_t stride)
{
    char name[64];
    const size_t channels = l->expansion * width;
    size_t x = input, side = shortcut(b, input, block, channels, stride);
    for (size_t i = 0; i < l->convs; i++) {
        bool last = i + 1 == l->convs;
        snprintf(name, sizeof name, "%s.conv%zu", block, i + 1);
        x = cc_graph_builder_conv(b, x, name,
                                  (cc_conv_attributes){ last ? channels : width, l->windows[i], i == l->strided ? stride : 1, 1 });
        snprintf(name, sizeof name, "%s.bn%zu", block, i + 1);
        x = cc_graph_builder_batch_norm(b, x, last ? side : CC_NONE, name, cc_batch_norm_default(relu));
    }
    return x;
}

static void build(cc_graph_builder *b, const layout *l)
{
    const cc_graph_spec *spec = cc_graph_builder_spec(b);
    size_t x = cc_graph_builder_image(b);
    bool imagenet = strcmp(spec->stem, "imagenet") == 0;
    x = cc_graph_builder_conv(b, x, "conv1", (cc_conv_attributes){ spec->width, imagenet ? 7 : 3, imagenet ? 2 : 1, 1 });
    x = cc_graph_builder_batch_norm(b, x, CC_NONE, "bn1", cc_batch_norm_default(relu));
    if (imagenet) x = cc_graph_builder_max_pool(b, x, 3, 2, 1);
    for (size_t stage = 0; stage < 4; stage++) {
        for (size_t i = 0; i < l->blocks[stage]; i++) {
            char name[32];
            snprintf(name, sizeof name, "layer%zu.%zu", stage + 1, i);
            x = residual_block(b, l, x, name, spec->width << stage, stage > 0 && i == 0 ? 2 : 1);
        }
        cc_graph_builder_end_stage(b, x);
    }
    x = cc_graph_builder_global_average_pool(b, x);
    cc_graph_builder_linear(b, x, "fc", spec->classes);
}

void cc_arch_build_resnet18(cc_graph_builder *builder) { build(builder, &(layout){ { 2, 2, 2, 2 }, { 3, 3 }, 2, 0, 1 }); }
void cc_arch_build_resnet34(cc_graph_builder *builder) { build(builder, &(layout){ { 3, 4, 6, 3 }, { 3, 3 }, 2, 0, 1 }); }
void cc_arch_build_resnet50(cc_graph_builder *builder) { build(builder, &(layout){ { 3, 4, 6, 3 }, { 1, 3, 1 }, 3, 1, 4 }); }
