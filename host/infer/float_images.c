#include "infer/float_images.h"

#include <math.h>

/* Along one axis, output o of `out` reads position o (in-1)/(out-1) of `in`: inputs i0 and i1 with weights 1-w and w. */
typedef struct tap {
    size_t i0, i1;
    float w;
} tap;

static tap tap_of(size_t o, size_t in, size_t out)
{
    if (out < 2) return (tap){ 0, 0, 0 };
    const size_t position = o * (in - 1), i0 = position / (out - 1), rest = position % (out - 1);
    return (tap){ i0, i0 + (rest > 0), (float)rest / (float)(out - 1) };
}

static float between(float a, float b, float w) { return (1 - w) * a + w * b; }

static void load_image(const cc_float_images *s, const float *image, float *out)
{
    for (size_t a = 0; a < s->size; a++) {
        const tap y = tap_of(a, s->height, s->size);
        const float *top = image + y.i0 * s->width * s->channels, *bottom = image + y.i1 * s->width * s->channels;
        for (size_t b = 0; b < s->size; b++) {
            const tap x = tap_of(b, s->width, s->size);
            const size_t left = x.i0 * s->channels, right = x.i1 * s->channels;
            for (size_t k = 0; k < s->channels; k++) {
                const float v =
                    between(between(top[left + k], top[right + k], x.w), between(bottom[left + k], bottom[right + k], x.w), y.w);
                *out++ = (v - s->mean[k]) / s->std[k];
            }
        }
    }
}

void cc_float_images_load(const cc_float_images *s, size_t n, const float *images, float *out)
{
    for (size_t i = 0; i < n; i++)
        load_image(s, images + i * s->height * s->width * s->channels, out + i * s->size * s->size * s->channels);
}

size_t cc_find_not_finite(const float *values, size_t n)
{
    size_t i = 0;
    while (i < n && isfinite(values[i]))
        i++;
    return i;
}
