/* Register-tile convolution for CPUs (cl/conv2d/tile.cl): forward, and backward-data as the same computation on dy with turned weights,
 * once per phase of the stride. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/conv2d/tile.h"
#include "ops/conv2d/lists.h"
#include "ops/conv2d/shape.h"
#include "ops/record.h"

/* Only for devices that long work-items suit: these are long. */
static bool supports(const camcl_device_info *info, const void *desc)
{
    return ((const cc_conv2d_desc *)desc)->groups == 1 && cc_likes_long_items(info);
}

/* Panels of two vectors use each input value twice. Channels that fit one vector would leave a second one idle. Besides the sums, a
 * tile's registers hold a vector of weights for each vector of the panel, an input value and a product where there is no fma. More than
 * eight rows gain nothing, since the sums of eight hide the latency of an fma, but they spare a second tile where there are few more. */
cc_conv2d_panel cc_conv2d_tile_panel(const camcl_device_info *info, size_t channels)
{
    enum { ROWS = 8, MOST_ROWS = 11 };
    cc_conv2d_panel p = { .width = info->vector_width, .vectors = channels <= info->vector_width ? 1 : 2 };
    p.channels = (size_t)p.width * p.vectors;
    p.most_rows = (unsigned)cc_min_size(MOST_ROWS, (info->vector_registers - 2 - p.vectors) / p.vectors);
    p.rows = (unsigned)cc_min_size(ROWS, p.most_rows);
    return p;
}

static size_t tape_panel(const cc_tape *tape, size_t channels)
{
    return cc_conv2d_tile_panel(camcl_device_get_info(cc_tape_device(tape)), channels).channels;
}

static const char *vector_options(const cc_tape *tape) { return cc_vector_options(camcl_device_get_info(cc_tape_device(tape))); }

/* If the distance between pixels is a multiple of 1 KiB, pixels share a few sets of a first-level cache. Such a distance is increased. */
size_t cc_conv2d_tile_pixel_pitch(size_t channels) { return channels % 256 == 0 ? channels + 16 : channels; }

cc_conv2d_groups cc_conv2d_tile_groups(size_t n, size_t out_rows, size_t rows_taps, size_t stride, size_t row_bytes, size_t budget,
                                       size_t items)
{
    cc_conv2d_groups g = { .images = 1, .rows = out_rows, .per_image = 1 };
    const size_t image_bytes = ((out_rows - 1) * stride + rows_taps) * row_bytes;
    if (image_bytes <= budget && n >= items) {
        /* a multiple of `items` groups, so that they share the work evenly */
        const size_t fit = cc_max_size(1, budget / image_bytes);
        const size_t rounds = cc_ceil_div(cc_ceil_div(n, fit), items);
        g.images = cc_max_size(1, cc_ceil_div(n, rounds * items));
    } else {
        const size_t most = cc_max_size(1, budget / row_bytes > rows_taps ? (budget / row_bytes - rows_taps) / stride + 1 : 1);
        const size_t parts = cc_max_size(cc_ceil_div(out_rows, most), cc_min_size(out_rows, cc_ceil_div(items, n)));
        g.rows = cc_ceil_div(out_rows, parts);
        g.per_image = cc_ceil_div(out_rows, g.rows);
    }
    g.count = g.per_image > 1 ? n * g.per_image : cc_ceil_div(n, g.images);
    return g;
}

/* One convolution of cl/conv2d/tile.cl. */
typedef struct tile_job {
    size_t n, h, w, c, k;      /* input tensor, output channels */
    size_t p, q, r, s, stride; /* output pixels computed per image, taps */
    int top, left;             /* input place of output (0,0), tap (0,0) */
    size_t out_h, out_w, out_step, out_top, out_left;
    size_t w_offset; /* of the panels in the packed weights, in numbers */
    bool clear;      /* set other outputs to 0 */
} tile_job;

