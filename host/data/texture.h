/* Textures for drawn images: gradients, stripes, waves, checks and value noise, in integers. */
#ifndef CC_DATA_TEXTURE_H
#define CC_DATA_TEXTURE_H

#include <stdint.h>

#include "base/rng.h"
#include "data/outline.h"

/* mix: [CC_CANVAS, CC_CANVAS], 0..256: how much of the second of two colours each pixel takes. Kind and proportions come from
 * rng. */
void cc_texture_draw(cc_rng *rng, const cc_sines *sines, uint16_t *mix);

/* Uniform in low..high, both included. */
int32_t cc_between(cc_rng *rng, int32_t low, int32_t high);

#endif
