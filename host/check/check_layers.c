/* Checks of batch normalisation, addition, pooling and the optimizer. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "check/check.h"
#include "ops/variants.h"
#include "check/ref/batch_norm_ref.h"
#include "check/ref/pointwise_ref.h"
#include "check/ref/pool_ref.h"
#include "check/ref/sgd_ref.h"

#define EPS 1e-5f

/* Relative error of an activation or its derivative: one product, or exp and a quotient. */
static double activation_error(cc_activation activation) { return cc_activation_has_slope(activation) ? 1.2e-7 : 2e-6; }

static void forward_batch_norm(cc_check *c, const cc_batch_norm_op *op, bool residual)
{
    const size_t channels = op->desc.c, all = op->desc.m * channels;
    const ref_batch_norm ref = { op->desc.m, channels, EPS, cc_check_reference(op->desc.activation) };
    if (!cc_check_begin(c, op)) return;
    float *x = cc_check_random(c, all, 1), *r = cc_check_random(c, all, 2), *gamma = cc_check_random(c, channels, 3),
          *beta = cc_check_random(c, channels, 4), *rm = cc_check_random(c, channels, 5), *rv = cc_check_random(c, channels, 6);
    for (size_t k = 0; rv && k < channels; k++)
        rv[k] += 1.5f;
    double *x64 = cc_check_doubles(c, x, all), *r64 = cc_check_doubles(c, r, all), *gamma64 = cc_check_doubles(c, gamma, channels),
           *beta64 = cc_check_doubles(c, beta, channels), *rm64 = cc_check_doubles(c, rm, channels),
           *rv64 = cc_check_doubles(c, rv, channels), *mean = cc_check_doubles(c, rm, channels), *var = cc_check_doubles(c, rv, channels),
           *unbiased = cc_check_doubles(c, NULL, channels), *invstd = cc_check_doubles(c, NULL, channels),
           *y = cc_check_doubles(c, NULL, all);
    cc_tensor io[] = { cc_check_input(c, CC_F32, x, all),
                       cc_check_input(c, CC_F32, residual ? r : NULL, all),
                       cc_check_input(c, CC_F32, gamma, channels),
                       cc_check_input(c, CC_F32, beta, channels),
                       cc_check_input(c, CC_F32, rm, channels),
                       cc_check_input(c, CC_F32, rv, channels),
                       cc_check_output(c, CC_F32, channels),
                       cc_check_output(c, CC_F32, channels),
                       cc_check_output(c, CC_F32, all) };
    if (cc_check_ready(c)) {
        if (op->train) ref_batch_norm_statistics(&ref, x64, mean, var, unbiased);
        for (size_t k = 0; k < channels; k++) {
            invstd[k] = 1.0 / sqrt(var[k] + EPS);
            if (op->train) rm64[k] = 0.9 * rm64[k] + 0.1 * mean[k];
            if (op->train) rv64[k] = 0.9 * rv64[k] + 0.1 * unbiased[k];
        }
        ref_batch_norm_forward(&ref, x64, residual ? r64 : NULL, gamma64, beta64, mean, var, y);
        cc_check_run(c, op, io, CC_COUNT(io), false);
        cc_check_compare(c, io[6], mean, 2.5e-7, 1e-7, "mean");
        cc_check_compare(c, io[7], invstd, 0, 1e-6, "invstd");
        cc_check_compare(c, io[4], rm64, 1e-7, 1e-7, "running mean");
        cc_check_compare(c, io[5], rv64, 0, 3e-7, "running variance");
        cc_check_compare(c, io[8], y, 1.5e-6, 4e-7 + activation_error(op->desc.activation), "y");
    }
    cc_check_end(c);
}

