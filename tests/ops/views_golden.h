/* The numbers that tests/golden/make_views.py draws by a hash. */
#ifndef TESTS_OPS_VIEWS_GOLDEN_H
#define TESTS_OPS_VIEWS_GOLDEN_H

#include <stdint.h>

static inline uint32_t views_hash(uint64_t index, uint64_t seed)
{
    const uint64_t h = (index + seed * 1000003) * UINT64_C(0x9E3779B97F4A7C15) >> 32;
    return (uint32_t)(h * UINT64_C(0x85EBCA6B)) ^ (uint32_t)(h >> 15);
}

#endif
