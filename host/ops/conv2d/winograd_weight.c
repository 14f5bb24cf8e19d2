/* Weight gradients in the Winograd domain for CPUs, of stride 1 (cl/conv2d/winograd_weight.cl) and 2
 * (cl/conv2d/winograd_stride2_weight.cl). */
#include <stdio.h>

#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/conv2d/lists.h"
#include "ops/conv2d/parts.h"
#include "ops/conv2d/tile.h"
#include "ops/conv2d/winograd.h"
#include "ops/conv2d/winograd_stride2.h"
#include "ops/record.h"

enum { WEIGHT_POINTS = 36 }; /* of the kernels */

/* Channels of a block either way: its gradient takes 590 KB. */
enum { BLOCK_CHANNELS = 64 };

/* What is fetched during the products (cl/conv2d/winograd_weight.clh). Few blocks go through many tiles: the next ones are fetched. With
 * more blocks, tensors are read so often that they are in a cache, but the result is too large for one, so that its lines are fetched. */
enum { FETCH_NOTHING, FETCH_TILES, FETCH_RESULT };
enum { FETCHING_BLOCKS = 8 };

/* `tiles` at a time, transformed into `points` points each way (440 and 500 KB), share a second-level cache with the block's gradient.
 * Twice or half as many are no faster. */
typedef struct weight_form {
    size_t stride, points, tiles;
} weight_form;
static const weight_form stride1 = { 1, 36, 24 };
static const weight_form stride2 = { 2, 81, 12 };

static camcl_status record(cc_tape *tape, const weight_form *form, const cc_conv2d_desc *d, const cc_tensor *io, size_t count, bool add,
                           camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_BACKWARD_WEIGHT, d, io, count, false, err));
    const size_t p = cc_conv2d_out_h(d), q = cc_conv2d_out_w(d);
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const size_t items = 2 * (size_t)info->compute_units;
    const cc_conv2d_panel panel = cc_conv2d_tile_panel(info, d->k);
    const size_t kb = panel.channels, panels = cc_ceil_div(d->k, kb);
    const size_t tiles_h = cc_ceil_div(p, 4), tiles_w = cc_ceil_div(q, 4), tiles = d->n * tiles_h * tiles_w;

    const size_t inputs = cc_min_size(cc_round_up(d->c, CC_CACHE_LINE), BLOCK_CHANNELS), outputs = cc_min_size(panels * kb, BLOCK_CHANNELS);
    const size_t blocks = cc_ceil_div(d->c, inputs) * cc_ceil_div(d->k, outputs);
    const size_t most_parts = cc_min_size(cc_ceil_div(items, blocks), tiles);
    const size_t tiles_each = cc_ceil_div(tiles, most_parts), parts = cc_ceil_div(tiles, tiles_each);
    const size_t rounds = cc_ceil_div(tiles_each, form->tiles), block = cc_ceil_div(tiles_each, rounds);
    const size_t steps = block * (inputs + outputs) + 2 * CC_CACHE_LINE,
                 u_step = cc_round_up(inputs, panel.rows) * outputs + CC_CACHE_LINE; /* V, M; dU: each a line apart */
    /* copies of the last channels; zeros */
    const size_t numbers = form->points * (steps + CC_CACHE_LINE) + WEIGHT_POINTS * u_step + cc_max_size(inputs, outputs);
    const size_t scratch_each = cc_round_up(numbers, CC_CACHE_LINE), walkers = cc_min_size(items, parts * blocks);

    /* With small blocks, fetching takes longer than it saves. */
    const int few = inputs + outputs > BLOCK_CHANNELS ? FETCH_TILES : FETCH_NOTHING, fetch = blocks <= FETCHING_BLOCKS ? few : FETCH_RESULT;

    char options[64];
    snprintf(options, sizeof options, "%s -DROWS=%u -DVECTORS=%u", cc_vector_options(info), panel.rows, panel.vectors);
    cc_buffer *scratch;
    cc_conv2d_parts out;
    CC_RETURN_IF_FAILED(cc_tape_buffer(tape, walkers * scratch_each * sizeof(float), "weight gradient tiles", &scratch, err));
    CC_RETURN_IF_FAILED(cc_conv2d_parts_begin(tape, d, parts, io[2].buffer, add, &out, err));
    const cc_launch launch = { .options = options, .dims = 1, .global = { walkers }, .local = { 1 }, .flops = cc_conv2d_flops(d) };
#define ARGS                                                                                                                               \
    .x = CC_IN(io[0].buffer), .dy = CC_IN(io[1].buffer), .dw = CC_CONV2D_PARTS_OUT(out), .scratch = CC_INOUT(scratch), .H = CC_INT(d->h),  \
    .W = CC_INT(d->w), .C = CC_INT(d->c), .K = CC_INT(d->k), .P = CC_INT(p), .Q = CC_INT(q), .pad = CC_INT(d->pad),                        \
    .tiles_h = CC_INT(tiles_h), .tiles_w = CC_INT(tiles_w), .tiles = CC_INT(tiles), .tiles_each = CC_INT(tiles_each),                      \
    .block = CC_INT(block), .inputs = CC_INT(inputs), .outputs = CC_INT(outputs), .scratch_each = CC_INT(scratch_each),                    \
    .parts = CC_INT(parts), .fetch = CC_INT(fetch), CC_CONV2D_PARTS_ARGS(out)
    CC_RETURN_IF_FAILED(form->stride == 1 ? CC_LAUNCH(tape, conv2d_backward_weight_winograd, &launch, err, ARGS)
                                          : CC_LAUNCH(tape, conv2d_backward_weight_winograd_stride2, &launch, err, ARGS));
#undef ARGS
    return cc_conv2d_parts_end(tape, &out, err);
}

static camcl_status backward_weight(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    return record(tape, &stride1, desc, io, count, add, err);
}

static camcl_status backward_weight_stride2(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    return record(tape, &stride2, desc, io, count, add, err);
}

const cc_variant cc_conv2d_winograd_weight_variants[] = {
    { .op = &cc_conv2d_operation,
      .direction = CC_BACKWARD_WEIGHT,
      .name = "winograd",
      .family = "winograd",
      .supports = cc_conv2d_winograd_supports,
      .record = backward_weight },
    { .op = &cc_conv2d_operation,
      .direction = CC_BACKWARD_WEIGHT,
      .name = "winograd_stride2",
      .family = "winograd",
      .supports = cc_conv2d_winograd_stride2_supports,
      .record = backward_weight_stride2 },
};
const size_t cc_conv2d_winograd_weight_variant_count = CC_COUNT(cc_conv2d_winograd_weight_variants);
