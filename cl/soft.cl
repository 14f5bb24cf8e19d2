/* Losses of rows of logits against the probabilities of other rows, to which no gradient flows. Row i has q = softmax(logits[row0 + i]) and
 * p = softmax(sharpness * targets[target_row0 + i]).
 *
 * Kernels that sum over rows run as one work-group of LANES work-items: lane l takes rows l, l + LANES, ..., and the lanes are joined in
 * a fixed tree. The others have one work-item per row. NaN never hides, as in softmax.cl. */
#include "vector.clh"
#include "rows.clh"

/* p_j of a row whose greatest logit is `top`: exp(sharpness (row_j - top)) * share */
static inline float sharp_share(__global const float *row, int classes, float top, float sharpness)
{
    float sum = 0.0f;
    for (int j = 0; j < classes; j++) sum += exp(sharpness * (row[j] - top));
    return 1.0f / sum;
}

/* sums = {sum mask * ce, sum mask, sum mask * (argmax q == argmax p), n}, ce = -sum_j p_j log q_j */
__kernel void soft_cross_entropy_forward(__global const float *logits, __global const float *targets, __global const float *mask,
                                         __global float *sums, int row0, int target_row0, int n, int classes, float sharpness)
{
    LANE_SCRATCH(float4, scratch);
    float4 sum = (float4)(0.0f);
    for (int i = (int)get_local_id(0); i < n; i += LANES) {
        __global const float *x = logits + (size_t)(row0 + i) * classes, *t = targets + (size_t)(target_row0 + i) * classes;
        const float top = greatest(x, classes), target_top = greatest(t, classes), share = sharp_share(t, classes, target_top, sharpness);
        float below = 0.0f; /* sum_j p_j (top - x_j) */
        for (int j = 0; j < classes; j++) below += exp(sharpness * (t[j] - target_top)) * share * (top - x[j]);
        const float entropy = log(sum_of_exponentials(x, classes, top)) + below;
        const bool same = first_greatest(x, classes) == first_greatest(t, classes);
        sum += (float4)(mask[i] * entropy, mask[i], same ? mask[i] : 0.0f, 0.0f);
    }
    JOIN_LANES(sum, scratch, PLUS);
    if (get_local_id(0) > 0) return;
    sums[0] = sum.x;
    sums[1] = sum.y;
    sums[2] = sum.z;
    sums[3] = (float)n;
}

/* dlogits = scale / max(denominator, 1) * mask * (q - p) */
__kernel void soft_cross_entropy_backward(__global const float *logits, __global const float *targets, __global const float *mask,
                                          __global const float *denominators, __global float *dlogits, int row0, int target_row0, int n,
                                          int classes, int index, float scale, float sharpness)
{
    const int i = (int)get_global_id(0);
    if (i >= n) return;
    __global const float *x = logits + (size_t)(row0 + i) * classes, *t = targets + (size_t)(target_row0 + i) * classes;
    __global float *out = dlogits + (size_t)(row0 + i) * classes;
    const float denominator = denominators[index];
    const float factor = scale / (denominator < 1.0f ? 1.0f : denominator) * mask[i];
    const float top = greatest(x, classes), share = 1.0f / sum_of_exponentials(x, classes, top);
    const float target_top = greatest(t, classes), target_share = sharp_share(t, classes, target_top, sharpness);
    for (int j = 0; j < classes; j++)
        out[j] = factor * (exp(x[j] - top) * share - exp(sharpness * (t[j] - target_top)) * target_share);
}

/* sums = {sum over rows of mean_j (q_j - p_j)^2, n, 0, n} */
__kernel void probability_mse_forward(__global const float *logits, __global const float *targets, __global float *sums, int row0,
                                      int target_row0, int n, int classes)
{
    LANE_SCRATCH(float, scratch);
    float sum = 0.0f;
    for (int i = (int)get_local_id(0); i < n; i += LANES) {
        __global const float *x = logits + (size_t)(row0 + i) * classes, *t = targets + (size_t)(target_row0 + i) * classes;
        const float top = greatest(x, classes), share = 1.0f / sum_of_exponentials(x, classes, top);
        const float target_top = greatest(t, classes), target_share = 1.0f / sum_of_exponentials(t, classes, target_top);
        float squares = 0.0f;
        for (int j = 0; j < classes; j++) {
            const float difference = exp(x[j] - top) * share - exp(t[j] - target_top) * target_share;
            squares += difference * difference;
        }
        sum += squares / (float)classes;
    }
    JOIN_LANES(sum, scratch, PLUS);
    if (get_local_id(0) > 0) return;
    sums[0] = sum;
    sums[1] = (float)n;
    sums[2] = 0.0f;
    sums[3] = (float)n;
}

/* dlogits_j = scale / max(denominator, 1) * 2/classes * q_j ((q_j - p_j) - sum_k q_k (q_k - p_k)) */
__kernel void probability_mse_backward(__global const float *logits, __global const float *targets, __global const float *scales,
                                       __global const float *denominators, __global float *dlogits, int row0, int target_row0, int n,
                                       int classes, int scale_index, int index)
{
    const int i = (int)get_global_id(0);
    if (i >= n) return;
    __global const float *x = logits + (size_t)(row0 + i) * classes, *t = targets + (size_t)(target_row0 + i) * classes;
    __global float *out = dlogits + (size_t)(row0 + i) * classes;
    const float denominator = denominators[index];
    const float factor = scales[scale_index] / (denominator < 1.0f ? 1.0f : denominator) * 2.0f / (float)classes;
    const float top = greatest(x, classes), share = 1.0f / sum_of_exponentials(x, classes, top);
    const float target_top = greatest(t, classes), target_share = 1.0f / sum_of_exponentials(t, classes, target_top);
    float mean = 0.0f;
    for (int j = 0; j < classes; j++) {
        const float q = exp(x[j] - top) * share;
        mean += q * (q - exp(t[j] - target_top) * target_share);
    }
    for (int j = 0; j < classes; j++) {
        const float q = exp(x[j] - top) * share;
        out[j] = factor * q * (q - exp(t[j] - target_top) * target_share - mean);
    }
}
