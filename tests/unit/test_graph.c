/* Networks: names, shapes and counts of torchvision's ResNets, where stages end, where parameters lie; the tables of architectures and node
 * kinds; what a builder takes and what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "camcl/config.h"
#include "base/words.h"
#include "model/arch.h"
#include "model/node.h"
#include "model/graph_walk.h"
#include "model/nodes.h"

static camcl_error err;

static cc_graph *build(const char *arch, const char *stem, size_t width, size_t classes, size_t channels, size_t align)
{
    cc_graph_spec spec = { .width = width, .classes = classes, .channels = channels };
    cc_graph *graph = NULL;
    snprintf(spec.arch, sizeof spec.arch, "%s", arch);
    snprintf(spec.stem, sizeof spec.stem, "%s", stem);
    if (cc_graph_build(&spec, align, &graph, &err) != CAMCL_OK) fail_msg("%s: %s", arch, err.message);
    return graph;
}

static size_t trained(const cc_graph *g)
{
    size_t sum = 0;
    for (size_t i = 0; i < g->param_count; i++)
        sum += cc_param_is_statistic(&g->params[i]) ? 0 : g->params[i].count;
    return sum;
}

static const cc_param *find(const cc_graph *g, const char *name)
{
    const size_t i = cc_graph_find(g, name);
    return i == CC_NONE ? NULL : &g->params[i];
}

static void counts_are_torchvisions(void **state)
{
    (void)state;
    /* sum(p.numel() for p in torchvision.models.<arch>().parameters()), as its documentation gives it; state_dict has 122, 218, 320
     * entries, of which 20, 36, 53 are num_batches_tracked. */
    const struct {
        const char *arch;
        size_t parameters, names;
    } want[] = { { "resnet18", 11689512, 122 - 20 }, { "resnet34", 21797672, 218 - 36 }, { "resnet50", 25557032, 320 - 53 } };
    for (size_t i = 0; i < CC_COUNT(want); i++) {
        cc_graph *g = build(want[i].arch, "imagenet", 0, 1000, 3, 1);
        assert_int_equal(g->spec.width, 64);
        assert_int_equal(trained(g), want[i].parameters);
        assert_int_equal(g->trained, want[i].parameters); /* alignment 1: no gaps */
        assert_int_equal(g->param_count, want[i].names);
        cc_graph_destroy(&g);
        /* The 3x3 stem has 64*3*(49-9) weights less. */
        g = build(want[i].arch, "cifar", 0, 1000, 3, 1);
        assert_int_equal(trained(g), want[i].parameters - 64 * 3 * 40);
        cc_graph_destroy(&g);
        assert_null(g);
    }
}

/* Of WRN-28-2 with ten classes, as papers on semi-supervised learning have it, 1.5 million; of k = 8 by the same sum. */
static void counts_are_the_wide_networks(void **state)
{
    (void)state;
    for (size_t k = 2; k <= 8; k += 6) {
        size_t want = 9 * 3 * 16, in = 16;
        for (size_t w = 16 * k; w <= 64 * k; w *= 2) {
            want += 2 * in + 9 * in * w + in * w + 2 * w + 9 * w * w; /* the first block: its shortcut is a convolution */
            want += 3 * (2 * w + 9 * w * w + 2 * w + 9 * w * w);
            in = w;
        }
        want += 2 * in + 10 * in + 10;
        cc_graph *g = build(k == 2 ? "wrn28-2" : "wrn28-8", "cifar", 0, 10, 3, 1);
        assert_int_equal(g->trained, want);
        if (k == 2) assert_int_equal(want, 1467610);
        cc_graph_destroy(&g);
    }
}

/* ---- the whole table of names and shapes, made anew from the description of the architecture */

typedef struct expected {
    char name[96];
    unsigned rank;
    size_t dim[4];
} expected;
typedef struct table {
    expected rows[400];
    size_t count;
} table;

static void expect_tensor(table *t, unsigned rank, size_t a, size_t b, size_t c, size_t d, const char *format, const char *prefix,
                          const char *suffix)
{
    assert_true(t->count < CC_COUNT(t->rows));
    expected *e = &t->rows[t->count++];
    snprintf(e->name, sizeof e->name, format, prefix, suffix);
    e->rank = rank;
    const size_t dim[4] = { a, b, c, d };
    memcpy(e->dim, dim, sizeof dim);
}

