#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool cc_mul_size(size_t a, size_t b, size_t *out)
{
    if (a != 0 && b > SIZE_MAX / a) return false;
    *out = a * b;
    return true;
}

bool cc_add_size(size_t a, size_t b, size_t *out)
{
    if (b > SIZE_MAX - a) return false;
    *out = a + b;
    return true;
}

camcl_status cc_calloc(size_t count, size_t size, void **out, camcl_error *err)
{
    /* At least one element is allocated, so that NULL always means failure. */
    *out = calloc(count ? count : 1, size);
    if (*out == NULL) return cc_fail(err, CAMCL_NO_MEMORY, "memory: no room for %zu x %zu bytes (close other programs)", count, size);
    return CAMCL_OK;
}

camcl_status cc_grow(void **array, size_t *capacity, size_t need, size_t size, camcl_error *err)
{
    if (need <= *capacity) return CAMCL_OK;
    size_t larger = *capacity < 8 ? 16 : *capacity * 2, bytes;
    if (larger < need) larger = need;
    void *moved = cc_mul_size(larger, size, &bytes) ? realloc(*array, bytes) : NULL;
    if (moved == NULL) return cc_fail(err, CAMCL_NO_MEMORY, "memory: no room for %zu x %zu bytes (close other programs)", larger, size);
    *array = moved;
    *capacity = larger;
    return CAMCL_OK;
}

camcl_status cc_copy_text(const char *text, char **out, camcl_error *err)
{
    size_t size = strlen(text) + 1;
    CC_RETURN_IF_FAILED(CC_NEW(size, out, err));
    memcpy(*out, text, size);
    return CAMCL_OK;
}
