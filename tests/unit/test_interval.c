/* Figures of the training set: from the sums of steps to means and rates. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "run/interval.h"

static const cc_objective_figure toy_figures[] = { { "fairness", "fairness loss", 0, 0, 1, 1 }, { "share", "share", 1, 2, 0, 100 } };
static const cc_objective_kind toy = {
    .name = "toy", .traits = CC_OBJECTIVE_UNLABELED, .sum_count = 2, .figures = toy_figures, .figure_count = 2
};

static double figure(const char *column, const cc_objective *objective, const cc_interval *interval)
{
    size_t count;
    const cc_training_figure *figures = cc_training_figures(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(figures[i].column, column) == 0) return cc_training_figure_value(&figures[i], objective, interval);
    fail_msg("no figure %s", column);
    return 0;
}

static void is(double got, double want)
{
    if (!(fabs(got - want) <= 1e-12 * fabs(want))) fail_msg("%.17g instead of %.17g", got, want);
}

/* Two steps of unequal counts: rates are ratios of sums, losses means of the steps' means. */
static void fill(cc_interval *interval, const cc_objective_kind *kind)
{
    const cc_step_sums first = { .count_s = 4,
                                 .correct_s = 1,
                                 .confident = 2,
                                 .confident_correct = 1,
                                 .unlabeled = 8,
                                 .own = { { 1, 2 }, { 4, 0, 1 }, { 100, 100, 100, 100 } } },
                       second = { .count_s = 4,
                                  .correct_s = 3,
                                  .confident = 6,
                                  .confident_correct = 2,
                                  .unlabeled = 8,
                                  .own = { { 5, 6 }, { 12, 0, 3 }, { 100, 100, 100, 100 } } };
    memset(interval, 0, sizeof *interval);
    cc_interval_add(interval, &(cc_interval_step){ kind, &first, 1.0, 0.5, 0.25, 12, 0 });
    cc_interval_add(interval, &(cc_interval_step){ kind, &second, 3.0, 1.5, 0.75, 12, 0 });
    interval->sums[CC_SUM_SECONDS] = 0.5;
}

static void means_and_rates(void **state)
{
    (void)state;
    const cc_objective objective = { .kind = &toy, .alpha = 0.5f, .beta = 2 };
    cc_interval interval;
    fill(&interval, &toy);
    is(figure("loss_s", &objective, &interval), 2);
    is(figure("loss_u", &objective, &interval), 1);
    is(figure("loss_c", &objective, &interval), 0.5);
    is(figure("loss", &objective, &interval), 2 + 0.5 * 1 + 2 * 0.5);
    is(figure("mask_rate", &objective, &interval), 50);
    is(figure("pseudo_acc", &objective, &interval), 37.5);
    is(figure("train_top1", &objective, &interval), 50);
    is(figure("images_per_s", &objective, &interval), 48);
    is(cc_objective_figure_value(&toy_figures[0], &interval), 6.0 / 8);
    is(cc_objective_figure_value(&toy_figures[1], &interval), 100 * 4.0 / 16);
    is(interval.own[2][0], 0); /* the objective has two sums; what lies behind them is nothing */
}

/* Confident images without a label count neither as right nor as wrong; an interval of them alone has no accuracy. A state from before
 * there were such images has 0 of them. */
static void images_without_a_label(void **state)
{
    (void)state;
    const cc_objective objective = { .kind = &toy, .alpha = 1, .beta = 1 };
    const cc_step_sums mixed = { .confident = 7, .confident_correct = 2, .confident_unknown = 3, .unlabeled = 8 },
                       unknown = { .confident = 5, .confident_unknown = 5, .unlabeled = 8 };
    cc_interval interval = { .sums = { 0 } };
    cc_interval_add(&interval, &(cc_interval_step){ &toy, &unknown, 1, 1, 1, 12, 0 });
    assert_true(isnan(figure("pseudo_acc", &objective, &interval)));
    is(figure("mask_rate", &objective, &interval), 100 * 5.0 / 8);
    cc_interval_add(&interval, &(cc_interval_step){ &toy, &mixed, 1, 1, 1, 12, 0 });
    is(figure("pseudo_acc", &objective, &interval), 50);
    is(figure("mask_rate", &objective, &interval), 75);
    assert_int_equal(CC_SUM_CONFIDENT_UNKNOWN, 11); /* its place in state.safetensors */
}

static void what_an_objective_lacks(void **state)
{
    (void)state;
    cc_interval interval;
    const cc_objective alone = { .kind = &cc_objective_supervised, .alpha = 1, .beta = 1 },
                       pseudo = { .kind = &cc_objective_pseudo_label, .alpha = 1, .beta = 0 };
    static const char *const unlabeled[] = { "loss_u", "mask_rate", "pseudo_acc" };
    fill(&interval, &toy);
    for (size_t i = 0; i < CC_COUNT(unlabeled); i++) {
        assert_true(isnan(figure(unlabeled[i], &alone, &interval)));
        assert_false(isnan(figure(unlabeled[i], &pseudo, &interval)));
    }
    assert_true(isnan(figure("loss_c", &alone, &interval)) && isnan(figure("loss_c", &pseudo, &interval)));
    is(figure("loss", &alone, &interval), 2);
    is(figure("loss", &pseudo, &interval), 3);
}

/* Terms of the objective's own, and what a ramp takes off alpha, are part of the loss. */
static void further_terms(void **state)
{
    (void)state;
    const cc_objective objective = { .kind = &toy, .alpha = 0.5f, .beta = 2 };
    const cc_step_sums nothing = { .count_s = 1 };
    cc_interval interval = { .sums = { 0 } };
    cc_interval_add(&interval, &(cc_interval_step){ &toy, &nothing, 1, 4, 3, 12, 0.25 });
    cc_interval_add(&interval, &(cc_interval_step){ &toy, &nothing, 1, 4, 3, 12, -0.75 });
    is(figure("loss", &objective, &interval), 1 + 0.5 * 4 + 2 * 3 - 0.25);
    assert_int_equal(CC_SUM_FURTHER, 12); /* its place in state.safetensors */
}

static void nothing_summed(void **state)
{
    (void)state;
    const cc_objective objective = { .kind = &toy, .alpha = 1, .beta = 1 };
    const cc_interval nothing = { .sums = { 0 } };
    size_t count;
    const cc_training_figure *figures = cc_training_figures(&count);
    for (size_t i = 0; i < count; i++)
        assert_true(isnan(cc_training_figure_value(&figures[i], &objective, &nothing)));
    for (size_t i = 0; i < 2; i++)
        assert_true(isnan(cc_objective_figure_value(&toy_figures[i], &nothing)));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(means_and_rates), cmocka_unit_test(images_without_a_label),
                                        cmocka_unit_test(what_an_objective_lacks), cmocka_unit_test(further_terms),
                                        cmocka_unit_test(nothing_summed) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
