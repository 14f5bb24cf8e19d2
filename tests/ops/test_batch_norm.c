/* Batch normalisation with residual and activation: reference, finite differences, large offsets, NaN. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "check/check.h"
#include "ops/ops.h"
#include "check/ref/batch_norm_ref.h"
#include "support/devices.h"
#include "support/operands.h"

static camcl_device *device;

/* Rows and channels around vector widths, tiles, strips of several vectors, and more than one chunk of rows. */
static const struct {
    size_t m, c;
} shapes[] = {
    { 2, 1 },    { 3, 15 },  { 7, 16 },    { 33, 17 },  { 31, 31 },  { 64, 32 },   { 100, 3 },  { 65, 10 },
    { 17, 640 }, { 50, 80 }, { 1025, 33 }, { 513, 64 }, { 2500, 4 }, { 3001, 16 }, { 4096, 1 },
};

#define EPS 1e-5f
#define MOMENTUM 0.1f

/* Oclgrind interprets kernels: leave out what is large for it. */
static bool too_slow(size_t work) { return strstr(camcl_device_get_info(device)->platform, "Oclgrind") && work > 4000; }

/* x = spread * uniform + a different offset for each channel */
static float *rows(size_t m, size_t c, unsigned seed, float spread, float offset)
{
    float *x = random_floats(m * c, seed);
    for (size_t i = 0; i < m * c; i++)
        x[i] = x[i] * spread + offset * (1.0f + 0.01f * (float)(i % c));
    return x;
}

static double *doubles(size_t n)
{
    double *p = malloc(n * sizeof *p);
    assert_non_null(p);
    return p;
}

/* One problem: inputs as floats and doubles, statistics and output of the reference. */
typedef struct problem {
    size_t m, c, all;
    cc_activation activation;
    float *x, *residual, *gamma, *beta, *running_mean, *running_var;
    double *x64, *residual64, *gamma64, *beta64, *mean, *var, *unbiased, *y;
} problem;

static void problem_begin(problem *p, size_t m, size_t c, cc_activation activation, bool residual, float offset)
{
    memset(p, 0, sizeof *p);
    p->m = m, p->c = c, p->all = m * c, p->activation = activation;
    p->x = rows(m, c, 1, 1.7f, offset);
    p->residual = residual ? random_floats(p->all, 2) : NULL;
    p->gamma = random_floats(c, 3);
    p->beta = random_floats(c, 4);
    p->running_mean = random_floats(c, 5);
    p->running_var = random_floats(c, 6);
    for (size_t k = 0; k < c; k++)
        p->running_var[k] = 1.5f + p->running_var[k];
    p->x64 = to_doubles(p->x, p->all);
    p->residual64 = residual ? to_doubles(p->residual, p->all) : NULL;
    p->gamma64 = to_doubles(p->gamma, c);
    p->beta64 = to_doubles(p->beta, c);
    p->mean = doubles(c), p->var = doubles(c), p->unbiased = doubles(c), p->y = doubles(p->all);
}

static void problem_end(problem *p)
{
    free(p->x), free(p->residual), free(p->gamma), free(p->beta), free(p->running_mean), free(p->running_var);
    free(p->x64), free(p->residual64), free(p->gamma64), free(p->beta64), free(p->mean), free(p->var), free(p->unbiased), free(p->y);
}

