/* A checkpoint as an ONNX model (camcl/export.h). The numbers of fields and types are those of onnx.proto. */
#include "camcl/export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/protobuf.h"
#include "camcl/version.h"
#include "model/arch.h"
#include "model/onnx.h"
#include "run/checkpoint.h"

enum { MODEL_IR = 1, MODEL_PRODUCER = 2, MODEL_PRODUCER_VERSION = 3, MODEL_DOC = 6, MODEL_GRAPH = 7, MODEL_OPSET = 8, MODEL_METADATA = 14 };
enum { OPSET_VERSION = 2 };
enum { PAIR_KEY = 1, PAIR_VALUE = 2 };
enum { GRAPH_NAME = 2, GRAPH_INITIALIZER = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
enum { TENSOR_DIM = 1, TENSOR_TYPE = 2, TENSOR_NAME = 8, TENSOR_DATA = 9 };
enum { VALUE_NAME = 1, VALUE_TYPE = 2, TYPE_TENSOR = 1, TENSOR_ELEMENT = 1, TENSOR_SHAPE = 2, SHAPE_DIM = 1, DIM_VALUE = 1, DIM_NAME = 2 };
enum { FLOAT32 = 1 };
enum { IR_VERSION = 7 }; /* of the format: the one that came with opset 13 */

#define PRODUCER "camcl"

typedef struct contents {
    const cc_safetensors *file;
    const cc_model_card *card;
    const cc_graph *graph; /* the file has every parameter of it and of its shape */
} contents;

/* ---- tensors */

static void add_tensor(cc_text *graph, const char *name, const size_t *dim, size_t rank, const void *values)
{
    cc_text head = CC_TEXT_INIT;
    size_t bytes = sizeof(float);
    for (size_t i = 0; i < rank; i++) {
        cc_protobuf_integer(&head, TENSOR_DIM, dim[i]);
        bytes *= dim[i];
    }
    cc_protobuf_integer(&head, TENSOR_TYPE, FLOAT32);
    cc_protobuf_string(&head, TENSOR_NAME, name);
    cc_protobuf_head(&head, TENSOR_DATA, bytes);
    /* Not as a message of its own: the values are copied once, and there may be a hundred million of them. */
    cc_protobuf_head(graph, GRAPH_INITIALIZER, head.length + bytes);
    cc_text_add_bytes(graph, head.data, head.length);
    cc_text_add_bytes(graph, values, bytes);
    graph->failed = graph->failed || head.failed;
    cc_text_free(&head);
}

/* Converted to float32 where the file has another type. */
static camcl_status add_param(cc_text *graph, const cc_safetensors *file, const cc_param *p, camcl_error *err)
{
    float *values = NULL;
    CC_RETURN_IF_FAILED(CC_NEW(p->count, &values, err));
    const camcl_status status = cc_safetensors_get_f32(file, p->name, p->rank, p->dim, values, err);
    if (status == CAMCL_OK) add_tensor(graph, p->name, p->dim, p->rank, values);
    free(values);
    return status;
}

static camcl_status add_tensors(cc_text *graph, const contents *c, camcl_error *err)
{
    const size_t per_channel[] = { 1, c->graph->spec.channels, 1, 1 };
    add_tensor(graph, CC_ONNX_MEAN, per_channel, 4, c->card->mean);
    add_tensor(graph, CC_ONNX_STD, per_channel, 4, c->card->std);
    for (size_t i = 0; i < c->graph->param_count; i++)
        CC_RETURN_IF_FAILED(add_param(graph, c->file, &c->graph->params[i], err));
    return CAMCL_OK;
}

/* ---- input and output */

/* The first dimension is free. */
static void add_value(cc_text *graph, unsigned field, const char *name, const size_t *dim, size_t rank)
{
    cc_text value = CC_TEXT_INIT, type = CC_TEXT_INIT, tensor = CC_TEXT_INIT, shape = CC_TEXT_INIT;
    for (size_t i = 0; i < rank; i++) {
        cc_text one = CC_TEXT_INIT;
        if (i == 0)
            cc_protobuf_string(&one, DIM_NAME, "N");
        else
            cc_protobuf_integer(&one, DIM_VALUE, dim[i]);
        cc_protobuf_message(&shape, SHAPE_DIM, &one);
    }
    cc_protobuf_integer(&tensor, TENSOR_ELEMENT, FLOAT32);
    cc_protobuf_message(&tensor, TENSOR_SHAPE, &shape);
    cc_protobuf_message(&type, TYPE_TENSOR, &tensor);
    cc_protobuf_string(&value, VALUE_NAME, name);
    cc_protobuf_message(&value, VALUE_TYPE, &type);
    cc_protobuf_message(graph, field, &value);
}

static camcl_status write_graph(cc_text *graph, const contents *c, camcl_error *err)
{
    const size_t size = c->card->image_size, images[] = { 0, c->graph->spec.channels, size, size },
                 logits[] = { 0, c->graph->spec.classes };
    CC_RETURN_IF_FAILED(cc_onnx_write_nodes(c->graph, graph, err));
    cc_protobuf_string(graph, GRAPH_NAME, c->graph->spec.arch);
    CC_RETURN_IF_FAILED(add_tensors(graph, c, err));
    add_value(graph, GRAPH_INPUT, CC_ONNX_INPUT, images, 4);
    add_value(graph, GRAPH_OUTPUT, CC_ONNX_OUTPUT, logits, 2);
    return CAMCL_OK;
}

/* ---- the model */

/* Everything that the checkpoint says of its model. */
static void add_metadata(cc_text *model, const cc_safetensors *file)
{
    static const char *const keys[] = { "class_names", "mean",  "std",     "dataset",  "fit",  "image_size", "arch",
                                        "stem",        "width", "classes", "channels", "step", "version" };
    for (size_t i = 0; i < CC_COUNT(keys); i++) {
        const char *value = cc_safetensors_metadata(file, keys[i]);
        cc_text pair = CC_TEXT_INIT;
        if (value == NULL) continue;
        cc_protobuf_string(&pair, PAIR_KEY, keys[i]);
        cc_protobuf_string(&pair, PAIR_VALUE, value);
        cc_protobuf_message(model, MODEL_METADATA, &pair);
    }
}

/* All of the model but its graph. */
static void write_model(cc_text *model, const contents *c)
{
    cc_text opset = CC_TEXT_INIT;
    cc_protobuf_integer(model, MODEL_IR, IR_VERSION);
    cc_protobuf_string(model, MODEL_PRODUCER, PRODUCER);
    cc_protobuf_string(model, MODEL_PRODUCER_VERSION, CAMCL_VERSION);
    cc_protobuf_string(model, MODEL_DOC,
                       CC_ONNX_INPUT
                       ": bytes / 255, float32 [N,C,S,S], scaled as metadata \"fit\" says and not yet normalised; " CC_ONNX_OUTPUT
                       ": one per class, in the order of metadata \"class_names\"");
    cc_protobuf_integer(&opset, OPSET_VERSION, CC_ONNX_OPSET);
    cc_protobuf_message(model, MODEL_OPSET, &opset);
    add_metadata(model, c->file);
}

static camcl_status write(const char *path, const contents *c, camcl_error *err)
{
    cc_text model = CC_TEXT_INIT, graph = CC_TEXT_INIT;
    camcl_status status = write_graph(&graph, c, err);
    write_model(&model, c);
    cc_protobuf_head(&model, MODEL_GRAPH, graph.length);
    if (status == CAMCL_OK && (model.failed || graph.failed))
        status = cc_fail(err, CAMCL_NO_MEMORY, "cannot write '%s': no memory (close other programs)", path);
    const cc_piece pieces[] = { { model.data, model.length }, { graph.data, graph.length } };
    if (status == CAMCL_OK) status = cc_file_write(path, pieces, CC_COUNT(pieces), err);
    cc_text_free(&model);
    cc_text_free(&graph);
    return status;
}

/* A model of camcl begins with the version of the format and the producer. */
static camcl_status check_output(const char *path, camcl_error *err)
{
    static const char start[] = { MODEL_IR << 3, IR_VERSION, MODEL_PRODUCER << 3 | 2, sizeof PRODUCER - 1, 'c', 'a', 'm', 'c', 'l' };
    char head[sizeof start];
    size_t got;
    CC_RETURN_IF_FAILED(cc_file_beginning(path, head, sizeof head, &got, err));
    if (got == 0) return CAMCL_OK;
    if (got == sizeof start && memcmp(head, start, sizeof start) == 0) return CAMCL_OK;
    return cc_fail(err, CAMCL_EXISTS, "'%s': exists and is no ONNX model of camcl (move it away, or choose another file)", path);
}

camcl_status camcl_export_onnx(const char *checkpoint, const char *path, camcl_error *err)
{
    CC_CHECK_GIVEN(checkpoint, err);
    CC_CHECK_GIVEN(path, err);
    camcl_status status = CAMCL_OK;
    cc_safetensors *file = NULL;
    cc_model_card card = { .class_names = NULL };
    cc_graph *graph = NULL;
    cc_snapshot weights = { NULL, NULL, 0 };
    CC_TRY(cc_checkpoint_read(checkpoint, &file, &card, err));
    CC_TRY(check_output(path, err));
    CC_TRY(cc_graph_build(&card.graph, 1, &graph, err));
    CC_TRY(cc_snapshot_from_file(file, "", graph, &weights, err));
    CC_TRY(cc_snapshot_check(&weights, graph, checkpoint, err));
    CC_TRY(write(path, &(contents){ file, &card, graph }, err));
cleanup:
    cc_snapshot_free(&weights);
    cc_graph_destroy(&graph);
    cc_model_card_free(&card);
    cc_safetensors_free(&file);
    return status;
}
