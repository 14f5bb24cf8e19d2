/* Local-memory convolution for GPUs: forward, and backward-data once per phase of the stride (cl/conv2d/local.cl); the weight gradient
 * (cl/conv2d/local_weight.cl). */
#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/conv2d/lists.h"
#include "ops/conv2d/local_tile.h"
#include "ops/conv2d/shape.h"

#define MOST_NUMBERS ((size_t)0x7fffffff) /* that an int counts */

static bool supports(const camcl_device_info *info, const cc_conv2d_desc *d, bool small)
{
    const cc_local_tile forward = cc_local_tile_get(info, small, d->k), backward = cc_local_tile_get(info, small, d->c);
    const size_t p = cc_conv2d_out_h(d), q = cc_conv2d_out_w(d), x = d->h * d->w * d->c, y = p * q * d->k;
    size_t pixels = 0, near = 0;
    /* The indices of a group count from its first image. With a stride, the phases of the input have the fewest pixels per image. */
    const size_t fewest = cc_min_size(p * q, cc_max_size(d->h / d->stride, 1) * cc_max_size(d->w / d->stride, 1));
    return d->groups == 1 && cc_local_tile_supports(info, &forward) && cc_local_tile_supports(info, &backward) &&
           cc_mul_size(d->n, (d->h + 2 * d->pad) * (d->w + 2 * d->pad), &pixels) && pixels < 0x40000000 &&
           cc_mul_size(forward.rows / fewest + 2, cc_max_size(x, y), &near) && near <= MOST_NUMBERS;
}

static bool supports_large(const camcl_device_info *info, const void *desc) { return supports(info, desc, false); }
static bool supports_small(const camcl_device_info *info, const void *desc) { return supports(info, desc, true); }

const char *cc_conv2d_local_default(const camcl_device_info *info, cc_direction direction, const cc_conv2d_desc *d)
{
    const size_t p = cc_conv2d_out_h(d), q = cc_conv2d_out_w(d), taps = d->r * d->s;
    const size_t rows = direction == CC_BACKWARD_WEIGHT ? taps * d->c
                        : direction == CC_FORWARD       ? d->n * p * q
                                                        : d->n * cc_ceil_div(d->h, d->stride) * cc_ceil_div(d->w, d->stride);
    const size_t columns = direction == CC_BACKWARD_DATA ? d->c : d->k;
    const cc_local_tile large = cc_local_tile_get(info, false, columns);
    /* the long sums of a weight gradient always come in as many parts as fill the device */
    const size_t products = direction == CC_BACKWARD_WEIGHT ? cc_local_tile_split(info, &large, rows, columns, 1, d->n * p * q).parts : 1;
    return cc_local_tile_prefers_large(info, rows, columns, products, d->c % 4 == 0 && d->k % 4 == 0) ? "local" : "local_small";
}

/* ---- sums in parts: each part is stored as partial sums as large as the output; a single part is stored in the output itself */

typedef struct local_parts {
    cc_buffer *out, *partial; /* partial NULL: to `out` */
    size_t count, numbers;
    bool add;
} local_parts;

static cc_arg parts_out(const local_parts *p) { return p->partial ? CC_OUT(p->partial) : p->add ? CC_INOUT(p->out) : CC_OUT(p->out); }

static camcl_status parts_begin(cc_tape *tape, size_t count, size_t numbers, cc_buffer *out, bool add, local_parts *parts, camcl_error *err)
{
    *parts = (local_parts){ out, NULL, count, numbers, add };
    if (count == 1) return CAMCL_OK;
    return cc_tape_buffer(tape, count * numbers * sizeof(float), "convolution parts", &parts->partial, err);
}

static camcl_status parts_end(cc_tape *tape, const local_parts *p, camcl_error *err)
{
    if (p->partial == NULL) return CAMCL_OK;
    const cc_launch launch = { .dims = 1, .global = { p->numbers }, .bytes = 4.0 * (double)(p->count + 1) * (double)p->numbers };
    return CC_LAUNCH(tape, conv2d_add_parts, &launch, err, .partial = CC_IN(p->partial), .y = p->add ? CC_INOUT(p->out) : CC_OUT(p->out),
                     .count = CC_INT(p->numbers), .parts = CC_INT(p->count), .add = CC_INT(p->add));
}

/* ---- forward and backward-data */

/* One convolution of cl/conv2d/local.cl; the letters are the kernel's. */
typedef struct local_job {
    size_t n, h, w, c, k, p, q, r, s, stride;
    int top, left;
    int w_first, w_row, w_column, w_o;
    size_t out_h, out_w, out_step, out_top, out_left;
    bool turned;
} local_job;

