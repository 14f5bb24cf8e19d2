/* Sums of arrays over the ranks, blocking and under way beside other work.
 *
 * Ways that give the same bits. Directly: every rank sends its array to every other and adds up all of them; one message each way,
 * but (N - 1) arrays sent per rank. In slices: each rank gets the others' parts of its slice, adds them up, and sends the result to all;
 * two messages each way, one after the other, but only 2 (N - 1) / N arrays sent. In rounds, for small arrays of many ranks that are waited
 * for: the same slices, by way of other ranks. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "exchange/mpi/ranks.h"

enum { BLOCK = 1024 };

struct cc_world_pending {
    cc_world *world;
    cc_world_pending *next;
    float *values;
    float *room; /* others' values: [size - 1, count], or of the own slice */
    size_t count;
    int tag;
    bool sliced, added, done;
    cc_transfers transfers;
};

/* The bytes above which slices are faster. What they save of bytes, (N - 1)(N - 2) / N arrays, has to take longer than a message takes to
 * arrive: some 50 us, in which a link of 10 Gbit/s carries 64 KiB. For two ranks both ways send the same, so that the direct one wins at
 * any size. */
static bool slices_pay(size_t bytes, size_t ranks) { return ranks > 2 && bytes * (ranks - 1) * (ranks - 2) / ranks > 64 << 10; }

static size_t slice_begin(size_t count, size_t ranks, size_t slice) { return count / ranks * slice + cc_min_size(slice, count % ranks); }

static size_t slice_size(size_t count, size_t ranks, size_t slice) { return count / ranks + (slice < count % ranks ? 1 : 0); }

/* values [count] = the ranks' in their order; the others' lie in room [ranks - 1, count]. By blocks that stay in the nearest cache. */
static void add_in_order(float *values, const float *room, size_t count, size_t rank, size_t ranks)
{
    float sum[BLOCK];
    for (size_t begin = 0; begin < count; begin += BLOCK) {
        const size_t n = cc_min_size(BLOCK, count - begin);
        for (size_t r = 0; r < ranks; r++) {
            const float *part = (r == rank ? values : room + (r < rank ? r : r - 1) * count) + begin;
            if (r == 0)
                memcpy(sum, part, n * sizeof *sum);
            else
                for (size_t i = 0; i < n; i++)
                    sum[i] += part[i];
        }
        memcpy(values + begin, sum, n * sizeof *sum);
    }
}

/* ---- the messages */

/* Every rank's array to every other. */
static camcl_status post_direct(cc_world_pending *p, camcl_error *err)
{
    const size_t bytes = p->count * sizeof *p->values;
    float *room = p->room;
    for (int r = 0; r < p->world->size; r++) {
        if (r == p->world->rank) continue;
        CC_RETURN_IF_FAILED(cc_ranks_receive(p->world, &p->transfers, room, bytes, r, p->tag, err));
        room += p->count;
    }
    /* Each starts with its successor, so that not all send to rank 0 first. */
    for (int i = 1; i < p->world->size; i++)
        CC_RETURN_IF_FAILED(cc_ranks_send(p->world, &p->transfers, p->values, bytes, (p->world->rank + i) % p->world->size, p->tag, err));
    return CAMCL_OK;
}

/* To every rank the part of its slice. */
static camcl_status post_parts(cc_world_pending *p, camcl_error *err)
{
    const size_t ranks = (size_t)p->world->size, own = slice_size(p->count, ranks, (size_t)p->world->rank);
    float *room = p->room;
    for (size_t r = 0; r < ranks; r++) {
        if (r == (size_t)p->world->rank) continue;
        CC_RETURN_IF_FAILED(cc_ranks_receive(p->world, &p->transfers, room, own * sizeof *room, (int)r, p->tag, err));
        room += own;
    }
    for (size_t i = 1; i < ranks; i++) {
        const size_t r = ((size_t)p->world->rank + i) % ranks;
        CC_RETURN_IF_FAILED(cc_ranks_send(p->world, &p->transfers, p->values + slice_begin(p->count, ranks, r),
                                          slice_size(p->count, ranks, r) * sizeof *room, (int)r, p->tag, err));
    }
    return CAMCL_OK;
}

/* The sum of the own slice to every rank. */
static camcl_status post_sums(cc_world_pending *p, camcl_error *err)
{
    const size_t ranks = (size_t)p->world->size, own = (size_t)p->world->rank;
    for (size_t r = 0; r < ranks; r++) {
        if (r == own) continue;
        CC_RETURN_IF_FAILED(cc_ranks_receive(p->world, &p->transfers, p->values + slice_begin(p->count, ranks, r),
                                             slice_size(p->count, ranks, r) * sizeof *p->values, (int)r, p->tag, err));
    }
    for (size_t i = 1; i < ranks; i++)
        CC_RETURN_IF_FAILED(cc_ranks_send(p->world, &p->transfers, p->values + slice_begin(p->count, ranks, own),
                                          slice_size(p->count, ranks, own) * sizeof *p->values, (int)((own + i) % ranks), p->tag, err));
    return CAMCL_OK;
}

/* ---- its course */

