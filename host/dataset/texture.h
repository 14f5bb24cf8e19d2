/* Textures for drawn images: gradients, stripes, waves, checks and value noise, in integers. */
#ifndef CC_DATASET_TEXTURE_H
#define CC_DATASET_TEXTURE_H

#include <stdint.h>

#include "base/rng.h"
#include "dataset/outline.h"

/* Draws mix [CC_CANVAS, CC_CANVAS], 0..256: each pixel's share of the second of two colours. The kind of texture and its proportions
 * come from rng. */
void cc_texture_draw(cc_rng *rng, const cc_sines *sines, uint16_t *mix);

/* Draws a number uniformly from low..high, both included. */
int32_t cc_between(cc_rng *rng, int32_t low, int32_t high);

#endif
