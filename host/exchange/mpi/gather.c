/* What ranks tell each other apart from sums. Messages are small, or rare. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "exchange/mpi/ranks.h"

camcl_status cc_ranks_finish(cc_world *world, cc_transfers *transfers, camcl_status posted, camcl_error *err)
{
    camcl_status status = posted == CAMCL_OK ? cc_ranks_wait(world, transfers, err) : posted;
    cc_transfers_free(transfers);
    return status;
}

static camcl_status post_gather(cc_world *world, cc_transfers *transfers, const void *own, size_t bytes, char *all, camcl_error *err)
{
    const int tag = cc_ranks_tag(world);
    for (int r = 0; r < world->size; r++)
        if (r != world->rank) CC_RETURN_IF_FAILED(cc_ranks_receive(world, transfers, all + (size_t)r * bytes, bytes, r, tag, err));
    for (int i = 1; i < world->size; i++)
        CC_RETURN_IF_FAILED(cc_ranks_send(world, transfers, own, bytes, (world->rank + i) % world->size, tag, err));
    return CAMCL_OK;
}

camcl_status cc_ranks_gather(cc_world *world, const void *own, size_t bytes, void *all, const char *doing, camcl_error *err)
{
    cc_transfers transfers = { 0 };
    world->doing = doing;
    CC_RETURN_IF_FAILED(cc_ranks_check(world, err));
    if (cc_ranks_in_rounds(world, bytes)) return cc_ranks_collect(world, own, bytes, all, err);
    memcpy((char *)all + (size_t)world->rank * bytes, own, bytes);
    /* From the copy, which lives as long as what is received. */
    const char *copy = (const char *)all + (size_t)world->rank * bytes;
    camcl_status posted = post_gather(world, &transfers, copy, bytes, all, err);
    return cc_ranks_finish(world, &transfers, posted, err);
}

/* What is received goes into memory of its own, which stays if the exchange fails. */
static camcl_status gather(cc_world *world, const void *own, size_t bytes, void *all, camcl_error *err)
{
    void *room;
    world->doing = "an exchange";
    CC_RETURN_IF_FAILED(cc_ranks_check(world, err));
    CC_RETURN_IF_FAILED(cc_ranks_new(world, bytes * (size_t)world->size, &room, err));
    CC_RETURN_IF_FAILED(cc_ranks_gather(world, own, bytes, room, "an exchange", err));
    memcpy(all, room, bytes * (size_t)world->size);
    free(room);
    return CAMCL_OK;
}

camcl_status cc_world_gather(cc_world *world, const void *own, size_t bytes, void *all, camcl_error *err)
{
    if (world) return gather(world, own, bytes, all, err);
    memcpy(all, own, bytes);
    return CAMCL_OK;
}

/* ---- texts */

static camcl_status post_texts(cc_world *world, cc_transfers *transfers, const uint64_t *sizes, char **texts, camcl_error *err)
{
    const int tag = cc_ranks_tag(world);
    for (int r = 0; r < world->size; r++)
        if (r != world->rank) CC_RETURN_IF_FAILED(cc_ranks_receive(world, transfers, texts[r], sizes[r], r, tag, err));
    for (int i = 1; i < world->size; i++)
        CC_RETURN_IF_FAILED(
            cc_ranks_send(world, transfers, texts[world->rank], sizes[world->rank], (world->rank + i) % world->size, tag, err));
    return CAMCL_OK;
}

