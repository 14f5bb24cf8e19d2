/* Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011). A draw is a pure function of (seed, stream, index, position), so nothing has to be saved to
 * resume, and nothing depends on the order in which things are drawn. */
#ifndef CC_BASE_RNG_H
#define CC_BASE_RNG_H

#include <stdint.h>

/* One stream per purpose, so that no two purposes share random numbers. Saved runs depend on the values, so new streams are only
 * appended. */
typedef enum cc_rng_stream {
    CC_RNG_WEIGHTS = 1,     /* index: parameter number */
    CC_RNG_SPLIT,           /* index: class */
    CC_RNG_ORDER_LABELED,   /* index: pass over the pool */
    CC_RNG_ORDER_UNLABELED, /* index: pass over the pool */
    CC_RNG_FLIP_LABELED,    /* index: step * batch + row */
    CC_RNG_FLIP_UNLABELED,  /* index: step * batch + row */
    CC_RNG_TRANSFORM,       /* index: step * batch + row (or step, when one T serves the batch) */
    CC_RNG_SHAPES_TRAIN,    /* index: image */
    CC_RNG_SHAPES_TEST,     /* index: image */
    CC_RNG_BENCH,           /* index: tensor */
    CC_RNG_HELD_OUT,        /* index: class */
    CC_RNG_STRONG           /* index: step * batch + row: a strong view of its own */
} cc_rng_stream;

/* The bare generator: 10 rounds. */
void cc_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* A sequence of draws. Opaque by convention; copy freely. */
typedef struct cc_rng {
    uint32_t key[2], counter[4], block[4];
    unsigned used; /* words of the block that were used */
} cc_rng;

cc_rng cc_rng_at(uint64_t seed, cc_rng_stream stream, uint64_t index);
uint32_t cc_rng_u32(cc_rng *rng);
uint32_t cc_rng_below(cc_rng *rng, uint32_t n); /* uniform in 0..n-1 without bias; n > 0 */
double cc_rng_unit(cc_rng *rng);                /* uniform in [0,1), 53 bits */
double cc_rng_normal(cc_rng *rng);              /* standard normal (Box-Muller) */
/* A permutation of 0..n-1 (Fisher-Yates). */
void cc_rng_permutation(cc_rng *rng, uint32_t *out, uint32_t n);

#endif
