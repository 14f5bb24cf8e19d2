#include "camcl/image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/file.h"
#include "base/memory.h"
#include "image/codec.h"

camcl_status camcl_image_create(uint32_t width, uint32_t height, uint32_t channels, camcl_image *out, camcl_error *err)
{
    CC_CHECK_GIVEN(out, err);
    camcl_image image = { width, height, channels, NULL };
    *out = (camcl_image)CAMCL_IMAGE_INIT;
    if (width == 0 || height == 0 || width > CAMCL_IMAGE_MOST_PIXELS / height) {
        return cc_fail(err, CAMCL_BAD_DATA, "picture of %u x %u pixels: 1 to %zu million pixels can be held (scale it first)",
                       (unsigned)width, (unsigned)height, CAMCL_IMAGE_MOST_PIXELS / 1000000);
    }
    CC_RETURN_IF_FAILED(CC_NEW((size_t)width * height * channels, &image.pixels, err));
    *out = image;
    return CAMCL_OK;
}

camcl_status cc_image_create_for(const char *name, uint32_t width, uint32_t height, camcl_image *out, camcl_error *err)
{
    camcl_status status = camcl_image_create(width, height, 3, out, err);
    if (status != CAMCL_OK && status != CAMCL_NO_MEMORY) cc_context(err, "%s", name);
    return status;
}

void camcl_image_free(camcl_image *image)
{
    if (!image) return;
    free(image->pixels);
    *image = (camcl_image)CAMCL_IMAGE_INIT;
}

camcl_status camcl_image_write_png(const char *path, const camcl_image *image, camcl_error *err)
{
    CC_CHECK_GIVEN(path, err);
    CC_CHECK_GIVEN(image, err);
    uint8_t *data = NULL;
    size_t size = 0;
    camcl_status status = camcl_image_encode_png(image, &data, &size, err);
    if (status != CAMCL_OK) {
        cc_context(err, "%s", path);
        return status;
    }
    status = cc_file_write(path, &(cc_piece){ data, size }, 1, err);
    free(data);
    return status;
}

static camcl_status check_picture(const camcl_image *image, camcl_error *err)
{
    if (image->pixels && image->width > 0 && image->height > 0 && image->channels > 0) return CAMCL_OK;
    return cc_fail(err, CAMCL_BAD_DATA, "picture: it has no pixels (read one, or create it)");
}

/* For point i of an axis that is resized from `from` to `to` points with both ends fixed: the two neighbouring points of the original
 * axis, and the weight of the second one. */
typedef struct tap {
    uint32_t low, high;
    float weight;
} tap;

static tap tap_at(uint32_t i, uint32_t from, uint32_t to)
{
    if (to == 1 || from == 1) return (tap){ 0, 0, 0.0f };
    uint64_t position = (uint64_t)i * (from - 1);
    uint32_t low = (uint32_t)(position / (to - 1));
    float weight = (float)(position % (to - 1)) / (float)(to - 1);
    return (tap){ low, low + 1 < from ? low + 1 : low, weight };
}

static float blend(float a, float b, float weight) { return a + (b - a) * weight; }

camcl_status camcl_image_resize(const camcl_image *image, uint32_t width, uint32_t height, camcl_image *out, camcl_error *err)
{
    CC_CHECK_GIVEN(out, err);
    *out = (camcl_image)CAMCL_IMAGE_INIT;
    CC_CHECK_GIVEN(image, err);
    CC_RETURN_IF_FAILED(check_picture(image, err));
    const uint32_t channels = image->channels;
    const size_t row = (size_t)image->width * channels;
    CC_RETURN_IF_FAILED(camcl_image_create(width, height, channels, out, err));
    uint8_t *to = out->pixels;
    for (uint32_t y = 0; y < height; y++) {
        tap v = tap_at(y, image->height, height);
        const uint8_t *top = image->pixels + v.low * row, *bottom = image->pixels + v.high * row;
        for (uint32_t x = 0; x < width; x++) {
            tap h = tap_at(x, image->width, width);
            size_t left = (size_t)h.low * channels, right = (size_t)h.high * channels;
            for (uint32_t c = 0; c < channels; c++) {
                float upper = blend(top[left + c], top[right + c], h.weight);
                float lower = blend(bottom[left + c], bottom[right + c], h.weight);
                *to++ = (uint8_t)(blend(upper, lower, v.weight) + 0.5f);
            }
        }
    }
    return CAMCL_OK;
}