static camcl_status record_job(cc_tape *tape, const tile_job *j, cc_buffer *x, cc_buffer *w, cc_buffer *y, bool add,
                               const cc_conv2d_affine *affine, double flops, camcl_error *err)
{
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const size_t items = 4 * (size_t)info->compute_units;
    const cc_conv2d_panel panel = cc_conv2d_tile_panel(info, j->k);
    const size_t panels = cc_ceil_div(j->k, panel.channels);
    const size_t columns = (j->q - 1) * j->stride + j->s, last_row = (j->p - 1) * j->stride + j->r;
    const bool use_band =
        j->r * j->s > 0 && (j->top < 0 || j->left < 0 || (size_t)j->top + last_row > j->h || (size_t)j->left + columns > j->w);
    const size_t band_pixel = use_band ? cc_conv2d_tile_pixel_pitch(j->c) : j->c, band_row = (use_band ? columns : j->w) * band_pixel;
    const cc_conv2d_groups g = cc_conv2d_tile_groups(j->n, j->p, cc_max_size(j->r, 1), j->stride, cc_max_size(1, band_row) * sizeof(float),
                                                     CC_CONV2D_TILE_BAND_BYTES, items);
    const size_t band_image = use_band ? ((g.rows - 1) * j->stride + j->r) * band_row : j->h * band_row;
    const size_t walkers = cc_min_size(items, g.count);
    const size_t panels_each = cc_ceil_div(panels, cc_min_size(panels, cc_ceil_div(items, walkers)));
    const size_t blocks = cc_ceil_div(panels, panels_each);
    const bool joined = band_pixel == j->c;
    const size_t places = 2 * (g.images * g.rows * j->q + panel.rows);
    const size_t scratch_each = cc_round_up((use_band ? g.images * band_image : 0) + places, 16);
    char options[64];
    snprintf(options, sizeof options, "%s -DPIXELS=%u -DVECTORS=%u", cc_vector_options(info), panel.rows, panel.vectors);

    cc_buffer *scratch;
    CC_RETURN_IF_FAILED(cc_tape_buffer(tape, walkers * blocks * scratch_each * sizeof(float), "convolution bands", &scratch, err));
    const cc_launch launch = { .options = options, .dims = 2, .global = { walkers, blocks }, .local = { 1, 1 }, .flops = flops };
    return CC_LAUNCH(
        tape, conv2d_tile, &launch, err, .x = CC_IN(x), .w = CC_IN(w), .y = add ? CC_INOUT(y) : CC_OUT(y), .scratch = CC_INOUT(scratch),
        .N = CC_INT(j->n), .H = CC_INT(j->h), .W = CC_INT(j->w), .C = CC_INT(j->c), .K = CC_INT(j->k), .P = CC_INT(j->p), .Q = CC_INT(j->q),
        .R = CC_INT(j->r), .segments = CC_INT(joined ? 1 : j->s), .run = CC_INT(joined ? j->s * j->c : j->c), .stride = CC_INT(j->stride),
        .top = CC_INT(j->top), .left = CC_INT(j->left), .out_H = CC_INT(j->out_h), .out_W = CC_INT(j->out_w),
        .out_step = CC_INT(j->out_step), .out_top = CC_INT(j->out_top), .out_left = CC_INT(j->out_left), .images = CC_INT(g.images),
        .rows = CC_INT(g.rows), .groups_per_image = CC_INT(g.per_image), .groups = CC_INT(g.count), .band_columns = CC_INT(columns),
        .band_image = CC_INT(band_image), .band_row = CC_INT(band_row), .band_pixel = CC_INT(band_pixel), .use_band = CC_INT(use_band),
        .scratch_each = CC_INT(scratch_each), .w_offset = CC_INT(j->w_offset), .panels = CC_INT(panels), .panels_each = CC_INT(panels_each),
        .clear = CC_INT(j->clear), .add = CC_INT(add), CC_CONV2D_AFFINE_ARGS(affine, x));
}

