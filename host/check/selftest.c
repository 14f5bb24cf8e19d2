/* Walks the registry: no variant escapes. */
#include "camcl/selftest.h"

#include <string.h>

#include "base/arguments.h"
#include "base/memory.h"
#include "check/check.h"
#include "ops/registry.h"

static const struct {
    const char *op;
    cc_check_function run;
} checks[] = {
    { "conv2d", cc_check_conv2d },
    { "conv2d_affine", cc_check_conv2d_affine },
    { "gemm", cc_check_gemm },
    { "linear", cc_check_linear },
    { "batch_norm", cc_check_batch_norm },
    { "batch_norm_fold", cc_check_batch_norm_fold },
    { "add", cc_check_add_operation },
    { "max_pool", cc_check_pool },
    { "average_pool", cc_check_pool },
    { "global_average_pool", cc_check_pool },
    { "softmax", cc_check_softmax },
    { "confidence", cc_check_confidence },
    { "cross_entropy", cc_check_cross_entropy },
    { "evaluate", cc_check_evaluate },
    { "masked_mse", cc_check_masked_mse },
    { "soft_cross_entropy", cc_check_soft_cross_entropy },
    { "probability_mse", cc_check_probability_mse },
    { "class_thresholds", cc_check_class_thresholds },
    { "adaptive_thresholds", cc_check_adaptive_thresholds },
    { "confidence_weights", cc_check_confidence_weights },
    { "fairness", cc_check_fairness },
    { "sgd", cc_check_sgd },
    { "ema", cc_check_ema },
    { "grad_cam", cc_check_grad_cam },
    { "grad_cam_seed", cc_check_rows },
    { "argmax_rows", cc_check_rows },
    { "resize", cc_check_resize },
    { "min_max", cc_check_min_max },
    { "warp", cc_check_warp },
    { "affine_warp", cc_check_affine_warp },
    { "counted_mse", cc_check_counted_mse },
    { "load_images", cc_check_load_images },
    { "load_bytes", cc_check_load_bytes },
    { "randaugment", cc_check_randaugment },
    { "load_labels", cc_check_load_labels },
};

cc_check_function cc_check_find(const char *op)
{
    for (size_t i = 0; i < CC_COUNT(checks); i++)
        if (strcmp(checks[i].op, op) == 0) return checks[i].run;
    return NULL;
}

camcl_status camcl_selftest(camcl_device *device, const camcl_stop *stop, void (*report)(void *context, const camcl_check *check),
                            void *context, camcl_selftest_result *result, camcl_error *err)
{
    CC_CHECK_GIVEN(device, err);
    CC_CHECK_GIVEN(result, err);
    *result = (camcl_selftest_result){ 0, 0 };
    for (size_t i = 0; i < cc_registry_count(); i++) {
        const cc_variant *v = cc_registry_at(i);
        const cc_check_function run = cc_check_find(v->op->name);
        camcl_error failure = { .status = CAMCL_OK };
        cc_check c = { .device = device, .variant = v, .err = &failure, .ok = run != NULL };
        const char *what = "there is no check of this operation";
        if (camcl_stop_requested(stop))
            return cc_fail(err, CAMCL_STOPPED, "selftest: stopped after %zu of %zu variants", i, cc_registry_count());
        if (run) run(&c);
        if (run) what = c.status != CAMCL_OK ? failure.message : c.what;
        const camcl_check one = { .op = v->op->name,
                                  .direction = cc_direction_name(v->direction),
                                  .variant = v->name,
                                  .shapes = c.shapes,
                                  .error = c.error,
                                  .ok = c.ok && c.status == CAMCL_OK,
                                  .what = what,
                                  .detail = failure.detail };
        result->checked += c.shapes > 0;
        result->failed += !one.ok;
        if (report) report(context, &one);
    }
    return CAMCL_OK;
}
