#include "feed/sampler.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct cc_sampler {
    uint32_t *indices, *order; /* the pool; the order of its positions in pass `pass` */
    size_t count;
    uint64_t seed, pass;
    cc_rng_stream stream;
    bool shuffle;
};

static void permute(cc_sampler *sampler, uint64_t pass)
{
    cc_rng rng = cc_rng_at(sampler->seed, sampler->stream, pass);
    cc_rng_permutation(&rng, sampler->order, (uint32_t)sampler->count);
    sampler->pass = pass;
}

camcl_status cc_sampler_create(const uint32_t *indices, size_t count, uint64_t seed, cc_rng_stream stream, bool shuffle, cc_sampler **out,
                               camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_sampler *sampler = NULL;
    *out = NULL;
    if (count == 0 || count > UINT32_MAX)
        return cc_fail(err, CAMCL_BAD_CONFIG, "a pool of %zu images cannot be walked (raise data.labeled, data.unlabeled or data.ratio)",
                       count);
    CC_TRY(CC_NEW(1, &sampler, err));
    CC_TRY(CC_NEW(count, &sampler->indices, err));
    CC_TRY(CC_NEW(count, &sampler->order, err));
    memcpy(sampler->indices, indices, count * sizeof *indices);
    sampler->count = count;
    sampler->seed = seed;
    sampler->stream = stream;
    sampler->shuffle = shuffle;
    permute(sampler, 0);
    *out = sampler;
    sampler = NULL;
cleanup:
    cc_sampler_destroy(&sampler);
    return status;
}

void cc_sampler_destroy(cc_sampler **handle)
{
    cc_sampler *sampler = *handle;
    if (sampler == NULL) return;
    free(sampler->indices);
    free(sampler->order);
    free(sampler);
    *handle = NULL;
}

void cc_sampler_batch(cc_sampler *sampler, uint64_t step, size_t batch, uint32_t *out)
{
    for (size_t i = 0; i < batch; i++) {
        const uint64_t position = step * batch + i, pass = position / sampler->count;
        const size_t at = (size_t)(position % sampler->count);
        if (sampler->shuffle && pass != sampler->pass) permute(sampler, pass);
        out[i] = sampler->indices[sampler->shuffle ? sampler->order[at] : at];
    }
}
