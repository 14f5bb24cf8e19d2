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

static double mirrored(size_t size, size_t c, const double *image, int y, int x, size_t k)
{
    const int last = (int)size - 1;
    while (y < 0 || y > last)
        y = y < 0 ? -y : 2 * last - y;
    while (x < 0 || x > last)
        x = x < 0 ? -x : 2 * last - x;
    return image[((size_t)y * size + (size_t)x) * c + k];
}

/* The place of output o in 0 .. count-1. */
static double centred(size_t o, int count, size_t size)
{
    const double v = ((double)o + 0.5) * count / (double)size - 0.5;
    return v < 0 ? 0 : v > count - 1 ? count - 1 : v;
}

void ref_window(size_t size, size_t c, int y0, int x0, int y1, int x1, const double *image, double *out)
{
    for (size_t a = 0; a < size; a++)
        for (size_t b = 0; b < size; b++)
            for (size_t k = 0; k < c; k++) {
                const double y = centred(a, y1 - y0, size), x = centred(b, x1 - x0, size), fy = y - floor(y), fx = x - floor(x);
                const int i = y0 + (int)floor(y), j = x0 + (int)floor(x), i1 = fy > 0 ? i + 1 : i, j1 = fx > 0 ? j + 1 : j;
                out[(a * size + b) * c + k] =
                    (1 - fy) * ((1 - fx) * mirrored(size, c, image, i, j, k) + fx * mirrored(size, c, image, i, j1, k)) +
                    fy * ((1 - fx) * mirrored(size, c, image, i1, j, k) + fx * mirrored(size, c, image, i1, j1, k));
            }
}
