/* Cached programs. Input: 0 and a whole file, or 1 and a binary under a valid head. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "device/cache.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[] = "the program's source and options";
    const cc_cache_key key = { text, sizeof text - 1 };
    unsigned char *binary = NULL;
    size_t found = 0;
    char name[64];
    if (size == 0) return 0;
    const bool whole = data[0] & 1;
    if (whole) {
        cc_cache_store(fuzz_folder(), &key, data + 1, size - 1);
    } else {
        snprintf(name, sizeof name, "kernels/%016llx.bin", (unsigned long long)cc_hash(CC_HASH_START, key.text, key.length));
        cc_cache_store(fuzz_folder(), &key, data, 1); /* makes the folder */
        (void)fuzz_file(name, data + 1, size - 1);
    }
    const bool loaded = cc_cache_load(fuzz_folder(), &key, &binary, &found);
    fuzz_expect(!whole || size == 1 || loaded, "what was stored is loaded");
    fuzz_expect(!loaded || !whole || (found == size - 1 && memcmp(binary, data + 1, found) == 0), "it is loaded as it was");
    if (loaded) free(binary);
    return 0;
}
