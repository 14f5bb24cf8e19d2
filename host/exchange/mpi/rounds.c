/* Exchanges among many ranks in about log2(N) rounds, in each of which a rank sends one message and receives one; where all send to all it
 * is N - 1. The data that they carry are gathered, not added, on the way, so that whoever adds has them all and adds in the order of the
 * ranks: the same bits. J. Bruck et al.: Efficient algorithms for all-to-all communications in multiport message-passing systems (1997). */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "exchange/mpi/ranks.h"

/* One round: `bytes` to one rank and as many from another. */
static camcl_status swap(cc_world *world, const char *out, int to, char *in, int from, size_t bytes, int tag, camcl_error *err)
{
    cc_transfers transfers = { 0 };
    camcl_status status = cc_ranks_receive(world, &transfers, in, bytes, from, tag, err);
    if (status == CAMCL_OK) status = cc_ranks_send(world, &transfers, out, bytes, to, tag, err);
    return cc_ranks_finish(world, &transfers, status, err);
}

static int wrapped(const cc_world *world, size_t rank) { return (int)(rank % (size_t)world->size); }

/* Each rank has the blocks of its 1, 2, 4 ... successors, and passes them all on. found [size]: of rank + i at i, the own at 0. */
static camcl_status collect(cc_world *world, char *found, size_t bytes, camcl_error *err)
{
    const size_t ranks = (size_t)world->size, rank = (size_t)world->rank;
    const int tag = cc_ranks_tag(world);
    for (size_t k = 1; k < ranks; k *= 2) {
        const size_t count = cc_min_size(k, ranks - k);
        CC_RETURN_IF_FAILED(
            swap(world, found, wrapped(world, rank + ranks - k), found + k * bytes, wrapped(world, rank + k), count * bytes, tag, err));
    }
    return CAMCL_OK;
}

camcl_status cc_ranks_collect(cc_world *world, const void *own, size_t bytes, void *all, camcl_error *err)
{
    const size_t ranks = (size_t)world->size, rank = (size_t)world->rank;
    void *room;
    CC_RETURN_IF_FAILED(cc_ranks_new(world, ranks * bytes, &room, err));
    char *found = room;
    memcpy(found, own, bytes);
    CC_RETURN_IF_FAILED(collect(world, found, bytes, err));
    for (size_t i = 0; i < ranks; i++)
        memcpy((char *)all + (rank + i) % ranks * bytes, found + i * bytes, bytes);
    free(room);
    return CAMCL_OK;
}

/* Copies the blocks whose index has bit k between their places in `blocks` and one behind the other in `packed`. Their number. */
static size_t pack(char *blocks, char *packed, size_t ranks, size_t bytes, size_t k, bool back)
{
    size_t count = 0;
    for (size_t i = k; i < ranks; i++) {
        if (!(i & k)) continue;
        char *block = blocks + i * bytes, *at = packed + count++ * bytes;
        memcpy(back ? block : at, back ? at : block, bytes);
    }
    return count;
}

/* A block that has d ranks to go takes the steps 1, 2, 4 ... of which d is the sum. way [size]: what has i ranks to go; then what has come
 * from i ranks before. out, in: room for half of it each. */
static camcl_status pass(cc_world *world, char *way, char *out, char *in, size_t bytes, camcl_error *err)
{
    const size_t ranks = (size_t)world->size, rank = (size_t)world->rank;
    const int tag = cc_ranks_tag(world);
    for (size_t k = 1; k < ranks; k *= 2) {
        const size_t count = pack(way, out, ranks, bytes, k, false);
        CC_RETURN_IF_FAILED(swap(world, out, wrapped(world, rank + k), in, wrapped(world, rank + ranks - k), count * bytes, tag, err));
        pack(way, in, ranks, bytes, k, true);
    }
    return CAMCL_OK;
}

camcl_status cc_ranks_deal(cc_world *world, void *blocks, size_t bytes, camcl_error *err)
{
    const size_t ranks = (size_t)world->size, rank = (size_t)world->rank;
    void *room;
    CC_RETURN_IF_FAILED(cc_ranks_new(world, 3 * ranks * bytes, &room, err));
    char *way = room, *out = way + ranks * bytes, *in = out + ranks * bytes, *own = blocks;
    for (size_t i = 0; i < ranks; i++)
        memcpy(way + i * bytes, own + (rank + i) % ranks * bytes, bytes);
    CC_RETURN_IF_FAILED(pass(world, way, out, in, bytes, err));
    for (size_t i = 0; i < ranks; i++)
        memcpy(own + (rank + ranks - i) % ranks * bytes, way + i * bytes, bytes);
    free(room);
    return CAMCL_OK;
}
