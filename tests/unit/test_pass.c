/* Passes over networks that exist only here: gradients and tangents against finite differences where nodes share inputs, batch norm's
 * constants, and two sets of weights on one tape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "check/check.h"
#include "model/arch.h"
#include "model/node.h"
#include "model/pass.h"
#include "model/graph_walk.h"
#include "model/nodes.h"
#include "support/devices.h"
#include "support/operands.h"
/* That of tests of operations takes the test, too. */
#undef OK
#include "support/ok.h"

static camcl_device *device;
static camcl_error err;

enum { BATCH = 2, HEIGHT = 6, WIDTH = 5, CHANNELS = 3, CLASSES = 3, PIXELS = BATCH * HEIGHT * WIDTH * CHANNELS, LOGITS = BATCH * CLASSES };

static cc_model *model_of(void (*build)(cc_graph_builder *), size_t stages)
{
    const cc_arch arch = { "toy", 1, "only", stages, build };
    const cc_graph_spec spec = { .stem = "only", .classes = CLASSES, .channels = CHANNELS };
    cc_graph *graph = NULL;
    cc_model *model = NULL;
    OK(cc_graph_build_arch(&arch, &spec, camcl_device_get_info(device)->base_align / sizeof(float), &graph, &err));
    OK(cc_model_create_from(device, &graph, &model, &err));
    assert_null(graph);
    return model;
}

/* Every number of a set drawn anew; variances are positive. */
static void draw_all(cc_weights *weights, unsigned seed)
{
    const cc_graph *g = weights->model->graph;
    for (size_t i = 0; i < g->param_count; i++) {
        float *values = random_floats(g->params[i].count, seed + (unsigned)i);
        for (size_t k = 0; k < g->params[i].count && g->params[i].role == CC_ROLE_RUNNING_VAR; k++)
            values[k] = 1 + 0.5f * values[k];
        OK(cc_weights_set(weights, i, values, &err));
        free(values);
    }
    OK(cc_weights_refresh(weights, &err));
}

static cc_tensor images_of(const float *values)
{
    cc_tensor images;
    OK(cc_tensor_create(device, "images", CC_F32, CC_DIMS(BATCH, HEIGHT, WIDTH, CHANNELS), &images, &err));
    OK(cc_buffer_write(images.buffer, 0, values, PIXELS * sizeof *values, &err));
    return images;
}

static cc_pass *forward(cc_weights *weights, cc_tape *tape, cc_tensor images, bool train, size_t kept)
{
    const cc_pass_spec spec = { BATCH, HEIGHT, WIDTH, train, 0, 0 };
    cc_pass *pass;
    OK(cc_pass_create(weights, tape, &spec, &pass, &err));
    OK(cc_pass_forward(pass, images, &err));
    cc_tape_keep(tape, cc_pass_output(pass, kept).buffer);
    return pass;
}

/* ---- gradients and tangents
 *
 * Without activations the logits are linear in each single weight and in the image, so that differences are exact but for rounding. */

/* 1 a, 2 p and 3 q of a, 4 a + p + q, 5 r, 6 r + r, 7 batch norm with p as its residual, 8 pooling, 9 and 10 linear. */
static void build_web(cc_graph_builder *b)
{
    size_t a = cc_graph_builder_conv(b, cc_graph_builder_image(b), "a", (cc_conv_attributes){ 16, 3, 1, 1 });
    size_t p = cc_graph_builder_conv(b, a, "p", (cc_conv_attributes){ 16, 1, 1, 1 });
    size_t q = cc_graph_builder_conv(b, a, "q", (cc_conv_attributes){ 16, 3, 1, 1 });
    size_t sum = cc_graph_builder_add(b, (size_t[]){ a, p, q }, 3);
    size_t r = cc_graph_builder_conv(b, sum, "r", (cc_conv_attributes){ 16, 1, 1, 1 });
    size_t x = cc_graph_builder_add(b, (size_t[]){ r, r }, 2);
    x = cc_graph_builder_batch_norm(b, x, p, "bn", (cc_batch_norm_attributes){ CC_NO_ACTIVATION, 1e-3f, 0.01f });
    x = cc_graph_builder_global_average_pool(b, x);
    cc_graph_builder_linear(b, cc_graph_builder_linear(b, x, "fc1", 7), "fc2", CLASSES);
}

