/* Softmax, cross-entropy, confidence and evaluation of rows of `classes` logits. Kernels read rows row0 .. row0+n-1 of logits; labels,
 * masks and the like have n entries.
 *
 * Kernels that sum over rows run as one work-group of LANES work-items: lane l takes rows l, l + LANES, ..., and the lanes are
 * joined in a fixed tree. The others have one work-item per row.
 *
 * NaN never hides: a NaN logit makes the row's cross-entropy NaN, never beats a threshold, and is never right in a top-k. */
#include "vector.clh"
#include "rows.clh"

/* -log softmax(row)[label]; NaN where there is no such class. */
static inline float cross_entropy(__global const float *row, int classes, int label)
{
    if (label >= classes) return NAN;
    const float top = greatest(row, classes);
    return (top - row[label]) + log(sum_of_exponentials(row, classes, top));
}

/* How many classes beat the label: a greater logit, or an equal one of a lower class; all of them in a row with a NaN. */
static inline int rank_of(__global const float *row, int classes, int label)
{
    if (label >= classes) return classes;
    const float own = row[label];
    int rank = 0;
    for (int j = 0; j < classes; j++) {
        if (row[j] != row[j]) return classes;
        if (row[j] > own || (row[j] == own && j < label)) rank++;
    }
    return rank;
}

__kernel void softmax_forward(__global const float *logits, __global float *probability, int row0, int n, int classes)
{
    const int i = (int)get_global_id(0);
    if (i >= n) return;
    __global const float *row = logits + (size_t)(row0 + i) * classes;
    __global float *out = probability + (size_t)i * classes;
    const float top = greatest(row, classes), share = 1.0f / sum_of_exponentials(row, classes, top);
    for (int j = 0; j < classes; j++) out[j] = exp(row[j] - top) * share;
}

/* pseudo = the first greatest (class 0 in a row that starts with NaN); sums = {sum mask, sum mask * (pseudo == truth), n, sum mask * (truth < 0)}:
 * a truth below 0 is not known */
__kernel void confidence(__global const float *logits, __global const float *thresholds, __global const int *truth, __global int *pseudo,
                         __global float *mask, __global float *sums, int row0, int n, int classes, int index, int softmax,
                         int has_truth)
{
    LANE_SCRATCH(float4, scratch);
    const float threshold = thresholds[index];
    float4 sum = (float4)(0.0f);
    for (int i = (int)get_local_id(0); i < n; i += LANES) {
        __global const float *row = logits + (size_t)(row0 + i) * classes;
        const int best = first_greatest(row, classes);
        const bool ordered = is_ordered(row, classes);
        const float conf = softmax ? 1.0f / sum_of_exponentials(row, classes, row[best]) : row[best];
        const float confident = ordered && conf >= threshold ? 1.0f : 0.0f;
        pseudo[i] = best;
        mask[i] = confident;
        const int known = has_truth ? truth[i] : -1;
        sum += (float4)(confident, known == best ? confident : 0.0f, known < 0 ? confident : 0.0f, 0.0f);
    }
    JOIN_LANES(sum, scratch, PLUS);
    if (get_local_id(0) > 0) return;
    sums[0] = sum.x;
    sums[1] = sum.y;
    sums[2] = (float)n;
    sums[3] = sum.z;
}

/* sums = {sum mask*ce, sum mask, sum mask * (argmax == label), n}; rows with a label below 0 count in n only */
__kernel void cross_entropy_forward(__global const float *logits, __global const int *labels, __global const float *mask,
    __global float *sums, int row0, int n, int classes, int has_mask)
{
    LANE_SCRATCH(float4, scratch);
    float4 sum = (float4)(0.0f);
    for (int i = (int)get_local_id(0); i < n; i += LANES) {
        __global const float *row = logits + (size_t)(row0 + i) * classes;
        const float weight = has_mask ? mask[i] : 1.0f;
        if (labels[i] < 0) continue;
        sum +=
            (float4)(weight * cross_entropy(row, classes, labels[i]), weight, rank_of(row, classes, labels[i]) == 0 ? weight : 0.0f, 0.0f);
    }
    JOIN_LANES(sum, scratch, PLUS);
    if (get_local_id(0) > 0) return;
    sums[0] = sum.x;
    sums[1] = sum.y;
    sums[2] = sum.z;
    sums[3] = (float)n;
}

/* dlogits = scale / max(denominator, 1) * mask * (softmax - onehot); 0 in rows with a label below 0 */
__kernel void cross_entropy_backward(__global const float *logits, __global const int *labels, __global const float *mask,
    __global const float *denominators, __global float *dlogits, int row0, int n, int classes, int has_mask, int index, float scale)
{
    const int i = (int)get_global_id(0);
    if (i >= n) return;
    __global const float *row = logits + (size_t)(row0 + i) * classes;
    __global float *out = dlogits + (size_t)(row0 + i) * classes;
    const int label = labels[i];
    const float denominator = denominators[index];
    /* written so that a NaN stays one */
    const float factor = scale / (denominator < 1.0f ? 1.0f : denominator) * (has_mask ? mask[i] : 1.0f);
    const float top = greatest(row, classes), share = 1.0f / sum_of_exponentials(row, classes, top);
    for (int j = 0; j < classes; j++)
        out[j] = label < 0 ? 0.0f : factor * (exp(row[j] - top) * share - (j == label ? 1.0f : 0.0f));
}

/* sums [8] += {sum ce, top1, top3, top5, rows counted}; rows with a label below 0 are skipped */
__kernel void evaluate(__global const float *logits, __global const int *labels, __global float *sums, int row0, int n, int classes)
{
    LANE_SCRATCH(float4, scratch);
    LANE_SCRATCH(float, scratch_count);
    float4 sum = (float4)(0.0f);
    float count = 0.0f;
    for (int i = (int)get_local_id(0); i < n; i += LANES) {
        __global const float *row = logits + (size_t)(row0 + i) * classes;
        if (labels[i] < 0) continue;
        const int rank = rank_of(row, classes, labels[i]);
        sum += (float4)(cross_entropy(row, classes, labels[i]), rank < 1, rank < 3, rank < 5);
        count += 1.0f;
    }
    JOIN_LANES(sum, scratch, PLUS);
    JOIN_LANES(count, scratch_count, PLUS);
    if (get_local_id(0) > 0) return;
    sums[0] += sum.x;
    sums[1] += sum.y;
    sums[2] += sum.z;
    sums[3] += sum.w;
    sums[4] += count;
}
