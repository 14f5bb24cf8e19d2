/* Python pickles, and everything that a user of one may ask. */
#include <stdlib.h>

#include "dataset/pickle.h"
#include "fuzz.h"

static void look(const cc_pickle *pickle, const cc_pickle_value *value)
{
    size_t length = 0, text_length = 0;
    const char *text = NULL;
    const cc_pickle_array *array = cc_pickle_get_array(value);
    if (array) {
        size_t bytes = array->item_size;
        fuzz_expect(bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8, "numbers have 1, 2, 4 or 8 bytes");
        for (size_t i = 0; i < array->dimensions; i++)
            bytes *= array->shape[i];
        fuzz_look(array->bytes, bytes);
    }
    if (!cc_pickle_get_length(value, &length)) return;
    for (size_t i = 0; i < length; i++) {
        int64_t number = 0;
        (void)cc_pickle_integer_at(pickle, value, i, &number);
        if (cc_pickle_text_at(pickle, value, i, &text, &text_length)) fuzz_look(text, text_length);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const keys[] = { "data", "labels", "fine_labels", "label_names", "fine_label_names" };
    cc_pickle *pickle = NULL;
    camcl_error err;
    if (cc_pickle_read("batch", data, size, &pickle, &err) != CAMCL_OK) return 0;
    const cc_pickle_value *root = cc_pickle_root(pickle);
    look(pickle, root);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        look(pickle, cc_pickle_find(pickle, root, keys[i]));
    cc_pickle_free(&pickle);
    return 0;
}