/* Runs the forward pass on the device and compares everything that it writes. `absolute`: of y. */
static void check_forward(problem *p, bool train, double absolute)
{
    const cc_batch_norm_desc d = { p->m, p->c, EPS, MOMENTUM, p->activation, 0 };
    const ref_batch_norm ref = { p->m, p->c, EPS, cc_check_reference(p->activation) };
    double *running_mean = to_doubles(p->running_mean, p->c), *running_var = to_doubles(p->running_var, p->c), *invstd = doubles(p->c);
    if (train) {
        ref_batch_norm_statistics(&ref, p->x64, p->mean, p->var, p->unbiased);
        for (size_t k = 0; k < p->c; k++) {
            running_mean[k] = 0.9 * running_mean[k] + 0.1 * p->mean[k];
            running_var[k] = 0.9 * running_var[k] + 0.1 * p->unbiased[k];
        }
    } else {
        memcpy(p->mean, running_mean, p->c * sizeof(double));
        memcpy(p->var, running_var, p->c * sizeof(double));
    }
    for (size_t k = 0; k < p->c; k++)
        invstd[k] = 1.0 / sqrt(p->var[k] + EPS);
    ref_batch_norm_forward(&ref, p->x64, p->residual64, p->gamma64, p->beta64, p->mean, p->var, p->y);

    op_test t;
    op_begin(&t, device);
    cc_tensor x = op_input(&t, CC_F32, p->x, p->all), residual = p->residual ? op_input(&t, CC_F32, p->residual, p->all) : CC_NO_TENSOR,
              gamma = op_input(&t, CC_F32, p->gamma, p->c), beta = op_input(&t, CC_F32, p->beta, p->c),
              rm = op_input(&t, CC_F32, p->running_mean, p->c), rv = op_input(&t, CC_F32, p->running_var, p->c),
              mean = op_output(&t, CC_F32, p->c), scale = op_output(&t, CC_F32, p->c), y = op_output(&t, CC_F32, p->all);
    OK(&t, (train ? cc_batch_norm_forward_train : cc_batch_norm_forward_eval)(t.tape, &d, x, residual, gamma, beta, rm, rv, mean, scale, y,
                                                                              &t.err));
    op_run(&t);
    float *got_y = op_read_floats(&t, y), *got_mean = op_read_floats(&t, mean), *got_scale = op_read_floats(&t, scale),
          *got_rm = op_read_floats(&t, rm), *got_rv = op_read_floats(&t, rv);
    for (size_t k = 0; k < p->c; k++)
        check_close(got_mean + k, p->mean + k, 1, 5e-7 * sqrt(p->var[k]), 2e-7, "%zu x %zu: mean of channel %zu", p->m, p->c, k);
    check_close(got_scale, invstd, p->c, 0, 2e-6, "%zu x %zu: invstd", p->m, p->c);
    for (size_t k = 0; k < p->c; k++)
        check_close(got_rm + k, running_mean + k, 1, 2e-7 + 1e-7 * sqrt(p->var[k]), 2e-7, "%zu x %zu: running mean of channel %zu", p->m,
                    p->c, k);
    check_close(got_rv, running_var, p->c, 0, 2e-6, "%zu x %zu: running variance", p->m, p->c);
    check_close(got_y, p->y, p->all, absolute, 1e-6, "%zu x %zu, %s%s: y", p->m, p->c, cc_activation_get(p->activation)->name,
                p->residual ? ", residual" : "");
    free(got_y), free(got_mean), free(got_scale), free(got_rm), free(got_rv), free(running_mean), free(running_var), free(invstd);
    op_end(&t);
}

static void forward_matches_reference(void **state)
{
    (void)state;
    for (size_t s = 0; s < CC_COUNT(shapes); s++)
        for (int variation = 0; variation < 4 * CC_ACTIVATION_COUNT; variation++) {
            const cc_activation activation = cc_check_activation((size_t)variation);
            const bool residual = variation / CC_ACTIVATION_COUNT % 2;
            if (too_slow(shapes[s].m * shapes[s].c) || (residual && cc_activation_needs(activation) == CC_NEEDS_X)) continue;
            problem p;
            problem_begin(&p, shapes[s].m, shapes[s].c, activation, residual, 0.5f);
            check_forward(&p, variation < 2 * CC_ACTIVATION_COUNT, 5e-6);
            problem_end(&p);
        }
}

/* The mean is 1000 to 7400 standard deviations from 0: E[x^2] - E[x]^2 in float32 would be off by more than the variance itself. The bound
 * on y is the rounding of the mean (half a unit in its last place) over the standard deviation. */
