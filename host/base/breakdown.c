#include "camcl/breakdown.h"

#include <math.h>
#include <stdlib.h>

#include "base/arguments.h"
#include "base/confidence.h"
#include "base/diag.h"
#include "base/memory.h"

#define NORMAL_975 1.959963984540054 /* the normal distribution's 97.5th percentile */

camcl_interval camcl_wilson_interval(double percent, double n)
{
    const double p = percent / 100, z = NORMAL_975, all = 1 + z * z / n;
    if (!(p >= 0 && p <= 1 && n > 0)) return (camcl_interval){ NAN, NAN };
    const double middle = (p + z * z / (2 * n)) / all, half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / all;
    return (camcl_interval){ 100 * fmax(middle - half, 0), 100 * fmin(middle + half, 1) };
}

/* ---- confidence */

size_t cc_predicted(const float *logits, size_t classes, double *confidence)
{
    size_t best = 0;
    double sum = 0;
    for (size_t c = 1; c < classes; c++)
        if (logits[c] > logits[best]) best = c;
    for (size_t c = 0; c < classes; c++)
        sum += exp((double)logits[c] - (double)logits[best]);
    *confidence = 1 / sum;
    return best;
}

static size_t bin_of(double confidence)
{
    const double bin = ceil(confidence * CAMCL_RELIABILITY_BINS) - 1;
    if (!(bin > 0)) return 0;
    return bin < CAMCL_RELIABILITY_BINS ? (size_t)bin : CAMCL_RELIABILITY_BINS - 1;
}

size_t cc_reliability_add(const float *logits, int32_t label, size_t classes, double *sums)
{
    double confidence;
    const size_t predicted = cc_predicted(logits, classes, &confidence);
    double *bin = sums + bin_of(confidence) * CC_BIN_SUMS;
    bin[CC_BIN_IMAGES] += 1;
    bin[CC_BIN_CONFIDENCE] += confidence;
    bin[CC_BIN_RIGHT] += predicted == (size_t)label;
    return predicted;
}

/* ---- breakdown */

static camcl_reliability_bin bin_from(const double *sums)
{
    const double n = sums[CC_BIN_IMAGES];
    if (!(n > 0)) return (camcl_reliability_bin){ 0, NAN, NAN };
    return (camcl_reliability_bin){ (size_t)n, 100 * sums[CC_BIN_CONFIDENCE] / n, 100 * sums[CC_BIN_RIGHT] / n };
}

camcl_status camcl_breakdown_make(const float *logits, const int32_t *labels, const uint32_t *indices, size_t n, size_t classes,
                                  camcl_breakdown *out, camcl_error *err)
{
    CC_CHECK_GIVEN(out, err);
    *out = (camcl_breakdown){ .classes = classes };
    if (n > 0) {
        CC_CHECK_GIVEN(logits, err);
        CC_CHECK_GIVEN(labels, err);
    }
    double sums[CAMCL_RELIABILITY_BINS * CC_BIN_SUMS] = { 0 };
    CC_RETURN_IF_FAILED(CC_NEW(classes * classes, &out->confusion, err));
    for (size_t i = 0; i < n; i++) {
        const int32_t label = labels[indices ? indices[i] : i];
        if (label < 0) continue;
        if ((size_t)label >= classes)
            return cc_fail(err, CAMCL_BAD_DATA, "breakdown: label %d of image %zu: there are %zu classes (number them from 0)", (int)label,
                           i, classes);
        out->confusion[(size_t)label * classes + cc_reliability_add(logits + i * classes, label, classes, sums)]++;
        out->n++;
    }
    for (size_t b = 0; b < CAMCL_RELIABILITY_BINS; b++)
        out->reliability[b] = bin_from(sums + b * CC_BIN_SUMS);
    return CAMCL_OK;
}

void camcl_breakdown_free(camcl_breakdown *breakdown)
{
    if (breakdown == NULL) return;
    free(breakdown->confusion);
    *breakdown = (camcl_breakdown){ .classes = 0 };
}

static double share(size_t part, size_t all) { return all > 0 ? 100 * (double)part / (double)all : NAN; }

camcl_class_figures camcl_class_figures_of(const uint64_t *confusion, size_t classes, size_t at)
{
    camcl_class_figures f = { .right = (size_t)confusion[at * classes + at] };
    for (size_t c = 0; c < classes; c++) {
        f.images += (size_t)confusion[at * classes + c];
        f.predicted += (size_t)confusion[c * classes + at];
    }
    f.precision = share(f.right, f.predicted);
    f.recall = share(f.right, f.images);
    return f;
}