/* `from_x`: y is not given, what was activated is found from x. */
static void backward_batch_norm(cc_check *c, const cc_batch_norm_op *op, bool from_x)
{
    const size_t channels = op->desc.c, all = op->desc.m * channels;
    const ref_batch_norm ref = { op->desc.m, channels, EPS, cc_check_reference(op->desc.activation) };
    const double of_sums = 3e-7 * sqrt((double)op->desc.m) + 3e-6;
    const bool no_residual = cc_activation_needs(op->desc.activation) == CC_NEEDS_X;
    if (!cc_check_begin(c, op)) return;
    float *x = cc_check_random(c, all, 1), *y = cc_check_random(c, all, 2), *dy = cc_check_random(c, all, 3),
          *gamma = cc_check_random(c, channels, 4), *old = cc_check_random(c, all, 5), *mean = cc_check_random(c, channels, 6),
          *invstd = cc_check_random(c, channels, 7), *beta = cc_check_random(c, channels, 8);
    double *x64 = cc_check_doubles(c, x, all), *y64 = cc_check_doubles(c, y, all), *dy64 = cc_check_doubles(c, dy, all),
           *gamma64 = cc_check_doubles(c, gamma, channels), *beta64 = cc_check_doubles(c, beta, channels),
           *mean64 = cc_check_doubles(c, NULL, channels), *var64 = cc_check_doubles(c, NULL, channels),
           *dx = cc_check_doubles(c, NULL, all), *dr = cc_check_doubles(c, NULL, all), *dgamma = cc_check_doubles(c, NULL, channels),
           *dbeta = cc_check_doubles(c, NULL, channels);
    if (cc_check_ready(c)) {
        ref_batch_norm_statistics(&ref, x64, mean64, var64, NULL);
        for (size_t k = 0; k < channels; k++) {
            mean[k] = (float)mean64[k];
            invstd[k] = (float)(1.0 / sqrt(var64[k] + EPS));
        }
        if (from_x) {
            const ref_batch_norm alone = { ref.m, ref.c, EPS, { "none", 0 } };
            ref_batch_norm_forward(&alone, x64, NULL, gamma64, beta64, mean64, var64, y64);
            /* too close to 0 for float32 to know the sign: makes no difference */
            for (size_t i = 0; i < all; i++)
                if (fabs(y64[i]) < 1e-4) dy64[i] = dy[i] = 0;
        }
        ref_batch_norm_backward(&ref, op->train, x64, y64, dy64, gamma64, mean64, var64, dx, dr, dgamma, dbeta);
        cc_tensor io[] = { cc_check_input(c, CC_F32, x, all),
                           cc_check_input(c, CC_F32, from_x ? NULL : y, all),
                           cc_check_input(c, CC_F32, dy, all),
                           cc_check_input(c, CC_F32, gamma, channels),
                           cc_check_input(c, CC_F32, op->train || from_x ? beta : NULL, channels),
                           cc_check_input(c, CC_F32, mean, channels),
                           cc_check_input(c, CC_F32, invstd, channels),
                           cc_check_sum(c, op->add.dx, old, all),
                           no_residual ? CC_NO_TENSOR : cc_check_sum(c, op->add.dresidual, old, all),
                           cc_check_sum(c, op->add.dparams, old, channels),
                           cc_check_sum(c, op->add.dparams, old, channels) };
        cc_check_add(op->add.dx, dx, old, all);
        cc_check_add(op->add.dresidual, dr, old, all);
        cc_check_add(op->add.dparams, dgamma, old, channels);
        cc_check_add(op->add.dparams, dbeta, old, channels);
        cc_check_run(c, op, io, CC_COUNT(io), false);
        cc_check_compare(c, io[7], dx, 8e-7 * (1 + 2.0 / (double)op->desc.m), 8e-7, "dx");
        if (!no_residual) cc_check_compare(c, io[8], dr, 1e-7, 2e-7, "dresidual");
        cc_check_compare(c, io[9], dgamma, of_sums, 5e-7, "dgamma");
        cc_check_compare(c, io[10], dbeta, of_sums, 5e-7, "dbeta");
    }
    cc_check_end(c);
}

