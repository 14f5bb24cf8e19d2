#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/arch.h"
#include "model/fit.h"
#include "train/team_internal.h"

/* ---- opening */

camcl_status cc_team_open(cc_run *run, const camcl_device_options *options, camcl_device **first, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_team *team = &run->team;
    camcl_device **devices = NULL;
    size_t count = 0;
    CC_TRY(camcl_device_open_all(options, &devices, &count, err));
    CC_TRY(CC_NEW(count, &team->others, err));
    CC_TRY(CC_NEW(count, &team->steps, err));
    team->count = count - 1;
    run->device = *first = devices[0];
    for (size_t i = 1; i < count; i++)
        team->others[i - 1].device = devices[i];
    /* They are the run's now. */
    memset(devices, 0, count * sizeof *devices);
cleanup:
    camcl_device_close_all(&devices, count);
    return status;
}

camcl_status cc_team_of_device(const cc_run *run, size_t i, camcl_status status, camcl_error *err)
{
    const cc_team *team = &run->team;
    if (status == CAMCL_OK || (team->count == 0 && team->world == NULL)) return status;
    const camcl_device_info *info = camcl_device_get_info(device_of(run, i));
    if (team->count)
        cc_context(err, "device %zu of the list, %s (%s)", i + 1, info->selector, info->name);
    else
        cc_context(err, "device %s (%s)", info->selector, info->name);
    return status;
}

camcl_status cc_team_of_first(const cc_run *run, camcl_status status, camcl_error *err)
{
    return status == CAMCL_OPENCL ? cc_team_of_device(run, 0, status, err) : status;
}

/* The alignment that suits every device of every process. */
static camcl_status find_align(const cc_run *run, size_t *align, camcl_error *err)
{
    size_t *all = NULL;
    const size_t size = cc_world_size(run->team.world);
    *align = 1;
    for (size_t i = 0; i < own_count(&run->team); i++)
        *align = cc_max_size(*align, camcl_device_get_info(device_of(run, i))->base_align);
    if (run->team.world == NULL) return CAMCL_OK;
    CC_RETURN_IF_FAILED(CC_NEW(size, &all, err));
    const camcl_status status = cc_world_gather(run->team.world, align, sizeof *align, all, err);
    for (size_t i = 0; status == CAMCL_OK && i < size; i++)
        *align = cc_max_size(*align, all[i]);
    free(all);
    return status;
}

camcl_status cc_team_create_models(cc_run *run, camcl_error *err)
{
    size_t align;
    CC_RETURN_IF_FAILED(find_align(run, &align, err));
    for (size_t i = 0; i < own_count(&run->team); i++) {
        cc_graph *graph;
        cc_model **model = i == 0 ? &run->model : &run->team.others[i - 1].model;
        CC_RETURN_IF_FAILED(cc_graph_build(&run->settings.graph, align / sizeof(float), &graph, err));
        CC_RETURN_IF_FAILED(cc_team_of_device(run, i, cc_model_create_from(device_of(run, i), &graph, model, err), err));
    }
    return CAMCL_OK;
}

/* ---- images */

camcl_status cc_team_place_images(cc_run *run, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_team_of_device(run, 0, cc_run_place_images(run, run->device, &run->train_images, err), err));
    for (size_t i = 1; i < own_count(&run->team); i++)
        CC_RETURN_IF_FAILED(
            cc_team_of_device(run, i, cc_run_place_images(run, device_of(run, i), &run->team.others[i - 1].images, err), err));
    return CAMCL_OK;
}

/* ---- recording */

typedef struct recording {
    cc_run *run;
    size_t index; /* of the device, 1.. */
} recording;

static camcl_status record(void *context, cc_arena *arena, camcl_error *err)
{
    const recording *r = context;
    const cc_team *team = &r->run->team;
    cc_member *member = &team->others[r->index - 1];
    cc_step_spec spec = r->run->settings.step;
    spec.own = team->parts[team->first + r->index];
    cc_step_destroy(&member->step);
    CC_RETURN_IF_FAILED(cc_step_create(member->model, member->images, &spec, arena, &member->step, err));
    return cc_weights_record_packing(member->model->main, err);
}

