#include "base/evaluation.h"

#include <math.h>
#include <string.h>

#include "base/catalogue.h"
#include "base/memory.h"

#define ROW(symbol, name, label, unit, better, trivial_classes) { name, label, CAMCL_##unit, better, trivial_classes },
static const camcl_metric metrics[] = { CC_METRICS(ROW) };
#undef ROW
_Static_assert(CC_COUNT(metrics) <= CAMCL_MOST_METRICS, "an evaluation has no room for that many metrics");

const camcl_metric *camcl_metric_list(size_t *count)
{
    *count = CC_COUNT(metrics);
    return metrics;
}

/* The index of the metric of this name, or CC_COUNT(metrics). */
static size_t find(const char *name)
{
    size_t i = 0;
    while (i < CC_COUNT(metrics) && strcmp(metrics[i].name, name) != 0)
        i++;
    return i;
}

double camcl_evaluation_get(const camcl_evaluation *evaluation, const char *name)
{
    const size_t i = find(name);
    return i < CC_COUNT(metrics) ? evaluation->values[i] : NAN;
}

double *cc_evaluation_at(camcl_evaluation *evaluation, const char *name)
{
    const size_t i = find(name);
    return i < CC_COUNT(metrics) ? &evaluation->values[i] : NULL;
}

camcl_evaluation cc_evaluation_nothing(void)
{
    camcl_evaluation e = { .n = 0 };
    for (size_t i = 0; i < CAMCL_MOST_METRICS; i++)
        e.values[i] = NAN;
    return e;
}
