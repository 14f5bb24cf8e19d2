#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/parallel.h"
#include "base/rng.h"

static camcl_status create_flat(cc_model *model, camcl_error *err)
{
    const cc_graph *g = model->graph;
    CC_RETURN_IF_FAILED(cc_buffer_create(model->device, g->trained * sizeof(float), "weights", &model->weights, err));
    CC_RETURN_IF_FAILED(cc_buffer_create(model->device, g->trained * sizeof(float), "gradients", &model->gradients, err));
    CC_RETURN_IF_FAILED(cc_buffer_create(model->device, g->statistics * sizeof(float), "batch-norm statistics", &model->statistics, err));
    CC_RETURN_IF_FAILED(CC_NEW(g->param_count, &model->values, err));
    return CC_NEW(g->param_count, &model->grads, err);
}

/* Device shapes: convolutions are [R,S,C,K], everything else as in torchvision. */
static cc_tensor shape_of(const cc_param *p, cc_buffer *buffer)
{
    cc_tensor t = { .buffer = buffer, .dtype = CC_F32, .rank = p->rank };
    memcpy(t.dim, p->dim, sizeof t.dim);
    if (p->kind == CC_PARAM_CONV) {
        t.dim[0] = p->dim[2];
        t.dim[1] = p->dim[3];
        t.dim[2] = p->dim[1];
        t.dim[3] = p->dim[0];
    }
    return t;
}

static camcl_status create_views(cc_model *model, camcl_error *err)
{
    for (size_t i = 0; i < model->graph->param_count; i++) {
        const cc_param *p = &model->graph->params[i];
        size_t offset = p->offset * sizeof(float), bytes = p->count * sizeof(float);
        cc_buffer *view;
        CC_RETURN_IF_FAILED(
            cc_buffer_view(cc_param_is_statistic(p) ? model->statistics : model->weights, offset, bytes, p->name, &view, err));
        model->values[i] = shape_of(p, view);
        if (cc_param_is_statistic(p)) continue;
        CC_RETURN_IF_FAILED(cc_buffer_view(model->gradients, offset, bytes, p->name, &view, err));
        model->grads[i] = shape_of(p, view);
    }
    return CAMCL_OK;
}

static camcl_status create_constants(cc_model *model, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const cc_graph *g = model->graph;
    size_t widest = 1;
    float *ones = NULL;
    for (size_t i = 0; i < g->node_count; i++)
        widest = cc_max_size(widest, g->nodes[i].channels);
    CC_TRY(CC_NEW(widest, &ones, err));
    for (size_t i = 0; i < widest; i++)
        ones[i] = 1;
    CC_TRY(cc_buffer_create(model->device, widest * sizeof(float), "ones", &model->ones, err));
    CC_TRY(cc_buffer_create(model->device, widest * sizeof(float), "zeros", &model->zeros, err));
    CC_TRY(cc_buffer_write(model->ones, 0, ones, widest * sizeof(float), err));
cleanup:
    free(ones);
    return status;
}

camcl_status cc_model_create(camcl_device *device, const cc_graph_spec *spec, cc_model **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_model *model = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &model, err));
    model->device = device;
    CC_TRY(cc_graph_build(spec, camcl_device_get_info(device)->base_align / sizeof(float), &model->graph, err));
    CC_TRY(create_flat(model, err));
    CC_TRY(create_views(model, err));
    CC_TRY(create_constants(model, err));
    *out = model;
    model = NULL;
cleanup:
    cc_model_destroy(&model);
    return status;
}

struct cc_packed_weight {
    size_t param;
    const cc_variant *variant;
    cc_conv2d_desc desc;
    size_t bytes;
    cc_tensor tensor;
};

void cc_model_destroy(cc_model **handle)
{
    cc_model *model = *handle;
    if (model == NULL) return;
    cc_arena_destroy(&model->pack_arena);
    for (size_t i = 0; i < model->packed_count; i++)
        cc_buffer_destroy(&model->packed[i].tensor.buffer);
    for (size_t i = 0; model->graph && i < model->graph->param_count; i++) {
        if (model->values) cc_buffer_destroy(&model->values[i].buffer);
        if (model->grads) cc_buffer_destroy(&model->grads[i].buffer);
    }
    cc_buffer_destroy(&model->weights);
    cc_buffer_destroy(&model->gradients);
    cc_buffer_destroy(&model->statistics);
    cc_buffer_destroy(&model->ones);
    cc_buffer_destroy(&model->zeros);
    cc_graph_destroy(&model->graph);
    cc_plan_clear(&model->plan);
    free(model->packed);
    free(model->values);
    free(model->grads);
    free(model);
    *handle = NULL;
}

