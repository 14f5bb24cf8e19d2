#include "check/ref/soft_ref.h"

#include <math.h>

static double log_sum(size_t classes, const double *row, double sharpness)
{
    double top = row[0], sum = 0;
    for (size_t j = 1; j < classes; j++)
        top = fmax(top, row[j]);
    for (size_t j = 0; j < classes; j++)
        sum += exp(sharpness * (row[j] - top));
    return sharpness * top + log(sum);
}

static size_t greatest(size_t classes, const double *row)
{
    size_t best = 0;
    for (size_t j = 1; j < classes; j++)
        best = row[j] > row[best] ? j : best;
    return best;
}

void ref_soft_cross_entropy(size_t n, size_t classes, const double *x, const double *t, double temperature, const double *mask,
                            double sums[4], double *dx)
{
    sums[0] = sums[1] = sums[2] = 0;
    sums[3] = (double)n;
    for (size_t i = 0; i < n; i++, x += classes, t += classes, dx += classes) {
        const double of_x = log_sum(classes, x, 1), of_t = log_sum(classes, t, 1 / temperature);
        for (size_t j = 0; j < classes; j++) {
            const double p = exp(t[j] / temperature - of_t);
            sums[0] += mask[i] * p * (of_x - x[j]);
            dx[j] = mask[i] * (exp(x[j] - of_x) - p);
        }
        sums[1] += mask[i];
        sums[2] += greatest(classes, x) == greatest(classes, t) ? mask[i] : 0;
    }
}

/* d/dx_j of mean_k (q_k - p_k)^2 through dq_k/dx_j = q_k (k == j) - q_k q_j, term by term. */
double ref_probability_mse(size_t n, size_t classes, const double *x, const double *t, double *dx)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++, x += classes, t += classes, dx += classes) {
        const double of_x = log_sum(classes, x, 1), of_t = log_sum(classes, t, 1);
        for (size_t j = 0; j < classes; j++)
            dx[j] = 0;
        for (size_t k = 0; k < classes; k++) {
            const double q = exp(x[k] - of_x), difference = q - exp(t[k] - of_t);
            sum += difference * difference / (double)classes;
            for (size_t j = 0; j < classes; j++)
                dx[j] += 2 * difference / (double)classes * q * ((j == k) - exp(x[j] - of_x));
        }
    }
    return sum;
}