static size_t conv16(cc_graph_builder *b, size_t input, const char *name, size_t window)
{
    return cc_graph_builder_conv(b, input, name, (cc_conv_attributes){ 16, window, 1, 1 });
}

/* Sums whose terms may share one gradient (1), and those where a term's gradient grows while another term's is still to be used: by that
 * term's own node (2), by a node after it (3), or by one before it that shares the sum's own gradient (4). */
static void build_fan(cc_graph_builder *b)
{
    size_t h = conv16(b, cc_graph_builder_image(b), "h", 3);
    size_t p = conv16(b, h, "p", 1), q = conv16(b, h, "q", 3), r = conv16(b, h, "r", 1);
    size_t one = cc_graph_builder_add(b, (size_t[]){ p, q, r }, 3);
    size_t two = cc_graph_builder_add(b, (size_t[]){ conv16(b, one, "s", 3), one }, 2);
    size_t y = conv16(b, h, "y", 1), z = conv16(b, two, "z", 1);
    size_t three = cc_graph_builder_add(b, (size_t[]){ y, two }, 2);
    size_t x = cc_graph_builder_add(b, (size_t[]){ three, z }, 2);
    z = conv16(b, x, "t", 3);
    size_t four = cc_graph_builder_add(b, (size_t[]){ conv16(b, h, "u", 1), x }, 2);
    x = cc_graph_builder_add(b, (size_t[]){ four, z }, 2);
    cc_graph_builder_linear(b, cc_graph_builder_global_average_pool(b, x), "fc", CLASSES);
}

/* Convolutions in groups; the second is depthwise. */
static void build_grouped(cc_graph_builder *b)
{
    size_t x = conv16(b, cc_graph_builder_image(b), "h", 3);
    x = cc_graph_builder_conv(b, x, "p", (cc_conv_attributes){ 8, 3, 1, 4 });
    x = cc_graph_builder_conv(b, x, "q", (cc_conv_attributes){ 8, 3, 2, 8 });
    cc_graph_builder_linear(b, cc_graph_builder_global_average_pool(b, x), "fc", CLASSES);
}

/* A node whose input has another reader, too. */
static void build_activated_twice(cc_graph_builder *b)
{
    size_t x = conv16(b, cc_graph_builder_image(b), "h", 3);
    size_t y = conv16(b, cc_graph_builder_activation(b, x, CC_NO_ACTIVATION), "p", 1);
    x = cc_graph_builder_add(b, (size_t[]){ x, y }, 2);
    cc_graph_builder_linear(b, cc_graph_builder_global_average_pool(b, x), "fc", CLASSES);
}

/* What is differentiated: the sum of logits times dlogits, or what the logits gain when the image moves in a direction. */
typedef struct experiment {
    cc_model *model;
    cc_arena *arena;
    cc_tape *tape;
    cc_pass *here, *moved;
    cc_tensor images[2], direction, dlogits;
    float *factors;
    bool *written;
} experiment;

static void experiment_open(experiment *e, void (*build)(cc_graph_builder *), bool tangent)
{
    float *x = random_floats(PIXELS, 1), *v = random_floats(PIXELS, 2), *moved = calloc(PIXELS, sizeof *moved);
    e->model = model_of(build, 0);
    draw_all(e->model->main, 10);
    const size_t last = e->model->graph->node_count - 1;
    e->written = calloc(e->model->graph->param_count, sizeof *e->written);
    e->factors = random_floats(LOGITS, 3);
    assert_true(moved && e->written);
    for (size_t i = 0; i < PIXELS; i++)
        moved[i] = x[i] + v[i];
    e->images[0] = images_of(x);
    e->images[1] = images_of(moved);
    e->direction = images_of(v);
    OK(cc_tensor_create(device, "factors", CC_F32, CC_DIMS(BATCH, CLASSES), &e->dlogits, &err));
    OK(cc_buffer_write(e->dlogits.buffer, 0, e->factors, LOGITS * sizeof(float), &err));
    OK(cc_arena_create(device, &e->arena, &err));
    OK(cc_tape_create(e->arena, "experiment", &e->tape, &err));
    e->here = forward(e->model->main, e->tape, e->images[0], false, last);
    e->moved = tangent ? forward(e->model->main, e->tape, e->images[1], false, last) : NULL;
    cc_pass_set_gradient(e->here, last, e->dlogits);
    OK(cc_pass_backward(e->here, last, 0, tangent ? NULL : e->written, &err));
    if (tangent) OK(cc_pass_tangent(e->here, 0, e->direction, e->written, &err));
    OK(cc_arena_commit(e->arena, &err));
    OK(cc_model_refresh(e->model, &err));
    OK(cc_tape_run(e->tape, &err));
    free(x), free(v), free(moved);
}

