/* Networks: names, shapes and counts of torchvision's ResNets, where stages end, where parameters lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "model/graph.h"

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
    for (size_t i = 0; i < g->param_count; i++)
        if (strcmp(g->params[i].name, name) == 0) return &g->params[i];
    return NULL;
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
        assert_int_equal(g->nodes[0].kind, CC_NODE_INPUT);
        assert_int_equal(g->nodes[0].channels, 3);
        for (size_t i = 1; i < g->node_count; i++) {
            const cc_node *n = &g->nodes[i];
            assert_true(n->input < i);
            const size_t params[] = { n->weight, n->bias, n->running_mean, n->running_var };
            for (int p = 0; p < 4; p++)
                if (params[p] != CC_NONE) used[params[p]]++;
            if (n->residual != CC_NONE) {
                assert_true(n->residual < i);
                assert_int_equal(g->nodes[n->residual].channels, n->channels);
            }
            if (n->kind == CC_NODE_CONV) {
                const size_t *dim = g->params[n->weight].dim;
                assert_int_equal(dim[0], n->channels);
                assert_int_equal(dim[1], g->nodes[n->input].channels);
                assert_int_equal(dim[2], n->window);
                assert_int_equal(n->pad, n->window / 2);
            }
        }
        for (size_t i = 0; i < g->param_count; i++)
            assert_int_equal(used[i], 1);
        assert_int_equal(g->nodes[g->node_count - 1].kind, CC_NODE_LINEAR);
        assert_int_equal(g->nodes[g->node_count - 1].channels, 10);
        free(used);
        cc_graph_destroy(&g);
    }
}

/* How much smaller the image is at a node than the input. */
static size_t reduction(const cc_graph *g, size_t node)
{
    size_t factor = 1;
    for (; node > 0; node = g->nodes[node].input)
        if (g->nodes[node].kind == CC_NODE_CONV || g->nodes[node].kind == CC_NODE_MAX_POOL) factor *= g->nodes[node].stride;
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
                assert_int_equal(end->kind, CC_NODE_BATCH_NORM);
                assert_true(end->slope >= 0 && end->slope <= 0); /* ReLU ... */
                assert_true(end->residual != CC_NONE);           /* ... of the sum */
                assert_string_equal(g->params[end->weight].name, cases[a].last[s]);
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
        if (n->kind != CC_NODE_CONV || n->stride == 1) continue;
        assert_int_equal(n->stride, 2);
        bool projection = strstr(g->params[n->weight].name, "downsample") != NULL;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_torchvisions),       cmocka_unit_test(names_and_shapes_are_torchvisions),
        cmocka_unit_test(nodes_are_in_order_and_agree),  cmocka_unit_test(stages_end_behind_their_last_relu),
        cmocka_unit_test(bottlenecks_stride_on_the_3x3), cmocka_unit_test(offsets_are_aligned_and_do_not_overlap),
        cmocka_unit_test(unknown_architectures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
