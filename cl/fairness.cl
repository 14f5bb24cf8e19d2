/* How the confident images' probabilities q [n,classes] are spread over the classes, held against averages p and h [classes].
 *
 * With a_c = p_c/h_c, r_c = S_c/K_c, S_c = sum of mask q_c, K_c = sum of mask over the rows whose greatest is c, x/0 = 0:
 *     F = sum_c A_c log(R_c + 1e-12),  A = a / sum a,  R = r / sum r;  0 where no row counts.
 * a is a constant; so are the K. slope = dF/dS. */
#include "vector.clh"
#include "rows.clh"

#define SMALLEST 1e-12f

/* One work-item per row. */
__kernel void fairness_best(__global const float *q, __global int *best, int n, int classes)
{
    const int i = (int)get_global_id(0);
    if (i < n) best[i] = first_greatest(q + (size_t)i * classes, classes);
}

/* ratio[c] = r_c, count[c] = K_c. One work-group of LANES work-items per class, exactly (thresholds.cl): lane l takes rows l, l + LANES, ...,
 * and the lanes are joined in a fixed tree. */
__kernel void fairness_ratios(__global const float *q, __global const int *best, __global const float *mask, __global float *ratio,
                              __global float *count, int n, int classes)
{
    LANE_SCRATCH(float2, scratch);
    const int c = (int)get_global_id(0) / LANES;
    float2 sum = (float2)(0.0f); /* S_c, K_c */
    for (int i = (int)get_global_id(0) % LANES; i < n; i += LANES)
        sum += (float2)(mask[i] * q[(size_t)i * classes + c], best[i] == c ? mask[i] : 0.0f);
    JOIN_LANES(sum, scratch, PLUS);
    if (get_global_id(0) % LANES > 0) return;
    ratio[c] = sum.y > 0.0f ? sum.x / sum.y : 0.0f;
    count[c] = sum.y;
}

static inline float over(float above, float below) { return below > 0.0f ? above / below : 0.0f; }

/* sums = {F, sum mask, 0, 1}. One work-item. */
__kernel void fairness_loss(__global const float *ratio, __global const float *count, __global const float *p, __global const float *h,
                            __global float *slope, __global float *sums, int classes)
{
    float a = 0.0f, r = 0.0f, confident = 0.0f, loss = 0.0f, mean = 0.0f;
    for (int c = 0; c < classes; c++) {
        a += over(p[c], h[c]);
        r += ratio[c];
        confident += count[c];
    }
    for (int c = 0; c < classes; c++) {
        const float target = over(over(p[c], h[c]), a), share = over(ratio[c], r);
        loss += target * log(share + SMALLEST);
        mean += target / (share + SMALLEST) * share;
    }
    for (int c = 0; c < classes; c++) {
        const float target = over(over(p[c], h[c]), a), share = over(ratio[c], r);
        slope[c] = over(over(target / (share + SMALLEST) - mean, r), count[c]);
    }
    sums[0] = confident > 0.0f ? loss : 0.0f;
    sums[1] = confident;
    sums[2] = 0.0f;
    sums[3] = 1.0f;
}

/* dlogits_j += scale * mask * q_j (slope_j - sum_k q_k slope_k). One work-item per row. */
__kernel void fairness_backward(__global const float *q, __global const float *mask, __global const float *slope, __global float *dlogits,
                                int row0, int n, int classes, float scale)
{
    const int i = (int)get_global_id(0);
    if (i >= n) return;
    __global const float *row = q + (size_t)i * classes;
    __global float *out = dlogits + (size_t)(row0 + i) * classes;
    float mean = 0.0f;
    for (int j = 0; j < classes; j++) mean += row[j] * slope[j];
    for (int j = 0; j < classes; j++) out[j] += scale * mask[i] * row[j] * (slope[j] - mean);
}
