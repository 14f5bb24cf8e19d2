/* FNV-1a with 64 bits (Fowler, Noll, Vo): names files of caches and notices damage. It does not resist an attacker. */
#ifndef CC_BASE_HASH_H
#define CC_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define CC_HASH_START 14695981039346656037u

/* The hash of what `hash` stands for (CC_HASH_START: nothing), followed by `size` bytes. */
static inline uint64_t cc_hash(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    return hash;
}

#endif
