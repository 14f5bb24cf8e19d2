/* Winograd convolution for GPUs (cl/conv2d/winograd_local.cl, cl/conv2d/winograd_multiply.cl): forward, backward-data as the same
 * computation on dy with turned weights, and the weight gradient. */
#include <string.h>

#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/conv2d/lists.h"
#include "ops/conv2d/local_tile.h"
#include "ops/conv2d/shape.h"

enum { OUT = 4, POINTS = 36 }; /* of cl/conv2d/winograd.clh */

/* The sizes from which on Winograd is likely faster. Winograd saves 3/4 of the products, whose number grows with C and K. In return,
 * each transformed number is written and read once or twice. GPUs do 15 to 25 products in the time that moving a number takes, so that
 * Winograd pays from 64 channels each way. Transformed weights are 4 times as large as plain ones. They are moved once for all tiles,
 * their gradients twice or more. */
enum { LEAST_CHANNELS = 32, LEAST_TILES = 32, LEAST_GRADIENT_TILES = 64 };

/* The most memory for transformed tiles of the input, and of the output. More is enough work for a launch and near the size of a large
 * GPU's second-level cache; half of a smaller cache is meant to keep them in it, which was not measured. Drivers report no cache, or a
 * first-level one: AMD's a unit's, of kilobytes, NVIDIA's the sum of them, which says nothing of its second-level cache. */
enum { CACHE_KNOWN = 1 << 20, LESS_BYTES = 2 << 20, MORE_BYTES = 32 << 20 };

static size_t most_bytes(const camcl_device_info *info)
{
    const bool known = info->cache >= CACHE_KNOWN && cc_device_get_class(info) != CC_CLASS_NVIDIA;
    const size_t most = known ? cc_max_size(LESS_BYTES, cc_min_size(info->cache / 2, MORE_BYTES)) : MORE_BYTES;
    return cc_min_size(most, info->max_alloc);
}

/* One convolution of cl/conv2d/winograd_local.cl. */
typedef struct local_job {
    size_t n, h, w, c, k; /* input tensor, output channels */
    size_t p, q, pad;
} local_job;

static size_t points_bytes(size_t tiles, size_t channels) { return POINTS * tiles * channels * sizeof(float); }

static bool supports(const camcl_device_info *info, const cc_conv2d_desc *d, bool small)
{
    const cc_local_tile forward = cc_local_tile_get(info, small, d->k), backward = cc_local_tile_get(info, small, d->c);
    size_t tiles = 0, weights = 0;
    return d->groups == 1 && d->r == 3 && d->s == 3 && d->stride == 1 && d->pad <= 2 && cc_local_tile_supports(info, &forward) &&
           cc_local_tile_supports(info, &backward) && cc_mul_size(d->n, cc_ceil_div(d->h + 2, OUT) * cc_ceil_div(d->w + 2, OUT), &tiles) &&
           tiles < 0x40000000 && cc_mul_size(d->c, d->k, &weights) && weights < 0x40000000 && points_bytes(d->c, d->k) <= info->max_alloc &&
           points_bytes(1, cc_max_size(d->c, d->k)) <= most_bytes(info);
}

static bool supports_large(const camcl_device_info *info, const void *desc) { return supports(info, desc, false); }
static bool supports_small(const camcl_device_info *info, const void *desc) { return supports(info, desc, true); }

static size_t tiles_of(size_t n, size_t p, size_t q) { return n * cc_ceil_div(p, OUT) * cc_ceil_div(q, OUT); }

/* The number of tiles per launch: as many as the memory allows, with equal shares for all launches. */
static size_t tiles_at_a_time(const camcl_device_info *info, size_t tiles, size_t c, size_t k)
{
    const size_t fit = most_bytes(info) / points_bytes(1, cc_max_size(c, k));
    return cc_ceil_div(tiles, cc_ceil_div(tiles, cc_max_size(fit, 1)));
}

