/* Softmax, cross-entropy, confidence and evaluation: reference, finite differences, ties, masks, NaN. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "ops/ops.h"
#include "check/ref/softmax_ref.h"
#include "support/devices.h"
#include "support/operands.h"

static camcl_device *device;

/* Rows around the lanes that share a sum, classes around vector widths, and rows before and behind that must not matter. */
static const struct {
    cc_rows_desc rows;
    size_t behind;
} shapes[] = {
    { { 0, 1, 1 }, 0 },  { { 0, 2, 10 }, 0 }, { { 3, 31, 15 }, 2 },  { { 1, 33, 16 }, 0 },  { { 0, 63, 17 }, 1 },
    { { 5, 64, 2 }, 5 }, { { 0, 65, 3 }, 0 }, { { 2, 130, 10 }, 0 }, { { 0, 7, 1000 }, 1 }, { { 64, 256, 7 }, 64 },
};

/* One problem: logits of all rows (NaN outside the desc's rows), labels, a mask, and their doubles. */
typedef struct problem {
    cc_rows_desc d;
    size_t total; /* logits, all rows */
    float *logits, *mask;
    int32_t *labels;
    double *rows64; /* the desc's rows only */
} problem;

static problem make(size_t s, float spread)
{
    problem p = { .d = shapes[s].rows };
    const size_t used = p.d.n * p.d.classes, before = p.d.row0 * p.d.classes;
    p.total = before + used + shapes[s].behind * p.d.classes;
    p.logits = random_floats(p.total, (unsigned)s);
    p.mask = random_floats(p.d.n, 77);
    p.labels = malloc(p.d.n * sizeof *p.labels);
    assert_non_null(p.labels);
    for (size_t i = 0; i < p.total; i++)
        p.logits[i] = i < before || i >= before + used ? NAN : p.logits[i] * spread;
    for (size_t i = 0; i < p.d.n; i++) {
        p.mask[i] = p.mask[i] > 0.0f ? 1.0f : 0.0f;
        p.labels[i] = (int32_t)((i * 7 + 3) % p.d.classes);
    }
    p.rows64 = to_doubles(p.logits + before, used);
    return p;
}

static void release(problem *p) { free(p->logits), free(p->mask), free(p->labels), free(p->rows64); }

/* Rounds to few values, so that there are ties. */
static void make_ties(problem *p)
{
    for (size_t i = 0; i < p->total; i++)
        p->logits[i] = roundf(p->logits[i]);
    for (size_t i = 0; i < p->d.n * p->d.classes; i++)
        p->rows64[i] = p->logits[p->d.row0 * p->d.classes + i];
}

static void softmax_matches_reference(void **state)
{
    (void)state;
    for (size_t s = 0; s < CC_COUNT(shapes); s++) {
        problem p = make(s, 20.0f);
        const size_t used = p.d.n * p.d.classes;
        double *want = to_doubles(p.logits, used);
        ref_softmax(p.d.n, p.d.classes, p.rows64, want);
        op_test t;
        op_begin(&t, device);
        cc_tensor out = op_output(&t, CC_F32, used);
        OK(&t, cc_softmax_forward(t.tape, &p.d, op_input(&t, CC_F32, p.logits, p.total), out, &t.err));
        op_run(&t);
        float *got = op_read_floats(&t, out);
        check_close(got, want, used, 1e-7, 5e-6, "shape %zu", s);
        free(got), free(want), release(&p);
        op_end(&t);
    }
}