static void experiment_close(experiment *e)
{
    cc_pass_destroy(&e->here);
    cc_pass_destroy(&e->moved);
    cc_arena_destroy(&e->arena);
    cc_buffer_destroy(&e->images[0].buffer);
    cc_buffer_destroy(&e->images[1].buffer);
    cc_buffer_destroy(&e->direction.buffer);
    cc_buffer_destroy(&e->dlogits.buffer);
    cc_model_destroy(&e->model);
    free(e->factors);
    free(e->written);
}

static double sum_of_logits(const experiment *e, const cc_pass *pass)
{
    float logits[LOGITS];
    OK(cc_buffer_read(cc_pass_output(pass, cc_pass_last(pass)).buffer, 0, logits, sizeof logits, &err));
    return dot(logits, e->factors, LOGITS);
}

static double value_with(experiment *e, size_t param, const float *values)
{
    OK(cc_model_set(e->model, param, values, &err));
    OK(cc_model_refresh(e->model, &err));
    OK(cc_tape_run(e->tape, &err));
    const double here = sum_of_logits(e, e->here);
    return e->moved ? sum_of_logits(e, e->moved) - here : here;
}

static void check_param(experiment *e, size_t param, size_t probes)
{
    const cc_param *p = &e->model->graph->params[param];
    float *got = calloc(p->count, sizeof *got), *values = calloc(p->count, sizeof *values);
    double largest = 0;
    assert_true(got && values);
    if (e->written[param]) OK(cc_model_get_gradient(e->model, param, got, &err));
    OK(cc_model_get(e->model, param, values, &err));
    for (size_t i = 0; i < p->count; i++)
        largest = fmax(largest, fabs((double)got[i]));
    for (size_t i = 0; i < p->count; i += cc_ceil_div(p->count, probes)) {
        const float kept = values[i];
        values[i] = kept + 1;
        double difference = value_with(e, param, values);
        values[i] = kept - 1;
        difference = (difference - value_with(e, param, values)) / 2;
        values[i] = kept;
        if (!(fabs(difference - (double)got[i]) <= 1e-4 * largest + 1e-4))
            fail_msg("%s[%zu]: %g by differences, gradient %g, the largest %g", p->name, i, difference, (double)got[i], largest);
    }
    value_with(e, param, values); /* the tape's gradients are those of the unchanged weights again */
    free(got), free(values);
}

/* `without`: parameters that have no gradient. */
static void check_against_differences(void (*build)(cc_graph_builder *), bool tangent, size_t without)
{
    experiment e;
    size_t written = 0, trained = 0;
    experiment_open(&e, build, tangent);
    for (size_t i = 0; i < e.model->graph->param_count; i++) {
        if (cc_param_is_statistic(&e.model->graph->params[i])) continue;
        written += e.written[i];
        trained++;
        check_param(&e, i, 25);
    }
    assert_int_equal(written, trained - without);
    experiment_close(&e);
}

static void gradients_are_differences(void **state)
{
    (void)state;
    check_against_differences(build_web, false, 0);
    check_against_differences(build_fan, false, 0);
    check_against_differences(build_activated_twice, false, 0);
    check_against_differences(build_grouped, false, 0);
}