static void expect_norm(table *t, const char *prefix, size_t channels)
{
    const char *const suffixes[] = { "weight", "bias", "running_mean", "running_var" };
    for (int i = 0; i < 4; i++)
        expect_tensor(t, 1, channels, 0, 0, 0, "%s.%s", prefix, suffixes[i]);
}

static void expect_block(table *t, int stage, size_t block, size_t in, size_t planes, bool bottleneck)
{
    char prefix[64];
    const size_t out = bottleneck ? 4 * planes : planes;
    const size_t from[] = { in, planes, planes }, window[] = { bottleneck ? 1 : 3, 3, 1 };
    for (int i = 0; i < (bottleneck ? 3 : 2); i++) {
        size_t to = i == 2 ? out : planes;
        snprintf(prefix, sizeof prefix, "layer%d.%zu.conv%d", stage, block, i + 1);
        expect_tensor(t, 4, to, from[i], window[i], window[i], "%s.%s", prefix, "weight");
        snprintf(prefix, sizeof prefix, "layer%d.%zu.bn%d", stage, block, i + 1);
        expect_norm(t, prefix, to);
    }
    /* A projection where the number of channels or the resolution changes, thus in stage 1 of ResNet-50, too. */
    if (block > 0 || (stage == 1 && !bottleneck)) return;
    snprintf(prefix, sizeof prefix, "layer%d.%zu.downsample.0", stage, block);
    expect_tensor(t, 4, out, in, 1, 1, "%s.%s", prefix, "weight");
    snprintf(prefix, sizeof prefix, "layer%d.%zu.downsample.1", stage, block);
    expect_norm(t, prefix, out);
}

static void check_table(const char *arch, const size_t blocks[4], bool bottleneck, size_t width, size_t classes, size_t channels,
                        bool imagenet)
{
    table *t = calloc(1, sizeof *t);
    cc_graph *g = build(arch, imagenet ? "imagenet" : "cifar", width, classes, channels, 1);
    assert_non_null(t);
    expect_tensor(t, 4, width, channels, imagenet ? 7 : 3, imagenet ? 7 : 3, "%s.%s", "conv1", "weight");
    expect_norm(t, "bn1", width);
    size_t in = width;
    for (int stage = 1; stage <= 4; stage++) {
        size_t planes = width << (stage - 1);
        for (size_t i = 0; i < blocks[stage - 1]; i++) {
            expect_block(t, stage, i, in, planes, bottleneck);
            in = bottleneck ? 4 * planes : planes;
        }
    }
    expect_tensor(t, 2, classes, in, 0, 0, "%s.%s", "fc", "weight");
    expect_tensor(t, 1, classes, 0, 0, 0, "%s.%s", "fc", "bias");
    assert_int_equal(g->param_count, t->count);
    for (size_t i = 0; i < t->count; i++) {
        const expected *e = &t->rows[i];
        const cc_param *p = find(g, e->name);
        if (p == NULL) fail_msg("%s has no %s", arch, e->name);
        size_t count = 1;
        assert_int_equal(p->rank, e->rank);
        for (unsigned d = 0; d < e->rank; d++) {
            if (p->dim[d] != e->dim[d]) fail_msg("%s: dimension %u of %s is %zu, should be %zu", arch, d, e->name, p->dim[d], e->dim[d]);
            count *= e->dim[d];
        }
        assert_int_equal(p->count, count);
    }
    cc_graph_destroy(&g);
    free(t);
}

static void names_and_shapes_are_torchvisions(void **state)
{
    (void)state;
    const size_t shallow[4] = { 2, 2, 2, 2 }, deep[4] = { 3, 4, 6, 3 };
    check_table("resnet18", shallow, false, 64, 1000, 3, true);
    check_table("resnet34", deep, false, 64, 1000, 3, true);
    check_table("resnet50", deep, true, 64, 1000, 3, true);
    check_table("resnet18", shallow, false, 8, 10, 3, false);
    check_table("resnet34", deep, false, 5, 7, 1, false);
    check_table("resnet50", deep, true, 16, 100, 4, false);
}

/* ---- nodes */

