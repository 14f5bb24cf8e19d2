#include "run/snapshot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/param.h"

camcl_status cc_snapshot_allocate(cc_snapshot *s, const cc_graph *graph, camcl_error *err)
{
    if (s->weights == NULL) CC_RETURN_IF_FAILED(CC_NEW(graph->trained, &s->weights, err));
    if (s->statistics == NULL) CC_RETURN_IF_FAILED(CC_NEW(graph->statistics, &s->statistics, err));
    return CAMCL_OK;
}

camcl_status cc_snapshot_take(cc_snapshot *s, const cc_model *model, int64_t batches, camcl_error *err)
{
    const cc_graph *g = model->graph;
    CC_RETURN_IF_FAILED(cc_snapshot_allocate(s, g, err));
    s->batches = batches;
    CC_RETURN_IF_FAILED(cc_buffer_read(model->main->trained, 0, s->weights, g->trained * sizeof(float), err));
    return cc_buffer_read(model->main->statistics, 0, s->statistics, g->statistics * sizeof(float), err);
}

camcl_status cc_snapshot_apply(const cc_snapshot *s, cc_model *model, camcl_error *err)
{
    const cc_graph *g = model->graph;
    CC_RETURN_IF_FAILED(cc_buffer_write(model->main->trained, 0, s->weights, g->trained * sizeof(float), err));
    CC_RETURN_IF_FAILED(cc_buffer_write(model->main->statistics, 0, s->statistics, g->statistics * sizeof(float), err));
    return cc_model_refresh(model, err);
}

void cc_snapshot_copy(cc_snapshot *to, const cc_snapshot *from, const cc_graph *graph)
{
    memcpy(to->weights, from->weights, graph->trained * sizeof(float));
    memcpy(to->statistics, from->statistics, graph->statistics * sizeof(float));
    to->batches = from->batches;
}

void cc_snapshot_free(cc_snapshot *s)
{
    free(s->weights);
    free(s->statistics);
    memset(s, 0, sizeof *s);
}

/* ---- to tensors */

static camcl_status own(cc_tensor_list *list, size_t bytes, void **out, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_grow((void **)&list->owned, &list->owned_capacity, list->owned_count + 1, sizeof *list->owned, err));
    CC_RETURN_IF_FAILED(cc_calloc(bytes, 1, out, err));
    list->owned[list->owned_count++] = *out;
    return CAMCL_OK;
}

/* Room for a tensor; *data is to be filled. */
static camcl_status add_empty(cc_tensor_list *list, const char *prefix, const char *name, cc_st_dtype dtype, unsigned rank,
                              const size_t *shape, void **data, camcl_error *err)
{
    cc_st_tensor tensor = { .dtype = dtype, .dims = rank };
    void *full_name;
    size_t length = strlen(prefix) + strlen(name) + 1;
    for (unsigned i = 0; i < rank; i++)
        tensor.shape[i] = shape[i];
    CC_RETURN_IF_FAILED(own(list, length, &full_name, err));
    snprintf(full_name, length, "%s%s", prefix, name);
    CC_RETURN_IF_FAILED(own(list, cc_st_elements(&tensor) * cc_st_dtype_size(dtype), data, err));
    CC_RETURN_IF_FAILED(cc_grow((void **)&list->tensors, &list->capacity, list->count + 1, sizeof tensor, err));
    tensor.name = full_name;
    tensor.data = *data;
    list->tensors[list->count++] = tensor;
    return CAMCL_OK;
}

camcl_status cc_tensor_list_add(cc_tensor_list *list, const char *prefix, const char *name, cc_st_dtype dtype, unsigned rank,
                                const size_t *shape, const void *data, camcl_error *err)
{
    void *copy;
    CC_RETURN_IF_FAILED(add_empty(list, prefix, name, dtype, rank, shape, &copy, err));
    const cc_st_tensor *added = &list->tensors[list->count - 1];
    size_t bytes = cc_st_elements(added) * cc_st_dtype_size(dtype);
    if (bytes) memcpy(copy, data, bytes);
    return CAMCL_OK;
}

static camcl_status add_param(cc_tensor_list *list, const char *prefix, const cc_param *p, const float *flat, camcl_error *err)
{
    void *data;
    CC_RETURN_IF_FAILED(add_empty(list, prefix, p->name, CC_ST_F32, p->rank, p->dim, &data, err));
    cc_param_from_flat(p, flat + p->offset, data);
    return CAMCL_OK;
}

camcl_status cc_tensor_list_add_flat(cc_tensor_list *list, const char *prefix, const cc_graph *graph, const float *flat, camcl_error *err)
{
    for (size_t i = 0; i < graph->param_count; i++)
        if (!cc_param_is_statistic(&graph->params[i])) CC_RETURN_IF_FAILED(add_param(list, prefix, &graph->params[i], flat, err));
    return CAMCL_OK;
}