const char *cc_conv2d_winograd_local_default(const camcl_device_info *info, const char *policy, cc_direction direction,
                                             const cc_conv2d_desc *d)
{
    if (d->r != 3 || d->s != 3 || d->stride != 1 || d->pad > 2) return NULL;
    const bool data = direction == CC_BACKWARD_DATA, gradient = direction == CC_BACKWARD_WEIGHT;
    const size_t p = data ? d->h : cc_conv2d_out_h(d), q = data ? d->w : cc_conv2d_out_w(d), tiles = tiles_of(d->n, p, q);
    const bool faster = d->c * d->k >= LEAST_CHANNELS * (d->c + d->k) && 2 * d->n * p * q >= tiles * OUT * OUT &&
                        tiles >= (gradient ? LEAST_GRADIENT_TILES : LEAST_TILES);
    if (!faster && strcmp(policy, "winograd") != 0) return NULL;
    const size_t each = tiles_at_a_time(info, tiles, d->c, d->k), rows = gradient ? d->c : each, columns = data ? d->c : d->k;
    const cc_local_tile large = cc_local_tile_get(info, false, columns);
    const size_t parts = gradient ? cc_local_tile_split(info, &large, rows, columns, POINTS, each).parts : 1;
    return cc_local_tile_prefers_large(info, rows, columns, POINTS * parts, d->c % 4 == 0 && d->k % 4 == 0) ? "winograd_local"
                                                                                                            : "winograd_local_small";
}

static camcl_status launch_multiply(cc_tape *tape, const cc_kernel *kernel, const cc_arg *args, bool small, size_t rows, size_t c, size_t k,
                                    size_t products, double flops, camcl_error *err)
{
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const cc_local_tile tile = cc_local_tile_get(info, small, k);
    const size_t items = cc_local_tile_items(&tile);
    const cc_local_options options = cc_local_tile_options(info, &tile, c % 4 == 0 && k % 4 == 0, "");
    const cc_launch launch = { .options = options.text,
                               .dims = 3,
                               .global = { cc_ceil_div(k, tile.columns) * items, cc_ceil_div(rows, tile.rows), products },
                               .local = { items, 1, 1 },
                               .flops = flops };
    return cc_tape_launch(tape, kernel, args, &launch, err);
}

/* V = B^T d B */
static camcl_status launch_input(cc_tape *tape, const local_job *j, size_t first, size_t tiles, cc_buffer *x, cc_buffer *v,
                                 camcl_error *err)
{
    const cc_launch launch = { .dims = 2, .global = { j->c, tiles }, .bytes = 4.0 * (double)(tiles * j->c * 2 * POINTS) };
    return CC_LAUNCH(tape, conv2d_winograd_input, &launch, err, .x = CC_IN(x), .V = CC_OUT(v), .first = CC_INT(first),
                     .tiles = CC_INT(tiles), .H = CC_INT(j->h), .W = CC_INT(j->w), .C = CC_INT(j->c), .pad = CC_INT(j->pad),
                     .tiles_h = CC_INT(cc_ceil_div(j->p, OUT)), .tiles_w = CC_INT(cc_ceil_div(j->q, OUT)));
}

static camcl_status record_tiles(cc_tape *tape, bool small, const local_job *j, size_t first, size_t tiles, cc_buffer *x, cc_buffer *u,
                                 cc_buffer *y, bool add, double flops, camcl_error *err)
{
    const size_t tiles_h = cc_ceil_div(j->p, OUT), tiles_w = cc_ceil_div(j->q, OUT);
    cc_buffer *v, *m;
    CC_RETURN_IF_FAILED(cc_tape_buffer(tape, points_bytes(tiles, j->c), "transformed input", &v, err));
    CC_RETURN_IF_FAILED(cc_tape_buffer(tape, points_bytes(tiles, j->k), "transformed output", &m, err));
    CC_RETURN_IF_FAILED(launch_input(tape, j, first, tiles, x, v, err));
    CC_RETURN_IF_FAILED(launch_multiply(tape,
                                        CC_BIND(conv2d_winograd_multiply, .V = CC_IN(v), .u = CC_IN(u), .M = CC_OUT(m),
                                                .tiles = CC_INT(tiles), .C = CC_INT(j->c), .K = CC_INT(j->k)),
                                        small, tiles, j->c, j->k, POINTS, flops, err));
    const cc_launch launch = { .dims = 2, .global = { j->k, tiles }, .bytes = 4.0 * (double)(tiles * j->k * (POINTS + OUT * OUT)) };
    return CC_LAUNCH(tape, conv2d_winograd_output, &launch, err, .M = CC_IN(m), .y = add || first ? CC_INOUT(y) : CC_OUT(y),
                     .first = CC_INT(first), .tiles = CC_INT(tiles), .K = CC_INT(j->k), .P = CC_INT(j->p), .Q = CC_INT(j->q),
                     .tiles_h = CC_INT(tiles_h), .tiles_w = CC_INT(tiles_w), .add = CC_INT(add));
}