camcl_status camcl_image_enlarge(const camcl_image *image, uint32_t factor, camcl_image *out, camcl_error *err)
{
    CC_CHECK_GIVEN(out, err);
    *out = (camcl_image)CAMCL_IMAGE_INIT;
    CC_CHECK_GIVEN(image, err);
    CC_RETURN_IF_FAILED(check_picture(image, err));
    if (factor == 0 || image->width > UINT32_MAX / factor || image->height > UINT32_MAX / factor) {
        return cc_fail(err, CAMCL_BAD_DATA, "picture of %u x %u pixels: cannot be enlarged %u times", (unsigned)image->width,
                       (unsigned)image->height, (unsigned)factor);
    }
    CC_RETURN_IF_FAILED(camcl_image_create(image->width * factor, image->height * factor, image->channels, out, err));
    uint8_t *to = out->pixels;
    for (uint32_t y = 0; y < out->height; y++)
        for (uint32_t x = 0; x < out->width; x++, to += image->channels)
            memcpy(to, image->pixels + ((size_t)(y / factor) * image->width + x / factor) * image->channels, image->channels);
    return CAMCL_OK;
}

/* NaN compares false, so it becomes 0. */
static unsigned color_index(float value) { return value > 0.0f ? (value < 1.0f ? (unsigned)(value * 255.0f + 0.5f) : 255u) : 0u; }

camcl_status camcl_image_from_map(const float *map, uint32_t width, uint32_t height, camcl_image *out, camcl_error *err)
{
    CC_CHECK_GIVEN(out, err);
    *out = (camcl_image)CAMCL_IMAGE_INIT;
    CC_CHECK_GIVEN(map, err);
    uint8_t colors[256][3];
    CC_RETURN_IF_FAILED(camcl_image_create(width, height, 3, out, err));
    camcl_colormap(colors);
    for (size_t i = 0; i < (size_t)width * height; i++)
        memcpy(out->pixels + 3 * i, colors[color_index(map[i])], 3);
    return CAMCL_OK;
}

static float map_at(const float *map, uint32_t map_width, tap h, tap v)
{
    const float *top = map + (size_t)v.low * map_width, *bottom = map + (size_t)v.high * map_width;
    return blend(blend(top[h.low], top[h.high], h.weight), blend(bottom[h.low], bottom[h.high], h.weight), v.weight);
}

camcl_status camcl_image_overlay(const camcl_image *image, const float *map, uint32_t map_width, uint32_t map_height, float opacity,
                                 camcl_image *out, camcl_error *err)
{
    CC_CHECK_GIVEN(out, err);
    *out = (camcl_image)CAMCL_IMAGE_INIT;
    CC_CHECK_GIVEN(image, err);
    CC_CHECK_GIVEN(map, err);
    CC_RETURN_IF_FAILED(check_picture(image, err));
    if (map_width == 0 || map_height == 0)
        return cc_fail(err, CAMCL_BAD_DATA, "map: %u x %u points (give at least one)", (unsigned)map_width, (unsigned)map_height);
    uint8_t colors[256][3];
    CC_RETURN_IF_FAILED(camcl_image_create(image->width, image->height, 3, out, err));
    camcl_colormap(colors);
    opacity = opacity > 0.0f ? (opacity < 1.0f ? opacity : 1.0f) : 0.0f;
    uint8_t *to = out->pixels;
    const uint8_t *from = image->pixels;
    for (uint32_t y = 0; y < image->height; y++) {
        tap v = tap_at(y, map_height, image->height);
        for (uint32_t x = 0; x < image->width; x++, from += image->channels) {
            const uint8_t *color = colors[color_index(map_at(map, map_width, tap_at(x, map_width, image->width), v))];
            for (uint32_t c = 0; c < 3; c++)
                *to++ = (uint8_t)(blend(from[image->channels == 3 ? c : 0], color[c], opacity) + 0.5f);
        }
    }
    return CAMCL_OK;
}
