/* Activations, in double. */
#ifndef CC_CHECK_REF_ACTIVATION_REF_H
#define CC_CHECK_REF_ACTIVATION_REF_H

typedef struct ref_activation {
    const char *name; /* "none", "relu", "leaky-relu", ... */
    double slope;     /* of leaky-relu */
} ref_activation;

/* act(x); NaN when there is no activation of this name */
double ref_activate(ref_activation act, double x);
/* act'(x); where act is linear on either side of 0, act(x) does for x */
double ref_activation_derivative(ref_activation act, double x);

#endif