static camcl_status record_job(cc_tape *tape, const cc_local_tile *tile, const local_job *j, cc_buffer *x, cc_buffer *w,
                               const local_parts *parts, double flops, camcl_error *err)
{
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const size_t items = cc_local_tile_items(tile), steps = cc_local_tile_steps(tile, j->r * j->s * j->c, parts->count);
    const cc_local_options options = cc_local_tile_options(info, tile, j->c % 4 == 0 && j->k % 4 == 0, j->turned ? "-DTURNED=1" : "");
    const cc_launch launch = { .options = options.text,
                               .dims = 3,
                               .global = { cc_ceil_div(j->k, tile->columns) * items, cc_ceil_div(j->n * j->p * j->q, tile->rows),
                                           parts->count },
                               .local = { items, 1, 1 },
                               .flops = flops };
    return CC_LAUNCH(tape, conv2d_local, &launch, err, .x = CC_IN(x), .w = CC_IN(w), .y = parts_out(parts), .N = CC_INT(j->n),
                     .H = CC_INT(j->h), .W = CC_INT(j->w), .C = CC_INT(j->c), .K = CC_INT(j->k), .P = CC_INT(j->p), .Q = CC_INT(j->q),
                     .R = CC_INT(j->r), .S = CC_INT(j->s), .stride = CC_INT(j->stride), .top = CC_INT(j->top), .left = CC_INT(j->left),
                     .w_first = CC_INT(j->w_first), .w_row = CC_INT(j->w_row), .w_column = CC_INT(j->w_column), .w_o = CC_INT(j->w_o),
                     .out_H = CC_INT(j->out_h), .out_W = CC_INT(j->out_w), .out_step = CC_INT(j->out_step), .out_top = CC_INT(j->out_top),
                     .out_left = CC_INT(j->out_left), .step_i = CC_INT(tile->depth / j->c / j->s),
                     .step_j = CC_INT(tile->depth / j->c % j->s), .step_c = CC_INT(tile->depth % j->c), .steps_each = CC_INT(steps),
                     .part_size = CC_INT(parts->partial ? parts->numbers : 0), .add = CC_INT(!parts->partial && parts->add));
}

static camcl_status forward(cc_tape *tape, bool small, const cc_conv2d_desc *d, const cc_tensor *io, size_t count, bool add,
                            camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_FORWARD, d, io, count, false, err));
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const cc_local_tile tile = cc_local_tile_get(info, small, d->k);
    local_job j = { .n = d->n, .h = d->h, .w = d->w, .c = d->c, .k = d->k, .r = d->r, .s = d->s, .stride = d->stride, .out_step = 1 };
    j.p = j.out_h = cc_conv2d_out_h(d);
    j.q = j.out_w = cc_conv2d_out_w(d);
    j.top = j.left = -(int)d->pad;
    const size_t pixels = d->n * j.p * j.q;
    const cc_local_split split = cc_local_tile_split(info, &tile, pixels, d->k, 1, d->r * d->s * d->c);
    local_parts parts;
    CC_RETURN_IF_FAILED(parts_begin(tape, split.parts, pixels * d->k, io[2].buffer, add, &parts, err));
    CC_RETURN_IF_FAILED(record_job(tape, &tile, &j, io[0].buffer, io[1].buffer, &parts, cc_conv2d_flops(d), err));
    return parts_end(tape, &parts, err);
}

/* The taps of a phase come in reverse order, so that the kernel walks the weights backwards. Input and output channels change places. */
static camcl_status record_phase(cc_tape *tape, const cc_local_tile *tile, const cc_conv2d_desc *d, size_t a, size_t b, const cc_tensor *io,
                                 const local_parts *parts, camcl_error *err)
{
    const int tap = (int)(d->c * d->k), step = (int)d->stride;
    const cc_conv2d_phase v = cc_conv2d_get_phase(a, d->h, d->r, d->stride, d->pad);
    const cc_conv2d_phase u = cc_conv2d_get_phase(b, d->w, d->s, d->stride, d->pad);
    const size_t taps = v.taps * u.taps;
    if (v.count * u.count == 0 || (taps == 0 && parts->add && parts->partial == NULL)) return CAMCL_OK;
    local_job j = { .n = d->n, .c = d->k, .k = d->c, .p = v.count, .q = u.count, .r = v.taps, .s = cc_max_size(u.taps, 1) };
    if (taps == 0) j.r = 0; /* no tap leads to this phase: zeros are written */
    j.h = cc_conv2d_out_h(d);
    j.w = cc_conv2d_out_w(d);
    j.stride = 1;
    j.top = v.origin;
    j.left = u.origin;
    j.turned = true;
    j.w_o = (int)d->k;
    j.w_column = -step * tap;
    j.w_row = -step * tap * (int)d->s;
    const int last_r = (int)a + step * ((int)v.taps - 1), last_s = (int)b + step * ((int)u.taps - 1);
    j.w_first = taps ? (last_r * (int)d->s + last_s) * tap : 0;
    j.out_h = d->h;
    j.out_w = d->w;
    j.out_step = d->stride;
    j.out_top = v.first;
    j.out_left = u.first;
    const double share = (double)taps / (double)(d->r * d->s);
    return record_job(tape, tile, &j, io[0].buffer, io[1].buffer, parts, share * cc_conv2d_flops(d), err);
}

