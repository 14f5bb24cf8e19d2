/* Losses against the probabilities of other rows, in double. x, t [n,classes]: logits of the rows and of their targets. */
#ifndef CC_CHECK_REF_SOFT_REF_H
#define CC_CHECK_REF_SOFT_REF_H

#include <stddef.h>

/* sums = {sum mask * -sum_j p_j log q_j, sum mask, sum mask * (argmax q == argmax p), n}, q = softmax(x), p = softmax(t / temperature); dx
 * [n,classes] = the first one's gradient */
void ref_soft_cross_entropy(size_t n, size_t classes, const double *x, const double *t, double temperature, const double *mask,
                            double sums[4], double *dx);
/* The sum over rows of the mean over classes of (softmax(x) - softmax(t))^2; dx = its gradient */
double ref_probability_mse(size_t n, size_t classes, const double *x, const double *t, double *dx);

#endif
