/* How the register-tile convolutions cut their work. */
#ifndef CC_OPS_CONV2D_TILE_H
#define CC_OPS_CONV2D_TILE_H

#include "ops/conv2d/conv2d.h"

/* Floats of a cache line. */
enum { CC_CACHE_LINE = 16 };

/* The size of a band of padded input: it shares a core's second-level cache with a panel of weights. */
#define CC_CONV2D_TILE_BAND_BYTES ((size_t)128 * 1024)

/* How a panel of output channels and a register tile fill the device's vector registers: a panel is `vectors` vectors of `width` channels,
 * a tile `rows` rows of a panel, of which up to `most_rows` fit. */
typedef struct cc_conv2d_panel {
    unsigned width, vectors, rows, most_rows;
    size_t channels; /* width * vectors */
} cc_conv2d_panel;
cc_conv2d_panel cc_conv2d_tile_panel(const camcl_device_info *info, size_t channels);

/* Numbers from one pixel of a band to the next. */
size_t cc_conv2d_tile_pixel_pitch(size_t channels);

/* Groups of output rows: either `images` whole images (per_image 1), or `rows` rows of one image, per_image groups in each. */
typedef struct cc_conv2d_groups {
    size_t images, rows, per_image, count;
} cc_conv2d_groups;
/* Cuts the output rows into groups so that the band of a group, in rows of row_bytes, fits the budget. A group of one output row is
 * allowed in any case. There are at least `items` groups if the shape allows it. */
cc_conv2d_groups cc_conv2d_tile_groups(size_t n, size_t out_rows, size_t rows_taps, size_t stride, size_t row_bytes, size_t budget,
                                       size_t items);

/* The layouts of weights, in panels of output channels, that "tile", "point" and "narrow" share: cc_variant's packed_bytes and pack of each
 * direction and of conv2d_affine. */
size_t cc_conv2d_tile_forward_bytes(const camcl_device_info *info, const void *desc);
size_t cc_conv2d_tile_backward_data_bytes(const camcl_device_info *info, const void *desc);
size_t cc_conv2d_tile_affine_bytes(const camcl_device_info *info, const void *desc);
camcl_status cc_conv2d_tile_pack_forward(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed, camcl_error *err);
camcl_status cc_conv2d_tile_pack_backward_data(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed, camcl_error *err);
camcl_status cc_conv2d_tile_pack_affine(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed, camcl_error *err);

#endif
