/* Winograd convolution of stride 2 for CPUs (cl/conv2d/winograd_stride2.cl). */
#include "ops/conv2d/winograd_stride2.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/conv2d/lists.h"
#include "ops/conv2d/tile.h"
#include "ops/conv2d/winograd.h"
#include "ops/record.h"

enum { POINTS = 81, WEIGHT_POINTS = 36, SIDE = 6, TAPS = 9 }; /* of cl/conv2d/winograd_stride2.clh */

bool cc_conv2d_winograd_stride2_supports(const camcl_device_info *info, const void *desc)
{
    const cc_conv2d_desc *d = desc;
    return d->groups == 1 && d->r == 3 && d->s == 3 && d->stride == 2 && d->pad <= 2 && cc_likes_long_items(info);
}

static bool supports_affine(const camcl_device_info *info, const void *desc)
{
    return cc_conv2d_affine_has_slope(desc) && cc_conv2d_winograd_stride2_supports(info, cc_conv2d_of_affine(desc));
}

/* Transformed weights take four times the memory of plain ones. Layers with many weights have small maps and so few tiles. There the
 * kernel transforms the weights itself, once for all tiles of a work-item, which costs less than writing and reading transformed
 * weights. The decision does not depend on the batch, so that passes of different batches share one packed copy. */
static bool plain_weights(const cc_conv2d_desc *d) { return d->c * d->k > 256 * 256; }

/* The most tiles of a work-item. Few tiles fit a core's cache; if the kernel transforms the weights, many tiles share the cost of the
 * transform. */
static size_t most_tiles(const cc_conv2d_desc *d) { return plain_weights(d) ? 36 : 12; }

/* Compares estimated times, in units of one multiplication of 16 channels. The estimate was fitted to timings of shapes from 64 to 512
 * channels. TRANSFORM is the time for the transform of 16 channels of a tile, WEIGHTS that for the transform of 16 weights, memory
 * accesses included. The tiles of a weight gradient are transformed once for each BLOCK_CHANNELS channels of the other tensor; the sums
 * of each part are transformed at the end. */
const char *cc_conv2d_winograd_stride2_default(const char *policy, cc_direction direction, const cc_conv2d_desc *d)
{
    enum { TRANSFORM = 700, WEIGHTS = 100, BLOCK_CHANNELS = 64 };
    const bool data = direction == CC_BACKWARD_DATA, weight = direction == CC_BACKWARD_WEIGHT;
    const size_t p = cc_conv2d_out_h(d), q = cc_conv2d_out_w(d), in = data ? d->k : d->c, out = data ? d->c : d->k;
    const size_t tiles = d->n * (data ? cc_ceil_div(d->h, 8) * cc_ceil_div(d->w, 8) : cc_ceil_div(p, 4) * cc_ceil_div(q, 4));
    const double in_vectors = (double)cc_ceil_div(in, 16), out_vectors = (double)cc_ceil_div(out, 16);
    const double pairs = (weight ? 16 * in_vectors : (double)in) * out_vectors;
    const double in_times = weight ? (double)cc_ceil_div(out, BLOCK_CHANNELS) : 1;
    const double out_times = weight ? (double)cc_ceil_div(in, BLOCK_CHANNELS) : 1;
    const double weights = weight ? 2 : plain_weights(d) ? (double)cc_ceil_div(tiles, most_tiles(d)) : 0;
    const double winograd =
        (double)tiles * (pairs * POINTS / 0.85 + TRANSFORM * (in_vectors * in_times + out_vectors * out_times)) + weights * pairs * WEIGHTS;
    const double direct = (double)(d->n * p * q * TAPS * in) * out_vectors / 0.9;
    return winograd < direct || strcmp(policy, "winograd") == 0 ? "winograd_stride2" : NULL;
}

/* One launch: forward, or backward-data, which takes the tensor `in` for the gradient of the output, whose tiles have 8x8 points. */
typedef struct stride2_job {
    bool forward;
    size_t in_channels, out_channels, out_h, out_w;
} stride2_job;

