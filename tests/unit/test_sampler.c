/* The walk through a pool: full batches, each element once per pass, any step at any time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "feed/sampler.h"

static cc_sampler *create(size_t count, uint64_t seed, cc_rng_stream stream, bool shuffle)
{
    cc_sampler *sampler = NULL;
    camcl_error err = { 0 };
    uint32_t *indices = malloc(count * sizeof *indices);
    assert_non_null(indices);
    for (size_t i = 0; i < count; i++)
        indices[i] = (uint32_t)(1000 + 3 * i);
    if (cc_sampler_create(indices, count, seed, stream, shuffle, &sampler, &err) != CAMCL_OK) fail_msg("%s", err.message);
    free(indices); /* it kept its own copy */
    return sampler;
}

/* The first `steps` batches, laid end to end. The caller frees. */
static uint32_t *walk(cc_sampler *sampler, size_t steps, size_t batch)
{
    uint32_t *out = malloc(steps * batch * sizeof *out);
    assert_non_null(out);
    for (size_t k = 0; k < steps; k++)
        cc_sampler_batch(sampler, k, batch, out + k * batch);
    return out;
}

static void each_element_once_per_pass(void **state)
{
    (void)state;
    const struct {
        size_t count, batch;
    } cases[] = { { 1, 1 }, { 1, 5 }, { 7, 3 }, { 10, 5 }, { 3, 10 }, { 33, 32 }, { 500, 32 } };
    for (size_t c = 0; c < CC_COUNT(cases); c++)
        for (int shuffle = 0; shuffle < 2; shuffle++) {
            const size_t count = cases[c].count, batch = cases[c].batch, passes = 6, steps = count * passes / batch;
            cc_sampler *sampler = create(count, 5, CC_RNG_ORDER_LABELED, shuffle);
            uint32_t *out = walk(sampler, steps, batch);
            for (size_t pass = 0; (pass + 1) * count <= steps * batch; pass++) {
                unsigned char *seen = calloc(count, 1);
                for (size_t i = 0; i < count; i++) {
                    const uint32_t value = out[pass * count + i];
                    assert_true(value >= 1000 && (value - 1000) % 3 == 0 && (value - 1000) / 3 < count);
                    assert_int_equal(seen[(value - 1000) / 3]++, 0);
                    if (!shuffle) assert_int_equal(value, 1000 + 3 * i);
                }
                free(seen);
            }
            free(out);
            cc_sampler_destroy(&sampler);
            assert_null(sampler);
        }
}

static void any_step_at_any_time(void **state)
{
    (void)state;
    enum { STEPS = 40, BATCH = 7 };
    cc_sampler *forward = create(23, 9, CC_RNG_ORDER_UNLABELED, true), *random = create(23, 9, CC_RNG_ORDER_UNLABELED, true);
    uint32_t *want = walk(forward, STEPS, BATCH), got[BATCH];
    for (size_t i = 0; i < 3 * STEPS; i++) {
        const size_t k = i * 17 % STEPS;
        cc_sampler_batch(random, k, BATCH, got);
        assert_memory_equal(got, want + k * BATCH, sizeof got);
    }
    /* Far out: the position does not fit in 32 bits. */
    const uint64_t far = UINT64_C(1) << 40;
    uint32_t once[BATCH];
    cc_sampler_batch(random, far, BATCH, once);
    cc_sampler_batch(forward, 0, BATCH, got);
    cc_sampler_batch(forward, far, BATCH, got);
    assert_memory_equal(got, once, sizeof got);
    free(want);
    cc_sampler_destroy(&forward);
    cc_sampler_destroy(&random);
}

static void the_pass_decides_not_the_batch_size(void **state)
{
    (void)state;
    cc_sampler *sampler = create(12, 1, CC_RNG_ORDER_LABELED, true);
    uint32_t *by_four = walk(sampler, 9, 4), *by_six = walk(sampler, 6, 6);
    assert_memory_equal(by_four, by_six, 36 * sizeof *by_four);
    free(by_four), free(by_six);
    cc_sampler_destroy(&sampler);
}

static void passes_seeds_and_streams_differ(void **state)
{
    (void)state;
    enum { N = 50 };
    cc_sampler *samplers[3] = { create(N, 1, CC_RNG_ORDER_LABELED, true), create(N, 2, CC_RNG_ORDER_LABELED, true),
                                create(N, 1, CC_RNG_ORDER_UNLABELED, true) };
    uint32_t *orders[3];
    for (size_t i = 0; i < 3; i++)
        orders[i] = walk(samplers[i], 2, N);
    assert_memory_not_equal(orders[0], orders[0] + N, N * sizeof **orders);
    assert_memory_not_equal(orders[0], orders[1], N * sizeof **orders);
    assert_memory_not_equal(orders[0], orders[2], N * sizeof **orders);
    for (size_t i = 0; i < 3; i++) {
        free(orders[i]);
        cc_sampler_destroy(&samplers[i]);
    }
}

/* Over many passes every element takes every place about equally often: for N x N cells of variance P/N (1-1/N) each, chi-square has the
 * mean N(N-1) = 90 and a standard deviation of about 14. */
static void places_are_uniform(void **state)
{
    (void)state;
    enum { N = 10, PASSES = 20000 };
    size_t counts[N][N] = { { 0 } };
    cc_sampler *sampler = create(N, 3, CC_RNG_ORDER_LABELED, true);
    for (size_t k = 0; k < PASSES; k++) {
        uint32_t out[N];
        cc_sampler_batch(sampler, k, N, out);
        for (size_t i = 0; i < N; i++)
            counts[i][(out[i] - 1000) / 3]++;
    }
    double chi2 = 0.0;
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            const double expected = (double)PASSES / N, off = (double)counts[i][j] - expected;
            chi2 += off * off / expected;
        }
    if (!(chi2 > 34.0 && chi2 < 146.0)) fail_msg("chi-square %g", chi2);
    cc_sampler_destroy(&sampler);
}

static void an_empty_pool_is_refused(void **state)
{
    (void)state;
    const uint32_t nothing = 0;
    cc_sampler *sampler;
    camcl_error err = { 0 };
    assert_int_equal(cc_sampler_create(&nothing, 0, 1, CC_RNG_ORDER_LABELED, true, &sampler, &err), CAMCL_BAD_CONFIG);
    assert_null(sampler);
    assert_non_null(strstr(err.message, "pool of 0 images"));
}

static void destroying_nothing_is_fine(void **state)
{
    (void)state;
    cc_sampler *sampler = NULL;
    cc_sampler_destroy(&sampler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_element_once_per_pass),
        cmocka_unit_test(any_step_at_any_time),
        cmocka_unit_test(the_pass_decides_not_the_batch_size),
        cmocka_unit_test(passes_seeds_and_streams_differ),
        cmocka_unit_test(places_are_uniform),
        cmocka_unit_test(an_empty_pool_is_refused),
        cmocka_unit_test(destroying_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
