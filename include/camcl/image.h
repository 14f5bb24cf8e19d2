/* Pictures: reading PNG, JPEG and WebP, writing PNG, scaling, and showing class activation maps. */
#ifndef CAMCL_IMAGE_H
#define CAMCL_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "camcl/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Functions may run in several threads at once, for different pictures.
 *
 * A plain value; every function that fills `out` overwrites it without looking (initialise with CAMCL_IMAGE_INIT so that
 * camcl_image_free is safe at any time), and leaves it empty when it fails. */
typedef struct camcl_image {
    uint32_t width, height;
    uint32_t channels; /* 3: RGB, 1: grey */
    uint8_t *pixels;   /* [height, width, channels] */
} camcl_image;

#define CAMCL_IMAGE_INIT                                                                                                                   \
    {                                                                                                                                      \
        0, 0, 0, NULL                                                                                                                      \
    }

/* The largest picture read, in pixels. */
#define CAMCL_IMAGE_MOST_PIXELS ((size_t)1 << 27)

/* Black. CAMCL_BAD_DATA for sizes of 0 or beyond CAMCL_IMAGE_MOST_PIXELS. */
camcl_status camcl_image_create(uint32_t width, uint32_t height, uint32_t channels, camcl_image *out, camcl_error *err);
/* Frees the pixels and leaves it empty; an empty one may be freed again. */
void camcl_image_free(camcl_image *image);

/* Reads a PNG, JPEG or WebP file, told apart by content, into RGB. Grey becomes three equal channels, 16 bits are rounded to 8,
 * transparent parts are laid over white, CMYK is converted without a colour profile, of an animation the first picture is taken; profiles
 * and gamma are not applied. EXIF orientation is applied, so that pictures are read as viewers show them (a build without libexif reads
 * them as they are stored). CAMCL_BAD_DATA: truncated, corrupt, too large or of another format, which the message names; CAMCL_IO:
 * unreadable; CAMCL_UNSUPPORTED: this build lacks the format's library. */
camcl_status camcl_image_read(const char *path, camcl_image *out, camcl_error *err);
/* The same from memory; name stands for the file in messages. */
camcl_status camcl_image_decode(const void *data, size_t size, const char *name, camcl_image *out, camcl_error *err);

/* How a picture of another shape becomes a square of side S. */
typedef enum camcl_fit {
    CAMCL_FIT_STRETCH, /* both sides are scaled to S */
    CAMCL_FIT_CROP,    /* the shorter side is scaled to S, the longer in proportion, and the middle S of it are kept */
    CAMCL_FIT_PAD /* the longer side is scaled to S, the shorter in proportion, and black bars of equal width (the second one pixel wider
                     where they cannot be) fill up the shorter one */
} camcl_fit;

/* Scales with a triangle filter that is as wide as the reduction (antialiased bilinear, as Pillow's Image.resize with BILINEAR: equal to
 * it within one level). */
camcl_status camcl_image_scale(const camcl_image *image, uint32_t width, uint32_t height, camcl_image *out, camcl_error *err);
/* camcl_image_scale to a square of side `side`, as `fit` says. A side of 0 keeps the picture as it is. */
camcl_status camcl_image_fit(const camcl_image *image, uint32_t side, camcl_fit fit, camcl_image *out, camcl_error *err);
/* camcl_image_read and camcl_image_fit in one. A JPEG that is many times larger than needed is decoded at a half, a quarter or an eighth of
 * its size, but never below twice the size that it is scaled to. */
camcl_status camcl_image_read_fit(const char *path, uint32_t side, camcl_fit fit, camcl_image *out, camcl_error *err);

typedef struct camcl_image_about {
    const char *format;     /* "PNG", "JPEG", "WebP" */
    uint32_t width, height; /* as camcl_image_read would give them, after EXIF orientation */
} camcl_image_about;
/* What the file's header says, without decoding. Errors as camcl_image_read; a picture that is damaged later on is not noticed. */
camcl_status camcl_image_probe(const char *path, camcl_image_about *out, camcl_error *err);

/* Writes an 8-bit PNG, whole or not at all. */
camcl_status camcl_image_write_png(const char *path, const camcl_image *image, camcl_error *err);
/* The PNG's bytes; the caller frees *data with free(). */
camcl_status camcl_image_encode_png(const camcl_image *image, uint8_t **data, size_t *size, camcl_error *err);

/* Bilinear, corners aligned: the corner pixels keep their values. */
camcl_status camcl_image_resize(const camcl_image *image, uint32_t width, uint32_t height, camcl_image *out, camcl_error *err);
/* Every pixel becomes factor x factor equal ones, for pictures too small to see. */
camcl_status camcl_image_enlarge(const camcl_image *image, uint32_t factor, camcl_image *out, camcl_error *err);

/* A map [height, width] of values 0..1 (others are clamped, NaN shows as 0) in the colours of camcl_colormap, RGB. */
camcl_status camcl_image_from_map(const float *map, uint32_t width, uint32_t height, camcl_image *out, camcl_error *err);
/* The map, resized to the picture (bilinear, corners aligned), over the picture: (1 - opacity) picture + opacity colour, RGB. */
camcl_status camcl_image_overlay(const camcl_image *image, const float *map, uint32_t map_width, uint32_t map_height, float opacity,
                                 camcl_image *out, camcl_error *err);

/* 256 RGB colours from dark violet through red and orange to pale yellow, evenly spaced to the eye, lightness rising steadily,
 * so that the map also reads in grey and for colour-blind eyes. */
void camcl_colormap(uint8_t colors[256][3]);

#ifdef __cplusplus
}
#endif
#endif
