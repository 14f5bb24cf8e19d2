/* Few input channels, as a first layer has them, on CPUs (cl/conv2d/narrow.cl, cl/conv2d/narrow_weight.cl). */
#include <stdio.h>

#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/conv2d/lists.h"
#include "ops/conv2d/parts.h"
#include "ops/conv2d/shape.h"
#include "ops/conv2d/tile.h"
#include "ops/record.h"

enum {
    PIXELS = 8,             /* of a forward register tile: one vector of sums for each, */
    PIXELS_OF_PAIRS = 4,    /* or two, which needs fewer loads */
    LEAST_SUMS = 8,         /* fewer do not hide the latency of an fma */
    BAND_BYTES = 16 * 1024, /* half of a first-level cache */
    BLOCK_PIXELS = 256,
};

/* Groups of `rows` output rows of an image. */
typedef struct narrow_groups {
    size_t rows, per_image, count, columns, band_size;
} narrow_groups;

static narrow_groups cut(const cc_conv2d_desc *d)
{
    const size_t p = cc_conv2d_out_h(d), columns = (cc_conv2d_out_w(d) - 1) * d->stride + d->s;
    const size_t band_rows = BAND_BYTES / (columns * d->c * sizeof(float));
    const size_t fit = band_rows > d->r ? (band_rows - d->r) / d->stride + 1 : 1;
    narrow_groups g = { .rows = cc_ceil_div(p, cc_ceil_div(p, cc_min_size(p, fit))), .columns = columns };
    g.per_image = cc_ceil_div(p, g.rows);
    g.count = d->n * g.per_image;
    g.band_size = cc_round_up(((g.rows - 1) * d->stride + d->r) * columns * d->c, CC_CACHE_LINE);
    return g;
}

/* The kernel is built for each distance between pixels. */
static bool supports(const camcl_device_info *info, const void *desc)
{
    const cc_conv2d_desc *d = desc;
    return d->groups == 1 && cc_likes_long_items(info) && d->c < 8 && d->stride <= 2 && d->k % info->vector_width == 0 &&
           cc_conv2d_out_w(d) >= PIXELS;
}

static camcl_status forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_FORWARD, d, io, count, true, err));
    const size_t p = cc_conv2d_out_h(d), q = cc_conv2d_out_w(d);
    const narrow_groups g = cut(d);
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const size_t walkers = cc_min_size(4 * (size_t)info->compute_units, g.count);
    const cc_conv2d_panel panel = cc_conv2d_tile_panel(info, d->k);
    /* Where registers are few and operands are not spread from memory within a product (AVX2), loads are what holds it back. */
    const bool pairs = info->vector_registers <= 16 && panel.vectors == 2 && d->k % panel.channels == 0;
    char options[64];
    snprintf(options, sizeof options, "%s -DSTEP=%zu -DPIXELS=%d -DVECTORS=%d", cc_vector_options(info), d->stride * d->c,
             pairs ? PIXELS_OF_PAIRS : PIXELS, pairs ? 2 : 1);
    cc_buffer *scratch;
    CC_RETURN_IF_FAILED(cc_tape_buffer(tape, walkers * g.band_size * sizeof(float), "convolution bands", &scratch, err));
    const cc_launch launch = { .options = options, .dims = 1, .global = { walkers }, .local = { 1 }, .flops = cc_conv2d_flops(d) };
    return CC_LAUNCH(tape, conv2d_narrow, &launch, err, .x = CC_IN(io[0].buffer), .w = CC_IN(io[1].buffer),
                     .y = add ? CC_INOUT(io[2].buffer) : CC_OUT(io[2].buffer), .scratch = CC_INOUT(scratch), .H = CC_INT(d->h),
                     .W = CC_INT(d->w), .C = CC_INT(d->c), .K = CC_INT(d->k), .P = CC_INT(p), .Q = CC_INT(q), .R = CC_INT(d->r),
                     .run = CC_INT(d->s * d->c), .stride = CC_INT(d->stride), .pad = CC_INT(d->pad), .rows = CC_INT(g.rows),
                     .groups_per_image = CC_INT(g.per_image), .groups = CC_INT(g.count), .block = CC_INT(cc_max_size(1, BLOCK_PIXELS / q)),
                     .band_columns = CC_INT(g.columns), .band_size = CC_INT(g.band_size), .KB = CC_INT(panel.channels), .add = CC_INT(add));
}

