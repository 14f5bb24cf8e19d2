/* EXIF data of pictures. */
#include "fuzz.h"
#include "image/orientation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const unsigned orientation = cc_exif_orientation(data, size);
    fuzz_expect(orientation >= 1 && orientation <= 8, "an orientation is one of 1 to 8");
    return 0;
}
