/* Hashes of 64 bits that name files of caches, tell data apart and notice damage. They do not resist an attacker, and are the same on every
 * machine. */
#ifndef CC_BASE_HASH_H
#define CC_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define CC_HASH_START 14695981039346656037u

/* FNV-1a (Fowler, Noll, Vo): the hash of what `hash` stands for (CC_HASH_START: nothing), followed by `size` bytes. */
static inline uint64_t cc_hash(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    return hash;
}

/* The same for a number, whatever the machine's byte order. */
static inline uint64_t cc_hash_number(uint64_t hash, uint64_t number)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(number >> 8 * i);
    return cc_hash(hash, bytes, sizeof bytes);
}

/* Eight bytes a step, for many bytes: another function than cc_hash. Each step maps hashes one to one, so that two inputs of which one word
 * differs never have the same hash. */
static inline uint64_t cc_hash_bulk(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        const unsigned char *b = bytes + i;
        const uint64_t word = (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24 | (uint64_t)b[4] << 32 |
                              (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48 | (uint64_t)b[7] << 56;
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    return cc_hash(hash, bytes + i, size - i);
}

#endif