static void nodes_are_in_order_and_agree(void **state)
{
    (void)state;
    const char *const archs[] = { "resnet18", "resnet34", "resnet50" };
    for (size_t a = 0; a < CC_COUNT(archs); a++) {
        cc_graph *g = build(archs[a], "imagenet", 8, 10, 3, 1);
        size_t *used = calloc(g->param_count, sizeof *used);
        assert_non_null(used);
        assert_ptr_equal(g->nodes[0].kind, &cc_node_input);
        assert_int_equal(g->nodes[0].channels, 3);
        for (size_t i = 1; i < g->node_count; i++) {
            const cc_node *n = &g->nodes[i];
            assert_true(n->input_count >= n->kind->least_inputs && n->input_count <= n->kind->most_inputs);
            for (size_t k = 0; k < n->input_count; k++)
                assert_true(n->inputs[k] < i);
            for (int role = 0; role < CC_ROLE_COUNT; role++) {
                if (n->params[role] == CC_NONE) continue;
                const cc_param *p = &g->params[n->params[role]];
                used[n->params[role]]++;
                assert_int_equal(p->role, role);
                assert_int_equal(p->node, i);
            }
            if (n->input_count == 2) assert_int_equal(g->nodes[n->inputs[1]].channels, n->channels);
            if (n->kind == &cc_node_conv) {
                const size_t *dim = g->params[n->params[CC_ROLE_WEIGHT]].dim;
                assert_int_equal(dim[0], n->channels);
                assert_int_equal(dim[1], g->nodes[n->inputs[0]].channels);
                assert_int_equal(dim[2], n->window);
                assert_int_equal(n->pad, n->window / 2);
            }
        }
        for (size_t i = 0; i < g->param_count; i++)
            assert_int_equal(used[i], 1);
        assert_ptr_equal(g->nodes[g->node_count - 1].kind, &cc_node_linear);
        assert_int_equal(g->nodes[g->node_count - 1].channels, 10);
        free(used);
        cc_graph_destroy(&g);
    }
}

/* How much smaller the image is at a node than the input. */
static size_t reduction(const cc_graph *g, size_t node)
{
    size_t factor = 1;
    for (; node > 0; node = g->nodes[node].inputs[0])
        factor *= g->nodes[node].stride;
    return factor;
}

static void stages_end_behind_their_last_relu(void **state)
{
    (void)state;
    const struct {
        const char *arch;
        size_t factor;
        const char *last[4];
    } cases[] = {
        { "resnet18", 1, { "layer1.1.bn2.weight", "layer2.1.bn2.weight", "layer3.1.bn2.weight", "layer4.1.bn2.weight" } },
        { "resnet34", 1, { "layer1.2.bn2.weight", "layer2.3.bn2.weight", "layer3.5.bn2.weight", "layer4.2.bn2.weight" } },
        { "resnet50", 4, { "layer1.2.bn3.weight", "layer2.3.bn3.weight", "layer3.5.bn3.weight", "layer4.2.bn3.weight" } },
    };
    for (size_t a = 0; a < CC_COUNT(cases); a++)
        for (int imagenet = 0; imagenet < 2; imagenet++) {
            cc_graph *g = build(cases[a].arch, imagenet ? "imagenet" : "cifar", 8, 10, 3, 1);
            assert_int_equal(g->stages, 4);
            for (size_t s = 0; s < 4; s++) {
                const cc_node *end = &g->nodes[g->stage_end[s]];
                assert_ptr_equal(end->kind, &cc_node_batch_norm);
                assert_int_equal(end->activation.kind, CC_ACTIVATION_RELU);
                assert_int_equal(end->input_count, 2); /* of the sum */
                assert_string_equal(g->params[end->params[CC_ROLE_WEIGHT]].name, cases[a].last[s]);
                assert_int_equal(end->channels, (8 << s) * cases[a].factor);
                assert_int_equal(reduction(g, g->stage_end[s]), (imagenet ? 4u : 1u) << s);
            }
            cc_graph_destroy(&g);
        }
}

static void bottlenecks_stride_on_the_3x3(void **state)
{
    (void)state;
    cc_graph *g = build("resnet50", "cifar", 8, 10, 3, 1);
    size_t strided = 0;
    for (size_t i = 1; i < g->node_count; i++) {
        const cc_node *n = &g->nodes[i];
        if (n->kind != &cc_node_conv || n->stride == 1) continue;
        assert_int_equal(n->stride, 2);
        bool projection = strstr(g->params[n->params[CC_ROLE_WEIGHT]].name, "downsample") != NULL;
        assert_int_equal(n->window, projection ? 1 : 3);
        strided++;
    }
    assert_int_equal(strided, 6); /* stages 2 to 4: one 3x3 and one projection each */
    cc_graph_destroy(&g);
}

