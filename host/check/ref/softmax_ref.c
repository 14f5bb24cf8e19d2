#include "check/ref/softmax_ref.h"

#include <math.h>

int ref_argmax(size_t classes, const double *row)
{
    size_t best = 0;
    for (size_t j = 1; j < classes; j++)
        if (row[j] > row[best]) best = j;
    return (int)best;
}

static double log_sum(size_t classes, const double *row)
{
    const double top = row[ref_argmax(classes, row)];
    double sum = 0.0;
    for (size_t j = 0; j < classes; j++)
        sum += exp(row[j] - top);
    return top + log(sum);
}

void ref_softmax(size_t n, size_t classes, const double *logits, double *probability)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < classes; j++)
            probability[i * classes + j] = exp(logits[i * classes + j] - log_sum(classes, logits + i * classes));
}

double ref_cross_entropy(size_t classes, const double *row, int label) { return log_sum(classes, row) - row[label]; }

int ref_rank(size_t classes, const double *row, int label)
{
    int rank = 0;
    for (int j = 0; j < (int)classes; j++)
        rank += row[j] > row[label] || (row[j] == row[label] && j < label);
    return rank;
}
