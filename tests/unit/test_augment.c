/* Sampling of flips, crops and turns: ranges to the letter of the method, distributions, independence of how it is asked. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "feed/augment.h"

static const cc_turns no_turns = { { 0 }, 1 }, quarters = { { 0, 1, 2, 3 }, 4 }, of_the_paper = { { 0, 1, 2, 0 }, 4 };
static const cc_augment_options defaults = { .flip_horizontal = true,
                                             .flip_vertical = true,
                                             .crop_min = 0.75,
                                             .rotations = { { 0, 1, 2, 3 }, 4 },
                                             .per_image = true,
                                             .size = 32,
                                             .seed = 1 };

/* Sum of (counted - expected)^2 / expected against expectations that sum to n. */
static double chi_square(const size_t *counts, const double *probabilities, size_t cells, size_t n)
{
    double chi2 = 0.0;
    for (size_t i = 0; i < cells; i++) {
        if (probabilities[i] == 0.0) {
            assert_int_equal(counts[i], 0);
            continue;
        }
        const double expected = probabilities[i] * (double)n, off = (double)counts[i] - expected;
        chi2 += off * off / expected;
    }
    return chi2;
}

static void flips_are_fair_and_independent(void **state)
{
    (void)state;
    enum { BATCH = 20, STEPS = 2000 };
    size_t counts[4] = { 0 };
    const double quarter[4] = { 0.25, 0.25, 0.25, 0.25 };
    uint32_t sources[BATCH];
    cc_transform out[BATCH];
    for (size_t k = 0; k < STEPS; k++) {
        for (size_t i = 0; i < BATCH; i++)
            sources[i] = (uint32_t)(100 * k + i);
        cc_augment_weak(&defaults, CC_RNG_FLIP_LABELED, k, BATCH, sources, out);
        for (size_t i = 0; i < BATCH; i++) {
            const cc_transform *t = &out[i];
            assert_int_equal(t->source, sources[i]);
            assert_true(t->y0 == 0 && t->x0 == 0 && t->y1 == 32 && t->x1 == 32 && t->turns == 0);
            assert_true((t->flip_h & ~1) == 0 && (t->flip_v & ~1) == 0);
            counts[2 * t->flip_h + t->flip_v]++;
        }
    }
    /* 3 degrees of freedom: above 21 once in ten thousand seeds. */
    assert_true(chi_square(counts, quarter, 4, BATCH * STEPS) < 21.0);
}

static void flips_follow_their_switches(void **state)
{
    (void)state;
    enum { BATCH = 64 };
    uint32_t sources[BATCH] = { 0 };
    cc_transform both[BATCH], one[BATCH], none[BATCH], other[BATCH];
    cc_augment_options o = defaults;
    cc_augment_weak(&o, CC_RNG_FLIP_LABELED, 3, BATCH, sources, both);
    cc_augment_weak(&o, CC_RNG_FLIP_UNLABELED, 3, BATCH, sources, other);
    o.flip_horizontal = false;
    cc_augment_weak(&o, CC_RNG_FLIP_LABELED, 3, BATCH, sources, one);
    o.flip_vertical = false;
    cc_augment_weak(&o, CC_RNG_FLIP_LABELED, 3, BATCH, sources, none);
    for (size_t i = 0; i < BATCH; i++) {
        assert_true(one[i].flip_h == 0 && one[i].flip_v == both[i].flip_v);
        assert_true(none[i].flip_h == 0 && none[i].flip_v == 0);
    }
    assert_memory_not_equal(both, other, sizeof both); /* the streams share no numbers */
}

