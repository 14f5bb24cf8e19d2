#include "model/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/parallel.h"
#include "model/param.h"

static camcl_status create_flat(cc_weights *weights, const char *set, camcl_error *err)
{
    const cc_graph *g = weights->graph;
    char name[128];
    snprintf(name, sizeof name, "%s weights", set);
    CC_RETURN_IF_FAILED(cc_buffer_create(weights->device, g->trained * sizeof(float), name, &weights->trained, err));
    snprintf(name, sizeof name, "%s batch-norm statistics", set);
    return cc_buffer_create(weights->device, g->statistics * sizeof(float), name, &weights->statistics, err);
}

static camcl_status create_views(cc_weights *weights, camcl_error *err)
{
    const cc_graph *g = weights->graph;
    CC_RETURN_IF_FAILED(CC_NEW(g->param_count, &weights->values, err));
    for (size_t i = 0; i < g->param_count; i++) {
        const cc_param *p = &g->params[i];
        cc_buffer *flat = cc_param_is_statistic(p) ? weights->statistics : weights->trained, *view;
        CC_RETURN_IF_FAILED(cc_buffer_view(flat, p->offset * sizeof(float), p->count * sizeof(float), p->name, &view, err));
        weights->values[i] = cc_param_tensor(p, view);
    }
    return CAMCL_OK;
}

camcl_status cc_weights_create(cc_model *model, camcl_device *device, const cc_graph *graph, const char *name, cc_weights **out,
                               camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_weights *weights = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &weights, err));
    weights->model = model;
    weights->device = device;
    weights->graph = graph;
    CC_TRY(create_flat(weights, name, err));
    CC_TRY(create_views(weights, err));
    *out = weights;
    weights = NULL;
cleanup:
    cc_weights_destroy(&weights);
    return status;
}

struct cc_packed_weight {
    size_t param;
    const cc_variant *variant;
    cc_conv2d_desc desc;
    size_t bytes;
    cc_tensor tensor;
};

void cc_weights_destroy(cc_weights **handle)
{
    cc_weights *weights = *handle;
    if (weights == NULL) return;
    cc_arena_destroy(&weights->pack_arena);
    for (size_t i = 0; i < weights->packed_count; i++)
        cc_buffer_destroy(&weights->packed[i].tensor.buffer);
    for (size_t i = 0; weights->values && i < weights->graph->param_count; i++)
        cc_buffer_destroy(&weights->values[i].buffer);
    cc_buffer_destroy(&weights->trained);
    cc_buffer_destroy(&weights->statistics);
    free(weights->packed);
    free(weights->values);
    free(weights);
    *handle = NULL;
}

/* ---- values */

camcl_status cc_weights_get(const cc_weights *weights, size_t param, float *out, camcl_error *err)
{
    return cc_param_read(&weights->graph->params[param], &weights->values[param], out, err);
}

static camcl_status write_flat(cc_weights *weights, size_t param, const float *flat, camcl_error *err)
{
    return cc_buffer_write(weights->values[param].buffer, 0, flat, weights->graph->params[param].count * sizeof *flat, err);
}

camcl_status cc_weights_set(cc_weights *weights, size_t param, const float *in, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const cc_param *p = &weights->graph->params[param];
    float *flat = NULL;
    CC_TRY(CC_NEW(p->count, &flat, err));
    cc_param_to_flat(p, in, flat);
    CC_TRY(write_flat(weights, param, flat, err));
cleanup:
    free(flat);
    return status;
}

static camcl_status copy_buffer(cc_buffer *to, const cc_buffer *from, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    unsigned char *bytes = NULL;
    CC_TRY(CC_NEW(cc_buffer_bytes(from), &bytes, err));
    CC_TRY(cc_buffer_read(from, 0, bytes, cc_buffer_bytes(from), err));
    CC_TRY(cc_buffer_write(to, 0, bytes, cc_buffer_bytes(from), err));
cleanup:
    free(bytes);
    return status;
}

camcl_status cc_weights_copy(cc_weights *to, const cc_weights *from, camcl_error *err)
{
    if (to->model != from->model)
        return cc_fail(err, CAMCL_FAILED, "weights: a copy from the set of another model (report this as a defect)");
    CC_RETURN_IF_FAILED(copy_buffer(to->trained, from->trained, err));
    CC_RETURN_IF_FAILED(copy_buffer(to->statistics, from->statistics, err));
    return cc_weights_refresh(to, err);
}

/* ---- initial values */

static void draw_flat(const cc_weights *weights, size_t param, uint64_t seed, float *torch, float *flat)
{
    cc_param_draw(weights->graph, param, seed, torch);
    cc_param_to_flat(&weights->graph->params[param], torch, flat);
}