/* What follows when a round of messages is over. */
static camcl_status follow(cc_world_pending *p, camcl_error *err)
{
    const size_t rank = (size_t)p->world->rank, ranks = (size_t)p->world->size;
    if (p->added) {
        p->done = true;
        return CAMCL_OK;
    }
    p->added = true;
    if (p->sliced) {
        add_in_order(p->values + slice_begin(p->count, ranks, rank), p->room, slice_size(p->count, ranks, rank), rank, ranks);
        return post_sums(p, err);
    }
    add_in_order(p->values, p->room, p->count, rank, ranks);
    p->done = true;
    return CAMCL_OK;
}

static camcl_status move(cc_world_pending *p, bool *moved, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_ranks_test(p->world, &p->transfers, moved, err));
    while (!p->done && p->transfers.left == 0) {
        *moved = true;
        CC_RETURN_IF_FAILED(follow(p, err));
    }
    return CAMCL_OK;
}

camcl_status cc_sums_move(cc_world *world, bool *moved, camcl_error *err)
{
    for (cc_world_pending *p = world->pending; p; p = p->next)
        if (!p->done) CC_RETURN_IF_FAILED(move(p, moved, err));
    return CAMCL_OK;
}

static void enlist(cc_world_pending *p)
{
    cc_world_pending **end = &p->world->pending;
    while (*end)
        end = &(*end)->next;
    *end = p;
}

static void drop(cc_world_pending *p)
{
    cc_world_pending **at = &p->world->pending;
    while (*at && *at != p)
        at = &(*at)->next;
    if (*at) *at = p->next;
    cc_transfers_free(&p->transfers);
    free(p->room);
    free(p);
}

camcl_status cc_world_sum_start(cc_world *world, float *values, size_t count, cc_world_pending **pending, camcl_error *err)
{
    *pending = NULL;
    if (world == NULL) return CAMCL_OK;
    camcl_status status;
    const size_t ranks = (size_t)world->size;
    cc_world_pending *p = NULL;
    size_t room;
    world->doing = "a sum";
    CC_RETURN_IF_FAILED(cc_ranks_check(world, err));
    p = malloc(sizeof *p);
    if (p == NULL) return cc_ranks_out_of_memory(world, err);
    *p = (cc_world_pending){ .world = world, .values = values, .count = count, .tag = cc_ranks_tag(world) };
    p->sliced = slices_pay(count * sizeof *values, ranks);
    room = p->sliced ? slice_size(count, ranks, (size_t)world->rank) : count;
    /* Without zeros: gradients are large, and what is not written is not read. */
    p->room = malloc(cc_max_size(room * (ranks - 1), 1) * sizeof *values);
    if (p->room == NULL)
        status = cc_ranks_out_of_memory(world, err);
    else
        status = p->sliced ? post_parts(p, err) : post_direct(p, err);
    if (status != CAMCL_OK && p->transfers.left == 0) {
        drop(p);
        return status;
    }
    enlist(p);
    *pending = p;
    return status;
}

camcl_status cc_world_sum_finish(cc_world_pending **pending, camcl_error *err)
{
    if (pending == NULL || *pending == NULL) return CAMCL_OK;
    cc_world_pending *p = *pending;
    double since = 0;
    *pending = NULL;
    p->world->doing = "a sum";
    /* A sum that failed stays in the list: MPI may still write into its room. */
    while (!p->done)
        CC_RETURN_IF_FAILED(cc_ranks_turn(p->world, &since, false, err));
    drop(p);
    return CAMCL_OK;
}

/* The sum of the own slice, in the order of the ranks, of slices [ranks,slice]. */
static void add_slices(float *sum, const float *slices, size_t slice, size_t ranks)
{
    memcpy(sum, slices, slice * sizeof *sum);
    for (size_t r = 1; r < ranks; r++)
        for (size_t i = 0; i < slice; i++)
            sum[i] += slices[r * slice + i];
}

static camcl_status sum_in_rounds(cc_world *world, float *values, size_t count, camcl_error *err)
{
    const size_t ranks = (size_t)world->size, slice = cc_ceil_div(count, ranks);
    void *room;
    world->doing = "a sum";
    CC_RETURN_IF_FAILED(cc_ranks_check(world, err));
    CC_RETURN_IF_FAILED(cc_ranks_new(world, (ranks + 1) * slice * sizeof *values, &room, err));
    float *slices = room, *own = slices + ranks * slice;
    memcpy(slices, values, count * sizeof *values);
    camcl_status status = cc_ranks_deal(world, slices, slice * sizeof *values, err);
    if (status == CAMCL_OK) {
        add_slices(own, slices, slice, ranks);
        status = cc_ranks_collect(world, own, slice * sizeof *values, slices, err);
    }
    if (status == CAMCL_OK) memcpy(values, slices, count * sizeof *values);
    free(room);
    return status;
}

camcl_status cc_world_sum(cc_world *world, float *values, size_t count, camcl_error *err)
{
    cc_world_pending *pending;
    if (world && count && cc_ranks_in_rounds(world, count * sizeof *values)) return sum_in_rounds(world, values, count, err);
    CC_RETURN_IF_FAILED(cc_world_sum_start(world, values, count, &pending, err));
    return cc_world_sum_finish(&pending, err);
}
