#include "infer/metric.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define ROW(symbol, ...) &cc_metric_##symbol,
static const cc_metric *const metrics[] = { CC_METRICS(ROW) };
#undef ROW

struct cc_tally {
    size_t classes;
    double device[CC_DEVICE_SUMS];
    double *own;                                /* of all metrics that have some, one behind the other */
    size_t own_count, first[CC_COUNT(metrics)]; /* metric i's begin at own[first[i]] */
};

camcl_status cc_tally_create(size_t classes, cc_tally **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_tally *t = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &t, err));
    t->classes = classes;
    for (size_t i = 0; i < CC_COUNT(metrics); i++) {
        t->first[i] = t->own_count;
        if (metrics[i]->sum_count) t->own_count += metrics[i]->sum_count(classes);
    }
    CC_TRY(CC_NEW(cc_max_size(t->own_count, 1), &t->own, err));
    *out = t;
    t = NULL;
cleanup:
    cc_tally_destroy(&t);
    return status;
}

void cc_tally_destroy(cc_tally **handle)
{
    if (*handle == NULL) return;
    free((*handle)->own);
    free(*handle);
    *handle = NULL;
}

void cc_tally_reset(cc_tally *t)
{
    memset(t->device, 0, sizeof t->device);
    memset(t->own, 0, t->own_count * sizeof *t->own);
}

bool cc_tally_wants_rows(const cc_tally *t) { return t->own_count > 0; }

void cc_tally_add_sums(cc_tally *t, const float sums[CC_DEVICE_SUMS])
{
    for (size_t i = 0; i < CC_DEVICE_SUMS; i++)
        t->device[i] += sums[i];
}

void cc_tally_add_rows(cc_tally *t, const float *logits, const int32_t *labels, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (labels[i] < 0 || (size_t)labels[i] >= t->classes) continue;
        for (size_t m = 0; m < CC_COUNT(metrics); m++)
            if (metrics[m]->sum_count) metrics[m]->add(logits + i * t->classes, labels[i], t->classes, t->own + t->first[m]);
    }
}

void cc_tally_evaluate(const cc_tally *t, camcl_evaluation *out)
{
    size_t count;
    const camcl_metric *rows = camcl_metric_list(&count);
    const double images = t->device[CC_DEVICE_IMAGES];
    *out = cc_evaluation_nothing();
    out->n = (size_t)images;
    for (size_t i = 0; i < count; i++) {
        const double *sums = metrics[i]->sum_count ? t->own + t->first[i] : t->device;
        if (images > 0 && t->classes > rows[i].trivial_classes) out->values[i] = metrics[i]->value(sums, images, t->classes);
    }
}
