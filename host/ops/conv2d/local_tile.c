/* Tile sizes of cl/conv2d/local_tile.clh and how products are cut into work-groups. */
#include "ops/conv2d/local_tile.h"

#include <stdio.h>

#include "base/memory.h"

enum {
    PAD = 4,            /* of cl/conv2d/local_tile.clh */
    FILL_ITEMS = 512,   /* work-items per compute unit that hide the latencies: two groups, 16 warps or 8 wavefronts */
    FILL_ITEMS_EU = 64, /* of Intel's, whose compute units are as small as that: 8 threads of 8 work-items */
    PART_TERMS = 256,   /* with fewer, storing a part costs as much as computing it */
};

/* Networks for small images have layers of 32 channels: for these the tile has 32 columns, because half of 64 would be idle. On an H100,
 * blocks of 8x4 made the small tile of 64 columns 7 % faster than blocks of 4x4. */
cc_local_tile cc_local_tile_get(const camcl_device_info *info, bool small, size_t columns)
{
    const size_t block = cc_device_get_class(info) == CC_CLASS_NVIDIA ? 8 : 4;
    if (small) return columns > 32 ? (cc_local_tile){ 64, 64, block, 4, 16 } : (cc_local_tile){ 64, 32, 4, 4, 16 };
    return columns > 64   ? (cc_local_tile){ 128, 128, 8, 8, 8 }
           : columns > 32 ? (cc_local_tile){ 128, 64, 8, 8, 8 }
                          : (cc_local_tile){ 128, 32, 8, 4, 16 };
}

size_t cc_local_tile_items(const cc_local_tile *tile) { return tile->rows / tile->block_rows * (tile->columns / tile->block_columns); }

bool cc_local_tile_supports(const camcl_device_info *info, const cc_local_tile *tile)
{
    return info->max_work_group >= cc_local_tile_items(tile) &&
           info->local_mem >= 2 * tile->depth * (tile->rows + tile->columns + 2 * PAD) * sizeof(float);
}

static size_t groups_of(const cc_local_tile *tile, size_t rows, size_t columns, size_t products)
{
    return cc_ceil_div(rows, tile->rows) * cc_ceil_div(columns, tile->columns) * products;
}

/* Work-groups that fill the device. */
static size_t groups_wanted(const camcl_device_info *info, const cc_local_tile *tile)
{
    const size_t fill = cc_device_get_class(info) == CC_CLASS_INTEL ? FILL_ITEMS_EU : FILL_ITEMS;
    return cc_ceil_div(cc_max_size(info->compute_units, 1) * fill, cc_local_tile_items(tile));
}

bool cc_local_tile_prefers_large(const camcl_device_info *info, size_t rows, size_t columns, size_t products, bool vector)
{
    const cc_device_class class = cc_device_get_class(info);
    /* On an H100, small tiles were 10 % faster where there are many products, or many parts of one: they fill the device anyway. */
    if (class == CC_CLASS_NVIDIA && products > 1) return false;
    const cc_local_tile large = cc_local_tile_get(info, false, columns), small = cc_local_tile_get(info, true, columns);
    const size_t groups = groups_of(&large, rows, columns, products);
    /* Large tiles are wasteful if more than a third of their sums lie beyond the matrix and are not computed by small tiles. */
    const bool wasteful =
        2 * groups * large.rows * large.columns > 3 * groups_of(&small, rows, columns, products) * small.rows * small.columns;
    /* A work-item with 8x8 sums takes 100 to 130 registers on NVIDIA's and AMD's GPUs, where a compute unit then still runs two groups or
     * more. If numbers are loaded one at a time (not `vector`), their addresses raise this to up to 165 registers, which is too many.
     * Intel's compiler spills registers where a thread has 32 work-items, and small GPUs have fewer registers. */
    const bool roomy = class == CC_CLASS_NVIDIA || class == CC_CLASS_AMD;
    return vector && roomy && !wasteful && groups >= groups_wanted(info, &large);
}

cc_local_options cc_local_tile_options(const camcl_device_info *info, const cc_local_tile *tile, bool vector, const char *extra)
{
    cc_local_options options;
    /* With two terms at a time, NVIDIA's GPUs still run two groups per unit. Other compilers spill registers, or fewer groups run. */
    const int unroll = cc_device_get_class(info) == CC_CLASS_NVIDIA ? 2 : 1;
    snprintf(options.text, sizeof options.text,
             "-DROWS=%zu -DCOLUMNS=%zu -DBLOCK_ROWS=%zu -DBLOCK_COLUMNS=%zu -DDEPTH=%zu -DVECTOR=%d -DUNROLL=%d%s%s", tile->rows,
             tile->columns, tile->block_rows, tile->block_columns, tile->depth, vector ? 4 : 1, unroll, *extra ? " " : "", extra);
    return options;
}

cc_local_split cc_local_tile_split(const camcl_device_info *info, const cc_local_tile *tile, size_t rows, size_t columns, size_t products,
                                   size_t terms)
{
    const size_t wanted = cc_ceil_div(groups_wanted(info, tile), groups_of(tile, rows, columns, products));
    const size_t parts = cc_min_size(wanted, cc_max_size(terms / PART_TERMS, 1)), steps = cc_local_tile_steps(tile, terms, parts);
    return (cc_local_split){ cc_max_size(cc_ceil_div(cc_ceil_div(terms, tile->depth), steps), 1), steps };
}

size_t cc_local_tile_steps(const cc_local_tile *tile, size_t terms, size_t parts)
{
    return cc_max_size(cc_ceil_div(cc_ceil_div(terms, tile->depth), parts), 1);
}