/* Logits of any size: no overflow. */
static void large_logits_do_not_overflow(void **state)
{
    (void)state;
    const float logits[] = { 1e30f, -1e30f, 0.0f, 1000.0f, 999.0f, -3e38f };
    const double want[] = { 1.0, 0.0, 0.0, 0.7310585786300049, 0.2689414213699951, 0.0 };
    const int32_t labels[] = { 0, 1 };
    const cc_rows_desc d = { 0, 2, 3 };
    op_test t;
    op_begin(&t, device);
    cc_tensor x = op_input(&t, CC_F32, logits, 6), out = op_output(&t, CC_F32, 6), sums = op_output(&t, CC_F32, 4);
    OK(&t, cc_softmax_forward(t.tape, &d, x, out, &t.err));
    OK(&t, cc_cross_entropy_forward(t.tape, &d, x, op_input(&t, CC_I32, labels, 2), CC_NO_TENSOR, sums, &t.err));
    op_run(&t);
    float *got = op_read_floats(&t, out), got_sums[4];
    check_close(got, want, 6, 1e-6, 0, "softmax");
    op_read(&t, sums, got_sums);
    check_close(got_sums, (const double[]){ 1.3132616875182228, 2, 1, 2 }, 4, 2e-6, 0, "cross-entropy");
    free(got);
    op_end(&t);
}

static void cross_entropy_matches_reference(void **state)
{
    (void)state;
    for (size_t s = 0; s < 4 * CC_COUNT(shapes); s++) {
        problem p = make(s / 4, 3.0f);
        const bool masked = s & 1;
        if (s & 2) make_ties(&p);
        if (p.d.n > 2) p.labels[p.d.n - 1] = -1;
        double want[4] = { 0, 0, 0, (double)p.d.n }, worst = 0.0;
        for (size_t i = 0; i < p.d.n; i++) {
            if (p.labels[i] < 0) continue;
            const double *row = p.rows64 + i * p.d.classes, weight = masked ? (double)p.mask[i] : 1.0;
            want[0] += weight * ref_cross_entropy(p.d.classes, row, p.labels[i]);
            want[1] += weight;
            want[2] += weight * (ref_argmax(p.d.classes, row) == p.labels[i]);
            worst += 1e-6 * weight;
        }
        op_test t;
        op_begin(&t, device);
        cc_tensor sums = op_output(&t, CC_F32, 4), mask = masked ? op_input(&t, CC_F32, p.mask, p.d.n) : CC_NO_TENSOR;
        OK(&t, cc_cross_entropy_forward(t.tape, &p.d, op_input(&t, CC_F32, p.logits, p.total), op_input(&t, CC_I32, p.labels, p.d.n), mask,
                                        sums, &t.err));
        op_run(&t);
        float got[4];
        op_read(&t, sums, got);
        check_close(got, want, 1, worst, 5e-7, "shape %zu: cross-entropy", s);
        check_close(got + 1, want + 1, 3, 0, 0, "shape %zu: counts", s);
        release(&p);
        op_end(&t);
    }
}

/* Rows outside stay as they were; the denominator is a device scalar, at least 1. */
static void cross_entropy_gradient_matches_reference(void **state)
{
    (void)state;
    static const float denominators[] = { 0.0f, 0.25f, 1.0f, 37.0f };
    const float scale = 0.7f;
    for (size_t s = 0; s < 4 * CC_COUNT(shapes); s++) {
        problem p = make(s / 4, 3.0f);
        const bool masked = s & 1;
        const size_t used = p.d.n * p.d.classes, before = p.d.row0 * p.d.classes;
        if (p.d.n > 2) p.labels[1] = -1;
        float *old = random_floats(p.total, 5);
        double *want = to_doubles(old, p.total), *probability = to_doubles(p.logits, used);
        ref_softmax(p.d.n, p.d.classes, p.rows64, probability);
        for (size_t i = 0; i < p.d.n; i++) {
            const double weight = p.labels[i] < 0 ? 0.0 : masked ? (double)p.mask[i] : 1.0;
            const double factor = scale / fmax(denominators[s % 4], 1.0) * weight;
            for (size_t j = 0; j < p.d.classes; j++)
                want[before + i * p.d.classes + j] = factor * (probability[i * p.d.classes + j] - ((int32_t)j == p.labels[i]));
        }
        op_test t;
        op_begin(&t, device);
        cc_tensor dlogits = op_input(&t, CC_F32, old, p.total), mask = masked ? op_input(&t, CC_F32, p.mask, p.d.n) : CC_NO_TENSOR;
        cc_tensor scalars = op_input(&t, CC_F32, denominators, 4);
        OK(&t, cc_cross_entropy_backward(t.tape, &p.d, op_input(&t, CC_F32, p.logits, p.total), op_input(&t, CC_I32, p.labels, p.d.n), mask,
                                         scale, (cc_device_scalar){ scalars.buffer, s % 4 }, dlogits, &t.err));
        op_run(&t);
        float *got = op_read_floats(&t, dlogits);
        check_close(got, want, p.total, 5e-7, 1e-6, "shape %zu", s);
        check_same(got, old, before, "shape %zu: rows before", s);
        check_same(got + before + used, old + before + used, p.total - before - used, "shape %zu: rows behind", s);
        free(old), free(want), free(probability), free(got), release(&p);
        op_end(&t);
    }
}