static void tangents_are_differences(void **state)
{
    (void)state;
    check_against_differences(build_web, true, 3);             /* bn.bias, fc1.bias, fc2.bias */
    check_against_differences(build_fan, true, 1);             /* fc.bias */
    check_against_differences(build_activated_twice, true, 1); /* fc.bias */
    check_against_differences(build_grouped, true, 1);         /* fc.bias */
}

/* ---- activations
 *
 * A batch norm that activates and one followed by a node that does are the same network. */

static cc_activation activation;

static void build_activating(cc_graph_builder *b, bool alone)
{
    const cc_batch_norm_attributes norm = cc_batch_norm_default(alone ? CC_NO_ACTIVATION : activation);
    size_t x = cc_graph_builder_batch_norm(b, conv16(b, cc_graph_builder_image(b), "a", 3), CC_NONE, "bn", norm);
    if (alone) x = cc_graph_builder_activation(b, x, activation);
    cc_graph_builder_end_stage(b, x);
    cc_graph_builder_linear(b, cc_graph_builder_global_average_pool(b, conv16(b, x, "p", 1)), "fc", CLASSES);
}
static void build_together(cc_graph_builder *b) { build_activating(b, false); }
static void build_apart(cc_graph_builder *b) { build_activating(b, true); }

enum { MOST = 1024 };

/* Logits, and the gradients of all parameters or, with `tangent`, the derivatives of them in a direction; returns how many numbers. */
static size_t run_activating(void (*build)(cc_graph_builder *), bool train, bool tangent, float out[MOST])
{
    size_t count = LOGITS;
    float *x = random_floats(PIXELS, 1), *factors = random_floats(LOGITS, 3);
    cc_model *model = model_of(build, 1);
    const size_t last = model->graph->node_count - 1;
    bool written[8] = { false };
    cc_tensor images = images_of(x), dlogits;
    cc_arena *arena;
    cc_tape *tape;
    draw_all(model->main, 10);
    OK(cc_tensor_create(device, "factors", CC_F32, CC_DIMS(BATCH, CLASSES), &dlogits, &err));
    OK(cc_buffer_write(dlogits.buffer, 0, factors, LOGITS * sizeof(float), &err));
    OK(cc_arena_create(device, &arena, &err));
    OK(cc_tape_create(arena, "activating", &tape, &err));
    cc_pass *pass = forward(model->main, tape, images, train, last);
    cc_pass_set_gradient(pass, last, dlogits);
    OK(cc_pass_backward(pass, last, 0, tangent ? NULL : written, &err));
    if (tangent) OK(cc_pass_tangent(pass, 0, images, written, &err));
    OK(cc_arena_commit(arena, &err));
    OK(cc_model_refresh(model, &err));
    OK(cc_tape_run(tape, &err));
    OK(cc_buffer_read(cc_pass_output(pass, last).buffer, 0, out, LOGITS * sizeof *out, &err));
    for (size_t i = 0; i < model->graph->param_count; i++) {
        if (!written[i]) continue;
        assert_true(count + model->graph->params[i].count <= MOST);
        OK(cc_model_get_gradient(model, i, out + count, &err));
        count += model->graph->params[i].count;
    }
    cc_pass_destroy(&pass);
    cc_arena_destroy(&arena);
    cc_buffer_destroy(&images.buffer);
    cc_buffer_destroy(&dlogits.buffer);
    cc_model_destroy(&model);
    free(x), free(factors);
    return count;
}

static void activations_may_be_nodes_of_their_own(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < CC_ACTIVATION_COUNT; kind++) {
        activation = cc_check_activation(kind);
        for (int mode = 0; mode < 3; mode++) {
            const bool train = mode == 1, tangent = mode == 2;
            float together[MOST], apart[MOST];
            if (tangent && !cc_activation_get(activation)->piecewise_linear) continue;
            const size_t count = run_activating(build_together, train, tangent, together);
            assert_int_equal(run_activating(build_apart, train, tangent, apart), count);
            assert_true(count > LOGITS + 16);
            for (size_t i = 0; i < count; i++)
                if (!(fabsf(together[i] - apart[i]) <= 1e-5f + 1e-5f * fabsf(apart[i])))
                    fail_msg("%s, %d: number %zu of %zu is %g, apart %g", cc_activation_get(activation)->name, mode, i, count,
                             (double)together[i], (double)apart[i]);
        }
    }
}

