/* The draw of a test set from labelled images. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dataset/held_out.h"

enum { CLASSES = 4 };

/* Images of each class, which come in turns. Draws, checks what holds of every draw, and counts what each class gave. */
static size_t draw(const uint32_t *of_class, double share, uint64_t seed, size_t *drawn, uint32_t *kept_indices)
{
    int32_t labels[1000];
    size_t n = 0, count;
    uint32_t left[CLASSES], *out;
    memcpy(left, of_class, sizeof left);
    for (size_t before = n + 1; before != n;) {
        before = n;
        for (int c = 0; c < CLASSES; c++)
            if (left[c] > 0) {
                labels[n++] = c;
                left[c]--;
            }
    }
    assert_int_equal(cc_held_out_draw(labels, n, CLASSES, share, seed, &out, &count, NULL), CAMCL_OK);
    memset(drawn, 0, CLASSES * sizeof *drawn);
    assert_true((out == NULL) == (count == 0));
    for (size_t i = 0; i < count; i++) {
        assert_true(out[i] < n && (i == 0 || out[i] > out[i - 1]));
        drawn[labels[out[i]]]++;
        if (kept_indices) kept_indices[i] = out[i];
    }
    free(out);
    return count;
}

static void shares_are_rounded_by_largest_remainder(void **state)
{
    static const struct {
        uint32_t of[CLASSES];
        double share;
        size_t drawn[CLASSES];
    } cases[] = {
        { { 100, 100, 100, 100 }, 0.15, { 15, 15, 15, 15 } },
        { { 10, 10, 10, 10 }, 0.25, { 3, 3, 2, 2 } }, /* ten; 2.5 each */
        { { 7, 9, 11, 13 }, 0.2, { 1, 2, 2, 3 } },    /* eight; 1.4, 1.8, 2.2, 2.6 */
        { { 100, 3, 2, 1 }, 0.15, { 15, 1, 1, 0 } },  /* one of each that has two */
        { { 2, 2, 2, 0 }, 0.99, { 1, 1, 1, 0 } },     /* and never the last */
        { { 50, 4, 1, 1 }, 0.999, { 49, 3, 0, 0 } },
        { { 5, 5, 5, 5 }, 0, { 0, 0, 0, 0 } },
        { { 100, 100, 100, 100 }, 0.29, { 29, 29, 29, 29 } }, /* 0.29 * 100 is a little less than 29 in binary */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t drawn[CLASSES];
        draw(cases[i].of, cases[i].share, 1, drawn, NULL);
        for (int c = 0; c < CLASSES; c++)
            assert_int_equal(drawn[c], cases[i].drawn[c]);
    }
}

static void the_seed_decides(void **state)
{
    static const uint32_t of[CLASSES] = { 40, 40, 40, 40 };
    uint32_t one[160], other[160];
    size_t drawn[CLASSES], hits[160] = { 0 };
    (void)state;
    assert_int_equal(draw(of, 0.25, 5, drawn, one), 40);
    assert_int_equal(draw(of, 0.25, 5, drawn, other), 40);
    assert_memory_equal(one, other, 40 * sizeof *one);
    for (uint64_t seed = 0; seed < 400; seed++) {
        draw(of, 0.25, seed, drawn, other);
        for (int i = 0; i < 40; i++)
            hits[other[i]]++;
    }
    /* Every image has the same chance: 100 of 400 with a standard deviation of 8.7. */
    for (int i = 0; i < 160; i++)
        assert_true(hits[i] > 60 && hits[i] < 140);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_rounded_by_largest_remainder),
        cmocka_unit_test(the_seed_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