/* The device's gradient against central differences of the reference loss. */
static void cross_entropy_gradient_is_a_finite_difference(void **state)
{
    (void)state;
    problem p = make(1, 2.0f);
    const size_t used = p.d.n * p.d.classes;
    const double h = 1e-6;
    const float denominator = 2.0f;
    op_test t;
    op_begin(&t, device);
    cc_tensor dlogits = op_output(&t, CC_F32, p.total), scalar = op_input(&t, CC_F32, &denominator, 1);
    OK(&t, cc_cross_entropy_backward(t.tape, &p.d, op_input(&t, CC_F32, p.logits, p.total), op_input(&t, CC_I32, p.labels, p.d.n),
                                     CC_NO_TENSOR, 1.0f, (cc_device_scalar){ scalar.buffer, 0 }, dlogits, &t.err));
    op_run(&t);
    float *got = op_read_floats(&t, dlogits);
    for (size_t i = 0; i < used; i++) {
        double value[2] = { 0 };
        const double old = p.rows64[i];
        for (int side = 0; side < 2; side++) {
            p.rows64[i] = side ? old + h : old - h;
            for (size_t r = 0; r < p.d.n; r++)
                value[side] += ref_cross_entropy(p.d.classes, p.rows64 + r * p.d.classes, p.labels[r]) / 2.0;
        }
        p.rows64[i] = old;
        check_close(got + i, (const double[]){ (value[1] - value[0]) / (2 * h) }, 1, 1e-6, 0, "logit %zu", i);
    }
    free(got), release(&p);
    op_end(&t);
}

