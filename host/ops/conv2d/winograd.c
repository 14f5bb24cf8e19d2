/* Winograd convolution for CPUs (cl/conv2d/winograd.cl): forward, and backward-data as the same computation on dy with turned weights. */
#include "ops/conv2d/winograd.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/conv2d/lists.h"
#include "ops/conv2d/tile.h"
#include "ops/record.h"

enum { OUT = 4, POINTS = 36, ROWS = 4 }; /* of cl/conv2d/winograd.clh; tiles of the smallest register tile */

bool cc_conv2d_winograd_supports(const camcl_device_info *info, const void *desc)
{
    const cc_conv2d_desc *d = desc;
    return d->groups == 1 && d->r == 3 && d->s == 3 && d->stride == 1 && d->pad <= 2 && cc_likes_long_items(info);
}

bool cc_conv2d_winograd_supports_affine(const camcl_device_info *info, const void *desc)
{
    return cc_conv2d_affine_has_slope(desc) && cc_conv2d_winograd_supports(info, cc_conv2d_of_affine(desc));
}

/* Compares estimated times, in units of one multiplication of 16 channels. The estimate was fitted to timings of shapes from 16 to 512
 * channels. The register tiles of both forms reach about nine tenths of the peak. TRANSFORM is the time for the transform of 16 channels
 * of an input or output tile, memory accesses included. */
const char *cc_conv2d_winograd_default(const char *policy, cc_direction direction, const cc_conv2d_desc *d)
{
    enum { TRANSFORM = 600 };
    const bool data = direction == CC_BACKWARD_DATA, weight = direction == CC_BACKWARD_WEIGHT;
    const size_t p = data ? d->h : cc_conv2d_out_h(d), q = data ? d->w : cc_conv2d_out_w(d), in = data ? d->k : d->c;
    const double in_vectors = (double)cc_ceil_div(in, 16), out_vectors = (double)cc_ceil_div(data ? d->c : d->k, 16);
    const double tiles = (double)d->n * (double)cc_ceil_div(p, OUT) * (double)cc_ceil_div(q, OUT);
    const double products = (weight ? 16 * in_vectors : (double)in) * out_vectors * POINTS;
    /* a weight gradient is transformed once at the end, which takes as long as the products of a few tiles */
    const double winograd = (tiles + (weight ? 4 : 0)) * products / 0.9 + tiles * TRANSFORM * (in_vectors + out_vectors);
    const double direct = (double)(d->n * p * q * 9 * in) * out_vectors / 0.9;
    if (winograd >= direct && strcmp(policy, "winograd") != 0) return NULL;
    if (direction == CC_BACKWARD_WEIGHT) return "winograd";
    /* Larger transformed weights do not stay in caches. For these, refreshing a stored copy in each step takes longer than transforming
     * the weights whenever they are used. */
    return d->c * d->k <= 256 * 256 ? "winograd12" : "winograd_inline";
}

size_t cc_winograd_tiles(const cc_winograd_job *j) { return j->n * cc_ceil_div(j->p, OUT) * cc_ceil_div(j->q, OUT); }

cc_winograd_job cc_winograd_forward_job(const cc_conv2d_desc *d)
{
    return (cc_winograd_job){ d->n, d->h, d->w, d->c, d->k, cc_conv2d_out_h(d), cc_conv2d_out_w(d), d->pad };
}

cc_winograd_job cc_winograd_backward_data_job(const cc_conv2d_desc *d)
{
    return (cc_winograd_job){ d->n, cc_conv2d_out_h(d), cc_conv2d_out_w(d), d->k, d->c, d->h, d->w, 2 - d->pad };
}

/* Every work-item transforms all input of its tiles, so that dividing the panels repeats this work. Panels are divided only if there are
 * too few blocks of tiles for all cores. */
cc_winograd_split cc_winograd_split_work(size_t tiles, size_t panels, size_t most, size_t units)
{
    cc_winograd_split s;
    size_t blocks = cc_ceil_div(tiles, most);
    /* The number of blocks is rounded up to full rounds: cores with one block less than others would wait. */
    if (blocks > units && blocks < 4 * units) blocks = cc_min_size(cc_round_up(blocks, units), cc_ceil_div(tiles, ROWS));
    s.walkers = cc_min_size(blocks, 4 * units);
    const size_t rounds = cc_ceil_div(blocks, s.walkers);
    s.block = cc_round_up(cc_ceil_div(tiles, rounds * s.walkers), ROWS);
    s.panels_each = cc_ceil_div(panels, cc_min_size(panels, cc_ceil_div(units, s.walkers)));
    s.parts = cc_ceil_div(panels, s.panels_each);
    return s;
}

