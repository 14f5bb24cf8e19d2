/* Which of the unlabelled images count, and how much, where this follows from what was seen before. Kernels read rows row0 .. row0+n-1 of
 * logits; what they leave has n entries. Averages are exponential: average = decay * average + (1 - decay) * this batch's.
 *
 * Kernels that sum over rows run as one work-group of LANES work-items, or as one for each class: lane l takes rows l, l + LANES, ..., and
 * the lanes are joined in a fixed tree. A row with a NaN never counts. */
#include "vector.clh"
#include "rows.clh"

/* What a row adds to the sums {sum mask, sum mask * (pseudo == truth), -, sum mask * (truth < 0)} of softmax.cl's confidence. */
static inline float4 counted(float mask, int pseudo, int truth)
{
    return (float4)(mask, truth == pseudo ? mask : 0.0f, 0.0f, truth < 0 ? mask : 0.0f);
}

static inline void store_counts(float4 sum, int n, __global float *sums)
{
    sums[0] = sum.x;
    sums[1] = sum.y;
    sums[2] = (float)n;
    sums[3] = sum.w;
}

/* ---- thresholds of classes by how many images had them last
 *
 * counts [classes + 1]: images whose last confident class was c; at the end, images without one. With b = counts_c / max counts, a row of
 * class c counts where its confidence is at least threshold * b / (2 - b). */

static inline float class_threshold(float threshold, int count, int most)
{
    const float share = most > 0 ? (float)count / (float)most : 0.0f;
    return threshold * share / (2.0f - share);
}

/* All lanes have read from global memory what lane 0 overwrites at the kernel's end. The barriers of JOIN_LANES order local memory only. */
#if LANES > 1
#define LANES_HAVE_READ barrier(CLK_GLOBAL_MEM_FENCE)
#else
#define LANES_HAVE_READ
#endif

/* sure = the class where the confidence reaches the whole threshold, else -1; own = {sum of the classes' thresholds, classes, sum of counts
 * without the last, sum of counts} */
__kernel void class_thresholds(__global const float *logits, __global const float *thresholds, __global const int *truth,
                               __global const int *counts, __global int *pseudo, __global float *mask, __global int *sure,
                               __global float *sums, __global float *own, int row0, int n, int classes, int index, int softmax,
                               int has_truth)
{
    LANE_SCRATCH(float4, scratch);
    const float threshold = thresholds[index];
    int most = 0, all = 0;
    float each = 0.0f;
    for (int c = 0; c <= classes; c++) most = max(most, counts[c]);
    for (int c = 0; c < classes; c++) {
        each += class_threshold(threshold, counts[c], most);
        all += counts[c];
    }
    float4 sum = (float4)(0.0f);
    for (int i = (int)get_local_id(0); i < n; i += LANES) {
        __global const float *row = logits + (size_t)(row0 + i) * classes;
        const int best = first_greatest(row, classes);
        const bool ordered = is_ordered(row, classes);
        const float confidence = softmax ? 1.0f / sum_of_exponentials(row, classes, row[best]) : row[best];
        const float counts_here = ordered && confidence >= class_threshold(threshold, counts[best], most) ? 1.0f : 0.0f;
        pseudo[i] = best;
        mask[i] = counts_here;
        sure[i] = ordered && confidence >= threshold ? best : -1;
        sum += counted(counts_here, best, has_truth ? truth[i] : -1);
    }
    JOIN_LANES(sum, scratch, PLUS);
    if (get_local_id(0) > 0) return;
    store_counts(sum, n, sums);
    own[0] = each;
    own[1] = (float)classes;
    own[2] = (float)all;
    own[3] = (float)(all + counts[classes]);
}

/* last [images] and counts after these rows, one after the other: of an image that is there twice, the later row counts. transforms: `stride`
 * numbers a row, the first of which is the image. With one lane one work-item walks the rows, for processors. With more, whose device would
 * take hundreds of loads one after the other for that, there is a work-item per row: it looks for a later row of its image, and without one
 * it is the only work-item that touches the image. The last row comes first, so that a device which runs work-items one after the other
 * shows a wrong result if that search is wrong. */
__kernel void class_thresholds_update(__global const int *sure, __global const int *transforms, __global int *last, __global int *counts,
                                      int n, int stride, int images, int classes)
{
#if LANES == 1
    for (int i = 0; i < n; i++) {
        const int image = transforms[i * stride], now = sure[i];
        if (now < 0 || image < 0 || image >= images) continue;
        const int before = last[image];
        counts[before >= 0 && before < classes ? before : classes]--;
        counts[now]++;
        last[image] = now;
    }
#else
    const int i = n - 1 - (int)get_global_id(0);
    if (i < 0) return;
    const int image = transforms[i * stride], now = sure[i];
    bool comes_again = false;
    for (int j = i + 1; j < n; j++) {
        const int other = transforms[j * stride], other_now = sure[j];
        comes_again = comes_again || (other == image && other_now >= 0);
    }
    if (comes_again || now < 0 || image < 0 || image >= images) return;
    const int before = last[image];
    atomic_dec(counts + (before >= 0 && before < classes ? before : classes));
    atomic_inc(counts + now);
    last[image] = now;
#endif
}

/* ---- averages over the batches */

/* probability [n,classes] = softmax of the row, pseudo = its first greatest, confidence = the probability of that. One work-item per row. */
__kernel void predictions(__global const float *logits, __global float *probability, __global int *pseudo, __global float *confidence,
                          int row0, int n, int classes)
{
    const int i = (int)get_global_id(0);
    if (i >= n) return;
    __global const float *row = logits + (size_t)(row0 + i) * classes;
    __global float *out = probability + (size_t)i * classes;
    const int best = first_greatest(row, classes);
    const float share = 1.0f / sum_of_exponentials(row, classes, row[best]);
    for (int j = 0; j < classes; j++) out[j] = exp(row[j] - row[best]) * share;
    pseudo[i] = best;
    confidence[i] = is_ordered(row, classes) ? share : NAN;
}