/* All (lo,hi) of an axis have the probability of METHOD section 5: 1/(S-L+1) * 1/(S-lo-L+1). */
static void check_crop_distribution(double crop_min, size_t size, size_t least)
{
    enum { N = 40000, MOST = 16 };
    cc_augment_options o = defaults;
    o.crop_min = crop_min;
    o.size = size;
    assert_true(size <= MOST);
    size_t rows[(MOST + 1) * (MOST + 1)] = { 0 }, columns[(MOST + 1) * (MOST + 1)] = { 0 }, degrees = 0;
    double probabilities[(MOST + 1) * (MOST + 1)] = { 0 };
    for (size_t lo = 0; lo <= size - least; lo++)
        for (size_t hi = lo + least; hi <= size; hi++) {
            probabilities[lo * (MOST + 1) + hi] = 1.0 / (double)(size - least + 1) / (double)(size - lo - least + 1);
            degrees++;
        }
    for (size_t k = 0; k < N; k++) {
        cc_transform t;
        cc_augment_crop_rotate(&o, k, 1, &t);
        assert_true(t.y0 >= 0 && t.y0 < t.y1 && (size_t)t.y1 <= size && t.x0 >= 0 && t.x0 < t.x1 && (size_t)t.x1 <= size);
        assert_true(t.source == -1 && !t.flip_h && !t.flip_v);
        rows[(size_t)t.y0 * (MOST + 1) + (size_t)t.y1]++;
        columns[(size_t)t.x0 * (MOST + 1) + (size_t)t.x1]++;
    }
    /* Mean `degrees`-1, standard deviation sqrt(2 degrees): six of them. */
    const double bound = (double)degrees + 6.0 * sqrt(2.0 * (double)degrees);
    const double by_row = chi_square(rows, probabilities, CC_COUNT(rows), N),
                 by_column = chi_square(columns, probabilities, CC_COUNT(columns), N);
    if (!(by_row < bound && by_column < bound))
        fail_msg("crop_min %g of %zu: chi-square %g and %g, bound %g", crop_min, size, by_row, by_column, bound);
}

static void crops_have_the_method_distribution(void **state)
{
    (void)state;
    check_crop_distribution(0.75, 16, 12);
    check_crop_distribution(0.5, 7, 4);
    check_crop_distribution(0.9, 10, 9);
    check_crop_distribution(0.0, 3, 1);
    check_crop_distribution(0.01, 5, 1);
}

/* L = ceil(crop_min S) for decimal fractions: every length from L to S is drawn, and none below. */
static void least_sides_are_exact(void **state)
{
    (void)state;
    const struct {
        double crop_min;
        size_t size;
        int32_t least;
    } cases[] = {
        { 0.75, 32, 24 },       { 0.75, 33, 25 }, { 0.9, 10, 9 },    { 0.7, 10, 7 },  { 0.1, 30, 3 },
        { 0.3, 10, 3 },         { 0.55, 20, 11 }, { 0.57, 100, 57 }, { 0.28, 25, 7 }, { 0.29, 100, 29 },
        { 0.2900001, 100, 30 }, { 1.0, 32, 32 },  { 0.999, 32, 32 }, { 0.0, 8, 1 },
    };
    for (size_t c = 0; c < CC_COUNT(cases); c++) {
        cc_augment_options o = defaults;
        int32_t shortest = INT32_MAX, longest = 0, furthest = 0;
        o.crop_min = cases[c].crop_min;
        o.size = cases[c].size;
        for (uint64_t k = 0; k < 20000; k++) {
            cc_transform t;
            cc_augment_crop_rotate(&o, k, 1, &t);
            const int32_t sides[2] = { t.y1 - t.y0, t.x1 - t.x0 }, starts[2] = { t.y0, t.x0 };
            for (size_t a = 0; a < 2; a++) {
                if (sides[a] < shortest) shortest = sides[a];
                if (sides[a] > longest) longest = sides[a];
                if (starts[a] > furthest) furthest = starts[a];
            }
        }
        assert_int_equal(shortest, cases[c].least);
        assert_int_equal(longest, cases[c].size);
        assert_int_equal(furthest, (int32_t)cases[c].size - cases[c].least);
    }
}

