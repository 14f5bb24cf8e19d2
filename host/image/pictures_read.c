/* Many pictures at once. */
#include <string.h>

#include "base/arguments.h"
#include "base/diag.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "camcl/pictures.h"

typedef struct batch {
    const char *const *paths;
    uint32_t side, channels;
    camcl_fit fit;
    uint8_t *pixels;
    camcl_error *errors;
} batch;

/* Rec. 601 luma, rounded. */
static void to_grey(const uint8_t *rgb, size_t n, uint8_t *grey)
{
    for (size_t i = 0; i < n; i++, rgb += 3)
        grey[i] = (uint8_t)((299u * rgb[0] + 587u * rgb[1] + 114u * rgb[2] + 500u) / 1000u);
}

static void read_one(void *context, size_t index)
{
    const batch *b = context;
    const size_t plane = (size_t)b->side * b->side;
    uint8_t *to = b->pixels + index * plane * b->channels;
    camcl_error *why = &b->errors[index];
    camcl_image image = CAMCL_IMAGE_INIT;
    why->status = CAMCL_OK;
    why->message[0] = why->detail[0] = '\0';
    if (camcl_image_read_fit(b->paths[index], b->side, b->fit, &image, why) != CAMCL_OK)
        memset(to, 0, plane * b->channels);
    else if (b->channels == 1)
        to_grey(image.pixels, plane, to);
    else
        memcpy(to, image.pixels, plane * b->channels);
    camcl_image_free(&image);
}

camcl_status camcl_pictures_read(const char *const *paths, size_t n, uint32_t side, camcl_fit fit, uint32_t channels, uint8_t *pixels,
                                 camcl_error *errors, camcl_error *err)
{
    if (n > 0) {
        CC_CHECK_GIVEN(paths, err);
        CC_CHECK_GIVEN(pixels, err);
        CC_CHECK_GIVEN(errors, err);
    }
    batch b = { paths, side, channels, fit, pixels, errors };
    if (side == 0 || (channels != 1 && channels != 3))
        return cc_fail(err, CAMCL_BAD_CONFIG, "reading pictures: a side of %u, %u channels (the side must be more than 0, channels 1 or 3)",
                       (unsigned)side, (unsigned)channels);
    cc_parallel(n, read_one, &b);
    return CAMCL_OK;
}
