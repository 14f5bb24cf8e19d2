/* One parameter: its layouts and its initial values. */
#ifndef CC_MODEL_PARAM_H
#define CC_MODEL_PARAM_H

#include <stdint.h>

#include "model/graph.h"
#include "tensor/tensor.h"

/* The parameter's shape on the device over `buffer`: convolutions are [R,S,C,K], everything else as in torchvision. */
cc_tensor cc_param_tensor(const cc_param *param, cc_buffer *buffer);

/* Converts between torchvision's layout and the flat vectors' one on the host. */
void cc_param_to_flat(const cc_param *param, const float *torch, float *flat);
void cc_param_from_flat(const cc_param *param, const float *flat, float *torch);

/* Reads a parameter, or a tensor of its layout on the device, in torchvision's layout. Waits for the device. */
camcl_status cc_param_read(const cc_param *param, const cc_tensor *from, float *torch, camcl_error *err);

/* Initial values (cc_param_init) in torchvision's layout, a function of seed and of the parameter's place in the graph alone. */
void cc_param_draw(const cc_graph *graph, size_t param, uint64_t seed, float *torch);

#endif
