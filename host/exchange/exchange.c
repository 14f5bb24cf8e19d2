#include "exchange/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "exchange/in_place.h"
#include "exchange/join.h"

/* A sum that need not be there before the end of the tapes. */
typedef struct later_sum {
    const cc_exchange_point **points; /* [devices] */
    cc_readback **found;              /* [devices]; NULL once taken */
    float *values;
    size_t capacity; /* of values */
    cc_world_pending *pending;
} later_sum;

struct cc_exchange {
    size_t devices;
    cc_world *world;
    cc_tape **tapes;                  /* [devices] of a step */
    size_t *next;                     /* [devices]: where each tape goes on */
    const cc_exchange_point **points; /* [devices] */
    cc_readback **found;              /* [devices] */
    float *values, *other;            /* of all devices so far, and of one of them */
    double *joined;                   /* moments of all devices so far */
    size_t value_capacity, other_capacity, joined_capacity;
    later_sum later[CC_MOST_LATER]; /* in the order in which they begin; memory of earlier runs is used again */
    size_t later_count;             /* begun in this run */
    bool copies, in_place;          /* cc_exchange_copy_always; of this run */
    size_t culprit;                 /* cc_exchange_culprit */
    cc_exchange_figures figures;
};

camcl_status cc_exchange_create(size_t devices, cc_world *world, cc_exchange **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_exchange *x = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &x, err));
    x->devices = devices;
    x->world = world;
    x->culprit = CC_NO_DEVICE;
    CC_TRY(CC_NEW(devices, &x->tapes, err));
    CC_TRY(CC_NEW(devices, &x->next, err));
    CC_TRY(CC_NEW(devices, &x->points, err));
    CC_TRY(CC_NEW(devices, &x->found, err));
    *out = x;
    x = NULL;
cleanup:
    cc_exchange_destroy(&x);
    return status;
}

void cc_exchange_destroy(cc_exchange **handle)
{
    cc_exchange *x = *handle;
    if (x == NULL) return;
    for (size_t i = 0; i < CC_MOST_LATER; i++) {
        free(x->later[i].points);
        free(x->later[i].found);
        free(x->later[i].values);
    }
    free(x->values);
    free(x->other);
    free(x->joined);
    free(x->found);
    free(x->points);
    free(x->next);
    free(x->tapes);
    free(x);
    *handle = NULL;
}

size_t cc_exchange_devices(const cc_exchange *exchange) { return exchange->devices; }

size_t cc_exchange_culprit(const cc_exchange *exchange) { return exchange->culprit; }

void cc_exchange_copy_always(cc_exchange *exchange) { exchange->copies = true; }

/* What a call for device d returned. */
static camcl_status of_device(cc_exchange *x, size_t d, camcl_status status)
{
    if (status != CAMCL_OK) x->culprit = d;
    return status;
}

cc_exchange_figures cc_exchange_take_figures(cc_exchange *x)
{
    const cc_exchange_figures figures = x->figures;
    x->figures = (cc_exchange_figures){ 0, 0, 0 };
    return figures;
}

/* ---- between the devices of this process */

static size_t floats_of(const cc_exchange_point *point) { return point->kind == CC_EXCHANGE_MOMENTS ? 2 * point->count : point->count; }

/* How many devices' values are wanted, from device 0 on. */
static size_t sources_of(const cc_exchange *x, cc_exchange_kind kind) { return kind == CC_EXCHANGE_FIRST ? 1 : x->devices; }

/* Begins to read what the devices found at their present points. */
static camcl_status read_back(cc_exchange *x, cc_readback **found, camcl_error *err)
{
    for (size_t d = 0; d < sources_of(x, x->points[0]->kind); d++) {
        const cc_exchange_point *point = x->points[d];
        CC_RETURN_IF_FAILED(
            of_device(x, d, cc_readback_start(point->buffer, point->offset, floats_of(point) * sizeof(float), &found[d], err)));
    }
    return CAMCL_OK;
}

