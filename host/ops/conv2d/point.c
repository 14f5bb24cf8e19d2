/* 1x1 convolution without padding for CPUs (cl/conv2d/point.cl, cl/conv2d/point_weight.cl). */
#include <stdio.h>

#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/conv2d/lists.h"
#include "ops/conv2d/parts.h"
#include "ops/conv2d/shape.h"
#include "ops/conv2d/tile.h"
#include "ops/record.h"

enum {
    WEIGHT_BYTES = 256 * 1024, /* that a second-level cache keeps while pixels stream through half of a first-level cache */
    STREAM_BYTES = 16 * 1024,
    SIDE = 256, /* channels each way of a task of a weight gradient: its sums take half of a second-level cache of 512 KiB */
    BLOCK = 48, /* pixels that a weight gradient takes at a time: their panels and the next block's pixels take most of the rest */
    FETCHED_CHANNELS = 64, /* pixels of fewer that follow one another are fetched well by the processor itself */
};

static bool is_point(const cc_conv2d_desc *d) { return d->r == 1 && d->s == 1 && d->pad == 0 && d->groups == 1; }
static bool supports(const camcl_device_info *info, const void *desc) { return cc_likes_long_items(info) && is_point(desc); }
static bool supports_affine(const camcl_device_info *info, const void *desc)
{
    return cc_conv2d_affine_has_slope(desc) && supports(info, cc_conv2d_of_affine(desc));
}

/* `backward`: y is the gradient of the input, and x that of the output. */
static camcl_status record(cc_tape *tape, const cc_conv2d_desc *d, bool backward, cc_buffer *x, cc_buffer *w, cc_buffer *y, bool add,
                           const cc_conv2d_affine *affine, camcl_error *err)
{
    const size_t c = backward ? d->k : d->c, k = backward ? d->c : d->k, p = cc_conv2d_out_h(d), q = cc_conv2d_out_w(d);
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const size_t items = 4 * (size_t)info->compute_units, pixels = d->n * p * q;
    const cc_conv2d_panel panel = cc_conv2d_tile_panel(info, k);
    const size_t panels = cc_ceil_div(k, panel.channels), rows = panel.rows; /* pixels of a register tile */
    const bool row = d->stride == 1;                                         /* all pixels are one */
    const size_t tiles = cc_ceil_div(pixels, rows), each = rows * cc_ceil_div(tiles, cc_min_size(items, tiles));
    const size_t walkers = cc_ceil_div(pixels, each);
    const size_t panels_each = cc_ceil_div(panels, cc_min_size(panels, cc_ceil_div(items, walkers)));
    const size_t block_bytes = c * k * sizeof(float) <= WEIGHT_BYTES ? STREAM_BYTES : CC_CONV2D_TILE_BAND_BYTES;
    const size_t block = cc_max_size(rows, block_bytes / (c * sizeof(float)) / rows * rows);
    const size_t side_in[2] = { row ? 1 : backward ? p : d->h, row ? pixels : backward ? q : d->w };
    const size_t side_out[2] = { row ? 1 : backward ? d->h : p, row ? pixels : backward ? d->w : q };

    char options[64];
    snprintf(options, sizeof options, "%s -DPIXELS=%u -DVECTORS=%u", cc_vector_options(info), panel.rows, panel.vectors);
    const cc_launch launch = { .options = options,
                               .dims = 2,
                               .global = { walkers, cc_ceil_div(panels, panels_each) },
                               .local = { 1, 1 },
                               .flops = cc_conv2d_flops(d) };
    return CC_LAUNCH(tape, conv2d_point, &launch, err, .x = CC_IN(x), .w = CC_IN(w), .y = add ? CC_INOUT(y) : CC_OUT(y), .C = CC_INT(c),
                     .K = CC_INT(k), .pixels = CC_INT(pixels), .P = CC_INT(row ? 1 : p), .Q = CC_INT(row ? pixels : q),
                     .H = CC_INT(side_in[0]), .W = CC_INT(side_in[1]), .stride = CC_INT(backward ? 1 : d->stride),
                     .out_H = CC_INT(side_out[0]), .out_W = CC_INT(side_out[1]), .out_step = CC_INT(backward ? d->stride : 1),
                     .each = CC_INT(each), .block = CC_INT(block), .panels = CC_INT(panels), .panels_each = CC_INT(panels_each),
                     .clear = CC_INT(backward && !row && !add), .add = CC_INT(add), .fetch = CC_INT(!row || c >= FETCHED_CHANNELS),
                     CC_CONV2D_AFFINE_ARGS(affine, x));
}

static camcl_status forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_FORWARD, desc, io, count, true, err));
    return record(tape, desc, false, io[0].buffer, io[1].buffer, io[2].buffer, add, NULL, err);
}

static camcl_status backward_data(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_BACKWARD_DATA, desc, io, count, true, err));
    return record(tape, desc, true, io[0].buffer, io[1].buffer, io[2].buffer, add, NULL, err);
}

