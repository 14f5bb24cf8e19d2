/* Images and labels of a data set on the device, as bytes. All labels are there, and all images or as many as there is room for; the
 * others are streamed: those of a batch are brought while the device still works on the batches before. */
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

/* Which images are kept on the device where there is not room for all. */
typedef struct cc_streaming {
    const uint32_t *order; /* [count] the images that will be asked for, each below spec.count; the first ones are kept */
    size_t count;
    size_t room;  /* the most images kept */
    size_t batch; /* the most images of one cc_resident_place */
} cc_streaming;

typedef struct cc_resident cc_resident;

/* Copies everything to the device, or with `streaming`, which may be NULL, what is kept there, split into buffers that the device allows.
 * With streaming, pixels are borrowed. The caller owns *out. */
camcl_status cc_resident_create(camcl_device *device, const cc_resident_spec *spec, cc_resident **out, camcl_error *err);
camcl_status cc_resident_create_streaming(camcl_device *device, const cc_resident_spec *spec, const cc_streaming *streaming,
                                          cc_resident **out, camcl_error *err);
/* Replaces the first n images and their labels, where all are kept. Waits until pixels and labels may be reused. */
camcl_status cc_resident_write(cc_resident *resident, size_t n, const uint8_t *pixels, const int32_t *labels, camcl_error *err);
void cc_resident_destroy(cc_resident **resident);
size_t cc_resident_channels(const cc_resident *resident);
size_t cc_resident_count(const cc_resident *resident); /* images of the data set */

/* Where images lie. A source is an image's index in the data set; its place says where it lies on the device. They are the same, and remain
 * so, where all images are kept: cc_resident_is_whole. Otherwise whoever runs a tape that loads images calls cc_resident_place before. */
bool cc_resident_is_whole(const cc_resident *resident);
/* Places n images: enqueues the transfer of those that are not on the device, and replaces the sources of transforms, each below count, by
 * places. Negative ones remain. The places hold for what is enqueued before the next call. */
camcl_status cc_resident_place(cc_resident *resident, size_t n, cc_transform *transforms, camcl_error *err);
/* Images that will be asked for, and those among them that are on the device all the time. */
size_t cc_resident_used(const cc_resident *resident);
size_t cc_resident_kept(const cc_resident *resident);

/* Records: rows dst_row0 .. dst_row0+n-1 of dst [*,size,size,C] = the images at the places that transforms [n,8] name, normalised, resized
 * to size and flipped, of which dst gets the windows. Rows whose place is negative are not written. */
camcl_status cc_resident_load(const cc_resident *resident, cc_tape *tape, size_t n, size_t size, cc_window window, cc_tensor transforms,
                              cc_tensor dst, size_t dst_row0, camcl_error *err);
/* Records the same for shifted windows, with operations [n,operations,8] applied to the bytes before they are normalised (cc_randaugment).
 */
camcl_status cc_resident_load_augmented(const cc_resident *resident, cc_tape *tape, size_t n, size_t size, cc_tensor transforms,
                                        size_t operations, cc_tensor table, cc_tensor dst, size_t dst_row0, camcl_error *err);
/* Records: out[i] (i32) = label of transforms[i].source, the index in the data set; -1 where the source is negative. */
camcl_status cc_resident_labels(const cc_resident *resident, cc_tape *tape, size_t n, cc_tensor transforms, cc_tensor out,
                                camcl_error *err);

#endif
