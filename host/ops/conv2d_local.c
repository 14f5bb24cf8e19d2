/* Local-memory convolution for GPUs (cl/conv2d_local.cl): forward, and backward-data once per phase of the stride. */
#include "base/memory.h"
#include "ops/conv2d_tile.h"
#include "ops/conv2d_variants.h"

#define TILE 64 /* as in the kernel */
#define ITEMS 256
#define LOCAL_BYTES (2 * 16 * (TILE + 4) * sizeof(float))

bool cc_conv2d_local_supports(const camcl_device_info *info, const void *desc)
{
    const cc_conv2d_desc *d = desc;
    size_t pixels = 0;
    return info->max_work_group >= ITEMS && info->local_mem >= LOCAL_BYTES &&
           cc_mul_size(d->n, (d->h + 2 * d->pad) * (d->w + 2 * d->pad), &pixels) && pixels < 0x40000000;
}

/* One convolution of cl/conv2d_local.cl; the letters are the kernel's. */
typedef struct local_job {
    size_t n, h, w, c, k, p, q, r, s, stride;
    int top, left;
    int w_first, w_row, w_column, w_c, w_o;
    size_t out_h, out_w, out_step, out_top, out_left;
} local_job;

static camcl_status record_job(cc_tape *tape, const local_job *j, cc_buffer *x, cc_buffer *w, cc_buffer *y, bool add, double flops,
                               camcl_error *err)
{
    cc_launch launch = { .program = "conv2d_local",
                         .kernel = "conv2d_local",
                         .dims = 2,
                         .global = { cc_ceil_div(j->k, TILE) * ITEMS, cc_ceil_div(j->n * j->p * j->q, TILE) },
                         .local = { ITEMS, 1 },
                         .flops = flops };
    return cc_tape_launch(tape, &launch,
                          CC_ARGS(CC_IN(x), CC_IN(w), add ? CC_INOUT(y) : CC_OUT(y), CC_INT(j->n), CC_INT(j->h), CC_INT(j->w), CC_INT(j->c),
                                  CC_INT(j->k), CC_INT(j->p), CC_INT(j->q), CC_INT(j->r), CC_INT(j->s), CC_INT(j->stride), CC_INT(j->top),
                                  CC_INT(j->left), CC_INT(j->w_first), CC_INT(j->w_row), CC_INT(j->w_column), CC_INT(j->w_c),
                                  CC_INT(j->w_o), CC_INT(j->out_h), CC_INT(j->out_w), CC_INT(j->out_step), CC_INT(j->out_top),
                                  CC_INT(j->out_left), CC_INT(add)),
                          err);
}

camcl_status cc_conv2d_local_forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_FORWARD, d, io, count, false, err));
    local_job j = { .n = d->n, .h = d->h, .w = d->w, .c = d->c, .k = d->k, .r = d->r, .s = d->s, .stride = d->stride, .out_step = 1 };
    j.p = j.out_h = cc_conv2d_out_h(d);
    j.q = j.out_w = cc_conv2d_out_w(d);
    j.top = j.left = -(int)d->pad;
    j.w_o = 1;
    j.w_c = (int)d->k;
    j.w_column = (int)(d->c * d->k);
    j.w_row = (int)d->s * j.w_column;
    return record_job(tape, &j, io[0].buffer, io[1].buffer, io[2].buffer, add, cc_conv2d_flops(d), err);
}

/* Of a phase's taps the last comes first, so that weights are walked backwards; input and output channels change places. */
camcl_status cc_conv2d_local_backward_data(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_BACKWARD_DATA, d, io, count, false, err));
    const int tap = (int)(d->c * d->k), step = (int)d->stride;
    for (size_t a = 0; a < d->stride; a++) {
        for (size_t b = 0; b < d->stride; b++) {
            const cc_conv2d_phase v = cc_conv2d_get_phase(a, d->h, d->r, d->stride, d->pad);
            const cc_conv2d_phase u = cc_conv2d_get_phase(b, d->w, d->s, d->stride, d->pad);
            const size_t taps = v.taps * u.taps;
            if (v.count * u.count == 0 || (taps == 0 && add)) continue;
            local_job j = { .n = d->n, .c = d->k, .k = d->c, .p = v.count, .q = u.count, .r = v.taps, .s = cc_max_size(u.taps, 1) };
            if (taps == 0) j.r = 0; /* nothing leads here: zeros are written */
            j.h = cc_conv2d_out_h(d);
            j.w = cc_conv2d_out_w(d);
            j.stride = 1;
            j.top = v.origin;
            j.left = u.origin;
            j.w_o = (int)d->k;
            j.w_c = 1;
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
            CC_RETURN_IF_FAILED(record_job(tape, &j, io[0].buffer, io[1].buffer, io[2].buffer, add, share * cc_conv2d_flops(d), err));
        }
    }
    return CAMCL_OK;
}
