/* The nodes of a graph as operators of ONNX (onnx.ai, onnx.proto). Each kind of node writes its own (node.h); tensors are [N,C,H,W] there,
 * parameters keep their names and layouts. */
#ifndef CC_MODEL_ONNX_H
#define CC_MODEL_ONNX_H

#include <stdint.h>

#include "base/text.h"
#include "model/graph.h"

enum { CC_ONNX_OPSET = 13 }; /* the version of the operators that are written */

/* Names in the ONNX graph besides those of parameters. mean and std, [1,C,1,1]: what the input node subtracts and divides by. */
#define CC_ONNX_INPUT "images"
#define CC_ONNX_OUTPUT "logits"
#define CC_ONNX_MEAN "mean"
#define CC_ONNX_STD "std"

/* Appends to `fields`, fields of a GraphProto, one for each operator, in order of computation. CAMCL_UNSUPPORTED if the graph has a node or
 * an activation for which nothing is written. */
camcl_status cc_onnx_write_nodes(const cc_graph *graph, cc_text *fields, camcl_error *err);

/* ---- for node kinds */

typedef struct cc_onnx cc_onnx;

/* Begins an operator. Its first input is the output of the node's operator before it, or, for the first one, the node's first input;
 * further inputs and attributes follow. The node's output is that of its last operator. */
void cc_onnx_begin(cc_onnx *onnx, const char *op);
void cc_onnx_input(cc_onnx *onnx, size_t i);            /* the node's input i */
void cc_onnx_param(cc_onnx *onnx, cc_param_role role);  /* a parameter of the node */
void cc_onnx_constant(cc_onnx *onnx, const char *name); /* something else that has a name */
void cc_onnx_integer(cc_onnx *onnx, const char *name, int64_t value);
void cc_onnx_integers(cc_onnx *onnx, const char *name, const size_t *values, size_t count);
void cc_onnx_float(cc_onnx *onnx, const char *name, float value);
/* The window of a convolution or of pooling: kernel_shape, strides, pads. */
void cc_onnx_window(cc_onnx *onnx, const cc_node *node);
/* The activation as an operator, or nothing where it is none. */
void cc_onnx_activation(cc_onnx *onnx, cc_activation activation);

#endif
