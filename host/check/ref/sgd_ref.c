#include "check/ref/sgd_ref.h"

void ref_sgd(size_t count, double lr, double momentum, double weight_decay, bool nesterov, const double *grad, double *w, double *velocity)
{
    for (size_t i = 0; i < count; i++) {
        const double g = grad[i] + weight_decay * w[i];
        velocity[i] = momentum * velocity[i] + g;
        w[i] -= lr * (nesterov ? g + momentum * velocity[i] : velocity[i]);
    }
}

void ref_ema(size_t count, double decay, const double *w, double *average)
{
    for (size_t i = 0; i < count; i++)
        average[i] += (1.0 - decay) * (w[i] - average[i]);
}
