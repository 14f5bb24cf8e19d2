/* Plane figures in fixed point, and how much of each pixel they cover. All arithmetic is on integers, so that every machine draws the
 * same bytes: with floating point, libm's last bit or fused multiply-adds could change them. */
#ifndef CC_DATASET_OUTLINE_H
#define CC_DATASET_OUTLINE_H

#include <stdint.h>

enum {
    CC_TURN = 1024, /* angles count 1024ths of a turn */
    CC_ONE = 4096,  /* 1.0 in a figure's own coordinates and in sines */
    CC_PIXEL = 256, /* a pixel's width in the picture's coordinates */
    CC_CANVAS = 32, /* pictures are 32 x 32 pixels */
    CC_FULL = 256,  /* coverage of a pixel that is wholly inside */
    CC_OUTLINE_POINTS = 96
};

/* Sines of all angles, scaled by CC_ONE. */
typedef struct cc_sines {
    int16_t values[CC_TURN];
} cc_sines;
void cc_sines_fill(cc_sines *sines);
int32_t cc_sin(const cc_sines *sines, int32_t angle);
int32_t cc_cos(const cc_sines *sines, int32_t angle);

typedef struct cc_point {
    int32_t x, y;
} cc_point;

/* One or two closed contours, filled by the even-odd rule. */
typedef struct cc_outline {
    cc_point points[CC_OUTLINE_POINTS];
    int count;  /* points in all */
    int second; /* where the second contour starts; = count when there is one only */
} cc_outline;

/* The object classes. Each keeps its class under mirroring and rotation. */
typedef enum cc_figure {
    CC_DISC,
    CC_RING,
    CC_TRIANGLE,
    CC_SQUARE,
    CC_HEXAGON,
    CC_STAR,
    CC_CROSS,
    CC_CRESCENT,
    CC_ARROW,
    CC_HEART,
    CC_FIGURES
} cc_figure;

const char *cc_figure_name(cc_figure figure);
/* A figure around the origin whose area is about that of a disc of radius CC_ONE * 4/5. `variant` (0..CC_ONE) sets its one free
 * proportion: the width of a ring, a cross's arms, a star's waist, ... */
void cc_figure_outline(cc_figure figure, int32_t variant, const cc_sines *sines, cc_outline *out);

/* Scales by (sx, sy) / CC_ONE, turns by angle and moves to (x, y). This maps the figure's coordinates to the picture's: a figure unit
 * (CC_ONE) has the length `radius` there, in CC_PIXEL-ths of a pixel. */
typedef struct cc_placement {
    int32_t x, y, radius, sx, sy, angle;
} cc_placement;
void cc_outline_place(cc_outline *outline, const cc_placement *placement, const cc_sines *sines);

/* Computes coverage [CC_CANVAS, CC_CANVAS], 0..CC_FULL, of an outline in picture coordinates: exact along x, eight samples per pixel
 * along y. */
void cc_outline_cover(const cc_outline *outline, uint16_t *coverage);

#endif