static void large_offset_does_not_cancel(void **state)
{
    (void)state;
    static const struct {
        size_t m, c;
    } few[] = { { 4000, 16 }, { 777, 5 }, { 2048, 64 }, { 97, 17 } };
    for (size_t s = 0; s < CC_COUNT(few); s++) {
        if (too_slow(few[s].m * few[s].c)) continue;
        problem p;
        problem_begin(&p, few[s].m, few[s].c, CC_NO_ACTIVATION, false, 1000.0f);
        check_forward(&p, true, 1e-4);
        problem_end(&p);
    }
}

/* Sums are relative to a value from x, which must not be an outlier, wherever that is. */
static void outlier_does_not_cost_precision(void **state)
{
    (void)state;
    static const size_t outliers[] = { 0, 100, 199, 7 };
    for (size_t i = 0; i < CC_COUNT(outliers); i++) {
        problem p;
        problem_begin(&p, 200, 17, CC_NO_ACTIVATION, false, 0.0f);
        for (size_t k = 0; k < p.c; k++)
            p.x64[outliers[i] * p.c + k] = p.x[outliers[i] * p.c + k] = 1000.0f;
        check_forward(&p, true, 5e-6);
        problem_end(&p);
    }
}

typedef enum takes_dy { NOBODY, DX, DRESIDUAL } takes_dy;

/* Every add flag, both modes, with and without the optional outputs. `from_x`: y is not given, what was activated is found from x. `heir`:
 * the output that dy's tensor becomes. */