/* ---- memory */

static void offsets_are_aligned_and_do_not_overlap(void **state)
{
    (void)state;
    const size_t aligns[] = { 1, 16, 32, 1024 };
    for (size_t a = 0; a < CC_COUNT(aligns); a++) {
        cc_graph *g = build("resnet18", "cifar", 5, 7, 3, aligns[a]);
        size_t end[2] = { 0, 0 };
        for (size_t i = 0; i < g->param_count; i++) {
            const cc_param *p = &g->params[i];
            size_t *e = &end[cc_param_is_statistic(p) != 0];
            assert_int_equal(p->offset % aligns[a], 0);
            assert_true(p->offset >= *e && p->offset < *e + aligns[a]);
            *e = p->offset + p->count;
        }
        assert_int_equal(g->trained, cc_round_up(end[0], aligns[a]));
        assert_int_equal(g->statistics, cc_round_up(end[1], aligns[a]));
        cc_graph_destroy(&g);
    }
}

static void unknown_architectures(void **state)
{
    (void)state;
    const char *const archs[] = { "resnet101", "resnet", "", "ResNet18" };
    for (size_t i = 0; i < CC_COUNT(archs); i++) {
        cc_graph_spec spec = { .stem = "cifar", .classes = 10, .channels = 3 };
        cc_graph *g = (cc_graph *)&spec;
        snprintf(spec.arch, sizeof spec.arch, "%s", archs[i]);
        assert_int_equal(cc_graph_build(&spec, 16, &g, &err), CAMCL_UNSUPPORTED);
        assert_null(g);
        assert_non_null(strstr(err.message, "model.arch"));
        cc_graph_destroy(&g);
    }
}

static void stems_that_an_architecture_lacks(void **state)
{
    (void)state;
    const char *const pairs[][2] = { { "wrn28-2", "imagenet" }, { "resnet18", "mnist" }, { "resnet18", "" } };
    for (size_t i = 0; i < CC_COUNT(pairs); i++) {
        cc_graph_spec spec = { .classes = 10, .channels = 3 };
        cc_graph *g = NULL;
        snprintf(spec.arch, sizeof spec.arch, "%s", pairs[i][0]);
        snprintf(spec.stem, sizeof spec.stem, "%s", pairs[i][1]);
        assert_int_equal(cc_graph_build(&spec, 16, &g, &err), CAMCL_UNSUPPORTED);
        assert_null(g);
        assert_non_null(strstr(err.message, "model.stem"));
    }
}

/* ---- the tables */

/* What the configuration knows of architectures is what the table has. */
static void the_schema_has_the_tables_words(void **state)
{
    (void)state;
    size_t count, words = 0, rows = 0, length;
    const camcl_config_key *schema = camcl_config_schema(&count);
    for (size_t i = 0; i < count; i++) {
        const bool arch = strcmp(schema[i].name, "arch") == 0, stem = strcmp(schema[i].name, "stem") == 0;
        if (strcmp(schema[i].section, "model") != 0 || (!arch && !stem)) continue;
        for (const char *rest = schema[i].words, *word; arch && cc_words_next(&rest, &word, &length); words++) {
            char name[64];
            snprintf(name, sizeof name, "%.*s", (int)length, word);
            if (cc_arch_find(name) == NULL) fail_msg("model.arch = %s is not in the table", name);
        }
        for (size_t a = 0; a < cc_arch_count; a++, rows++) {
            const char *stems = cc_archs[a].stems, *word;
            if (arch && !cc_words_have(schema[i].words, cc_archs[a].name)) fail_msg("model.arch does not have %s", cc_archs[a].name);
            while (stem && cc_words_next(&stems, &word, &length)) {
                char name[64];
                snprintf(name, sizeof name, "%.*s", (int)length, word);
                if (!cc_words_have(schema[i].words, name)) fail_msg("model.stem does not have %s", name);
            }
        }
    }
    assert_int_equal(words, cc_arch_count);
    assert_int_equal(rows, 2 * cc_arch_count);
}

