/* A model's numbers on the host, and as named tensors of a safetensors file. */
#ifndef CC_RUN_SNAPSHOT_H
#define CC_RUN_SNAPSHOT_H

#include "model/model.h"
#include "run/safetensors.h"

/* Flat vectors in the device's order. */
typedef struct cc_snapshot {
    float *weights;    /* graph->trained */
    float *statistics; /* graph->statistics */
    int64_t batches;   /* num_batches_tracked of every batch norm */
} cc_snapshot;

/* Copies; waits for the device. The snapshot keeps its memory from call to call; release with cc_snapshot_free. */
camcl_status cc_snapshot_take(cc_snapshot *snapshot, const cc_model *model, int64_t batches, camcl_error *err);
camcl_status cc_snapshot_apply(const cc_snapshot *snapshot, cc_model *model, camcl_error *err); /* refreshes the packed copies, too */
camcl_status cc_snapshot_allocate(cc_snapshot *snapshot, const cc_graph *graph, camcl_error *err);
void cc_snapshot_copy(cc_snapshot *to, const cc_snapshot *from, const cc_graph *graph);
void cc_snapshot_free(cc_snapshot *snapshot);

/* A list of tensors for cc_safetensors_write that owns names and data. */
typedef struct cc_tensor_list {
    cc_st_tensor *tensors;
    void **owned;
    size_t count, capacity, owned_count, owned_capacity;
} cc_tensor_list;
/* A copy of data under "prefix""name". */
camcl_status cc_tensor_list_add(cc_tensor_list *list, const char *prefix, const char *name, cc_st_dtype dtype, unsigned rank,
                                const size_t *shape, const void *data, camcl_error *err);
/* Every trained parameter out of a flat vector, in torchvision's layout. */
camcl_status cc_tensor_list_add_flat(cc_tensor_list *list, const char *prefix, const cc_graph *graph, const float *flat, camcl_error *err);
/* Weights, statistics and num_batches_tracked: what a PyTorch state_dict holds. */
camcl_status cc_tensor_list_add_snapshot(cc_tensor_list *list, const char *prefix, const cc_graph *graph, const cc_snapshot *snapshot,
                                         camcl_error *err);
void cc_tensor_list_free(cc_tensor_list *list);

/* The reverse: every name must be there with its shape (CAMCL_BAD_DATA names the tensor and both shapes). num_batches_tracked may be
 * missing. */
camcl_status cc_flat_from_file(const cc_safetensors *file, const char *prefix, const cc_graph *graph, float *flat, camcl_error *err);
camcl_status cc_snapshot_from_file(const cc_safetensors *file, const char *prefix, const cc_graph *graph, cc_snapshot *snapshot,
                                   camcl_error *err);

/* Refuses values [param->count] that are not finite and running variances below 0: CAMCL_BAD_DATA names the file, the tensor, with `prefix`
 * before the parameter's name, and ends in `advice`, "(what to do)". */
camcl_status cc_param_check(const cc_param *param, const float *values, const char *path, const char *prefix, const char *advice,
                            camcl_error *err);
#define CC_WEIGHTS_ADVICE "(take weights from before training diverged, or copy the file again)"
camcl_status cc_snapshot_check(const cc_snapshot *snapshot, const cc_graph *graph, const char *path, camcl_error *err);

#endif