static void confidence_matches_reference(void **state)
{
    (void)state;
    for (size_t s = 0; s < 8 * CC_COUNT(shapes); s++) {
        problem p = make(s / 8, 3.0f);
        const cc_confidence_kind kind = s & 1 ? CC_CONFIDENCE_SOFTMAX : CC_CONFIDENCE_LOGIT;
        const bool truth = s & 2;
        if (s & 4) make_ties(&p);
        for (size_t i = 2; i < p.d.n; i += 3)
            p.labels[i] = -1;
        const float thresholds[] = { 100.0f, kind == CC_CONFIDENCE_SOFTMAX ? 0.5003f : 2.0003f };
        int32_t *want_pseudo = malloc(p.d.n * sizeof *want_pseudo), *pseudo = malloc(p.d.n * sizeof *pseudo);
        double *want_mask = to_doubles(p.mask, p.d.n), *probability = to_doubles(p.logits, p.total);
        double want[4] = { 0, 0, (double)p.d.n, 0 };
        assert_true(want_pseudo && pseudo);
        ref_softmax(p.d.n, p.d.classes, p.rows64, probability);
        for (size_t i = 0; i < p.d.n; i++) {
            const size_t at = i * p.d.classes;
            const int best = ref_argmax(p.d.classes, p.rows64 + at);
            const double conf = kind == CC_CONFIDENCE_SOFTMAX ? probability[at + (size_t)best] : p.rows64[at + (size_t)best];
            want_pseudo[i] = best;
            want_mask[i] = conf >= (double)thresholds[1];
            want[0] += want_mask[i];
            want[1] += truth && best == p.labels[i] ? want_mask[i] : 0.0;
            want[3] += !truth || p.labels[i] < 0 ? want_mask[i] : 0.0;
        }
        op_test t;
        op_begin(&t, device);
        cc_tensor tp = op_output(&t, CC_I32, p.d.n), tm = op_output(&t, CC_F32, p.d.n), sums = op_output(&t, CC_F32, 4),
                  scalars = op_input(&t, CC_F32, thresholds, 2);
        OK(&t, cc_confidence(t.tape, &p.d, kind, op_input(&t, CC_F32, p.logits, p.total), (cc_device_scalar){ scalars.buffer, 1 },
                             truth ? op_input(&t, CC_I32, p.labels, p.d.n) : CC_NO_TENSOR, tp, tm, sums, &t.err));
        op_run(&t);
        float *mask = op_read_floats(&t, tm), got[4];
        op_read(&t, tp, pseudo);
        op_read(&t, sums, got);
        assert_memory_equal(pseudo, want_pseudo, p.d.n * sizeof *pseudo);
        check_close(mask, want_mask, p.d.n, 0, 0, "shape %zu: mask", s);
        check_close(got, want, 4, 0, 0, "shape %zu: sums", s);
        free(want_pseudo), free(pseudo), free(want_mask), free(probability), free(mask), release(&p);
        op_end(&t);
    }
}

/* conf = threshold passes, and so does the last number above it; the next below it does not. */
static void threshold_is_inclusive(void **state)
{
    (void)state;
    const cc_rows_desc d = { 0, 3, 2 };
    const float logits[] = { 0.75f, 0.0f, nextafterf(0.75f, 0.0f), 0.0f, nextafterf(0.75f, 1.0f), 0.0f }, threshold = 0.75f;
    op_test t;
    op_begin(&t, device);
    cc_tensor pseudo = op_output(&t, CC_I32, 3), mask = op_output(&t, CC_F32, 3), sums = op_output(&t, CC_F32, 4),
              scalar = op_input(&t, CC_F32, &threshold, 1);
    OK(&t, cc_confidence(t.tape, &d, CC_CONFIDENCE_LOGIT, op_input(&t, CC_F32, logits, 6), (cc_device_scalar){ scalar.buffer, 0 },
                         CC_NO_TENSOR, pseudo, mask, sums, &t.err));
    op_run(&t);
    float got[3];
    op_read(&t, mask, got);
    check_same(got, (const float[]){ 1, 0, 1 }, 3, "mask");
    op_end(&t);
}