/* ---- values */

/* torch [K,C,R,S] <-> flat [R,S,C,K], in blocks of K so that neither side is read or written a cache line per number. */
static void transpose(const cc_param *p, const float *from, float *to, bool to_flat)
{
    enum { BLOCK = 16 };
    size_t k_count = p->dim[0], c_count = p->dim[1], taps = p->dim[2] * p->dim[3];
    for (size_t k0 = 0; k0 < k_count; k0 += BLOCK)
        for (size_t c = 0; c < c_count; c++)
            for (size_t t = 0; t < taps; t++)
                for (size_t k = k0; k < cc_min_size(k_count, k0 + BLOCK); k++) {
                    size_t torch = (k * c_count + c) * taps + t, flat = (t * c_count + c) * k_count + k;
                    if (to_flat)
                        to[flat] = from[torch];
                    else
                        to[torch] = from[flat];
                }
}

void cc_param_to_flat(const cc_param *param, const float *torch, float *flat)
{
    if (param->kind == CC_PARAM_CONV)
        transpose(param, torch, flat, true);
    else
        memcpy(flat, torch, param->count * sizeof *flat);
}

void cc_param_from_flat(const cc_param *param, const float *flat, float *torch)
{
    if (param->kind == CC_PARAM_CONV)
        transpose(param, flat, torch, false);
    else
        memcpy(torch, flat, param->count * sizeof *flat);
}

static camcl_status read_param(const cc_param *p, const cc_tensor *from, float *out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    float *flat = NULL;
    CC_TRY(CC_NEW(p->count, &flat, err));
    CC_TRY(cc_buffer_read(from->buffer, 0, flat, p->count * sizeof *flat, err));
    cc_param_from_flat(p, flat, out);
cleanup:
    free(flat);
    return status;
}

camcl_status cc_model_get(const cc_model *model, size_t param, float *out, camcl_error *err)
{
    return read_param(&model->graph->params[param], &model->values[param], out, err);
}

camcl_status cc_model_get_gradient(const cc_model *model, size_t param, float *out, camcl_error *err)
{
    return read_param(&model->graph->params[param], &model->grads[param], out, err);
}

camcl_status cc_model_set(cc_model *model, size_t param, const float *in, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const cc_param *p = &model->graph->params[param];
    float *flat = NULL;
    CC_TRY(CC_NEW(p->count, &flat, err));
    cc_param_to_flat(p, in, flat);
    CC_TRY(cc_buffer_write(model->values[param].buffer, 0, flat, p->count * sizeof *flat, err));
cleanup:
    free(flat);
    return status;
}

/* He, Zhang, Ren, Sun: "Delving deep into rectifiers", ICCV 2015, equation 14 (variance kept in the backward pass). */
static void draw(const cc_param *p, const cc_param *weight_of_bias, cc_rng *rng, float *out)
{
    size_t fan_in = weight_of_bias ? weight_of_bias->dim[1] : p->rank > 1 ? p->dim[1] : 1;
    double deviation = p->kind == CC_PARAM_CONV ? sqrt(2.0 / (double)(p->dim[0] * p->dim[2] * p->dim[3])) : 0,
           bound = 1 / sqrt((double)fan_in);
    for (size_t i = 0; i < p->count; i++)
        switch (p->kind) {
        case CC_PARAM_CONV: out[i] = (float)(deviation * cc_rng_normal(rng)); break;
        case CC_PARAM_LINEAR:
        case CC_PARAM_BIAS: out[i] = (float)(bound * (2 * cc_rng_unit(rng) - 1)); break;
        case CC_PARAM_GAMMA:
        case CC_PARAM_RUNNING_VAR: out[i] = 1; break;
        case CC_PARAM_BETA:
        case CC_PARAM_RUNNING_MEAN: out[i] = 0; break;
        }
}

static void draw_flat(const cc_model *model, size_t param, uint64_t seed, float *torch, float *flat)
{
    const cc_param *p = &model->graph->params[param];
    cc_rng rng = cc_rng_at(seed, CC_RNG_WEIGHTS, param);
    draw(p, p->kind == CC_PARAM_BIAS ? p - 1 : NULL, &rng, torch);
    cc_param_to_flat(p, torch, flat);
}

static camcl_status write_flat(cc_model *model, size_t param, const float *flat, camcl_error *err)
{
    return cc_buffer_write(model->values[param].buffer, 0, flat, model->graph->params[param].count * sizeof *flat, err);
}

