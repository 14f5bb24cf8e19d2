/* The device's cache folder. It holds programs that drivers built, each under a key that names everything it depends on, and the folder of
 * stored timings. A cache may be deleted, damaged or read-only at any time, so loading and storing are silent on failure.
 *
 * The folder holds programs that camcl runs. So nothing is read from it unless only its owner can write there and the owner is this user
 * or root. */
#ifndef CC_DEVICE_CACHE_H
#define CC_DEVICE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cc_cache_key {
    char *text;
    size_t length;
} cc_cache_key;

/* Whether the folder, and the one for programs in it, may be used. False: `why` is a reason for the user, with what to do. A folder that
 * does not exist may be used, since cc_cache_store creates it. */
bool cc_cache_is_trusted(const char *folder, char *why, size_t size);

/* Whether programs can be stored. Creates the folders if there are none. */
bool cc_cache_is_writable(const char *folder);

/* False: there is nothing under this key, or the folder is not trusted. The caller frees *binary. */
bool cc_cache_load(const char *folder, const cc_cache_key *key, unsigned char **binary, size_t *size);
/* Creates the folders if there are none, for this user alone. Then keeps within CC_CACHE_BYTES and CC_CACHE_FILES. */
void cc_cache_store(const char *folder, const cc_cache_key *key, const unsigned char *binary, size_t size);

/* What the programs of a cache folder take at most. */
#define CC_CACHE_BYTES ((uint64_t)512 << 20)
#define CC_CACHE_FILES 2000
/* Removes the programs that were not loaded or stored for longest until no more than `bytes` and `files` are left, and temporary files that
 * a killed process left an hour ago or earlier. */
void cc_cache_trim(const char *folder, uint64_t bytes, size_t files);

#define CC_CACHE_TIMINGS "tuned" /* name of the folder of stored timings, whose files belong to timings.c */

#endif
