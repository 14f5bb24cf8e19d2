/* Tiles of matrix products in local memory (cl/conv2d/local_tile.clh): what the convolutions for GPUs share. */
#ifndef CC_OPS_CONV2D_LOCAL_TILE_H
#define CC_OPS_CONV2D_LOCAL_TILE_H

#include "device/tape.h"

/* A work-group computes a tile of rows x columns sums; each of its work-items computes block_rows x block_columns of them. `depth` is
 * the number of terms that a step adds to each sum. */
typedef struct cc_local_tile {
    size_t rows, columns, block_rows, block_columns, depth;
} cc_local_tile;

/* The device's tile for products of so many columns. The large tile has the fewest loads from local memory. The small tile needs fewer
 * registers and cuts a product into more tiles, which more work-groups share. */
cc_local_tile cc_local_tile_get(const camcl_device_info *info, bool small, size_t columns);

size_t cc_local_tile_items(const cc_local_tile *tile);
bool cc_local_tile_supports(const camcl_device_info *info, const cc_local_tile *tile);

/* Whether large tiles are likely faster: `products` products of rows x columns fill the device with large tiles, few of their sums lie
 * beyond the products, and the device has enough registers. `vector`: all numbers of lines and terms are multiples of 4. */
bool cc_local_tile_prefers_large(const camcl_device_info *info, size_t rows, size_t columns, size_t products, bool vector);

/* Build options; `extra`: more options, or "". */
typedef struct cc_local_options {
    char text[160];
} cc_local_options;
cc_local_options cc_local_tile_options(const camcl_device_info *info, const cc_local_tile *tile, bool vector, const char *extra);

/* Sums of `terms` terms in parts of `steps` steps each, so that `products` products of rows x columns fill the device. */
typedef struct cc_local_split {
    size_t parts, steps;
} cc_local_split;
cc_local_split cc_local_tile_split(const camcl_device_info *info, const cc_local_tile *tile, size_t rows, size_t columns, size_t products,
                                   size_t terms);
/* The same for a given number of parts, the last of which may be empty. */
size_t cc_local_tile_steps(const cc_local_tile *tile, size_t terms, size_t parts);

/* Both variants of a direction whose function takes, behind the tape, whether the tiles are small: DIRECTION_large, DIRECTION_small. */
#define CC_LARGE_AND_SMALL(direction)                                                                                                      \
    static camcl_status direction##_large(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)  \
    {                                                                                                                                      \
        return direction(tape, false, desc, io, count, add, err);                                                                          \
    }                                                                                                                                      \
    static camcl_status direction##_small(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)  \
    {                                                                                                                                      \
        return direction(tape, true, desc, io, count, add, err);                                                                           \
    }

#endif
