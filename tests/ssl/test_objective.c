/* An objective's row: what it keeps from step to step, what it reports of its own, and the place of the CAM term, with a toy row that
 * stands here alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/rng.h"
#include "run/checkpoint.h"
#include "support/devices.h"
#include "support/ok.h"

static camcl_error err;

enum { SIDE = 8, IMAGES = 12, CLASSES = 3, LABELED = 4, UNLABELED = 6, STEPS = 3 };
#define EMA 0.75f
static const float decay = 0.75f;

/* ---- the toy: pseudo-labels, an average of what the confidence operation counts, and a copy of the loss's sums */

static size_t average_count(const cc_objective_sizes *sizes)
{
    assert_int_equal(sizes->classes, CLASSES);
    assert_int_equal(sizes->labeled, LABELED);
    assert_int_equal(sizes->unlabeled, UNLABELED);
    assert_int_equal(sizes->images, IMAGES);
    return 4;
}

static void average_begin(const cc_objective_sizes *sizes, void *values)
{
    (void)sizes;
    for (int i = 0; i < 4; i++)
        ((float *)values)[i] = 10.0f;
}

static camcl_status toy_targets(cc_objective_scope *scope, camcl_error *e)
{
    CC_RETURN_IF_FAILED(cc_objective_hard_targets(scope, e));
    return cc_ema_update(scope->tape, 4, decay, scope->confidence_sums, scope->state[0], e);
}

static camcl_status toy_loss(cc_objective_scope *scope, camcl_error *e)
{
    CC_RETURN_IF_FAILED(cc_objective_cross_entropy(scope, e));
    return cc_tape_copy(scope->tape, scope->loss_sums.buffer, 0, scope->sums[1].buffer, 0, 16, e);
}

static const cc_objective_state toy_state = { "average", CC_F32, average_count, average_begin };
static const cc_objective_kind toy = { .name = "toy",
                                       .traits = CC_OBJECTIVE_UNLABELED,
                                       .targets = toy_targets,
                                       .loss = toy_loss,
                                       .states = &toy_state,
                                       .state_count = 1,
                                       .sum_count = 2 };

/* ---- a tiny network on random images */

typedef struct scene {
    cc_model *model;
    cc_resident *images;
    cc_arena *arena;
    cc_step *step;
    cc_transform labeled[LABELED], weak[UNLABELED], strong[UNLABELED];
} scene;

static cc_transform whole(int source) { return (cc_transform){ source, 0, 0, 0, 0, SIDE, SIDE, 0 }; }

/* The last `unknown` of the unlabelled images have no label. */
static void scene_open_with(scene *s, camcl_device *device, const cc_objective *objective, int unknown)
{
    uint8_t pixels[IMAGES * SIDE * SIDE * 3];
    int32_t labels[IMAGES];
    const float mean[] = { 0.5f, 0.5f, 0.5f }, deviation[] = { 0.25f, 0.25f, 0.25f };
    const cc_graph_spec graph = { "resnet18", "cifar", 4, CLASSES, 3 };
    const cc_step_spec spec = {
        .objective = *objective, .batch_labeled = LABELED, .batch_unlabeled = UNLABELED, .image_size = SIDE, .ema = EMA
    };
    const cc_resident_spec images = { pixels, labels, IMAGES, SIDE, SIDE, 3, mean, deviation, "images" };
    cc_rng rng = cc_rng_at(7, CC_RNG_BENCH, 0);
    memset(s, 0, sizeof *s);
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)cc_rng_u32(&rng);
    for (int i = 0; i < IMAGES; i++)
        labels[i] = i < LABELED + UNLABELED - unknown ? i % CLASSES : -1;
    for (int i = 0; i < LABELED; i++)
        s->labeled[i] = whole(i);
    for (int i = 0; i < UNLABELED; i++) {
        s->weak[i] = whole(LABELED + i);
        s->strong[i] = whole(-1);
        s->strong[i].turns = i % 4;
    }
    OK(cc_resident_create(device, &images, &s->images, &err));
    OK(cc_model_create(device, &graph, &s->model, &err));
    OK(cc_arena_create(device, &s->arena, &err));
    OK(cc_step_create(s->model, s->images, &spec, s->arena, &s->step, &err));
    OK(cc_arena_commit(s->arena, &err));
    OK(cc_model_init(s->model, 1, &err));
    OK(cc_model_refresh(s->model, &err));
}

