/* States that are whole files, and still none that a run can have saved: what is refused, and with which words. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "model/arch.h"
#include "run/state_check.h"

enum { IMAGES = 20, STEPS = 12, EPOCH_STEPS = 4 };

/* A run after its second epoch of three, in a network of the smallest size. */
typedef struct fixture {
    cc_graph *graph;
    cc_run_shape shape;
    cc_run_state state;
    cc_split split;
    cc_state_limits limits;
} fixture;

static camcl_error err;

/* An objective with a float for each class, a counter and a sum of its own. */
static size_t classes(const cc_objective_sizes *sizes) { return sizes->classes; }
static size_t one(const cc_objective_sizes *sizes) { return sizes->classes / sizes->classes; }
static const cc_objective_state toy_states[] = { { "class_mean", CC_F32, classes, NULL }, { "count", CC_I32, one, NULL } };
static const cc_objective_kind toy = {
    .name = "toy", .traits = CC_OBJECTIVE_UNLABELED, .states = toy_states, .state_count = 2, .sum_count = 1
};

static void *zeros(size_t count, size_t size)
{
    void *out = calloc(count, size);
    assert_non_null(out);
    return out;
}

static uint32_t *indices(size_t n, uint32_t first)
{
    uint32_t *out = zeros(n, sizeof *out);
    for (size_t i = 0; i < n; i++)
        out[i] = first + (uint32_t)i;
    return out;
}

static int32_t labels[IMAGES]; /* the first image's is taken away by a test */

static int setup(void **context)
{
    fixture *f = zeros(1, sizeof *f);
    memset(labels, 0, sizeof labels);
    const cc_graph_spec spec = { .arch = "resnet18", .stem = "cifar", .width = 2, .classes = 3, .channels = 3 };
    assert_int_equal(cc_graph_build(&spec, 16, &f->graph, &err), CAMCL_OK);
    f->shape = (cc_run_shape){ f->graph, true, &toy, { 3, 4, 4, IMAGES, IMAGES } };
    cc_run_state *s = &f->state;
    assert_int_equal(cc_snapshot_allocate(&s->now, f->graph, &err), CAMCL_OK);
    assert_int_equal(cc_snapshot_allocate(&s->best, f->graph, &err), CAMCL_OK);
    s->velocity = zeros(f->graph->trained, sizeof(float));
    assert_int_equal(cc_snapshot_allocate(&s->average, f->graph, &err), CAMCL_OK);
    s->objective[0] = zeros(3, sizeof(float));
    s->objective[1] = zeros(1, sizeof(int32_t));
    s->step = 8;
    s->has_best = true;
    s->best_epoch = 1;
    s->best_step = 4;
    s->best_score = 12.5;
    s->seconds = 3;
    f->split = (cc_split){ .labeled = indices(6, 0),
                           .unlabeled = indices(7, 6),
                           .validation = indices(3, 13),
                           .test = indices(2, 16),
                           .labeled_count = 6,
                           .unlabeled_count = 7,
                           .validation_count = 3,
                           .test_count = 2 };
    f->limits = (cc_state_limits){ .steps = STEPS,
                                   .epoch_steps = EPOCH_STEPS,
                                   .eval_every = 1,
                                   .data = "toys",
                                   .images = IMAGES,
                                   .labels = labels,
                                   .split = { .labeled = 6, .unlabeled = 7, .validation = 3, .test = 2 } };
    *context = f;
    return 0;
}

static int teardown(void **context)
{
    fixture *f = *context;
    cc_run_state_free(&f->state);
    cc_split_free(&f->split);
    cc_graph_destroy(&f->graph);
    free(f);
    return 0;
}

static camcl_status check(const fixture *f)
{
    return cc_run_state_check("a/state.safetensors", &f->shape, &f->state, &f->split, &f->limits, &err);
}

static void assert_taken(const fixture *f)
{
    if (check(f) != CAMCL_OK) fail_msg("%s", err.message);
}

static void assert_refused(const fixture *f, const char *mentions)
{
    const camcl_status status = check(f);
    if (status != CAMCL_BAD_DATA) fail_msg("%s instead of a refusal that mentions \"%s\"", camcl_status_name(status), mentions);
    if (strstr(err.message, "a/state.safetensors: ") != err.message || !strstr(err.message, mentions) ||
        err.message[strlen(err.message) - 1] != ')')
        fail_msg("\"%s\" does not name the file, \"%s\" and what to do", err.message, mentions);
}

