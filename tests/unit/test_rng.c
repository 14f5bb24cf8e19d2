/* Philox against the known answers of its authors' library, and the derived draws. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/rng.h"

static void known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], expected[4];
    } cases[] = {
        { { 0, 0, 0, 0 }, { 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
        { { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
          { 0xffffffff, 0xffffffff },
          { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
        { { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 },
          { 0xa4093822, 0x299f31d0 },
          { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t out[4];
        cc_philox4x32(cases[i].counter, cases[i].key, out);
        assert_memory_equal(out, cases[i].expected, sizeof out);
    }
}

static void sequence_is_the_generator(void **state)
{
    (void)state;
    cc_rng rng = cc_rng_at(UINT64_C(0x1122334455667788), CC_RNG_SPLIT, UINT64_C(0x99aabbccddeeff00));
    for (uint32_t block = 0; block < 3; block++) {
        uint32_t counter[4] = { block, CC_RNG_SPLIT, 0xddeeff00, 0x99aabbcc }, key[2] = { 0x55667788, 0x11223344 }, out[4];
        cc_philox4x32(counter, key, out);
        for (int i = 0; i < 4; i++)
            assert_int_equal(cc_rng_u32(&rng), out[i]);
    }
}

static void sequences_differ(void **state)
{
    (void)state;
    cc_rng rngs[] = { cc_rng_at(1, CC_RNG_WEIGHTS, 0), cc_rng_at(2, CC_RNG_WEIGHTS, 0), cc_rng_at(UINT64_C(1) << 32, CC_RNG_WEIGHTS, 0),
                      cc_rng_at(1, CC_RNG_SPLIT, 0),   cc_rng_at(1, CC_RNG_WEIGHTS, 1), cc_rng_at(1, CC_RNG_WEIGHTS, UINT64_C(1) << 32) };
    enum { COUNT = sizeof rngs / sizeof *rngs };
    uint32_t first[COUNT];
    for (int i = 0; i < COUNT; i++)
        first[i] = cc_rng_u32(&rngs[i]);
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < i; j++)
            assert_int_not_equal(first[i], first[j]);
}

static void below_is_uniform(void **state)
{
    (void)state;
    enum { DRAWS = 60000, SIDES = 6 };
    unsigned counts[SIDES] = { 0 };
    cc_rng rng = cc_rng_at(3, CC_RNG_BENCH, 0);
    for (int i = 0; i < DRAWS; i++) {
        uint32_t value = cc_rng_below(&rng, SIDES);
        assert_true(value < SIDES);
        counts[value]++;
    }
    double chi2 = 0, expected = (double)DRAWS / SIDES;
    for (int i = 0; i < SIDES; i++)
        chi2 += (counts[i] - expected) * (counts[i] - expected) / expected;
    assert_true(chi2 < 20.5); /* 99.9 % point of 5 degrees of freedom; the seed is fixed */
    for (int i = 0; i < 100; i++)
        assert_int_equal(cc_rng_below(&rng, 1), 0);
}

/* Of 3/4 of the range, a product without rejection gives every third value twice as often as the others. */
static void below_has_no_bias(void **state)
{
    (void)state;
    const uint32_t n = UINT32_C(3) << 30; /* 3/4 of 2^32 */
    unsigned low = 0, third = 0;
    cc_rng rng = cc_rng_at(4, CC_RNG_BENCH, 0);
    for (int i = 0; i < 30000; i++) {
        uint32_t value = cc_rng_below(&rng, n);
        assert_true(value < n);
        low += value < n / 3;
        third += value % 3 == 0; /* without rejection value = 0 mod 3 comes with probability 1/2 */
    }
    assert_true(fabs(low / 30000.0 - 1.0 / 3) < 0.01);
    assert_true(fabs(third / 30000.0 - 1.0 / 3) < 0.01);
}

static void unit_and_normal(void **state)
{
    (void)state;
    enum { DRAWS = 200000 };
    cc_rng rng = cc_rng_at(5, CC_RNG_BENCH, 1);
    double sum = 0, squares = 0;
    for (int i = 0; i < DRAWS; i++) {
        double value = cc_rng_unit(&rng);
        assert_true(value >= 0 && value < 1);
        sum += value;
        squares += value * value;
    }
    assert_true(fabs(sum / DRAWS - 0.5) < 0.003);
    assert_true(fabs(squares / DRAWS - 1.0 / 3) < 0.003);

    double moments[5] = { 0 };
    for (int i = 0; i < DRAWS; i++) {
        double value = cc_rng_normal(&rng), power = 1;
        assert_true(isfinite(value));
        for (int k = 0; k < 5; k++, power *= value)
            moments[k] += power / DRAWS;
    }
    assert_true(fabs(moments[1]) < 0.01);
    assert_true(fabs(moments[2] - 1) < 0.02);
    assert_true(fabs(moments[3]) < 0.04);
    assert_true(fabs(moments[4] - 3) < 0.1);
}

static void permutations(void **state)
{
    (void)state;
    enum { N = 1000 };
    uint32_t order[N];
    unsigned char seen[N] = { 0 };
    cc_rng rng = cc_rng_at(6, CC_RNG_ORDER_LABELED, 2);
    cc_rng_permutation(&rng, order, N);
    unsigned fixed = 0;
    for (uint32_t i = 0; i < N; i++) {
        assert_true(order[i] < N);
        assert_int_equal(seen[order[i]]++, 0);
        fixed += order[i] == i;
    }
    assert_true(fixed < 10);

    unsigned counts[6] = { 0 }; /* of the six orders of three */
    for (int i = 0; i < 6000; i++) {
        uint32_t three[3];
        cc_rng_permutation(&rng, three, 3);
        counts[three[0] * 2 + (three[1] > three[2])]++;
    }
    for (int i = 0; i < 6; i++)
        assert_in_range(counts[i], 880, 1120);
    uint32_t untouched = 77;
    cc_rng_permutation(&rng, &untouched, 0);
    assert_int_equal(untouched, 77);
    cc_rng_permutation(&rng, &untouched, 1);
    assert_int_equal(untouched, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),    cmocka_unit_test(sequence_is_the_generator), cmocka_unit_test(sequences_differ),
        cmocka_unit_test(below_is_uniform), cmocka_unit_test(below_has_no_bias),         cmocka_unit_test(unit_and_normal),
        cmocka_unit_test(permutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
