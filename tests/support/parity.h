/* Comparing with the files that tests/golden/parity.py writes: inputs that both sides draw, and errors beside PyTorch's own. */
#ifndef TESTS_SUPPORT_PARITY_H
#define TESTS_SUPPORT_PARITY_H

#include "feed/resident.h"
#include "run/snapshot.h"

/* A file's network with every seed's images on a device. */
typedef struct parity_net {
    cc_safetensors *file;
    camcl_device *device;
    cc_model *model;
    cc_resident *images;          /* seed s has images s * pool ...; labels: place in the pool modulo classes */
    float **start;                /* [params]: the seed's weights and statistics in PyTorch's layout, as parity_start set them */
    size_t *trained, *statistics; /* parameters of the model in the file's order */
    size_t trained_count, statistic_count;
    size_t seeds, pool, side, batch, steps, sums, classes;
} parity_net;

void parity_open(parity_net *net, const char *path, camcl_device *device);
void parity_close(parity_net *net);
/* Sets the model to where this seed starts. */
void parity_start(parity_net *net, size_t seed);
/* `count` images of the seed from place `first` of its pool on, whole, without flips, turned by quarter `turns`. */
void parity_pinned(const parity_net *net, size_t seed, size_t first, size_t count, int32_t turns, cc_transform *out);
/* The metadata CASE/KEY. */
const char *parity_text(const parity_net *net, const char *name, const char *key);
bool parity_is(const parity_net *net, const char *name, const char *key, const char *value);
double parity_number(const parity_net *net, const char *name, const char *key);

/* One case's errors: per quantity, seed and tensor. */
typedef struct parity_quantity {
    char name[24];
    size_t tensors;
    float *sums, *norm, *torch32; /* the file's: [seeds,tensors,SUMS], [seeds,tensors], [seeds,2,tensors] */
    double *error;                /* [seeds,tensors] */
    bool *seen;                   /* [seeds,tensors] */
} parity_quantity;

typedef struct parity_case {
    const parity_net *net;
    const char *name;
    parity_quantity quantities[8];
    size_t count;
} parity_case;

void parity_case_open(parity_case *c, const parity_net *net, const char *name);
void parity_case_close(parity_case *c);
/* Notes the error of tensor t of a quantity: `got`, less `origin` where that is given, in PyTorch's layout; got NULL: zeros. */
void parity_note(parity_case *c, const char *quantity, size_t seed, size_t t, const float *got, const float *origin, size_t n);
/* Notes every parameter's gradient; those not `written` are zero. */
void parity_note_gradients(parity_case *c, const char *quantity, size_t seed, const bool *written);

/* The rule (tests/golden/README.md): per quantity the median over the seeds of |x - ref| / |ref|, all tensors together, is at most
 * `whole` times PyTorch float32's, and each tensor's median at most `single` times; both at least floor. A single loss is one number, whose
 * error depends on luck: it is held to `single` only. */
typedef struct parity_bound {
    double whole, single, floor;
} parity_bound;
/* Fails the running test where the rule is broken. `table`: prints a row per quantity instead of only saying what failed. */
void parity_judge(const parity_case *c, parity_bound bound, const char *label, bool table);

#endif
