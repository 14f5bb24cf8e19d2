#include "support/golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

cc_safetensors *golden_open(const char *path)
{
    camcl_error err = { 0 };
    cc_safetensors *file = NULL;
    if (cc_safetensors_read(path, &file, &err) != CAMCL_OK) fail_msg("%s", err.message);
    return file;
}

const char *golden_text(const cc_safetensors *file, const char *key)
{
    const char *value = cc_safetensors_metadata(file, key);
    if (value == NULL) fail_msg("metadata %s is missing", key);
    return value;
}

double golden_number(const cc_safetensors *file, const char *key) { return atof(golden_text(file, key)); }
bool golden_is(const cc_safetensors *file, const char *key, const char *value) { return strcmp(golden_text(file, key), value) == 0; }

const cc_st_tensor *golden_tensor(const cc_safetensors *file, const char *name)
{
    const cc_st_tensor *tensor = cc_safetensors_find(file, name);
    if (tensor == NULL) fail_msg("tensor %s is missing", name);
    return tensor;
}

void *golden_data(const cc_safetensors *file, const char *name)
{
    const cc_st_tensor *tensor = golden_tensor(file, name);
    size_t bytes = cc_st_elements(tensor) * cc_st_dtype_size(tensor->dtype);
    void *copy = malloc(bytes);
    assert_non_null(copy);
    memcpy(copy, tensor->data, bytes);
    return copy;
}
