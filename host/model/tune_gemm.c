/* Timing CLBlast's parameters. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "device/timings.h"
#include "model/tune.h"

enum { MOST_PRODUCTS = 4 };
#define FAILED 1e9 /* milliseconds: nothing that ran takes as long */

bool cc_tune_knows_gemm(const camcl_device *device)
{
    const camcl_device_info *info = camcl_device_get_info(device);
    for (size_t i = 0; cc_gemm_set_name(i); i++)
        if (cc_gemm_set_supports(info, i) && isnan(cc_timings_find(device, CC_TUNE_GEMM_KEY, cc_gemm_set_name(i)))) return false;
    return true;
}

/* The fastest set that takes less than `least` milliseconds, or 0. */
static size_t fastest_below(const camcl_device *device, double least)
{
    const camcl_device_info *info = camcl_device_get_info(device);
    size_t best = 0;
    if (!cc_tune_knows_gemm(device)) return 0;
    for (size_t i = 1; cc_gemm_set_name(i); i++) {
        const double ms = cc_timings_find(device, CC_TUNE_GEMM_KEY, cc_gemm_set_name(i));
        if (!cc_gemm_set_supports(info, i) || !(ms < least)) continue;
        least = ms;
        best = i;
    }
    return best;
}

size_t cc_tune_find_gemm(const camcl_device *device)
{
    return fastest_below(device, 0.95 * cc_timings_find(device, CC_TUNE_GEMM_KEY, cc_gemm_set_name(0)));
}

size_t cc_tune_choose_gemm(const camcl_device *device)
{
    return cc_gemm_has_default(device) ? cc_tune_find_gemm(device) : fastest_below(device, FAILED);
}

/* Parameters that a driver compiles into wrong code must not win: results are compared with those of the default. */
static camcl_status check_result(const cc_gemm_desc *d, const cc_buffer *c, float **expected, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const size_t count = d->m * d->n;
    float *got = NULL;
    CC_TRY(CC_NEW(count, &got, err));
    CC_TRY(cc_buffer_read(c, 0, got, count * sizeof *got, err));
    if (*expected == NULL) {
        *expected = got;
        got = NULL;
    }
    for (size_t i = 0; got && i < count; i++) {
        if (fabs((double)got[i] - (double)(*expected)[i]) <= 1e-5 * sqrt((double)d->k)) continue;
        status = cc_fail(err, CAMCL_FAILED, "GEMM %zu x %zu x %zu: wrong results with tuned parameters", d->m, d->n, d->k);
        break;
    }
cleanup:
    free(got);
    return status;
}

/* One product with the parameters in force. *expected: its result by the default parameters, filled by the first call. */
static camcl_status time_product(camcl_device *device, const cc_gemm_desc *d, float **expected, double *seconds, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_arena *arena = NULL;
    cc_tape *tape;
    cc_tensor a = { .dtype = CC_F32, .rank = 1, .dim = { d->m * d->k } }, b = { .dtype = CC_F32, .rank = 1, .dim = { d->k * d->n } },
              c = { .dtype = CC_F32, .rank = 1, .dim = { d->m * d->n } };
    double warm_up = DBL_MAX;
    *seconds = DBL_MAX;
    CC_TRY(cc_tune_buffer(device, a.dim[0], true, &a.buffer, err));
    CC_TRY(cc_tune_buffer(device, b.dim[0], true, &b.buffer, err));
    CC_TRY(cc_tune_buffer(device, c.dim[0], false, &c.buffer, err));
    CC_TRY(cc_arena_create(device, &arena, err));
    CC_TRY(cc_tape_create(arena, "product", &tape, err));
    CC_TRY(cc_gemm(tape, d, a, b, c, false, err));
    CC_TRY(cc_arena_commit(arena, err));
    CC_TRY(cc_tune_run_tape(tape, c.buffer, &warm_up, err));
    CC_TRY(cc_tune_run_tape(tape, c.buffer, seconds, err));
    CC_TRY(check_result(d, c.buffer, expected, err));
cleanup:
    cc_arena_destroy(&arena);
    cc_buffer_destroy(&a.buffer);
    cc_buffer_destroy(&b.buffer);
    cc_buffer_destroy(&c.buffer);
    return status;
}

/* The sum over all products; a set that does not work has failed, which is no error. */
static double time_set(camcl_device *device, size_t set, const cc_gemm_desc *products, float **expected, size_t count)
{
    double sum = 0;
    if (cc_gemm_use(device, set, NULL) != CAMCL_OK) return FAILED;
    for (size_t i = 0; i < count; i++) {
        double seconds;
        if (time_product(device, &products[i], &expected[i], &seconds, NULL) != CAMCL_OK) return FAILED;
        sum += 1e3 * seconds;
    }
    return sum;
}

camcl_status cc_tune_time_gemm(camcl_device *device, const cc_gemm_desc *products, size_t count, camcl_error *err)
{
    enum { MOST_SETS = 32 };
    const camcl_device_info *info = camcl_device_get_info(device);
    camcl_status status = CAMCL_OK;
    double ms[MOST_SETS];
    float *expected[MOST_PRODUCTS] = { NULL };
    /* What is gone keeps the time that it had. */
    const size_t first = cc_gemm_has_default(device) ? 0 : 1;
    if (first && isnan(cc_timings_find(device, CC_TUNE_GEMM_KEY, cc_gemm_set_name(0)))) return cc_gemm_use(device, 0, err);
    for (size_t i = first; cc_gemm_set_name(i) && i < MOST_SETS; i++) {
        CC_TRY(cc_tune_check_stop(device, err));
        if (cc_gemm_set_supports(info, i)) ms[i] = time_set(device, i, products, expected, cc_min_size(count, MOST_PRODUCTS));
    }
    for (size_t i = first; cc_gemm_set_name(i) && i < MOST_SETS; i++)
        if (cc_gemm_set_supports(info, i)) CC_TRY(cc_timings_add(device, CC_TUNE_GEMM_KEY, cc_gemm_set_name(i), ms[i], err));
    CC_TRY(cc_gemm_use(device, cc_tune_choose_gemm(device), err));
cleanup:
    for (size_t i = 0; i < MOST_PRODUCTS; i++)
        free(expected[i]);
    return status;
}