static camcl_status record_job(cc_tape *tape, const cc_winograd_job *j, size_t most, cc_buffer *x, cc_buffer *u, cc_buffer *y, bool add,
                               const cc_conv2d_affine *affine, double flops, camcl_error *err)
{
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const cc_conv2d_panel panel = cc_conv2d_tile_panel(info, j->k);
    const size_t kb = panel.channels, panels = cc_ceil_div(j->k, kb), tiles = cc_winograd_tiles(j);
    const cc_winograd_split s = cc_winograd_split_work(tiles, panels, most, info->compute_units);
    const size_t pitch = cc_conv2d_tile_pixel_pitch(cc_round_up(j->c, CC_CACHE_LINE));
    const size_t scratch_each = POINTS * (s.block * (pitch + kb) + 2 * CC_CACHE_LINE) + pitch + CC_CACHE_LINE * POINTS;
    char options[64];
    snprintf(options, sizeof options, "%s -DVECTORS=%u", cc_vector_options(info), panel.vectors);
    /* A large output does not stay in the cache until it is read again. It is stored past the cache, which saves reading its lines
     * before they are overwritten, if a panel fills whole lines. */
    const size_t half_cache = info->cache / 2, y_bytes = j->n * j->p * j->q * j->k * sizeof(float);
    const bool whole = j->p % OUT == 0 && j->q % OUT == 0 && j->k % kb == 0, lines = kb % CC_CACHE_LINE == 0;
    const bool stream = whole && lines && !add && half_cache && y_bytes > half_cache;

    cc_buffer *scratch;
    CC_RETURN_IF_FAILED(cc_tape_buffer(tape, s.walkers * s.parts * scratch_each * sizeof(float), "convolution transforms", &scratch, err));
    const cc_launch launch = { .options = options, .dims = 2, .global = { s.walkers, s.parts }, .local = { 1, 1 }, .flops = flops };
    return CC_LAUNCH(tape, conv2d_winograd, &launch, err, .x = CC_IN(x), .u = CC_IN(u), .y = add ? CC_INOUT(y) : CC_OUT(y),
                     .scratch = CC_INOUT(scratch), .H = CC_INT(j->h), .W = CC_INT(j->w), .C = CC_INT(j->c), .K = CC_INT(j->k),
                     .P = CC_INT(j->p), .Q = CC_INT(j->q), .pad = CC_INT(j->pad), .tiles_h = CC_INT(cc_ceil_div(j->p, OUT)),
                     .tiles_w = CC_INT(cc_ceil_div(j->q, OUT)), .tiles = CC_INT(tiles), .block = CC_INT(s.block), .pitch = CC_INT(pitch),
                     .panels = CC_INT(panels), .panels_each = CC_INT(s.panels_each), .scratch_each = CC_INT(scratch_each),
                     .add = CC_INT(add), .stream = CC_INT(stream), CC_CONV2D_AFFINE_ARGS(affine, x));
}

static camcl_status record_forward(cc_tape *tape, const cc_conv2d_desc *d, size_t most, const cc_tensor *io, size_t count, bool add,
                                   camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_FORWARD, d, io, count, true, err));
    const cc_winograd_job job = cc_winograd_forward_job(d);
    return record_job(tape, &job, most, io[0].buffer, io[1].buffer, io[2].buffer, add, NULL, cc_conv2d_flops(d), err);
}

static camcl_status record_forward_affine(cc_tape *tape, const cc_conv2d_affine_desc *desc, size_t most, const cc_tensor *io, size_t count,
                                          bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = &desc->conv;
    const cc_conv2d_affine affine = { io[2].buffer, io[3].buffer, io[4].buffer, cc_activation_slope(desc->activation) };
    CC_RETURN_IF_FAILED(cc_conv2d_affine_check(desc, io, count, add, err));
    const cc_winograd_job job = cc_winograd_forward_job(d);
    return record_job(tape, &job, most, io[0].buffer, io[1].buffer, io[5].buffer, false, &affine, cc_conv2d_flops(d), err);
}

static camcl_status record_backward_data(cc_tape *tape, const cc_conv2d_desc *d, size_t most, const cc_tensor *io, size_t count, bool add,
                                         camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_BACKWARD_DATA, d, io, count, true, err));
    const cc_winograd_job job = cc_winograd_backward_data_job(d);
    return record_job(tape, &job, most, io[0].buffer, io[1].buffer, io[2].buffer, add, NULL, cc_conv2d_flops(d), err);
}

