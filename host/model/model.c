#include "model/model.h"

#include <stdlib.h>

#include "base/memory.h"
#include "model/arch.h"
#include "model/param.h"

static camcl_status create_gradients(cc_model *model, camcl_error *err)
{
    const cc_graph *g = model->graph;
    CC_RETURN_IF_FAILED(cc_buffer_create(model->device, g->trained * sizeof(float), "gradients", &model->gradients, err));
    CC_RETURN_IF_FAILED(CC_NEW(g->param_count, &model->grads, err));
    for (size_t i = 0; i < g->param_count; i++) {
        const cc_param *p = &g->params[i];
        cc_buffer *view;
        if (cc_param_is_statistic(p)) continue;
        CC_RETURN_IF_FAILED(cc_buffer_view(model->gradients, p->offset * sizeof(float), p->count * sizeof(float), p->name, &view, err));
        model->grads[i] = cc_param_tensor(p, view);
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
    cc_graph *graph;
    *out = NULL;
    CC_RETURN_IF_FAILED(cc_graph_build(spec, camcl_device_get_info(device)->base_align / sizeof(float), &graph, err));
    return cc_model_create_from(device, &graph, out, err);
}

camcl_status cc_model_create_from(camcl_device *device, cc_graph **graph, cc_model **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_model *model = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &model, err));
    model->device = device;
    model->graph = *graph;
    *graph = NULL;
    CC_TRY(cc_model_create_weights(model, "main", &model->main, err));
    CC_TRY(create_gradients(model, err));
    CC_TRY(create_constants(model, err));
    *out = model;
    model = NULL;
cleanup:
    cc_graph_destroy(graph);
    cc_model_destroy(&model);
    return status;
}

void cc_model_destroy(cc_model **handle)
{
    cc_model *model = *handle;
    if (model == NULL) return;
    cc_weights_destroy(&model->main);
    for (size_t i = 0; model->grads && i < model->graph->param_count; i++)
        cc_buffer_destroy(&model->grads[i].buffer);
    cc_buffer_destroy(&model->gradients);
    cc_buffer_destroy(&model->ones);
    cc_buffer_destroy(&model->zeros);
    cc_graph_destroy(&model->graph);
    cc_plan_clear(&model->plan);
    free(model->grads);
    free(model);
    *handle = NULL;
}

camcl_status cc_model_get_gradient(const cc_model *model, size_t param, float *out, camcl_error *err)
{
    return cc_param_read(&model->graph->params[param], &model->grads[param], out, err);
}