static camcl_status say_line(void *context, const char *line, camcl_error *err)
{
    const recording *r = context;
    return cc_run_say(r->run, err, "%s: %s", selector_of(r->run, r->index), line);
}

static camcl_status commit(cc_run *run, size_t i, camcl_error *err)
{
    cc_member *member = &run->team.others[i - 1];
    recording context = { run, i };
    CC_RETURN_IF_FAILED(cc_arena_create(member->device, &member->arena, err));
    CC_RETURN_IF_FAILED(cc_model_commit(member->model, member->arena, &(cc_recording){ record, say_line, &context }, err));
    return cc_arena_touch(member->arena, err);
}

camcl_status cc_team_commit(cc_run *run, camcl_error *err)
{
    for (size_t i = 1; i < own_count(&run->team); i++)
        CC_RETURN_IF_FAILED(cc_team_of_device(run, i, commit(run, i, err), err));
    return CAMCL_OK;
}

/* ---- following */

/* One of the buffers that make up what is trained: the weights, their statistics, momenta, averages of both, and the objective's states.
 * NULL where the run has no such buffer; *last: there are no more. */
static cc_buffer *trained_buffer(const cc_run *run, size_t i, size_t which, bool *last)
{
    const cc_step *step = step_of(run, i);
    const cc_weights *weights = model_of(run, i)->main;
    enum { WEIGHTS, STATISTICS, VELOCITY, AVERAGE, AVERAGE_STATISTICS, STATES };
    *last = which >= STATES + run->settings.step.objective.kind->state_count;
    if (*last) return NULL;
    switch (which) {
    case WEIGHTS: return weights->trained;
    case STATISTICS: return weights->statistics;
    case VELOCITY: return cc_step_velocity(step);
    case AVERAGE: return cc_step_average(step);
    case AVERAGE_STATISTICS: return cc_step_average_statistics(step);
    default: return cc_step_state(step)[which - STATES].buffer;
    }
}

static camcl_status follow_buffer(cc_run *run, size_t which, cc_buffer *first, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    void *values = NULL;
    bool last;
    const size_t bytes = cc_buffer_bytes(first);
    CC_TRY(cc_calloc(bytes, 1, &values, err));
    CC_TRY(cc_buffer_read(first, 0, values, bytes, err));
    CC_TRY(cc_world_broadcast(run->team.world, values, bytes, err));
    for (size_t i = 0; i < own_count(&run->team); i++)
        CC_TRY(cc_buffer_write(trained_buffer(run, i, which, &last), 0, values, bytes, err));
cleanup:
    free(values);
    return status;
}

camcl_status cc_team_follow(cc_run *run, camcl_error *err)
{
    bool last = false;
    if (run->team.exchange == NULL) return CAMCL_OK;
    for (size_t which = 0; !last; which++) {
        cc_buffer *first = trained_buffer(run, 0, which, &last);
        if (first) CC_RETURN_IF_FAILED(follow_buffer(run, which, first, err));
    }
    for (size_t i = 0; i < own_count(&run->team); i++)
        CC_RETURN_IF_FAILED(cc_model_refresh(model_of(run, i), err));
    return CAMCL_OK;
}

camcl_status cc_team_step(cc_run *run, const cc_step_input *input, cc_readback **sums, camcl_error *err)
{
    if (run->team.exchange == NULL) return cc_step_run(run->step, input, sums, err);
    for (size_t i = 0; i < own_count(&run->team); i++)
        run->team.steps[i] = step_of(run, i);
    const camcl_status status = cc_exchange_step(run->team.exchange, run->team.steps, input, sums, err);
    const size_t culprit = cc_exchange_culprit(run->team.exchange);
    return status == CAMCL_OK || culprit == CC_NO_DEVICE ? status : cc_team_of_device(run, culprit, status, err);
}

void cc_team_close(cc_team *team)
{
    for (size_t i = 0; i < team->count; i++) {
        cc_member *member = &team->others[i];
        cc_arena_destroy(&member->arena);
        cc_step_destroy(&member->step);
        cc_model_destroy(&member->model);
        cc_resident_destroy(&member->images);
        camcl_device_close(&member->device);
    }
    cc_exchange_destroy(&team->exchange);
    free(team->others);
    free(team->steps);
    free(team->parts);
    free(team->plans);
}
