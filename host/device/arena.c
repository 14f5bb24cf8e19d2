/* Memory for tapes. Buffers that are not alive at the same time share it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/memory.h"
#include "device/tape_internal.h"

camcl_status cc_arena_create(camcl_device *device, cc_arena **out, camcl_error *err)
{
    *out = NULL;
    CC_RETURN_IF_FAILED(cc_grow((void **)&device->arenas, &device->arena_capacity, device->arena_count + 1, sizeof *device->arenas, err));
    CC_RETURN_IF_FAILED(CC_NEW(1, out, err));
    (*out)->device = device;
    device->arenas[device->arena_count++] = *out;
    return CAMCL_OK;
}

static void release_memory(cc_arena *arena)
{
    for (size_t t = 0; t < arena->tape_count; t++)
        for (size_t i = 0; i < arena->tapes[t]->buffer_count; i++) {
            cc_buffer *buffer = arena->tapes[t]->buffers[i];
            if (arena->device->separate) cc_device_release(arena->device, buffer->bytes, &buffer->mem);
            buffer->mem = NULL;
        }
    for (size_t i = 0; i < arena->slab_count; i++)
        cc_device_release(arena->device, arena->slabs[i].bytes, &arena->slabs[i].mem);
    arena->slab_count = 0;
}

void cc_arena_clear(cc_arena *arena)
{
    clFinish(arena->device->queue);
    release_memory(arena);
    for (size_t t = 0; t < arena->tape_count; t++)
        cc_tape_destroy(&arena->tapes[t]);
    arena->tape_count = 0;
    arena->committed = false;
}

void cc_arena_destroy(cc_arena **handle)
{
    cc_arena *arena = *handle;
    if (arena == NULL) return;
    camcl_device *device = arena->device;
    for (size_t i = 0; i < device->arena_count; i++)
        if (device->arenas[i] == arena) device->arenas[i--] = device->arenas[--device->arena_count];
    cc_arena_clear(arena);
    free(arena->tapes);
    free(arena->slabs);
    free(arena->misfits);
    free(arena);
    *handle = NULL;
}

bool cc_arena_is_committed(const cc_arena *arena) { return arena->committed; }

size_t cc_arena_bytes(const cc_arena *arena)
{
    size_t sum = 0;
    for (size_t i = 0; i < arena->slab_count; i++)
        sum += arena->slabs[i].bytes;
    return sum;
}

static int by_size(const void *a, const void *b)
{
    const cc_buffer *x = *(cc_buffer *const *)a, *y = *(cc_buffer *const *)b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    /* Buffers of equal size are ordered by their lives, because qsort may leave equals in any order. */
    return x->first < y->first ? -1 : x->first > y->first ? 1 : strcmp(x->name, y->name);
}

static bool alive_together(const cc_buffer *a, const cc_buffer *b)
{
    size_t a_last = a->keep ? SIZE_MAX : a->last, b_last = b->keep ? SIZE_MAX : b->last;
    return a->first <= b_last && b->first <= a_last;
}

/* Gives the buffer the smallest of the tape's slabs that nothing else holds during its life, or a new one. The `count` buffers that have a
 * slab are at least as large as this one, and a later slab is no larger than an earlier one. */
static void place(cc_buffer *buffer, cc_buffer *const *done, size_t count, bool *taken, size_t *slabs)
{
    memset(taken, 0, *slabs * sizeof *taken);
    for (size_t i = 0; i < count; i++)
        if (alive_together(done[i], buffer)) taken[done[i]->slab] = true;
    size_t slab = *slabs;
    while (slab > 0 && taken[slab - 1])
        slab--;
    buffer->slab = slab > 0 ? slab - 1 : (*slabs)++;
}

/* Places the buffers greedily, the largest first. A slab serves one buffer at a time, from its start: drivers exist that crash when they
 * release sub-buffers which overlap. */
static camcl_status place_tape(cc_arena *arena, cc_tape *tape, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_buffer **order = NULL;
    bool *taken = NULL;
    size_t n = 0, slabs = 0;
    CC_TRY(CC_NEW(tape->buffer_count, &order, err));
    CC_TRY(CC_NEW(tape->buffer_count, &taken, err));
    for (size_t i = 0; i < tape->buffer_count; i++)
        if (tape->buffers[i]->first != SIZE_MAX) order[n++] = tape->buffers[i];
    qsort(order, n, sizeof *order, by_size);
    for (size_t i = 0; i < n; i++) {
        place(order[i], order, i, taken, &slabs);
        CC_TRY(cc_grow((void **)&arena->slabs, &arena->slab_capacity, slabs, sizeof *arena->slabs, err));
        while (arena->slab_count < slabs)
            arena->slabs[arena->slab_count++] = (arena_slab){ 0, NULL };
        arena_slab *slab = &arena->slabs[order[i]->slab];
        slab->bytes = cc_max_size(slab->bytes, order[i]->bytes);
    }
cleanup:
    free(order);
    free(taken);
    return status;
}