static void steps(void **context)
{
    fixture *f = *context;
    cc_run_state *s = &f->state;
    assert_taken(f);
    s->step = STEPS;
    assert_taken(f);
    s->step = STEPS + 1;
    assert_refused(f, "step 13 of a training of 12 steps");
    s->step = (uint64_t)1 << 62;
    assert_refused(f, "step 4611686018427387904");
    s->step = 7; /* in the middle of an epoch */
    assert_taken(f);
    s->best_step = 8;
    s->best_epoch = 2;
    assert_refused(f, "best weights are of step 8");
    s->step = 8;
    assert_taken(f);
    s->best_epoch = 1;
    assert_refused(f, "epoch 1");
    s->best_step = s->best_epoch = 0;
    assert_refused(f, "best weights are of step 0");
    s->best_step = 4 * ((uint64_t)1 << 40) + 1;
    s->best_epoch = (uint64_t)1 << 40;
    assert_refused(f, "best weights are of step");
}

static void best_weights(void **context)
{
    fixture *f = *context;
    cc_run_state *s = &f->state;
    s->has_best = false;
    assert_refused(f, "no best weights");
    s->step = 3; /* before the first evaluation */
    assert_taken(f);
    s->step = 4;
    assert_refused(f, "no best weights");
    s->interval.sums[CC_SUM_STEPS] = 4; /* the evaluation was stopped */
    assert_taken(f);
    s->step = 5;
    assert_refused(f, "no best weights");
    s->step = 4;
    s->interval.sums[CC_SUM_STEPS] = 0;
    f->limits.eval_every = 2;
    assert_taken(f);
    s->step = 8;
    assert_refused(f, "no best weights");
    f->limits.eval_every = 5; /* evaluated at the end in any case */
    assert_taken(f);
    s->step = STEPS;
    assert_refused(f, "no best weights");
}

static void numbers(void **context)
{
    fixture *f = *context;
    cc_run_state *s = &f->state;
    const double bad_scores[] = { (double)NAN, -1, 100.5, (double)INFINITY };
    for (size_t i = 0; i < CC_COUNT(bad_scores); i++) {
        s->best_score = bad_scores[i];
        assert_refused(f, "best score");
    }
    s->has_best = false; /* without best weights there is no score */
    s->step = 1;
    assert_taken(f);
    s->has_best = true;
    s->step = 8;
    s->best_score = (double)NAN; /* nor without validation images */
    f->split.validation_count = f->limits.split.validation = 0;
    assert_taken(f);
    const double bad_times[] = { -1, (double)NAN, (double)INFINITY };
    for (size_t i = 0; i < CC_COUNT(bad_times); i++) {
        s->seconds = bad_times[i];
        assert_refused(f, "training time");
    }
    s->seconds = 0;
    s->interval.sums[7] = (double)NAN;
    assert_refused(f, "entry 7 of \"interval\"");
}

/* The last number of a parameter that the flat vector holds. */
static float *last_of(const fixture *f, float *flat, const char *name)
{
    for (size_t i = 0; i < f->graph->param_count; i++) {
        const cc_param *p = &f->graph->params[i];
        if (strcmp(p->name, name) == 0) return flat + p->offset + p->count - 1;
    }
    fail_msg("no parameter %s", name);
    return NULL;
}