void cc_check_batch_norm(cc_check *c)
{
    static const struct {
        size_t m, c;
    } shapes[] = { { 3, 15 }, { 7, 16 }, { 33, 17 }, { 64, 32 }, { 100, 3 }, { 1025, 33 }, { 513, 64 } };
    for (size_t i = 0; i < 8 * CC_COUNT(shapes); i++) {
        const size_t s = i / 8;
        const bool without_y = cc_activation_needs(cc_check_activation(i + s)) == CC_NEEDS_X;
        const cc_batch_norm_op op = { .desc = { shapes[s].m, shapes[s].c, EPS, 0.1f, cc_check_activation(i + s), 0 },
                                      .train = i & 1,
                                      .add = { i & 2, i & 4, i & 2 } };
        if (c->variant->direction == CC_FORWARD)
            forward_batch_norm(c, &(cc_batch_norm_op){ .desc = op.desc, .train = op.train }, !without_y && (i & 2));
        else
            backward_batch_norm(c, &op, without_y || (op.train && i % 5 == 0));
    }
}

/* scale = gamma/sqrt(running_var+eps), shift = beta - running_mean * scale, and copies for the backward pass */
void cc_check_batch_norm_fold(cc_check *c)
{
    static const size_t counts[] = { 1, 15, 16, 33, 1000 };
    for (size_t s = 0; s < CC_COUNT(counts); s++) {
        const cc_batch_norm_desc d = { 1, counts[s], EPS, 0.1f, cc_check_activation(0), 0 };
        if (!cc_check_begin(c, &d)) continue;
        float *in[4];
        cc_tensor io[8];
        for (unsigned i = 0; i < 4; i++)
            in[i] = cc_check_random(c, d.c, 1 + i);
        for (size_t k = 0; in[3] && k < d.c; k++)
            in[3][k] += 1.5f;
        for (unsigned i = 0; i < 4; i++)
            io[i] = cc_check_input(c, CC_F32, in[i], d.c);
        for (unsigned i = 4; i < 8; i++)
            io[i] = cc_check_output(c, CC_F32, d.c);
        double *mean = cc_check_doubles(c, in[2], d.c), *invstd = cc_check_doubles(c, NULL, d.c), *scale = cc_check_doubles(c, NULL, d.c),
               *shift = cc_check_doubles(c, NULL, d.c);
        if (cc_check_ready(c)) {
            for (size_t k = 0; k < d.c; k++) {
                invstd[k] = 1.0 / sqrt((double)in[3][k] + EPS);
                scale[k] = in[0][k] * invstd[k];
                shift[k] = in[1][k] - mean[k] * scale[k];
            }
            cc_check_run(c, &d, io, 8, false);
            cc_check_compare(c, io[4], mean, 0, 0, "mean");
            cc_check_compare(c, io[5], invstd, 0, 1e-6, "invstd");
            cc_check_compare(c, io[6], scale, 0, 1e-6, "scale");
            cc_check_compare(c, io[7], shift, 1e-6, 2e-7, "shift");
        }
        cc_check_end(c);
    }
}

