/* Reference of the operations on bytes of pictures: what Pillow's functions do to an image of size x size pixels of c = 1 or 3 channels. */
#ifndef CC_CHECK_REF_RANDAUGMENT_REF_H
#define CC_CHECK_REF_RANDAUGMENT_REF_H

#include <stddef.h>
#include <stdint.h>

/* "autocontrast", "equalize", "brightness", "colour", "contrast", "sharpness" (by factor), "posterize" (value[0]: mask), "solarize"
 * (value[0]: threshold), "affine" (value: a, b, c, d, e, f in 1/65536), "cutout" (value: y0, x0, y1, x1); any other name changes nothing.
 */
void ref_picture_operation(const char *name, float factor, const int32_t *value, size_t size, size_t c, unsigned char *picture);

#endif
