/* What makes targets of unlabelled images, and the losses against them: every variant against the references, these against finite
 * differences, state over several steps, and the cases in which two operations are the same. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "check/check.h"
#include "check/ref/fairness_ref.h"
#include "check/ref/soft_ref.h"
#include "check/ref/softmax_ref.h"
#include "check/ref/thresholds_ref.h"
#include "ops/variants.h"
#include "support/devices.h"
#include "support/operands.h"

static camcl_device *device;

enum { N = 40, CLASSES = 5, ROW0 = 3, STEPS = 5, TRANSFORM = sizeof(cc_transform) / sizeof(int32_t) };
static const cc_rows_desc rows = { ROW0, N, CLASSES };

/* N rows of logits behind ROW0 of NaN. */
static float *make_logits(unsigned seed, float spread)
{
    float *logits = random_floats((ROW0 + N) * CLASSES, seed);
    for (size_t i = 0; i < (ROW0 + N) * CLASSES; i++)
        logits[i] = i < ROW0 * CLASSES ? NAN : logits[i] * spread;
    return logits;
}

static void every_variant_matches_its_reference(void **state)
{
    (void)state;
    const cc_operation *const operations[] = { &cc_soft_cross_entropy_operation, &cc_probability_mse_operation,
                                               &cc_class_thresholds_operation,   &cc_adaptive_thresholds_operation,
                                               &cc_confidence_weights_operation, &cc_fairness_operation };
    for (size_t o = 0; o < CC_COUNT(operations); o++)
        for (size_t v = 0; v < cc_operation_count(operations[o]); v++) {
            camcl_error err = { .status = CAMCL_OK };
            cc_check c = { .device = device, .variant = cc_operation_at(operations[o], v), .err = &err, .ok = true };
            cc_check_find(operations[o]->name)(&c);
            if (c.status != CAMCL_OK || !c.ok) fail_msg("%s: %s%s", operations[o]->name, c.what, err.message);
            assert_true(c.shapes > 4);
        }
}

/* ---- the references' gradients */

static void assert_near(double got, double want, double bound, const char *what)
{
    if (!(fabs(got - want) <= bound)) fail_msg("%s: %.12g instead of %.12g", what, got, want);
}

/* d f / d x[i] */
typedef double (*function)(const double *x, void *context);
static double slope_of(function f, double *x, size_t i, void *context)
{
    const double h = 1e-5, at = x[i];
    x[i] = at + h;
    const double above = f(x, context);
    x[i] = at - h;
    const double below = f(x, context);
    x[i] = at;
    return (above - below) / (2 * h);
}

static double weights[N], averages[2][CLASSES];

static double soft_loss(const double *x, void *targets)
{
    double sums[4], dx[N * CLASSES];
    ref_soft_cross_entropy(N, CLASSES, x, targets, 0.4, weights, sums, dx);
    return sums[0];
}

static double squared_loss(const double *x, void *targets)
{
    double dx[N * CLASSES];
    return ref_probability_mse(N, CLASSES, x, targets, dx);
}

static double fairness_of_logits(const double *x, void *context)
{
    double q[N * CLASSES];
    (void)context;
    ref_softmax(N, CLASSES, x, q);
    return ref_fairness(N, CLASSES, q, weights, averages[0], averages[1], NULL);
}

static void references_have_the_right_gradients(void **state)
{
    (void)state;
    float *a = random_floats(N * CLASSES, 1), *b = random_floats(N * CLASSES, 2), *c = random_floats(2 * CLASSES, 3);
    double *x = to_doubles(a, N * CLASSES), *t = to_doubles(b, N * CLASSES), soft[N * CLASSES], squared[N * CLASSES], sums[4],
           fair[N * CLASSES] = { 0 }, q[N * CLASSES], slope[CLASSES];
    for (size_t i = 0; i < N; i++)
        weights[i] = i % 4 == 0 ? 0 : 1;
    for (size_t i = 0; i < 2 * CLASSES; i++)
        averages[i / CLASSES][i % CLASSES] = 0.2 + 0.1 * (double)c[i];
    ref_soft_cross_entropy(N, CLASSES, x, t, 0.4, weights, sums, soft);
    ref_probability_mse(N, CLASSES, x, t, squared);
    ref_softmax(N, CLASSES, x, q);
    ref_fairness(N, CLASSES, q, weights, averages[0], averages[1], slope);
    ref_fairness_backward(N, CLASSES, q, weights, slope, 2, fair);
    for (size_t i = 0; i < N * CLASSES; i++) {
        assert_near(soft[i], slope_of(soft_loss, x, i, t), 1e-8, "soft cross-entropy");
        assert_near(squared[i], slope_of(squared_loss, x, i, t), 1e-8, "squared error");
        assert_near(fair[i], 2 * slope_of(fairness_of_logits, x, i, NULL), 1e-8, "fairness");
    }
    free(a), free(b), free(c), free(x), free(t);
}