static camcl_status write_to_all(cc_exchange *x, const float *values, camcl_error *err)
{
    for (size_t d = 0; d < x->devices; d++) {
        const cc_exchange_point *point = x->points[d];
        CC_RETURN_IF_FAILED(
            of_device(x, d, cc_buffer_upload(point->buffer, point->offset, values, floats_of(point) * sizeof *values, err)));
    }
    return CAMCL_OK;
}

/* Waits for what a device found, and copies it. */
static camcl_status take(cc_exchange *x, size_t d, float *values, size_t count, camcl_error *err)
{
    const void *data;
    const camcl_status status = of_device(x, d, cc_readback_wait(x->found[d], &data, err));
    if (status == CAMCL_OK) memcpy(values, data, count * sizeof *values);
    cc_readback_destroy(&x->found[d]);
    return status;
}

/* sums [count] = a [count] + b [count]; sums may be a. */
static void add(float *sums, const float *a, const float *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sums[i] = a[i] + b[i];
}

/* Joins means [count] and sums of squared deviations [count] that the devices found with those of device 0, which are in x->values.
 * *weight: of all of them. */
static camcl_status join_moments(cc_exchange *x, double *weight, camcl_error *err)
{
    const size_t count = x->points[0]->count;
    CC_RETURN_IF_FAILED(cc_grow((void **)&x->joined, &x->joined_capacity, 2 * count, sizeof *x->joined, err));
    for (size_t i = 0; i < 2 * count; i++)
        x->joined[i] = (double)x->values[i];
    for (size_t d = 1; d < x->devices; d++) {
        const double more = x->points[d]->weight;
        CC_RETURN_IF_FAILED(take(x, d, x->other, 2 * count, err));
        for (size_t i = 0; i < count; i++)
            cc_join_moments(&x->joined[i], &x->joined[count + i], *weight, (double)x->other[i], (double)x->other[count + i], more);
        *weight += more;
    }
    for (size_t i = 0; i < 2 * count; i++)
        x->values[i] = (float)x->joined[i];
    return CAMCL_OK;
}

/* Brings together what devices 1.. found with that of device 0, which is in x->values. *weight: of all of them. */
static camcl_status join_devices(cc_exchange *x, double *weight, camcl_error *err)
{
    const cc_exchange_point *first = x->points[0];
    *weight = first->weight;
    if (first->kind == CC_EXCHANGE_MOMENTS) return join_moments(x, weight, err);
    for (size_t d = 1; d < sources_of(x, first->kind); d++) {
        CC_RETURN_IF_FAILED(take(x, d, x->other, first->count, err));
        add(x->values, x->values, x->other, first->count);
    }
    return CAMCL_OK;
}

static camcl_status join_processes(cc_exchange *x, double weight, camcl_error *err)
{
    const cc_exchange_point *first = x->points[0];
    if (x->world == NULL) return CAMCL_OK;
    switch (first->kind) {
    case CC_EXCHANGE_MOMENTS: return cc_world_moments(x->world, weight, x->values, x->values + first->count, first->count, err);
    case CC_EXCHANGE_FIRST: return cc_world_broadcast(x->world, x->values, first->count * sizeof *x->values, err);
    default: return cc_world_sum(x->world, x->values, first->count, err);
    }
}

/* A point at which all devices wait for one another. */
static camcl_status meet(cc_exchange *x, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const size_t floats = floats_of(x->points[0]);
    double weight;
    CC_TRY(cc_grow((void **)&x->values, &x->value_capacity, floats, sizeof *x->values, err));
    CC_TRY(cc_grow((void **)&x->other, &x->other_capacity, floats, sizeof *x->other, err));
    CC_TRY(read_back(x, x->found, err));
    CC_TRY(take(x, 0, x->values, floats, err));
    CC_TRY(join_devices(x, &weight, err));
    CC_TRY(join_processes(x, weight, err));
    CC_TRY(write_to_all(x, x->values, err));
cleanup:
    for (size_t d = 0; d < x->devices; d++)
        cc_readback_destroy(&x->found[d]);
    return status;
}

