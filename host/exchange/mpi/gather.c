/* What ranks tell each other apart from sums. Messages are small, or rare. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "exchange/mpi/ranks.h"

/* Ends a round of transfers. If they fail, what they would have written into must stay. */
static camcl_status finish(cc_world *world, cc_transfers *transfers, camcl_status posted, const char *doing, camcl_error *err)
{
    world->doing = doing;
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
    CC_RETURN_IF_FAILED(cc_ranks_check(world, err));
    memcpy((char *)all + (size_t)world->rank * bytes, own, bytes);
    /* From the copy, which lives as long as what is received. */
    const char *copy = (const char *)all + (size_t)world->rank * bytes;
    camcl_status posted = post_gather(world, &transfers, copy, bytes, all, err);
    return finish(world, &transfers, posted, doing, err);
}

camcl_status cc_world_gather(cc_world *world, const void *own, size_t bytes, void *all, camcl_error *err)
{
    if (world) return cc_ranks_gather(world, own, bytes, all, "an exchange", err);
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

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    free(texts);
}

static camcl_status gather_texts(cc_world *world, const char *own, char **texts, camcl_error *err)
{
    cc_transfers transfers = { 0 };
    uint64_t *sizes;
    const uint64_t size = strlen(own);
    CC_RETURN_IF_FAILED(CC_NEW((size_t)world->size, &sizes, err));
    /* What a failed exchange would have written into stays. */
    CC_RETURN_IF_FAILED(cc_ranks_gather(world, &size, sizeof size, sizes, "an exchange of texts", err));
    camcl_status status = CAMCL_OK;
    for (int r = 0; r < world->size && status == CAMCL_OK; r++)
        status = CC_NEW(sizes[r] + 1, &texts[r], err);
    if (status == CAMCL_OK) {
        memcpy(texts[world->rank], own, size);
        status = finish(world, &transfers, post_texts(world, &transfers, sizes, texts, err), "an exchange of texts", err);
    }
    free(sizes);
    return status;
}

camcl_status cc_world_gather_texts(cc_world *world, const char *own, char ***texts, camcl_error *err)
{
    const size_t ranks = cc_world_size(world);
    CC_RETURN_IF_FAILED(CC_NEW(ranks, texts, err));
    camcl_status status = world ? gather_texts(world, own, *texts, err) : cc_copy_text(own, *texts, err);
    if (status == CAMCL_OK) return CAMCL_OK;
    if (world == NULL || !world->failed) free_texts(*texts, ranks);
    *texts = NULL;
    return status;
}

/* ---- one to all */

/* Along a binomial tree, in which each rank that has the data sends them on: the last one has them after log2(N) messages. */
static camcl_status broadcast(cc_world *world, void *data, size_t bytes, int root, const char *doing, camcl_error *err)
{
    const int self = (world->rank - root + world->size) % world->size, tag = cc_ranks_tag(world);
    cc_transfers transfers = { 0 };
    camcl_status posted = CAMCL_OK;
    int bit = 1;
    CC_RETURN_IF_FAILED(cc_ranks_check(world, err));
    while (bit < world->size && !(self & bit))
        bit *= 2;
    if (self != 0) {
        posted = cc_ranks_receive(world, &transfers, data, bytes, (self - bit + root) % world->size, tag, err);
        CC_RETURN_IF_FAILED(finish(world, &transfers, posted, doing, err));
    }
    for (bit /= 2; bit > 0 && posted == CAMCL_OK; bit /= 2)
        if (self + bit < world->size) posted = cc_ranks_send(world, &transfers, data, bytes, (self + bit + root) % world->size, tag, err);
    return finish(world, &transfers, posted, doing, err);
}

camcl_status cc_world_broadcast(cc_world *world, void *data, size_t bytes, camcl_error *err)
{
    return world ? broadcast(world, data, bytes, 0, "a broadcast", err) : CAMCL_OK;
}

/* ---- agreeing */

/* all [size], small and the world's own until the exchange is over. */
static camcl_status gather_numbers(cc_world *world, int32_t own, int32_t **all, camcl_error *err)
{
    CC_RETURN_IF_FAILED(CC_NEW((size_t)world->size, all, err));
    return cc_ranks_gather(world, &own, sizeof own, *all, "the agreement on how a part of the work ended", err);
}

/* The error of the first rank that failed, to all. */
static camcl_status spread_error(cc_world *world, int rank, camcl_error *err)
{
    /* Not on the stack: see finish(). */
    camcl_error *first;
    CC_RETURN_IF_FAILED(CC_NEW(1, &first, err));
    if (rank == world->rank && err) *first = *err;
    CC_RETURN_IF_FAILED(broadcast(world, first, sizeof *first, rank, "the agreement on how a part of the work ended", err));
    if (rank != world->rank && err) {
        *err = *first;
        cc_context(err, "rank %d (host %s)", rank, world->peers[rank].card.host);
    }
    free(first);
    return CAMCL_OK;
}

camcl_status cc_world_agree(cc_world *world, camcl_status own, camcl_error *err)
{
    if (world == NULL) return own;
    int32_t *all;
    int first = 0;
    camcl_status result;
    /* The own error says more than that the others could not be told. */
    result = gather_numbers(world, (int32_t)own, &all, own == CAMCL_OK ? err : NULL);
    if (result != CAMCL_OK) return own != CAMCL_OK ? own : result;
    while (first < world->size && all[first] == CAMCL_OK)
        first++;
    result = first < world->size ? (camcl_status)all[first] : CAMCL_OK;
    free(all);
    if (result != CAMCL_OK) CC_RETURN_IF_FAILED(spread_error(world, first, err));
    return result;
}

camcl_status cc_world_any(cc_world *world, bool own, bool *any, camcl_error *err)
{
    *any = own;
    if (world == NULL) return CAMCL_OK;
    int32_t *all;
    CC_RETURN_IF_FAILED(gather_numbers(world, own, &all, err));
    for (int r = 0; r < world->size; r++)
        if (all[r]) *any = true;
    free(all);
    return CAMCL_OK;
}
