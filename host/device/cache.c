/* Compiled kernels on disk: <cache>/kernels/<hash of the key>.bin = magic, key length, binary length, checksum of the binary, key, binary.
 * The whole key is compared, so a hash collision costs a rebuild and nothing else. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "device/opencl.h"

typedef struct header {
    char magic[8];
    uint64_t key_length, binary_length, checksum;
} header;

static const char magic[8] = "camclk1";

/* FNV-1a, 64 bits. */
static uint64_t hash(const void *data, size_t size)
{
    const unsigned char *bytes = data;
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < size; i++)
        h = (h ^ bytes[i]) * 1099511628211u;
    return h;
}

static char *entry_path(const char *folder, const cc_cache_key *key)
{
    char name[64], *path = NULL;
    snprintf(name, sizeof name, "kernels/%016llx.bin", (unsigned long long)hash(key->text, key->length));
    return cc_path_join(folder, name, &path, NULL) == CAMCL_OK ? path : NULL;
}

bool cc_cache_load(const char *folder, const cc_cache_key *key, unsigned char **binary, size_t *size)
{
    char *path = entry_path(folder, key), *data = NULL;
    size_t length = 0;
    header head;
    bool found = false;
    if (path && cc_file_read(path, &data, &length, NULL) == CAMCL_OK && length > sizeof head) {
        memcpy(&head, data, sizeof head);
        size_t rest = length - sizeof head;
        if (memcmp(head.magic, magic, sizeof magic) == 0 && head.key_length == key->length && head.key_length <= rest &&
            head.binary_length == rest - key->length && memcmp(data + sizeof head, key->text, key->length) == 0 &&
            head.checksum == hash(data + sizeof head + key->length, rest - key->length) &&
            CC_NEW(rest - key->length, binary, NULL) == CAMCL_OK) {
            *size = rest - key->length;
            memcpy(*binary, data + sizeof head + key->length, *size);
            found = true;
        }
    }
    free(data);
    free(path);
    return found;
}

void cc_cache_store(const char *folder, const cc_cache_key *key, const unsigned char *binary, size_t size)
{
    char *kernels = NULL, *path = entry_path(folder, key);
    header head = { .key_length = key->length, .binary_length = size, .checksum = hash(binary, size) };
    memcpy(head.magic, magic, sizeof magic);
    cc_piece pieces[] = { { &head, sizeof head }, { key->text, key->length }, { binary, size } };
    if (path && cc_path_join(folder, "kernels", &kernels, NULL) == CAMCL_OK && cc_make_folders(kernels, NULL) == CAMCL_OK)
        (void)cc_file_write(path, pieces, CC_COUNT(pieces), NULL);
    free(kernels);
    free(path);
}
