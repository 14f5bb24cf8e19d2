/* Under which names a file of weights holds a network. PyTorch's wrappers, self-supervised methods and training scripts put prefixes before
 * torchvision's names, and torch.nn.Sequential numbers the layers. */
#ifndef CC_RUN_INIT_NAMES_H
#define CC_RUN_INIT_NAMES_H

#include "model/graph.h"
#include "run/safetensors.h"

enum { CC_INIT_PREFIX = 128, CC_INIT_CHILDREN = 8 };

/* How one prefix fits a network. The head, which is what the network's last node has, does not count. */
typedef struct cc_init_names {
    char prefix[CC_INIT_PREFIX];     /* before every name, with its last point; "" if there is none */
    bool by_number;                  /* the network's children are named by their places in a torch.nn.Sequential */
    size_t number[CC_INIT_CHILDREN]; /* by_number: of the children in the network's order, the head as the last one or absent */
    size_t numbers;
    size_t missing, shape; /* parameters that the file does not have, or has in another shape */
    size_t unplaced;       /* tensors of these children that the network does not have */
    size_t counters;       /* num_batches_tracked */
} cc_init_names;

static inline size_t cc_init_misfits(const cc_init_names *names) { return names->missing + names->shape + names->unplaced; }

/* Every way in which the file holds the whole network, the best one first: no copy that follows another network by averages (encoder_k,
 * target, student, ...) where there is a network that it belongs to, then the fewest prefixes, then the order of the alphabet. If there is
 * none, the one way that fits best. *count is at least 1. The caller frees *out. */
camcl_status cc_init_names_find(const cc_safetensors *file, const cc_graph *graph, cc_init_names **out, size_t *count, camcl_error *err);

/* The file's tensor for torchvision's name of a parameter, and its name in the file (cut to size). NULL if there is none. */
const cc_st_tensor *cc_init_names_tensor(const cc_init_names *names, const cc_safetensors *file, const cc_graph *graph, const char *name);
void cc_init_names_write(const cc_init_names *names, const cc_graph *graph, const char *name, char *out, size_t size);
/* The counter of batches that PyTorch keeps beside these statistics; NULL if there is none, or the parameter is no running variance. */
const cc_st_tensor *cc_init_names_counter(const cc_init_names *names, const cc_safetensors *file, const cc_graph *graph,
                                          const cc_param *param);

/* Whether a name of the file belongs to the network's own children, so that a network which lacks it is another one. Anything else may be
 * left out: projectors, other heads, other networks, optimizers. */
bool cc_init_names_own(const cc_init_names *names, const cc_graph *graph, const char *name);

bool cc_init_is_head(const cc_graph *graph, const cc_param *param);
/* Whether a tensor can become the parameter. A network of grey images takes the first convolution of one of colour images. */
bool cc_init_fits(const cc_graph *graph, const cc_param *param, const cc_st_tensor *tensor);
/* The tensor has three input channels, and the parameter one. */
bool cc_init_is_summed(const cc_graph *graph, const cc_param *param, const cc_st_tensor *tensor);

#endif