static void every_architecture_keeps_its_rows_word(void **state)
{
    (void)state;
    for (size_t a = 0; a < cc_arch_count; a++) {
        const cc_arch *arch = &cc_archs[a];
        const char *stems = arch->stems, *word;
        size_t length;
        while (cc_words_next(&stems, &word, &length)) {
            char stem[16];
            snprintf(stem, sizeof stem, "%.*s", (int)length, word);
            cc_graph *g = build(arch->name, stem, 0, 10, 3, 1);
            assert_int_equal(g->spec.width, arch->width);
            assert_int_equal(g->stages, arch->stages);
            assert_int_equal(cc_graph_check_tangent(g, g->stage_end[0], &err), CAMCL_OK);
            cc_graph_destroy(&g);
        }
    }
}

static void node_kinds_are_complete(void **state)
{
    (void)state;
    assert_ptr_equal(cc_node_kinds[0], &cc_node_input);
    for (size_t i = 0; i < cc_node_kind_count; i++) {
        const cc_node_kind *kind = cc_node_kinds[i];
        assert_true(*kind->name && strpbrk(kind->name, " \t\n") == NULL);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(cc_node_kinds[k]->name, kind->name);
        assert_int_equal(kind->least_inputs == 0, i == 0);
        assert_true(kind->least_inputs <= kind->most_inputs && kind->most_inputs <= CC_MAX_INPUTS);
        assert_int_equal(kind->infer && kind->forward && kind->backward, i > 0);
    }
}

/* ---- shapes */

static void expect_shape(const cc_graph *g, const cc_node_shape *shapes, size_t node, unsigned rank, size_t a, size_t b, size_t c, size_t d)
{
    const size_t want[] = { a, b, c, d };
    assert_true(node < g->node_count);
    if (shapes[node].rank != rank) fail_msg("node %zu has rank %u, should have %u", node, shapes[node].rank, rank);
    for (unsigned i = 0; i < rank; i++)
        if (shapes[node].dim[i] != want[i]) fail_msg("node %zu: dimension %u is %zu, not %zu", node, i, shapes[node].dim[i], want[i]);
}

static void shapes_are_those_of_the_paper(void **state)
{
    (void)state;
    cc_node_shape shapes[200];
    /* Table 1 of the ResNet paper: 112, 56 (pooling and stage 1), 28, 14, 7 of 224. */
    cc_graph *g = build("resnet50", "imagenet", 0, 1000, 3, 1);
    assert_true(g->node_count <= CC_COUNT(shapes));
    assert_int_equal(cc_graph_infer(g, 2, 224, 224, shapes, &err), CAMCL_OK);
    expect_shape(g, shapes, 0, 4, 2, 224, 224, 3);
    expect_shape(g, shapes, 1, 4, 2, 112, 112, 64);
    expect_shape(g, shapes, 3, 4, 2, 56, 56, 64);
    for (size_t s = 0; s < 4; s++)
        expect_shape(g, shapes, g->stage_end[s], 4, 2, 56u >> s, 56u >> s, 256u << s);
    expect_shape(g, shapes, g->node_count - 2, 2, 2, 2048, 0, 0);
    expect_shape(g, shapes, g->node_count - 1, 2, 2, 1000, 0, 0);
    /* Odd sides: 3x3 with stride 2 and padding 1 makes ceil(n/2) of n. */
    assert_int_equal(cc_graph_infer(g, 1, 75, 50, shapes, &err), CAMCL_OK);
    expect_shape(g, shapes, 1, 4, 1, 38, 25, 64);
    expect_shape(g, shapes, 3, 4, 1, 19, 13, 64);
    expect_shape(g, shapes, g->stage_end[3], 4, 1, 3, 2, 2048);
    cc_graph_destroy(&g);
    g = build("wrn28-2", "cifar", 0, 10, 1, 1);
    assert_true(g->node_count <= CC_COUNT(shapes));
    assert_int_equal(cc_graph_infer(g, 3, 28, 28, shapes, &err), CAMCL_OK);
    for (size_t s = 0; s < 3; s++)
        expect_shape(g, shapes, g->stage_end[s], 4, 3, 28u >> s, 28u >> s, 32u << s);
    cc_graph_destroy(&g);
}

/* ---- what a builder takes: an architecture that is in no table */