/* Tiles of a work-item: the number in the variant's name at most, fewer when that shares the work better. */
#define DEFINE(tiles)                                                                                                                      \
    static camcl_status forward##tiles(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)     \
    {                                                                                                                                      \
        return record_forward(tape, desc, tiles, io, count, add, err);                                                                     \
    }                                                                                                                                      \
    static camcl_status forward_affine##tiles(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add,                \
                                              camcl_error *err)                                                                            \
    {                                                                                                                                      \
        return record_forward_affine(tape, desc, tiles, io, count, add, err);                                                              \
    }                                                                                                                                      \
    static camcl_status backward_data##tiles(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add,                 \
                                             camcl_error *err)                                                                             \
    {                                                                                                                                      \
        return record_backward_data(tape, desc, tiles, io, count, add, err);                                                               \
    }
DEFINE(12)
DEFINE(24)
DEFINE(48)

static size_t packed_bytes(const camcl_device_info *info, size_t in, size_t out)
{
    return POINTS * in * cc_round_up(out, cc_conv2d_tile_panel(info, out).channels) * sizeof(float);
}

static camcl_status pack(cc_tape *tape, size_t in, size_t out, size_t row_step, size_t channel_step, bool turn, cc_buffer *master,
                         cc_buffer *packed, camcl_error *err)
{
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const cc_conv2d_panel panel = cc_conv2d_tile_panel(info, out);
    const size_t kb = panel.channels, parts = panel.width < CC_CACHE_LINE ? panel.vectors : 1; /* that a work-item stores side by side */
    const cc_launch launch = { .options = cc_vector_options(info),
                               .dims = 2,
                               .global = { in, cc_round_up(out, kb) / panel.width / parts },
                               .bytes = 4.0 * (9 + POINTS) * (double)in * (double)out };
    return CC_LAUNCH(tape, conv2d_winograd_pack, &launch, err, .w = CC_IN(master), .u = CC_OUT(packed), .in = CC_INT(in),
                     .out = CC_INT(out), .row_step = CC_INT(row_step), .channel_step = CC_INT(channel_step), .turn = CC_INT(turn),
                     .KB = CC_INT(kb));
}

static size_t forward_bytes(const camcl_device_info *info, const void *desc)
{
    const cc_conv2d_desc *d = desc;
    return packed_bytes(info, d->c, d->k);
}

static size_t backward_data_bytes(const camcl_device_info *info, const void *desc)
{
    const cc_conv2d_desc *d = desc;
    return packed_bytes(info, d->k, d->c);
}

static camcl_status pack_forward(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    return pack(tape, d->c, d->k, d->k, 1, false, master, packed, err);
}

static camcl_status pack_backward_data(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    return pack(tape, d->k, d->c, 1, d->k, true, master, packed, err);
}

static size_t affine_bytes(const camcl_device_info *info, const void *desc) { return forward_bytes(info, cc_conv2d_of_affine(desc)); }

static camcl_status pack_affine(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed, camcl_error *err)
{
    return pack_forward(tape, cc_conv2d_of_affine(desc), master, packed, err);
}

/* clang-format off */
#define VARIANTS(tiles) \
    { .op = &cc_conv2d_operation, \
      .direction = CC_FORWARD, \
      .name = "winograd" #tiles, \
      .family = "winograd", \
      .supports = cc_conv2d_winograd_supports, \
      .record = forward##tiles, \
      .packed_bytes = forward_bytes, \
      .pack = pack_forward, \
      .layout = "winograd_forward" }, \
    { .op = &cc_conv2d_operation, \
      .direction = CC_BACKWARD_DATA, \
      .name = "winograd" #tiles, \
      .family = "winograd", \
      .supports = cc_conv2d_winograd_supports, \
      .record = backward_data##tiles, \
      .packed_bytes = backward_data_bytes, \
      .pack = pack_backward_data, \
      .layout = "winograd_backward_data" }, \
    { .op = &cc_conv2d_affine_operation, \
      .direction = CC_FORWARD, \
      .name = "winograd" #tiles, \
      .family = "winograd", \
      .supports = cc_conv2d_winograd_supports_affine, \
      .record = forward_affine##tiles, \
      .packed_bytes = affine_bytes, \
      .pack = pack_affine, \
      .layout = "winograd_forward" }
/* clang-format on */
const cc_variant cc_conv2d_winograd_variants[] = { VARIANTS(12), VARIANTS(24), VARIANTS(48) };
const size_t cc_conv2d_winograd_variant_count = CC_COUNT(cc_conv2d_winograd_variants);