void cc_check_add_operation(cc_check *c)
{
    static const size_t counts[] = { 1, 15, 16, 33, 1000, 4097 };
    const bool forward = c->variant->direction == CC_FORWARD;
    for (size_t i = 0; i < 6 * CC_COUNT(counts); i++) {
        const size_t n = counts[i / 6];
        const cc_activation activation = cc_check_activation(i + i / 6);
        const bool two = (i & 1) && cc_activation_needs(activation) != CC_NEEDS_X;
        const cc_add_op op = { { n, activation }, !forward && (i & 2), !forward && two && (i & 4) };
        if (!cc_check_begin(c, &op)) continue;
        float *a = cc_check_random(c, n, 1), *b = cc_check_random(c, n, 2), *old = cc_check_random(c, n, 3);
        double *a64 = cc_check_doubles(c, a, n), *b64 = cc_check_doubles(c, b, n), *want = cc_check_doubles(c, NULL, n),
               *other = cc_check_doubles(c, NULL, n);
        if (cc_check_ready(c) && forward) {
            cc_tensor io[] = { cc_check_input(c, CC_F32, a, n), cc_check_input(c, CC_F32, two ? b : NULL, n),
                               cc_check_output(c, CC_F32, n) };
            ref_add_forward(n, cc_check_reference(activation), a64, two ? b64 : NULL, want);
            cc_check_run(c, &op, io, 3, false);
            cc_check_compare(c, io[2], want, 0, activation_error(activation), "y");
        } else if (cc_check_ready(c)) {
            cc_tensor io[] = { cc_check_input(c, CC_F32, a, n), cc_check_input(c, CC_F32, b, n), cc_check_sum(c, op.add_a, old, n),
                               two ? cc_check_sum(c, op.add_b, old, n) : CC_NO_TENSOR };
            ref_add_backward(n, cc_check_reference(activation), a64, b64, want);
            memcpy(other, want, n * sizeof *other);
            cc_check_add(op.add_a, want, old, n);
            cc_check_add(op.add_b, other, old, n);
            cc_check_run(c, &op, io, 4, false);
            cc_check_compare(c, io[2], want, 1e-8, activation_error(activation), "da");
            if (two) cc_check_compare(c, io[3], other, 1e-8, activation_error(activation), "db");
        }
        cc_check_end(c);
    }
}

/* The three poolings differ in their references and in what backward takes. */
typedef struct pooling {
    const char *op;
    void (*forward)(const ref_pool *, const double *, double *);
    void (*average)(const ref_pool *, const double *, double *); /* backward; NULL: the maximum's, which needs x */
} pooling;

static void check_pool_shape(cc_check *c, const cc_pool_desc *d, const pooling *p, bool add)
{
    const ref_pool ref = { d->n, d->h, d->w, d->c, d->window, d->stride, d->pad };
    const bool global = strcmp(p->op, "global_average_pool") == 0;
    const size_t in = d->n * d->h * d->w * d->c, out = global ? d->n * d->c : d->n * cc_pool_out_h(d) * cc_pool_out_w(d) * d->c;
    if (!cc_check_begin(c, d)) return;
    float *x = cc_check_random(c, in, 1), *dy = cc_check_random(c, out, 2), *old = cc_check_random(c, in, 3),
          *y = cc_check_random(c, out, 4);
    for (size_t i = 0; x && i < in; i++)
        x[i] = roundf(x[i] * 4.0f); /* windows with ties */
    double *x64 = cc_check_doubles(c, x, in), *dy64 = cc_check_doubles(c, dy, out), *want_y = cc_check_doubles(c, NULL, out),
           *dx = cc_check_doubles(c, NULL, in);
    if (cc_check_ready(c)) {
        p->forward(&ref, x64, want_y);
        for (size_t i = 0; i < out; i++)
            y[i] = (float)want_y[i];
        if (c->variant->direction == CC_FORWARD) {
            cc_tensor io[] = { cc_check_input(c, CC_F32, x, in), cc_check_output(c, CC_F32, out) };
            cc_check_run(c, d, io, 2, false);
            cc_check_compare(c, io[1], want_y, 2e-7, 4e-7, "y");
        } else {
            if (p->average)
                p->average(&ref, dy64, dx);
            else
                ref_max_pool_backward(&ref, x64, dy64, dx);
            cc_check_add(add, dx, old, in);
            const cc_tensor tdy = cc_check_input(c, CC_F32, dy, out), tdx = cc_check_sum(c, add, old, in);
            cc_tensor maximum[] = { cc_check_input(c, CC_F32, x, in), cc_check_input(c, CC_F32, y, out), tdy, tdx },
                      average[] = { tdy, tdx };
            cc_check_run(c, d, p->average ? average : maximum, p->average ? 2 : 4, add);
            cc_check_compare(c, tdx, dx, 2e-7, 4e-7, "dx");
        }
    }
    cc_check_end(c);
}

