/* Images in host memory as floats, made ready for the network. */
#ifndef CC_INFER_FLOAT_IMAGES_H
#define CC_INFER_FLOAT_IMAGES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cc_float_images {
    size_t height, width, channels, size; /* size: side of the network's input */
    const float *mean, *std;              /* [channels] */
} cc_float_images;

/* out [n,size,size,channels] = (v - mean)/std, where v are the images [n,height,width,channels], resized (bilinear, corners aligned): what
 * load_images makes of bytes, with byte/255 for v. */
void cc_float_images_load(const cc_float_images *spec, size_t n, const float *images, float *out);
/* The first of n values that is not finite; n if all are. */
size_t cc_find_not_finite(const float *values, size_t n);

#endif
