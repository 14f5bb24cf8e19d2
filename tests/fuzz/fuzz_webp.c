/* WebP pictures. */
#include "fuzz.h"
#include "picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_picture(&cc_webp, data, size);
    return 0;
}
