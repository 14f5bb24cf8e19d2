/* Kept pixels of pictures. Input: how many pictures' pixels there are, modulo 16, and the notes beside them, which get
 * the head of a valid file. Three pictures are to be opened, of which what is kept may say what it will. */
#include <stdlib.h>
#include <string.h>

#include "dataset/loading.h"
#include "fuzz.h"

enum { PICTURES = 3, SIDE = 8, BYTES = SIDE * SIDE * 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t pixels[16 * BYTES];
    static cc_picture picture = { .path = (char *)"a.png", .relative = "a.png" };
    const cc_pixel_key key = { { 1, 2 } };
    const camcl_dataset_spec spec = { .dataset = "folder", .image_size = SIDE, .skip_corrupt = 1 };
    camcl_dataset dataset = { .info.name = "folder" };
    cc_loading_picture pictures[PICTURES] = { { .picture = &picture }, { .picture = &picture }, { .picture = &picture } };
    cc_picture_set set = CC_PICTURE_SET_INIT;
    cc_loading loading = { .dataset = &dataset, .spec = &spec, .set = &set, .pictures = pictures, .count = PICTURES };
    camcl_error err;
    if (size == 0) return 0;
    const size_t kept = data[0] % 16u * BYTES;
    fuzz_expect(cc_pixel_store_new(fuzz_folder(), key, kept, &loading.store, &err) == CAMCL_OK, "a store can be made");
    fuzz_expect(cc_pixel_store_put(loading.store, 0, pixels, kept), "pixels can be put");
    fuzz_expect(cc_pixel_store_finish(loading.store, kept, data + 1, size - 1, true), "a store can be finished");
    cc_pixel_store_free(loading.store);
    loading.store = cc_pixel_store_find(fuzz_folder(), key);
    fuzz_expect(loading.store != NULL, "what is kept is found");
    if (cc_loading_read_notes(&loading, loading.store)) {
        size_t left = 0;
        for (size_t i = 0; i < PICTURES; i++)
            left += pictures[i].status == CAMCL_OK;
        fuzz_expect(loading.width == SIDE && loading.height == SIDE, "kept pictures have the size that is asked for");
        fuzz_expect(left * BYTES == kept, "there are pixels for each picture that can be read");
    }
    cc_pixel_store_free(loading.store);
    for (size_t i = 0; i < PICTURES; i++)
        free(pictures[i].reason);
    return 0;
}
