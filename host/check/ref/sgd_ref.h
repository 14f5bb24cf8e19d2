/* PyTorch's SGD (dampening 0) and an exponential moving average, in double. */
#ifndef CC_CHECK_REF_SGD_REF_H
#define CC_CHECK_REF_SGD_REF_H

#include <stdbool.h>
#include <stddef.h>

void ref_sgd(size_t count, double lr, double momentum, double weight_decay, bool nesterov, const double *grad, double *w, double *velocity);
void ref_ema(size_t count, double decay, const double *w, double *average);

#endif
