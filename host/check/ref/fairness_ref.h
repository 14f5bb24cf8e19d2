/* How the rows that count are spread over the classes, in double: ops.h has the formula. */
#ifndef CC_CHECK_REF_FAIRNESS_REF_H
#define CC_CHECK_REF_FAIRNESS_REF_H

#include <stddef.h>

/* q [n,classes] probabilities, mask [n], p, h [classes] averages; returns F. slope [classes] = dF / d sum of mask q, the histogram held
 * constant; may be NULL. */
double ref_fairness(size_t n, size_t classes, const double *q, const double *mask, const double *p, const double *h, double *slope);
/* dlogits [n,classes] += scale * dF/dlogits, through the softmax whose result is q */
void ref_fairness_backward(size_t n, size_t classes, const double *q, const double *mask, const double *slope, double scale,
                           double *dlogits);

#endif
