/* splits.json: what was read is written as it was. */
#include <string.h>

#include "dataset/split.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { IMAGES = 5000 };
    cc_split split, again;
    camcl_error err;
    cc_text text = CC_TEXT_INIT;
    const bool reuse = size % 2;
    if (cc_split_read("splits.json", (const char *)data, size, IMAGES, reuse, &split, &err) != CAMCL_OK) return 0;
    cc_split_write(&split, &text);
    fuzz_expect(cc_split_read("splits.json", text.data, text.length, IMAGES, reuse, &again, &err) == CAMCL_OK,
                "what is written can be read");
    fuzz_expect(again.labeled_count == split.labeled_count && again.test_count == split.test_count, "it is read as the same");
    cc_split_free(&again);
    cc_split_free(&split);
    cc_text_free(&text);
    return 0;
}
