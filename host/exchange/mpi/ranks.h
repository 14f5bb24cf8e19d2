/* Inside cc_world, with MPI. Everything that ranks exchange is point-to-point and does not block, so that whoever waits keeps listening: to
 * signs of life, to a rank's last words, and to nothing at all. Only one thread at a time calls MPI: the main thread, or, while that one is
 * busy with its own work, the one that gives signs of life in its place. */
#ifndef CC_EXCHANGE_MPI_RANKS_H
#define CC_EXCHANGE_MPI_RANKS_H

#include <mpi.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "exchange/world.h"

/* Up to so many bytes messages count for more than their length: a link of 10 Gbit/s carries them in some 50 us. From so many ranks on the
 * rounds of rounds.c take less time than all the messages of one to each. tests/world/model.py has the figures. */
enum { CC_PIECE_BYTES = 1 << 20, CC_MOST_IN_ROUNDS = 64 << 10, CC_ROUNDS_FROM = 32 };

/* What a rank says of itself when it joins. */
typedef struct cc_rank_card {
    char host[128], version[32];
    double patience;
    char system[128]; /* the running kernel and the process namespace; "" where they are not known */
    int64_t process;
} cc_rank_card;

typedef enum cc_peer_state {
    CC_PEER_HERE,
    CC_PEER_LEFT, /* it said so */
    CC_PEER_LOST  /* its process has ended, or nothing came from it for too long */
} cc_peer_state;

typedef struct cc_peer {
    cc_rank_card card;
    cc_peer_state state;
    bool near;         /* its process can be looked for here */
    bool busy;         /* it said that it will be silent: it has no thread for signs of life */
    unsigned vanished; /* how often in a row it was not found */
    double heard;      /* when, on the world's clock */
    MPI_Request sign;  /* the last sign of life sent to it */
    MPI_Request goodbye;
} cc_peer;

/* The thread of a rank that is busy. */
typedef struct cc_heart {
    bool beats; /* it runs, and MPI is its */
    bool stop;  /* with lock, as wake is */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
} cc_heart;

struct cc_world {
    MPI_Comm data, control;
    int rank, size;
    cc_peer *peers; /* [size], own rank included */
    double patience;
    double clock; /* seconds that this rank has listened: it stands still while the rank is busy or stopped itself */
    double listened_at, signed_at, looked_at; /* by the machine's clock */
    double sign_every;
    const char *doing; /* "a sum", for messages */
    uint32_t tags;
    bool failed;     /* no exchange is possible any more, for the reason in `why` */
    camcl_error why; /* without "rank 2 (host b): " where `origin` is another rank that told it */
    int origin;
    bool given_up;             /* the others have ended because they heard nothing of this rank for too long */
    bool spoken;               /* the rank that tells people what has ended the work has done so */
    cc_world_pending *pending; /* sums under way, in the order in which they were started */
    cc_world_traffic traffic;
    size_t rounds_from; /* cc_world_set_rounds */
    bool may_beat;      /* MPI lets another thread than the first call it */
    cc_heart heart;
};

/* Requests under way that belong together. */
typedef struct cc_transfers {
    MPI_Request *requests;
    int *finished;
    size_t capacity, finished_capacity, count, left;
} cc_transfers;

/* Ends all exchange: the message is "rank R (host H): ..." if `rank` is another one. Returns CAMCL_FAILED and fills *err. */
camcl_status cc_ranks_fail(cc_world *world, int rank, camcl_error *err, const char *format, ...) CC_PRINTF(4, 5);
/* The same for a call of MPI that returned `code`. */
camcl_status cc_ranks_mpi_failed(cc_world *world, int code, const char *call, camcl_error *err);
/* The same with CAMCL_NO_MEMORY: this rank cannot take part in what the others do next. */
camcl_status cc_ranks_out_of_memory(cc_world *world, camcl_error *err);
/* Bytes of zeros for an exchange, at least one; cc_ranks_out_of_memory where there are none. */
camcl_status cc_ranks_new(cc_world *world, size_t bytes, void **out, camcl_error *err);
/* CAMCL_OK, or what has ended all exchange. Every exchange begins with it: a rank that was busy is so no more. */
camcl_status cc_ranks_check(cc_world *world, camcl_error *err);

/* A tag for the messages of the next exchange, the same on all ranks, since they exchange in the same order. Those of equal tags keep
 * theirs. */
int cc_ranks_tag(cc_world *world);

/* Posts a message; `bytes` may be any number, and 0 posts nothing. The data belong to MPI until it is done; if the exchange fails, for
 * ever. */
camcl_status cc_ranks_send(cc_world *world, cc_transfers *transfers, const void *data, size_t bytes, int to, int tag, camcl_error *err);
camcl_status cc_ranks_receive(cc_world *world, cc_transfers *transfers, void *data, size_t bytes, int from, int tag, camcl_error *err);
/* Lets MPI work; *moved if something has arrived or gone. All are done when transfers->left is 0. */
camcl_status cc_ranks_test(cc_world *world, cc_transfers *transfers, bool *moved, camcl_error *err);
/* Until all are done. */
camcl_status cc_ranks_wait(cc_world *world, cc_transfers *transfers, camcl_error *err);
/* The end of a round of transfers, which were posted with `posted`. If they fail, what they would have written into must stay. */
camcl_status cc_ranks_finish(cc_world *world, cc_transfers *transfers, camcl_status posted, camcl_error *err);
/* Forgets the array; transfers that are left go on without anyone who looks. */
void cc_transfers_free(cc_transfers *transfers);

/* ---- rounds.c: among many ranks */

/* Whether to exchange in rounds what each rank has so many bytes of. All ranks ask for the same. */
static inline bool cc_ranks_in_rounds(const cc_world *world, size_t bytes)
{
    return (size_t)world->size >= world->rounds_from && bytes <= CC_MOST_IN_ROUNDS;
}
/* all [size,bytes] = each rank's `own`. Neither is MPI's at any time. */
camcl_status cc_ranks_collect(cc_world *world, const void *own, size_t bytes, void *all, camcl_error *err);
/* blocks [size,bytes]: of each rank r the block at s becomes that of rank s at r. */
camcl_status cc_ranks_deal(cc_world *world, void *blocks, size_t bytes, camcl_error *err);

/* ---- */

/* cc_world_gather, and what to call it in messages. `own` is copied. If it fails, `all` must stay: MPI may write into it later. */
camcl_status cc_ranks_gather(cc_world *world, const void *own, size_t bytes, void *all, const char *doing, camcl_error *err);
/* One turn of a loop that waits: other sums move on, others are listened to, and the processor is left to others unless something has
 * moved. *since is when something last did, 0 at first. */
camcl_status cc_ranks_turn(cc_world *world, double *since, bool moved, camcl_error *err);
/* Takes what others told, tells them that this rank is there, and looks who is missing. */
void cc_ranks_listen(cc_world *world);
/* MPI is the calling thread's again. */
void cc_ranks_stop_heart(cc_world *world);
/* This rank's last message to all: that it leaves, or what has ended its work. */
void cc_ranks_say_goodbye(cc_world *world, bool failed);
/* Of the one that tells people what has ended the work, when it has. */
void cc_ranks_say_spoken(cc_world *world);

/* All sums under way move on; *moved if one did. */
camcl_status cc_sums_move(cc_world *world, bool *moved, camcl_error *err);

double cc_ranks_seconds(void);

#endif
