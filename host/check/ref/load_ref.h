/* Reference of loading one image, in double: bytes [h,w,c] -> [size,size,c], normalised, resized with aligned corners, mirrored. */
#ifndef CC_CHECK_REF_LOAD_REF_H
#define CC_CHECK_REF_LOAD_REF_H

#include <stdbool.h>
#include <stddef.h>

void ref_load_image(size_t h, size_t w, size_t c, size_t size, const unsigned char *pixels, const double *mean, const double *std,
                    bool flip_h, bool flip_v, double *out);

/* The window of an image [size,size,c], in double: rows y0 .. y1-1 and columns x0 .. x1-1, resized to size x size (half-pixel centres,
 * clamped at the window's edge). Places outside the image are reflected at its edge, whose pixels are not repeated. */
void ref_window(size_t size, size_t c, int y0, int x0, int y1, int x1, const double *image, double *out);

#endif
