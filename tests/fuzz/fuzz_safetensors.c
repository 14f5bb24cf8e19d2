/* Safetensors files; what they hold is within them. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "run/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cc_safetensors *file = NULL;
    camcl_error err;
    if (cc_safetensors_parse("file", fuzz_text(data, size), size, &file, &err) != CAMCL_OK) return 0;
    for (size_t i = 0; i < cc_safetensors_count(file); i++) {
        const cc_st_tensor *tensor = cc_safetensors_at(file, i);
        const size_t count = cc_st_elements(tensor);
        float *numbers = malloc(count * sizeof *numbers + 1);
        fuzz_expect(cc_safetensors_find(file, tensor->name) == tensor, "a tensor is found by its name");
        fuzz_look(tensor->data, count * cc_st_dtype_size(tensor->dtype));
        if (numbers) (void)cc_safetensors_get_f32(file, tensor->name, tensor->dims, tensor->shape, numbers, &err);
        free(numbers);
        (void)cc_safetensors_by_name(file, i);
        (void)cc_safetensors_search(file, tensor->name);
    }
    (void)cc_safetensors_metadata(file, "config");
    cc_safetensors_free(&file);
    return 0;
}
