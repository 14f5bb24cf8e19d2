/* A convolution with the batch norm of evaluation applied: every variant against host/check/ref, and the same bits of the plain variant
 * when there is nothing to apply. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "check/check.h"
#include "ops/conv2d/shape.h"
#include "ops/registry.h"
#include "check/ref/conv2d_ref.h"
#include "support/devices.h"
#include "support/operands.h"
#include "support/shares.h"

static camcl_device *device;

/* Channels around vectors and panels, maps around tiles, several images in a group and a part of one. */
static const cc_conv2d_desc shapes[] = {
    { 1, 1, 1, 1, 1, 1, 1, 1, 0, 1 },     { 3, 8, 8, 16, 16, 3, 3, 1, 1, 1 },   { 2, 5, 7, 3, 15, 3, 3, 1, 1, 1 },
    { 1, 9, 6, 15, 17, 3, 3, 1, 1, 1 },   { 5, 4, 4, 32, 33, 3, 3, 1, 1, 1 },   { 2, 7, 5, 31, 47, 3, 3, 2, 1, 1 },
    { 3, 7, 6, 16, 32, 1, 1, 2, 0, 1 },   { 2, 12, 10, 3, 15, 7, 7, 2, 3, 1 },  { 2, 8, 9, 4, 5, 3, 3, 1, 2, 1 },
    { 9, 4, 5, 20, 64, 3, 3, 1, 0, 1 },   { 2, 20, 18, 33, 40, 3, 3, 1, 1, 1 }, { 2, 20, 17, 33, 40, 3, 3, 2, 2, 1 },
    { 9, 9, 8, 16, 64, 3, 3, 2, 0, 1 },   { 2, 5, 5, 160, 33, 3, 3, 1, 1, 1 },  { 3, 9, 9, 24, 64, 1, 1, 1, 0, 1 },
    { 2, 16, 15, 33, 40, 1, 1, 2, 0, 1 },
};

typedef struct problem {
    cc_conv2d_affine_desc desc;
    size_t x_count, w_count, y_count;
    float *x, *w, *scale, *shift, *residual;
    double *sum, *magnitude;
} problem;

static void problem_begin(problem *p, const cc_conv2d_desc *d, cc_activation activation)
{
    const ref_conv2d ref = { d->n, d->h, d->w, d->c, d->k, d->r, d->s, d->stride, d->pad, d->groups };
    p->desc = (cc_conv2d_affine_desc){ *d, activation };
    p->x_count = d->n * d->h * d->w * d->c;
    p->w_count = d->r * d->s * (d->c / d->groups) * d->k;
    p->y_count = d->n * ref_conv2d_out_h(&ref) * ref_conv2d_out_w(&ref) * d->k;
    p->x = random_floats(p->x_count, 1);
    p->w = random_floats(p->w_count, 2);
    p->scale = random_floats(d->k, 3);
    p->shift = random_floats(d->k, 4);
    p->residual = random_floats(p->y_count, 5);
    p->sum = malloc(p->y_count * sizeof(double));
    p->magnitude = malloc(p->y_count * sizeof(double));
    assert_true(p->sum && p->magnitude);
    ref_conv2d_forward(&ref, p->x, p->w, p->sum, p->magnitude);
}

static void problem_end(problem *p)
{
    free(p->x), free(p->w), free(p->scale), free(p->shift), free(p->residual), free(p->sum), free(p->magnitude);
}

/* Runs `variant` of conv2d_affine (scale etc. given) or of conv2d; the caller frees. */
static float *run(const problem *p, const cc_variant *plain, const cc_variant *affine, const float *scale, const float *shift,
                  const float *residual)
{
    const cc_conv2d_desc *d = &p->desc.conv;
    const size_t y_dim[4] = { d->n, cc_conv2d_out_h(d), cc_conv2d_out_w(d), d->k }, x_dim[4] = { d->n, d->h, d->w, d->c };
    op_test t;
    op_begin(&t, device);
    cc_tensor x = op_input(&t, CC_F32, p->x, p->x_count), w = op_input(&t, CC_F32, p->w, p->w_count), y = op_output(&t, CC_F32, p->y_count),
              a = op_input(&t, CC_F32, scale, d->k), b = op_input(&t, CC_F32, shift, d->k),
              r = residual ? op_input(&t, CC_F32, residual, p->y_count) : CC_NO_TENSOR;
    x.rank = y.rank = 4;
    memcpy(x.dim, x_dim, sizeof x_dim);
    memcpy(y.dim, y_dim, sizeof y_dim);
    if (plain->pack) {
        const size_t packed = plain->packed_bytes(camcl_device_get_info(device), d);
        cc_buffer *copy;
        OK(&t, cc_tape_buffer(t.tape, packed, "packed weights", &copy, &t.err));
        OK(&t, plain->pack(t.tape, d, w.buffer, copy, &t.err));
        w = (cc_tensor){ copy, CC_F32, 1, { packed / sizeof(float) } };
    } else {
        w.rank = 4;
        memcpy(w.dim, (size_t[]){ d->r, d->s, d->c / d->groups, d->k }, sizeof w.dim);
    }
    if (affine)
        OK(&t, affine->record(t.tape, &p->desc, (cc_tensor[]){ x, w, a, b, r, y }, 6, false, &t.err));
    else
        OK(&t, plain->record(t.tape, d, (cc_tensor[]){ x, w, y }, 3, false, &t.err));
    op_run(&t);
    float *got = op_read_floats(&t, y);
    op_end(&t);
    return got;
}

