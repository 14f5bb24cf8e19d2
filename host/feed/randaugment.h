/* RandAugment: which operations are drawn, of what magnitude, and what they are on the device. */
#ifndef CC_FEED_RANDAUGMENT_H
#define CC_FEED_RANDAUGMENT_H

#include "base/rng.h"
#include "ops/ops.h"

/* One of the operations that are drawn. Magnitudes are uniform from low to high; of those without one, both are 0. */
typedef struct cc_drawn_operation {
    const char *name;
    double low, high;
    cc_picture_operation (*make)(double magnitude, size_t size); /* of pictures of this side */
} cc_drawn_operation;
/* The fourteen. Static. */
const cc_drawn_operation *cc_drawn_operations(size_t *count);

/* A square of this side around (y, x), all in pixels, as Pillow draws a rectangle: both ends belong to it. What lies outside is left out.
 */
cc_picture_operation cc_picture_cutout(double side, double y, double x, size_t size);

/* out[0..count): operations drawn with replacement; out[count]: a cutout of side up to S/2, its centre anywhere in the picture. */
void cc_randaugment_draw(cc_rng *rng, size_t count, size_t size, cc_picture_operation *out);

#endif