static void build_after_residual(cc_graph_builder *b)
{
    size_t image = cc_graph_builder_image(b), x = cc_graph_builder_conv(b, image, "a", (cc_conv_attributes){ CHANNELS, 3, 1, 1 });
    cc_graph_builder_end_stage(b, image);
    x = cc_graph_builder_batch_norm(b, x, image, "bn", cc_batch_norm_default(activation));
    cc_graph_builder_linear(b, cc_graph_builder_global_average_pool(b, x), "fc", CLASSES);
}

/* An activation that is not piecewise linear has no tangent, one that needs what it was applied to does not go with a residual. */
static void activations_are_refused_where_they_cannot_be(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < CC_ACTIVATION_COUNT; kind++) {
        cc_node_shape shapes[8];
        activation = cc_check_activation(kind);
        const cc_activation_row *row = cc_activation_get(activation);
        cc_model *model = model_of(build_after_residual, 1);
        const cc_graph *graph = model->graph;
        assert_int_equal(cc_graph_check_tangent(graph, graph->stage_end[0], &err), row->piecewise_linear ? CAMCL_OK : CAMCL_UNSUPPORTED);
        if (!row->piecewise_linear) assert_non_null(strstr(err.message, row->name));
        assert_int_equal(cc_graph_infer(graph, BATCH, HEIGHT, WIDTH, shapes, &err), row->needs == CC_NEEDS_X ? CAMCL_FAILED : CAMCL_OK);
        cc_model_destroy(&model);
    }
}

/* ---- tangents that do not exist */

static void build_pooled(cc_graph_builder *b)
{
    size_t x = cc_graph_builder_conv(b, cc_graph_builder_image(b), "a", (cc_conv_attributes){ 4, 3, 1, 1 });
    cc_graph_builder_end_stage(b, x);
    x = cc_graph_builder_global_average_pool(b, cc_graph_builder_max_pool(b, x, 2, 2, 0));
    cc_graph_builder_linear(b, x, "fc", CLASSES);
}

static void nodes_without_tangent_are_refused(void **state)
{
    (void)state;
    float *x = random_floats(PIXELS, 1);
    cc_model *model = model_of(build_pooled, 1);
    cc_tensor images = images_of(x);
    cc_arena *arena;
    cc_tape *tape;
    bool written[8] = { false };
    OK(cc_arena_create(device, &arena, &err));
    OK(cc_tape_create(arena, "pooled", &tape, &err));
    cc_pass *pass = forward(model->main, tape, images, false, 1);
    cc_tensor start = cc_pass_output(pass, cc_pass_last(pass));
    cc_pass_set_gradient(pass, cc_pass_last(pass), start);
    OK(cc_pass_backward(pass, cc_pass_last(pass), 1, NULL, &err));
    assert_int_equal(cc_pass_tangent(pass, 1, cc_pass_output(pass, 1), written, &err), CAMCL_UNSUPPORTED);
    assert_non_null(strstr(err.message, "max-pool"));
    for (size_t i = 0; i < CC_COUNT(written); i++)
        assert_false(written[i]);
    cc_pass_destroy(&pass);
    cc_arena_destroy(&arena);
    cc_buffer_destroy(&images.buffer);
    cc_model_destroy(&model);
    free(x);
}

/* ---- batch norm's constants come from the graph */

#define EPSILON 0.5f
#define MOMENTUM 0.25f
#define SLOPE 0.5f

static void build_norm(cc_graph_builder *b)
{
    size_t x = cc_graph_builder_batch_norm(b, cc_graph_builder_image(b), CC_NONE, "bn",
                                           (cc_batch_norm_attributes){ CC_LEAKY_RELU(SLOPE), EPSILON, MOMENTUM });
    cc_graph_builder_linear(b, cc_graph_builder_global_average_pool(b, x), "fc", CLASSES);
}

