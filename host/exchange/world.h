/* The processes that train together, one rank each, connected by MPI. Every function that takes part in an exchange is called by all ranks
 * in the same order (a collective call), waits for the others, and leaves the same bits on all of them.
 *
 * Whoever waits for others notices that they are gone: a process that ended, or one from which nothing came for CC_WORLD_PATIENCE seconds,
 * ends the waiting with CAMCL_FAILED, and the message names the rank and its host. A rank that works on something of its own for long (it
 * reads pictures, compiles kernels, evaluates) calls cc_world_busy before; a thread of its own then gives signs of life in its place. Only
 * time in which this rank itself waits counts as silence of another one.
 *
 * After a failure, for want of memory included, no exchange is possible any more: every further call fails at once with the same error.
 * The values of sums that failed or were under way stay allocated until cc_world_close: MPI may still read and write there. All other
 * functions exchange by way of memory of their own.
 *
 * One thread, the one that opened the world, makes all calls. */
#ifndef CC_EXCHANGE_WORLD_H
#define CC_EXCHANGE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

/* Seconds; CAMCL_WORLD_PATIENCE in the environment of rank 0 sets another time, for tests and for networks with long interruptions. */
enum { CC_WORLD_PATIENCE = 120 };

typedef struct cc_world cc_world;

/* Joins the processes that mpirun started beside this one. *out is NULL for a process that is alone: it was not started by MPI, or as the
 * only one. CAMCL_UNSUPPORTED if this process was started as one of several by a launcher and the program was built without MPI. The caller
 * owns *out; one per process. */
camcl_status cc_world_open(cc_world **out, camcl_error *err);
/* Leaves. If `failed`, the others are told, so that they end, too, without waiting; the error that they report is `err`'s message with the
 * rank and its host. Waits until all have left or are lost. Where someone is lost, or the process ends without closing, its exit ends the
 * others by MPI_Abort; the caller has to exit with another status than 0 then. After a world that ended well another one can be opened,
 * after one that failed no more in this process. NULL or a pointer to NULL is fine. */
void cc_world_close(cc_world **world, bool failed, const camcl_error *err);

/* For a process that is alone (NULL) rank 0 of 1. */
size_t cc_world_rank(const cc_world *world);
size_t cc_world_size(const cc_world *world);
const char *cc_world_host(const cc_world *world, size_t rank); /* the name of the machine that a rank runs on; borrowed */
/* Whether two ranks run on the same system, whose devices they see under the same numbers; false where that is not known. */
bool cc_world_share_system(const cc_world *world, size_t a, size_t b);

/* Whether this rank is the one that tells people what all ranks know, an error for example: the first that is not lost. True for a process
 * that is alone. To be asked before the world is closed. */
bool cc_world_speaks(const cc_world *world);

/* From here to its next exchange this rank takes no part in anything, however long that takes. The others notice all the same if its
 * process ends, and, where MPI lets a second thread give signs of life, if it hangs or its machine is lost. NULL is fine. */
void cc_world_busy(cc_world *world);

/* values [count] = the ranks' values, added in the order of the ranks: ((v0 + v1) + v2) + ... */
camcl_status cc_world_sum(cc_world *world, float *values, size_t count, camcl_error *err);
/* The mean and the sum of squared deviations m2 of `count` series, of which each rank has the figures of its `weight` values: joined in the
 * order of the ranks by the formula of Chan, Golub and LeVeque. */
camcl_status cc_world_moments(cc_world *world, double weight, float *mean, float *m2, size_t count, camcl_error *err);
/* data [bytes] = rank 0's. */
camcl_status cc_world_broadcast(cc_world *world, void *data, size_t bytes, camcl_error *err);
/* all [size,bytes] = each rank's `own`, in the order of the ranks. */
camcl_status cc_world_gather(cc_world *world, const void *own, size_t bytes, void *all, camcl_error *err);
/* Each rank's text, of any length; the caller frees *texts [size] and each of them. */
camcl_status cc_world_gather_texts(cc_world *world, const char *own, char ***texts, camcl_error *err);
/* Whether any rank wants something, to stop for example. */
camcl_status cc_world_any(cc_world *world, bool own, bool *any, camcl_error *err);

/* A sum of cc_world_sum that goes on while the caller does other work: start, finish. It moves on whenever this rank waits in another
 * exchange. Several may be under way; all ranks start them in the same order. `values` is the caller's and
 * untouched by it until cc_world_sum_finish, which waits and frees *pending. */
typedef struct cc_world_pending cc_world_pending;
camcl_status cc_world_sum_start(cc_world *world, float *values, size_t count, cc_world_pending **pending, camcl_error *err);
camcl_status cc_world_sum_finish(cc_world_pending **pending, camcl_error *err);

/* Small exchanges go in rounds where there are at least so many ranks, for tests with few. The same for all ranks. */
void cc_world_set_rounds(cc_world *world, size_t from);

/* Bytes and messages that this rank sent since the last call. */
typedef struct cc_world_traffic {
    uint64_t bytes, messages;
} cc_world_traffic;
cc_world_traffic cc_world_take_traffic(cc_world *world);

#endif
