/* The order in which a pool of images is visited. */
#ifndef CC_FEED_SAMPLER_H
#define CC_FEED_SAMPLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/rng.h"

typedef struct cc_sampler cc_sampler;

/* Walks indices[0..count), which are copied. An empty pool is CAMCL_BAD_CONFIG. With shuffle, pass p over the pool has the order of the
 * permutation cc_rng_at(seed, stream, p); without, every pass has the pool's own order. The caller owns *out. */
camcl_status cc_sampler_create(const uint32_t *indices, size_t count, uint64_t seed, cc_rng_stream stream, bool shuffle, cc_sampler **out,
                               camcl_error *err);
void cc_sampler_destroy(cc_sampler **sampler);

/* Batch number `step`: out[i], i < batch, is position step * batch + i of the passes laid end to end, so that every batch is full. The
 * batch depends only on these arguments and those of create, so any step can be asked for at any time. Consecutive steps are cheap. */
void cc_sampler_batch(cc_sampler *sampler, uint64_t step, size_t batch, uint32_t *out);

#endif
