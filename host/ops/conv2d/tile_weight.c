/* Register-tile weight gradient for CPUs (cl/conv2d/tile_weight.cl). */
#include <stdio.h>

#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/conv2d/lists.h"
#include "ops/conv2d/parts.h"
#include "ops/conv2d/shape.h"
#include "ops/conv2d/tile.h"
#include "ops/record.h"

enum {
    GROUP_PIXELS = 128,  /* a panel of dy for so many pixels takes half of a first-level cache */
    CLOSE_CHANNELS = 64, /* pixels of no more channels spread over the sets of a first-level cache as they are */
};

/* How a task is cut: `slice` input by `outputs` output channels, register tiles of `rows` out of `run` numbers. */
typedef struct weight_block {
    size_t slice, outputs, run, rows, run_pitch;
    bool joined;
} weight_block;

static weight_block choose_block(const cc_conv2d_desc *d, const cc_conv2d_panel *panel)
{
    /* The sums of a block stay in a second-level cache, and each loaded number is used for up to `side` channels of the other tensor. */
    const size_t side = d->r * d->s == 1 ? 128 : 64;
    weight_block b = { .slice = cc_min_size(d->c, side), .outputs = cc_min_size(cc_round_up(d->k, panel->channels), side) };
    /* If C is not a multiple of 8, tiles over c would have idle rows: tiles are then cut from (s,c). */
    b.joined = d->c % 8 != 0 && b.slice == d->c;
    b.run = b.joined ? d->s * d->c : b.slice;
    b.rows = b.run <= panel->most_rows ? b.run : panel->rows;
    b.run_pitch = cc_round_up(b.run, b.rows);
    return b;
}

static bool supports(const camcl_device_info *info, const void *desc)
{
    return ((const cc_conv2d_desc *)desc)->groups == 1 && cc_likes_long_items(info);
}

static camcl_status backward_weight(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_BACKWARD_WEIGHT, d, io, count, false, err));
    const size_t p = cc_conv2d_out_h(d), q = cc_conv2d_out_w(d);
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const size_t items = 4 * (size_t)info->compute_units;
    const cc_conv2d_panel panel = cc_conv2d_tile_panel(info, d->k);
    const weight_block b = choose_block(d, &panel);
    const size_t blocks = cc_ceil_div(d->c, b.slice) * cc_ceil_div(d->k, b.outputs);

    const size_t parts_wanted = cc_ceil_div(items, blocks);
    const cc_conv2d_groups g = cc_conv2d_tile_groups(d->n, p, 1, 1, q, GROUP_PIXELS, parts_wanted);
    const size_t groups_each = cc_ceil_div(g.count, cc_min_size(parts_wanted, g.count)), parts = cc_ceil_div(g.count, groups_each);
    const bool single = d->r * d->s == 1;
    /* Pixels that lie close together are used in place, without copies, unless a tile would read beyond the last pixel. */
    const bool use_panels = d->k > CLOSE_CHANNELS || d->k % panel.channels != 0;
    const bool use_band = !single || d->pad > 0 || d->c > CLOSE_CHANNELS || d->c % b.rows != 0;
    /* an odd number of cache lines from pixel to pixel, so that they spread over a cache's sets */
    const size_t band_pixel =
        b.joined || !use_band ? d->c : cc_round_up(b.slice, CC_CACHE_LINE) + (cc_ceil_div(b.slice, CC_CACHE_LINE) % 2 ? 0 : CC_CACHE_LINE);
    const size_t columns = single ? q : (q - 1) * d->stride + d->s, band_row = (use_band ? columns : d->w) * band_pixel;
    const size_t band_image = !use_band ? d->h * band_row : (single ? g.rows : (g.rows - 1) * d->stride + d->r) * band_row;
    const size_t band_size = use_band ? cc_round_up(g.images * band_image + b.rows, CC_CACHE_LINE) : 0, pixels = g.images * g.rows * q;
    const size_t sums_size = d->r * (b.joined ? 1 : d->s) * b.run_pitch * b.outputs;
    const size_t scratch_each = (use_panels ? pixels * b.outputs : 0) + band_size + sums_size + cc_round_up(pixels, CC_CACHE_LINE);
    const size_t walkers = cc_min_size(items, parts * blocks);

    char options[64];
    snprintf(options, sizeof options, "%s -DROWS=%zu -DVECTORS=%u", cc_vector_options(info), b.rows, panel.vectors);
    cc_buffer *scratch;
    cc_conv2d_parts out;
    CC_RETURN_IF_FAILED(cc_tape_buffer(tape, walkers * scratch_each * sizeof(float), "weight gradient bands", &scratch, err));
    CC_RETURN_IF_FAILED(cc_conv2d_parts_begin(tape, d, parts, io[2].buffer, add, &out, err));
    const cc_launch launch = { .options = options, .dims = 1, .global = { walkers }, .local = { 1 }, .flops = cc_conv2d_flops(d) };
    CC_RETURN_IF_FAILED(CC_LAUNCH(
        tape, conv2d_backward_weight_tile, &launch, err, .x = CC_IN(io[0].buffer), .dy = CC_IN(io[1].buffer),
        .dw = CC_CONV2D_PARTS_OUT(out), .scratch = CC_INOUT(scratch), .N = CC_INT(d->n), .H = CC_INT(d->h), .W = CC_INT(d->w),
        .C = CC_INT(d->c), .K = CC_INT(d->k), .P = CC_INT(p), .Q = CC_INT(q), .R = CC_INT(d->r), .segments = CC_INT(b.joined ? 1 : d->s),
        .joined = CC_INT(b.joined), .stride = CC_INT(d->stride), .pad = CC_INT(d->pad), .images = CC_INT(g.images), .rows = CC_INT(g.rows),
        .groups_per_image = CC_INT(g.per_image), .groups = CC_INT(g.count), .groups_each = CC_INT(groups_each),
        .band_columns = CC_INT(columns), .band_image = CC_INT(band_image), .band_row = CC_INT(band_row), .band_pixel = CC_INT(band_pixel),
        .band_size = CC_INT(band_size), .use_band = CC_INT(use_band), .use_panels = CC_INT(use_panels),
        .scratch_each = CC_INT(scratch_each), .parts = CC_INT(parts), .slice = CC_INT(b.slice), .run = CC_INT(b.run),
        .run_pitch = CC_INT(b.run_pitch), .outputs = CC_INT(b.outputs), CC_CONV2D_PARTS_ARGS(out)));
    return cc_conv2d_parts_end(tape, &out, err);
}

const cc_variant cc_conv2d_tile_weight_variants[] = {
    { .op = &cc_conv2d_operation,
      .direction = CC_BACKWARD_WEIGHT,
      .name = "tile",
      .family = "direct",
      .supports = supports,
      .record = backward_weight },
};
const size_t cc_conv2d_tile_weight_variant_count = CC_COUNT(cc_conv2d_tile_weight_variants);