/* What one pass leaves: the batch norm's output, running mean and variance. */
static void run_norm(cc_model *model, const float *x, bool train, float *y, float *mean, float *var)
{
    cc_tensor images = images_of(x);
    cc_arena *arena;
    cc_tape *tape;
    OK(cc_arena_create(device, &arena, &err));
    OK(cc_tape_create(arena, "norm", &tape, &err));
    cc_pass *pass = forward(model->main, tape, images, train, 1);
    OK(cc_arena_commit(arena, &err));
    OK(cc_tape_run(tape, &err));
    OK(cc_buffer_read(cc_pass_output(pass, 1).buffer, 0, y, PIXELS * sizeof *y, &err));
    OK(cc_model_get(model, cc_graph_find(model->graph, "bn.running_mean"), mean, &err));
    OK(cc_model_get(model, cc_graph_find(model->graph, "bn.running_var"), var, &err));
    cc_pass_destroy(&pass);
    cc_arena_destroy(&arena);
    cc_buffer_destroy(&images.buffer);
}

static void batch_norm_has_its_own_constants(void **state)
{
    (void)state;
    const double rows = BATCH * HEIGHT * WIDTH;
    float *x = random_floats(PIXELS, 5), y[PIXELS], mean0[CHANNELS], var0[CHANNELS], mean1[CHANNELS], var1[CHANNELS], gamma[CHANNELS],
          beta[CHANNELS];
    cc_model *model = model_of(build_norm, 0);
    draw_all(model->main, 20);
    OK(cc_model_get(model, cc_graph_find(model->graph, "bn.weight"), gamma, &err));
    OK(cc_model_get(model, cc_graph_find(model->graph, "bn.bias"), beta, &err));
    run_norm(model, x, false, y, mean0, var0);
    for (size_t i = 0; i < PIXELS; i++) {
        const size_t c = i % CHANNELS;
        const double v = (double)gamma[c] * ((double)x[i] - (double)mean0[c]) / sqrt((double)var0[c] + EPSILON) + (double)beta[c];
        assert_true(fabs((double)y[i] - (v > 0 ? v : SLOPE * v)) < 1e-5);
    }
    run_norm(model, x, true, y, mean1, var1);
    for (size_t c = 0; c < CHANNELS; c++) {
        double sum = 0, squares = 0;
        for (size_t i = c; i < PIXELS; i += CHANNELS)
            sum += (double)x[i];
        for (size_t i = c; i < PIXELS; i += CHANNELS)
            squares += ((double)x[i] - sum / rows) * ((double)x[i] - sum / rows);
        assert_true(fabs((double)mean1[c] - (1 - MOMENTUM) * (double)mean0[c] - MOMENTUM * sum / rows) < 1e-5);
        assert_true(fabs((double)var1[c] - (1 - MOMENTUM) * (double)var0[c] - MOMENTUM * squares / (rows - 1)) < 1e-5);
    }
    cc_model_destroy(&model);
    free(x);
}

/* ---- sets of weights */

typedef struct pair {
    cc_arena *arena;
    cc_tape *tape;
    cc_pass *passes[2];
} pair;

static void pair_run(pair *p, float logits[2][LOGITS])
{
    OK(cc_tape_run(p->tape, &err));
    for (int i = 0; i < 2; i++) {
        const cc_pass *pass = p->passes[i];
        OK(cc_buffer_read(cc_pass_output(pass, cc_pass_last(pass)).buffer, 0, logits[i], LOGITS * sizeof(float), &err));
    }
}

