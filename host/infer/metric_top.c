/* Top-k accuracies: the share of images whose label is among the k classes of the greatest logits. */
#include "infer/metric.h"

static double top1(const double *sums, double images, size_t classes)
{
    (void)classes;
    return 100 * sums[CC_DEVICE_TOP1] / images;
}

static double top3(const double *sums, double images, size_t classes)
{
    (void)classes;
    return 100 * sums[CC_DEVICE_TOP3] / images;
}

static double top5(const double *sums, double images, size_t classes)
{
    (void)classes;
    return 100 * sums[CC_DEVICE_TOP5] / images;
}

const cc_metric cc_metric_top1 = { .value = top1 };
const cc_metric cc_metric_top3 = { .value = top3 };
const cc_metric cc_metric_top5 = { .value = top5 };