/* "bn1.running_var" -> "bn1.num_batches_tracked" */
static void counter_name(const cc_param *p, char *name, size_t size)
{
    snprintf(name, size, "%.*snum_batches_tracked", (int)(strrchr(p->name, '.') + 1 - p->name), p->name);
}

camcl_status cc_tensor_list_add_snapshot(cc_tensor_list *list, const char *prefix, const cc_graph *graph, const cc_snapshot *snapshot,
                                         camcl_error *err)
{
    for (size_t i = 0; i < graph->param_count; i++) {
        const cc_param *p = &graph->params[i];
        CC_RETURN_IF_FAILED(add_param(list, prefix, p, cc_param_is_statistic(p) ? snapshot->statistics : snapshot->weights, err));
        if (p->role != CC_ROLE_RUNNING_VAR) continue;
        char name[128];
        counter_name(p, name, sizeof name);
        CC_RETURN_IF_FAILED(cc_tensor_list_add(list, prefix, name, CC_ST_I64, 0, NULL, &snapshot->batches, err));
    }
    return CAMCL_OK;
}

void cc_tensor_list_free(cc_tensor_list *list)
{
    for (size_t i = 0; i < list->owned_count; i++)
        free(list->owned[i]);
    free(list->owned);
    free(list->tensors);
    memset(list, 0, sizeof *list);
}

/* ---- from a file */

static camcl_status read_param(const cc_safetensors *file, const char *prefix, const cc_param *p, float *flat, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    char name[160];
    float *torch = NULL;
    snprintf(name, sizeof name, "%s%s", prefix, p->name);
    CC_TRY(CC_NEW(p->count, &torch, err));
    CC_TRY(cc_safetensors_get_f32(file, name, p->rank, p->dim, torch, err));
    cc_param_to_flat(p, torch, flat + p->offset);
cleanup:
    free(torch);
    return status;
}

camcl_status cc_flat_from_file(const cc_safetensors *file, const char *prefix, const cc_graph *graph, float *flat, camcl_error *err)
{
    for (size_t i = 0; i < graph->param_count; i++)
        if (!cc_param_is_statistic(&graph->params[i])) CC_RETURN_IF_FAILED(read_param(file, prefix, &graph->params[i], flat, err));
    return CAMCL_OK;
}

camcl_status cc_snapshot_from_file(const cc_safetensors *file, const char *prefix, const cc_graph *graph, cc_snapshot *snapshot,
                                   camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_snapshot_allocate(snapshot, graph, err));
    CC_RETURN_IF_FAILED(cc_flat_from_file(file, prefix, graph, snapshot->weights, err));
    for (size_t i = 0; i < graph->param_count; i++) {
        const cc_param *p = &graph->params[i];
        if (!cc_param_is_statistic(p)) continue;
        CC_RETURN_IF_FAILED(read_param(file, prefix, p, snapshot->statistics, err));
        if (p->role != CC_ROLE_RUNNING_VAR) continue;
        char counter[128], name[160];
        counter_name(p, counter, sizeof counter);
        snprintf(name, sizeof name, "%s%s", prefix, counter);
        if (cc_safetensors_find(file, name))
            CC_RETURN_IF_FAILED(cc_safetensors_get(file, name, CC_ST_I64, 0, NULL, &snapshot->batches, err));
    }
    return CAMCL_OK;
}

/* ---- whether they can serve */

camcl_status cc_param_check(const cc_param *p, const float *values, const char *path, const char *prefix, const char *advice,
                            camcl_error *err)
{
    size_t wrong = 0, negative = 0;
    for (size_t i = 0; i < p->count; i++) {
        wrong += !isfinite(values[i]);
        negative += p->role == CC_ROLE_RUNNING_VAR && values[i] < 0;
    }
    if (wrong)
        return cc_fail(err, CAMCL_BAD_DATA, "%s: tensor '%s%s': %zu of %zu values are not finite %s", path, prefix, p->name, wrong,
                       p->count, advice);
    if (negative)
        return cc_fail(err, CAMCL_BAD_DATA, "%s: tensor '%s%s': %zu of %zu variances are negative %s", path, prefix, p->name, negative,
                       p->count, advice);
    return CAMCL_OK;
}

camcl_status cc_snapshot_check(const cc_snapshot *s, const cc_graph *graph, const char *path, camcl_error *err)
{
    for (size_t i = 0; i < graph->param_count; i++) {
        const cc_param *p = &graph->params[i];
        CC_RETURN_IF_FAILED(
            cc_param_check(p, (cc_param_is_statistic(p) ? s->statistics : s->weights) + p->offset, path, "", CC_WEIGHTS_ADVICE, err));
    }
    return CAMCL_OK;
}