/* Filter rows of a register tile, whose sums share the registers with a vector of dy, an input value and a product where there is no fma;
 * 0: none fits. Where vectors are narrow, each of several input values on their way takes a register. */
static size_t tile_taps(const camcl_device_info *info, const cc_conv2d_desc *d)
{
    const size_t most_sums = info->vector_registers - (info->vector_registers <= 16 ? 3 : info->vector_width == 16 ? 4 : 8);
    for (size_t taps = d->r; taps > 0; taps--)
        if (d->r % taps == 0 && taps * d->s * d->c <= most_sums) return taps * d->s * d->c >= LEAST_SUMS ? taps : 0;
    return 0;
}

static bool supports_weight(const camcl_device_info *info, const void *desc)
{
    const cc_conv2d_desc *d = desc;
    return d->groups == 1 && cc_likes_long_items(info) && d->c % 8 != 0 && d->k % info->vector_width == 0 && tile_taps(info, d) > 0;
}

static camcl_status backward_weight(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_BACKWARD_WEIGHT, d, io, count, false, err));
    const size_t p = cc_conv2d_out_h(d), q = cc_conv2d_out_w(d), rsc = d->r * d->s * d->c;
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const size_t units = info->compute_units, items = units > 1 ? 4 * units : 1;
    const size_t kb = cc_conv2d_tile_panel(info, d->k).channels;
    const narrow_groups g = cut(d);
    const size_t groups_each = cc_ceil_div(g.count, cc_min_size(items, g.count)), parts = cc_ceil_div(g.count, groups_each);
    const size_t scratch_each = g.band_size + rsc * d->k;

    char options[64];
    snprintf(options, sizeof options, "%s -DTAPS=%zu -DRUN=%zu", cc_vector_options(info), tile_taps(info, d), d->s * d->c);
    cc_buffer *scratch;
    cc_conv2d_parts out;
    CC_RETURN_IF_FAILED(cc_tape_buffer(tape, parts * scratch_each * sizeof(float), "weight gradient bands", &scratch, err));
    CC_RETURN_IF_FAILED(cc_conv2d_parts_begin(tape, d, parts, io[2].buffer, add, &out, err));
    const cc_launch launch = { .options = options, .dims = 1, .global = { parts }, .local = { 1 }, .flops = cc_conv2d_flops(d) };
    CC_RETURN_IF_FAILED(
        CC_LAUNCH(tape, conv2d_backward_weight_narrow, &launch, err, .x = CC_IN(io[0].buffer), .dy = CC_IN(io[1].buffer),
                  .dw = CC_CONV2D_PARTS_OUT(out), .scratch = CC_INOUT(scratch), .H = CC_INT(d->h), .W = CC_INT(d->w), .C = CC_INT(d->c),
                  .K = CC_INT(d->k), .P = CC_INT(p), .Q = CC_INT(q), .R = CC_INT(d->r), .stride = CC_INT(d->stride), .pad = CC_INT(d->pad),
                  .rows = CC_INT(g.rows), .groups_per_image = CC_INT(g.per_image), .groups = CC_INT(g.count),
                  .groups_each = CC_INT(groups_each), .block = CC_INT(cc_max_size(1, BLOCK_PIXELS / q)), .band_columns = CC_INT(g.columns),
                  .band_size = CC_INT(g.band_size), .scratch_each = CC_INT(scratch_each), .KB = CC_INT(kb), CC_CONV2D_PARTS_ARGS(out)));
    return cc_conv2d_parts_end(tape, &out, err);
}

const cc_variant cc_conv2d_narrow_variants[] = {
    { .op = &cc_conv2d_operation,
      .direction = CC_FORWARD,
      .name = "narrow",
      .family = "direct",
      .supports = supports,
      .record = forward,
      .packed_bytes = cc_conv2d_tile_forward_bytes,
      .pack = cc_conv2d_tile_pack_forward,
      .layout = "tile_forward" },
    { .op = &cc_conv2d_operation,
      .direction = CC_BACKWARD_WEIGHT,
      .name = "narrow",
      .family = "direct",
      .supports = supports_weight,
      .record = backward_weight },
};
const size_t cc_conv2d_narrow_variant_count = CC_COUNT(cc_conv2d_narrow_variants);