static tile_job forward_job(const cc_conv2d_desc *d)
{
    const size_t p = cc_conv2d_out_h(d), q = cc_conv2d_out_w(d);
    return (tile_job){ .n = d->n,
                       .h = d->h,
                       .w = d->w,
                       .c = d->c,
                       .k = d->k,
                       .p = p,
                       .q = q,
                       .r = d->r,
                       .s = d->s,
                       .stride = d->stride,
                       .top = -(int)d->pad,
                       .left = -(int)d->pad,
                       .out_h = p,
                       .out_w = q,
                       .out_step = 1 };
}

static camcl_status forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_FORWARD, d, io, count, true, err));
    const tile_job job = forward_job(d);
    return record_job(tape, &job, io[0].buffer, io[1].buffer, io[2].buffer, add, NULL, cc_conv2d_flops(d), err);
}

static bool supports_affine(const camcl_device_info *info, const void *desc)
{
    return cc_conv2d_affine_has_slope(desc) && supports(info, cc_conv2d_of_affine(desc));
}

static camcl_status forward_affine(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_affine_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_affine_check(d, io, count, add, err));
    const cc_conv2d_affine affine = { io[2].buffer, io[3].buffer, io[4].buffer, cc_activation_slope(d->activation) };
    const tile_job job = forward_job(&d->conv);
    return record_job(tape, &job, io[0].buffer, io[1].buffer, io[5].buffer, false, &affine, cc_conv2d_flops(&d->conv), err);
}

size_t cc_conv2d_tile_forward_bytes(const camcl_device_info *info, const void *desc)
{
    const cc_conv2d_desc *d = desc;
    return d->r * d->s * d->c * cc_round_up(d->k, cc_conv2d_tile_panel(info, d->k).channels) * sizeof(float);
}

camcl_status cc_conv2d_tile_pack_forward(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    const size_t kb = tape_panel(tape, d->k), rsc = d->r * d->s * d->c;
    const cc_launch launch = {
        .options = vector_options(tape), .dims = 2, .global = { rsc, cc_ceil_div(d->k, kb) }, .bytes = 8.0 * (double)rsc * (double)d->k
    };
    return CC_LAUNCH(tape, conv2d_pack_forward, &launch, err, .w = CC_IN(master), .packed = CC_OUT(packed), .rsc = CC_INT(rsc),
                     .K = CC_INT(d->k), .KB = CC_INT(kb));
}

size_t cc_conv2d_tile_affine_bytes(const camcl_device_info *info, const void *desc)
{
    return cc_conv2d_tile_forward_bytes(info, cc_conv2d_of_affine(desc));
}

camcl_status cc_conv2d_tile_pack_affine(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed, camcl_error *err)
{
    return cc_conv2d_tile_pack_forward(tape, cc_conv2d_of_affine(desc), master, packed, err);
}

static camcl_status backward_data(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_BACKWARD_DATA, d, io, count, true, err));
    const size_t p = cc_conv2d_out_h(d), q = cc_conv2d_out_w(d), cb = tape_panel(tape, d->c);
    size_t offset = 0;
    /* A strided 1x1 convolution uses the points of phase (0, 0) only: one pass writes the zeros of the others, too. */
    const cc_conv2d_phase v0 = cc_conv2d_get_phase(0, d->h, d->r, d->stride, d->pad);
    const cc_conv2d_phase u0 = cc_conv2d_get_phase(0, d->w, d->s, d->stride, d->pad);
    const bool clear = d->r == 1 && d->s == 1 && d->stride > 1 && v0.count * u0.count > 0 && !add;
    for (size_t a = 0; a < d->stride; a++) {
        for (size_t b = 0; b < d->stride; b++) {
            const cc_conv2d_phase v = cc_conv2d_get_phase(a, d->h, d->r, d->stride, d->pad);
            const cc_conv2d_phase u = cc_conv2d_get_phase(b, d->w, d->s, d->stride, d->pad);
            const size_t taps = v.taps * u.taps;
            const tile_job job = { .n = d->n,
                                   .h = p,
                                   .w = q,
                                   .c = d->k,
                                   .k = d->c,
                                   .p = v.count,
                                   .q = u.count,
                                   .r = taps ? v.taps : 0,
                                   .s = taps ? u.taps : 0,
                                   .stride = 1,
                                   .top = v.origin,
                                   .left = u.origin,
                                   .out_h = d->h,
                                   .out_w = d->w,
                                   .out_step = d->stride,
                                   .out_top = v.first,
                                   .out_left = u.first,
                                   .w_offset = offset,
                                   .clear = clear };
            offset += taps * d->k * cc_round_up(d->c, cb);
            if (v.count * u.count == 0 || (taps == 0 && (add || clear))) continue;
            const double share = (double)taps / (double)(d->r * d->s);
            CC_RETURN_IF_FAILED(
                record_job(tape, &job, io[0].buffer, io[1].buffer, io[2].buffer, add, NULL, share * cc_conv2d_flops(d), err));
        }
    }
    return CAMCL_OK;
}

