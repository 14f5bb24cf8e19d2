/* Winograd convolution for CPUs with the weights transformed on the way (cl/conv2d/winograd_inline.cl): forward, and backward-data as the
 * same computation on dy with turned weights. */
#include <stdio.h>

#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/conv2d/lists.h"
#include "ops/conv2d/tile.h"
#include "ops/conv2d/winograd.h"
#include "ops/record.h"

enum { POINTS = 36, ROWS = 4, CHUNK = 64 }; /* of cl/conv2d/winograd.clh; tiles of the smallest register tile; of the kernel */

/* Tiles of a work-item: their products of one panel (590 KB) and a chunk of transformed weights (295 KB) share a second-level cache. */
enum { MOST_TILES = 128 };

/* `walkers` x `parts` work-items; a walker takes `block` tiles at a time, a part `panels_each` panels. */
typedef struct inline_split {
    size_t walkers, block, parts, panels_each;
} inline_split;

/* Panels are divided first, then tiles: each further block of tiles repeats the transform of the weights, which costs more than the
 * transform of the input, which each further part repeats. */
static inline_split split_work(size_t tiles, size_t panels, size_t units)
{
    inline_split s;
    s.panels_each = cc_ceil_div(panels, cc_min_size(panels, units));
    s.parts = cc_ceil_div(panels, s.panels_each);
    const size_t blocks = cc_max_size(cc_ceil_div(tiles, MOST_TILES), cc_min_size(cc_ceil_div(tiles, ROWS), cc_ceil_div(units, s.parts)));
    s.block = cc_round_up(cc_ceil_div(tiles, blocks), ROWS);
    s.walkers = cc_min_size(cc_ceil_div(tiles, s.block), cc_ceil_div(4 * units, s.parts));
    return s;
}

static camcl_status record_job(cc_tape *tape, const cc_winograd_job *j, cc_buffer *x, cc_buffer *w, cc_buffer *y, bool turn, bool add,
                               const cc_conv2d_affine *affine, double flops, camcl_error *err)
{
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const cc_conv2d_panel panel = cc_conv2d_tile_panel(info, j->k);
    const size_t kb = panel.channels, panels = cc_ceil_div(j->k, kb), tiles = cc_winograd_tiles(j);
    const inline_split s = split_work(tiles, panels, info->compute_units);
    const size_t points = s.block * kb + CHUNK * kb + cc_ceil_div(j->c, CHUNK) * (s.block * CHUNK + CC_CACHE_LINE) + 2 * CC_CACHE_LINE;
    const size_t scratch_each = POINTS * points + 9 * panel.width * panel.width + cc_round_up(j->c, CHUNK);
    char options[64];
    snprintf(options, sizeof options, "%s -DVECTORS=%u", cc_vector_options(info), panel.vectors);

    cc_buffer *scratch;
    CC_RETURN_IF_FAILED(cc_tape_buffer(tape, s.walkers * s.parts * scratch_each * sizeof(float), "convolution transforms", &scratch, err));
    const cc_launch launch = { .options = options, .dims = 2, .global = { s.walkers, s.parts }, .local = { 1, 1 }, .flops = flops };
    return CC_LAUNCH(tape, conv2d_winograd_inline, &launch, err, .x = CC_IN(x), .w = CC_IN(w), .y = add ? CC_INOUT(y) : CC_OUT(y),
                     .scratch = CC_INOUT(scratch), .H = CC_INT(j->h), .W = CC_INT(j->w), .C = CC_INT(j->c), .K = CC_INT(j->k),
                     .P = CC_INT(j->p), .Q = CC_INT(j->q), .pad = CC_INT(j->pad), .tiles_h = CC_INT(cc_ceil_div(j->p, 4)),
                     .tiles_w = CC_INT(cc_ceil_div(j->q, 4)), .tiles = CC_INT(tiles), .block = CC_INT(s.block), .panels = CC_INT(panels),
                     .panels_each = CC_INT(s.panels_each), .scratch_each = CC_INT(scratch_each), .turn = CC_INT(turn), .add = CC_INT(add),
                     CC_CONV2D_AFFINE_ARGS(affine, x));
}

static camcl_status forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_FORWARD, d, io, count, false, err));
    const cc_winograd_job job = cc_winograd_forward_job(d);
    return record_job(tape, &job, io[0].buffer, io[1].buffer, io[2].buffer, false, add, NULL, cc_conv2d_flops(d), err);
}

static camcl_status forward_affine(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_affine_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_affine_check(d, io, count, add, err));
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_FORWARD, &d->conv, (cc_tensor[]){ io[0], io[1], io[5] }, 3, false, err));
    const cc_conv2d_affine affine = { io[2].buffer, io[3].buffer, io[4].buffer, cc_activation_slope(d->activation) };
    const cc_winograd_job job = cc_winograd_forward_job(&d->conv);
    return record_job(tape, &job, io[0].buffer, io[1].buffer, io[5].buffer, false, false, &affine, cc_conv2d_flops(&d->conv), err);
}

static camcl_status backward_data(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_BACKWARD_DATA, d, io, count, false, err));
    const cc_winograd_job job = cc_winograd_backward_data_job(d);
    return record_job(tape, &job, io[0].buffer, io[1].buffer, io[2].buffer, true, add, NULL, cc_conv2d_flops(d), err);
}

const cc_variant cc_conv2d_winograd_inline_variants[] = {
    { .op = &cc_conv2d_operation,
      .direction = CC_FORWARD,
      .name = "winograd_inline",
      .family = "winograd",
      .supports = cc_conv2d_winograd_supports,
      .record = forward },
    { .op = &cc_conv2d_operation,
      .direction = CC_BACKWARD_DATA,
      .name = "winograd_inline",
      .family = "winograd",
      .supports = cc_conv2d_winograd_supports,
      .record = backward_data },
    { .op = &cc_conv2d_affine_operation,
      .direction = CC_FORWARD,
      .name = "winograd_inline",
      .family = "winograd",
      .supports = cc_conv2d_winograd_supports_affine,
      .record = forward_affine },
};
const size_t cc_conv2d_winograd_inline_variant_count = CC_COUNT(cc_conv2d_winograd_inline_variants);
