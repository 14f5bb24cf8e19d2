#include "base/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/memory.h"

enum { MOST_THREADS = 64 };

typedef struct team {
    atomic_size_t next;
    size_t count;
    void (*piece)(void *context, size_t index);
    void *context;
} team;

static void *work(void *argument)
{
    team *t = argument;
    for (size_t i = atomic_fetch_add(&t->next, 1); i < t->count; i = atomic_fetch_add(&t->next, 1))
        t->piece(t->context, i);
    return NULL;
}

void cc_parallel(size_t count, void (*piece)(void *context, size_t index), void *context)
{
    team t = { .count = count, .piece = piece, .context = context };
    pthread_t threads[MOST_THREADS];
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    const size_t wanted = cc_min_size(count, cc_min_size(processors > 0 ? (size_t)processors : 1, MOST_THREADS));
    size_t started = 0;
    atomic_init(&t.next, 0);
    /* the calling thread is one of the `wanted` threads */
    while (started + 1 < wanted && pthread_create(&threads[started], NULL, work, &t) == 0)
        started++;
    work(&t);
    while (started > 0)
        pthread_join(threads[--started], NULL);
}
