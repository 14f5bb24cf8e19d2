/* Images and labels of a data set on the device, as bytes. */
#ifndef CC_FEED_RESIDENT_H
#define CC_FEED_RESIDENT_H

#include "ops/ops.h"

typedef struct cc_resident_spec {
    const uint8_t *pixels; /* [count,height,width,channels], or NULL: cc_resident_write brings them */
    const int32_t *labels; /* [count], or NULL: all -1 */
    size_t count, height, width, channels;
    const float *mean, *std; /* [channels]; a loaded value is (byte/255 - mean)/std */
    const char *name;        /* for out-of-memory reports */
} cc_resident_spec;

typedef struct cc_resident cc_resident;

/* Copies everything to the device, split into buffers that the device allows. The caller owns *out. */
camcl_status cc_resident_create(camcl_device *device, const cc_resident_spec *spec, cc_resident **out, camcl_error *err);
/* Replaces the first n images and their labels. Waits until pixels and labels may be reused. */
camcl_status cc_resident_write(cc_resident *resident, size_t n, const uint8_t *pixels, const int32_t *labels, camcl_error *err);
void cc_resident_destroy(cc_resident **resident);
size_t cc_resident_channels(const cc_resident *resident);
size_t cc_resident_count(const cc_resident *resident); /* images */

/* Records: rows dst_row0 .. dst_row0+n-1 of dst [*,size,size,C] = the images that transforms [n,8] names, normalised, resized to size
 * and flipped. Rows whose source is negative are not written. */
camcl_status cc_resident_load(const cc_resident *resident, cc_tape *tape, size_t n, size_t size, cc_tensor transforms, cc_tensor dst,
                              size_t dst_row0, camcl_error *err);
/* Records: out[i] (i32) = label of transforms[i].source, -1 where the source is negative. */
camcl_status cc_resident_labels(const cc_resident *resident, cc_tape *tape, size_t n, cc_tensor transforms, cc_tensor out,
                                camcl_error *err);

#endif