/* Averages of each class's mean probability, and with has_histogram of its share of the pseudo-labels. One work-group per class, exactly: of a
 * return before the barriers, PoCL 3.1 makes wrong code. */
__kernel void class_averages(__global const float *probability, __global const int *pseudo, __global float *average,
                             __global float *histogram, int n, int classes, float decay, int has_histogram)
{
    LANE_SCRATCH(float2, scratch);
    const int c = (int)get_global_id(0) / LANES;
    float2 sum = (float2)(0.0f); /* of the probabilities, and of the rows */
    for (int i = (int)get_global_id(0) % LANES; i < n; i += LANES)
        sum += (float2)(probability[(size_t)i * classes + c], pseudo[i] == c ? 1.0f : 0.0f);
    JOIN_LANES(sum, scratch, PLUS);
    if (get_global_id(0) % LANES > 0) return;
    average[c] = decay * average[c] + (1.0f - decay) * (sum.x / (float)n);
    if (has_histogram) histogram[c] = decay * histogram[c] + (1.0f - decay) * (sum.y / (float)n);
}

/* threshold = its average with the mean confidence; a row of class c counts where its confidence is at least threshold * average_c / max
 * average. own = {threshold, mean of the classes' thresholds, 0, 1} */
__kernel void adaptive_thresholds(__global const float *confidence, __global const int *pseudo, __global const int *truth,
                                  __global const float *average, __global float *threshold, __global float *mask, __global float *sums,
                                  __global float *own, int n, int classes, float decay, int has_truth)
{
    LANE_SCRATCH(float, scratch_mean);
    LANE_SCRATCH(float4, scratch);
    float mean = 0.0f, most = average[0], all = 0.0f;
    const float before = threshold[0];
    LANES_HAVE_READ;
    for (int c = 0; c < classes; c++) {
        most = fmax(most, average[c]);
        all += average[c];
    }
    for (int i = (int)get_local_id(0); i < n; i += LANES) mean += confidence[i];
    JOIN_LANES_FOR_ALL(mean, scratch_mean, PLUS);
    const float now = decay * before + (1.0f - decay) * (mean / (float)n);
    float4 sum = (float4)(0.0f);
    for (int i = (int)get_local_id(0); i < n; i += LANES) {
        const float counts_here = confidence[i] >= now * (average[pseudo[i]] / most) ? 1.0f : 0.0f;
        mask[i] = counts_here;
        sum += counted(counts_here, pseudo[i], has_truth ? truth[i] : -1);
    }
    JOIN_LANES(sum, scratch, PLUS);
    if (get_local_id(0) > 0) return;
    threshold[0] = now;
    store_counts(sum, n, sums);
    own[0] = now;
    own[1] = now * (all / most) / (float)classes;
    own[2] = 0.0f;
    own[3] = 1.0f;
}

/* ---- weights by confidence
 *
 * c of a row = the largest of probability_j / average_j, divided by their sum: what it would be if all classes were equally frequent.
 * mean, variance: averages of the batch's (variance unbiased, skipped where n is 1). weight = exp(-2 min(c - mean, 0)^2 / variance).
 * own = {mean, variance, 0, 1} */
__kernel void confidence_weights(__global const float *probability, __global const int *pseudo, __global const int *truth,
                                 __global const float *average, __global float *mean, __global float *variance, __global float *weight,
                                 __global float *sums, __global float *own, int n, int classes, float decay, int has_truth)
{
    LANE_SCRATCH(float, scratch_mean);
    LANE_SCRATCH(float, scratch_squares);
    LANE_SCRATCH(float4, scratch);
    const float mean_before = mean[0], variance_before = variance[0];
    LANES_HAVE_READ;
    float total = 0.0f, squares = 0.0f;
    for (int i = (int)get_local_id(0); i < n; i += LANES) {
        __global const float *row = probability + (size_t)i * classes;
        float most = 0.0f, all = 0.0f;
        for (int j = 0; j < classes; j++) {
            const float aligned = row[j] / average[j];
            most = aligned > most || aligned != aligned ? aligned : most;
            all += aligned;
        }
        weight[i] = most / all;
        total += weight[i];
    }
    JOIN_LANES_FOR_ALL(total, scratch_mean, PLUS);
    const float batch = total / (float)n, center = decay * mean_before + (1.0f - decay) * batch;
    for (int i = (int)get_local_id(0); i < n; i += LANES) squares += (weight[i] - batch) * (weight[i] - batch);
    JOIN_LANES_FOR_ALL(squares, scratch_squares, PLUS);
    const float spread = n > 1 ? decay * variance_before + (1.0f - decay) * (squares / (float)(n - 1)) : variance_before;
    float4 sum = (float4)(0.0f);
    for (int i = (int)get_local_id(0); i < n; i += LANES) {
        const float below = weight[i] < center ? weight[i] - center : weight[i] == weight[i] ? 0.0f : NAN;
        weight[i] = exp(-2.0f * below * below / spread);
        sum += counted(weight[i], pseudo[i], has_truth ? truth[i] : -1);
    }
    JOIN_LANES(sum, scratch, PLUS);
    if (get_local_id(0) > 0) return;
    mean[0] = center;
    variance[0] = spread;
    store_counts(sum, n, sums);
    own[0] = center;
    own[1] = spread;
    own[2] = 0.0f;
    own[3] = 1.0f;
}
