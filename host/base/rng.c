#include "base/rng.h"

#include <math.h>

#define PHILOX_M0 UINT32_C(0xD2511F53)
#define PHILOX_M1 UINT32_C(0xCD9E8D57)
#define PHILOX_W0 UINT32_C(0x9E3779B9) /* golden ratio */
#define PHILOX_W1 UINT32_C(0xBB67AE85) /* sqrt(3) - 1 */
#define PHILOX_ROUNDS 10

void cc_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        uint64_t p0 = (uint64_t)PHILOX_M0 * c0;
        uint64_t p1 = (uint64_t)PHILOX_M1 * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        uint32_t n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c0 = n0;
        c1 = (uint32_t)p1;
        c2 = n2;
        c3 = (uint32_t)p0;
        k0 += PHILOX_W0;
        k1 += PHILOX_W1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* The counter is {block, stream, index low, index high}: 2^32 blocks of four words per sequence. */
cc_rng cc_rng_at(uint64_t seed, cc_rng_stream stream, uint64_t index)
{
    cc_rng rng = {
        .key = { (uint32_t)seed, (uint32_t)(seed >> 32) },
        .counter = { 0, (uint32_t)stream, (uint32_t)index, (uint32_t)(index >> 32) },
        .used = 4,
    };
    return rng;
}

uint32_t cc_rng_u32(cc_rng *rng)
{
    if (rng->used == 4) {
        cc_philox4x32(rng->counter, rng->key, rng->block);
        rng->counter[0]++;
        rng->used = 0;
    }
    return rng->block[rng->used++];
}

/* Lemire, "Fast random integer generation in an interval", 2019: the result is the high word of a product. If the low word lies in the
 * range that would favour some results, the number is drawn again. */
uint32_t cc_rng_below(cc_rng *rng, uint32_t n)
{
    uint64_t product = (uint64_t)cc_rng_u32(rng) * n;
    if ((uint32_t)product < n) {
        uint32_t reject = (uint32_t)(0u - n) % n; /* 2^32 mod n */
        while ((uint32_t)product < reject)
            product = (uint64_t)cc_rng_u32(rng) * n;
    }
    return (uint32_t)(product >> 32);
}

double cc_rng_unit(cc_rng *rng)
{
    uint32_t high = cc_rng_u32(rng) >> 5, low = cc_rng_u32(rng) >> 6; /* 27 and 26 bits */
    return ((double)high * 67108864.0 + (double)low) * (1.0 / 9007199254740992.0);
}

double cc_rng_normal(cc_rng *rng)
{
    const double two_pi = 6.283185307179586476925;
    double radius = 1.0 - cc_rng_unit(rng); /* (0,1]: its logarithm is finite */
    double angle = cc_rng_unit(rng);
    return sqrt(-2.0 * log(radius)) * cos(two_pi * angle);
}

void cc_rng_permutation(cc_rng *rng, uint32_t *out, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        out[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = cc_rng_below(rng, i), last = out[i - 1];
        out[i - 1] = out[j];
        out[j] = last;
    }
}