static void check_backward(size_t m, size_t c, cc_activation activation, bool train, bool from_x, cc_batch_norm_add add, bool want_dx,
                           bool want_residual, bool want_params, takes_dy heir)
{
    const size_t all = m * c;
    const cc_batch_norm_desc d = { m, c, EPS, MOMENTUM, activation, 0 };
    const ref_batch_norm ref = { m, c, EPS, cc_check_reference(activation) }, alone = { m, c, EPS, { "none", 0 } };
    problem p;
    if (cc_activation_needs(activation) == CC_NEEDS_X) {
        if (heir == DRESIDUAL) return;
        from_x = true;
        want_residual = false;
    }
    problem_begin(&p, m, c, activation, false, 0.5f);
    float *y = random_floats(all, 11), *dy = random_floats(all, 12), *old = random_floats(all, 13), *mean = malloc(c * sizeof *mean),
          *invstd = malloc(c * sizeof *invstd);
    double *y64 = to_doubles(y, all), *dy64 = to_doubles(dy, all), *dx = doubles(all), *dresidual = doubles(all), *dgamma = doubles(c),
           *dbeta = doubles(c);
    assert_true(mean && invstd);
    ref_batch_norm_statistics(&ref, p.x64, p.mean, p.var, NULL);
    for (size_t k = 0; k < c; k++) {
        mean[k] = (float)p.mean[k];
        invstd[k] = (float)(1.0 / sqrt(p.var[k] + EPS));
    }
    if (from_x) {
        ref_batch_norm_forward(&alone, p.x64, NULL, p.gamma64, p.beta64, p.mean, p.var, y64);
        /* too close to 0 for float32 to know the sign: makes no difference */
        for (size_t i = 0; i < all; i++)
            if (fabs(y64[i]) < 1e-4) dy64[i] = dy[i] = 0;
    }
    ref_batch_norm_backward(&ref, train, p.x64, y64, dy64, p.gamma64, p.mean, p.var, dx, dresidual, dgamma, dbeta);
    for (size_t i = 0; i < all; i++) {
        if (add.dx) dx[i] += old[i];
        if (add.dresidual) dresidual[i] += old[i];
    }
    for (size_t k = 0; k < c && add.dparams; k++)
        dgamma[k] += old[k], dbeta[k] += old[k];

    op_test t;
    op_begin(&t, device);
    cc_tensor tx = op_input(&t, CC_F32, p.x, all), ty = from_x ? CC_NO_TENSOR : op_input(&t, CC_F32, y, all),
              tdy = op_input(&t, CC_F32, dy, all), tgamma = op_input(&t, CC_F32, p.gamma, c), tbeta = op_input(&t, CC_F32, p.beta, c),
              tmean = op_input(&t, CC_F32, mean, c), tinvstd = op_input(&t, CC_F32, invstd, c), tdx = CC_NO_TENSOR,
              tdresidual = CC_NO_TENSOR, tdgamma = CC_NO_TENSOR, tdbeta = CC_NO_TENSOR;
    if (want_dx) tdx = add.dx ? op_input(&t, CC_F32, old, all) : op_output(&t, CC_F32, all);
    if (want_residual) tdresidual = add.dresidual ? op_input(&t, CC_F32, old, all) : op_output(&t, CC_F32, all);
    if (heir == DX) tdx = tdy;
    if (heir == DRESIDUAL) tdresidual = tdy;
    if (want_params) tdgamma = add.dparams ? op_input(&t, CC_F32, old, c) : op_output(&t, CC_F32, c);
    if (want_params) tdbeta = add.dparams ? op_input(&t, CC_F32, old, c) : op_output(&t, CC_F32, c);
    OK(&t, train ? cc_batch_norm_backward_train(t.tape, &d, tx, ty, tdy, tgamma, tbeta, tmean, tinvstd, tdx, tdresidual, tdgamma, tdbeta,
                                                add, &t.err)
                 : cc_batch_norm_backward_eval(t.tape, &d, tx, ty, tdy, tgamma, from_x ? tbeta : CC_NO_TENSOR, tmean, tinvstd, tdx,
                                               tdresidual, tdgamma, tdbeta, add, &t.err));
    op_run(&t);
    const double of_sums = 2e-7 * sqrt((double)m) + 2e-6;
    const struct {
        cc_tensor tensor;
        const double *want;
        size_t count;
        double absolute;
        const char *name;
    } outputs[] = {
        { tdx, dx, all, 5e-6, "dx" },
        { tdresidual, dresidual, all, 1e-6, "dresidual" },
        { tdgamma, dgamma, c, of_sums * 10, "dgamma" },
        { tdbeta, dbeta, c, of_sums * 10, "dbeta" },
    };
    for (size_t i = 0; i < CC_COUNT(outputs); i++) {
        if (outputs[i].tensor.buffer == NULL) continue;
        float *got = op_read_floats(&t, outputs[i].tensor);
        check_close(got, outputs[i].want, outputs[i].count, outputs[i].absolute, 2e-6, "%zu x %zu, %s, %s: %s", m, c,
                    cc_activation_get(activation)->name, train ? "train" : "eval", outputs[i].name);
        free(got);
    }
    op_end(&t);
    free(y), free(dy), free(old), free(mean), free(invstd), free(y64), free(dy64), free(dx), free(dresidual), free(dgamma), free(dbeta);
    problem_end(&p);
}

static void backward_matches_reference(void **state)
{
    (void)state;
    const cc_activation relu = CC_RELU;
    for (size_t s = 0; s < CC_COUNT(shapes); s++) {
        if (too_slow(shapes[s].m * shapes[s].c)) continue;
        for (unsigned bits = 0; bits < 8; bits++) {
            const cc_batch_norm_add add = { bits & 1, bits & 2, bits & 4 };
            const cc_activation activation = cc_check_activation(bits + s);
            check_backward(shapes[s].m, shapes[s].c, activation, true, false, add, true, bits != 3, true, NOBODY);
            check_backward(shapes[s].m, shapes[s].c, activation, true, true, add, true, bits == 3, true, NOBODY);
            check_backward(shapes[s].m, shapes[s].c, activation, false, bits == 4, add, bits != 5, true, bits != 6, NOBODY);
        }
        const cc_batch_norm_add none = { 0 };
        check_backward(shapes[s].m, shapes[s].c, relu, false, false, none, true, false, false, NOBODY);
        check_backward(shapes[s].m, shapes[s].c, relu, false, false, none, false, false, true, NOBODY);
        for (int train = 0; train < 2; train++)
            for (size_t i = 0; i < CC_ACTIVATION_COUNT; i++) {
                const cc_activation activation = cc_check_activation(i);
                const cc_batch_norm_add to_dx = { .dx = true, .dparams = i == 1 }, to_params = { .dparams = i == 2 };
                check_backward(shapes[s].m, shapes[s].c, activation, train, train && i == 2, to_params, true, false, true, DX);
                check_backward(shapes[s].m, shapes[s].c, activation, train, false, to_params, true, true, true, DRESIDUAL);
                check_backward(shapes[s].m, shapes[s].c, activation, train, false, to_dx, true, true, true, DRESIDUAL);
            }
    }
}