static camcl_status record_job(cc_tape *tape, bool small, const local_job *j, const cc_tensor *io, bool add, double flops, camcl_error *err)
{
    const size_t tiles = tiles_of(j->n, j->p, j->q);
    const size_t each = tiles_at_a_time(camcl_device_get_info(cc_tape_device(tape)), tiles, j->c, j->k);
    for (size_t first = 0; first < tiles; first += each) {
        const size_t count = cc_min_size(each, tiles - first);
        CC_RETURN_IF_FAILED(record_tiles(tape, small, j, first, count, io[0].buffer, io[1].buffer, io[2].buffer, add,
                                         flops * (double)count / (double)tiles, err));
    }
    return CAMCL_OK;
}

static local_job forward_job(const cc_conv2d_desc *d)
{
    return (local_job){ d->n, d->h, d->w, d->c, d->k, cc_conv2d_out_h(d), cc_conv2d_out_w(d), d->pad };
}

static camcl_status forward(cc_tape *tape, bool small, const cc_conv2d_desc *d, const cc_tensor *io, size_t count, bool add,
                            camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_FORWARD, d, io, count, true, err));
    const local_job job = forward_job(d);
    return record_job(tape, small, &job, io, add, cc_conv2d_flops(d), err);
}

static camcl_status backward_data(cc_tape *tape, bool small, const cc_conv2d_desc *d, const cc_tensor *io, size_t count, bool add,
                                  camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_BACKWARD_DATA, d, io, count, true, err));
    const local_job job = { d->n, cc_conv2d_out_h(d), cc_conv2d_out_w(d), d->k, d->c, d->h, d->w, 2 - d->pad };
    return record_job(tape, small, &job, io, add, cc_conv2d_flops(d), err);
}

/* Adds the products of tiles first .. first+tiles-1 to du. With first = 0 they overwrite du. */
static camcl_status record_weight_tiles(cc_tape *tape, bool small, const local_job *j, size_t first, size_t tiles, size_t parts,
                                        cc_buffer *x, cc_buffer *dy, cc_buffer *du, double flops, camcl_error *err)
{
    const cc_local_tile tile = cc_local_tile_get(camcl_device_get_info(cc_tape_device(tape)), small, j->k);
    cc_buffer *v, *m;
    CC_RETURN_IF_FAILED(cc_tape_buffer(tape, points_bytes(tiles, j->c), "transformed input", &v, err));
    CC_RETURN_IF_FAILED(cc_tape_buffer(tape, points_bytes(tiles, j->k), "transformed gradient", &m, err));
    CC_RETURN_IF_FAILED(launch_input(tape, j, first, tiles, x, v, err));
    const cc_launch launch = { .dims = 2, .global = { j->k, tiles }, .bytes = 4.0 * (double)(tiles * j->k * (POINTS + OUT * OUT)) };
    CC_RETURN_IF_FAILED(CC_LAUNCH(tape, conv2d_winograd_gradient, &launch, err, .dy = CC_IN(dy), .M = CC_OUT(m), .first = CC_INT(first),
                                  .tiles = CC_INT(tiles), .K = CC_INT(j->k), .P = CC_INT(j->p), .Q = CC_INT(j->q),
                                  .tiles_h = CC_INT(cc_ceil_div(j->p, OUT)), .tiles_w = CC_INT(cc_ceil_div(j->q, OUT))));
    return launch_multiply(tape,
                           CC_BIND(conv2d_winograd_weight_multiply, .V = CC_IN(v), .M = CC_IN(m), .dU = first ? CC_INOUT(du) : CC_OUT(du),
                                   .tiles = CC_INT(tiles), .C = CC_INT(j->c), .K = CC_INT(j->k),
                                   .steps_each = CC_INT(cc_local_tile_steps(&tile, tiles, parts)), .add = CC_INT(first > 0)),
                           small, j->c, j->c, j->k, POINTS * parts, flops, err);
}

