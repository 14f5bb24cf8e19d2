/* Learning rate and threshold over time, against values worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "train/schedule.h"

static void is_near(double got, double want, const char *what, unsigned long long step)
{
    double distance = got > want ? got - want : want - got;
    if (!(distance <= 1e-12)) fail_msg("%s at step %llu is %.17g, should be %.17g", what, step, got, want);
}

static void constant(void **state)
{
    (void)state;
    cc_schedule s = {
        .kind = CC_SCHEDULE_CONSTANT, .lr = 0.03, .gamma = 0.1, .step_epochs = 1, .steps = 100, .epoch_steps = 10, .epochs = 10
    };
    const uint64_t steps[] = { 0, 1, 50, 99 };
    for (size_t i = 0; i < CC_COUNT(steps); i++)
        is_near(cc_schedule_lr(&s, steps[i]), 0.03, "lr", steps[i]);
}

static void cosine(void **state)
{
    (void)state;
    /* lr/2 (1 + cos(pi k/12)), k = 0 .. 11: multiples of 15 degrees */
    cc_schedule s = { .kind = CC_SCHEDULE_COSINE, .lr = 2, .gamma = 0.1, .step_epochs = 1, .steps = 12, .epoch_steps = 3, .epochs = 4 };
    const double want[] = { 2,   1.9659258262890683, 1.8660254037844386, 1.7071067811865475, 1.5, 1.2588190451025207, 1, 0.7411809548974793,
                            0.5, 0.2928932188134524, 0.1339745962155614, 0.0340741737109317 };
    for (size_t k = 0; k < CC_COUNT(want); k++)
        is_near(cc_schedule_lr(&s, k), want[k], "lr", k);
}

static void fixmatch(void **state)
{
    (void)state;
    /* lr cos(7 pi k/128), k = 0 .. 7: the last step of eight at 3.8 % above a fifth */
    cc_schedule s = { .kind = CC_SCHEDULE_FIXMATCH, .lr = 2, .steps = 8, .epoch_steps = 4, .epochs = 2 };
    const double want[] = { 2,
                            1.9705552847778824,
                            1.8830881303660416,
                            1.7401739822174229,
                            1.546020906725474,
                            1.3063456859075535,
                            1.0282054883864433,
                            0.71979007306997655 };
    for (size_t k = 0; k < CC_COUNT(want); k++)
        is_near(cc_schedule_lr(&s, k), want[k], "lr", k);
}

static void ramp(void **state)
{
    (void)state;
    const cc_schedule two_fifths = { .steps = 10, .ramp = 0.4 }, none = { .steps = 10 }, all = { .steps = 4, .ramp = 1 };
    const double want[] = { 0, 0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1 };
    for (size_t k = 0; k < CC_COUNT(want); k++) {
        is_near(cc_schedule_ramp(&two_fifths, k), want[k], "ramp", k);
        is_near(cc_schedule_ramp(&none, k), 1, "ramp", k);
        if (k < 4) is_near(cc_schedule_ramp(&all, k), 0.25 * (double)k, "ramp", k);
    }
}

static void stepwise(void **state)
{
    (void)state;
    /* 5 steps an epoch, a tenth every 2 epochs: drops before steps 10 and 20 */
    cc_schedule s = { .kind = CC_SCHEDULE_STEP, .lr = 1, .gamma = 0.1, .step_epochs = 2, .steps = 30, .epoch_steps = 5, .epochs = 6 };
    const struct {
        uint64_t step;
        double lr;
    } want[] = { { 0, 1 }, { 4, 1 }, { 5, 1 }, { 9, 1 }, { 10, 0.1 }, { 19, 0.1 }, { 20, 0.01 }, { 29, 0.01 } };
    for (size_t i = 0; i < CC_COUNT(want); i++)
        is_near(cc_schedule_lr(&s, want[i].step), want[i].lr, "lr", want[i].step);
}

static void warmup(void **state)
{
    (void)state;
    cc_schedule s = { .kind = CC_SCHEDULE_CONSTANT, .lr = 0.8, .warmup = 4, .steps = 10, .epoch_steps = 5, .epochs = 2 };
    const double constant_want[] = { 0.2, 0.4, 0.6, 0.8, 0.8, 0.8 };
    for (size_t k = 0; k < CC_COUNT(constant_want); k++)
        is_near(cc_schedule_lr(&s, k), constant_want[k], "lr", k);
    /* The factor comes on top of the schedule: quarters of lr/2 (1 + cos(pi k/12)). */
    s = (cc_schedule){ .kind = CC_SCHEDULE_COSINE, .lr = 2, .warmup = 4, .steps = 12, .epoch_steps = 3, .epochs = 4 };
    const double cosine_want[] = { 2 * 0.25, 1.9659258262890683 * 0.5, 1.8660254037844386 * 0.75, 1.7071067811865475, 1.5 };
    for (size_t k = 0; k < CC_COUNT(cosine_want); k++)
        is_near(cc_schedule_lr(&s, k), cosine_want[k], "lr", k);
}

static void threshold(void **state)
{
    (void)state;
    /* METHOD: in epoch e = 0 .. E-1 it is t0 + (t1 - t0) e/E; constant within an epoch, the end itself is never reached */
    cc_schedule s = { .lr = 1, .steps = 12, .epoch_steps = 3, .epochs = 4, .threshold = 0.85, .threshold_end = 0.95 };
    const double want[] = { 0.85, 0.85, 0.85, 0.875, 0.875, 0.875, 0.9, 0.9, 0.9, 0.925, 0.925, 0.925 };
    for (size_t k = 0; k < CC_COUNT(want); k++)
        is_near(cc_schedule_threshold(&s, k), want[k], "threshold", k);
    s.threshold = 8; /* logits; downwards works, too */
    s.threshold_end = 6;
    is_near(cc_schedule_threshold(&s, 2), 8, "threshold", 2);
    is_near(cc_schedule_threshold(&s, 3), 7.5, "threshold", 3);
    is_near(cc_schedule_threshold(&s, 11), 6.5, "threshold", 11);
    s.threshold_end = 8;
    is_near(cc_schedule_threshold(&s, 11), 8, "threshold", 11);
}

static void long_runs(void **state)
{
    (void)state;
    /* Step numbers beyond 32 bits keep their place. */
    const uint64_t big = (uint64_t)1 << 33;
    cc_schedule s = {
        .kind = CC_SCHEDULE_COSINE, .lr = 1, .steps = 2 * big, .epoch_steps = big, .epochs = 2, .threshold = 0, .threshold_end = 1
    };
    is_near(cc_schedule_lr(&s, big), 0.5, "lr", big);
    is_near(cc_schedule_threshold(&s, big - 1), 0, "threshold", big - 1);
    is_near(cc_schedule_threshold(&s, big), 0.5, "threshold", big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant), cmocka_unit_test(cosine), cmocka_unit_test(fixmatch),  cmocka_unit_test(ramp),
        cmocka_unit_test(stepwise), cmocka_unit_test(warmup), cmocka_unit_test(threshold), cmocka_unit_test(long_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