static camcl_status record_job(cc_tape *tape, const cc_conv2d_desc *d, const stride2_job *j, cc_buffer *in, cc_buffer *weights,
                               cc_buffer *out, bool add, const cc_conv2d_affine *affine, camcl_error *err)
{
    const size_t side = j->forward ? 4 : 8, tiles_h = cc_ceil_div(j->out_h, side), tiles_w = cc_ceil_div(j->out_w, side);
    const size_t tiles = d->n * tiles_h * tiles_w;
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const cc_conv2d_panel panel = cc_conv2d_tile_panel(info, j->out_channels);
    const size_t kb = panel.channels, panels = cc_ceil_div(j->out_channels, kb);
    const bool plain = plain_weights(d);
    const cc_winograd_split s = cc_winograd_split_work(tiles, panels, most_tiles(d), info->compute_units);
    /* + CC_CACHE_LINE: the same element of two points must not fall into the same set of a cache */
    const size_t pitch = cc_conv2d_tile_pixel_pitch(cc_round_up(j->in_channels, CC_CACHE_LINE));
    const size_t v_step = s.block * pitch + CC_CACHE_LINE, m_step = s.block * kb + CC_CACHE_LINE,
                 u_size = plain ? SIDE * j->in_channels * kb : 0;
    const size_t scratch_each = POINTS * (v_step + m_step + CC_CACHE_LINE) + pitch + u_size;
    char options[64];
    snprintf(options, sizeof options, "%s -DVECTORS=%u", cc_vector_options(info), panel.vectors);

    cc_buffer *scratch;
    CC_RETURN_IF_FAILED(cc_tape_buffer(tape, s.walkers * s.parts * scratch_each * sizeof(float), "convolution transforms", &scratch, err));
    const cc_launch launch = {
        .options = options, .dims = 2, .global = { s.walkers, s.parts }, .local = { 1, 1 }, .flops = cc_conv2d_flops(d)
    };
#define ARGS                                                                                                                               \
    .weights = CC_IN(weights), .scratch = CC_INOUT(scratch), .H = CC_INT(d->h), .W = CC_INT(d->w), .C = CC_INT(d->c), .K = CC_INT(d->k),   \
    .P = CC_INT(cc_conv2d_out_h(d)), .Q = CC_INT(cc_conv2d_out_w(d)), .pad = CC_INT(d->pad), .tiles_h = CC_INT(tiles_h),                   \
    .tiles_w = CC_INT(tiles_w), .tiles = CC_INT(tiles), .block = CC_INT(s.block), .pitch = CC_INT(pitch), .v_step = CC_INT(v_step),        \
    .m_step = CC_INT(m_step), .panels = CC_INT(panels), .panels_each = CC_INT(s.panels_each), .plain_weights = CC_INT(plain),              \
    .scratch_each = CC_INT(scratch_each), .add = CC_INT(add)
    const cc_arg written = add ? CC_INOUT(out) : CC_OUT(out);
    if (!j->forward) return CC_LAUNCH(tape, conv2d_backward_data_winograd_stride2, &launch, err, .dy = CC_IN(in), .dx = written, ARGS);
    return CC_LAUNCH(tape, conv2d_forward_winograd_stride2, &launch, err, .x = CC_IN(in), .y = written, ARGS,
                     CC_CONV2D_AFFINE_ARGS(affine, in));
#undef ARGS
}

static camcl_status record_forward(cc_tape *tape, const cc_conv2d_desc *d, cc_buffer *x, cc_buffer *weights, cc_buffer *y, bool add,
                                   const cc_conv2d_affine *affine, camcl_error *err)
{
    const stride2_job job = { true, d->c, d->k, cc_conv2d_out_h(d), cc_conv2d_out_w(d) };
    return record_job(tape, d, &job, x, weights, y, add, affine, err);
}

static camcl_status forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_FORWARD, d, io, count, true, err));
    return record_forward(tape, d, io[0].buffer, io[1].buffer, io[2].buffer, add, NULL, err);
}

static camcl_status forward_affine(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_affine_desc *d = desc;
    const cc_conv2d_affine affine = { io[2].buffer, io[3].buffer, io[4].buffer, cc_activation_slope(d->activation) };
    CC_RETURN_IF_FAILED(cc_conv2d_affine_check(d, io, count, add, err));
    return record_forward(tape, &d->conv, io[0].buffer, io[1].buffer, io[5].buffer, false, &affine, err);
}