/* ---- cases in which two operations are the same */

/* Leaves pseudo, mask and sums of cc_confidence. */
static void plain_confidence(op_test *t, cc_tensor logits, cc_device_scalar threshold, cc_tensor truth, cc_tensor out[3])
{
    out[0] = op_output(t, CC_I32, N);
    out[1] = op_output(t, CC_F32, N);
    out[2] = op_output(t, CC_F32, 4);
    OK(t, cc_confidence(t->tape, &rows, CC_CONFIDENCE_SOFTMAX, logits, threshold, truth, out[0], out[1], out[2], &t->err));
}

static void assert_same_targets(op_test *t, const cc_tensor a[3], const cc_tensor b[3])
{
    const size_t counts[] = { N, N, 4 };
    for (int i = 0; i < 3; i++) {
        float x[N], y[N];
        op_read(t, a[i], x);
        op_read(t, b[i], y);
        assert_memory_equal(x, y, counts[i] * sizeof *x);
    }
}

/* Where all classes are learnt equally well, their thresholds are the whole one: flexmatch is fixmatch, to the bit. */
static void equal_counts_are_one_threshold(void **state)
{
    (void)state;
    float *logits = make_logits(7, 3);
    const float threshold = 0.8f;
    int32_t truth[N], last[N], counts[CLASSES + 1] = { 3, 3, 3, 3, 3, 3 };
    cc_transform transforms[N];
    for (int i = 0; i < N; i++) {
        truth[i] = i % CLASSES;
        last[i] = -1;
        transforms[i] = (cc_transform){ .source = i };
    }
    op_test t;
    op_begin(&t, device);
    cc_tensor x = op_input(&t, CC_F32, logits, (ROW0 + N) * CLASSES), y = op_input(&t, CC_I32, truth, N),
              at = op_input(&t, CC_F32, &threshold, 1), plain[3], flexible[3], own = op_output(&t, CC_F32, 4);
    const cc_device_scalar scalar = { at.buffer, 0 };
    plain_confidence(&t, x, scalar, y, plain);
    flexible[0] = op_output(&t, CC_I32, N);
    flexible[1] = op_output(&t, CC_F32, N);
    flexible[2] = op_output(&t, CC_F32, 4);
    OK(&t, cc_class_thresholds(t.tape, &rows, CC_CONFIDENCE_SOFTMAX, x, scalar, y,
                               op_input(&t, CC_I32, transforms, sizeof transforms / sizeof *transforms * TRANSFORM),
                               op_input(&t, CC_I32, last, N), op_input(&t, CC_I32, counts, CLASSES + 1), flexible[0], flexible[1],
                               flexible[2], own, &t.err));
    op_run(&t);
    assert_same_targets(&t, plain, flexible);
    float sums[4];
    op_read(&t, plain[2], sums);
    assert_true(sums[0] > 3 && sums[0] < N - 3);
    free(logits);
    op_end(&t);
}

/* Below every confidence the average takes nothing off: all weights are exactly 1. */
static void a_low_average_weighs_all_by_one(void **state)
{
    (void)state;
    float *logits = make_logits(8, 3), p[CLASSES] = { 0.2f, 0.2f, 0.2f, 0.2f, 0.2f }, moments[] = { 0.1f, 0.04f }, got[N];
    op_test t;
    op_begin(&t, device);
    cc_tensor weight = op_output(&t, CC_F32, N), sums = op_output(&t, CC_F32, 4), own = op_output(&t, CC_F32, 4);
    OK(&t, cc_confidence_weights(t.tape, &rows, 0.999f, op_input(&t, CC_F32, logits, (ROW0 + N) * CLASSES), CC_NO_TENSOR,
                                 op_input(&t, CC_F32, p, CLASSES), op_input(&t, CC_F32, &moments[0], 1),
                                 op_input(&t, CC_F32, &moments[1], 1), op_output(&t, CC_I32, N), weight, sums, own, &t.err));
    op_run(&t);
    op_read(&t, weight, got);
    for (int i = 0; i < N; i++)
        assert_true(got[i] >= 1 && got[i] <= 1);
    op_read(&t, sums, got);
    assert_true(got[0] >= N && got[0] <= N && got[2] >= N && got[3] >= N);
    free(logits);
    op_end(&t);
}

/* ---- state over several steps */

