/* Messages of any length between ranks, and waiting for them. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "exchange/mpi/ranks.h"

/* How long a wait spins: a message between two processes of one machine takes less, and to sleep would double it. */
#define SPIN_SECONDS 100e-6
#define LISTEN_SECONDS 1e-3

double cc_ranks_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

camcl_status cc_ranks_check(cc_world *world, camcl_error *err)
{
    cc_ranks_stop_heart(world);
    if (!world->failed) return CAMCL_OK;
    char named[192];
    snprintf(named, sizeof named, "rank %d (host %s): ", world->origin, world->peers[world->origin].card.host);
    /* What all ranks find out names the one that it is about already. */
    int about, read = 0;
    const bool own = world->origin == world->rank || (sscanf(world->why.message, "rank %d (host %n", &about, &read) == 1 && read > 0);
    return cc_fail(err, world->why.status, "%s%s", own ? "" : named, world->why.message);
}

camcl_status cc_ranks_fail(cc_world *world, int rank, camcl_error *err, const char *format, ...)
{
    if (!world->failed) {
        char text[sizeof world->why.message];
        va_list args;
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        cc_fail(&world->why, CAMCL_FAILED, "%s", text);
        world->origin = rank;
        world->failed = true;
    }
    return cc_ranks_check(world, err);
}

camcl_status cc_ranks_mpi_failed(cc_world *world, int code, const char *call, camcl_error *err)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int length;
    MPI_Error_string(code, text, &length);
    return cc_ranks_fail(world, world->rank, err, "MPI's %s failed during %s: %s (the connection to another machine may be broken)", call,
                         world->doing, text);
}

camcl_status cc_ranks_out_of_memory(cc_world *world, camcl_error *err)
{
    if (!world->failed) {
        cc_fail(&world->why, CAMCL_NO_MEMORY, "memory: no room for %s with the other ranks (close other programs)", world->doing);
        world->origin = world->rank;
        world->failed = true;
    }
    return cc_ranks_check(world, err);
}

camcl_status cc_ranks_new(cc_world *world, size_t bytes, void **out, camcl_error *err)
{
    if (cc_calloc(cc_max_size(bytes, 1), 1, out, NULL) == CAMCL_OK) return CAMCL_OK;
    return cc_ranks_out_of_memory(world, err);
}

int cc_ranks_tag(cc_world *world)
{
    /* Every MPI has at least 32,768 tags. */
    return (int)(world->tags++ % 32768);
}

/* Room for one more request. */
static camcl_status make_room(cc_world *world, cc_transfers *transfers, camcl_error *err)
{
    const size_t count = transfers->count + 1;
    camcl_status status = cc_grow((void **)&transfers->requests, &transfers->capacity, count, sizeof *transfers->requests, NULL);
    if (status == CAMCL_OK)
        status = cc_grow((void **)&transfers->finished, &transfers->finished_capacity, count, sizeof *transfers->finished, NULL);
    return status == CAMCL_OK ? CAMCL_OK : cc_ranks_out_of_memory(world, err);
}

/* In pieces: MPI counts with int, and a wait sees that something moves. */
camcl_status cc_ranks_send(cc_world *world, cc_transfers *transfers, const void *data, size_t bytes, int to, int tag, camcl_error *err)
{
    for (size_t at = 0; at < bytes; at += CC_PIECE_BYTES) {
        CC_RETURN_IF_FAILED(make_room(world, transfers, err));
        const int piece = (int)cc_min_size(bytes - at, CC_PIECE_BYTES);
        int code = MPI_Isend((const char *)data + at, piece, MPI_BYTE, to, tag, world->data, &transfers->requests[transfers->count]);
        if (code != MPI_SUCCESS) return cc_ranks_mpi_failed(world, code, "Isend", err);
        transfers->count++;
        transfers->left++;
        world->traffic.messages++;
        world->traffic.bytes += (uint64_t)piece;
    }
    return CAMCL_OK;
}

camcl_status cc_ranks_receive(cc_world *world, cc_transfers *transfers, void *data, size_t bytes, int from, int tag, camcl_error *err)
{
    for (size_t at = 0; at < bytes; at += CC_PIECE_BYTES) {
        CC_RETURN_IF_FAILED(make_room(world, transfers, err));
        int code = MPI_Irecv((char *)data + at, (int)cc_min_size(bytes - at, CC_PIECE_BYTES), MPI_BYTE, from, tag, world->data,
                             &transfers->requests[transfers->count]);
        if (code != MPI_SUCCESS) return cc_ranks_mpi_failed(world, code, "Irecv", err);
        transfers->count++;
        transfers->left++;
    }
    return CAMCL_OK;
}

camcl_status cc_ranks_test(cc_world *world, cc_transfers *transfers, bool *moved, camcl_error *err)
{
    if (transfers->left == 0) return CAMCL_OK;
    int finished = 0, code = MPI_Testsome((int)transfers->count, transfers->requests, &finished, transfers->finished, MPI_STATUSES_IGNORE);
    if (code != MPI_SUCCESS) return cc_ranks_mpi_failed(world, code, "Testsome", err);
    if (finished > 0) {
        *moved = true;
        transfers->left -= (size_t)finished;
    }
    if (transfers->left == 0) transfers->count = 0;
    return CAMCL_OK;
}

void cc_transfers_free(cc_transfers *transfers)
{
    free(transfers->requests);
    free(transfers->finished);
    *transfers = (cc_transfers){ 0 };
}

/* Sleeps a sixteenth of the time that nothing has moved for, so that sleeping adds little to a wait of any length. */
static void leave_processor(double idle)
{
    if (idle < SPIN_SECONDS) return;
    double seconds = idle / 16 < 1e-3 ? idle / 16 : 1e-3;
    const struct timespec pause = { .tv_nsec = (long)(seconds * 1e9) };
    nanosleep(&pause, NULL);
}

camcl_status cc_ranks_turn(cc_world *world, double *since, bool moved, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_ranks_check(world, err));
    CC_RETURN_IF_FAILED(cc_sums_move(world, &moved, err));
    const double now = cc_ranks_seconds();
    if (moved || !(*since > 0)) *since = now;
    if (now - world->listened_at > LISTEN_SECONDS) cc_ranks_listen(world);
    CC_RETURN_IF_FAILED(cc_ranks_check(world, err));
    leave_processor(now - *since);
    return CAMCL_OK;
}

camcl_status cc_ranks_wait(cc_world *world, cc_transfers *transfers, camcl_error *err)
{
    double since = 0;
    for (;;) {
        bool moved = false;
        CC_RETURN_IF_FAILED(cc_ranks_test(world, transfers, &moved, err));
        if (transfers->left == 0) return CAMCL_OK;
        CC_RETURN_IF_FAILED(cc_ranks_turn(world, &since, moved, err));
    }
}
