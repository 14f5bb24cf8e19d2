/* Expected calibration error (arXiv 1706.04599): how far confidence is from accuracy, over bins of the confidence (camcl/breakdown.h). */
#include <math.h>

#include "base/confidence.h"
#include "camcl/breakdown.h"
#include "infer/metric.h"

static size_t sum_count(size_t classes)
{
    (void)classes;
    return CAMCL_RELIABILITY_BINS * CC_BIN_SUMS;
}

static void add(const float *logits, int32_t label, size_t classes, double *sums)
{
    (void)cc_reliability_add(logits, label, classes, sums);
}

static double value(const double *sums, double images, size_t classes)
{
    double distance = 0;
    (void)classes;
    for (const double *bin = sums; bin < sums + CAMCL_RELIABILITY_BINS * CC_BIN_SUMS; bin += CC_BIN_SUMS)
        distance += fabs(bin[CC_BIN_CONFIDENCE] - bin[CC_BIN_RIGHT]);
    return 100 * distance / images;
}

const cc_metric cc_metric_ece = { sum_count, add, value };
