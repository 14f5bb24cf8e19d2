/* base/parallel.h: every piece once, whatever their number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_piece_runs_once),
        cmocka_unit_test(test_waits_for_the_longest_piece),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
