/* Convolution as im2col and one GEMM for the whole batch, or for as many images as the column matrix has room for.
 *     forward          y [M,K] = columns [M,RSC] w [RSC,K],   M = images*P*Q
 *     backward-data    columns = dy w^T, then dx = col2im(columns)
 *     backward-weight  dw = columns^T dy
 * A 1x1 convolution without stride and padding has x itself as its columns. */
#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/conv2d/lists.h"
#include "ops/conv2d/shape.h"
#include "ops/gemm.h"

typedef struct columns {
    size_t p, q, rsc;
    size_t images; /* of a chunk */
    bool is_input; /* x is the column matrix */
    cc_buffer *buffer;
} columns;

static size_t image_bytes(const cc_conv2d_desc *d) { return cc_conv2d_out_h(d) * cc_conv2d_out_w(d) * d->r * d->s * d->c * sizeof(float); }

static size_t most_bytes(const camcl_device_info *info) { return cc_min_size(info->max_alloc / 4, info->global_mem / 16); }

static bool supports(const camcl_device_info *info, const void *desc)
{
    const cc_conv2d_desc *d = desc;
    return d->groups == 1 && image_bytes(d) <= most_bytes(info);
}

static camcl_status plan(cc_tape *tape, const cc_conv2d_desc *d, columns *m, camcl_error *err)
{
    *m = (columns){ .p = cc_conv2d_out_h(d), .q = cc_conv2d_out_w(d), .rsc = d->r * d->s * d->c, .images = d->n };
    m->is_input = d->r == 1 && d->s == 1 && d->stride == 1 && d->pad == 0;
    if (m->is_input) return CAMCL_OK;
    const size_t fit = cc_max_size(1, most_bytes(camcl_device_get_info(cc_tape_device(tape))) / image_bytes(d));
    m->images = cc_ceil_div(d->n, cc_ceil_div(d->n, fit));
    return cc_tape_buffer(tape, m->images * image_bytes(d), "convolution columns", &m->buffer, err);
}

/* GPUs: a channel per work-item; CPUs: all channels of a pixel. */
static size_t channels_each(cc_tape *tape, size_t c)
{
    return cc_device_get_class(camcl_device_get_info(cc_tape_device(tape))) == CC_CLASS_CPU ? c : 1;
}

static camcl_status im2col(cc_tape *tape, const cc_conv2d_desc *d, const columns *m, cc_buffer *x, size_t first, size_t images,
                           camcl_error *err)
{
    const size_t channels = channels_each(tape, d->c), each = channels == 1 && d->c % 4 == 0 ? 4 : channels;
    const cc_launch launch = { .dims = 2,
                               .global = { m->rsc / each, images * m->p * m->q },
                               .bytes = 2.0 * (double)(images * image_bytes(d)) };
    return CC_LAUNCH(tape, conv2d_im2col, &launch, err, .x = CC_IN(x), .columns = CC_OUT(m->buffer), .first = CC_INT(first),
                     .N = CC_INT(images), .H = CC_INT(d->h), .W = CC_INT(d->w), .C = CC_INT(d->c), .R = CC_INT(d->r), .S = CC_INT(d->s),
                     .stride = CC_INT(d->stride), .pad = CC_INT(d->pad), .P = CC_INT(m->p), .Q = CC_INT(m->q), .each = CC_INT(each));
}

static camcl_status col2im(cc_tape *tape, const cc_conv2d_desc *d, const columns *m, cc_buffer *dx, size_t first, size_t images, bool add,
                           camcl_error *err)
{
    const size_t each = channels_each(tape, d->c);
    const cc_launch launch = { .dims = 3,
                               .global = { cc_ceil_div(d->c, each), d->h * d->w, images },
                               .bytes = 2.0 * (double)(images * image_bytes(d)) };
    return CC_LAUNCH(tape, conv2d_col2im, &launch, err, .columns = CC_IN(m->buffer), .dx = add || first ? CC_INOUT(dx) : CC_OUT(dx),
                     .first = CC_INT(first), .N = CC_INT(images), .H = CC_INT(d->h), .W = CC_INT(d->w), .C = CC_INT(d->c),
                     .R = CC_INT(d->r), .S = CC_INT(d->s), .stride = CC_INT(d->stride), .pad = CC_INT(d->pad), .P = CC_INT(m->p),
                     .Q = CC_INT(m->q), .each = CC_INT(each), .add = CC_INT(add));
}

