/* Reference of loading one image, in double: bytes [h,w,c] -> [size,size,c], normalised, resized with aligned corners, mirrored. */
#ifndef CC_CHECK_REF_LOAD_REF_H
#define CC_CHECK_REF_LOAD_REF_H

#include <stdbool.h>
#include <stddef.h>

void ref_load_image(size_t h, size_t w, size_t c, size_t size, const unsigned char *pixels, const double *mean, const double *std,
                    bool flip_h, bool flip_v, double *out);

#endif
