/* ONNX models: every architecture becomes one, and what does not is refused. What the models compute is compared in
 * tests/python/test_onnx.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "camcl/export.h"
#include "model/arch.h"
#include "model/node.h"
#include "model/nodes.h"
#include "model/onnx.h"
#include "run/checkpoint.h"
#include "support/ok.h"
#include "support/protobuf.h"
#include "support/scratch.h"

static camcl_error err;

/* A narrow network of two classes whose weights are 0. Returns how many bytes of them there are. */
static size_t write_checkpoint(const char *path, const char *arch, const char *stem, size_t channels)
{
    cc_model_card card = { .graph = { .width = 8, .classes = 2, .channels = channels }, .image_size = 32 };
    cc_graph *graph;
    cc_snapshot weights = { NULL, NULL, 0 };
    size_t bytes = 0;
    snprintf(card.graph.arch, sizeof card.graph.arch, "%s", arch);
    snprintf(card.graph.stem, sizeof card.graph.stem, "%s", stem);
    for (size_t c = 0; c < channels; c++)
        card.std[c] = 1;
    OK(cc_model_card_set_names(&card, (const char *const[]){ "no", "yes" }, &err));
    OK(cc_graph_build(&card.graph, 1, &graph, &err));
    OK(cc_snapshot_allocate(&weights, graph, &err));
    OK(cc_checkpoint_write(path, graph, &card, &weights, &err));
    for (size_t i = 0; i < graph->param_count; i++)
        bytes += graph->params[i].count * sizeof(float);
    cc_snapshot_free(&weights);
    cc_graph_destroy(&graph);
    cc_model_card_free(&card);
    return bytes;
}

static void export_one(const char *folder, const char *arch, const char *stem, size_t channels)
{
    static const char start[] = "\x08\x07\x12\x05"
                                "camcl";
    const char *checkpoint = scratch_path(folder, "net.safetensors"), *path = scratch_path(folder, "net.onnx");
    size_t size;
    const size_t bytes = write_checkpoint(checkpoint, arch, stem, channels);
    OK(camcl_export_onnx(checkpoint, path, &err));
    char *data = scratch_read(path, &size);
    assert_non_null(data);
    assert_memory_equal(data, start, sizeof start - 1);
    assert_true(size > bytes && size < bytes + 65536);
    free(data);
}

static void every_architecture_is_written(void **state)
{
    size_t count = 0;
    for (size_t i = 0; i < cc_arch_count; i++) {
        char stems[64];
        snprintf(stems, sizeof stems, "%s", cc_archs[i].stems);
        for (char *stem = strtok(stems, " |"); stem; stem = strtok(NULL, " |"), count++)
            export_one(*state, cc_archs[i].name, stem, 3);
    }
    assert_true(count > cc_arch_count);
    export_one(*state, "resnet18", "cifar", 1);
}

/* ---- what is written */

enum { MODEL_GRAPH = 7, GRAPH_NODE = 1, NODE_OPERATOR = 4, NODE_ATTRIBUTE = 5 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_FLOAT = 2, ATTRIBUTE_INTEGERS = 8 };

/* The first field of this number, which must be there. */
static protobuf_bytes content_of(protobuf_bytes message, unsigned number)
{
    for (protobuf_field f; protobuf_next(&message, &f);)
        if (f.number == number) return f.content;
    fail_msg("no field %u", number);
    return message;
}

/* The next node of the graph that has this operator; false: there is none. */
static bool next_node(protobuf_bytes *graph, const char *op, protobuf_bytes *node)
{
    for (protobuf_field f; protobuf_next(graph, &f);) {
        if (f.number != GRAPH_NODE || !protobuf_is_text(content_of(f.content, NODE_OPERATOR), op)) continue;
        *node = f.content;
        return true;
    }
    return false;
}

static protobuf_bytes attribute_of(protobuf_bytes node, const char *name)
{
    for (protobuf_field f; protobuf_next(&node, &f);)
        if (f.number == NODE_ATTRIBUTE && protobuf_is_text(content_of(f.content, ATTRIBUTE_NAME), name)) return f.content;
    fail_msg("no attribute %s", name);
    return node;
}

