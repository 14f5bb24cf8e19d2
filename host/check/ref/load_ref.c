#include "check/ref/load_ref.h"

#include <math.h>
#include <stdlib.h>

static double sample(size_t h, size_t w, size_t c, size_t size, const double *image, size_t a, size_t b, size_t k)
{
    const double y = size > 1 ? (double)a * (double)(h - 1) / (double)(size - 1) : 0.0,
                 x = size > 1 ? (double)b * (double)(w - 1) / (double)(size - 1) : 0.0;
    const size_t i = (size_t)floor(y), j = (size_t)floor(x), i1 = i + 1 < h ? i + 1 : i, j1 = j + 1 < w ? j + 1 : j;
    const double fy = y - floor(y), fx = x - floor(x);
    return (1 - fy) * ((1 - fx) * image[(i * w + j) * c + k] + fx * image[(i * w + j1) * c + k]) +
           fy * ((1 - fx) * image[(i1 * w + j) * c + k] + fx * image[(i1 * w + j1) * c + k]);
}

void ref_load_image(size_t h, size_t w, size_t c, size_t size, const unsigned char *pixels, const double *mean, const double *std,
                    bool flip_h, bool flip_v, double *out)
{
    double *image = malloc(h * w * c * sizeof *image);
    if (image == NULL) abort();
    for (size_t e = 0; e < h * w * c; e++)
        image[e] = (pixels[e] / 255.0 - mean[e % c]) / std[e % c];
    for (size_t a = 0; a < size; a++)
        for (size_t b = 0; b < size; b++)
            for (size_t k = 0; k < c; k++)
                out[((flip_v ? size - 1 - a : a) * size + (flip_h ? size - 1 - b : b)) * c + k] = sample(h, w, c, size, image, a, b, k);
    free(image);
}