/* The reference itself: central differences of sum dy * y with respect to x, residual, gamma and beta. */
static void reference_gradient_is_a_finite_difference(void **state)
{
    (void)state;
    enum { M = 6, C = 3, ALL = M * C };
    const double h = 1e-6;
    for (int i = 0; i < 2 * CC_ACTIVATION_COUNT; i++) {
        const bool train = i % 2;
        const cc_activation activation = cc_check_activation((size_t)i / 2);
        const ref_batch_norm ref = { M, C, 1e-5, cc_check_reference(activation) }, alone = { M, C, 1e-5, { "none", 0 } };
        problem p;
        problem_begin(&p, M, C, activation, true, 0.5f);
        float *dy = random_floats(ALL, 9);
        double *dy64 = to_doubles(dy, ALL), dx[ALL], dresidual[ALL], dgamma[C], dbeta[C];
        double *inputs[] = { p.x64, p.residual64, p.gamma64, p.beta64 }, *gradients[] = { dx, dresidual, dgamma, dbeta };
        const size_t counts[] = { ALL, ALL, C, C };
        for (size_t k = 0; k < C; k++)
            p.mean[k] = 0.3 * (double)k, p.var[k] = 1.0 + (double)k;
        if (train) ref_batch_norm_statistics(&ref, p.x64, p.mean, p.var, NULL);
        ref_batch_norm_forward(&alone, p.x64, p.residual64, p.gamma64, p.beta64, p.mean, p.var, p.y);
        ref_batch_norm_backward(&ref, train, p.x64, p.y, dy64, p.gamma64, p.mean, p.var, dx, dresidual, dgamma, dbeta);
        for (size_t a = 0; a < 4; a++)
            for (size_t k = 0; k < counts[a]; k++) {
                double value[2] = { 0 };
                const double old = inputs[a][k];
                for (int side = 0; side < 2; side++) {
                    inputs[a][k] = side ? old + h : old - h;
                    if (train) ref_batch_norm_statistics(&ref, p.x64, p.mean, p.var, NULL);
                    ref_batch_norm_forward(&ref, p.x64, p.residual64, p.gamma64, p.beta64, p.mean, p.var, p.y);
                    for (size_t j = 0; j < ALL; j++)
                        value[side] += dy64[j] * p.y[j];
                }
                inputs[a][k] = old;
                const double difference = (value[1] - value[0]) / (2 * h);
                if (!(fabs(difference - gradients[a][k]) < 1e-7))
                    fail_msg("input %zu, element %zu: %g, but the difference quotient is %g", a, k, gradients[a][k], difference);
            }
        free(dy), free(dy64);
        problem_end(&p);
    }
}

