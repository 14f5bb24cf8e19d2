#include "headers.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "fuzz.h"

enum { LENGTH_BYTES = 8, MOST_DATA = 4 << 20 };

static size_t data_bytes(const char *header, size_t length)
{
    cc_json *json = NULL;
    size_t bytes = 0, end;
    if (cc_json_parse(header, length, &json, NULL) != CAMCL_OK) return 0;
    for (size_t i = 0; i < json->count; i++) {
        const cc_json *offsets = cc_json_get(&json->items[i], "data_offsets");
        if (offsets && offsets->kind == CC_JSON_ARRAY && offsets->count == 2 && cc_json_size(&offsets->items[1], &end))
            bytes = cc_max_size(bytes, end);
    }
    cc_json_free(&json);
    return cc_min_size(bytes, MOST_DATA);
}

const char *fuzz_safetensors(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size ? memchr(data, '\0', size) : NULL;
    const size_t length = nul ? (size_t)(nul - data) : size, pattern = nul ? size - length - 1 : 0;
    const size_t bytes = data_bytes((const char *)data, length), whole = LENGTH_BYTES + length + bytes;
    uint8_t *file = calloc(whole, 1);
    fuzz_expect(file != NULL, "there is memory for the file");
    for (size_t i = 0; i < LENGTH_BYTES; i++)
        file[i] = (uint8_t)((uint64_t)length >> 8 * i);
    if (length) memcpy(file + LENGTH_BYTES, data, length);
    for (size_t i = 0; pattern && i < bytes; i++)
        file[LENGTH_BYTES + length + i] = nul[1 + i % pattern];
    const char *path = fuzz_file("file.safetensors", file, whole);
    free(file);
    return path;
}
