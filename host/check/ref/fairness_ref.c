#include "check/ref/fairness_ref.h"

#include <math.h>

static double over(double above, double below) { return below > 0 ? above / below : 0; }

/* Sum of mask q_c, and of mask over the rows whose greatest is c. */
static double spread(size_t n, size_t classes, const double *q, const double *mask, size_t c, double *times)
{
    double sum = 0;
    *times = 0;
    for (size_t i = 0; i < n; i++) {
        size_t best = 0;
        for (size_t j = 1; j < classes; j++)
            best = q[i * classes + j] > q[i * classes + best] ? j : best;
        sum += mask[i] * q[i * classes + c];
        *times += best == c ? mask[i] : 0;
    }
    return sum;
}

double ref_fairness(size_t n, size_t classes, const double *q, const double *mask, const double *p, const double *h, double *slope)
{
    double targets = 0, ratios = 0, loss = 0, pull = 0, times, confident = 0;
    for (size_t c = 0; c < classes; c++) {
        const double sum = spread(n, classes, q, mask, c, &times);
        targets += over(p[c], h[c]);
        ratios += over(sum, times);
        confident += times;
        if (slope) slope[c] = 0;
    }
    if (!(confident > 0)) return 0;
    for (size_t c = 0; c < classes; c++) {
        const double sum = spread(n, classes, q, mask, c, &times), target = over(p[c], h[c]) / targets;
        const double share = over(sum, times) / ratios;
        loss += target * log(share + 1e-12);
        pull += target / (share + 1e-12) * share;
    }
    for (size_t c = 0; c < classes && slope; c++) {
        const double sum = spread(n, classes, q, mask, c, &times), target = over(p[c], h[c]) / targets;
        slope[c] = over((target / (over(sum, times) / ratios + 1e-12) - pull) / ratios, times);
    }
    return loss;
}

void ref_fairness_backward(size_t n, size_t classes, const double *q, const double *mask, const double *slope, double scale,
                           double *dlogits)
{
    for (size_t i = 0; i < n; i++, q += classes, dlogits += classes)
        for (size_t j = 0; j < classes; j++)
            for (size_t k = 0; k < classes; k++)
                dlogits[j] += scale * mask[i] * slope[k] * q[k] * ((j == k) - q[j]);
}