static void turns_have_the_method_distribution(void **state)
{
    (void)state;
    enum { N = 40000 };
    const struct {
        const cc_turns *rotations;
        double probabilities[4];
    } cases[] = {
        { &no_turns, { 1, 0, 0, 0 } },
        { &quarters, { 0.25, 0.25, 0.25, 0.25 } },
        { &of_the_paper, { 0.5, 0.25, 0.25, 0 } },
    };
    for (size_t c = 0; c < CC_COUNT(cases); c++) {
        cc_augment_options o = defaults;
        size_t counts[4] = { 0 };
        o.rotations = *cases[c].rotations;
        for (uint64_t k = 0; k < N / 8; k++) {
            cc_transform out[8];
            cc_augment_crop_rotate(&o, k, 8, out);
            for (size_t i = 0; i < 8; i++) {
                assert_in_range(out[i].turns, 0, 3);
                counts[out[i].turns]++;
            }
        }
        assert_true(chi_square(counts, cases[c].probabilities, 4, N) < 21.0);
    }
}

static bool same(const cc_transform *a, const cc_transform *b) { return memcmp(a, b, sizeof *a) == 0; }

static void one_transform_for_the_batch_or_one_each(void **state)
{
    (void)state;
    cc_augment_options o = defaults;
    cc_transform out[16], next[16];
    size_t repeats = 0;
    cc_augment_crop_rotate(&o, 7, 16, out);
    for (size_t i = 1; i < 16; i++)
        repeats += same(&out[i], &out[0]);
    assert_true(repeats < 3);
    o.per_image = false;
    cc_augment_crop_rotate(&o, 7, 16, out);
    for (size_t i = 1; i < 16; i++)
        assert_true(same(&out[i], &out[0]));
    cc_augment_crop_rotate(&o, 8, 16, next);
    assert_false(same(&next[0], &out[0]));
    cc_augment_crop_rotate(&o, 7, 3, next); /* the step decides, not the batch size */
    assert_true(same(&next[0], &out[0]));
}

static void equal_arguments_give_equal_transforms(void **state)
{
    (void)state;
    cc_augment_options o = defaults;
    cc_transform first[8], again[8], other[8];
    uint32_t sources[8] = { 5, 6, 7, 8, 9, 10, 11, 12 };
    cc_augment_crop_rotate(&o, 11, 8, first);
    cc_augment_crop_rotate(&o, 4, 8, again);
    cc_augment_crop_rotate(&o, 11, 8, again);
    assert_memory_equal(first, again, sizeof first);
    o.seed = 2;
    cc_augment_crop_rotate(&o, 11, 8, other);
    assert_memory_not_equal(first, other, sizeof first);
    cc_augment_weak(&o, CC_RNG_FLIP_LABELED, 11, 8, sources, first);
    cc_augment_weak(&o, CC_RNG_FLIP_LABELED, 11, 8, sources, again);
    assert_memory_equal(first, again, sizeof first);
    /* Row i of step k is draw k * batch + i: the first row of step 2 at batch 4 is the last of step 0 at batch 9. */
    cc_transform four[4], nine[9];
    cc_augment_crop_rotate(&o, 2, 4, four);
    cc_augment_crop_rotate(&o, 0, 9, nine);
    assert_true(same(&four[0], &nine[8]));
}

static void whole_image_when_crop_min_is_one(void **state)
{
    (void)state;
    cc_augment_options o = defaults;
    o.crop_min = 1.0;
    o.rotations = no_turns;
    for (size_t size = 1; size < 300; size++) {
        cc_transform t;
        o.size = size;
        cc_augment_crop_rotate(&o, size, 1, &t);
        assert_true(t.y0 == 0 && t.x0 == 0 && t.y1 == (int32_t)size && t.x1 == (int32_t)size && t.turns == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flips_are_fair_and_independent),        cmocka_unit_test(flips_follow_their_switches),
        cmocka_unit_test(crops_have_the_method_distribution),    cmocka_unit_test(least_sides_are_exact),
        cmocka_unit_test(turns_have_the_method_distribution),    cmocka_unit_test(one_transform_for_the_batch_or_one_each),
        cmocka_unit_test(equal_arguments_give_equal_transforms), cmocka_unit_test(whole_image_when_crop_min_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
