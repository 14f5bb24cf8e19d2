#include "feed/randaugment.h"

#include <math.h>

#include "base/memory.h"

/* ---- operations without places */

#define WITHOUT_MAGNITUDE(name, which)                                                                                                     \
    static cc_picture_operation name(double magnitude, size_t size)                                                                        \
    {                                                                                                                                      \
        (void)magnitude;                                                                                                                   \
        (void)size;                                                                                                                        \
        return (cc_picture_operation){ .kind = which };                                                                                    \
    }
WITHOUT_MAGNITUDE(identity, CC_PICTURE_IDENTITY)
WITHOUT_MAGNITUDE(autocontrast, CC_PICTURE_AUTOCONTRAST)
WITHOUT_MAGNITUDE(equalize, CC_PICTURE_EQUALIZE)

#define WITH_FACTOR(name, which)                                                                                                           \
    static cc_picture_operation name(double magnitude, size_t size)                                                                        \
    {                                                                                                                                      \
        (void)size;                                                                                                                        \
        return (cc_picture_operation){ .kind = which, .factor = (float)magnitude };                                                        \
    }
WITH_FACTOR(brightness, CC_PICTURE_BRIGHTNESS)
WITH_FACTOR(colour, CC_PICTURE_COLOUR)
WITH_FACTOR(contrast, CC_PICTURE_CONTRAST)
WITH_FACTOR(sharpness, CC_PICTURE_SHARPNESS)

static cc_picture_operation posterize(double bits, size_t size)
{
    (void)size;
    return (cc_picture_operation){ .kind = CC_PICTURE_POSTERIZE, .value = { 0xff & ~((1 << (8 - (int)bits)) - 1) } };
}

/* A byte is below the threshold if it is below the next whole number. */
static cc_picture_operation solarize(double threshold, size_t size)
{
    (void)size;
    return (cc_picture_operation){ .kind = CC_PICTURE_SOLARIZE, .value = { (int32_t)ceil(threshold) } };
}

/* ---- operations that move pixels */

static int32_t fixed(double v) { return (int32_t)floor(v * 65536.0 + 0.5); }

/* The point (x,y) shows the point (a x + b y + c, d x + e y + f): the six numbers of Pillow's transform, which takes the centres of pixels
 * as points and rounds to 16 bits of fraction. Where nothing turns or shears it does not round, and all pixels are shifted by whole ones.
 */
static cc_picture_operation moved(double a, double b, double c, double d, double e, double f)
{
    const bool shift = b == 0 && d == 0;
    const double x = c + 0.5 * a + 0.5 * b, y = f + 0.5 * d + 0.5 * e;
    return (cc_picture_operation){
        .kind = CC_PICTURE_AFFINE,
        .value = { fixed(a), fixed(b), fixed(shift ? floor(x) + 0.5 : x), fixed(d), fixed(e), fixed(shift ? floor(y) + 0.5 : y) },
    };
}

/* Pillow keeps 15 decimals of sines and cosines. */
static double decimals(double v) { return nearbyint(v * 1e15) / 1e15; }

/* Counter-clockwise, about the centre. */
static cc_picture_operation rotate(double degrees, size_t size)
{
    const double angle = -degrees * (3.14159265358979323846 / 180.0), cosine = decimals(cos(angle)), sine = decimals(sin(angle));
    const double centre = (double)size / 2;
    return moved(cosine, sine, centre - (cosine + sine) * centre, -sine, cosine, centre - (cosine - sine) * centre);
}

static cc_picture_operation shear_x(double share, size_t size)
{
    (void)size;
    return moved(1, share, 0, 0, 1, 0);
}

static cc_picture_operation shear_y(double share, size_t size)
{
    (void)size;
    return moved(1, 0, 0, share, 1, 0);
}

static cc_picture_operation translate_x(double share, size_t size) { return moved(1, 0, share * (double)size, 0, 1, 0); }
static cc_picture_operation translate_y(double share, size_t size) { return moved(1, 0, 0, 0, 1, share * (double)size); }

/* ---- draws. Saved runs depend on the order of rows. */

static const cc_drawn_operation drawn[] = {
    { "autocontrast", 0, 0, autocontrast },
    { "brightness", 0.05, 0.95, brightness },
    { "colour", 0.05, 0.95, colour },
    { "contrast", 0.05, 0.95, contrast },
    { "equalize", 0, 0, equalize },
    { "identity", 0, 0, identity },
    { "posterize", 4, 8, posterize },
    { "rotate", -30, 30, rotate },
    { "sharpness", 0.05, 0.95, sharpness },
    { "shear x", -0.3, 0.3, shear_x },
    { "shear y", -0.3, 0.3, shear_y },
    { "solarize", 0, 256, solarize },
    { "translate x", -0.3, 0.3, translate_x },
    { "translate y", -0.3, 0.3, translate_y },
};

const cc_drawn_operation *cc_drawn_operations(size_t *count)
{
    *count = CC_COUNT(drawn);
    return drawn;
}

/* The whole part of v, between 0 and most. */
static int32_t whole_between(double v, double most) { return (int32_t)fmin(fmax(v, 0), most); }

cc_picture_operation cc_picture_cutout(double side, double y, double x, size_t size)
{
    const double most = (double)size;
    const int32_t end = (int32_t)size, bottom = whole_between(y + side / 2, most) + 1, right = whole_between(x + side / 2, most) + 1;
    return (cc_picture_operation){
        .kind = CC_PICTURE_CUTOUT,
        .value = { whole_between(y - side / 2, most), whole_between(x - side / 2, most), bottom < end ? bottom : end,
                   right < end ? right : end },
    };
}

void cc_randaugment_draw(cc_rng *rng, size_t count, size_t size, cc_picture_operation *out)
{
    for (size_t i = 0; i < count; i++) {
        const cc_drawn_operation *operation = &drawn[cc_rng_below(rng, CC_COUNT(drawn))];
        /* The magnitude is drawn even where there is none, so that all operations take as many numbers. */
        out[i] = operation->make(operation->low + (operation->high - operation->low) * cc_rng_unit(rng), size);
    }
    const double side = cc_rng_unit(rng) * (double)size / 2, y = cc_rng_unit(rng) * (double)size, x = cc_rng_unit(rng) * (double)size;
    out[count] = cc_picture_cutout(side, y, x, size);
}