static camcl_status forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    columns m;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_FORWARD, d, io, count, false, err));
    CC_RETURN_IF_FAILED(plan(tape, d, &m, err));
    for (size_t first = 0; first < d->n; first += m.images) {
        const size_t images = cc_min_size(m.images, d->n - first), row = first * m.p * m.q;
        if (!m.is_input) CC_RETURN_IF_FAILED(im2col(tape, d, &m, io[0].buffer, first, images, err));
        const cc_gemm_desc gemm = { .m = images * m.p * m.q, .n = d->k, .k = m.rsc };
        CC_RETURN_IF_FAILED(
            cc_gemm_at(tape, &gemm, m.is_input ? io[0].buffer : m.buffer, 0, io[1].buffer, 0, io[2].buffer, row * d->k, add, err));
    }
    return CAMCL_OK;
}

static camcl_status backward_data(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    columns m;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_BACKWARD_DATA, d, io, count, false, err));
    CC_RETURN_IF_FAILED(plan(tape, d, &m, err));
    for (size_t first = 0; first < d->n; first += m.images) {
        const size_t images = cc_min_size(m.images, d->n - first), row = first * m.p * m.q;
        const cc_gemm_desc gemm = { .m = images * m.p * m.q, .n = m.rsc, .k = d->k, .transpose_b = true };
        if (m.is_input) return cc_gemm_at(tape, &gemm, io[0].buffer, 0, io[1].buffer, 0, io[2].buffer, 0, add, err);
        CC_RETURN_IF_FAILED(cc_gemm_at(tape, &gemm, io[0].buffer, row * d->k, io[1].buffer, 0, m.buffer, 0, false, err));
        CC_RETURN_IF_FAILED(col2im(tape, d, &m, io[2].buffer, first, images, add, err));
    }
    return CAMCL_OK;
}

static camcl_status backward_weight(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    columns m;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_BACKWARD_WEIGHT, d, io, count, false, err));
    CC_RETURN_IF_FAILED(plan(tape, d, &m, err));
    for (size_t first = 0; first < d->n; first += m.images) {
        const size_t images = cc_min_size(m.images, d->n - first), row = first * m.p * m.q;
        if (!m.is_input) CC_RETURN_IF_FAILED(im2col(tape, d, &m, io[0].buffer, first, images, err));
        const cc_gemm_desc gemm = { .m = m.rsc, .n = d->k, .k = images * m.p * m.q, .transpose_a = true };
        CC_RETURN_IF_FAILED(cc_gemm_at(tape, &gemm, m.is_input ? io[0].buffer : m.buffer, 0, io[1].buffer, row * d->k, io[2].buffer, 0,
                                       add || first > 0, err));
    }
    return CAMCL_OK;
}

const cc_variant cc_conv2d_gemm_variants[] = {
    { .op = &cc_conv2d_operation,
      .direction = CC_FORWARD,
      .name = "gemm",
      .role = CC_ROLE_CLBLAST,
      .family = "gemm",
      .supports = supports,
      .record = forward },
    { .op = &cc_conv2d_operation,
      .direction = CC_BACKWARD_DATA,
      .name = "gemm",
      .role = CC_ROLE_CLBLAST,
      .family = "gemm",
      .supports = supports,
      .record = backward_data },
    { .op = &cc_conv2d_operation,
      .direction = CC_BACKWARD_WEIGHT,
      .name = "gemm",
      .role = CC_ROLE_CLBLAST,
      .family = "gemm",
      .supports = supports,
      .record = backward_weight },
};
const size_t cc_conv2d_gemm_variant_count = CC_COUNT(cc_conv2d_gemm_variants);