size_t cc_conv2d_tile_backward_data_bytes(const camcl_device_info *info, const void *desc)
{
    const cc_conv2d_desc *d = desc;
    return d->r * d->s * d->k * cc_round_up(d->c, cc_conv2d_tile_panel(info, d->c).channels) * sizeof(float);
}

camcl_status cc_conv2d_tile_pack_backward_data(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    const size_t cb = tape_panel(tape, d->c), panels = cc_ceil_div(d->c, cb);
    size_t offset = 0;
    for (size_t a = 0; a < d->stride; a++) {
        for (size_t b = 0; b < d->stride; b++) {
            const cc_conv2d_phase v = cc_conv2d_get_phase(a, d->h, d->r, d->stride, d->pad);
            const cc_conv2d_phase u = cc_conv2d_get_phase(b, d->w, d->s, d->stride, d->pad);
            const size_t taps = v.taps * u.taps;
            if (taps == 0) continue;
            const cc_launch launch = {
                .options = vector_options(tape), .dims = 2, .global = { taps, panels }, .bytes = 8.0 * (double)(taps * d->k * d->c)
            };
            CC_RETURN_IF_FAILED(CC_LAUNCH(tape, conv2d_pack_backward_data, &launch, err, .w = CC_IN(master),
                                          .packed = offset ? CC_INOUT(packed) : CC_OUT(packed), .S = CC_INT(d->s), .C = CC_INT(d->c),
                                          .K = CC_INT(d->k), .r0 = CC_INT(a), .s0 = CC_INT(b), .stride = CC_INT(d->stride),
                                          .taps_r = CC_INT(v.taps), .taps_s = CC_INT(u.taps), .offset = CC_INT(offset), .CB = CC_INT(cb)));
            offset += taps * d->k * panels * cb;
        }
    }
    return CAMCL_OK;
}

const cc_variant cc_conv2d_tile_variants[] = {
    { .op = &cc_conv2d_operation,
      .direction = CC_FORWARD,
      .name = "tile",
      .family = "direct",
      .supports = supports,
      .record = forward,
      .packed_bytes = cc_conv2d_tile_forward_bytes,
      .pack = cc_conv2d_tile_pack_forward,
      .layout = "tile_forward" },
    { .op = &cc_conv2d_operation,
      .direction = CC_BACKWARD_DATA,
      .name = "tile",
      .family = "direct",
      .supports = supports,
      .record = backward_data,
      .packed_bytes = cc_conv2d_tile_backward_data_bytes,
      .pack = cc_conv2d_tile_pack_backward_data,
      .layout = "tile_backward_data" },
    { .op = &cc_conv2d_affine_operation,
      .direction = CC_FORWARD,
      .name = "tile",
      .family = "direct",
      .supports = supports_affine,
      .record = forward_affine,
      .packed_bytes = cc_conv2d_tile_affine_bytes,
      .pack = cc_conv2d_tile_pack_affine,
      .layout = "tile_forward" },
};
const size_t cc_conv2d_tile_variant_count = CC_COUNT(cc_conv2d_tile_variants);