/* scale and shift of the running statistics do to x what the evaluation's forward pass does. */
static void fold_matches_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < CC_COUNT(shapes); i++) {
        problem p;
        problem_begin(&p, 2, shapes[i].c, CC_NO_ACTIVATION, false, 0.0f);
        const cc_batch_norm_desc d = { 2, p.c, EPS, MOMENTUM, CC_NO_ACTIVATION, 0 };
        op_test t;
        op_begin(&t, device);
        const float *inputs[4] = { p.gamma, p.beta, p.running_mean, p.running_var };
        cc_tensor in[4], out[4];
        for (int k = 0; k < 4; k++)
            in[k] = op_input(&t, CC_F32, inputs[k], p.c);
        for (int k = 0; k < 4; k++)
            out[k] = op_output(&t, CC_F32, p.c);
        OK(&t, cc_batch_norm_fold(t.tape, &d, in[0], in[1], in[2], in[3], out[0], out[1], out[2], out[3], &t.err));
        op_run(&t);
        float *got[4];
        for (int k = 0; k < 4; k++)
            got[k] = op_read_floats(&t, out[k]);
        check_same(got[0], p.running_mean, p.c, "mean");
        for (size_t k = 0; k < p.c; k++) {
            const double invstd = 1 / sqrt((double)p.running_var[k] + EPS), scale = p.gamma64[k] * invstd;
            const double shift = p.beta64[k] - p.running_mean[k] * scale;
            check_close(got[1] + k, &invstd, 1, 0, 1e-6, "%zu channels: invstd", p.c);
            check_close(got[2] + k, &scale, 1, 0, 1e-6, "%zu channels: scale", p.c);
            check_close(got[3] + k, &shift, 1, 1e-6, 1e-6, "%zu channels: shift", p.c);
        }
        for (int k = 0; k < 4; k++)
            free(got[k]);
        op_end(&t);
        problem_end(&p);
    }
}

/* Runs over the same data give the same bits. */
static void equal_inputs_give_equal_bits(void **state)
{
    (void)state;
    const cc_batch_norm_desc d = { 150, 20, EPS, MOMENTUM, CC_RELU, 0 };
    const size_t all = d.m * d.c;
    float *x = random_floats(all, 1), *first[4] = { NULL };
    for (int run = 0; run < 3; run++) {
        op_test t;
        op_begin(&t, device);
        cc_tensor tx = op_input(&t, CC_F32, x, all), p[4], y = op_output(&t, CC_F32, all), mean = op_output(&t, CC_F32, d.c),
                  invstd = op_output(&t, CC_F32, d.c), dx = op_output(&t, CC_F32, all), dgamma = op_output(&t, CC_F32, d.c),
                  dbeta = op_output(&t, CC_F32, d.c);
        for (int i = 0; i < 4; i++)
            p[i] = op_input(&t, CC_F32, x, d.c);
        OK(&t, cc_batch_norm_forward_train(t.tape, &d, tx, CC_NO_TENSOR, p[0], p[1], p[2], p[3], mean, invstd, y, &t.err));
        /* the sign of y, kept or found again, is the same */
        OK(&t, cc_batch_norm_backward_train(t.tape, &d, tx, run == 1 ? CC_NO_TENSOR : y, tx, p[0], p[1], mean, invstd, dx, CC_NO_TENSOR,
                                            dgamma, dbeta, (cc_batch_norm_add){ 0 }, &t.err));
        op_run(&t);
        const cc_tensor outputs[] = { y, invstd, dx, dgamma };
        for (int i = 0; i < 4; i++) {
            float *got = op_read_floats(&t, outputs[i]);
            if (run == 0) {
                first[i] = got;
                continue;
            }
            check_same(got, first[i], cc_tensor_count(&outputs[i]), "output %d", i);
            free(got);
        }
        op_end(&t);
    }
    for (int i = 0; i < 4; i++)
        free(first[i]);
    free(x);
}