/* Of the image [N,H,W,2]: 1 a strided 3x3 of 4 channels, 2 and 3 that read it, 4 their sum with it, 5 pooling, 6 and 7 the head. */
static void build_toy(cc_graph_builder *b)
{
    size_t image = cc_graph_builder_image(b);
    size_t a = cc_graph_builder_conv(b, image, "a", (cc_conv_attributes){ .channels = 4, .window = 3, .stride = 2 });
    size_t p = cc_graph_builder_conv(b, a, "p", (cc_conv_attributes){ .channels = 4, .window = 1, .stride = 1 });
    size_t q = cc_graph_builder_batch_norm(b, a, CC_NONE, "q", (cc_batch_norm_attributes){ CC_LEAKY_RELU(0.25f), 1e-3f, 0.01f });
    size_t sum = cc_graph_builder_add(b, (size_t[]){ a, p, q }, 3);
    cc_graph_builder_end_stage(b, sum);
    size_t pooled = cc_graph_builder_max_pool(b, sum, 3, 2, 0);
    cc_graph_builder_linear(b, cc_graph_builder_global_average_pool(b, pooled), "head", cc_graph_builder_spec(b)->classes);
}

static const cc_arch toy = { "toy", 4, "only", 1, build_toy };
static const cc_graph_spec toy_spec = { .stem = "only", .classes = 5, .channels = 2 };

static cc_graph *build_from(const cc_arch *arch)
{
    cc_graph *g = NULL;
    if (cc_graph_build_arch(arch, &toy_spec, 1, &g, &err) != CAMCL_OK) fail_msg("%s", err.message);
    return g;
}

static void an_architecture_is_built_from_nodes(void **state)
{
    (void)state;
    static const char *const names[] = { "a.weight",       "p.weight",      "q.weight",    "q.bias",
                                         "q.running_mean", "q.running_var", "head.weight", "head.bias" };
    cc_graph *g = build_from(&toy);
    cc_node_shape shapes[8];
    assert_int_equal(g->node_count, 8);
    assert_int_equal(g->param_count, CC_COUNT(names));
    for (size_t i = 0; i < CC_COUNT(names); i++)
        assert_string_equal(g->params[i].name, names[i]);
    assert_int_equal(g->trained, 4 * 2 * 9 + 4 * 4 + 4 + 4 + 5 * 4 + 5);
    assert_int_equal(g->statistics, 4 + 4);
    assert_string_equal(g->spec.arch, "toy");
    assert_int_equal(g->spec.width, 4);
    /* Node 1 is read by three nodes; the sum reads each of its terms once. */
    for (size_t i = 0; i < g->node_count; i++)
        assert_int_equal(cc_node_reads(&g->nodes[i], 1), i == 2 || i == 3 || i == 4);
    assert_int_equal(g->nodes[4].input_count, 3);
    assert_int_equal(g->nodes[1].groups, 1);
    assert_int_equal(g->nodes[3].activation.kind, CC_ACTIVATION_LEAKY_RELU);
    assert_true(g->nodes[3].activation.slope > 0.2f && g->nodes[3].activation.slope < 0.3f);
    /* 11 x 9 -> 3x3, stride 2, padded by 1: 6 x 5 -> pooled by 3, stride 2, unpadded: 2 x 2. */
    assert_int_equal(cc_graph_infer(g, 7, 11, 9, shapes, &err), CAMCL_OK);
    for (size_t i = 1; i <= 4; i++)
        expect_shape(g, shapes, i, 4, 7, 6, 5, 4);
    expect_shape(g, shapes, 5, 4, 7, 2, 2, 4);
    expect_shape(g, shapes, 6, 2, 7, 4, 0, 0);
    expect_shape(g, shapes, 7, 2, 7, 5, 0, 0);
    /* 4 x 4 leaves 2 x 2, in which the pooling's window does not fit. */
    assert_int_equal(cc_graph_infer(g, 7, 4, 4, shapes, &err), CAMCL_BAD_CONFIG);
    assert_non_null(strstr(err.message, "4 x 4 are too small for toy"));
    /* The pooling above the stage has no tangent. */
    assert_int_equal(cc_graph_check_tangent(g, g->stage_end[0], &err), CAMCL_UNSUPPORTED);
    assert_non_null(strstr(err.message, "max-pool"));
    assert_non_null(strstr(err.message, "ssl.cam_gradient"));
    assert_int_equal(cc_graph_check_tangent(g, 5, &err), CAMCL_OK);
    cc_graph_destroy(&g);
}

/* A kind that has a tangent but is not piecewise linear. */
static cc_node_kind curved;

