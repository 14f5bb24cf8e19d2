/* Checks of convolutions, matrix products and linear layers. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "check/check.h"
#include "check/ref/conv2d_ref.h"
#include "check/ref/gemm_ref.h"
#include "check/ref/linear_ref.h"

/* A float32 sum of `terms` products hardly errs by more than (4 + sqrt(terms)) * 2^-24 * the sum of their absolute values. Winograd's
 * transforms mix the points of a tile and cancel: twice as much of the largest such sum of all is allowed. */
static void bounds_of(const cc_check *c, double *magnitude, size_t count, size_t terms, const float *old)
{
    const bool winograd = strcmp(c->variant->family, "winograd") == 0;
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, magnitude[i]);
    for (size_t i = 0; i < count; i++) {
        const double sum = (winograd ? 2 * largest : magnitude[i]) + (old ? fabs((double)old[i]) : 0.0);
        magnitude[i] = (4.0 + sqrt((double)terms)) * ldexp(1.0, -24) * sum + 1e-30;
    }
}

static cc_tensor shaped(cc_tensor t, const size_t *dim)
{
    t.rank = 4;
    memcpy(t.dim, dim, sizeof t.dim);
    return t;
}

static void check_conv_shape(cc_check *c, const cc_conv2d_desc *d, bool add)
{
    const ref_conv2d ref = { d->n, d->h, d->w, d->c, d->k, d->r, d->s, d->stride, d->pad, d->groups };
    const size_t p = cc_conv2d_out_h(d), q = cc_conv2d_out_w(d), nx = d->n * d->h * d->w * d->c,
                 nw = d->r * d->s * (d->c / d->groups) * d->k, ny = d->n * p * q * d->k;
    const size_t x_dim[] = { d->n, d->h, d->w, d->c }, w_dim[] = { d->r, d->s, d->c / d->groups, d->k }, y_dim[] = { d->n, p, q, d->k };
    const cc_direction direction = c->variant->direction;
    const size_t count = direction == CC_FORWARD ? ny : direction == CC_BACKWARD_DATA ? nx : nw;
    const size_t terms = direction == CC_FORWARD ? nw / d->k : direction == CC_BACKWARD_DATA ? nw / d->c : d->n * p * q;
    if (!cc_check_begin(c, d)) return;
    float *x = cc_check_random(c, nx, 1), *w = cc_check_random(c, nw, 2), *y = cc_check_random(c, ny, 3),
          *old = cc_check_random(c, count, 4);
    double *want = cc_check_memory(c, count, sizeof *want), *bounds = cc_check_memory(c, count, sizeof *bounds);
    cc_tensor out = cc_check_sum(c, add, old, count), io[3];
    if (cc_check_ready(c)) {
        if (direction == CC_FORWARD) {
            ref_conv2d_forward(&ref, x, w, want, bounds);
            io[0] = shaped(cc_check_input(c, CC_F32, x, nx), x_dim), io[1] = shaped(cc_check_input(c, CC_F32, w, nw), w_dim);
            io[2] = shaped(out, y_dim);
        } else if (direction == CC_BACKWARD_DATA) {
            ref_conv2d_backward_data(&ref, y, w, want, bounds);
            io[0] = shaped(cc_check_input(c, CC_F32, y, ny), y_dim), io[1] = shaped(cc_check_input(c, CC_F32, w, nw), w_dim);
            io[2] = shaped(out, x_dim);
        } else {
            ref_conv2d_backward_weight(&ref, x, y, want, bounds);
            io[0] = shaped(cc_check_input(c, CC_F32, x, nx), x_dim), io[1] = shaped(cc_check_input(c, CC_F32, y, ny), y_dim);
            io[2] = shaped(out, w_dim);
        }
        bounds_of(c, bounds, count, terms, add ? old : NULL);
        cc_check_add(add, want, old, count);
        cc_check_run(c, d, io, 3, add);
        cc_check_compare_bounds(c, out, want, bounds, add ? "sum" : "result");
    }
    cc_check_end(c);
}

/* scale[i % k] * (want[i] +- bound) and what follows, in place. */
static void apply_affine(const cc_conv2d_affine_desc *d, size_t count, const float *scale, const float *shift, const float *residual,
                         double *want, double *bounds)
{
    for (size_t i = 0; i < count; i++) {
        const size_t k = i % d->conv.k;
        const double scaled = want[i] * scale[k], before = scaled + shift[k] + (residual ? residual[i] : 0);
        bounds[i] = bounds[i] * fabs((double)scale[k]) + ldexp(4.0, -24) * (fabs(scaled) + 2);
        want[i] = ref_activate(cc_check_reference(d->activation), before);
    }
}

