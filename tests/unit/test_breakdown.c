/* An evaluation in detail, against what a hand can compute. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "camcl/breakdown.h"

/* Logits of two classes with these probabilities of the first. */
static void set_row(float *row, double first)
{
    row[0] = (float)log(first);
    row[1] = (float)log(1 - first);
}

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) < 1e-4)) fail_msg("%.9g, should be %.9g", value, expected);
}

static void by_class_and_confidence(void **state)
{
    (void)state;
    /* Confidences 0.9, 0.95, 0.7, 0.98 (of the second class), and one of an image without a label. */
    static const double first[] = { 0.9, 0.95, 0.7, 0.02, 0.6 };
    static const int32_t labels[] = { 0, 1, 0, 1, -1 };
    float logits[10];
    camcl_breakdown b;
    for (int i = 0; i < 5; i++)
        set_row(logits + 2 * i, first[i]);
    assert_int_equal(camcl_breakdown_make(logits, labels, NULL, 5, 2, &b, NULL), CAMCL_OK);
    assert_int_equal(b.n, 4);
    static const uint64_t confusion[] = { 2, 0, 1, 1 };
    assert_memory_equal(b.confusion, confusion, sizeof confusion);
    assert_int_equal(b.reliability[13].n, 1); /* 0.9 lies in (13/15, 14/15] */
    assert_near(b.reliability[13].confidence, 90);
    assert_near(b.reliability[13].accuracy, 100);
    assert_int_equal(b.reliability[14].n, 2);
    assert_near(b.reliability[14].confidence, 100 * (0.95 + 0.98) / 2);
    assert_near(b.reliability[14].accuracy, 50);
    assert_int_equal(b.reliability[10].n, 1);
    assert_int_equal(b.reliability[8].n, 0); /* that of the image without a label */
    assert_true(isnan(b.reliability[8].confidence) && isnan(b.reliability[8].accuracy));
    const camcl_class_figures one = camcl_class_figures_of(b.confusion, 2, 0), other = camcl_class_figures_of(b.confusion, 2, 1);
    assert_true(one.images == 2 && one.predicted == 3 && one.right == 2);
    assert_near(one.precision, 200.0 / 3);
    assert_near(one.recall, 100);
    assert_true(other.images == 2 && other.predicted == 1 && other.right == 1);
    assert_near(other.precision, 100);
    assert_near(other.recall, 50);
    camcl_breakdown_free(&b);
}

/* Rows of logits follow the indices; labels are those of the images that the indices name. */
static void chosen_images(void **state)
{
    (void)state;
    static const int32_t labels[] = { 1, 0, 1 };
    static const uint32_t indices[] = { 2, 1 };
    float logits[4];
    camcl_breakdown b;
    set_row(logits, 0.2);
    set_row(logits + 2, 0.3);
    assert_int_equal(camcl_breakdown_make(logits, labels, indices, 2, 2, &b, NULL), CAMCL_OK);
    static const uint64_t confusion[] = { 0, 1, 0, 1 };
    assert_memory_equal(b.confusion, confusion, sizeof confusion);
    const camcl_class_figures never = camcl_class_figures_of(b.confusion, 2, 0);
    assert_true(isnan(never.precision)); /* nothing was predicted as it */
    assert_near(never.recall, 0);
    camcl_breakdown_free(&b);
}

/* Equal logits: each class is as probable as the others, and the first is predicted. Confidence 1 falls into the last bin. */
static void edges(void **state)
{
    (void)state;
    static const int32_t labels[] = { 0, 0, 2, 0 };
    const float logits[] = { 1, 1, 1, 200, 0, 0, 0, 0, 0, NAN, 0, 0 };
    camcl_breakdown b;
    camcl_error err = { 0 };
    assert_int_equal(camcl_breakdown_make(logits, labels, NULL, 2, 3, &b, NULL), CAMCL_OK);
    assert_true(b.confusion[0] == 2 && b.reliability[4].n == 1 && b.reliability[14].n == 1); /* 1/3 is the upper edge of bin 4 */
    assert_near(b.reliability[14].confidence, 100);
    camcl_breakdown_free(&b);
    /* A network that computes nonsense must not look calibrated. */
    assert_int_equal(camcl_breakdown_make(logits, labels, NULL, 4, 3, &b, NULL), CAMCL_OK);
    assert_true(b.n == 4 && b.reliability[0].n == 1 && isnan(b.reliability[0].confidence));
    camcl_breakdown_free(&b);
    const int32_t beyond[] = { 3 };
    assert_int_equal(camcl_breakdown_make(logits, beyond, NULL, 1, 3, &b, &err), CAMCL_BAD_DATA);
    assert_string_equal(err.message, "breakdown: label 3 of image 0: there are 3 classes (number them from 0)");
    camcl_breakdown_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_class_and_confidence),
        cmocka_unit_test(chosen_images),
        cmocka_unit_test(edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