camcl_status cc_weights_init_param(cc_weights *weights, size_t param, uint64_t seed, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const size_t count = weights->graph->params[param].count;
    float *torch = NULL;
    CC_TRY(CC_NEW(2 * count, &torch, err));
    draw_flat(weights, param, seed, torch, torch + count);
    CC_TRY(write_flat(weights, param, torch + count, err));
cleanup:
    free(torch);
    return status;
}

/* All parameters: each one's numbers, as drawn and as stored, begin at twice `first`. */
typedef struct drawing {
    const cc_weights *weights;
    uint64_t seed;
    size_t *first;
    float *numbers;
} drawing;

static float *drawn_flat(const drawing *d, size_t param)
{
    return d->numbers + 2 * d->first[param] + d->weights->graph->params[param].count;
}

/* The last parameters are the largest. They are drawn first, so that at the end no thread works alone on a large one. */
static void draw_one(void *context, size_t index)
{
    const drawing *d = context;
    const size_t param = d->weights->graph->param_count - 1 - index;
    draw_flat(d->weights, param, d->seed, d->numbers + 2 * d->first[param], drawn_flat(d, param));
}

/* Every parameter has a sequence of random numbers of its own, so that several threads can draw parameters at the same time. With eleven
 * million numbers, drawing takes the longest time at the start of a training. */
camcl_status cc_weights_init(cc_weights *weights, uint64_t seed, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const size_t params = weights->graph->param_count;
    drawing d = { weights, seed, NULL, NULL };
    size_t total = 0;
    CC_TRY(CC_NEW(params, &d.first, err));
    for (size_t i = 0; i < params; i++) {
        d.first[i] = total;
        total += weights->graph->params[i].count;
    }
    CC_TRY(CC_NEW(2 * total, &d.numbers, err));
    cc_parallel(params, draw_one, &d);
    for (size_t i = 0; i < params; i++)
        CC_TRY(write_flat(weights, i, drawn_flat(&d, i), err));
    CC_TRY(cc_weights_refresh(weights, err));
cleanup:
    free(d.first);
    free(d.numbers);
    return status;
}

/* ---- packed copies */

camcl_status cc_weights_packed(cc_weights *weights, size_t param, const cc_variant *variant, const cc_conv2d_desc *desc, cc_tensor *out,
                               camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    *out = weights->values[param];
    if (variant->pack == NULL) return CAMCL_OK;
    size_t bytes = variant->packed_bytes(camcl_device_get_info(weights->device), desc);
    for (size_t i = 0; i < weights->packed_count; i++) {
        const cc_packed_weight *p = &weights->packed[i];
        if (p->param != param || p->bytes != bytes || strcmp(p->variant->layout, variant->layout) != 0) continue;
        *out = p->tensor;
        return CAMCL_OK;
    }
    char name[128];
    cc_packed_weight packed = { .param = param, .variant = variant, .desc = *desc, .bytes = bytes };
    snprintf(name, sizeof name, "%s as %s", weights->graph->params[param].name, variant->layout);
    CC_TRY(cc_grow((void **)&weights->packed, &weights->packed_capacity, weights->packed_count + 1, sizeof packed, err));
    CC_TRY(cc_tensor_create(weights->device, name, CC_F32, CC_DIMS(bytes / sizeof(float)), &packed.tensor, err));
    weights->packed[weights->packed_count++] = packed;
    cc_arena_destroy(&weights->pack_arena);
    *out = packed.tensor;
cleanup:
    return status;
}

camcl_status cc_weights_record_packing(cc_weights *weights, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    if (weights->packed_count == 0 || weights->pack_arena) return CAMCL_OK;
    CC_TRY(cc_arena_create(weights->device, &weights->pack_arena, err));
    CC_TRY(cc_tape_create(weights->pack_arena, "weight layouts", &weights->pack_tape, err));
    for (size_t i = 0; i < weights->packed_count; i++) {
        cc_packed_weight *p = &weights->packed[i];
        CC_TRY(p->variant->pack(weights->pack_tape, &p->desc, weights->values[p->param].buffer, p->tensor.buffer, err));
    }
    return CAMCL_OK;
cleanup:
    cc_arena_destroy(&weights->pack_arena);
    return status;
}

camcl_status cc_weights_refresh(cc_weights *weights, camcl_error *err)
{
    if (weights->packed_count == 0) return CAMCL_OK;
    CC_RETURN_IF_FAILED(cc_weights_record_packing(weights, err));
    if (!cc_arena_is_committed(weights->pack_arena)) CC_RETURN_IF_FAILED(cc_arena_commit(weights->pack_arena, err));
    return cc_tape_run(weights->pack_tape, err);
}
