#include "picture.h"

#include "fuzz.h"

/* A header may claim more; decoding it all would take the time of thousands of inputs, and show nothing else. */
enum { MOST_PIXELS = 1 << 20 };

static void look(const camcl_image *image) { fuzz_look(image->pixels, (size_t)image->width * image->height * image->channels); }

void fuzz_picture(const cc_codec *codec, const uint8_t *data, size_t size)
{
    const cc_encoded file = { data, size, "picture" };
    cc_picture_header header;
    camcl_image_about about;
    camcl_image whole, fit;
    camcl_error err;
    if (cc_content_of(data, size).kind != codec->content || codec->package) return;
    if (codec->probe(&file, &header, &err) == CAMCL_OK && (uint64_t)header.width * header.height > MOST_PIXELS) return;
    const camcl_status status = camcl_image_decode(data, size, "picture", &whole, &err);
    const char *path = fuzz_file("picture", data, size);
    if (status == CAMCL_OK) {
        fuzz_expect(camcl_image_probe(path, &about, &err) == CAMCL_OK, "a picture that can be decoded has a header");
        fuzz_expect(about.width == whole.width && about.height == whole.height, "the header tells the picture's size");
        look(&whole);
    }
    if (camcl_image_read_fit(path, 8, (camcl_fit)(size % 3), &fit, &err) == CAMCL_OK) look(&fit);
    camcl_image_free(&whole);
    camcl_image_free(&fit);
}