static camcl_status backward_weight(cc_tape *tape, bool small, const cc_conv2d_desc *d, const cc_tensor *io, size_t count, bool add,
                                    camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_BACKWARD_WEIGHT, d, io, count, false, err));
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const local_job j = forward_job(d);
    const cc_local_tile tile = cc_local_tile_get(info, small, d->k);
    const size_t tiles = tiles_of(d->n, j.p, j.q), each = tiles_at_a_time(info, tiles, d->c, d->k);
    const size_t most = cc_max_size(info->max_alloc / points_bytes(d->c, d->k), 1);
    const size_t parts = cc_min_size(cc_local_tile_split(info, &tile, d->c, d->k, POINTS, each).parts, most);
    cc_buffer *du;
    CC_RETURN_IF_FAILED(cc_tape_buffer(tape, parts * points_bytes(d->c, d->k), "transformed weight gradient", &du, err));
    for (size_t first = 0; first < tiles; first += each) {
        const size_t now = cc_min_size(each, tiles - first);
        CC_RETURN_IF_FAILED(record_weight_tiles(tape, small, &j, first, now, parts, io[0].buffer, io[1].buffer, du,
                                                cc_conv2d_flops(d) * (double)now / (double)tiles, err));
    }
    const cc_launch launch = { .dims = 1, .global = { d->c * d->k }, .bytes = 4.0 * (double)(d->c * d->k * (parts * POINTS + 9)) };
    return CC_LAUNCH(tape, conv2d_winograd_weight_output, &launch, err, .dU = CC_IN(du),
                     .dw = add ? CC_INOUT(io[2].buffer) : CC_OUT(io[2].buffer), .CK = CC_INT(d->c * d->k), .parts = CC_INT(parts),
                     .add = CC_INT(add));
}

CC_LARGE_AND_SMALL(forward)
CC_LARGE_AND_SMALL(backward_data)
CC_LARGE_AND_SMALL(backward_weight)

/* The same for both directions and tiles. */
static size_t packed_bytes(const camcl_device_info *info, const void *desc)
{
    const cc_conv2d_desc *d = desc;
    (void)info;
    return POINTS * d->c * d->k * sizeof(float);
}

static camcl_status pack(cc_tape *tape, size_t in, size_t out, size_t row_step, size_t channel_step, bool turn, cc_buffer *master,
                         cc_buffer *packed, camcl_error *err)
{
    const cc_launch launch = {
        .options = "-DWIDTH=1", .dims = 2, .global = { out, in }, .bytes = 4.0 * (9 + POINTS) * (double)in * (double)out
    };
    return CC_LAUNCH(tape, conv2d_winograd_pack, &launch, err, .w = CC_IN(master), .u = CC_OUT(packed), .in = CC_INT(in),
                     .out = CC_INT(out), .row_step = CC_INT(row_step), .channel_step = CC_INT(channel_step), .turn = CC_INT(turn),
                     .KB = CC_INT(out));
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

const cc_variant cc_conv2d_winograd_local_variants[] = {
    { .op = &cc_conv2d_operation,
      .direction = CC_FORWARD,
      .name = "winograd_local",
      .role = CC_ROLE_GPU,
      .family = "winograd",
      .supports = supports_large,
      .record = forward_large,
      .packed_bytes = packed_bytes,
      .pack = pack_forward,
      .layout = "winograd_local_forward" },
    { .op = &cc_conv2d_operation,
      .direction = CC_BACKWARD_DATA,
      .name = "winograd_local",
      .role = CC_ROLE_GPU,
      .family = "winograd",
      .supports = supports_large,
      .record = backward_data_large,
      .packed_bytes = packed_bytes,
      .pack = pack_backward_data,
      .layout = "winograd_local_backward_data" },
    { .op = &cc_conv2d_operation,
      .direction = CC_BACKWARD_WEIGHT,
      .name = "winograd_local",
      .role = CC_ROLE_GPU,
      .family = "winograd",
      .supports = supports_large,
      .record = backward_weight_large },
    { .op = &cc_conv2d_operation,
      .direction = CC_FORWARD,
      .name = "winograd_local_small",
      .role = CC_ROLE_GPU,
      .family = "winograd",
      .supports = supports_small,
      .record = forward_small,
      .packed_bytes = packed_bytes,
      .pack = pack_forward,
      .layout = "winograd_local_forward" },
    { .op = &cc_conv2d_operation,
      .direction = CC_BACKWARD_DATA,
      .name = "winograd_local_small",
      .role = CC_ROLE_GPU,
      .family = "winograd",
      .supports = supports_small,
      .record = backward_data_small,
      .packed_bytes = packed_bytes,
      .pack = pack_backward_data,
      .layout = "winograd_local_backward_data" },
    { .op = &cc_conv2d_operation,
      .direction = CC_BACKWARD_WEIGHT,
      .name = "winograd_local_small",
      .role = CC_ROLE_GPU,
      .family = "winograd",
      .supports = supports_small,
      .record = backward_weight_small },
};
const size_t cc_conv2d_winograd_local_variant_count = CC_COUNT(cc_conv2d_winograd_local_variants);