/* ---- sums that go on while the devices compute */

static camcl_status begin_later(cc_exchange *x, camcl_error *err)
{
    if (x->later_count == CC_MOST_LATER)
        return cc_fail(err, CAMCL_FAILED, "exchange: more than %d sums for later (report this as a defect)", CC_MOST_LATER);
    later_sum *sum = &x->later[x->later_count];
    if (sum->points == NULL) CC_RETURN_IF_FAILED(CC_NEW(x->devices, &sum->points, err));
    if (sum->found == NULL) CC_RETURN_IF_FAILED(CC_NEW(x->devices, &sum->found, err));
    x->later_count++;
    memcpy(sum->points, x->points, x->devices * sizeof *sum->points);
    if (x->in_place) return CAMCL_OK;
    CC_RETURN_IF_FAILED(cc_grow((void **)&sum->values, &sum->capacity, x->points[0]->count, sizeof *sum->values, err));
    return read_back(x, sum->found, err);
}

/* Adds up what the devices found. What they read here was written to them before, so that none of them still takes from `values` what it
 * was sent in the step before. */
static camcl_status add_later(cc_exchange *x, later_sum *sum, camcl_error *err)
{
    const size_t count = sum->points[0]->count;
    const void *first, *data;
    for (size_t d = 0; d < x->devices; d++)
        CC_RETURN_IF_FAILED(of_device(x, d, cc_readback_wait(sum->found[d], &data, err)));
    CC_RETURN_IF_FAILED(of_device(x, 0, cc_readback_wait(sum->found[0], &first, err)));
    if (x->devices == 1) memcpy(sum->values, first, count * sizeof *sum->values);
    for (size_t d = 1; d < x->devices; d++) {
        CC_RETURN_IF_FAILED(of_device(x, d, cc_readback_wait(sum->found[d], &data, err)));
        add(sum->values, d == 1 ? first : sum->values, data, count);
    }
    for (size_t d = 0; d < x->devices; d++)
        cc_readback_destroy(&sum->found[d]);
    if (x->world == NULL) return CAMCL_OK;
    return cc_world_sum_start(x->world, sum->values, count, &sum->pending, err);
}

/* Adds up the first `count` sums of this run, as far as that was not done. */
static camcl_status add_first_later(cc_exchange *x, size_t count, camcl_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (x->later[i].found[0]) CC_RETURN_IF_FAILED(add_later(x, &x->later[i], err));
    return CAMCL_OK;
}

static camcl_status send_to_all(cc_exchange *x, const later_sum *sum, camcl_error *err)
{
    for (size_t d = 0; d < x->devices; d++) {
        const cc_exchange_point *point = sum->points[d];
        CC_RETURN_IF_FAILED(
            of_device(x, d, cc_buffer_send(point->buffer, point->offset, sum->values, point->count * sizeof *sum->values, err)));
    }
    return CAMCL_OK;
}

static camcl_status finish_in_place(cc_exchange *x, camcl_error *err)
{
    for (size_t i = 0; i < x->later_count; i++)
        CC_RETURN_IF_FAILED(cc_add_in_place(x->later[i].points, x->devices, &x->culprit, err));
    x->later_count = 0;
    return CAMCL_OK;
}

static camcl_status finish_later(cc_exchange *x, camcl_error *err)
{
    if (x->in_place) return finish_in_place(x, err);
    CC_RETURN_IF_FAILED(add_first_later(x, x->later_count, err));
    for (size_t i = 0; i < x->later_count; i++) {
        if (x->later[i].pending) CC_RETURN_IF_FAILED(cc_world_sum_finish(&x->later[i].pending, err));
        CC_RETURN_IF_FAILED(send_to_all(x, &x->later[i], err));
    }
    x->later_count = 0;
    return CAMCL_OK;
}