static void build_curved(cc_graph_builder *b)
{
    size_t x = cc_graph_builder_image(b);
    x = cc_graph_builder_global_average_pool(b, x);
    cc_graph_builder_end_stage(b, x);
    const cc_node node = cc_node_of(&curved, (size_t[]){ x, x }, 2, 2);
    cc_graph_builder_linear(b, cc_graph_builder_node(b, &node), "head", 5);
}

/* What lies above the stage reads what lies below it. */
static void build_bypass(cc_graph_builder *b)
{
    size_t image = cc_graph_builder_image(b), x = cc_graph_builder_batch_norm(b, image, CC_NONE, "bn", cc_batch_norm_default(CC_RELU));
    cc_graph_builder_end_stage(b, x);
    x = cc_graph_builder_global_average_pool(b, cc_graph_builder_add(b, (size_t[]){ x, image }, 2));
    cc_graph_builder_linear(b, x, "head", 5);
}

static void tangents_that_would_be_wrong_are_refused(void **state)
{
    (void)state;
    curved = cc_node_add;
    curved.name = "curved";
    curved.piecewise_linear = false;
    const cc_arch archs[] = { { "curve", 2, "only", 1, build_curved }, { "bypass", 2, "only", 1, build_bypass } };
    const char *const want[] = { "curved", "bypass" };
    for (size_t i = 0; i < CC_COUNT(archs); i++) {
        cc_graph *g = build_from(&archs[i]);
        assert_int_equal(cc_graph_check_tangent(g, g->stage_end[0], &err), CAMCL_UNSUPPORTED);
        assert_non_null(strstr(err.message, want[i]));
        cc_graph_destroy(&g);
    }
}

/* ---- what it refuses */

static void build_twice_named(cc_graph_builder *b)
{
    size_t x = cc_graph_builder_global_average_pool(b, cc_graph_builder_image(b));
    cc_graph_builder_linear(b, cc_graph_builder_linear(b, x, "fc", 5), "fc", 5);
}
static void build_from_the_future(cc_graph_builder *b) { cc_graph_builder_linear(b, cc_graph_builder_image(b) + 7, "fc", 5); }
static void build_two_images(cc_graph_builder *b)
{
    cc_graph_builder_linear(b, cc_graph_builder_image(b) + cc_graph_builder_image(b), "fc", 5);
}
static void build_sum_of(cc_graph_builder *b, size_t terms)
{
    size_t x = cc_graph_builder_global_average_pool(b, cc_graph_builder_image(b)), inputs[CC_MAX_INPUTS + 1];
    for (size_t i = 0; i < CC_COUNT(inputs); i++)
        inputs[i] = x;
    cc_graph_builder_linear(b, cc_graph_builder_add(b, inputs, terms), "fc", 5);
}
static void build_sum_of_one(cc_graph_builder *b) { build_sum_of(b, 1); }
static void build_sum_of_too_many(cc_graph_builder *b) { build_sum_of(b, CC_MAX_INPUTS + 1); }
static void build_headless(cc_graph_builder *b) { cc_graph_builder_global_average_pool(b, cc_graph_builder_image(b)); }
static void build_nothing(cc_graph_builder *b) { (void)b; }
static void build_stages(cc_graph_builder *b)
{
    size_t x = cc_graph_builder_image(b);
    for (size_t i = 0; i <= CC_MAX_STAGES; i++)
        cc_graph_builder_end_stage(b, x);
    cc_graph_builder_linear(b, x, "fc", 5);
}

static void networks_that_cannot_be_are_refused(void **state)
{
    (void)state;
    const struct {
        void (*build)(cc_graph_builder *);
        size_t stages;
        const char *says;
    } cases[] = {
        { build_twice_named, 0, "fc.weight" },    { build_from_the_future, 0, "inputs" },        { build_two_images, 0, "inputs" },
        { build_sum_of_one, 0, "inputs" },        { build_sum_of_too_many, 0, "inputs" },        { build_headless, 0, "output per class" },
        { build_nothing, 0, "output per class" }, { build_stages, CC_MAX_STAGES + 1, "stages" }, { build_toy, 2, "stages" }
    };
    for (size_t i = 0; i < CC_COUNT(cases); i++) {
        const cc_arch arch = { "broken", 2, "only", cases[i].stages, cases[i].build };
        cc_graph *g = NULL;
        if (cc_graph_build_arch(&arch, &toy_spec, 1, &g, &err) != CAMCL_FAILED) fail_msg("case %zu was taken", i);
        assert_null(g);
        if (strstr(err.message, cases[i].says) == NULL) fail_msg("case %zu: \"%s\" does not say %s", i, err.message, cases[i].says);
    }
}