/* A NaN anywhere in a channel makes that channel NaN, and only that one. */
static void nan_propagates(void **state)
{
    (void)state;
    enum { M = 37, C = 18 };
    const cc_batch_norm_desc d = { M, C, EPS, MOMENTUM, CC_RELU, 0 };
    float *x = random_floats(M * C, 1), ones[C];
    for (int k = 0; k < C; k++)
        ones[k] = 1.0f;
    x[20 * C + 5] = NAN;
    op_test t;
    op_begin(&t, device);
    cc_tensor tx = op_input(&t, CC_F32, x, M * C), p[4], y = op_output(&t, CC_F32, M * C), mean = op_output(&t, CC_F32, C),
              invstd = op_output(&t, CC_F32, C);
    for (int i = 0; i < 4; i++)
        p[i] = op_input(&t, CC_F32, ones, C);
    OK(&t, cc_batch_norm_forward_train(t.tape, &d, tx, CC_NO_TENSOR, p[0], p[1], p[2], p[3], mean, invstd, y, &t.err));
    op_run(&t);
    float *got = op_read_floats(&t, y), *got_mean = op_read_floats(&t, mean);
    for (int k = 0; k < C; k++)
        assert_int_equal(isnan(got_mean[k]), k == 5);
    for (int i = 0; i < M * C; i++)
        assert_int_equal(isnan(got[i]), i % C == 5);
    free(got), free(got_mean), free(x);
    op_end(&t);
}

/* The sum with a residual is not kept, and an activation that would need it is refused. */
static void missing_sums_are_refused(void **state)
{
    (void)state;
    const float v[8] = { 0 };
    op_test t;
    op_begin(&t, device);
    cc_tensor in[9], none = CC_NO_TENSOR, y = op_output(&t, CC_F32, 8), dr = op_output(&t, CC_F32, 8);
    for (int i = 0; i < 9; i++)
        in[i] = op_input(&t, CC_F32, v, i < 3 ? 8 : 4);
    for (size_t kind = 0; kind < CC_ACTIVATION_COUNT; kind++) {
        const cc_batch_norm_desc d = { 2, 4, EPS, MOMENTUM, cc_check_activation(kind), 0 };
        const camcl_status want = cc_activation_needs(d.activation) == CC_NEEDS_X ? CAMCL_UNSUPPORTED : CAMCL_OK;
        assert_int_equal(cc_batch_norm_forward_eval(t.tape, &d, in[0], in[1], in[3], in[4], in[5], in[6], in[7], in[8], y, &t.err), want);
        assert_int_equal(cc_batch_norm_backward_eval(t.tape, &d, in[0], in[1], in[2], in[3], in[4], in[5], in[6], y, dr, none, none,
                                                     (cc_batch_norm_add){ 0 }, &t.err),
                         want);
        /* without y, and without beta to find it again */
        assert_int_equal(cc_batch_norm_backward_eval(t.tape, &d, in[0], none, in[2], in[3], none, in[5], in[6], y, none, none, none,
                                                     (cc_batch_norm_add){ 0 }, &t.err),
                         kind == CC_ACTIVATION_NONE ? CAMCL_OK : CAMCL_FAILED);
    }
    op_end(&t);
}

static void one_row_is_refused(void **state)
{
    (void)state;
    const cc_batch_norm_desc d = { 1, 2, EPS, MOMENTUM, CC_RELU, 0 };
    const float v[2] = { 1, 2 };
    op_test t;
    op_begin(&t, device);
    cc_tensor a = op_input(&t, CC_F32, v, 2), p[7];
    for (int i = 0; i < 7; i++)
        p[i] = op_input(&t, CC_F32, v, 2);
    assert_int_equal(cc_batch_norm_forward_train(t.tape, &d, a, CC_NO_TENSOR, p[0], p[1], p[2], p[3], p[4], p[5], p[6], &t.err),
                     CAMCL_UNSUPPORTED);
    assert_non_null(strstr(t.err.message, "larger batch"));
    op_end(&t);
}

static const struct CMUnitTest operation_tests[] = {
    cmocka_unit_test(forward_matches_reference),
    cmocka_unit_test(large_offset_does_not_cancel),
    cmocka_unit_test(outlier_does_not_cost_precision),
    cmocka_unit_test(backward_matches_reference),
    cmocka_unit_test(reference_gradient_is_a_finite_difference),
    cmocka_unit_test(fold_matches_reference),
    cmocka_unit_test(equal_inputs_give_equal_bits),
    cmocka_unit_test(nan_propagates),
    cmocka_unit_test(missing_sums_are_refused),
    cmocka_unit_test(one_row_is_refused),
};
#include "support/op_main.h"