static void assert_integers(protobuf_bytes node, const char *name, const uint64_t *values, size_t count)
{
    protobuf_bytes attribute = attribute_of(node, name);
    size_t found = 0;
    for (protobuf_field f; protobuf_next(&attribute, &f);) {
        if (f.number != ATTRIBUTE_INTEGERS) continue;
        assert_true(found < count);
        if (f.value != values[found]) fail_msg("%s: number %zu is %llu", name, found, (unsigned long long)f.value);
        found++;
    }
    assert_int_equal(found, count);
}

static void assert_number(protobuf_bytes node, const char *name, float value)
{
    protobuf_bytes attribute = attribute_of(node, name);
    for (protobuf_field f; protobuf_next(&attribute, &f);)
        if (f.number == ATTRIBUTE_FLOAT && protobuf_float(&f) == value) return;
    fail_msg("%s is not %g", name, (double)value);
}

/* Exports a narrow network; *graph lies in the data, which the caller frees. */
static char *exported(const char *folder, const char *arch, const char *stem, protobuf_bytes *graph)
{
    const char *checkpoint = scratch_path(folder, "net.safetensors"), *path = scratch_path(folder, "net.onnx");
    size_t size;
    write_checkpoint(checkpoint, arch, stem, 3);
    OK(camcl_export_onnx(checkpoint, path, &err));
    char *data = scratch_read(path, &size);
    assert_non_null(data);
    *graph = content_of((protobuf_bytes){ (unsigned char *)data, (unsigned char *)data + size }, MODEL_GRAPH);
    return data;
}

static void a_resnet_has_its_operators(void **state)
{
    static const struct {
        const char *op;
        size_t count;
    } operators[] = { { "Conv", 20 },   { "BatchNormalization", 20 }, { "Add", 8 },     { "Relu", 17 },
                      { "MaxPool", 1 }, { "GlobalAveragePool", 1 },   { "Flatten", 1 }, { "Gemm", 1 } };
    protobuf_bytes graph, node, rest;
    char *data = exported(*state, "resnet18", "imagenet", &graph);
    for (size_t i = 0; i < CC_COUNT(operators); i++) {
        size_t count = 0;
        for (rest = graph; next_node(&rest, operators[i].op, &node); count++)
            if (strcmp(operators[i].op, "BatchNormalization") == 0) assert_number(node, "epsilon", 1e-5f);
        if (count != operators[i].count) fail_msg("%s: %zu times, not %zu", operators[i].op, count, operators[i].count);
    }
    rest = graph;
    assert_true(next_node(&rest, "Conv", &node));
    assert_integers(node, "kernel_shape", (const uint64_t[]){ 7, 7 }, 2);
    assert_integers(node, "strides", (const uint64_t[]){ 2, 2 }, 2);
    assert_integers(node, "pads", (const uint64_t[]){ 3, 3, 3, 3 }, 4);
    free(data);
}

static void a_wide_resnet_has_its_slope(void **state)
{
    protobuf_bytes graph, node;
    size_t count = 0;
    char *data = exported(*state, "wrn28-2", "cifar", &graph);
    for (; next_node(&graph, "LeakyRelu", &node); count++)
        assert_number(node, "alpha", 0.1f);
    assert_int_equal(count, 25); /* two in each of twelve blocks, and one at the end */
    free(data);
}

/* ---- what cannot be written */

static const cc_node_kind unknown = { .name = "fold", .least_inputs = 1, .most_inputs = 1 };

static cc_graph *with_node(const cc_node *extra)
{
    const cc_graph_spec spec = { .arch = "odd", .stem = "cifar", .width = 8, .classes = 2, .channels = 3 };
    cc_graph_builder *builder;
    cc_graph *graph;
    OK(cc_graph_builder_create(&spec, 1, &builder, &err));
    size_t x = cc_graph_builder_image(builder);
    if (extra) x = cc_graph_builder_node(builder, extra);
    cc_graph_builder_linear(builder, cc_graph_builder_global_average_pool(builder, x), "fc", 2);
    OK(cc_graph_builder_finish(&builder, &graph));
    return graph;
}