/* The weights are in the layout of the convolution variant of the same name, which may be the master's. */
static void check_affine_shape(cc_check *c, const cc_conv2d_affine_desc *op, bool with_residual)
{
    const cc_conv2d_desc *d = &op->conv;
    const ref_conv2d ref = { d->n, d->h, d->w, d->c, d->k, d->r, d->s, d->stride, d->pad, d->groups };
    const size_t x_dim[] = { d->n, d->h, d->w, d->c }, y_dim[] = { d->n, cc_conv2d_out_h(d), cc_conv2d_out_w(d), d->k };
    const size_t w_dim[] = { d->r, d->s, d->c / d->groups, d->k };
    const size_t nx = d->n * d->h * d->w * d->c, nw = d->r * d->s * (d->c / d->groups) * d->k, ny = d->n * y_dim[1] * y_dim[2] * d->k;
    if (!cc_check_begin(c, op)) return;
    float *x = cc_check_random(c, nx, 1), *w = cc_check_random(c, nw, 2), *scale = cc_check_random(c, d->k, 3),
          *shift = cc_check_random(c, d->k, 4), *residual = cc_check_random(c, ny, 5);
    double *want = cc_check_doubles(c, NULL, ny), *bounds = cc_check_doubles(c, NULL, ny);
    cc_tensor io[] = { shaped(cc_check_input(c, CC_F32, x, nx), x_dim),
                       shaped(cc_check_input(c, CC_F32, w, nw), w_dim),
                       cc_check_input(c, CC_F32, scale, d->k),
                       cc_check_input(c, CC_F32, shift, d->k),
                       cc_check_input(c, CC_F32, with_residual ? residual : NULL, ny),
                       shaped(cc_check_output(c, CC_F32, ny), y_dim) };
    if (cc_check_ready(c)) {
        ref_conv2d_forward(&ref, x, w, want, bounds);
        bounds_of(c, bounds, ny, nw / d->k, NULL);
        apply_affine(op, ny, scale, shift, with_residual ? residual : NULL, want, bounds);
        cc_check_run(c, op, io, 6, false);
        cc_check_compare_bounds(c, io[5], want, bounds, "y");
    }
    cc_check_end(c);
}

/* n, h, w, c, k, r, s, stride, pad, groups */
void cc_check_conv2d_affine(cc_check *c)
{
    static const cc_conv2d_desc shapes[] = {
        { 1, 1, 1, 1, 1, 1, 1, 1, 0, 1 },   { 3, 8, 8, 16, 16, 3, 3, 1, 1, 1 },   { 2, 5, 7, 3, 15, 3, 3, 1, 1, 1 },
        { 5, 4, 4, 32, 33, 3, 3, 1, 1, 1 }, { 2, 7, 5, 31, 47, 3, 3, 2, 1, 1 },   { 3, 7, 6, 16, 32, 1, 1, 2, 0, 1 },
        { 2, 8, 9, 4, 5, 3, 3, 1, 2, 1 },   { 2, 20, 18, 33, 40, 3, 3, 1, 1, 1 },
    };
    for (size_t i = 0; i < 6 * CC_COUNT(shapes); i++)
        check_affine_shape(c, &(cc_conv2d_affine_desc){ shapes[i / 6], cc_check_activation(i) }, i % 2);
}

/* n, h, w, c, k, r, s, stride, pad, groups; small ones first, since simulators run no others */
void cc_check_conv2d(cc_check *c)
{
    static const cc_conv2d_desc shapes[] = {
        { 1, 3, 2, 2, 4, 3, 3, 1, 1, 2 },     { 1, 4, 5, 3, 8, 3, 3, 1, 1, 1 },     { 2, 5, 6, 16, 32, 3, 3, 1, 1, 2 },
        { 2, 7, 5, 16, 16, 3, 3, 2, 1, 16 },  { 1, 1, 1, 1, 1, 1, 1, 1, 0, 1 },     { 3, 8, 8, 16, 16, 3, 3, 1, 1, 1 },
        { 2, 5, 7, 3, 16, 3, 3, 1, 1, 1 },    { 1, 9, 6, 15, 17, 3, 3, 1, 1, 1 },   { 2, 7, 5, 31, 33, 3, 3, 2, 1, 1 },
        { 17, 4, 4, 16, 48, 3, 3, 1, 1, 1 },  { 2, 12, 10, 3, 15, 7, 7, 2, 3, 1 },  { 3, 7, 6, 16, 32, 1, 1, 2, 0, 1 },
        { 3, 6, 6, 17, 32, 1, 1, 1, 0, 1 },   { 2, 8, 9, 4, 5, 3, 3, 1, 2, 1 },     { 1, 6, 7, 5, 3, 5, 3, 1, 1, 1 },
        { 2, 5, 5, 160, 17, 3, 3, 1, 1, 1 },  { 1, 17, 19, 33, 40, 3, 3, 1, 1, 1 }, { 2, 17, 19, 33, 40, 3, 3, 2, 0, 1 },
        { 1, 9, 7, 257, 260, 3, 3, 2, 1, 1 }, { 2, 9, 21, 3, 32, 3, 3, 1, 1, 1 },   { 1, 19, 37, 3, 16, 7, 7, 2, 3, 1 },
    };
    for (size_t i = 0; i < 2 * CC_COUNT(shapes); i++)
        check_conv_shape(c, &shapes[i / 2], i % 2);
}

