#include "check/ref/activation_ref.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static double identity(double x, double slope) { return (void)slope, x; }
static double one(double x, double slope) { return (void)x, (void)slope, 1.0; }
static double relu(double x, double slope) { return (void)slope, x > 0.0 ? x : x * 0.0; }
static double step(double x, double slope) { return (void)slope, x > 0.0 ? 1.0 : 0.0; }
static double leaky(double x, double slope) { return x > 0.0 ? x : slope * x; }
static double leaky_step(double x, double slope) { return x > 0.0 ? 1.0 : slope; }

static const struct {
    const char *name;
    double (*value)(double x, double slope), (*derivative)(double x, double slope);
} activations[] = {
    { "none", identity, one },
    { "relu", relu, step },
    { "leaky-relu", leaky, leaky_step },
};

double ref_activate(ref_activation act, double x)
{
    for (size_t i = 0; i < sizeof activations / sizeof activations[0]; i++)
        if (strcmp(activations[i].name, act.name) == 0) return activations[i].value(x, act.slope);
    return NAN;
}

double ref_activation_derivative(ref_activation act, double x)
{
    for (size_t i = 0; i < sizeof activations / sizeof activations[0]; i++)
        if (strcmp(activations[i].name, act.name) == 0) return activations[i].derivative(x, act.slope);
    return NAN;
}