static ref_weights want_of(int32_t *pseudo, double *weight) { return (ref_weights){ .pseudo = pseudo, .weight = weight }; }

/* The same batch again and again, in which images come twice: the counts wander, and with them the thresholds. */
static void counts_follow_the_steps(void **state)
{
    (void)state;
    enum { IMAGES = 31 };
    float *logits = make_logits(9, 4), got[N], figures[4];
    double *x = to_doubles(logits + ROW0 * CLASSES, N * CLASSES), weight[N];
    const float threshold = 0.75f;
    int32_t sources[N], last[IMAGES], counts[CLASSES + 1] = { 0 }, pseudo[N], got_last[IMAGES], got_counts[CLASSES + 1];
    cc_transform transforms[N];
    for (int i = 0; i < N; i++) {
        sources[i] = i * i % IMAGES;
        transforms[i] = (cc_transform){ .source = sources[i] };
    }
    for (int i = 0; i < IMAGES; i++)
        last[i] = -1;
    counts[CLASSES] = IMAGES;
    op_test t;
    op_begin(&t, device);
    cc_tensor dlast = op_input(&t, CC_I32, last, IMAGES), dcounts = op_input(&t, CC_I32, counts, CLASSES + 1),
              at = op_input(&t, CC_F32, &threshold, 1), mask = op_output(&t, CC_F32, N), own = op_output(&t, CC_F32, 4);
    OK(&t, cc_class_thresholds(t.tape, &rows, CC_CONFIDENCE_SOFTMAX, op_input(&t, CC_F32, logits, (ROW0 + N) * CLASSES),
                               (cc_device_scalar){ at.buffer, 0 }, CC_NO_TENSOR,
                               op_input(&t, CC_I32, transforms, sizeof transforms / sizeof *transforms * TRANSFORM), dlast, dcounts,
                               op_output(&t, CC_I32, N), mask, op_output(&t, CC_F32, 4), own, &t.err));
    for (int k = 0; k < STEPS; k++) {
        ref_weights want = want_of(pseudo, weight);
        ref_class_thresholds(N, CLASSES, true, (double)threshold, x, NULL, sources, &(ref_class_state){ last, counts }, &want);
        assert_true(want.margin > 1e-6);
        op_run(&t);
        op_read(&t, mask, got);
        check_close(got, weight, N, 0, 0, "mask of step %d", k);
        op_read(&t, own, figures);
        check_close(figures, want.own, 4, 1e-6, 1e-6, "figures of step %d", k);
        op_read(&t, dlast, got_last);
        op_read(&t, dcounts, got_counts);
        assert_memory_equal(got_last, last, sizeof last);
        assert_memory_equal(got_counts, counts, sizeof counts);
        if (k == 0) assert_true(want.sums[0] >= N); /* nothing is learnt yet: every threshold is 0 */
    }
    assert_true(counts[CLASSES] > 0 && counts[CLASSES] < IMAGES);
    free(logits), free(x);
    op_end(&t);
}

static void averages_follow_the_steps(void **state)
{
    (void)state;
    float *logits = make_logits(10, 4), uniform[CLASSES], start[2] = { 0.2f, 1.0f }, got[N];
    double *x = to_doubles(logits + ROW0 * CLASSES, N * CLASSES), weight[N], t0 = 0.2f, mean = 0.2f, variance = 1, p[2][CLASSES],
           h[CLASSES];
    int32_t pseudo[N];
    for (int c = 0; c < CLASSES; c++)
        p[0][c] = p[1][c] = h[c] = uniform[c] = 0.2f;
    op_test t;
    op_begin(&t, device);
    cc_tensor in = op_input(&t, CC_F32, logits, (ROW0 + N) * CLASSES), none = CC_NO_TENSOR, mask = op_output(&t, CC_F32, N),
              soft = op_output(&t, CC_F32, N), pseudos = op_output(&t, CC_I32, N), sums = op_output(&t, CC_F32, 4);
    cc_tensor figures[2] = { op_output(&t, CC_F32, 4), op_output(&t, CC_F32, 4) };
    OK(&t, cc_adaptive_thresholds(t.tape, &rows, 0.8f, in, none, op_input(&t, CC_F32, start, 1), op_input(&t, CC_F32, uniform, CLASSES),
                                  op_input(&t, CC_F32, uniform, CLASSES), pseudos, mask, sums, figures[0], &t.err));
    OK(&t, cc_confidence_weights(t.tape, &rows, 0.8f, in, none, op_input(&t, CC_F32, uniform, CLASSES), op_input(&t, CC_F32, start, 1),
                                 op_input(&t, CC_F32, start + 1, 1), pseudos, soft, sums, figures[1], &t.err));
    for (int k = 0; k < STEPS; k++) {
        ref_weights want = want_of(pseudo, weight);
        op_run(&t);
        ref_adaptive_thresholds(N, CLASSES, (double)0.8f, x, NULL,
                                &(ref_average_state){ .threshold = &t0, .probability = p[0], .histogram = h }, &want);
        assert_true(want.margin > 1e-6);
        op_read(&t, mask, got);
        check_close(got, weight, N, 0, 0, "mask of step %d", k);
        op_read(&t, figures[0], got);
        check_close(got, want.own, 4, 1e-6, 1e-6, "thresholds of step %d", k);
        ref_confidence_weights(N, CLASSES, (double)0.8f, x, NULL,
                               &(ref_average_state){ .probability = p[1], .mean = &mean, .variance = &variance }, &want);
        op_read(&t, soft, got);
        check_close(got, weight, N, 1e-5, 0, "weights of step %d", k);
        op_read(&t, figures[1], got);
        check_close(got, want.own, 4, 1e-6, 3e-6, "averages of step %d", k);
    }
    free(logits), free(x);
    op_end(&t);
}