void cc_check_pool(cc_check *c)
{
    static const pooling kinds[] = {
        { "max_pool", ref_max_pool_forward, NULL },
        { "average_pool", ref_average_pool_forward, ref_average_pool_backward },
        { "global_average_pool", ref_global_average_pool_forward, ref_global_average_pool_backward },
    };
    static const cc_pool_desc shapes[] = { { 1, 1, 1, 1, 1, 1, 0 },   { 2, 8, 8, 16, 2, 2, 0 },   { 3, 7, 9, 17, 3, 2, 1 },
                                           { 2, 11, 5, 33, 3, 1, 1 }, { 1, 16, 16, 64, 3, 2, 1 }, { 2, 6, 6, 3, 5, 3, 2 } };
    for (size_t k = 0; k < CC_COUNT(kinds); k++) {
        if (strcmp(kinds[k].op, c->variant->op->name) != 0) continue;
        for (size_t i = 0; i < 2 * CC_COUNT(shapes); i++)
            check_pool_shape(c, &shapes[i / 2], &kinds[k], i % 2);
    }
}

void cc_check_sgd(cc_check *c)
{
    static const size_t counts[] = { 17, 1, 15, 64, 1000, 4099 };
    const float rates[] = { -7.0f, 0.1f };
    for (size_t i = 0; i < 4 * CC_COUNT(counts); i++) {
        const size_t n = counts[i / 4];
        cc_sgd_op op = { .desc = { n, i & 1 ? 0.9f : 0.5f, i & 2 ? 5e-2f : 0.0f, i & 1 } };
        if (!cc_check_begin(c, &op)) continue;
        float *g = cc_check_random(c, n, 1), *w = cc_check_random(c, n, 2), *v = cc_check_random(c, n, 3);
        double *g64 = cc_check_doubles(c, g, n), *w64 = cc_check_doubles(c, w, n), *v64 = cc_check_doubles(c, v, n);
        cc_tensor io[] = { cc_check_input(c, CC_F32, g, n), cc_check_input(c, CC_F32, w, n), cc_check_input(c, CC_F32, v, n) };
        op.lr = (cc_device_scalar){ cc_check_input(c, CC_F32, rates, 2).buffer, 1 };
        if (cc_check_ready(c)) {
            ref_sgd(n, rates[1], op.desc.momentum, op.desc.weight_decay, op.desc.nesterov, g64, w64, v64);
            cc_check_run(c, &op, io, 3, false);
            cc_check_compare(c, io[1], w64, 2e-7, 0, "w");
            cc_check_compare(c, io[2], v64, 3e-7, 0, "velocity");
        }
        cc_check_end(c);
    }
}

void cc_check_ema(cc_check *c)
{
    static const size_t counts[] = { 17, 1, 15, 64, 1000, 4099 };
    for (size_t i = 0; i < CC_COUNT(counts); i++) {
        const cc_ema_op op = { counts[i], 0.9f };
        if (!cc_check_begin(c, &op)) continue;
        float *w = cc_check_random(c, op.count, 1), *average = cc_check_random(c, op.count, 2);
        double *w64 = cc_check_doubles(c, w, op.count), *want = cc_check_doubles(c, average, op.count);
        cc_tensor io[] = { cc_check_input(c, CC_F32, w, op.count), cc_check_input(c, CC_F32, average, op.count) };
        if (cc_check_ready(c)) {
            ref_ema(op.count, op.decay, w64, want);
            cc_check_run(c, &op, io, 2, false);
            cc_check_compare(c, io[1], want, 1.2e-7, 0, "average");
        }
        cc_check_end(c);
    }
}