static void scene_open(scene *s, camcl_device *device, const cc_objective *objective) { scene_open_with(s, device, objective, 0); }

static void scene_close(scene *s)
{
    cc_arena_destroy(&s->arena);
    cc_step_destroy(&s->step);
    cc_model_destroy(&s->model);
    cc_resident_destroy(&s->images);
}

static cc_step_sums run(scene *s, float threshold)
{
    cc_readback *pending = NULL;
    cc_step_sums sums;
    const cc_step_input input = { .labeled = s->labeled, .weak = s->weak, .strong = s->strong, .lr = 0.01f, .threshold = threshold };
    OK(cc_step_run(s->step, &input, &pending, &err));
    OK(cc_step_read(&pending, &sums, &err));
    return sums;
}

/* The values of the first parameter after STEPS steps. */
static float *trained(camcl_device *device, const cc_objective *objective, size_t *count)
{
    scene s;
    scene_open(&s, device, objective);
    for (int k = 0; k < STEPS; k++)
        (void)run(&s, 0.0f);
    *count = s.model->graph->params[0].count;
    float *values = calloc(*count, sizeof *values);
    assert_non_null(values);
    OK(cc_model_get(s.model, 0, values, &err));
    scene_close(&s);
    return values;
}

static bool same_training(camcl_device *device, const cc_objective *a, const cc_objective *b)
{
    size_t n, m;
    float *first = trained(device, a, &n), *second = trained(device, b, &m);
    const bool same = n == m && memcmp(first, second, n * sizeof *first) == 0;
    free(first);
    free(second);
    return same;
}

static cc_objective options_of(const cc_objective_kind *kind)
{
    return (cc_objective){
        .kind = kind, .confidence = CC_CONFIDENCE_SOFTMAX, .joint = true, .shared_class = true, .cam_layer = 3, .alpha = 1, .beta = 1
    };
}

/* ---- tests */

static void check_state_and_sums(camcl_device *device, void *context)
{
    (void)context;
    scene s;
    const cc_objective objective = options_of(&toy);
    float average[4] = { 10, 10, 10, 10 }, got[4];
    scene_open(&s, device, &objective);
    OK(cc_buffer_read(cc_step_state(s.step)[0].buffer, 0, got, sizeof got, &err));
    assert_memory_equal(got, average, sizeof got);
    for (int k = 0; k < STEPS; k++) {
        const cc_step_sums sums = run(&s, k == 0 ? 0.0f : 0.5f);
        const float now[4] = { sums.confident, sums.confident_correct, sums.unlabeled, 0 };
        if (k == 0) assert_true(sums.confident >= UNLABELED); /* a threshold of 0 lets every image through */
        for (int i = 0; i < 3; i++)
            average[i] = decay * average[i] + (1 - decay) * now[i];
        assert_true(sums.own[1][0] >= sums.loss_u && sums.own[1][0] <= sums.loss_u);
        assert_true(isfinite(sums.loss_u));
    }
    OK(cc_buffer_read(cc_step_state(s.step)[0].buffer, 0, got, sizeof got, &err));
    for (int i = 0; i < 3; i++)
        if (!(fabsf(got[i] - average[i]) <= 1e-5f)) fail_msg("average %d: %.9g instead of %.9g", i, (double)got[i], (double)average[i]);
    scene_close(&s);
}

static void state_and_sums(void **unused)
{
    (void)unused;
    for_each_device(check_state_and_sums, NULL);
}

