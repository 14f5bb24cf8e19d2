/* Compiled kernels on disk: <cache>/kernels/<hash of the key>.bin = magic, key length, binary length, checksum of the binary, key, binary.
 * The whole key is compared, so a hash collision costs a rebuild and nothing else. */
#include "device/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cache_folder.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"

typedef struct header {
    char magic[8];
    uint64_t key_length, binary_length, checksum;
} header;

static const char magic[8] = "camclk1", programs_folder[] = "kernels", entry_suffix[] = ".bin";

static char *entry_path(const char *folder, const cc_cache_key *key)
{
    char name[64], *path = NULL;
    snprintf(name, sizeof name, "%s/%016llx%s", programs_folder, (unsigned long long)cc_hash(CC_HASH_START, key->text, key->length),
             entry_suffix);
    return cc_path_join(folder, name, &path, NULL) == CAMCL_OK ? path : NULL;
}

bool cc_cache_is_trusted(const char *folder, char *why, size_t size)
{
    char *programs = NULL;
    bool trusted = cc_cache_folder_is_trusted(folder, why, size) && cc_path_join(folder, programs_folder, &programs, NULL) == CAMCL_OK;
    trusted = trusted && cc_cache_folder_is_trusted(programs, why, size);
    free(programs);
    return trusted;
}

bool cc_cache_is_writable(const char *folder)
{
    char *programs = NULL;
    const bool writable = cc_cache_make_folder(folder, programs_folder, &programs) && access(programs, W_OK | X_OK) == 0;
    free(programs);
    return writable;
}

/* Whether the file's content is an entry under this key. */
static bool is_entry_of(const char *data, size_t length, const cc_cache_key *key, header *head)
{
    if (length <= sizeof *head) return false;
    memcpy(head, data, sizeof *head);
    const size_t rest = length - sizeof *head;
    return memcmp(head->magic, magic, sizeof magic) == 0 && head->key_length == key->length && head->key_length <= rest &&
           head->binary_length == rest - key->length && memcmp(data + sizeof *head, key->text, key->length) == 0 &&
           head->checksum == cc_hash(CC_HASH_START, data + sizeof *head + key->length, rest - key->length);
}

bool cc_cache_load(const char *folder, const cc_cache_key *key, unsigned char **binary, size_t *size)
{
    char *path = cc_cache_is_trusted(folder, NULL, 0) ? entry_path(folder, key) : NULL, *data = NULL;
    size_t length = 0;
    header head;
    bool found = false;
    if (path && cc_file_read(path, &data, &length, NULL) == CAMCL_OK && is_entry_of(data, length, key, &head) &&
        CC_NEW((size_t)head.binary_length, binary, NULL) == CAMCL_OK) {
        cc_cache_file_used(path);
        *size = (size_t)head.binary_length;
        memcpy(*binary, data + sizeof head + key->length, *size);
        found = true;
    }
    free(data);
    free(path);
    return found;
}

void cc_cache_store(const char *folder, const cc_cache_key *key, const unsigned char *binary, size_t size)
{
    char *programs = NULL, *path = entry_path(folder, key);
    header head = { .key_length = key->length, .binary_length = size, .checksum = cc_hash(CC_HASH_START, binary, size) };
    memcpy(head.magic, magic, sizeof magic);
    cc_piece pieces[] = { { &head, sizeof head }, { key->text, key->length }, { binary, size } };
    if (path && cc_cache_is_trusted(folder, NULL, 0) && cc_cache_make_folder(folder, programs_folder, &programs) &&
        cc_file_write(path, pieces, CC_COUNT(pieces), NULL) == CAMCL_OK)
        cc_cache_trim(folder, CC_CACHE_BYTES, CC_CACHE_FILES);
    free(programs);
    free(path);
}

static void trim(const char *folder, const char *name, const cc_cache_bounds *bounds)
{
    char *path;
    if (cc_path_join(folder, name, &path, NULL) != CAMCL_OK) return;
    (void)cc_cache_folder_trim(path, bounds);
    free(path);
}

void cc_cache_trim(const char *folder, uint64_t bytes, size_t files)
{
    trim(folder, programs_folder, &(cc_cache_bounds){ .suffix = entry_suffix, .bytes = bytes, .files = files });
    trim(folder, CC_CACHE_TIMINGS, &(cc_cache_bounds){ .suffix = NULL });
}
