/* Activations: what batch norm, sums and convolutions apply to their result, number by number. A kind is a row of CC_ACTIVATIONS; its
 * formulas are a case of cl/activation.clh. */
#ifndef CC_OPS_ACTIVATION_H
#define CC_OPS_ACTIVATION_H

#include <stdbool.h>
#include <stddef.h>

/* What the derivative of y = act(x) is computed from. */
typedef enum cc_derivative_needs {
    CC_NEEDS_SIGN, /* the sign of y, which is that of x: either will do */
    CC_NEEDS_Y,
    CC_NEEDS_X /* operations that do not keep x refuse this kind */
} cc_derivative_needs;

/* X(IDENTIFIER, name, needs, piecewise linear, build option)
 * The kinds without a build option share one program: it takes the slope of negative numbers at run time. */
#define CC_ACTIVATIONS(X)                                                                                                                  \
    X(NONE, "none", CC_NEEDS_SIGN, true, "")                                                                                               \
    X(RELU, "relu", CC_NEEDS_SIGN, true, "")                                                                                               \
    X(LEAKY_RELU, "leaky-relu", CC_NEEDS_SIGN, true, "")

#define CC_ACTIVATION_ENUMERATOR(identifier, name, needs, linear, option) CC_ACTIVATION_##identifier,
typedef enum cc_activation_kind { CC_ACTIVATIONS(CC_ACTIVATION_ENUMERATOR) CC_ACTIVATION_COUNT } cc_activation_kind;
#undef CC_ACTIVATION_ENUMERATOR

/* All zero: none. */
typedef struct cc_activation {
    cc_activation_kind kind;
    float slope; /* leaky ReLU: act(x) = x > 0 ? x : slope * x, in (0, 1) */
} cc_activation;

#define CC_NO_ACTIVATION ((cc_activation){ CC_ACTIVATION_NONE, 0 })
#define CC_RELU ((cc_activation){ CC_ACTIVATION_RELU, 0 })
#define CC_LEAKY_RELU(slope) ((cc_activation){ CC_ACTIVATION_LEAKY_RELU, slope })

typedef struct cc_activation_row {
    const char *name;
    cc_derivative_needs needs;
    bool piecewise_linear; /* the exact CAM gradient requires this */
    const char *option;
} cc_activation_row;

const cc_activation_row *cc_activation_get(cc_activation activation);
static inline cc_derivative_needs cc_activation_needs(cc_activation activation) { return cc_activation_get(activation)->needs; }
/* Whether the activation is act(x) = x > 0 ? x : slope * x, with the slope that cc_activation_slope gives: 1 for none, 0 for ReLU. */
bool cc_activation_has_slope(cc_activation activation);
float cc_activation_slope(cc_activation activation);

/* Build options for a kernel with this activation: those given and the kind's own. Returns `given`, or `out` with both. */
enum { CC_ACTIVATION_OPTIONS = 96 };
const char *cc_activation_options(cc_activation activation, const char *given, char out[CC_ACTIVATION_OPTIONS]);

#endif