static void two_sets_on_one_tape(void **state)
{
    (void)state;
    enum { MAIN, TEACHER };
    float *x = random_floats(PIXELS, 7), first[2][LOGITS], then[2][LOGITS];
    cc_model *model = model_of(build_web, 0);
    cc_tensor images = images_of(x);
    cc_weights *teacher;
    pair p;
    OK(cc_model_create_weights(model, "teacher", &teacher, &err));
    cc_weights *const sets[] = { [MAIN] = model->main, [TEACHER] = teacher };
    draw_all(model->main, 30);
    draw_all(teacher, 60);
    OK(cc_arena_create(device, &p.arena, &err));
    OK(cc_tape_create(p.arena, "student and teacher", &p.tape, &err));
    for (int i = 0; i < 2; i++)
        p.passes[i] = forward(sets[i], p.tape, images, false, model->graph->node_count - 1);
    OK(cc_arena_commit(p.arena, &err));
    assert_int_equal(model->main->packed_count, teacher->packed_count);
    for (int i = 0; i < 2; i++)
        OK(cc_weights_refresh(sets[i], &err)); /* packed copies that the tape asked for are new; later they are kept up to date */
    pair_run(&p, first);
    assert_memory_not_equal(first[MAIN], first[TEACHER], sizeof first[MAIN]);
    /* Each set's numbers give the same, whichever set holds them. */
    draw_all(model->main, 60);
    draw_all(teacher, 30);
    pair_run(&p, then);
    assert_memory_equal(then[MAIN], first[TEACHER], sizeof then[MAIN]);
    assert_memory_equal(then[TEACHER], first[MAIN], sizeof then[MAIN]);
    /* A copy is the same, and stays when the original changes. */
    OK(cc_weights_copy(teacher, model->main, &err));
    pair_run(&p, then);
    assert_memory_equal(then[MAIN], first[TEACHER], sizeof then[MAIN]);
    assert_memory_equal(then[TEACHER], first[TEACHER], sizeof then[MAIN]);
    draw_all(model->main, 30);
    pair_run(&p, then);
    assert_memory_equal(then[MAIN], first[MAIN], sizeof then[MAIN]);
    assert_memory_equal(then[TEACHER], first[TEACHER], sizeof then[MAIN]);
    for (int i = 0; i < 2; i++)
        cc_pass_destroy(&p.passes[i]);
    cc_arena_destroy(&p.arena);
    cc_weights_destroy(&teacher);
    assert_null(teacher);
    cc_buffer_destroy(&images.buffer);
    cc_model_destroy(&model);
    free(x);
}

/* A train-mode pass moves the statistics of its own set; sets of another model are not copied from. */
static void statistics_belong_to_the_set(void **state)
{
    (void)state;
    float *x = random_floats(PIXELS, 8), before[CHANNELS], after[2][CHANNELS];
    cc_model *model = model_of(build_norm, 0), *other = model_of(build_norm, 0);
    cc_tensor images = images_of(x);
    cc_weights *teacher;
    cc_arena *arena;
    cc_tape *tape;
    const size_t mean = cc_graph_find(model->graph, "bn.running_mean");
    draw_all(model->main, 40);
    OK(cc_model_create_weights(model, "teacher", &teacher, &err));
    OK(cc_weights_copy(teacher, model->main, &err));
    OK(cc_weights_get(model->main, mean, before, &err));
    OK(cc_arena_create(device, &arena, &err));
    OK(cc_tape_create(arena, "teacher", &tape, &err));
    cc_pass *pass = forward(teacher, tape, images, true, 1);
    OK(cc_arena_commit(arena, &err));
    OK(cc_tape_run(tape, &err));
    OK(cc_weights_get(model->main, mean, after[0], &err));
    OK(cc_weights_get(teacher, mean, after[1], &err));
    assert_memory_equal(after[0], before, sizeof before);
    for (size_t c = 0; c < CHANNELS; c++)
        assert_true(fabsf(after[1][c] - before[c]) > 1e-4f);
    assert_int_equal(cc_weights_copy(other->main, teacher, &err), CAMCL_FAILED);
    cc_pass_destroy(&pass);
    cc_arena_destroy(&arena);
    cc_weights_destroy(&teacher);
    cc_buffer_destroy(&images.buffer);
    cc_model_destroy(&model);
    cc_model_destroy(&other);
    free(x);
}

static const struct CMUnitTest operation_tests[] = {
    cmocka_unit_test(gradients_are_differences),
    cmocka_unit_test(tangents_are_differences),
    cmocka_unit_test(activations_may_be_nodes_of_their_own),
    cmocka_unit_test(activations_are_refused_where_they_cannot_be),
    cmocka_unit_test(nodes_without_tangent_are_refused),
    cmocka_unit_test(batch_norm_has_its_own_constants),
    cmocka_unit_test(two_sets_on_one_tape),
    cmocka_unit_test(statistics_belong_to_the_set),
};

#include "support/op_main.h"