/* y against the reference: the sum's own rounding (test_conv2d's bound for its family) times |scale|, and that of what follows. */
static void compare(const problem *p, const cc_variant *v, const float *got, bool residual)
{
    const cc_conv2d_desc *d = &p->desc.conv;
    const double unit = ldexp(1.0, -24), terms = (double)(d->r * d->s * d->c);
    const bool winograd = strcmp(v->family, "winograd") == 0;
    double largest = 0;
    char label[96];
    snprintf(label, sizeof label, "conv2d_affine %s", v->name);
    for (size_t i = 0; i < p->y_count; i++)
        largest = fmax(largest, p->magnitude[i]);
    for (size_t i = 0; i < p->y_count; i++) {
        const size_t k = i % d->k;
        const double scaled = p->sum[i] * p->scale[k], before = scaled + p->shift[k] + (residual ? p->residual[i] : 0);
        const double want = ref_activate(cc_check_reference(p->desc.activation), before);
        const double allowed =
            unit * ((4 + sqrt(terms)) * (winograd ? 4 * largest : p->magnitude[i]) * fabs((double)p->scale[k]) + 4 * (fabs(scaled) + 2));
        const double distance = fabs((double)got[i] - want);
        note_share(label, distance, allowed);
        if (!(distance <= allowed)) {
            char key[160];
            cc_conv2d_key(d, CC_FORWARD, key, sizeof key);
            fail_msg("%s, %s%s: element %zu is %.9g, expected %.9g +- %.2g", v->name, key, residual ? ", residual" : "", i, (double)got[i],
                     want, allowed);
        }
    }
}

static void check(const cc_conv2d_desc *shape, cc_activation activation, bool residual)
{
    const camcl_device_info *info = camcl_device_get_info(device);
    problem p;
    problem_begin(&p, shape, activation);
    float *ones = malloc(shape->k * sizeof *ones), *zeros = calloc(shape->k, sizeof *zeros);
    assert_true(ones && zeros);
    for (size_t i = 0; i < shape->k; i++)
        ones[i] = 1;
    for (size_t i = 0; i < cc_registry_count(); i++) {
        const cc_variant *v = cc_registry_at(i);
        if (strcmp(v->op->name, "conv2d_affine") != 0 || !v->supports(info, &p.desc)) continue;
        const cc_variant *plain = cc_registry_find("conv2d", CC_FORWARD, v->name);
        assert_true(plain && plain->supports(info, shape));
        float *got = run(&p, plain, v, p.scale, p.shift, residual ? p.residual : NULL);
        compare(&p, v, got, residual);
        free(got);
        if (activation.kind == CC_ACTIVATION_NONE && !residual) {
            float *same = run(&p, plain, v, ones, zeros, NULL), *want = run(&p, plain, NULL, ones, zeros, NULL);
            check_same(same, want, p.y_count, "%s with nothing to apply", v->name);
            free(same), free(want);
        }
    }
    free(ones), free(zeros);
    problem_end(&p);
}

static void all_variants(void **state)
{
    (void)state;
    for (size_t s = 0; s < CC_COUNT(shapes); s++)
        for (size_t kind = 0; kind < CC_ACTIVATION_COUNT; kind++)
            for (int residual = 0; residual < 2; residual++)
                check(&shapes[s], cc_check_activation(kind), residual);
}

/* As in test_conv2d: what is larger than the caches. */
static void without_cache(void **state)
{
    (void)state;
    const cc_conv2d_desc whole = { 3, 8, 12, 16, 32, 3, 3, 1, 1, 1 };
    camcl_device_info *info = (camcl_device_info *)camcl_device_get_info(device);
    const size_t cache = info->cache;
    info->cache = 2;
    for (int residual = 0; residual < 2; residual++)
        check(&whole, CC_LEAKY_RELU(0.1f), residual), check(&whole, CC_NO_ACTIVATION, residual);
    info->cache = cache;
}

static void mismatched_operands_are_refused(void **state)
{
    (void)state;
    const cc_conv2d_affine_desc d = { { 1, 2, 2, 1, 1, 1, 1, 1, 0, 1 }, CC_NO_ACTIVATION };
    const float v[4] = { 0 };
    camcl_error err;
    op_test t;
    op_begin(&t, device);
    cc_tensor four = op_input(&t, CC_F32, v, 4), one = op_input(&t, CC_F32, v, 1), image = four;
    image.rank = 4;
    memcpy(image.dim, (size_t[]){ 1, 2, 2, 1 }, sizeof image.dim);
    cc_tensor io[] = { image, one, one, one, CC_NO_TENSOR, image };
    assert_int_equal(cc_conv2d_affine_check(&d, io, 6, false, &err), CAMCL_OK);
    assert_int_equal(cc_conv2d_affine_check(&d, io, 6, true, &err), CAMCL_FAILED);
    assert_int_equal(cc_conv2d_affine_check(&d, io, 5, false, &err), CAMCL_FAILED);
    io[4] = one;
    assert_int_equal(cc_conv2d_affine_check(&d, io, 6, false, &err), CAMCL_FAILED);
    io[4] = four;
    io[3] = CC_NO_TENSOR;
    assert_int_equal(cc_conv2d_affine_check(&d, io, 6, false, &err), CAMCL_FAILED);
    op_end(&t);
}

static const struct CMUnitTest operation_tests[] = {
    cmocka_unit_test(all_variants),
    cmocka_unit_test(without_cache),
    cmocka_unit_test(mismatched_operands_are_refused),
};
#include "support/op_main.h"
