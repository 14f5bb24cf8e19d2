/* What a convolution's descriptor says: sizes, keys, checks of operands, phases of a stride. */
#include "ops/conv2d/shape.h"

#include <stdio.h>

#include "base/memory.h"
#include "ops/record.h"

size_t cc_conv2d_out_h(const cc_conv2d_desc *desc) { return (desc->h + 2 * desc->pad - desc->r) / desc->stride + 1; }
size_t cc_conv2d_out_w(const cc_conv2d_desc *desc) { return (desc->w + 2 * desc->pad - desc->s) / desc->stride + 1; }

double cc_conv2d_flops(const cc_conv2d_desc *desc)
{
    return 2.0 * (double)desc->n * (double)cc_conv2d_out_h(desc) * (double)cc_conv2d_out_w(desc) * (double)desc->k *
           (double)(desc->c / desc->groups) * (double)desc->r * (double)desc->s;
}

void cc_conv2d_write_shape(const cc_conv2d_desc *d, char *text, size_t size)
{
    char groups[24] = "";
    if (d->groups != 1) snprintf(groups, sizeof groups, " g%zu", d->groups);
    snprintf(text, size, "n%zu h%zu w%zu c%zu k%zu r%zu s%zu stride%zu pad%zu%s", d->n, d->h, d->w, d->c, d->k, d->r, d->s, d->stride,
             d->pad, groups);
}

static bool is_possible(const cc_conv2d_desc *d)
{
    return d->n && d->h && d->w && d->c && d->k && d->r && d->s && d->stride && d->h + 2 * d->pad >= d->r && d->w + 2 * d->pad >= d->s &&
           d->groups && d->c % d->groups == 0 && d->k % d->groups == 0;
}

bool cc_conv2d_read_shape(const char *text, cc_conv2d_desc *d)
{
    int end = 0;
    d->groups = 1;
    if (sscanf(text, "n%zu h%zu w%zu c%zu k%zu r%zu s%zu stride%zu pad%zu%n", &d->n, &d->h, &d->w, &d->c, &d->k, &d->r, &d->s, &d->stride,
               &d->pad, &end) != 9)
        return false;
    sscanf(text + end, " g%zu", &d->groups);
    return is_possible(d);
}

void cc_conv2d_key(const cc_conv2d_desc *desc, cc_direction direction, char *text, size_t size)
{
    char shape[128];
    cc_conv2d_write_shape(desc, shape, sizeof shape);
    snprintf(text, size, "conv2d %s %s", cc_direction_name(direction), shape);
}

static bool has_shape(const cc_tensor *tensor, size_t d0, size_t d1, size_t d2, size_t d3)
{
    return tensor->buffer && tensor->dtype == CC_F32 && tensor->rank == 4 && tensor->dim[0] == d0 && tensor->dim[1] == d1 &&
           tensor->dim[2] == d2 && tensor->dim[3] == d3;
}

/* Kernels index within an image, a weight tensor and a band with 32-bit integers. */
static bool indices_fit(const cc_conv2d_desc *d)
{
    const size_t limit = 0x3fffffff;
    size_t x = 0, y = 0, w = 0;
    return cc_mul_size(d->h + 2 * d->pad + d->r, d->w + 2 * d->pad + d->s, &x) && cc_mul_size(x, d->c + 16, &x) && x <= limit &&
           cc_mul_size(cc_conv2d_out_h(d), cc_conv2d_out_w(d), &y) && cc_mul_size(y, d->k, &y) && y <= limit &&
           cc_mul_size(d->r, d->s, &w) && cc_mul_size(w, d->c + 64, &w) && cc_mul_size(w, d->k + 64, &w) && w <= limit && d->n <= limit;
}

camcl_status cc_conv2d_check(cc_direction direction, const cc_conv2d_desc *d, const cc_tensor *io, size_t count, bool packed,
                             camcl_error *err)
{
    char key[160];
    cc_conv2d_key(d, direction, key, sizeof key);
    if (d->groups == 0 || d->c % d->groups || d->k % d->groups)
        return cc_fail(err, CAMCL_UNSUPPORTED, "%s: channels do not fall into %zu equal groups (choose another number of groups)", key,
                       d->groups);
    if (!is_possible(d)) return cc_fail(err, CAMCL_UNSUPPORTED, "%s: the kernel does not fit the padded image (use larger images)", key);
    if (!indices_fit(d))
        return cc_fail(err, CAMCL_UNSUPPORTED, "%s: an image or the weights exceed 2^30 numbers (use smaller images)", key);
    const size_t p = cc_conv2d_out_h(d), q = cc_conv2d_out_w(d);
    const cc_tensor *x = direction == CC_BACKWARD_DATA ? &io[2] : &io[0];
    const cc_tensor *y = direction == CC_FORWARD ? &io[2] : direction == CC_BACKWARD_DATA ? &io[0] : &io[1];
    const cc_tensor *w = direction == CC_BACKWARD_WEIGHT ? &io[2] : &io[1];
    if (count != 3 || !has_shape(x, d->n, d->h, d->w, d->c) || !has_shape(y, d->n, p, q, d->k) ||
        !(packed ? w->buffer != NULL : has_shape(w, d->r, d->s, d->c / d->groups, d->k)))
        return cc_fail(err, CAMCL_FAILED, "%s: operands of other shapes (report this as a defect)", key);
    return CAMCL_OK;
}

camcl_status cc_conv2d_affine_check(const cc_conv2d_affine_desc *d, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const size_t all = d->conv.n * cc_conv2d_out_h(&d->conv) * cc_conv2d_out_w(&d->conv) * d->conv.k;
    if (count != 6 || add) return cc_fail(err, CAMCL_FAILED, "conv2d_affine: operands of another operation (report this as a defect)");
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_FORWARD, &d->conv, (cc_tensor[]){ io[0], io[1], io[5] }, 3, true, err));
    return CC_CHECK_OPERANDS("conv2d_affine", io + 2, 3, err, { "scale", CC_F32, d->conv.k, CC_EXACT },
                             { "shift", CC_F32, d->conv.k, CC_EXACT }, { "residual", CC_F32, all, CC_OPTIONAL });
}

cc_conv2d_phase cc_conv2d_get_phase(size_t a, size_t size, size_t kernel, size_t stride, size_t pad)
{
    cc_conv2d_phase f = { .first = (a + stride - pad % stride) % stride, .taps = a < kernel ? cc_ceil_div(kernel - a, stride) : 0 };
    f.count = f.first < size ? cc_ceil_div(size - f.first, stride) : 0;
    f.origin = (int)((f.first + pad - a) / stride) - (int)f.taps + 1;
    return f;
}
