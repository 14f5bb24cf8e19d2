/* Reference of loading one image, in double: bytes [h,w,c] -> [size,size,c], normalised, resized with aligned corners, mirrored. */
#ifndef REF_LOAD_H
#define REF_LOAD_H

#include <stdbool.h>
#include <stddef.h>

void ref_load_image(size_t h, size_t w, size_t c, size_t size, const unsigned char *pixels, const double *mean, const double *std,
                    bool flip_h, bool flip_v, double *out);

#endif
