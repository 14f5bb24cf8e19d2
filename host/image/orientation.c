#include "image/orientation.h"

#include <string.h>

cc_orientation cc_orientation_of(unsigned value)
{
    static const cc_orientation known[9] = {
        [2] = { false, true, false }, [3] = { false, true, true }, [4] = { false, false, true }, [5] = { true, false, false },
        [6] = { true, true, false },  [7] = { true, true, true },  [8] = { true, false, true }
    };
    return known[value <= 8 ? value : 0];
}

/* Rows of the result that are filled together: where rows and columns change places, one piece of the source then serves all of them. */
#define BAND 16

static void copy_turned(const camcl_image *from, cc_orientation how, camcl_image *to)
{
    const ptrdiff_t channels = from->channels, row = (ptrdiff_t)from->width * channels;
    const ptrdiff_t along_x = (how.turned ? row : channels) * (how.from_right ? -1 : 1);
    const ptrdiff_t along_y = (how.turned ? channels : row) * (how.from_bottom ? -1 : 1);
    const uint8_t *corner = from->pixels;
    if (how.from_right) corner -= along_x * ((ptrdiff_t)to->width - 1);
    if (how.from_bottom) corner -= along_y * ((ptrdiff_t)to->height - 1);
    for (uint32_t y0 = 0; y0 < to->height; y0 += BAND) {
        uint32_t end = to->height - y0 < BAND ? to->height : y0 + BAND;
        for (uint32_t x = 0; x < to->width; x++)
            for (uint32_t y = y0; y < end; y++) {
                const uint8_t *pixel = corner + along_x * (ptrdiff_t)x + along_y * (ptrdiff_t)y;
                memcpy(to->pixels + ((size_t)y * to->width + x) * from->channels, pixel, from->channels);
            }
    }
}

camcl_status cc_orient(camcl_image *image, unsigned value, camcl_error *err)
{
    const cc_orientation how = cc_orientation_of(value);
    camcl_image turned;
    if (!how.turned && !how.from_right && !how.from_bottom) return CAMCL_OK;
    CC_RETURN_IF_FAILED(camcl_image_create(how.turned ? image->height : image->width, how.turned ? image->width : image->height,
                                           image->channels, &turned, err));
    copy_turned(image, how, &turned);
    camcl_image_free(image);
    *image = turned;
    return CAMCL_OK;
}
