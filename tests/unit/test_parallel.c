/* base/parallel.h: every piece once, whatever their number, and no more once they are called off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/memory.h"
#include "base/parallel.h"

enum { MOST = 1000 };

/* A piece only touches its own number; how often it ran shows in it. */
static void visit(void *context, size_t index)
{
    unsigned *visits = context;
    visits[index]++;
}

static void test_every_piece_runs_once(void **state)
{
    static const size_t counts[] = { 0, 1, 2, 3, 63, 64, 65, MOST };
    (void)state;
    for (size_t i = 0; i < CC_COUNT(counts); i++) {
        unsigned visits[MOST + 1] = { 0 };
        cc_parallel(counts[i], visit, visits);
        for (size_t j = 0; j <= MOST; j++)
            assert_int_equal(visits[j], j < counts[i]);
    }
}

/* One piece that takes long does not keep the others from running, nor the call from waiting for it. */
static void sum_up(void *context, size_t index)
{
    uint64_t *sums = context;
    const uint64_t numbers = index == 0 ? 3000000 : 3;
    for (uint64_t i = 1; i <= numbers; i++)
        sums[index] += i;
}

static void test_waits_for_the_longest_piece(void **state)
{
    uint64_t sums[100] = { 0 };
    (void)state;
    cc_parallel(CC_COUNT(sums), sum_up, sums);
    assert_true(sums[0] == UINT64_C(4500001500000));
    for (size_t i = 1; i < CC_COUNT(sums); i++)
        assert_true(sums[i] == 6);
}

/* ---- watched */

typedef struct watched {
    unsigned visits[MOST];
    pthread_t caller;
    size_t watches, last;
    size_t enough; /* pieces after which the watcher calls off */
    long pause;    /* nanoseconds that a piece takes */
    atomic_bool wrong_thread;
} watched;

static void visit_watched(void *context, size_t index)
{
    watched *w = context;
    if (w->pause) nanosleep(&(struct timespec){ 0, w->pause }, NULL);
    if (pthread_equal(w->caller, pthread_self())) atomic_store(&w->wrong_thread, true);
    w->visits[index]++;
}

static bool look(void *context, size_t done)
{
    watched *w = context;
    if (!pthread_equal(w->caller, pthread_self()) || done < w->last) atomic_store(&w->wrong_thread, true);
    w->watches++;
    w->last = done;
    return done < w->enough;
}

static size_t count_visits(const watched *w)
{
    size_t visits = 0;
    for (size_t i = 0; i < MOST; i++) {
        assert_true(w->visits[i] <= 1);
        visits += w->visits[i];
    }
    return visits;
}

static void test_the_caller_watches(void **state)
{
    static const size_t counts[] = { 0, 1, 2, 63, MOST };
    (void)state;
    for (size_t i = 0; i < CC_COUNT(counts); i++) {
        watched w = { .caller = pthread_self(), .enough = SIZE_MAX };
        assert_true(cc_parallel_watched(counts[i], visit_watched, look, &w));
        assert_int_equal(count_visits(&w), counts[i]);
        assert_true(w.watches >= 1);
        assert_int_equal(w.last, counts[i]);
        assert_false(atomic_load(&w.wrong_thread));
    }
}

static void test_the_watcher_calls_off(void **state)
{
    watched w = { .caller = pthread_self(), .enough = 1, .pause = 20000000 };
    (void)state;
    assert_false(cc_parallel_watched(MOST, visit_watched, look, &w));
    assert_true(w.last >= 1 && w.last < MOST);
    assert_int_equal(count_visits(&w), w.last); /* those that were begun were finished */
    assert_false(atomic_load(&w.wrong_thread));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_piece_runs_once),
        cmocka_unit_test(test_waits_for_the_longest_piece),
        cmocka_unit_test(test_the_caller_watches),
        cmocka_unit_test(test_the_watcher_calls_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
