/* Joins means and squared deviations, in the same way between the devices of a process and between processes. */
#ifndef CC_EXCHANGE_JOIN_H
#define CC_EXCHANGE_JOIN_H

/* The mean and the sum of squared deviations of `weight` values, joined with those of `more` further ones. T. F. Chan, G. H. Golub,
 * R. J. LeVeque: Updating formulae and a pairwise algorithm for computing sample variances (1979). In double: who joins several rounds
 * once, at the end, so that it does not matter who joined what. */
static inline void cc_join_moments(double *mean, double *m2, double weight, double more_mean, double more_m2, double more)
{
    const double total = weight + more, apart = more_mean - *mean;
    *mean += apart * more / total;
    *m2 += more_m2 + apart * apart * weight * more / total;
}

#endif
