#include "base/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

enum { MOST_THREADS = 64 };

static const double watch_interval = 0.1; /* seconds */

typedef struct team {
    atomic_size_t next, done;
    size_t count;
    void (*piece)(void *context, size_t index);
    void *context;
    /* Of watched work only. */
    pthread_mutex_t lock;
    pthread_cond_t left; /* a thread found nothing more to do */
    size_t working;      /* threads that have not */
} team;

/* How many threads can be busy at once. */
static size_t most_threads(size_t count)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return cc_min_size(count, cc_min_size(processors > 0 ? (size_t)processors : 1, MOST_THREADS));
}

static void *work(void *argument)
{
    team *t = argument;
    for (size_t i = atomic_fetch_add(&t->next, 1); i < t->count; i = atomic_fetch_add(&t->next, 1)) {
        t->piece(t->context, i);
        atomic_fetch_add(&t->done, 1);
    }
    return NULL;
}

void cc_parallel(size_t count, void (*piece)(void *context, size_t index), void *context)
{
    team t = { .count = count, .piece = piece, .context = context };
    pthread_t threads[MOST_THREADS];
    const size_t wanted = most_threads(count);
    size_t started = 0;
    atomic_init(&t.next, 0);
    atomic_init(&t.done, 0);
    /* the calling thread is one of the `wanted` threads */
    while (started + 1 < wanted && pthread_create(&threads[started], NULL, work, &t) == 0)
        started++;
    work(&t);
    while (started > 0)
        pthread_join(threads[--started], NULL);
}

static void *work_and_tell(void *argument)
{
    team *t = argument;
    work(t);
    pthread_mutex_lock(&t->lock);
    t->working--;
    pthread_cond_signal(&t->left);
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

/* Lets no thread begin another piece. */
static void call_off(team *t) { atomic_store(&t->next, t->count); }

/* Returns when every thread has left. */
static bool watch_threads(team *t, bool (*watch)(void *context, size_t done))
{
    bool going = true;
    pthread_mutex_lock(&t->lock);
    while (t->working > 0) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += (long)(watch_interval * 1e9);
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        if (pthread_cond_timedwait(&t->left, &t->lock, &until) == 0) continue;
        pthread_mutex_unlock(&t->lock);
        if (going && !watch(t->context, atomic_load(&t->done))) {
            going = false;
            call_off(t);
        }
        pthread_mutex_lock(&t->lock);
    }
    pthread_mutex_unlock(&t->lock);
    return going;
}

/* For systems that cannot start a thread. */
static bool watch_own_work(team *t, bool (*watch)(void *context, size_t done))
{
    double last = cc_seconds();
    for (size_t i = 0; i < t->count; i++) {
        t->piece(t->context, i);
        atomic_fetch_add(&t->done, 1);
        if (cc_seconds() - last < watch_interval) continue;
        if (!watch(t->context, i + 1)) return false;
        last = cc_seconds();
    }
    return true;
}

bool cc_parallel_watched(size_t count, void (*piece)(void *context, size_t index), bool (*watch)(void *context, size_t done), void *context)
{
    team t = { .count = count, .piece = piece, .context = context, .lock = PTHREAD_MUTEX_INITIALIZER, .left = PTHREAD_COND_INITIALIZER };
    pthread_t threads[MOST_THREADS];
    const size_t wanted = most_threads(count);
    size_t started = 0;
    atomic_init(&t.next, 0);
    atomic_init(&t.done, 0);
    pthread_mutex_lock(&t.lock);
    while (started < wanted && pthread_create(&threads[started], NULL, work_and_tell, &t) == 0)
        started++;
    t.working = started;
    pthread_mutex_unlock(&t.lock);
    bool going = started > 0 ? watch_threads(&t, watch) : watch_own_work(&t, watch);
    while (started > 0)
        pthread_join(threads[--started], NULL);
    pthread_cond_destroy(&t.left);
    pthread_mutex_destroy(&t.lock);
    return watch(context, atomic_load(&t.done)) && going;
}
