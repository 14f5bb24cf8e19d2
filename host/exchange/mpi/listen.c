/* Signs of life, last words, and who is missing. Messages of their own communicator: their tags say what they are. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exchange/mpi/ranks.h"

enum { ALIVE, BUSY, LEAVES, FAILS, SPOKEN };
enum { LOOK_AGAIN = 2 };
#define LOOK_SECONDS 0.1
/* Time that passed without listening (the rank was busy, stopped, or its machine swapped) says nothing about the others. */
#define MOST_COUNTED 1.0

/* What a rank that fails tells the others. Small enough to be sent without a hand-shake with a receiver who does not answer. */
typedef struct last_words {
    int32_t origin, status;
    char message[sizeof((camcl_error *)0)->message];
} last_words;

/* ---- what others say */

static void hear_failure(cc_world *world, int from, const last_words *words)
{
    if (world->failed || words->origin < 0 || words->origin >= world->size) return;
    world->given_up = words->origin == world->rank;
    if (world->given_up)
        cc_fail(&world->why, CAMCL_FAILED, "rank %d (host %s) has given this one up: %s", from, world->peers[from].card.host,
                words->message);
    else
        cc_fail(&world->why, (camcl_status)words->status, "%s", words->message);
    world->origin = words->origin;
    world->failed = true;
}

/* One message, if there is one. */
static bool hear(cc_world *world)
{
    int there = 0;
    MPI_Status about;
    if (MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, world->control, &there, &about) != MPI_SUCCESS || !there) return false;
    last_words words = { 0 };
    const int from = about.MPI_SOURCE, tag = about.MPI_TAG;
    if (MPI_Recv(&words, sizeof words, MPI_BYTE, from, tag, world->control, MPI_STATUS_IGNORE) != MPI_SUCCESS) return false;
    words.message[sizeof words.message - 1] = '\0';
    if (tag == SPOKEN) {
        world->spoken = true;
        return true;
    }
    world->peers[from].heard = world->clock;
    world->peers[from].busy = tag == BUSY;
    if (tag == ALIVE || tag == BUSY) return true;
    world->peers[from].state = CC_PEER_LEFT;
    if (tag == FAILS) hear_failure(world, from, &words);
    return true;
}

/* ---- what this rank says */

static void give_sign(cc_world *world, int tag)
{
    for (int r = 0; r < world->size; r++) {
        cc_peer *peer = &world->peers[r];
        if (r == world->rank || peer->state != CC_PEER_HERE) continue;
        /* One at a time: to a rank that takes nothing they would pile up. */
        int gone = 1;
        if (peer->sign != MPI_REQUEST_NULL) MPI_Test(&peer->sign, &gone, MPI_STATUS_IGNORE);
        if (!gone && tag != BUSY) continue;
        /* Only what is said last counts: this one must not be left out. */
        if (!gone) MPI_Request_free(&peer->sign);
        MPI_Isend(NULL, 0, MPI_BYTE, r, tag, world->control, &peer->sign);
    }
}

void cc_ranks_say_goodbye(cc_world *world, bool failed)
{
    /* It stays: a rank that does not answer may take it at any time. */
    static last_words words;
    if (failed) {
        words = (last_words){ .origin = world->origin, .status = (int32_t)world->why.status };
        memcpy(words.message, world->why.message, sizeof words.message);
    }
    for (int r = 0; r < world->size; r++) {
        cc_peer *peer = &world->peers[r];
        if (r == world->rank || peer->vanished >= LOOK_AGAIN) continue;
        MPI_Isend(&words, failed ? sizeof words : 0, MPI_BYTE, r, failed ? FAILS : LEAVES, world->control, &peer->goodbye);
    }
}

void cc_ranks_say_spoken(cc_world *world)
{
    for (int r = 0; r < world->size; r++)
        if (r != world->rank && world->peers[r].state == CC_PEER_LEFT)
            MPI_Isend(NULL, 0, MPI_BYTE, r, SPOKEN, world->control, &world->peers[r].goodbye);
}

