/* Means and squared deviations over the ranks. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "exchange/join.h"
#include "exchange/mpi/ranks.h"

/* One rank's figures as they travel: its weight, mean [count], m2 [count]. */
static size_t message_size(size_t count) { return sizeof(double) + 2 * count * sizeof(float); }

static void pack(char *message, double weight, const float *mean, const float *m2, size_t count)
{
    memcpy(message, &weight, sizeof weight);
    memcpy(message + sizeof weight, mean, count * sizeof *mean);
    memcpy(message + sizeof weight + count * sizeof *mean, m2, count * sizeof *m2);
}

static float value_at(const char *message, size_t index)
{
    float value;
    memcpy(&value, message + sizeof(double) + index * sizeof value, sizeof value);
    return value;
}

static void join_series(const char *all, size_t ranks, size_t count, size_t series, float *mean, float *m2)
{
    double weight = 0, center = 0, squares = 0;
    for (size_t r = 0; r < ranks; r++) {
        const char *message = all + r * message_size(count);
        double other;
        memcpy(&other, message, sizeof other);
        /* A rank without values: what it gives for their mean means nothing. */
        if (!(other > 0)) continue;
        cc_join_moments(&center, &squares, weight, (double)value_at(message, series), (double)value_at(message, count + series), other);
        weight += other;
    }
    *mean = (float)center;
    *m2 = (float)squares;
}

/* Each rank joins some of the series. */
static camcl_status moments_in_rounds(cc_world *world, double weight, float *mean, float *m2, size_t count, camcl_error *err)
{
    const size_t ranks = (size_t)world->size, slice = cc_ceil_div(count, ranks), bytes = message_size(slice);
    void *room;
    CC_RETURN_IF_FAILED(cc_ranks_new(world, bytes * ranks + 4 * slice * ranks * sizeof *mean + 2 * slice * sizeof *mean, &room, err));
    float *means = room, *squares = means + slice * ranks, *joined = squares + slice * ranks, *own = joined + 2 * slice * ranks;
    char *messages = (char *)(own + 2 * slice);
    memcpy(means, mean, count * sizeof *mean);
    memcpy(squares, m2, count * sizeof *m2);
    for (size_t r = 0; r < ranks; r++)
        pack(messages + r * bytes, weight, means + r * slice, squares + r * slice, slice);
    camcl_status status = cc_ranks_deal(world, messages, bytes, err);
    for (size_t i = 0; status == CAMCL_OK && i < slice; i++)
        join_series(messages, ranks, slice, i, &own[i], &own[slice + i]);
    if (status == CAMCL_OK) status = cc_ranks_collect(world, own, 2 * slice * sizeof *own, joined, err);
    for (size_t i = 0; status == CAMCL_OK && i < count; i++) {
        const float *of_slice = joined + i / slice * 2 * slice + i % slice;
        mean[i] = of_slice[0];
        m2[i] = of_slice[slice];
    }
    free(room);
    return status;
}

camcl_status cc_world_moments(cc_world *world, double weight, float *mean, float *m2, size_t count, camcl_error *err)
{
    if (world == NULL) return CAMCL_OK;
    const size_t ranks = (size_t)world->size, bytes = message_size(count);
    void *room;
    world->doing = "an exchange of batch statistics";
    CC_RETURN_IF_FAILED(cc_ranks_check(world, err));
    if (count && cc_ranks_in_rounds(world, bytes)) return moments_in_rounds(world, weight, mean, m2, count, err);
    CC_RETURN_IF_FAILED(cc_ranks_new(world, bytes * (ranks + 1), &room, err));
    char *own = room, *all = own + bytes;
    pack(own, weight, mean, m2, count);
    /* If it fails, the memory stays: MPI may write into it later. */
    CC_RETURN_IF_FAILED(cc_ranks_gather(world, own, bytes, all, "an exchange of batch statistics", err));
    for (size_t i = 0; i < count; i++)
        join_series(all, ranks, count, i, &mean[i], &m2[i]);
    free(own);
    return CAMCL_OK;
}