static void build_groups(cc_graph_builder *b)
{
    size_t x = cc_graph_builder_conv(b, cc_graph_builder_image(b), "a",
                                     (cc_conv_attributes){ .channels = 3, .window = 3, .stride = 1, .groups = 2 });
    cc_graph_builder_linear(b, cc_graph_builder_global_average_pool(b, x), "fc", 5);
}
static void build_unequal_sum(cc_graph_builder *b)
{
    size_t image = cc_graph_builder_image(b), x = cc_graph_builder_conv(b, image, "a", (cc_conv_attributes){ 2, 3, 2, 1 });
    cc_graph_builder_linear(b, cc_graph_builder_global_average_pool(b, cc_graph_builder_add(b, (size_t[]){ x, image }, 2)), "fc", 5);
}
static void build_unequal_residual(cc_graph_builder *b)
{
    size_t image = cc_graph_builder_image(b), x = cc_graph_builder_conv(b, image, "a", (cc_conv_attributes){ 2, 3, 2, 1 });
    x = cc_graph_builder_batch_norm(b, x, image, "bn", cc_batch_norm_default(CC_RELU));
    cc_graph_builder_linear(b, cc_graph_builder_global_average_pool(b, x), "fc", 5);
}
static void build_own_residual(cc_graph_builder *b)
{
    size_t image = cc_graph_builder_image(b), x = cc_graph_builder_batch_norm(b, image, image, "bn", cc_batch_norm_default(CC_RELU));
    cc_graph_builder_linear(b, cc_graph_builder_global_average_pool(b, x), "fc", 5);
}
static void build_linear_of_pixels(cc_graph_builder *b) { cc_graph_builder_linear(b, cc_graph_builder_image(b), "fc", 5); }
static void build_conv_of_vectors(cc_graph_builder *b)
{
    cc_graph_builder_conv(b, cc_graph_builder_global_average_pool(b, cc_graph_builder_image(b)), "a", (cc_conv_attributes){ 5, 1, 1, 1 });
}

static void shapes_that_do_not_match_are_refused(void **state)
{
    (void)state;
    const struct {
        void (*build)(cc_graph_builder *);
        camcl_status status;
        const char *says;
    } cases[] = { { build_groups, CAMCL_FAILED, "2 groups" },           { build_unequal_sum, CAMCL_FAILED, "sum" },
                  { build_unequal_residual, CAMCL_FAILED, "residual" }, { build_own_residual, CAMCL_FAILED, "residual" },
                  { build_linear_of_pixels, CAMCL_FAILED, "linear" },   { build_conv_of_vectors, CAMCL_FAILED, "convolution" } };
    for (size_t i = 0; i < CC_COUNT(cases); i++) {
        const cc_arch arch = { "broken", 2, "only", 0, cases[i].build };
        cc_node_shape shapes[8];
        cc_graph *g = build_from(&arch);
        if (cc_graph_infer(g, 1, 8, 8, shapes, &err) != cases[i].status) fail_msg("case %zu was taken", i);
        if (strstr(err.message, cases[i].says) == NULL) fail_msg("case %zu: \"%s\" does not say %s", i, err.message, cases[i].says);
        cc_graph_destroy(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_torchvisions),
        cmocka_unit_test(counts_are_the_wide_networks),
        cmocka_unit_test(names_and_shapes_are_torchvisions),
        cmocka_unit_test(nodes_are_in_order_and_agree),
        cmocka_unit_test(stages_end_behind_their_last_relu),
        cmocka_unit_test(bottlenecks_stride_on_the_3x3),
        cmocka_unit_test(offsets_are_aligned_and_do_not_overlap),
        cmocka_unit_test(unknown_architectures),
        cmocka_unit_test(stems_that_an_architecture_lacks),
        cmocka_unit_test(the_schema_has_the_tables_words),
        cmocka_unit_test(every_architecture_keeps_its_rows_word),
        cmocka_unit_test(node_kinds_are_complete),
        cmocka_unit_test(shapes_are_those_of_the_paper),
        cmocka_unit_test(an_architecture_is_built_from_nodes),
        cmocka_unit_test(tangents_that_would_be_wrong_are_refused),
        cmocka_unit_test(networks_that_cannot_be_are_refused),
        cmocka_unit_test(shapes_that_do_not_match_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
