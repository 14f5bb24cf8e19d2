/* Linear layers: every variant in the registry against the reference, and the choice between them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "ops/ops.h"
#include "ops/registry.h"
#include "check/ref/linear_ref.h"
#include "support/devices.h"
#include "support/operands.h"

static camcl_device *device;

static const cc_linear_desc shapes[] = {
    { 1, 1, 1 },   { 3, 15, 10 },  { 2, 16, 17 },   { 33, 17, 3 },  { 32, 64, 10 },
    { 5, 33, 31 }, { 8, 512, 10 }, { 96, 128, 33 }, { 7, 20, 100 }, { 64, 512, 129 },
};

static bool too_slow(size_t work) { return strstr(camcl_device_get_info(device)->platform, "Oclgrind") && work > 10000; }

/* The gemm variant takes any size, though it is only chosen for large ones. */
static void check_variant(const cc_variant *v, const cc_linear_desc *d)
{
    const size_t nx = d->n * d->in, nw = d->in * d->out, ny = d->n * d->out;
    const double bound = 1e-6 * sqrt((double)(d->in + d->n + d->out));
    float *x = random_floats(nx, 1), *w = random_floats(nw, 2), *b = random_floats(d->out, 3), *dy = random_floats(ny, 4),
          *old = random_floats(nx + nw, 5);
    double *x64 = to_doubles(x, nx), *w64 = to_doubles(w, nw), *b64 = to_doubles(b, d->out), *dy64 = to_doubles(dy, ny),
           *y = to_doubles(dy, ny), *dx = to_doubles(x, nx), *dw = to_doubles(w, nw), *db = to_doubles(b, d->out);
    ref_linear_backward(d->n, d->in, d->out, x64, w64, dy64, dx, dw, db);
    for (int variation = 0; variation < 4; variation++) {
        const bool add = variation & 1, bias = variation & 2;
        op_test t;
        op_begin(&t, device);
        cc_tensor tx = op_input(&t, CC_F32, x, nx), tw = op_input(&t, CC_F32, w, nw), tdy = op_input(&t, CC_F32, dy, ny), out[2];
        const double *want[2] = { NULL, NULL };
        double *sum[2] = { NULL, NULL };
        const size_t outs = v->direction == CC_BACKWARD_WEIGHT && bias ? 2 : 1;
        if (v->direction == CC_FORWARD) {
            ref_linear_forward(d->n, d->in, d->out, x64, w64, bias ? b64 : NULL, y);
            out[0] = op_output(&t, CC_F32, ny);
            want[0] = y;
            const cc_tensor io[] = { tx, tw, bias ? op_input(&t, CC_F32, b, d->out) : CC_NO_TENSOR, out[0] };
            OK(&t, v->record(t.tape, d, io, 4, false, &t.err));
        } else if (v->direction == CC_BACKWARD_DATA) {
            out[0] = add ? op_input(&t, CC_F32, old, nx) : op_output(&t, CC_F32, nx);
            want[0] = dx;
            const cc_tensor io[] = { tdy, tw, out[0] };
            OK(&t, v->record(t.tape, d, io, 3, add, &t.err));
        } else {
            out[0] = add ? op_input(&t, CC_F32, old, nw) : op_output(&t, CC_F32, nw);
            out[1] = !bias ? CC_NO_TENSOR : add ? op_input(&t, CC_F32, old, d->out) : op_output(&t, CC_F32, d->out);
            want[0] = dw, want[1] = db;
            const cc_tensor io[] = { tx, tdy, out[0], out[1] };
            OK(&t, v->record(t.tape, d, io, 4, add, &t.err));
        }
        op_run(&t);
        for (size_t i = 0; i < outs; i++) {
            const size_t count = cc_tensor_count(&out[i]);
            float *got = op_read_floats(&t, out[i]);
            sum[i] = malloc(count * sizeof(double));
            assert_non_null(sum[i]);
            for (size_t j = 0; j < count; j++)
                sum[i][j] = want[i][j] + (add && v->direction != CC_FORWARD ? (double)old[j] : 0.0);
            check_close(got, sum[i], count, bound, 0, "%s %s, n %zu in %zu out %zu, output %zu", v->name, cc_direction_name(v->direction),
                        d->n, d->in, d->out, i);
            free(got), free(sum[i]);
        }
        op_end(&t);
    }
    free(x), free(w), free(b), free(dy), free(old), free(x64), free(w64), free(b64), free(dy64), free(y), free(dx), free(dw), free(db);
}

static void every_variant_matches_reference(void **state)
{
    (void)state;
    size_t found = 0;
    for (size_t i = 0; i < cc_registry_count(); i++) {
        const cc_variant *v = cc_registry_at(i);
        if (strcmp(v->op->name, "linear") != 0) continue;
        found++;
        for (size_t s = 0; s < CC_COUNT(shapes); s++)
            if (!too_slow(shapes[s].n * shapes[s].in * shapes[s].out)) check_variant(v, &shapes[s]);
    }
    assert_int_equal(found, 6);
}

