/* Winograd convolution for GPUs (cl/conv2d_winograd_local.cl): forward, and backward-data as the same computation on dy with turned
 * weights. */
#include "base/memory.h"
#include "ops/conv2d_variants.h"
#include "ops/conv2d_winograd.h"

#define TILE 64 /* as in the kernel */
#define ITEMS 256
#define LOCAL_BYTES (2 * 16 * (TILE + 4) * sizeof(float))

enum { OUT = 4, POINTS = 36 }; /* of cl/conv2d_winograd.clh */

/* Transformed tiles take at most so much memory, each way: enough work for a launch, and near a large GPU's second-level cache. */
#define MOST_BYTES ((size_t)32 << 20)

/* One convolution of cl/conv2d_winograd_local.cl. */
typedef struct local_job {
    size_t n, h, w, c, k; /* input tensor, output channels */
    size_t p, q, pad;
} local_job;

static size_t points_bytes(size_t tiles, size_t channels) { return POINTS * tiles * channels * sizeof(float); }

bool cc_conv2d_winograd_local_supports(const camcl_device_info *info, const void *desc)
{
    const cc_conv2d_desc *d = desc;
    size_t tiles = 0;
    return d->r == 3 && d->s == 3 && d->stride == 1 && d->pad <= 2 && info->max_work_group >= ITEMS && info->local_mem >= LOCAL_BYTES &&
           cc_mul_size(d->n, cc_ceil_div(d->h + 2, OUT) * cc_ceil_div(d->w + 2, OUT), &tiles) && tiles < 0x40000000 &&
           points_bytes(1, cc_max_size(d->c, d->k)) <= cc_min_size(info->max_alloc, MOST_BYTES);
}

static camcl_status record_tiles(cc_tape *tape, const local_job *j, size_t first, size_t tiles, cc_buffer *x, cc_buffer *u, cc_buffer *y,
                                 bool add, double flops, camcl_error *err)
{
    const size_t tiles_h = cc_ceil_div(j->p, OUT), tiles_w = cc_ceil_div(j->q, OUT);
    cc_buffer *v, *m;
    CC_RETURN_IF_FAILED(cc_tape_buffer(tape, points_bytes(tiles, j->c), "transformed input", &v, err));
    CC_RETURN_IF_FAILED(cc_tape_buffer(tape, points_bytes(tiles, j->k), "transformed output", &m, err));
    cc_launch launch = { .program = "conv2d_winograd_local",
                         .kernel = "conv2d_winograd_input",
                         .dims = 2,
                         .global = { j->c, tiles },
                         .bytes = 4.0 * (double)(tiles * j->c * 2 * POINTS) };
    CC_RETURN_IF_FAILED(cc_tape_launch(tape, &launch,
                                       CC_ARGS(CC_IN(x), CC_OUT(v), CC_INT(first), CC_INT(tiles), CC_INT(j->h), CC_INT(j->w), CC_INT(j->c),
                                               CC_INT(j->pad), CC_INT(tiles_h), CC_INT(tiles_w)),
                                       err));
    launch = (cc_launch){ .program = "conv2d_winograd_local",
                          .kernel = "conv2d_winograd_multiply",
                          .dims = 3,
                          .global = { cc_ceil_div(j->k, TILE) * ITEMS, cc_ceil_div(tiles, TILE), POINTS },
                          .local = { ITEMS, 1, 1 },
                          .flops = flops };
    CC_RETURN_IF_FAILED(
        cc_tape_launch(tape, &launch, CC_ARGS(CC_IN(v), CC_IN(u), CC_OUT(m), CC_INT(tiles), CC_INT(j->c), CC_INT(j->k)), err));
    launch = (cc_launch){ .program = "conv2d_winograd_local",
                          .kernel = "conv2d_winograd_output",
                          .dims = 2,
                          .global = { j->k, tiles },
                          .bytes = 4.0 * (double)(tiles * j->k * (POINTS + OUT * OUT)) };
    return cc_tape_launch(tape, &launch,
                          CC_ARGS(CC_IN(m), add || first ? CC_INOUT(y) : CC_OUT(y), CC_INT(first), CC_INT(tiles), CC_INT(j->k),
                                  CC_INT(j->p), CC_INT(j->q), CC_INT(tiles_h), CC_INT(tiles_w), CC_INT(add)),
                          err);
}

static camcl_status record_job(cc_tape *tape, const local_job *j, const cc_tensor *io, bool add, double flops, camcl_error *err)
{
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const size_t tiles = j->n * cc_ceil_div(j->p, OUT) * cc_ceil_div(j->q, OUT);
    const size_t fit = cc_min_size(info->max_alloc, MOST_BYTES) / points_bytes(1, cc_max_size(j->c, j->k));
    const size_t each = cc_ceil_div(tiles, cc_ceil_div(tiles, cc_max_size(fit, 1)));
    for (size_t first = 0; first < tiles; first += each) {
        const size_t count = cc_min_size(each, tiles - first);
        CC_RETURN_IF_FAILED(record_tiles(tape, j, first, count, io[0].buffer, io[1].buffer, io[2].buffer, add,
                                         flops * (double)count / (double)tiles, err));
    }
    return CAMCL_OK;
}

camcl_status cc_conv2d_winograd_local_forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add,
                                              camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_FORWARD, d, io, count, true, err));
    const local_job job = { d->n, d->h, d->w, d->c, d->k, cc_conv2d_out_h(d), cc_conv2d_out_w(d), d->pad };
    return record_job(tape, &job, io, add, cc_conv2d_flops(d), err);
}

camcl_status cc_conv2d_winograd_local_backward_data(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add,
                                                    camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_BACKWARD_DATA, d, io, count, true, err));
    const local_job job = { d->n, cc_conv2d_out_h(d), cc_conv2d_out_w(d), d->k, d->c, d->h, d->w, 2 - d->pad };
    return record_job(tape, &job, io, add, cc_conv2d_flops(d), err);
}

/* The same for both directions. */
size_t cc_conv2d_winograd_local_bytes(const camcl_device_info *info, const void *desc)
{
    const cc_conv2d_desc *d = desc;
    (void)info;
    return POINTS * d->c * d->k * sizeof(float);
}

static camcl_status pack(cc_tape *tape, size_t in, size_t out, size_t row_step, size_t channel_step, bool turn, cc_buffer *master,
                         cc_buffer *packed, camcl_error *err)
{
    cc_launch launch = { .program = "conv2d_winograd_pack",
                         .kernel = "conv2d_winograd_pack",
                         .options = "-DLANES=1",
                         .dims = 2,
                         .global = { out, in },
                         .bytes = 4.0 * (9 + POINTS) * (double)in * (double)out };
    return cc_tape_launch(tape, &launch,
                          CC_ARGS(CC_IN(master), CC_OUT(packed), CC_INT(in), CC_INT(out), CC_INT(row_step), CC_INT(channel_step),
                                  CC_INT(turn), CC_INT(out)),
                          err);
}

camcl_status cc_conv2d_winograd_local_pack_forward(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    return pack(tape, d->c, d->k, d->k, 1, false, master, packed, err);
}

camcl_status cc_conv2d_winograd_local_pack_backward_data(cc_tape *tape, const void *desc, cc_buffer *master, cc_buffer *packed,
                                                         camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    return pack(tape, d->k, d->c, 1, d->k, true, master, packed, err);
}
