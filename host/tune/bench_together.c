/* Timing a step of several devices that train together. */
#include <float.h>
#include <stdlib.h>

#include "base/arguments.h"
#include "base/file.h"
#include "base/memory.h"
#include "exchange/exchange.h"
#include "run/parts.h"
#include "tune/bench.h"

static camcl_status run_together(cc_exchange *exchange, cc_bench *members, cc_step **steps, size_t count, camcl_device *const *devices,
                                 camcl_error *err)
{
    cc_readback *sums = NULL;
    cc_step_sums read;
    const cc_step_input input = cc_bench_input(&members[0]);
    for (size_t i = 0; i < count; i++)
        steps[i] = members[i].step;
    CC_RETURN_IF_FAILED(cc_exchange_step(exchange, steps, &input, &sums, err));
    CC_RETURN_IF_FAILED(cc_step_read(&sums, &read, err));
    for (size_t i = 0; i < count; i++)
        CC_RETURN_IF_FAILED(cc_device_finish(devices[i], err));
    return CAMCL_OK;
}

static camcl_status divide(const camcl_config *config, const char *name, size_t count, cc_part *parts, camcl_error *err)
{
    const cc_objective_kind *kind = cc_objective_find(name);
    const size_t unlabeled = kind && cc_objective_learns_unlabeled(kind) ? (size_t)camcl_config_int(config, "train.batch_unlabeled") : 0;
    double *shares = NULL;
    CC_RETURN_IF_FAILED(CC_NEW(count, &shares, err));
    for (size_t i = 0; i < count; i++)
        shares[i] = 1;
    camcl_config_numbers(config, "device.share", shares, count);
    const camcl_status status =
        cc_parts_divide((size_t)camcl_config_int(config, "train.batch_labeled"), unlabeled, shares, count, parts, err);
    free(shares);
    return status;
}

camcl_status camcl_bench_step_together(camcl_device *const *devices, size_t count, const camcl_config *config, const char *name,
                                       unsigned repeat, camcl_step_time *out, camcl_error *err)
{
    CC_CHECK_GIVEN(devices, err);
    CC_CHECK_GIVEN(config, err);
    CC_CHECK_GIVEN(name, err);
    CC_CHECK_GIVEN(out, err);
    if (count == 0) return cc_fail(err, CAMCL_BAD_CONFIG, "camcl_bench_step_together: no devices (give at least one)");
    if (repeat == 0) return cc_fail(err, CAMCL_BAD_CONFIG, "bench: 0 steps to time (give at least one)");
    if (count == 1 || cc_bench_is_infer(name)) return camcl_bench_step(devices[0], config, name, repeat, out, err);
    camcl_status status = CAMCL_OK;
    cc_bench *members = NULL;
    cc_step **steps = NULL;
    cc_part *parts = NULL;
    cc_exchange *exchange = NULL;
    double best = DBL_MAX;
    size_t align = 1;
    CC_TRY(CC_NEW(count, &members, err));
    CC_TRY(CC_NEW(count, &steps, err));
    CC_TRY(CC_NEW(count, &parts, err));
    CC_TRY(divide(config, name, count, parts, err));
    CC_TRY(cc_exchange_create(count, NULL, &exchange, err));
    for (size_t i = 0; i < count; i++)
        align = cc_max_size(align, camcl_device_get_info(devices[i])->base_align);
    cc_device_reset_peak(devices[0]);
    for (size_t i = 0; i < count; i++)
        CC_TRY(cc_bench_open(&members[i], devices[i], config, name, &parts[i], align, err));
    for (unsigned i = 0; i < CC_BENCH_WARM_UP + repeat; i++) {
        (void)cc_exchange_take_figures(exchange);
        const double start = cc_seconds();
        CC_TRY(run_together(exchange, members, steps, count, devices, err));
        const double seconds = cc_seconds() - start;
        if (i >= CC_BENCH_WARM_UP && seconds < best) best = seconds;
    }
    const cc_exchange_figures figures = cc_exchange_take_figures(exchange);
    *out = (camcl_step_time){ best * 1e3,
                              (double)cc_bench_images(&members[0], name) / best,
                              cc_device_peak_bytes(devices[0]),
                              figures.blocking,
                              figures.overlapped,
                              figures.bytes };
cleanup:
    for (size_t i = 0; members && i < count; i++)
        cc_bench_close(&members[i]);
    cc_exchange_destroy(&exchange);
    free(members);
    free(steps);
    free(parts);
    return status;
}