camcl_status cc_model_init_param(cc_model *model, size_t param, uint64_t seed, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const size_t count = model->graph->params[param].count;
    float *torch = NULL;
    CC_TRY(CC_NEW(2 * count, &torch, err));
    draw_flat(model, param, seed, torch, torch + count);
    CC_TRY(write_flat(model, param, torch + count, err));
cleanup:
    free(torch);
    return status;
}

/* All parameters: each one's numbers, as drawn and as stored, begin at twice `first`. */
typedef struct drawing {
    const cc_model *model;
    uint64_t seed;
    size_t *first;
    float *numbers;
} drawing;

static float *drawn_flat(const drawing *d, size_t param) { return d->numbers + 2 * d->first[param] + d->model->graph->params[param].count; }

/* The last are the largest: they come first, lest one thread ends up alone with one of them. */
static void draw_one(void *context, size_t index)
{
    const drawing *d = context;
    const size_t param = d->model->graph->param_count - 1 - index;
    draw_flat(d->model, param, d->seed, d->numbers + 2 * d->first[param], drawn_flat(d, param));
}

/* Every parameter has a sequence of random numbers of its own, so that threads may draw them: at the start of a training with eleven
 * million of them that is what takes longest. */
camcl_status cc_model_init(cc_model *model, uint64_t seed, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const size_t params = model->graph->param_count;
    drawing d = { model, seed, NULL, NULL };
    size_t total = 0;
    CC_TRY(CC_NEW(params, &d.first, err));
    for (size_t i = 0; i < params; i++) {
        d.first[i] = total;
        total += model->graph->params[i].count;
    }
    CC_TRY(CC_NEW(2 * total, &d.numbers, err));
    cc_parallel(params, draw_one, &d);
    for (size_t i = 0; i < params; i++)
        CC_TRY(write_flat(model, i, drawn_flat(&d, i), err));
    CC_TRY(cc_model_refresh(model, err));
cleanup:
    free(d.first);
    free(d.numbers);
    return status;
}

/* ---- packed copies */

camcl_status cc_model_weight(cc_model *model, size_t param, const cc_variant *variant, const cc_conv2d_desc *desc, cc_tensor *out,
                             camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    *out = model->values[param];
    if (variant->pack == NULL) return CAMCL_OK;
    size_t bytes = variant->packed_bytes(camcl_device_get_info(model->device), desc);
    for (size_t i = 0; i < model->packed_count; i++) {
        const cc_packed_weight *p = &model->packed[i];
        if (p->param != param || p->bytes != bytes || strcmp(p->variant->layout, variant->layout) != 0) continue;
        *out = p->tensor;
        return CAMCL_OK;
    }
    char name[128];
    cc_packed_weight packed = { .param = param, .variant = variant, .desc = *desc, .bytes = bytes };
    snprintf(name, sizeof name, "%s as %s", model->graph->params[param].name, variant->layout);
    CC_TRY(cc_grow((void **)&model->packed, &model->packed_capacity, model->packed_count + 1, sizeof packed, err));
    CC_TRY(cc_tensor_create(model->device, name, CC_F32, CC_DIMS(bytes / sizeof(float)), &packed.tensor, err));
    model->packed[model->packed_count++] = packed;
    cc_arena_destroy(&model->pack_arena);
    *out = packed.tensor;
cleanup:
    return status;
}

camcl_status cc_model_record_packing(cc_model *model, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    if (model->packed_count == 0 || model->pack_arena) return CAMCL_OK;
    CC_TRY(cc_arena_create(model->device, &model->pack_arena, err));
    CC_TRY(cc_tape_create(model->pack_arena, "weight layouts", &model->pack_tape, err));
    for (size_t i = 0; i < model->packed_count; i++) {
        cc_packed_weight *p = &model->packed[i];
        CC_TRY(p->variant->pack(model->pack_tape, &p->desc, model->values[p->param].buffer, p->tensor.buffer, err));
    }
    return CAMCL_OK;
cleanup:
    cc_arena_destroy(&model->pack_arena);
    return status;
}

camcl_status cc_model_refresh(cc_model *model, camcl_error *err)
{
    if (model->packed_count == 0) return CAMCL_OK;
    CC_RETURN_IF_FAILED(cc_model_record_packing(model, err));
    if (!cc_arena_is_committed(model->pack_arena)) CC_RETURN_IF_FAILED(cc_arena_commit(model->pack_arena, err));
    return cc_tape_run(model->pack_tape, err);
}