static camcl_status forward_affine(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_affine_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_affine_check(d, io, count, add, err));
    const cc_conv2d_affine affine = { io[2].buffer, io[3].buffer, io[4].buffer, cc_activation_slope(d->activation) };
    return record(tape, &d->conv, false, io[0].buffer, io[1].buffer, io[5].buffer, false, &affine, err);
}

/* A tile must not read before the first channel or beyond the last one. */
static bool supports_weight(const camcl_device_info *info, const void *desc)
{
    const cc_conv2d_desc *d = desc;
    if (!supports(info, d)) return false;
    const cc_conv2d_panel panel = cc_conv2d_tile_panel(info, d->k);
    return d->c >= panel.rows && d->k % panel.channels == 0;
}

static camcl_status backward_weight(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_BACKWARD_WEIGHT, d, io, count, false, err));
    const size_t p = cc_conv2d_out_h(d), q = cc_conv2d_out_w(d), pixels = d->n * p * q;
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const size_t units = info->compute_units, items = units > 1 ? 2 * units : 1;
    const cc_conv2d_panel panel = cc_conv2d_tile_panel(info, d->k);
    const size_t kb = panel.channels, rows = panel.rows;
    const bool row = d->stride == 1; /* all pixels are one */
    const size_t slice = cc_ceil_div(d->c, cc_ceil_div(d->c, SIDE));
    const size_t outputs = cc_round_up(cc_ceil_div(d->k, cc_ceil_div(d->k, SIDE)), kb);
    const size_t pitch = cc_round_up(slice, rows), blocks = cc_ceil_div(d->c, slice) * cc_ceil_div(d->k, outputs);
    const size_t each = cc_ceil_div(pixels, cc_min_size(pixels, cc_ceil_div(items, blocks))), parts = cc_ceil_div(pixels, each);
    const size_t walkers = cc_min_size(items, parts * blocks);
    const size_t panels = pitch / rows * (BLOCK * rows + CC_CACHE_LINE) + outputs / kb * (BLOCK * kb + CC_CACHE_LINE);

    char options[64];
    snprintf(options, sizeof options, "%s -DROWS=%zu -DVECTORS=%u -DBLOCK=%d", cc_vector_options(info), rows, panel.vectors, BLOCK);
    cc_buffer *scratch;
    cc_conv2d_parts out;
    CC_RETURN_IF_FAILED(cc_tape_buffer(tape, walkers * (pitch * outputs + panels) * sizeof(float), "weight gradient sums", &scratch, err));
    CC_RETURN_IF_FAILED(cc_conv2d_parts_begin(tape, d, parts, io[2].buffer, add, &out, err));
    const cc_launch launch = { .options = options, .dims = 1, .global = { walkers }, .local = { 1 }, .flops = cc_conv2d_flops(d) };
    CC_RETURN_IF_FAILED(CC_LAUNCH(
        tape, conv2d_backward_weight_point, &launch, err, .x = CC_IN(io[0].buffer), .dy = CC_IN(io[1].buffer),
        .dw = CC_CONV2D_PARTS_OUT(out), .scratch = CC_INOUT(scratch), .C = CC_INT(d->c), .K = CC_INT(d->k), .pixels = CC_INT(pixels),
        .P = CC_INT(row ? 1 : p), .Q = CC_INT(row ? pixels : q), .H = CC_INT(row ? 1 : d->h), .W = CC_INT(row ? pixels : d->w),
        .stride = CC_INT(d->stride), .parts = CC_INT(parts), .each = CC_INT(each), .slice = CC_INT(slice), .pitch = CC_INT(pitch),
        .outputs = CC_INT(outputs), .fetch = CC_INT(!row || d->c >= FETCHED_CHANNELS), CC_CONV2D_PARTS_ARGS(out)));
    return cc_conv2d_parts_end(tape, &out, err);
}

const cc_variant cc_conv2d_point_variants[] = {
    { .op = &cc_conv2d_operation,
      .direction = CC_FORWARD,
      .name = "point",
      .family = "direct",
      .supports = supports,
      .record = forward,
      .packed_bytes = cc_conv2d_tile_forward_bytes,
      .pack = cc_conv2d_tile_pack_forward,
      .layout = "tile_forward" },
    { .op = &cc_conv2d_operation,
      .direction = CC_BACKWARD_DATA,
      .name = "point",
      .family = "direct",
      .supports = supports,
      .record = backward_data,
      .packed_bytes = cc_conv2d_tile_backward_data_bytes,
      .pack = cc_conv2d_tile_pack_backward_data,
      .layout = "tile_backward_data" },
    { .op = &cc_conv2d_operation,
      .direction = CC_BACKWARD_WEIGHT,
      .name = "point",
      .family = "direct",
      .supports = supports_weight,
      .record = backward_weight },
    { .op = &cc_conv2d_affine_operation,
      .direction = CC_FORWARD,
      .name = "point",
      .family = "direct",
      .supports = supports_affine,
      .record = forward_affine,
      .packed_bytes = cc_conv2d_tile_affine_bytes,
      .pack = cc_conv2d_tile_pack_affine,
      .layout = "tile_forward" },
};
const size_t cc_conv2d_point_variant_count = CC_COUNT(cc_conv2d_point_variants);