void cc_check_gemm(cc_check *c)
{
    static const size_t sizes[][3] = { { 3, 5, 7 }, { 1, 1, 1 }, { 33, 17, 40 }, { 64, 64, 64 }, { 130, 31, 65 } };
    for (size_t i = 0; i < 8 * CC_COUNT(sizes); i++) {
        const size_t m = sizes[i / 8][0], n = sizes[i / 8][1], k = sizes[i / 8][2];
        const cc_gemm_desc d = { m, n, k, i & 1, i & 2 };
        const bool add = i & 4;
        if (!cc_check_begin(c, &d)) continue;
        float *a = cc_check_random(c, m * k, 1), *b = cc_check_random(c, k * n, 2), *old = cc_check_random(c, m * n, 3);
        double *want = cc_check_memory(c, m * n, sizeof *want), *bounds = cc_check_memory(c, m * n, sizeof *bounds);
        cc_tensor io[] = { cc_check_input(c, CC_F32, a, m * k), cc_check_input(c, CC_F32, b, k * n), cc_check_sum(c, add, old, m * n) };
        if (cc_check_ready(c)) {
            ref_gemm(m, n, k, d.transpose_a, d.transpose_b, a, b, want, bounds);
            bounds_of(c, bounds, m * n, k, add ? old : NULL);
            cc_check_add(add, want, old, m * n);
            cc_check_run(c, &d, io, 3, add);
            cc_check_compare_bounds(c, io[2], want, bounds, "c");
        }
        cc_check_end(c);
    }
}

static void check_linear_shape(cc_check *c, const cc_linear_desc *d, bool add, bool bias)
{
    const size_t nx = d->n * d->in, nw = d->in * d->out, ny = d->n * d->out;
    const double bound = 2e-6 * sqrt((double)(d->in + d->n + d->out));
    const cc_direction direction = c->variant->direction;
    if (!cc_check_begin(c, d)) return;
    float *x = cc_check_random(c, nx, 1), *w = cc_check_random(c, nw, 2), *b = cc_check_random(c, d->out, 3),
          *dy = cc_check_random(c, ny, 4), *old = cc_check_random(c, nx + nw, 5);
    double *x64 = cc_check_doubles(c, x, nx), *w64 = cc_check_doubles(c, w, nw), *b64 = cc_check_doubles(c, b, d->out),
           *dy64 = cc_check_doubles(c, dy, ny), *y = cc_check_doubles(c, NULL, ny), *dx = cc_check_doubles(c, NULL, nx),
           *dw = cc_check_doubles(c, NULL, nw), *db = cc_check_doubles(c, NULL, d->out);
    if (cc_check_ready(c)) {
        ref_linear_forward(d->n, d->in, d->out, x64, w64, bias ? b64 : NULL, y);
        ref_linear_backward(d->n, d->in, d->out, x64, w64, dy64, dx, dw, db);
        if (direction == CC_FORWARD) {
            cc_tensor io[] = { cc_check_input(c, CC_F32, x, nx), cc_check_input(c, CC_F32, w, nw),
                               cc_check_input(c, CC_F32, bias ? b : NULL, d->out), cc_check_output(c, CC_F32, ny) };
            cc_check_run(c, d, io, 4, false);
            cc_check_compare(c, io[3], y, bound, 1e-6, "y");
        } else if (direction == CC_BACKWARD_DATA) {
            cc_tensor io[] = { cc_check_input(c, CC_F32, dy, ny), cc_check_input(c, CC_F32, w, nw), cc_check_sum(c, add, old, nx) };
            cc_check_add(add, dx, old, nx);
            cc_check_run(c, d, io, 3, add);
            cc_check_compare(c, io[2], dx, bound, 1e-6, "dx");
        } else {
            cc_tensor io[] = { cc_check_input(c, CC_F32, x, nx), cc_check_input(c, CC_F32, dy, ny), cc_check_sum(c, add, old, nw),
                               bias ? cc_check_sum(c, add, old, d->out) : CC_NO_TENSOR };
            cc_check_add(add, dw, old, nw);
            cc_check_add(add, db, old, d->out);
            cc_check_run(c, d, io, 4, add);
            cc_check_compare(c, io[2], dw, bound, 1e-6, "dw");
            if (bias) cc_check_compare(c, io[3], db, bound, 1e-6, "db");
        }
    }
    cc_check_end(c);
}

void cc_check_linear(cc_check *c)
{
    /* The last one is large enough for every variant on every device. */
    static const cc_linear_desc shapes[] = { { 3, 15, 10 },  { 1, 1, 1 },     { 33, 17, 3 },     { 5, 33, 31 },
                                             { 8, 512, 10 }, { 96, 128, 33 }, { 257, 1025, 17 }, { 130, 144, 1030 } };
    for (size_t i = 0; i < 4 * CC_COUNT(shapes); i++)
        check_linear_shape(c, &shapes[i / 4], i & 1, i & 2);
}