/* Confident images without a label are counted apart, and nothing is learnt from the labels of the others. */
static void check_unknown_labels(camcl_device *device, void *context)
{
    (void)context;
    const int unknown[] = { 0, 2, UNLABELED };
    const cc_objective objective = options_of(&cc_objective_gradcam);
    cc_step_sums sums[3];
    for (int i = 0; i < 3; i++) {
        scene s;
        scene_open_with(&s, device, &objective, unknown[i]);
        sums[i] = run(&s, 0.0f);
        scene_close(&s);
        assert_true(sums[i].confident >= UNLABELED && sums[i].confident <= UNLABELED);
        assert_int_equal((int)sums[i].confident_unknown, unknown[i]);
        assert_memory_equal(&sums[i].loss_u, &sums[0].loss_u, sizeof sums->loss_u);
        assert_memory_equal(&sums[i].loss_c, &sums[0].loss_c, sizeof sums->loss_c);
    }
    assert_true(sums[1].confident_correct <= sums[0].confident_correct);
    assert_int_equal((int)sums[2].confident_correct, 0);
}

static void unknown_labels_are_counted_apart(void **unused)
{
    (void)unused;
    for_each_device(check_unknown_labels, NULL);
}

/* A run that is stopped and resumed goes on with the values that the tensors had. */
static void check_resumed_state(camcl_device *device, void *context)
{
    (void)context;
    scene s;
    const cc_objective objective = options_of(&toy);
    const cc_run_shape shape = { .objective = &toy, .sizes = { CLASSES, LABELED, UNLABELED, IMAGES, IMAGES } };
    cc_run_state state = { .step = 0 };
    float trained_average[4], got[4];
    scene_open(&s, device, &objective);
    for (int k = 0; k < STEPS; k++)
        (void)run(&s, 0.0f);
    OK(cc_buffer_read(cc_step_state(s.step)[0].buffer, 0, trained_average, sizeof trained_average, &err));
    OK(cc_run_state_take_objective(&state, &shape, s.step, &err));
    scene_close(&s);
    assert_memory_equal(state.objective[0], trained_average, sizeof trained_average);

    scene_open(&s, device, &objective);
    OK(cc_buffer_read(cc_step_state(s.step)[0].buffer, 0, got, sizeof got, &err));
    assert_memory_not_equal(got, trained_average, sizeof got);
    OK(cc_run_state_apply_objective(&state, &shape, s.step, &err));
    OK(cc_buffer_read(cc_step_state(s.step)[0].buffer, 0, got, sizeof got, &err));
    assert_memory_equal(got, trained_average, sizeof got);
    scene_close(&s);
    cc_run_state_free(&state);
}

static void state_survives_a_stop(void **unused)
{
    (void)unused;
    for_each_device(check_resumed_state, NULL);
}

/* beta = 0 gives the bits of the mode alone: gradcam is pseudo-label then, and pseudo-label with a beta is gradcam. */
static void check_consistency(camcl_device *device, void *context)
{
    (void)context;
    cc_objective pseudo = options_of(&cc_objective_pseudo_label), cam = options_of(&cc_objective_gradcam), none = cam, weighted = pseudo;
    none.beta = 0;
    weighted.beta = 5;
    pseudo.beta = 0;
    assert_true(same_training(device, &pseudo, &none));
    cam.beta = weighted.beta;
    assert_true(same_training(device, &weighted, &cam));
    assert_false(same_training(device, &pseudo, &cam));
}

static void consistency_stands_apart(void **unused)
{
    (void)unused;
    for_each_device(check_consistency, NULL);
}

/* One step whose objective begins with other numbers in its state `index`. */
static float *one_step(camcl_device *device, const cc_objective *objective, size_t index, const void *values, float threshold,
                       size_t *count)
{
    scene s;
    scene_open(&s, device, objective);
    if (values) {
        const cc_tensor *state = &cc_step_state(s.step)[index];
        OK(cc_buffer_write(state->buffer, 0, values, cc_tensor_bytes(state), &err));
    }
    (void)run(&s, threshold);
    *count = s.model->graph->params[0].count;
    float *weights = calloc(*count, sizeof *weights);
    assert_non_null(weights);
    OK(cc_model_get(s.model, 0, weights, &err));
    scene_close(&s);
    return weights;
}