static camcl_status backward_data(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_BACKWARD_DATA, d, io, count, true, err));
    const stride2_job job = { false, d->k, d->c, d->h, d->w };
    return record_job(tape, d, &job, io[0].buffer, io[1].buffer, io[2].buffer, add, NULL, err);
}

static size_t packed_bytes(const camcl_device_info *info, const cc_conv2d_desc *d, size_t in, size_t out)
{
    return (plain_weights(d) ? TAPS : WEIGHT_POINTS) * in * cc_round_up(out, cc_conv2d_tile_panel(info, out).channels) * sizeof(float);
}

/* `rows` work-items in dimension 0, one for each vector of the `out` channels in dimension 1. */
static camcl_status pack(cc_tape *tape, const cc_conv2d_desc *d, bool forward, size_t rows, size_t out, cc_buffer *master,
                         cc_buffer *packed, camcl_error *err)
{
    const bool plain = plain_weights(d);
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const cc_conv2d_panel panel = cc_conv2d_tile_panel(info, out);
    const size_t kb = panel.channels;
    const cc_launch launch = { .options = cc_vector_options(info),
                               .dims = 2,
                               .global = { rows, cc_round_up(out, kb) / panel.width },
                               .bytes = 4.0 * (TAPS + (plain ? TAPS : WEIGHT_POINTS)) * (double)d->c * (double)d->k };
#define ARGS .w = CC_IN(master), .packed = CC_OUT(packed), .C = CC_INT(d->c), .K = CC_INT(d->k), .KB = CC_INT(kb), .plain = CC_INT(plain)
    return forward ? CC_LAUNCH(tape, conv2d_winograd_stride2_pack_forward, &launch, err, ARGS)
                   : CC_LAUNCH(tape, conv2d_winograd_stride2_pack_backward_data, &launch, err, ARGS);
#undef ARGS
}

static size_t forward_bytes(const camcl_device_info *info, const void *desc)
{
    const cc_conv2d_desc *d = desc;
    return packed_bytes(info, d, d->c, d->k);
}

static camcl_status pack_forward(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    return pack(tape, d, true, d->c, d->k, master, packed, err);
}

static size_t backward_data_bytes(const camcl_device_info *info, const void *desc)
{
    const cc_conv2d_desc *d = desc;
    return packed_bytes(info, d, d->k, d->c);
}

static camcl_status pack_backward_data(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    return pack(tape, d, false, cc_ceil_div(d->k, camcl_device_get_info(cc_tape_device(tape))->vector_width), d->c, master, packed, err);
}

static size_t affine_bytes(const camcl_device_info *info, const void *desc) { return forward_bytes(info, cc_conv2d_of_affine(desc)); }

static camcl_status pack_affine(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed, camcl_error *err)
{
    return pack_forward(tape, cc_conv2d_of_affine(desc), master, packed, err);
}

const cc_variant cc_conv2d_winograd_stride2_variants[] = {
    { .op = &cc_conv2d_operation,
      .direction = CC_FORWARD,
      .name = "winograd_stride2",
      .family = "winograd",
      .supports = cc_conv2d_winograd_stride2_supports,
      .record = forward,
      .packed_bytes = forward_bytes,
      .pack = pack_forward,
      .layout = "winograd_stride2_forward" },
    { .op = &cc_conv2d_operation,
      .direction = CC_BACKWARD_DATA,
      .name = "winograd_stride2",
      .family = "winograd",
      .supports = cc_conv2d_winograd_stride2_supports,
      .record = backward_data,
      .packed_bytes = backward_data_bytes,
      .pack = pack_backward_data,
      .layout = "winograd_stride2_backward_data" },
    { .op = &cc_conv2d_affine_operation,
      .direction = CC_FORWARD,
      .name = "winograd_stride2",
      .family = "winograd",
      .supports = supports_affine,
      .record = forward_affine,
      .packed_bytes = affine_bytes,
      .pack = pack_affine,
      .layout = "winograd_stride2_forward" },
};
const size_t cc_conv2d_winograd_stride2_variant_count = CC_COUNT(cc_conv2d_winograd_stride2_variants);