/* If it fails, what it has made stays: MPI may write into it later. */
static camcl_status gather_texts(cc_world *world, const char *own, char ***out, camcl_error *err)
{
    static const char doing[] = "an exchange of texts";
    const size_t ranks = (size_t)world->size;
    const uint64_t size = strlen(own);
    cc_transfers transfers = { 0 };
    void *sizes_room, *texts_room, *text;
    world->doing = doing;
    CC_RETURN_IF_FAILED(cc_ranks_check(world, err));
    CC_RETURN_IF_FAILED(cc_ranks_new(world, ranks * sizeof(uint64_t), &sizes_room, err));
    CC_RETURN_IF_FAILED(cc_ranks_new(world, ranks * sizeof(char *), &texts_room, err));
    uint64_t *sizes = sizes_room;
    char **texts = texts_room;
    CC_RETURN_IF_FAILED(cc_ranks_gather(world, &size, sizeof size, sizes, doing, err));
    for (size_t r = 0; r < ranks; r++) {
        CC_RETURN_IF_FAILED(cc_ranks_new(world, sizes[r] + 1, &text, err));
        texts[r] = text;
    }
    memcpy(texts[world->rank], own, size);
    CC_RETURN_IF_FAILED(cc_ranks_finish(world, &transfers, post_texts(world, &transfers, sizes, texts, err), err));
    free(sizes);
    *out = texts;
    return CAMCL_OK;
}

camcl_status cc_world_gather_texts(cc_world *world, const char *own, char ***texts, camcl_error *err)
{
    *texts = NULL;
    if (world) return gather_texts(world, own, texts, err);
    CC_RETURN_IF_FAILED(CC_NEW(1, texts, err));
    camcl_status status = cc_copy_text(own, *texts, err);
    if (status != CAMCL_OK) {
        free(*texts);
        *texts = NULL;
    }
    return status;
}

/* ---- one to all */

/* Along a binomial tree, in which each rank that has the data sends them on: the last one has them after log2(N) messages. */
static camcl_status pass_on(cc_world *world, void *data, size_t bytes, camcl_error *err)
{
    const int rank = world->rank, tag = cc_ranks_tag(world);
    cc_transfers transfers = { 0 };
    camcl_status posted = CAMCL_OK;
    int bit = 1;
    while (bit < world->size && !(rank & bit))
        bit *= 2;
    if (rank != 0) {
        posted = cc_ranks_receive(world, &transfers, data, bytes, rank - bit, tag, err);
        CC_RETURN_IF_FAILED(cc_ranks_finish(world, &transfers, posted, err));
    }
    for (bit /= 2; bit > 0 && posted == CAMCL_OK; bit /= 2)
        if (rank + bit < world->size) posted = cc_ranks_send(world, &transfers, data, bytes, rank + bit, tag, err);
    return cc_ranks_finish(world, &transfers, posted, err);
}

/* By way of memory of its own, which stays if the exchange fails. */
static camcl_status broadcast(cc_world *world, void *data, size_t bytes, camcl_error *err)
{
    void *room;
    world->doing = "a broadcast";
    CC_RETURN_IF_FAILED(cc_ranks_check(world, err));
    CC_RETURN_IF_FAILED(cc_ranks_new(world, bytes, &room, err));
    if (world->rank == 0) memcpy(room, data, bytes);
    CC_RETURN_IF_FAILED(pass_on(world, room, bytes, err));
    if (world->rank != 0) memcpy(data, room, bytes);
    free(room);
    return CAMCL_OK;
}

camcl_status cc_world_broadcast(cc_world *world, void *data, size_t bytes, camcl_error *err)
{
    return world ? broadcast(world, data, bytes, err) : CAMCL_OK;
}

/* ---- deciding */

static camcl_status gather_wishes(cc_world *world, bool own, bool *any, camcl_error *err)
{
    static const char doing[] = "the decision whether to go on";
    const unsigned char wish = own;
    void *room;
    world->doing = doing;
    CC_RETURN_IF_FAILED(cc_ranks_check(world, err));
    CC_RETURN_IF_FAILED(cc_ranks_new(world, (size_t)world->size, &room, err));
    unsigned char *all = room;
    CC_RETURN_IF_FAILED(cc_ranks_gather(world, &wish, sizeof wish, all, doing, err));
    for (int r = 0; r < world->size; r++)
        if (all[r]) *any = true;
    free(all);
    return CAMCL_OK;
}

camcl_status cc_world_any(cc_world *world, bool own, bool *any, camcl_error *err)
{
    *any = own;
    return world ? gather_wishes(world, own, any, err) : CAMCL_OK;
}