static void assert_same_weights(float *a, size_t n, float *b, size_t m, bool same)
{
    assert_int_equal(n, m);
    assert_int_equal(memcmp(a, b, n * sizeof *a) == 0, same);
    free(a);
    free(b);
}

/* flexmatch whose classes are all learnt equally well is fixmatch, and softmatch whose average lies below every confidence is fixmatch with
 * every image: to the bit, CAM term included. */
static void check_special_cases(camcl_device *device, void *context)
{
    (void)context;
    const cc_objective fixed = options_of(&cc_objective_fixmatch), flexible = options_of(&cc_objective_flexmatch),
                       soft = options_of(&cc_objective_softmatch);
    const int32_t equal[CLASSES + 1] = { 4, 4, 4, 0 };
    const float low = -100, some = 0.36f, none = 0.9999f;
    size_t n, m;
    enum { COUNTS = 1, MEAN = 1 };
    float *a = one_step(device, &fixed, 0, NULL, some, &n);
    assert_same_weights(a, n, one_step(device, &flexible, COUNTS, equal, some, &m), n, true);
    a = one_step(device, &fixed, 0, NULL, none, &n);
    assert_same_weights(a, n, one_step(device, &flexible, COUNTS, NULL, none, &m), n, false); /* at first its thresholds are 0 */
    a = one_step(device, &fixed, 0, NULL, 0, &n);
    assert_same_weights(a, n, one_step(device, &soft, MEAN, &low, 0, &m), n, true);
    a = one_step(device, &fixed, 0, NULL, 0, &n);
    assert_same_weights(a, n, one_step(device, &soft, MEAN, &(float){ 5 }, 0, &m), n, false);
}

static void special_cases_are_fixmatch(void **unused)
{
    (void)unused;
    for_each_device(check_special_cases, NULL);
}

/* The teacher sees its own weights with the batch's statistics and leaves the student's running statistics alone; with the weights that the
 * student has, the same views give both the same probabilities, so that there is no difference to learn from. */
static void check_teacher(camcl_device *device, void *context)
{
    (void)context;
    cc_objective objective = options_of(&cc_objective_mean_teacher);
    cc_snapshot start = { NULL, NULL, 0 }, after[2] = { { NULL, NULL, 0 }, { NULL, NULL, 0 } };
    scene s;
    objective.joint = false;
    scene_open(&s, device, &objective);
    for (int i = 0; i < UNLABELED; i++)
        s.strong[i].turns = 0;
    for (int i = 0; i < UNLABELED; i++) {
        s.strong[i].y1 = s.strong[i].x1 = SIDE;
        s.strong[i].y0 = s.strong[i].x0 = 0;
    }
    OK(cc_snapshot_take(&start, s.model, 0, &err));
    const cc_step_sums far = run(&s, 0);
    OK(cc_snapshot_take(&after[0], s.model, 0, &err));
    assert_true(far.confident >= UNLABELED && far.loss_u > 1e-4f);
    OK(cc_snapshot_apply(&start, s.model, &err));
    OK(cc_buffer_write(cc_step_average(s.step), 0, start.weights, s.model->graph->trained * sizeof(float), &err));
    const cc_step_sums near = run(&s, 0);
    OK(cc_snapshot_take(&after[1], s.model, 0, &err));
    assert_true(near.loss_u <= 1e-9f && near.loss_c <= 1e-9f);
    /* The same student beside two teachers. */
    const size_t bytes = s.model->graph->statistics * sizeof(float);
    assert_memory_equal(after[0].statistics, after[1].statistics, bytes);
    assert_memory_not_equal(after[0].statistics, start.statistics, bytes);
    cc_snapshot_free(&after[0]);
    cc_snapshot_free(&after[1]);
    cc_snapshot_free(&start);
    scene_close(&s);
}

