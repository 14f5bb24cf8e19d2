/* The numbers of fields and types are those of onnx.proto. */
#include "model/onnx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/protobuf.h"
#include "model/node.h"

enum { GRAPH_NODE = 1 };
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_OPERATOR = 4, NODE_ATTRIBUTE = 5 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_FLOAT = 2, ATTRIBUTE_INTEGER = 3, ATTRIBUTE_INTEGERS = 8, ATTRIBUTE_TYPE = 20 };
enum { TYPE_FLOAT = 1, TYPE_INTEGER = 2, TYPE_INTEGERS = 7 };

typedef char value_name[128];

struct cc_onnx {
    const cc_graph *graph;
    cc_text *fields;
    cc_text op;             /* the operator that is being described; empty: none */
    value_name value;       /* its output; without one, the node's first input */
    value_name *outputs;    /* [node_count]: what the nodes before this one computed */
    size_t self, operators; /* the node, and how many operators it has so far */
    const char *missing;    /* an activation for which nothing is written, or NULL */
};

/* ---- operators */

/* The operator's output is called `name`. */
static void end(cc_onnx *o, const char *name)
{
    if (o->op.length == 0 && !o->op.failed) return;
    cc_protobuf_string(&o->op, NODE_OUTPUT, name);
    cc_protobuf_string(&o->op, NODE_NAME, name);
    cc_protobuf_message(o->fields, GRAPH_NODE, &o->op);
}

/* "layer1.0.bn1" by a node's parameters, "sum17" where it has none. */
static void name_node(const cc_onnx *o, value_name name)
{
    const cc_node *node = &o->graph->nodes[o->self];
    for (size_t role = 0; role < CC_ROLE_COUNT; role++) {
        if (node->params[role] == CC_NONE) continue;
        const char *param = o->graph->params[node->params[role]].name;
        snprintf(name, sizeof(value_name), "%.*s", (int)(strrchr(param, '.') - param), param);
        return;
    }
    snprintf(name, sizeof(value_name), "%s%zu", node->kind->name, o->self);
}

void cc_onnx_begin(cc_onnx *o, const char *op)
{
    value_name input, node;
    memcpy(input, o->value, sizeof input);
    end(o, o->value);
    name_node(o, node);
    if (o->operators++ == 0)
        memcpy(o->value, node, sizeof node);
    else
        snprintf(o->value, sizeof o->value, "%.100s.%.16s", node, op);
    cc_protobuf_string(&o->op, NODE_OPERATOR, op);
    cc_onnx_constant(o, input);
}

void cc_onnx_constant(cc_onnx *o, const char *name) { cc_protobuf_string(&o->op, NODE_INPUT, name); }

void cc_onnx_input(cc_onnx *o, size_t i) { cc_onnx_constant(o, o->outputs[o->graph->nodes[o->self].inputs[i]]); }

void cc_onnx_param(cc_onnx *o, cc_param_role role) { cc_onnx_constant(o, o->graph->params[o->graph->nodes[o->self].params[role]].name); }

/* ---- attributes */

static void add_attribute(cc_onnx *o, const char *name, unsigned type, cc_text *value)
{
    cc_text attribute = CC_TEXT_INIT;
    cc_protobuf_string(&attribute, ATTRIBUTE_NAME, name);
    cc_protobuf_integer(&attribute, ATTRIBUTE_TYPE, type);
    cc_text_add_bytes(&attribute, value->data, value->length);
    attribute.failed = attribute.failed || value->failed;
    cc_text_free(value);
    cc_protobuf_message(&o->op, NODE_ATTRIBUTE, &attribute);
}

void cc_onnx_integer(cc_onnx *o, const char *name, int64_t value)
{
    cc_text text = CC_TEXT_INIT;
    cc_protobuf_integer(&text, ATTRIBUTE_INTEGER, (uint64_t)value);
    add_attribute(o, name, TYPE_INTEGER, &text);
}

void cc_onnx_integers(cc_onnx *o, const char *name, const size_t *values, size_t count)
{
    cc_text text = CC_TEXT_INIT;
    for (size_t i = 0; i < count; i++)
        cc_protobuf_integer(&text, ATTRIBUTE_INTEGERS, values[i]);
    add_attribute(o, name, TYPE_INTEGERS, &text);
}

void cc_onnx_float(cc_onnx *o, const char *name, float value)
{
    cc_text text = CC_TEXT_INIT;
    cc_protobuf_float(&text, ATTRIBUTE_FLOAT, value);
    add_attribute(o, name, TYPE_FLOAT, &text);
}

void cc_onnx_window(cc_onnx *o, const cc_node *node)
{
    cc_onnx_integers(o, "kernel_shape", (size_t[]){ node->window, node->window }, 2);
    cc_onnx_integers(o, "strides", (size_t[]){ node->stride, node->stride }, 2);
    cc_onnx_integers(o, "pads", (size_t[]){ node->pad, node->pad, node->pad, node->pad }, 4);
}

void cc_onnx_activation(cc_onnx *o, cc_activation activation)
{
    static const char *const operators[CC_ACTIVATION_COUNT] = { [CC_ACTIVATION_RELU] = "Relu", [CC_ACTIVATION_LEAKY_RELU] = "LeakyRelu" };
    if (activation.kind == CC_ACTIVATION_NONE) return;
    if (operators[activation.kind] == NULL) {
        o->missing = cc_activation_get(activation)->name;
        return;
    }
    cc_onnx_begin(o, operators[activation.kind]);
    if (activation.kind == CC_ACTIVATION_LEAKY_RELU) cc_onnx_float(o, "alpha", activation.slope);
}

/* ---- the graph */

static camcl_status write_node(cc_onnx *o, size_t self, camcl_error *err)
{
    const cc_node *node = &o->graph->nodes[self];
    end(o, o->value);
    o->self = self;
    o->operators = 0;
    snprintf(o->value, sizeof o->value, "%s", node->input_count ? o->outputs[node->inputs[0]] : CC_ONNX_INPUT);
    if (node->kind->onnx) node->kind->onnx(o, node);
    if (node->kind->onnx == NULL || o->missing)
        return cc_fail(err, CAMCL_UNSUPPORTED, "model.arch = %s: %s cannot be written as ONNX (use the safetensors file itself)",
                       o->graph->spec.arch, o->missing ? o->missing : node->kind->name);
    memcpy(o->outputs[self], o->value, sizeof o->value);
    return CAMCL_OK;
}

camcl_status cc_onnx_write_nodes(const cc_graph *graph, cc_text *fields, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_onnx o = { .graph = graph, .fields = fields };
    CC_TRY(CC_NEW(graph->node_count, &o.outputs, err));
    for (size_t i = 0; i < graph->node_count; i++)
        CC_TRY(write_node(&o, i, err));
    end(&o, CC_ONNX_OUTPUT);
cleanup:
    cc_text_free(&o.op);
    free(o.outputs);
    return status;
}
