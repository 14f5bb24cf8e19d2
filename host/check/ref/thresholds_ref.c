#include "check/ref/thresholds_ref.h"

#include <math.h>

static double probability(size_t classes, const double *row, size_t j)
{
    double sum = 0;
    for (size_t k = 0; k < classes; k++)
        sum += exp(row[k] - row[j]);
    return 1 / sum;
}

static int32_t greatest(size_t classes, const double *row)
{
    size_t best = 0;
    for (size_t j = 1; j < classes; j++)
        best = row[j] > row[best] ? j : best;
    return (int32_t)best;
}

static void begin(size_t n, ref_weights *out)
{
    *out = (ref_weights){ .pseudo = out->pseudo, .weight = out->weight, .sums = { 0, 0, (double)n, 0 }, .margin = INFINITY };
}

static void count(size_t i, const int32_t *truth, ref_weights *out)
{
    out->sums[0] += out->weight[i];
    if (truth == NULL || truth[i] < 0)
        out->sums[3] += out->weight[i];
    else if (truth[i] == out->pseudo[i])
        out->sums[1] += out->weight[i];
}

static double reached(double confidence, double threshold, ref_weights *out)
{
    out->margin = fmin(out->margin, fabs(confidence - threshold));
    return confidence >= threshold;
}

void ref_class_thresholds(size_t n, size_t classes, bool softmax, double threshold, const double *logits, const int32_t *truth,
                          const int32_t *images, ref_class_state *state, ref_weights *out)
{
    int32_t most = 0;
    begin(n, out);
    for (size_t c = 0; c <= classes; c++)
        most = state->counts[c] > most ? state->counts[c] : most;
    for (size_t c = 0; c < classes; c++) {
        const double share = (double)state->counts[c] / most;
        out->own[0] += threshold * share / (2 - share);
        out->own[2] += state->counts[c];
    }
    out->own[1] = (double)classes;
    out->own[3] = out->own[2] + state->counts[classes];
    for (size_t i = 0; i < n; i++) {
        const double *row = logits + i * classes;
        const int32_t best = out->pseudo[i] = greatest(classes, row);
        const double share = (double)state->counts[best] / most;
        const double confidence = softmax ? probability(classes, row, (size_t)best) : row[best];
        out->weight[i] = reached(confidence, threshold * share / (2 - share), out);
        count(i, truth, out);
    }
    for (size_t i = 0; i < n; i++) {
        const double *row = logits + i * classes;
        const int32_t best = out->pseudo[i];
        if (!(reached(softmax ? probability(classes, row, (size_t)best) : row[best], threshold, out) > 0)) continue;
        int32_t *last = &state->last[images[i]];
        state->counts[*last < 0 ? (int32_t)classes : *last] -= 1;
        state->counts[best] += 1;
        *last = best;
    }
}

/* average = decay * average + (1 - decay) * mean of the rows */
static void average_probability(size_t n, size_t classes, double decay, const double *logits, double *average)
{
    for (size_t c = 0; c < classes; c++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += probability(classes, logits + i * classes, c);
        average[c] = decay * average[c] + (1 - decay) * sum / (double)n;
    }
}

void ref_adaptive_thresholds(size_t n, size_t classes, double decay, const double *logits, const int32_t *truth, ref_average_state *state,
                             ref_weights *out)
{
    double confidence = 0, most = 0, all = 0;
    begin(n, out);
    average_probability(n, classes, decay, logits, state->probability);
    for (size_t c = 0; c < classes; c++)
        state->histogram[c] *= decay;
    for (size_t i = 0; i < n; i++) {
        out->pseudo[i] = greatest(classes, logits + i * classes);
        confidence += probability(classes, logits + i * classes, (size_t)out->pseudo[i]);
        state->histogram[out->pseudo[i]] += (1 - decay) / (double)n;
    }
    *state->threshold = decay * *state->threshold + (1 - decay) * confidence / (double)n;
    for (size_t c = 0; c < classes; c++) {
        most = fmax(most, state->probability[c]);
        all += state->probability[c];
    }
    for (size_t i = 0; i < n; i++) {
        const size_t best = (size_t)out->pseudo[i];
        out->weight[i] =
            reached(probability(classes, logits + i * classes, best), *state->threshold * state->probability[best] / most, out);
        count(i, truth, out);
    }
    out->own[0] = *state->threshold;
    out->own[1] = *state->threshold * all / most / (double)classes;
    out->own[3] = 1;
}

/* The largest share once every class was made equally frequent. */
static double aligned(size_t classes, const double *row, const double *average)
{
    double most = 0, all = 0;
    for (size_t j = 0; j < classes; j++) {
        const double p = probability(classes, row, j) / (double)classes / average[j];
        most = fmax(most, p);
        all += p;
    }
    return most / all;
}

void ref_confidence_weights(size_t n, size_t classes, double decay, const double *logits, const int32_t *truth, ref_average_state *state,
                            ref_weights *out)
{
    double mean = 0, squares = 0;
    begin(n, out);
    average_probability(n, classes, decay, logits, state->probability);
    for (size_t i = 0; i < n; i++)
        mean += aligned(classes, logits + i * classes, state->probability) / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += pow(aligned(classes, logits + i * classes, state->probability) - mean, 2);
    *state->mean = decay * *state->mean + (1 - decay) * mean;
    if (n > 1) *state->variance = decay * *state->variance + (1 - decay) * squares / (double)(n - 1);
    for (size_t i = 0; i < n; i++) {
        const double below = fmin(aligned(classes, logits + i * classes, state->probability) - *state->mean, 0);
        out->pseudo[i] = greatest(classes, logits + i * classes);
        out->weight[i] = exp(-2 * below * below / *state->variance);
        count(i, truth, out);
    }
    out->own[0] = *state->mean;
    out->own[1] = *state->variance;
    out->own[3] = 1;
}