/* Lists the largest buffers in the detail of an out-of-memory error. */
static void explain_memory(const cc_arena *arena, camcl_error *err)
{
    cc_buffer *top[8];
    size_t n = 0;
    for (size_t t = 0; t < arena->tape_count; t++)
        for (size_t i = 0; i < arena->tapes[t]->buffer_count; i++) {
            cc_buffer *buffer = arena->tapes[t]->buffers[i];
            size_t at = n;
            while (at > 0 && top[at - 1]->bytes < buffer->bytes)
                at--;
            if (at == CC_COUNT(top)) continue;
            if (n < CC_COUNT(top)) n++;
            memmove(&top[at + 1], &top[at], (n - 1 - at) * sizeof *top);
            top[at] = buffer;
        }
    cc_detail(err, "the largest buffers:\n");
    for (size_t i = 0; i < n; i++)
        cc_detail(err, "  %12zu bytes  %s: %s\n", top[i]->bytes, top[i]->tape->name, top[i]->name);
}

/* The bytes that allocate will ask for. */
static size_t count_bytes(const cc_arena *arena)
{
    size_t sum = cc_arena_bytes(arena);
    for (size_t t = 0; arena->device->separate && t < arena->tape_count; t++)
        for (size_t i = 0; i < arena->tapes[t]->buffer_count; i++)
            if (arena->tapes[t]->buffers[i]->first != SIZE_MAX) sum += arena->tapes[t]->buffers[i]->bytes;
    return sum;
}

static camcl_status allocate(cc_arena *arena, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    camcl_device *device = arena->device;
    char what[96];
    CC_TRY(cc_device_check_memory(device, count_bytes(arena), "activations and workspaces", err));
    snprintf(what, sizeof what, "activations and workspaces, %zu bytes in %zu buffers: one of them", cc_arena_bytes(arena),
             arena->slab_count);
    for (size_t i = 0; i < arena->slab_count; i++)
        if (arena->slabs[i].bytes) CC_TRY(cc_device_allocate(device, arena->slabs[i].bytes, what, &arena->slabs[i].mem, err));
    for (size_t t = 0; t < arena->tape_count; t++)
        for (size_t i = 0; i < arena->tapes[t]->buffer_count; i++) {
            cc_buffer *buffer = arena->tapes[t]->buffers[i];
            if (buffer->first == SIZE_MAX) continue;
            if (device->separate)
                CC_TRY(cc_device_allocate(device, buffer->bytes, buffer->name, &buffer->mem, err));
            else
                buffer->mem = arena->slabs[buffer->slab].mem;
        }
cleanup:
    return status;
}

/* Has the driver take all of the memory now: some take it when it is first used. */
static camcl_status touch(cc_arena *arena, camcl_error *err)
{
    camcl_device *device = arena->device;
    cl_int code = CL_SUCCESS;
    for (size_t i = 0; i < arena->slab_count && code == CL_SUCCESS; i++)
        if (arena->slabs[i].mem) code = cc_device_fill(device, arena->slabs[i].mem, arena->slabs[i].bytes);
    for (size_t t = 0; device->separate && t < arena->tape_count; t++)
        for (size_t i = 0; i < arena->tapes[t]->buffer_count && code == CL_SUCCESS; i++)
            if (arena->tapes[t]->buffers[i]->mem)
                code = cc_device_fill(device, arena->tapes[t]->buffers[i]->mem, arena->tapes[t]->buffers[i]->bytes);
    if (code == CL_SUCCESS) code = clFinish(device->queue);
    if (code == CL_SUCCESS) return CAMCL_OK;
    return cc_device_fail_memory(device, count_bytes(arena), "activations and workspaces", code, err);
}

camcl_status cc_arena_touch(cc_arena *arena, camcl_error *err)
{
    return arena->device->info.type == CAMCL_CPU ? touch(arena, err) : CAMCL_OK;
}

camcl_status cc_arena_commit(cc_arena *arena, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    arena->committed = false;
    arena->misfit_count = 0;
    CC_CL(clFinish(arena->device->queue));
    release_memory(arena);
    cc_device_compile_ahead(arena->device);
    for (size_t t = 0; t < arena->tape_count; t++)
        CC_TRY(cc_tape_build(arena->tapes[t], err));
    CC_TRY(cc_arena_check_fit(arena, err));
    size_t limit = arena->device->info.max_alloc;
    for (size_t t = 0; t < arena->tape_count; t++) {
        for (size_t i = 0; i < arena->tapes[t]->buffer_count; i++) {
            const cc_buffer *buffer = arena->tapes[t]->buffers[i];
            if (buffer->first != SIZE_MAX && buffer->bytes > limit) {
                status = cc_device_allocate(arena->device, buffer->bytes, buffer->name, &(cl_mem){ NULL }, err);
                goto cleanup;
            }
        }
        if (!arena->device->separate) CC_TRY(place_tape(arena, arena->tapes[t], err));
    }
    CC_TRY(allocate(arena, err));
    for (size_t t = 0; t < arena->tape_count; t++)
        CC_TRY(cc_tape_bind(arena->tapes[t], err));
    if (arena->device->info.type != CAMCL_CPU) CC_TRY(touch(arena, err));
    arena->committed = true;
cleanup:
    if (status == CAMCL_NO_MEMORY) explain_memory(arena, err);
    if (status != CAMCL_OK) release_memory(arena);
    return status;
}
