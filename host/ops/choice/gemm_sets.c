/* Timing CLBlast's parameters. */
#include "ops/choice/gemm_sets.h"

#include <float.h>
#include <math.h>

#include "base/memory.h"
#include "ops/choice/agreement.h"
#include "ops/choice/race.h"
#include "ops/gemm.h"

enum { MOST_PRODUCTS = 4 };

bool cc_gemm_sets_known(const cc_choice *choice)
{
    const camcl_device_info *info = camcl_device_get_info(choice->device);
    for (size_t i = 0; cc_gemm_set_name(i); i++)
        if (cc_gemm_set_supports(info, i) && isnan(cc_timings_find(&choice->timings, CC_GEMM_SETS_KEY, cc_gemm_set_name(i)))) return false;
    return true;
}

/* The fastest set that takes less than `least` milliseconds, or 0. */
static size_t fastest_below(const cc_choice *choice, double least)
{
    const camcl_device_info *info = camcl_device_get_info(choice->device);
    size_t best = 0;
    if (!cc_gemm_sets_known(choice)) return 0;
    for (size_t i = 1; cc_gemm_set_name(i); i++) {
        const double ms = cc_timings_find(&choice->timings, CC_GEMM_SETS_KEY, cc_gemm_set_name(i));
        if (!cc_gemm_set_supports(info, i) || !(ms < least)) continue;
        least = ms;
        best = i;
    }
    return best;
}

size_t cc_gemm_sets_fastest(const cc_choice *choice)
{
    return fastest_below(choice, 0.95 * cc_timings_find(&choice->timings, CC_GEMM_SETS_KEY, cc_gemm_set_name(0)));
}

size_t cc_gemm_sets_choose(const cc_choice *choice)
{
    return cc_gemm_has_default(choice->device) ? cc_gemm_sets_fastest(choice) : fastest_below(choice, CC_CHOICE_FAILED);
}

/* One product with the parameters in force. Parameters that a driver compiles into wrong code must not win: results are compared with those
 * of the first set that works, the default where there is one. */
static camcl_status time_product(camcl_device *device, const cc_gemm_desc *d, cc_agreement *results, double *seconds, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_arena *arena = NULL;
    cc_tape *tape;
    cc_tensor a = { .dtype = CC_F32, .rank = 1, .dim = { d->m * d->k } }, b = { .dtype = CC_F32, .rank = 1, .dim = { d->k * d->n } },
              c = { .dtype = CC_F32, .rank = 1, .dim = { d->m * d->n } };
    double warm_up = DBL_MAX;
    bool agrees;
    *seconds = DBL_MAX;
    CC_TRY(cc_race_buffer(device, a.dim[0], true, &a.buffer, err));
    CC_TRY(cc_race_buffer(device, b.dim[0], true, &b.buffer, err));
    CC_TRY(cc_race_buffer(device, c.dim[0], false, &c.buffer, err));
    CC_TRY(cc_arena_create(device, &arena, err));
    CC_TRY(cc_tape_create(arena, "product", &tape, err));
    CC_TRY(cc_gemm(tape, d, a, b, c, false, err));
    CC_TRY(cc_arena_commit(arena, err));
    CC_TRY(cc_agreement_poison(results, c.buffer, err));
    CC_TRY(cc_race_run_tape(tape, c.buffer, &warm_up, err));
    CC_TRY(cc_race_run_tape(tape, c.buffer, seconds, err));
    CC_TRY(cc_agreement_compare(results, c.buffer, &agrees, err));
    if (!agrees) status = cc_fail(err, CAMCL_FAILED, "GEMM %zu x %zu x %zu: wrong results with tuned parameters", d->m, d->n, d->k);
cleanup:
    cc_arena_destroy(&arena);
    cc_buffer_destroy(&a.buffer);
    cc_buffer_destroy(&b.buffer);
    cc_buffer_destroy(&c.buffer);
    return status;
}

/* The sum of the times of all products. A set that does not work counts as failed, which is no error. */
static double time_set(camcl_device *device, size_t set, const cc_gemm_desc *products, cc_agreement *results, size_t count)
{
    double sum = 0;
    if (cc_gemm_use(device, set, NULL) != CAMCL_OK) return CC_CHOICE_FAILED;
    for (size_t i = 0; i < count; i++) {
        double seconds;
        if (time_product(device, &products[i], &results[i], &seconds, NULL) != CAMCL_OK) return CC_CHOICE_FAILED;
        sum += 1e3 * seconds;
    }
    return sum;
}

camcl_status cc_gemm_sets_time(cc_choice *choice, const cc_gemm_desc *products, size_t count, camcl_error *err)
{
    enum { MOST_SETS = 32 };
    const camcl_device_info *info = camcl_device_get_info(choice->device);
    camcl_status status = CAMCL_OK;
    double ms[MOST_SETS];
    cc_agreement results[MOST_PRODUCTS] = { { 0 } };
    /* A default that can no longer be used keeps its stored time. */
    const size_t first = cc_gemm_has_default(choice->device) ? 0 : 1;
    if (first && isnan(cc_timings_find(&choice->timings, CC_GEMM_SETS_KEY, cc_gemm_set_name(0))))
        return cc_gemm_use(choice->device, 0, err);
    count = cc_min_size(count, MOST_PRODUCTS);
    for (size_t i = 0; i < count; i++)
        CC_TRY(cc_agreement_begin(&results[i], products[i].m * products[i].n, 1e-5 * sqrt((double)products[i].k), err));
    for (size_t i = first; cc_gemm_set_name(i) && i < MOST_SETS; i++) {
        CC_TRY(cc_choice_check_stop(choice, err));
        if (cc_gemm_set_supports(info, i)) ms[i] = time_set(choice->device, i, products, results, count);
    }
    for (size_t i = first; cc_gemm_set_name(i) && i < MOST_SETS; i++)
        if (cc_gemm_set_supports(info, i)) CC_TRY(cc_timings_add(&choice->timings, CC_GEMM_SETS_KEY, cc_gemm_set_name(i), ms[i], err));
    CC_TRY(cc_gemm_use(choice->device, cc_gemm_sets_choose(choice), err));
cleanup:
    for (size_t i = 0; i < MOST_PRODUCTS; i++)
        cc_agreement_end(&results[i]);
    return status;
}
