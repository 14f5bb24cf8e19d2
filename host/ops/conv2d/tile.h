/* How the register-tile convolutions cut their work. */
#ifndef CC_OPS_CONV2D_TILE_H
#define CC_OPS_CONV2D_TILE_H

#include <stddef.h>

#include "ops/conv2d/family.h"

/* A band of padded input lives in a core's second-level cache beside a panel of weights. */
#define CC_CONV2D_TILE_BAND_BYTES ((size_t)128 * 1024)

/* float16 vectors of a panel of output channels. */
unsigned cc_conv2d_tile_vectors(size_t channels);

/* Numbers from one pixel of a band to the next. */
size_t cc_conv2d_tile_pixel_pitch(size_t channels);

/* Backward-data of a strided convolution falls into stride x stride phases. Input rows h = first + stride*i, i < count, are those of phase
 * a: (h + pad) mod stride = a. Tap r = a + stride*j, j < taps, leads from there to output row (h + pad - a)/stride - j, which is origin + i
 * + taps - 1 - j. Columns likewise. */
typedef struct cc_conv2d_phase {
    size_t first, count, taps;
    int origin;
} cc_conv2d_phase;
cc_conv2d_phase cc_conv2d_get_phase(size_t a, size_t size, size_t kernel, size_t stride, size_t pad);

/* Groups of output rows: either `images` whole images (per_image 1), or `rows` rows of one image, per_image groups in each. */
typedef struct cc_conv2d_groups {
    size_t images, rows, per_image, count;
} cc_conv2d_groups;
/* Groups whose band, of rows of row_bytes, fits the budget (one output row always does), and of which there are at least `items` if the
 * shape allows. */
cc_conv2d_groups cc_conv2d_tile_groups(size_t n, size_t out_rows, size_t rows_taps, size_t stride, size_t row_bytes, size_t budget,
                                       size_t items);

/* point.c: 1x1 without padding. `backward`: y = the gradient of x, and x that of y. */
bool cc_conv2d_is_point(const cc_conv2d_desc *desc);
camcl_status cc_conv2d_point_record(cc_tape *tape, const cc_conv2d_desc *desc, bool backward, cc_buffer *x, cc_buffer *w, cc_buffer *y,
                                    bool add, const cc_conv2d_affine *affine, camcl_error *err);
/* Its weight gradient, for channels that come in whole register tiles. */
bool cc_conv2d_is_point_weight(const cc_conv2d_desc *desc);
camcl_status cc_conv2d_point_backward_weight(cc_tape *tape, const cc_conv2d_desc *desc, const cc_tensor *io, bool add, camcl_error *err);

/* narrow.c: few input channels. Forward overwrites y. */
bool cc_conv2d_is_narrow(const cc_conv2d_desc *desc);
camcl_status cc_conv2d_narrow_forward(cc_tape *tape, const cc_conv2d_desc *desc, const cc_tensor *io, camcl_error *err);
/* The weight gradient where a filter row, its channels included, fits a register tile. */
bool cc_conv2d_is_narrow_weight(const cc_conv2d_desc *desc);
camcl_status cc_conv2d_narrow_backward_weight(cc_tape *tape, const cc_conv2d_desc *desc, const cc_tensor *io, bool add, camcl_error *err);

#endif