static camcl_status backward_data(cc_tape *tape, bool small, const cc_conv2d_desc *d, const cc_tensor *io, size_t count, bool add,
                                  camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_BACKWARD_DATA, d, io, count, false, err));
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const cc_local_tile tile = cc_local_tile_get(info, small, d->c);
    const size_t rows = d->n * cc_ceil_div(d->h, d->stride) * cc_ceil_div(d->w, d->stride); /* of the largest phase */
    const size_t terms = cc_ceil_div(d->r, d->stride) * cc_ceil_div(d->s, d->stride) * d->k;
    const cc_local_split split = cc_local_tile_split(info, &tile, rows, d->c, 1, terms);
    local_parts parts;
    CC_RETURN_IF_FAILED(parts_begin(tape, split.parts, d->n * d->h * d->w * d->c, io[2].buffer, add, &parts, err));
    for (size_t a = 0; a < d->stride; a++)
        for (size_t b = 0; b < d->stride; b++)
            CC_RETURN_IF_FAILED(record_phase(tape, &tile, d, a, b, io, &parts, err));
    return parts_end(tape, &parts, err);
}

/* ---- the weight gradient */

static camcl_status backward_weight(cc_tape *tape, bool small, const cc_conv2d_desc *d, const cc_tensor *io, size_t count, bool add,
                                    camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_BACKWARD_WEIGHT, d, io, count, false, err));
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const cc_local_tile tile = cc_local_tile_get(info, small, d->k);
    const size_t p = cc_conv2d_out_h(d), q = cc_conv2d_out_w(d), places = d->r * d->s * d->c, items = cc_local_tile_items(&tile);
    const cc_local_split split = cc_local_tile_split(info, &tile, places, d->k, 1, d->n * p * q);
    const cc_local_options options = cc_local_tile_options(info, &tile, d->c % 4 == 0 && d->k % 4 == 0, "");
    local_parts parts;
    CC_RETURN_IF_FAILED(parts_begin(tape, split.parts, places * d->k, io[2].buffer, add, &parts, err));
    const cc_launch launch = { .options = options.text,
                               .dims = 3,
                               .global = { cc_ceil_div(d->k, tile.columns) * items, cc_ceil_div(places, tile.rows), split.parts },
                               .local = { items, 1, 1 },
                               .flops = cc_conv2d_flops(d) };
    CC_RETURN_IF_FAILED(CC_LAUNCH(tape, conv2d_local_weight, &launch, err, .x = CC_IN(io[0].buffer), .dy = CC_IN(io[1].buffer),
                                  .dw = parts_out(&parts), .N = CC_INT(d->n), .H = CC_INT(d->h), .W = CC_INT(d->w), .C = CC_INT(d->c),
                                  .K = CC_INT(d->k), .P = CC_INT(p), .Q = CC_INT(q), .R = CC_INT(d->r), .S = CC_INT(d->s),
                                  .stride = CC_INT(d->stride), .pad = CC_INT(d->pad), .step_n = CC_INT(tile.depth / q / p),
                                  .step_p = CC_INT(tile.depth / q % p), .step_q = CC_INT(tile.depth % q), .steps_each = CC_INT(split.steps),
                                  .part_size = CC_INT(parts.partial ? parts.numbers : 0), .add = CC_INT(!parts.partial && add)));
    return parts_end(tape, &parts, err);
}

CC_LARGE_AND_SMALL(forward)
CC_LARGE_AND_SMALL(backward_data)
CC_LARGE_AND_SMALL(backward_weight)

const cc_variant cc_conv2d_local_variants[] = {
    { .op = &cc_conv2d_operation,
      .direction = CC_FORWARD,
      .name = "local",
      .role = CC_ROLE_GPU,
      .family = "direct",
      .supports = supports_large,
      .record = forward_large },
    { .op = &cc_conv2d_operation,
      .direction = CC_BACKWARD_DATA,
      .name = "local",
      .role = CC_ROLE_GPU,
      .family = "direct",
      .supports = supports_large,
      .record = backward_data_large },
    { .op = &cc_conv2d_operation,
      .direction = CC_BACKWARD_WEIGHT,
      .name = "local",
      .role = CC_ROLE_GPU,
      .family = "direct",
      .supports = supports_large,
      .record = backward_weight_large },
    { .op = &cc_conv2d_operation,
      .direction = CC_FORWARD,
      .name = "local_small",
      .role = CC_ROLE_GPU,
      .family = "direct",
      .supports = supports_small,
      .record = forward_small },
    { .op = &cc_conv2d_operation,
      .direction = CC_BACKWARD_DATA,
      .name = "local_small",
      .role = CC_ROLE_GPU,
      .family = "direct",
      .supports = supports_small,
      .record = backward_data_small },
    { .op = &cc_conv2d_operation,
      .direction = CC_BACKWARD_WEIGHT,
      .name = "local_small",
      .role = CC_ROLE_GPU,
      .family = "direct",
      .supports = supports_small,
      .record = backward_weight_small },
};
const size_t cc_conv2d_local_variant_count = CC_COUNT(cc_conv2d_local_variants);