static void tensors(void **context)
{
    fixture *f = *context;
    cc_run_state *s = &f->state;
    const struct {
        const char *name;
        float *at;
    } places[] = {
        { "model.fc.bias", last_of(f, s->now.weights, "fc.bias") },
        { "model.bn1.running_mean", last_of(f, s->now.statistics, "bn1.running_mean") },
        { "momentum.layer4.1.conv2.weight", last_of(f, s->velocity, "layer4.1.conv2.weight") },
        { "ema.conv1.weight", last_of(f, s->average.weights, "conv1.weight") },
        { "ema.layer2.0.bn1.running_var", last_of(f, s->average.statistics, "layer2.0.bn1.running_var") },
        { "best.fc.weight", last_of(f, s->best.weights, "fc.weight") },
        { "best.layer1.0.bn2.running_var", last_of(f, s->best.statistics, "layer1.0.bn2.running_var") },
    };
    const float bad[] = { NAN, INFINITY, -INFINITY };
    for (size_t i = 0; i < CC_COUNT(places) * CC_COUNT(bad); i++) {
        *places[i / CC_COUNT(bad)].at = bad[i % CC_COUNT(bad)];
        assert_refused(f, places[i / CC_COUNT(bad)].name);
        *places[i / CC_COUNT(bad)].at = 1;
        assert_taken(f);
    }
    float *variance = last_of(f, s->now.statistics, "layer2.0.bn1.running_var");
    *variance = -0.5f;
    assert_refused(f, "'model.layer2.0.bn1.running_var': 1 of 4 variances are negative");
    *variance = 0;
    assert_taken(f);
}

static void objective(void **context)
{
    fixture *f = *context;
    float *mean = f->state.objective[0];
    *(int32_t *)f->state.objective[1] = 0x7fc00000; /* as a float it would be NaN */
    assert_taken(f);
    mean[2] = NAN;
    assert_refused(f, "'objective.class_mean': entry 2 is not finite");
    mean[2] = 0;
    f->state.interval.own[0][3] = (double)INFINITY;
    assert_refused(f, "entry 0,3 of \"interval.objective\"");
    f->state.interval.own[0][3] = 0;
    f->state.interval.own[1][0] = (double)NAN; /* beyond the objective's sums: nobody reads it */
    assert_taken(f);
}

static void splits(void **context)
{
    fixture *f = *context;
    cc_split *s = &f->split;
    s->unlabeled[6] = IMAGES;
    assert_refused(f, "image 20, but toys has 20 training images");
    s->unlabeled[6] = UINT32_MAX;
    assert_refused(f, "image 4294967295");
    s->unlabeled[6] = IMAGES - 1;
    assert_taken(f);
    s->labeled[3] = s->labeled[2];
    assert_refused(f, "image 2 is twice among its labelled images");
    s->labeled[3] = 3;
    s->validation[0] = 5;
    assert_refused(f, "image 5 is both among its labelled and its validation images");
    s->validation[0] = 6;
    assert_refused(f, "image 6 is both among its unlabelled and its validation images");
    s->validation[0] = 13;
    assert_taken(f);
    /* Unlabelled images alone may lack a label: other pools are counted by class. */
    for (uint32_t image = 0; image < 18; image++) {
        labels[image] = -1;
        if (image < 6)
            assert_refused(f, "among its labelled images, but toys has no label for it");
        else if (image < 13)
            assert_taken(f);
        else
            assert_refused(f, image < 16 ? "among its validation images, but" : "among its test images, but");
        labels[image] = 0;
    }
    /* Labelled images may be in the unlabelled pool only where they are reused, and nothing else may. */
    s->unlabeled[0] = 2;
    assert_refused(f, "image 2 is both among its labelled and its unlabelled images");
    f->limits.reuse_labeled = true;
    assert_taken(f);
    s->unlabeled[1] = 2;
    assert_refused(f, "image 2 is twice among its unlabelled images");
    s->unlabeled[1] = 7;
    s->validation[0] = 2;
    assert_refused(f, "image 2 is both among its unlabelled and its validation images");
    s->validation[0] = 13;
    s->unlabeled[0] = 6;
    f->limits.reuse_labeled = false;
    assert_taken(f);
    s->labeled_count = 5;
    assert_refused(f, "it has 5 labelled images, configuration and data make it 6");
    s->labeled_count = 0;
    assert_refused(f, "it has 0 labelled images");
    s->labeled_count = 6;
    s->unlabeled_count = 6;
    assert_refused(f, "6 unlabelled images, configuration and data make it 7");
    s->unlabeled_count = 7;
    s->validation_count = 0;
    assert_refused(f, "0 validation images");
    s->validation_count = 3;
    s->test[1] = 15;
    assert_refused(f, "image 15 is both among its validation and its test images");
    s->test[1] = 17;
    assert_taken(f);
    s->test_count = 1;
    assert_refused(f, "it has 1 test images, configuration and data make it 2");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = { TEST(steps), TEST(best_weights), TEST(numbers), TEST(tensors), TEST(objective), TEST(splits) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