static void a_node_without_a_form_is_refused(void **state)
{
    (void)state;
    const cc_node fold = cc_node_of(&unknown, (size_t[]){ 0 }, 1, 3);
    for (int odd = 0; odd < 2; odd++) {
        cc_text fields = CC_TEXT_INIT;
        cc_graph *graph = with_node(odd ? &fold : NULL);
        const camcl_status status = cc_onnx_write_nodes(graph, &fields, &err);
        assert_int_equal(status, odd ? CAMCL_UNSUPPORTED : CAMCL_OK);
        if (odd) assert_non_null(strstr(err.message, "fold"));
        assert_false(fields.failed);
        cc_text_free(&fields);
        cc_graph_destroy(&graph);
    }
}

/* Each kind of activation has an operator, so that an architecture may use any of them. */
static void every_activation_has_a_form(void **state)
{
    (void)state;
    for (int kind = 0; kind < CC_ACTIVATION_COUNT; kind++) {
        cc_text fields = CC_TEXT_INIT;
        cc_node node = cc_node_of(&cc_node_activation, (size_t[]){ 0 }, 1, 3);
        node.activation = (cc_activation){ (cc_activation_kind)kind, 0.1f };
        cc_graph *graph = with_node(&node);
        OK(cc_onnx_write_nodes(graph, &fields, &err));
        cc_text_free(&fields);
        cc_graph_destroy(&graph);
    }
    for (size_t i = 0; i < cc_node_kind_count; i++)
        if (cc_node_kinds[i]->onnx == NULL) fail_msg("%s has no form in ONNX", cc_node_kinds[i]->name);
}

/* ---- files */

static void assert_kept(const char *path, const char *content)
{
    size_t size;
    char *data = scratch_read(path, &size);
    assert_string_equal(data, content);
    free(data);
}

static void nothing_of_others_is_overwritten(void **state)
{
    const char *checkpoint = scratch_path(*state, "net.safetensors"), *path = scratch_path(*state, "out");
    write_checkpoint(checkpoint, "resnet18", "cifar", 3);
    scratch_write(path, "my notes", 8);
    assert_int_equal(camcl_export_onnx(checkpoint, path, &err), CAMCL_EXISTS);
    assert_kept(path, "my notes");
    assert_int_equal(camcl_export_onnx(checkpoint, checkpoint, &err), CAMCL_EXISTS);
    scratch_write(path, "", 0);
    OK(camcl_export_onnx(checkpoint, path, &err)); /* an empty file is nobody's */
    OK(camcl_export_onnx(checkpoint, path, &err)); /* its own is replaced */
    const char *link = scratch_path(*state, "link");
    assert_int_equal(symlink(scratch_path(*state, "nowhere"), link), 0);
    FAILS(camcl_export_onnx(checkpoint, link, &err), CAMCL_EXISTS, "a link that leads nowhere");
}

static void models_are_whole_or_absent(void **state)
{
    const char *checkpoint = scratch_path(*state, "net.safetensors"), *path = scratch_path(*state, "out.onnx");
    write_checkpoint(checkpoint, "resnet18", "cifar", 3);
    scratch_limit_files(100000);
    const camcl_status status = camcl_export_onnx(checkpoint, path, &err);
    scratch_unlimit_files();
    assert_int_equal(status, CAMCL_IO);
    assert_int_equal(scratch_entries(*state), 1);
    assert_int_equal(camcl_export_onnx(checkpoint, scratch_path(*state, "nowhere/out.onnx"), &err), CAMCL_IO);
    assert_int_equal(camcl_export_onnx(scratch_path(*state, "missing"), path, &err), CAMCL_IO);
    assert_int_equal(scratch_entries(*state), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_architecture_is_written, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(a_resnet_has_its_operators, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(a_wide_resnet_has_its_slope, scratch_setup, scratch_teardown),
        cmocka_unit_test(a_node_without_a_form_is_refused),
        cmocka_unit_test(every_activation_has_a_form),
        cmocka_unit_test_setup_teardown(nothing_of_others_is_overwritten, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(models_are_whole_or_absent, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
