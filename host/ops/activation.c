#include "ops/activation.h"

#include <assert.h>
#include <stdio.h>

#define ROW(identifier, name, needs, linear, option) { name, needs, linear, option },
static const cc_activation_row rows[] = { CC_ACTIVATIONS(ROW) };

const cc_activation_row *cc_activation_get(cc_activation activation)
{
    assert(activation.kind < CC_ACTIVATION_COUNT);
    return &rows[activation.kind];
}

bool cc_activation_has_slope(cc_activation activation) { return cc_activation_get(activation)->option[0] == '\0'; }

float cc_activation_slope(cc_activation activation)
{
    switch (activation.kind) {
    case CC_ACTIVATION_RELU: return 0;
    case CC_ACTIVATION_LEAKY_RELU: return activation.slope;
    default: return 1;
    }
}

const char *cc_activation_options(cc_activation activation, const char *given, char out[CC_ACTIVATION_OPTIONS])
{
    if (cc_activation_has_slope(activation)) return given;
    snprintf(out, CC_ACTIVATION_OPTIONS, "%s %s", given, cc_activation_get(activation)->option);
    return out;
}