/* ---- who is missing */

/* A process of this machine that has ended is noticed at once. What it said before is heard first. */
static void look_for(cc_world *world, int rank)
{
    cc_peer *peer = &world->peers[rank];
    if (!peer->near || kill((pid_t)peer->card.process, 0) == 0 || errno != ESRCH) {
        peer->vanished = 0;
        return;
    }
    if (++peer->vanished < LOOK_AGAIN) return;
    peer->state = CC_PEER_LOST;
    cc_ranks_fail(world, rank, NULL, "its process has ended during %s (its own messages or mpirun's may say why)", world->doing);
}

static void look_around(cc_world *world, bool processes)
{
    for (int r = 0; r < world->size; r++) {
        cc_peer *peer = &world->peers[r];
        if (r == world->rank || peer->state != CC_PEER_HERE) continue;
        if (processes) look_for(world, r);
        if (peer->state == CC_PEER_LOST || peer->busy || world->clock - peer->heard <= world->patience) continue;
        peer->state = CC_PEER_LOST;
        cc_ranks_fail(world, r, NULL, "nothing heard for %.0f s during %s (its process or its machine hangs, or the network is down)",
                      world->patience, world->doing);
    }
}

void cc_ranks_listen(cc_world *world)
{
    const double now = cc_ranks_seconds(), passed = now - world->listened_at;
    world->clock += passed < MOST_COUNTED ? passed : MOST_COUNTED;
    world->listened_at = now;
    while (hear(world)) {
    }
    if (now - world->signed_at >= world->sign_every) {
        give_sign(world, ALIVE);
        world->signed_at = now;
    }
    const bool processes = now - world->looked_at >= LOOK_SECONDS;
    if (processes) world->looked_at = now;
    look_around(world, processes);
}

/* ---- signs of life of a rank that is busy */

/* Whether there is to be another sign, after the time for it. */
static bool beats_on(cc_world *world)
{
    cc_heart *heart = &world->heart;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)world->sign_every;
    until.tv_nsec += (long)((world->sign_every - (double)(time_t)world->sign_every) * 1e9);
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&heart->lock);
    while (!heart->stop && pthread_cond_timedwait(&heart->wake, &heart->lock, &until) == 0) {
    }
    const bool on = !heart->stop;
    pthread_mutex_unlock(&heart->lock);
    return on;
}

static void *beat(void *argument)
{
    cc_world *world = argument;
    while (beats_on(world))
        give_sign(world, ALIVE);
    return NULL;
}

static void free_heart(cc_heart *heart)
{
    pthread_cond_destroy(&heart->wake);
    pthread_mutex_destroy(&heart->lock);
}

/* Its thread takes no signals: they are the main thread's. */
static bool start_heart(cc_world *world)
{
    cc_heart *heart = &world->heart;
    sigset_t all, before;
    if (!world->may_beat) return false;
    pthread_mutex_init(&heart->lock, NULL);
    pthread_cond_init(&heart->wake, NULL);
    heart->stop = false;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    heart->beats = pthread_create(&heart->thread, NULL, beat, world) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!heart->beats) free_heart(heart);
    return heart->beats;
}

void cc_ranks_stop_heart(cc_world *world)
{
    cc_heart *heart = &world->heart;
    if (!heart->beats) return;
    pthread_mutex_lock(&heart->lock);
    heart->stop = true;
    pthread_cond_signal(&heart->wake);
    pthread_mutex_unlock(&heart->lock);
    pthread_join(heart->thread, NULL);
    free_heart(heart);
    heart->beats = false;
}

void cc_world_busy(cc_world *world)
{
    if (world == NULL) return;
    cc_ranks_stop_heart(world);
    world->doing = "its own work";
    cc_ranks_listen(world);
    give_sign(world, world->may_beat ? ALIVE : BUSY);
    /* The next exchange begins with a sign of life, whenever that is. */
    world->signed_at = world->listened_at - world->sign_every;
    if (world->may_beat && !start_heart(world)) give_sign(world, BUSY);
}