/* Adds to what is there, over two batches; labels below 0 are skipped; ties count for the lower class. */
static void evaluation_matches_reference(void **state)
{
    (void)state;
    for (size_t s = 0; s < 2 * CC_COUNT(shapes); s++) {
        problem p = make(s / 2, 3.0f);
        if (s & 1) make_ties(&p);
        if (p.d.n > 2) p.labels[p.d.n - 1] = p.labels[0] = -1;
        const float old[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
        double want[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
        for (size_t i = 0; i < p.d.n; i++) {
            if (p.labels[i] < 0) continue;
            const double *row = p.rows64 + i * p.d.classes;
            const int rank = ref_rank(p.d.classes, row, p.labels[i]);
            want[0] += 2 * ref_cross_entropy(p.d.classes, row, p.labels[i]);
            want[1] += 2 * (rank < 1), want[2] += 2 * (rank < 3), want[3] += 2 * (rank < 5), want[4] += 2;
        }
        op_test t;
        op_begin(&t, device);
        cc_tensor sums = op_input(&t, CC_F32, old, 8);
        OK(&t,
           cc_evaluate_rows(t.tape, &p.d, op_input(&t, CC_F32, p.logits, p.total), op_input(&t, CC_I32, p.labels, p.d.n), sums, &t.err));
        op_run(&t);
        op_run(&t);
        float got[8];
        op_read(&t, sums, got);
        check_close(got, want, 1, 2e-6 * (double)p.d.n, 1e-6, "shape %zu: cross-entropy", s);
        check_close(got + 1, want + 1, 7, 0, 0, "shape %zu: counts", s);
        release(&p);
        op_end(&t);
    }
}

/* Equal logits: the label is beaten by every lower class and by no higher one. */
static void ties_are_ranked_by_class(void **state)
{
    (void)state;
    enum { N = 6 };
    const cc_rows_desc d = { 0, N, N };
    float logits[N * N] = { 0 }, zeros[8] = { 0 }, threshold = 0.1f;
    const int32_t labels[N] = { 0, 1, 2, 3, 4, 5 };
    op_test t;
    op_begin(&t, device);
    cc_tensor x = op_input(&t, CC_F32, logits, N * N), l = op_input(&t, CC_I32, labels, N), sums = op_input(&t, CC_F32, zeros, 8),
              losses = op_output(&t, CC_F32, 4), pseudo = op_output(&t, CC_I32, N), mask = op_output(&t, CC_F32, N),
              counts = op_output(&t, CC_F32, 4), scalar = op_input(&t, CC_F32, &threshold, 1);
    OK(&t, cc_evaluate_rows(t.tape, &d, x, l, sums, &t.err));
    OK(&t, cc_cross_entropy_forward(t.tape, &d, x, l, CC_NO_TENSOR, losses, &t.err));
    OK(&t, cc_confidence(t.tape, &d, CC_CONFIDENCE_SOFTMAX, x, (cc_device_scalar){ scalar.buffer, 0 }, l, pseudo, mask, counts, &t.err));
    op_run(&t);
    float got[8], got_losses[4], got_counts[4];
    op_read(&t, sums, got);
    op_read(&t, losses, got_losses);
    op_read(&t, counts, got_counts);
    check_same(got + 1, (const float[]){ 1, 3, 5, 6 }, 4, "evaluation");
    check_same(got_losses + 1, (const float[]){ 6, 1, 6 }, 3, "cross-entropy");
    check_same(got_counts, (const float[]){ 6, 1, 6, 0 }, 4, "confidence");
    op_end(&t);
}

/* A NaN anywhere in a row: not confident, loss NaN, never right. */
static void nan_never_hides(void **state)
{
    (void)state;
    enum { CLASSES = 7 };
    for (int round = 0; round < 2 * CLASSES * CLASSES; round++) {
        const int at = round / 2 % CLASSES, label = round / 2 / CLASSES;
        const cc_confidence_kind kind = round % 2 ? CC_CONFIDENCE_SOFTMAX : CC_CONFIDENCE_LOGIT;
        const cc_rows_desc d = { 0, 2, CLASSES };
        float logits[2 * CLASSES] = { 0, 9, 0, 0, 0, 0, 0, 9 };
        const float zeros[8] = { 0 }, scalars[2] = { -1000.0f, 1.0f };
        const int32_t labels[2] = { label, 0 };
        logits[at] = NAN;
        logits[(at + 1) % CLASSES] = 50.0f;
        op_test t;
        op_begin(&t, device);
        cc_tensor x = op_input(&t, CC_F32, logits, 2 * CLASSES), l = op_input(&t, CC_I32, labels, 2), eval = op_input(&t, CC_F32, zeros, 8),
                  loss = op_output(&t, CC_F32, 4), pseudo = op_output(&t, CC_I32, 2), mask = op_output(&t, CC_F32, 2),
                  counts = op_output(&t, CC_F32, 4), probability = op_output(&t, CC_F32, 2 * CLASSES),
                  scalar = op_input(&t, CC_F32, scalars, 2), dlogits = op_output(&t, CC_F32, 2 * CLASSES);
        OK(&t, cc_confidence(t.tape, &d, kind, x, (cc_device_scalar){ scalar.buffer, 0 }, l, pseudo, mask, counts, &t.err));
        OK(&t, cc_cross_entropy_forward(t.tape, &d, x, l, CC_NO_TENSOR, loss, &t.err));
        OK(&t, cc_cross_entropy_backward(t.tape, &d, x, l, CC_NO_TENSOR, 1.0f, (cc_device_scalar){ scalar.buffer, 1 }, dlogits, &t.err));
        OK(&t, cc_evaluate_rows(t.tape, &d, x, l, eval, &t.err));
        OK(&t, cc_softmax_forward(t.tape, &d, x, probability, &t.err));
        op_run(&t);
        float got_eval[8], got_loss[4], got_mask[2], got_counts[4], got_probability[2 * CLASSES], got_dlogits[2 * CLASSES];
        int32_t got_pseudo[2];
        op_read(&t, eval, got_eval), op_read(&t, loss, got_loss), op_read(&t, mask, got_mask), op_read(&t, counts, got_counts);
        op_read(&t, probability, got_probability), op_read(&t, pseudo, got_pseudo), op_read(&t, dlogits, got_dlogits);
        assert_true(got_mask[0] == 0.0f && got_mask[1] == 1.0f && got_counts[0] == 1.0f);
        assert_in_range(got_pseudo[0], 0, CLASSES - 1);
        assert_true(isnan(got_loss[0]) && got_loss[2] == 1.0f);
        assert_true(isnan(got_eval[0]) && got_eval[1] == 1.0f && got_eval[2] == 1.0f && got_eval[3] == 1.0f && got_eval[4] == 2.0f);
        for (int j = 0; j < CLASSES; j++)
            assert_true(isnan(got_probability[j]) && isnan(got_dlogits[j]));
        for (int j = CLASSES; j < 2 * CLASSES; j++)
            assert_true(isfinite(got_probability[j]) && isfinite(got_dlogits[j]));
        op_end(&t);
    }
}

/* A mask of 0 does not hide a NaN, and a label that is no class makes the loss NaN instead of reading elsewhere. */
static void broken_rows_make_the_loss_nan(void **state)
{
    (void)state;
    const cc_rows_desc d = { 0, 2, 3 };
    for (int kind = 0; kind < 2; kind++) {
        const float logits[6] = { 1, 2, kind ? 3 : NAN, 1, 2, 3 }, mask[2] = { kind ? 1.0f : 0.0f, 1.0f };
        const int32_t labels[2] = { kind ? 3 : 0, 1 };
        op_test t;
        op_begin(&t, device);
        cc_tensor sums = op_output(&t, CC_F32, 4);
        OK(&t, cc_cross_entropy_forward(t.tape, &d, op_input(&t, CC_F32, logits, 6), op_input(&t, CC_I32, labels, 2),
                                        op_input(&t, CC_F32, mask, 2), sums, &t.err));
        op_run(&t);
        float got[4];
        op_read(&t, sums, got);
        assert_true(isnan(got[0]));
        op_end(&t);
    }
}

static const struct CMUnitTest operation_tests[] = {
    cmocka_unit_test(softmax_matches_reference),
    cmocka_unit_test(large_logits_do_not_overflow),
    cmocka_unit_test(cross_entropy_matches_reference),
    cmocka_unit_test(cross_entropy_gradient_matches_reference),
    cmocka_unit_test(cross_entropy_gradient_is_a_finite_difference),
    cmocka_unit_test(confidence_matches_reference),
    cmocka_unit_test(threshold_is_inclusive),
    cmocka_unit_test(evaluation_matches_reference),
    cmocka_unit_test(ties_are_ranked_by_class),
    cmocka_unit_test(nan_never_hides),
    cmocka_unit_test(broken_rows_make_the_loss_nan),
};
#include "support/op_main.h"