/* A row with a NaN counts nowhere; where there are no masks its weight is NaN, so that the loss is. */
static void nan_never_counts(void **state)
{
    (void)state;
    const cc_rows_desc two = { 0, 2, 3 };
    const float logits[6] = { 9, NAN, 1, 0, 8, 1 }, third[3] = { 1, 1, 1 }, one = 1, low = 0;
    const int32_t last[2] = { -1, -1 }, counts[4] = { 0, 0, 0, 2 };
    const cc_transform transforms[2] = { { .source = 0 }, { .source = 1 } };
    float got[2];
    int32_t now[2];
    op_test t;
    op_begin(&t, device);
    cc_tensor x = op_input(&t, CC_F32, logits, 6), none = CC_NO_TENSOR, pseudo = op_output(&t, CC_I32, 2), sums = op_output(&t, CC_F32, 4),
              own = op_output(&t, CC_F32, 4), mask = op_output(&t, CC_F32, 2), weight = op_output(&t, CC_F32, 2),
              scalar = op_input(&t, CC_F32, &low, 1), kept = op_input(&t, CC_I32, last, 2);
    OK(&t, cc_class_thresholds(t.tape, &two, CC_CONFIDENCE_SOFTMAX, x, (cc_device_scalar){ scalar.buffer, 0 }, none,
                               op_input(&t, CC_I32, transforms, sizeof transforms / sizeof *transforms * TRANSFORM), kept,
                               op_input(&t, CC_I32, counts, 4), pseudo, mask, sums, own, &t.err));
    OK(&t, cc_confidence_weights(t.tape, &two, 0.9f, x, none, op_input(&t, CC_F32, third, 3), op_input(&t, CC_F32, &one, 1),
                                 op_input(&t, CC_F32, &one, 1), pseudo, weight, sums, own, &t.err));
    op_run(&t);
    op_read(&t, mask, got);
    assert_true(got[0] <= 0 && got[1] >= 1);
    op_read(&t, kept, now);
    assert_int_equal(now[0], -1);
    assert_int_equal(now[1], 1);
    op_read(&t, weight, got);
    assert_true(isnan(got[0]));
    op_end(&t);
}

/* The same as on a GPU, where groups of work-items share sums. */
static camcl_device_type type;
static int pose_as_gpu(void **state)
{
    camcl_device_info *info = (camcl_device_info *)camcl_device_get_info(device);
    (void)state;
    type = info->type;
    info->type = CAMCL_GPU;
    return 0;
}

static int pose_no_more(void **state)
{
    (void)state;
    ((camcl_device_info *)camcl_device_get_info(device))->type = type;
    return 0;
}

#define ON_GPU(test) cmocka_unit_test_setup_teardown(test, pose_as_gpu, pose_no_more)

static const struct CMUnitTest operation_tests[] = {
    cmocka_unit_test(every_variant_matches_its_reference),
    cmocka_unit_test(references_have_the_right_gradients),
    cmocka_unit_test(equal_counts_are_one_threshold),
    cmocka_unit_test(a_low_average_weighs_all_by_one),
    cmocka_unit_test(counts_follow_the_steps),
    cmocka_unit_test(averages_follow_the_steps),
    cmocka_unit_test(nan_never_counts),
    ON_GPU(every_variant_matches_its_reference),
    ON_GPU(counts_follow_the_steps),
    ON_GPU(averages_follow_the_steps),
    ON_GPU(nan_never_counts),
};
#include "support/op_main.h"