/* After a failure: nothing may still write to the memory of these sums. */
static void abandon_later(cc_exchange *x)
{
    for (size_t i = 0; i < x->later_count; i++) {
        for (size_t d = 0; d < x->devices; d++)
            cc_readback_destroy(&x->later[i].found[d]);
        if (x->later[i].pending) (void)cc_world_sum_finish(&x->later[i].pending, NULL);
    }
    x->later_count = 0;
}

/* ---- */

static bool alike(const cc_exchange_point *a, const cc_exchange_point *b)
{
    return a == b || (a && b && a->kind == b->kind && a->count == b->count);
}

/* Sums that began before the last point at which the devices met are added up as soon as the devices have the work behind that point:
 * their figures were read back before those of the point, so none of them is waited for, no device is idle meanwhile, and all processes
 * begin their sums at the same point. */
static camcl_status run(cc_exchange *x, cc_tape *const *tapes, camcl_error *err)
{
    size_t before_meeting = 0;
    memset(x->next, 0, x->devices * sizeof *x->next);
    for (;;) {
        for (size_t d = 0; d < x->devices; d++)
            CC_RETURN_IF_FAILED(of_device(x, d, cc_tape_run_to_exchange(tapes[d], &x->next[d], &x->points[d], err)));
        for (size_t d = 1; d < x->devices; d++)
            if (!alike(x->points[0], x->points[d]))
                return cc_fail(err, CAMCL_FAILED, "exchange: the tapes of devices 0 and %zu differ (report this as a defect)", d);
        CC_RETURN_IF_FAILED(add_first_later(x, before_meeting, err));
        if (x->points[0] == NULL) return finish_later(x, err);
        x->figures.bytes += floats_of(x->points[0]) * sizeof(float);
        if (x->points[0]->kind == CC_EXCHANGE_SUM_LATER) {
            x->figures.overlapped++;
            CC_RETURN_IF_FAILED(begin_later(x, err));
        } else {
            x->figures.blocking++;
            CC_RETURN_IF_FAILED(meet(x, err));
            before_meeting = x->later_count;
        }
    }
}

/* Whether sums that need not be there before the end of the tapes are made then, in the devices' memory. Where that is the host's, copies
 * for sums beside the devices' work would take more time from the devices' cores than these sums do. */
static bool adds_in_place(const cc_exchange *x, cc_tape *const *tapes)
{
    bool in_place = x->world == NULL && !x->copies;
    for (size_t d = 0; d < x->devices; d++)
        in_place &= camcl_device_get_info(cc_tape_device(tapes[d]))->type == CAMCL_CPU;
    return in_place;
}

camcl_status cc_exchange_run(cc_exchange *x, cc_tape *const *tapes, camcl_error *err)
{
    x->culprit = CC_NO_DEVICE;
    x->in_place = adds_in_place(x, tapes);
    const camcl_status status = run(x, tapes, err);
    if (status != CAMCL_OK) abandon_later(x);
    return status;
}

camcl_status cc_exchange_step(cc_exchange *x, cc_step *const *steps, const cc_step_input *input, cc_readback **sums, camcl_error *err)
{
    if (x == NULL) return cc_step_run(steps[0], input, sums, err);
    for (size_t d = 0; d < x->devices; d++) {
        x->tapes[d] = cc_step_tape(steps[d], CC_STEP_GRADIENTS);
        CC_RETURN_IF_FAILED(of_device(x, d, cc_step_begin(steps[d], input, err)));
    }
    CC_RETURN_IF_FAILED(cc_exchange_run(x, x->tapes, err));
    for (size_t d = x->devices; d-- > 0;)
        CC_RETURN_IF_FAILED(of_device(x, d, cc_step_end(steps[d], d == 0 ? sums : NULL, err)));
    return CAMCL_OK;
}