/* The typed functions, on a layer that goes to the direct kernels and on one that goes to GEMM on GPUs. */
static void typed_functions_match_reference(void **state)
{
    (void)state;
    const cc_linear_desc sizes[] = { { 9, 40, 10 }, { 64, 512, 129 } };
    for (size_t s = 0; s < CC_COUNT(sizes); s++) {
        const cc_linear_desc d = sizes[s];
        const size_t nx = d.n * d.in, nw = d.in * d.out, ny = d.n * d.out;
        if (too_slow(nx * d.out)) continue;
        float *x = random_floats(nx, 1), *w = random_floats(nw, 2), *b = random_floats(d.out, 3), *dy = random_floats(ny, 4);
        double *x64 = to_doubles(x, nx), *w64 = to_doubles(w, nw), *b64 = to_doubles(b, d.out), *dy64 = to_doubles(dy, ny),
               *y = to_doubles(dy, ny), *dx = to_doubles(x, nx), *dw = to_doubles(w, nw), *db = to_doubles(b, d.out);
        ref_linear_forward(d.n, d.in, d.out, x64, w64, b64, y);
        ref_linear_backward(d.n, d.in, d.out, x64, w64, dy64, dx, dw, db);
        op_test t;
        op_begin(&t, device);
        cc_tensor tx = op_input(&t, CC_F32, x, nx), tw = op_input(&t, CC_F32, w, nw), tb = op_input(&t, CC_F32, b, d.out),
                  tdy = op_input(&t, CC_F32, dy, ny), ty = op_output(&t, CC_F32, ny), tdx = op_output(&t, CC_F32, nx),
                  tdw = op_output(&t, CC_F32, nw), tdb = op_output(&t, CC_F32, d.out);
        OK(&t, cc_linear_forward(t.tape, &d, tx, tw, tb, ty, &t.err));
        OK(&t, cc_linear_backward_data(t.tape, &d, tdy, tw, tdx, false, &t.err));
        OK(&t, cc_linear_backward_weight(t.tape, &d, tx, tdy, tdw, tdb, false, &t.err));
        op_run(&t);
        const struct {
            cc_tensor tensor;
            const double *want;
        } results[] = { { ty, y }, { tdx, dx }, { tdw, dw }, { tdb, db } };
        for (size_t i = 0; i < CC_COUNT(results); i++) {
            float *got = op_read_floats(&t, results[i].tensor);
            check_close(got, results[i].want, cc_tensor_count(&results[i].tensor), 3e-5, 0, "size %zu, result %zu", s, i);
            free(got);
        }
        free(x), free(w), free(b), free(dy), free(x64), free(w64), free(b64), free(dy64), free(y), free(dx), free(dw), free(db);
        op_end(&t);
    }
}

static void size_decides(void **state)
{
    (void)state;
    const cc_linear_desc small = { 96, 512, 10 }, large = { 4096, 4096, 1000 };
    const camcl_device_info *info = camcl_device_get_info(device);
    for (cc_direction direction = CC_FORWARD; direction <= CC_BACKWARD_WEIGHT; direction++) {
        assert_ptr_equal(cc_linear_choose(info, direction, &small), cc_registry_find("linear", direction, "direct"));
        assert_ptr_equal(cc_linear_choose(info, direction, &large), cc_registry_find("linear", direction, "gemm"));
    }
}

static void reference_gradient_is_a_finite_difference(void **state)
{
    (void)state;
    enum { N = 3, IN = 4, OUT = 2 };
    const double h = 1e-5;
    float *x = random_floats(N * IN, 1), *w = random_floats(IN * OUT, 2), *b = random_floats(OUT, 3), *dy = random_floats(N * OUT, 4);
    double *x64 = to_doubles(x, N * IN), *w64 = to_doubles(w, IN * OUT), *b64 = to_doubles(b, OUT), *dy64 = to_doubles(dy, N * OUT);
    double dx[N * IN], dw[IN * OUT], db[OUT], y[N * OUT];
    double *inputs[] = { x64, w64, b64 }, *gradients[] = { dx, dw, db };
    const size_t counts[] = { N * IN, IN * OUT, OUT };
    ref_linear_backward(N, IN, OUT, x64, w64, dy64, dx, dw, db);
    for (size_t a = 0; a < 3; a++)
        for (size_t i = 0; i < counts[a]; i++) {
            const double old = inputs[a][i];
            double value[2] = { 0 };
            for (int side = 0; side < 2; side++) {
                inputs[a][i] = side ? old + h : old - h;
                ref_linear_forward(N, IN, OUT, x64, w64, b64, y);
                for (size_t j = 0; j < N * OUT; j++)
                    value[side] += dy64[j] * y[j];
            }
            inputs[a][i] = old;
            assert_true(fabs((value[1] - value[0]) / (2 * h) - gradients[a][i]) < 1e-9);
        }
    free(x), free(w), free(b), free(dy), free(x64), free(w64), free(b64), free(dy64);
}

static const struct CMUnitTest operation_tests[] = {
    cmocka_unit_test(every_variant_matches_reference),
    cmocka_unit_test(typed_functions_match_reference),
    cmocka_unit_test(size_decides),
    cmocka_unit_test(reference_gradient_is_a_finite_difference),
};
#include "support/op_main.h"
