/* What a training is fed with, from the command line. Views: every kind trains with the CAM term; a run that goes on has the bits of one
 * that never stopped, and so has one whose images are streamed. Order and normalisation are those that the configuration says. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"

/* Nothing depends on the length of the run. */
#define KEYS "optim.schedule=constant ssl.threshold_end=0.2 ssl.beta=1 train.epoch_steps=3 output.save_every=1"

static void train(const char *folder, const char *name, const char *more)
{
    free(program_prints(folder, "train '%s/small.ini' 'output.dir=%s/%s' " KEYS " %s", folder, folder, name, more));
}

static void check_views(const char *folder, const char *views, int number)
{
    char more[256], whole[512], other[512], name[3][16];
    snprintf(name[0], sizeof name[0], "whole%d", number);
    snprintf(name[1], sizeof name[1], "stopped%d", number);
    snprintf(name[2], sizeof name[2], "streamed%d", number);
    snprintf(whole, sizeof whole, "%s/%s", folder, name[0]);
    snprintf(more, sizeof more, "%s train.epochs=4", views);
    train(folder, name[0], more);
    metrics_table *metrics = metrics_load(whole);
    assert_true(metrics->rows == 4 && metrics_number(metrics, 3, "loss_c") > 0);
    free(metrics);
    snprintf(other, sizeof other, "%s/%s", folder, name[1]);
    snprintf(more, sizeof more, "%s train.epochs=2", views);
    train(folder, name[1], more);
    assert_false(same_file(whole, other, "last.safetensors"));
    snprintf(more, sizeof more, "%s train.epochs=4 --resume", views);
    train(folder, name[1], more);
    assert_same_file(whole, other, "last.safetensors");
    assert_same_metrics(whole, other);
    snprintf(other, sizeof other, "%s/%s", folder, name[2]);
    snprintf(more, sizeof more, "%s train.epochs=4 data.resident=0", views);
    train(folder, name[2], more);
    assert_same_file(whole, other, "last.safetensors");
    assert_same_metrics(whole, other);
}

static void views_resume_and_stream_to_the_same_bits(void **state)
{
    char a[512], b[512];
    check_views(*state, "augment.weak=flip-shift augment.strong=randaugment", 1);
    if (default_device_is_slow()) return;
    check_views(*state,
                "augment.weak=resized-crop augment.strong=weak augment.scale_min=0.5 ssl.cam_gradient=exact ssl.cam_target=attached", 2);
    snprintf(a, sizeof a, "%s/whole1", (const char *)*state);
    snprintf(b, sizeof b, "%s/whole2", (const char *)*state);
    assert_false(same_file(a, b, "last.safetensors"));
}

static void what_cannot_be_is_refused(void **state)
{
    program_fails(*state, 2, "augment.rotations = 0,45: 45 is no quarter turn (list 0, 90, 180 or 270)", "config augment.rotations=0,45");
    program_fails(*state, 2, "augment.randaugment = 17: out of range", "config augment.randaugment=17");
    program_fails(*state, 2, "augment.weak = shift: unknown value", "config augment.weak=shift");
    program_fails(*state, 2, "augment.ratio_max = 0.9: out of range", "config augment.ratio_max=0.9");
    program_fails(*state, 2, "augment.scale_min = 0: out of range", "config augment.scale_min=0");
}

/* Without views that are drawn, and from given weights, nothing but the order of the images goes by train.seed. */
static void images_in_their_order_go_by_no_seed(void **state)
{
#define PLAIN "ssl.mode=pseudo-label ssl.beta=0 augment.strong=weak augment.flip_horizontal=no augment.flip_vertical=no"
    const char *folder = *state;
    char more[2][512];
    train(folder, "start", "train.epochs=1");
    for (int shuffle = 0; shuffle < 2; shuffle++) {
        char name[2][16];
        for (int seed = 0; seed < 2; seed++) {
            snprintf(name[seed], sizeof name[seed], "order%d%d", shuffle, seed);
            snprintf(more[seed], sizeof more[seed], PLAIN " 'model.init=%s/start/last.safetensors' data.shuffle=%s train.seed=%d", folder,
                     shuffle ? "yes" : "no", seed + 1);
            train(folder, name[seed], more[seed]);
        }
        const bool same = same_file(scratch_path(folder, name[0]), scratch_path(folder, name[1]), "last.safetensors");
        if (same == (shuffle == 1)) fail_msg("data.shuffle=%s: two seeds, %s weights", shuffle ? "yes" : "no", same ? "the same" : "other");
    }
}

/* The loss that eval finds for a split with the run's best weights. */
static double loss_of(const char *run, const char *folder, const char *split)
{
    char *out = program_prints(folder, "eval '%s/best.safetensors' --split %s --json", run, split);
    cc_json *json = json_parse_text(out);
    const double loss = json_number_at(json, "loss");
    cc_json_free(&json);
    free(out);
    return loss;
}

static void assert_near(double a, double b, const char *what)
{
    if (!(fabs(a - b) <= 1e-4 * b)) fail_msg("%s: the run has %.9g, eval %.9g", what, a, b);
}

/* Training, its evaluations and who reads the checkpoint normalise alike, with what was given in the place of the data set's own. */
static void a_given_mean_reaches_all_who_normalise(void **state)
{
    const char *folder = *state, *run = scratch_path(folder, "given-mean");
    train(folder, "given-mean", "data.mean=0.1,0.2,0.3 data.std=0.5,0.6,0.7");
    cc_json *result = json_load(run, "result.json");
    const double best = json_number_at(cc_json_get(result, "best"), "epoch");
    metrics_table *rows = metrics_load(run);
    size_t row = 0;
    while (metrics_number(rows, row, "epoch") < best)
        row++;
    assert_near(metrics_number(rows, row, "val_loss"), loss_of(run, folder, "validation"), "validation");
    assert_near(json_number_at(cc_json_get(result, "test"), "loss"), loss_of(run, folder, "test"), "test");
    free(rows);
    cc_json_free(&result);
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_resume_and_stream_to_the_same_bits),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(images_in_their_order_go_by_no_seed),
        cmocka_unit_test(a_given_mean_reaches_all_who_normalise),
    };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
