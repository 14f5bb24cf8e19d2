#include "check/ref/randaugment_ref.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct picture {
    size_t size, c, pixels;
    unsigned char *bytes;
} picture;

static unsigned char at(const picture *p, size_t y, size_t x, size_t k) { return p->bytes[(y * p->size + x) * p->c + k]; }

static unsigned char *copy_of(const picture *p)
{
    unsigned char *copy = malloc(p->pixels * p->c);
    if (copy == NULL) abort();
    memcpy(copy, p->bytes, p->pixels * p->c);
    return copy;
}

static int grey(const unsigned char *pixel, size_t c)
{
    if (c == 1) return pixel[0];
    return (int)((19595L * pixel[0] + 38470L * pixel[1] + 7471L * pixel[2] + 32768L) / 65536L);
}

/* Two float roundings, then the whole part. volatile keeps a compiler from making one rounding of them. */
static unsigned char mixed(int from, int to, float factor)
{
    volatile float step = factor * (float)(to - from);
    volatile float sum = (float)from + step;
    return (unsigned char)sum;
}

static void stretch(const picture *p, size_t k)
{
    int least = 255, greatest = 0;
    for (size_t i = 0; i < p->pixels; i++) {
        const int v = p->bytes[i * p->c + k];
        if (v < least) least = v;
        if (v > greatest) greatest = v;
    }
    for (size_t i = 0; greatest > least && i < p->pixels; i++) {
        unsigned char *v = &p->bytes[i * p->c + k];
        *v = (unsigned char)floor((*v - least) * 255.0 / (greatest - least));
    }
}

static void equalize(const picture *p, size_t k)
{
    size_t histogram[256] = { 0 }, most = 0;
    for (size_t i = 0; i < p->pixels; i++)
        histogram[p->bytes[i * p->c + k]]++;
    for (size_t v = 0; v < 256; v++)
        if (histogram[v]) most = v;
    const size_t step = (p->pixels - histogram[most]) / 255;
    for (size_t i = 0; step > 0 && i < p->pixels; i++) {
        unsigned char *v = &p->bytes[i * p->c + k];
        size_t below = step / 2;
        for (size_t u = 0; u < *v; u++)
            below += histogram[u];
        *v = (unsigned char)(below / step > 255 ? 255 : below / step);
    }
}

static int mean_grey(const picture *p)
{
    double sum = 0;
    for (size_t i = 0; i < p->pixels; i++)
        sum += grey(p->bytes + i * p->c, p->c);
    return (int)(sum / (double)p->pixels + 0.5);
}

static void towards(const picture *p, const char *name, float factor)
{
    const int mean = mean_grey(p);
    for (size_t i = 0; i < p->pixels; i++) {
        unsigned char *pixel = p->bytes + i * p->c;
        const int from = strcmp(name, "contrast") == 0 ? mean : strcmp(name, "colour") == 0 ? grey(pixel, p->c) : 0;
        for (size_t k = 0; k < p->c; k++)
            pixel[k] = mixed(from, pixel[k], factor);
    }
}

static void sharpen(const picture *p, float factor)
{
    unsigned char *old = copy_of(p);
    const picture before = { p->size, p->c, p->pixels, old };
    for (size_t y = 1; y + 1 < p->size; y++)
        for (size_t x = 1; x + 1 < p->size; x++)
            for (size_t k = 0; k < p->c; k++) {
                double sum = 4.0 * at(&before, y, x, k);
                for (size_t j = y - 1; j <= y + 1; j++)
                    for (size_t i = x - 1; i <= x + 1; i++)
                        sum += at(&before, j, i, k);
                p->bytes[(y * p->size + x) * p->c + k] = mixed((int)floor(sum / 13.0 + 0.5), at(&before, y, x, k), factor);
            }
    free(old);
}

static void move(const picture *p, const int32_t *value)
{
    unsigned char *old = copy_of(p);
    const picture before = { p->size, p->c, p->pixels, old };
    const double one = 65536.0;
    for (size_t y = 0; y < p->size; y++)
        for (size_t x = 0; x < p->size; x++) {
            const double column = floor(((double)value[0] * (double)x + (double)value[1] * (double)y + value[2]) / one);
            const double row = floor(((double)value[3] * (double)x + (double)value[4] * (double)y + value[5]) / one);
            const int inside = column >= 0 && row >= 0 && column < (double)p->size && row < (double)p->size;
            for (size_t k = 0; k < p->c; k++)
                p->bytes[(y * p->size + x) * p->c + k] = inside ? at(&before, (size_t)row, (size_t)column, k) : 0;
        }
    free(old);
}

static void cut(const picture *p, const int32_t *value)
{
    static const unsigned char colour[3] = { 125, 123, 114 };
    for (int32_t y = value[0]; y < value[2]; y++)
        for (int32_t x = value[1]; x < value[3]; x++)
            for (size_t k = 0; k < p->c; k++)
                p->bytes[((size_t)y * p->size + (size_t)x) * p->c + k] = p->c == 1 ? 123 : colour[k];
}

void ref_picture_operation(const char *name, float factor, const int32_t *value, size_t size, size_t c, unsigned char *bytes)
{
    const picture p = { size, c, size * size, bytes };
    for (size_t k = 0; k < c && strcmp(name, "autocontrast") == 0; k++)
        stretch(&p, k);
    for (size_t k = 0; k < c && strcmp(name, "equalize") == 0; k++)
        equalize(&p, k);
    if (strcmp(name, "brightness") == 0 || strcmp(name, "colour") == 0 || strcmp(name, "contrast") == 0) towards(&p, name, factor);
    if (strcmp(name, "sharpness") == 0) sharpen(&p, factor);
    if (strcmp(name, "affine") == 0) move(&p, value);
    if (strcmp(name, "cutout") == 0) cut(&p, value);
    for (size_t i = 0; i < p.pixels * c && strcmp(name, "posterize") == 0; i++)
        bytes[i] = (unsigned char)(bytes[i] & value[0]);
    for (size_t i = 0; i < p.pixels * c && strcmp(name, "solarize") == 0; i++)
        if (bytes[i] >= value[0]) bytes[i] = (unsigned char)(255 - bytes[i]);
}
