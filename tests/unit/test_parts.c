/* How a batch is divided among devices. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/parts.h"
#include "support/ok.h"

static camcl_error err;

/* Parts follow each other and are as large as they should be. */
static void assert_parts(const cc_part *parts, size_t count, const size_t *labeled, const size_t *unlabeled)
{
    size_t labeled0 = 0, unlabeled0 = 0;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(parts[i].labeled0, labeled0);
        assert_int_equal(parts[i].labeled, labeled[i]);
        assert_int_equal(parts[i].unlabeled0, unlabeled0);
        assert_int_equal(parts[i].unlabeled, unlabeled[i]);
        labeled0 += labeled[i];
        unlabeled0 += unlabeled[i];
    }
}

static void shares_are_proportions(void **state)
{
    (void)state;
    cc_part parts[3];
    OK(cc_parts_divide(8, 12, (const double[]){ 3, 1 }, 2, parts, &err));
    assert_parts(parts, 2, (const size_t[]){ 6, 2 }, (const size_t[]){ 9, 3 });
    OK(cc_parts_divide(8, 0, (const double[]){ 1, 1000, 1000 }, 3, parts, &err)); /* nobody has nothing to do */
    assert_parts(parts, 3, (const size_t[]){ 1, 4, 3 }, (const size_t[]){ 0, 0, 0 });
    FAILS(cc_parts_divide(2, 12, (const double[]){ 1, 1, 1 }, 3, parts, &err), CAMCL_BAD_CONFIG, "each of the 3 devices");
}

/* A device that is twice as fast takes twice as many images. */
static void faster_devices_take_more(void **state)
{
    (void)state;
    cc_part parts[2];
    const double shares[] = { cc_parts_share(20, 0.1), cc_parts_share(20, 0.2) };
    assert_true(fabs(shares[0] - 200) < 1e-9);
    OK(cc_parts_divide(9, 6, shares, 2, parts, &err));
    assert_parts(parts, 2, (const size_t[]){ 6, 3 }, (const size_t[]){ 4, 2 });
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(shares_are_proportions), cmocka_unit_test(faster_devices_take_more) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