static void teacher_is_the_average(void **unused)
{
    (void)unused;
    for_each_device(check_teacher, NULL);
}

/* Averages begin where they are told to and follow the running statistics as they follow the weights. */
static void check_averages(camcl_device *device, void *context)
{
    (void)context;
    const cc_objective objective = options_of(&cc_objective_fixmatch);
    cc_snapshot now = { NULL, NULL, 0 };
    scene s;
    scene_open(&s, device, &objective);
    OK(cc_snapshot_take(&now, s.model, 0, &err));
    const cc_graph *g = s.model->graph;
    const size_t sizes[] = { g->trained, g->statistics };
    float *const values[] = { now.weights, now.statistics };
    cc_buffer *const averages[] = { cc_step_average(s.step), cc_step_average_statistics(s.step) };
    float *want[2], *got[2];
    for (int i = 0; i < 2; i++) {
        want[i] = calloc(sizes[i], sizeof(float));
        got[i] = calloc(sizes[i], sizeof(float));
        assert_true(want[i] && got[i]);
        memcpy(want[i], values[i], sizes[i] * sizeof(float));
        OK(cc_buffer_write(averages[i], 0, want[i], sizes[i] * sizeof(float), &err));
    }
    for (int k = 0; k < STEPS; k++) {
        (void)run(&s, 0);
        OK(cc_snapshot_take(&now, s.model, 0, &err));
        for (int i = 0; i < 2; i++)
            for (size_t n = 0; n < sizes[i]; n++)
                want[i][n] = EMA * want[i][n] + (1 - EMA) * values[i][n];
    }
    for (int i = 0; i < 2; i++) {
        OK(cc_buffer_read(averages[i], 0, got[i], sizes[i] * sizeof(float), &err));
        for (size_t n = 0; n < sizes[i]; n++)
            if (!(fabsf(got[i][n] - want[i][n]) <= 1e-6f * (1 + fabsf(want[i][n]))))
                fail_msg("average of %s %zu: %.9g instead of %.9g", i ? "statistic" : "weight", n, (double)got[i][n], (double)want[i][n]);
        free(want[i]);
        free(got[i]);
    }
    cc_snapshot_free(&now);
    scene_close(&s);
}

static void averages_follow_weights_and_statistics(void **unused)
{
    (void)unused;
    for_each_device(check_averages, NULL);
}

static void table(void **unused)
{
    (void)unused;
    assert_ptr_equal(cc_objective_find("gradcam"), &cc_objective_gradcam);
    assert_null(cc_objective_find("toy"));
    for (size_t i = 0; i < cc_objective_count(); i++) {
        const cc_objective_kind *kind = cc_objective_at(i);
        assert_ptr_equal(cc_objective_find(kind->name), kind);
        assert_int_equal(cc_objective_learns_unlabeled(kind), kind->targets != NULL);
        assert_int_equal(cc_objective_learns_unlabeled(kind), kind->loss != NULL);
        assert_true(cc_objective_learns_unlabeled(kind) || (!kind->masked && !cc_objective_has_teacher(kind) && !kind->ramped &&
                                                            !cc_objective_has_threshold(kind) && !kind->further));
        assert_true(kind->state_count <= CC_MOST_OBJECTIVE_STATES && kind->sum_count <= CC_MOST_OBJECTIVE_SUMS &&
                    kind->figure_count <= CC_MOST_OBJECTIVE_FIGURES);
        for (size_t f = 0; f < kind->figure_count; f++)
            assert_true(kind->figures[f].sum < kind->sum_count && kind->figures[f].above < 4 && kind->figures[f].below < 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(state_and_sums),
        cmocka_unit_test(unknown_labels_are_counted_apart),
        cmocka_unit_test(state_survives_a_stop),
        cmocka_unit_test(consistency_stands_apart),
        cmocka_unit_test(special_cases_are_fixmatch),
        cmocka_unit_test(teacher_is_the_average),
        cmocka_unit_test(averages_follow_weights_and_statistics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
